//! Owns the top-level keys of a pipeline file: which exist, finding one, and the errors about others.

use super::elsewhere;
use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;
use crate::yaml::{Key, NO_MERGE_KEYS, Node};

/// The top-level keys.
pub(super) const KEYS: [&str; 8] =
    ["version", "name", "description", "include", "vars", "conf", "artifacts", "steps"];
/// Top-level keys of the format that this version does not carry out.
pub(super) const PLANNED: [&str; 1] = ["tests"];

pub(super) fn get<'n, 't>(entries: &'n [(Key<'t>, Node<'t>)], name: &str) -> Option<&'n Node<'t>> {
    entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

pub(super) fn key(entries: &[(Key<'_>, Node<'_>)], name: &str) -> Option<Span> {
    entries.iter().find(|(key, _)| key.text == name).map(|(key, _)| key.span)
}

pub(super) fn take<'t>(entries: &mut Vec<(Key<'t>, Node<'t>)>, name: &str) -> Option<(Key<'t>, Node<'t>)> {
    let at = entries.iter().position(|(key, _)| key.text == name)?;
    Some(entries.remove(at))
}

/// What is said of a top-level key that is none.
pub(super) fn unknown_key(text: &str, span: Span, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownKey, span, format!("unknown key `{text}`"))
        .label("not a key of a pipeline");
    match (elsewhere::at_top(text).filter(|key| known.contains(key)), text) {
        (_, "<<") => diagnostic.help(NO_MERGE_KEYS),
        (Some(key), _) => diagnostic.called_here(key),
        (None, _) => diagnostic.suggest(text, known.iter().copied()),
    }
}

pub(super) fn unavailable(key: &str, span: Span) -> Diagnostic {
    let message = format!("`{key}` is not available in this version of pipectl");
    Diagnostic::new(Code::Unsupported, span, message)
}
