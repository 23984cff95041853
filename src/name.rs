//! Owns the names that the user gives: of steps, variables and columns.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::text::{Span, Spanned};

/// `[A-Za-z_][A-Za-z0-9_]*`, as the schema says it.
pub(crate) const NAME_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

/// Whether a text may name a step or a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

macro_rules! name {
    ($(#[doc = $doc:literal])+ $type:ident, $what:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $type(Box<str>);

        impl $type {
            /// Nothing where the text is not a name.
            pub(crate) fn new(text: &str) -> Option<Self> {
                is_name(text).then(|| Self(text.into()))
            }

            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).ok_or_else(|| {
                    de::Error::custom(format!(concat!("`{}` can't name ", $what, ": use letters, digits and `_`"), text))
                })
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "title": "name", "type": "string", "pattern": NAME_PATTERN })
            }
        }
    };
}

name!(
    /// The name of a step.
    StepName, "a step"
);

impl StepName {
    /// A name for what has none: the text with `_` for whatever can't stand in a name.
    pub(crate) fn nearest_to(text: &str) -> Self {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name: String = text.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
        Self(format!("_{name}").into())
    }
}

/// A reference to a step, as it stands in the file; whether there is such a step is found out later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct StepRef(Spanned<String>);

impl StepRef {
    pub(crate) fn as_str(&self) -> &str {
        &self.0.value
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span
    }
}

impl JsonSchema for StepRef {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "StepRef".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = StepName::json_schema(generator);
        schema.insert("title".to_owned(), "step".into());
        schema
    }
}

/// A column's name as an identifier of Spark SQL: in backquotes, those inside doubled.
pub(crate) fn quoted(column: &str) -> String {
    format!("`{}`", column.replace('`', "``"))
}

/// The column of a name like `orders.id` or `` `orders`.`id` ``; nothing where the name has no qualifier.
pub(crate) fn unqualified(name: &str) -> Option<&str> {
    let (_, column) = name.rsplit_once('.')?;
    Some(column.trim_matches('`')).filter(|column| !column.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_underscores() {
        for good in ["a", "_x", "Orders2", "by_segment"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "2a", "a-b", "a.b", "é", "a b", "`a`"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_backquote_in_a_column_name_is_doubled() {
        assert_eq!(quoted("a`b"), "`a``b`");
    }
}
