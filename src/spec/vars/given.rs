//! Owns the values that come from outside of the pipeline's file: `--var`, `--vars`, the environment, the target; which of them goes
//! first, and where each stands, for messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::Type;
use crate::secret::Plain;
use crate::spec::context::text_of;
use crate::spec::inputs::{Document, Inputs};
use crate::text::{FileId, Source, Sources, Span};
use crate::yaml::{self, Node, NodeKind};

/// The prefix of environment variables that set variables.
const ENVIRONMENT: &str = "PIPECTL_VAR_";

/// What was given, before it is known which types it must have.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    /// A text; where a list is wanted it is written as one.
    One(Plain, Option<Span>),
    Several(Vec<(Plain, Option<Span>)>),
}

/// A value of a variable that comes from outside.
pub(super) struct Outside {
    pub(super) texts: Texts,
    /// Where it comes from, in words that a message begins with.
    pub(super) origin: String,
    /// Where it stands, for what stands in a document.
    pub(super) place: Option<Span>,
}

/// The documents' values.
#[derive(Default)]
pub(in crate::spec) struct Given {
    flags: BTreeMap<String, (Span, Texts)>,
    environment: BTreeMap<String, (Span, Texts)>,
    /// Every key of every document, for those that no variable has.
    names: Vec<(String, Span)>,
}

impl Given {
    /// Reads the documents; what is wrong with them is reported in their own text.
    pub(in crate::spec) fn read(inputs: &Inputs<'_>, sources: &mut Sources, found: &mut Diagnostics) -> Self {
        let mut given = Self::default();
        for document in &inputs.documents.flags {
            let values = given.document(document, sources, found);
            given.flags.extend(values);
        }
        if let Some(document) = &inputs.documents.environment {
            given.environment = given.document(document, sources, found);
        }
        given
    }

    fn document(
        &mut self,
        document: &Document,
        sources: &mut Sources,
        found: &mut Diagnostics,
    ) -> BTreeMap<String, (Span, Texts)> {
        let mut values = BTreeMap::new();
        let text = match text_of(document.bytes.clone()) {
            Ok(text) => text,
            Err((message, shown)) => {
                let at = u32::try_from(shown.len()).unwrap_or(u32::MAX);
                let file = sources.add(Source::new(&document.name, shown));
                found.push(Diagnostic::new(Code::Unreadable, Span { file, start: at, end: at }, message));
                return values;
            }
        };
        let file = sources.add(Source::new(&document.name, text));
        let text = Arc::clone(sources.get(file).text());
        let Some(read) = yaml::read(file, &text, found) else { return values };
        for repeated in &read.repeated {
            found.push(repeated.diagnostic());
        }
        let entries =
            match &read.root.kind {
                NodeKind::Mapping(entries) => entries,
                NodeKind::Scalar(scalar) if scalar.is_null() => return values,
                NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
                    let message = format!(
                        "values of variables are a mapping of names to values, not {}",
                        read.root.describe()
                    );
                    found.push(Diagnostic::new(Code::WrongType, read.root.span, message).help(
                        "write `{date: 2026-01-31, n: 3}`, or name a file with `name: value`, one a line",
                    ));
                    return values;
                }
            };
        for (key, node) in entries {
            self.names.push((key.text.to_string(), key.span));
            match texts(node) {
                Ok(texts) => drop(values.insert(key.text.to_string(), (node.span, texts))),
                Err((place, what)) => {
                    let message = format!("the value of `{}` {what}", key.text);
                    found.push(
                        Diagnostic::new(Code::BadVariable, place.unwrap_or(key.span), message)
                            .help("a variable has one value, or a list of values"),
                    );
                }
            }
        }
        values
    }

    /// The keys of the documents, each with its place.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Span)> {
        self.names.iter().map(|(name, span)| (name.as_str(), *span))
    }

    /// The value that goes first: the command line's, else the environment's, else the target's.
    pub(super) fn value(&self, name: &str, inputs: &Inputs<'_>) -> Option<Outside> {
        let from = |(place, texts): &(Span, Texts)| Outside {
            texts: texts.clone(),
            origin: format!("the value of `{name}`: "),
            place: Some(*place),
        };
        let text = |text: String, origin: String| Outside {
            texts: Texts::One(Plain::Shown(text), None),
            origin,
            place: None,
        };
        if let Some((_, given)) = inputs.variables.iter().rev().find(|(given, _)| given == name) {
            return Some(text(given.clone(), format!("the value of `{name}` on the command line: ")));
        }
        if let Some(given) = self.flags.get(name) {
            return Some(from(given));
        }
        let variable = variable(name);
        if let Some(given) = (inputs.environment)(&variable) {
            return Some(text(given, format!("the value of `{name}` in `{variable}`: ")));
        }
        if let Some(given) = self.environment.get(name) {
            return Some(from(given));
        }
        let given = inputs.target.variables.iter().find(|variable| variable.name == name)?;
        let texts = match &*given.value {
            [only] => Texts::One(only.clone(), None),
            several => Texts::Several(several.iter().map(|text| (text.clone(), None)).collect()),
        };
        let origin = format!("the value of `{name}` at {}: ", given.place);
        Some(Outside { texts, origin, place: None })
    }
}

/// The variable of the environment that sets a variable.
pub(super) fn variable(name: &str) -> String {
    format!("{ENVIRONMENT}{}", name.to_uppercase())
}

/// The texts of a node; or where there is something else, and what it is.
fn texts(node: &Node<'_>) -> Result<Texts, (Option<Span>, String)> {
    let text = |node: &Node<'_>| match &node.kind {
        NodeKind::Scalar(scalar) if scalar.is_null() => Err((None, "is missing".to_owned())),
        NodeKind::Scalar(scalar) => Ok(Plain::Shown(scalar.text.clone().into_owned())),
        NodeKind::Sequence(_) => Err((Some(node.span), "is a list in a list".to_owned())),
        NodeKind::Mapping(_) => Err((Some(node.span), "is a mapping".to_owned())),
    };
    match &node.kind {
        NodeKind::Sequence(items) => {
            let items = items.iter().map(|item| Ok((text(item)?, Some(item.span))));
            items.collect::<Result<_, _>>().map(Texts::Several)
        }
        NodeKind::Scalar(_) | NodeKind::Mapping(_) => {
            text(node).map(|text| Texts::One(text, Some(node.span)))
        }
    }
}

impl Texts {
    /// Each text that was given.
    pub(super) fn all(self) -> Vec<Plain> {
        match self {
            Self::One(text, _) => vec![text],
            Self::Several(items) => items.into_iter().map(|(text, _)| text).collect(),
        }
    }

    /// The text of each value: one, or those of a list. A list stands in one text as YAML writes it (`["a,b", c]`), or with commas
    /// between its items.
    pub(super) fn of(self, data_type: &Type) -> Result<Vec<(Plain, Option<Span>)>, String> {
        let empty = || "a list of values has at least one: nothing is `IN` an empty one".to_owned();
        match (self, data_type.is_list()) {
            (Self::Several(items), true) if items.is_empty() => Err(empty()),
            (Self::Several(items), true) => Ok(items),
            (Self::Several(_), false) => Err(format!("a list is given, and the type is {data_type}")),
            (Self::One(text, place), false) => Ok(vec![(text, place)]),
            // A secret stands for itself.
            (Self::One(secret @ Plain::Hidden(_), place), true) => Ok(vec![(secret, place)]),
            (Self::One(Plain::Shown(text), place), true) => {
                let items = if text.trim_start().starts_with('[') { flow(&text)? } else { plain(&text)? };
                if items.is_empty() {
                    Err(empty())
                } else {
                    Ok(items.into_iter().map(|item| (Plain::Shown(item), place)).collect())
                }
            }
        }
    }
}

/// The items of a list as YAML writes it.
fn flow(text: &str) -> Result<Vec<String>, String> {
    let mut found = Diagnostics::default();
    let wrong = |why: &str| format!("`{text}` is not a list as YAML writes it: {why}");
    let read = yaml::read(FileId::default(), text, &mut found);
    if let Some(first) = found.sorted().first() {
        return Err(wrong(&first.message));
    }
    let Some(NodeKind::Sequence(items)) = read.map(|document| document.root.kind) else {
        return Err(wrong("there is something else"));
    };
    let item = |item: &Node<'_>| match item.as_scalar() {
        Some(scalar) if !scalar.is_null() => Ok(scalar.text.clone().into_owned()),
        Some(_) => {
            Err(wrong("an item is missing; write `\"\"` for an empty text and `\"null\"` for this word"))
        }
        None => Err(wrong("an item is more than one value")),
    };
    items.iter().map(item).collect()
}

/// The items of a list with commas between them, without the spaces around each.
fn plain(text: &str) -> Result<Vec<String>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
    if items.iter().any(String::is_empty) {
        return Err(format!("an item of the list `{text}` is empty; where that is meant write `[a, \"\"]`"));
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Result<Vec<String>, String> {
        let data_type = Type::parse("array<string>").unwrap();
        let items = Texts::One(Plain::from(text), None).of(&data_type)?;
        Ok(items.into_iter().map(|(text, _)| text.shown().to_owned()).collect())
    }

    #[test]
    fn a_list_in_one_text_is_yaml_or_has_commas() {
        for (text, expected) in [
            ("a", vec!["a"]),
            ("a, b,c", vec!["a", "b", "c"]),
            ("[a, b]", vec!["a", "b"]),
            (r#"["a,b", c]"#, vec!["a,b", "c"]),
            (r#"['it''s', "\u00e4\n", "", 1.50]"#, vec!["it's", "ä\n", "", "1.50"]),
            (r#""a", b"#, vec![r#""a""#, "b"]),
            ("${x}, $${y}", vec!["${x}", "$${y}"]),
        ] {
            assert_eq!(items(text), Ok(expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
        for text in
            ["", " ", "[]", "[a", "[a, [b]]", "[{a: b}]", "[a, null]", "[a, ]b", "a,,b", "a,", "[!x a]"]
        {
            assert!(items(text).is_err(), "{text}");
        }
    }
}
