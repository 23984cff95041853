//! An edit of the user's file that fixes a diagnostic: data, so that a program or an editor can apply it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Span;

/// How sure it is that an edit is what the user wants, in the terms of rustc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Applicability {
    /// The edit says what was meant, and can be applied as it is.
    MachineApplicable,
    /// The edit is a guess.
    MaybeIncorrect,
}

/// A text to put in the place of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) span: Span,
    pub(crate) replacement: String,
    pub(crate) applicability: Applicability,
}

impl Suggestion {
    /// An edit that can be applied as it is.
    pub(crate) fn machine_applicable(span: Span, replacement: impl Into<String>) -> Self {
        Self { span, replacement: replacement.into(), applicability: Applicability::MachineApplicable }
    }

    /// An edit that is a guess.
    pub(crate) fn maybe_incorrect(span: Span, replacement: impl Into<String>) -> Self {
        Self { span, replacement: replacement.into(), applicability: Applicability::MaybeIncorrect }
    }

    /// A guess at the name that was meant, written as YAML reads it back.
    pub(crate) fn name(span: Span, name: &str) -> Self {
        Self::maybe_incorrect(span, scalar(name))
    }
}

/// A text as a YAML scalar that stands in any place: plain where it is a word, else in quotes.
fn scalar(text: &str) -> String {
    /// Words that YAML reads as something else than a text.
    const OTHER: [&str; 3] = ["true", "false", "null"];
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if is_word && !OTHER.contains(&&*text.to_lowercase()) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_yaml_would_misread_it() {
        for (name, written) in [
            ("steps", "steps"),
            ("order_id", "order_id"),
            ("sc.option", "sc.option"),
            ("order id", "'order id'"),
            ("it's", "'it''s'"),
            ("1", "'1'"),
            ("Null", "'Null'"),
            ("", "''"),
        ] {
            assert_eq!(scalar(name), written);
        }
    }
}
