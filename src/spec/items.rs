//! Owns lists whose items have one key each, the kind: how they are written, and what is said where they are written otherwise.

use std::borrow::Cow;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::text::Span;
use crate::yaml::{Key, Node, NodeKind, Scalar};

/// More keys are not listed in a message.
const FEW: usize = 12;

/// A kind's key and its settings, which are nothing where the key stands alone.
pub(super) struct Item<'n, 't> {
    pub(super) key: Cow<'n, str>,
    pub(super) span: Span,
    pub(super) settings: Cow<'n, Node<'t>>,
}

impl<'n, 't> Item<'n, 't> {
    fn of((key, node): &'n (Key<'t>, Node<'t>)) -> Self {
        // What is missing is missing at the key.
        let settings = if node.is_null() { Cow::Owned(Node::nothing(key.span)) } else { Cow::Borrowed(node) };
        Self { key: Cow::Borrowed(&key.text), span: key.span, settings }
    }
}

/// The items of a list; what is not a list is reported.
pub(super) fn items<'n, 't>(
    node: &'n Node<'t>,
    key: &str,
    example: &str,
    found: &mut Diagnostics,
) -> &'n [Node<'t>] {
    match &node.kind {
        NodeKind::Sequence(items) => items,
        NodeKind::Scalar(scalar) if scalar.is_null() || scalar.is_misread() => &[],
        NodeKind::Scalar(_) | NodeKind::Mapping(_) => {
            found.push(
                Diagnostic::new(
                    Code::WrongType,
                    node.span,
                    format!("`{key}` is a list, not {}", node.describe()),
                )
                .help(format!("write one item a line: `{example}`")),
            );
            &[]
        }
    }
}

/// The kinds that stand at a key, one an item. What is not written like that is reported and read for what it seems to
/// mean.
pub(super) fn kinds<'n, 't>(
    node: &'n Node<'t>,
    place: &str,
    keys: &[&str],
    found: &mut Diagnostics,
) -> Vec<Item<'n, 't>> {
    let one = std::slice::from_ref(node);
    let list = match &node.kind {
        NodeKind::Sequence(items) => items.as_slice(),
        // One output may stand alone.
        NodeKind::Mapping(_) | NodeKind::Scalar(_) if place == "write" => one,
        NodeKind::Scalar(scalar) if scalar.is_null() || scalar.is_misread() => &[],
        NodeKind::Scalar(_) => {
            let example = format!("- {}", node.as_scalar().map(Scalar::plain).unwrap_or_default());
            return wrong_list(node, place, &example, found);
        }
        NodeKind::Mapping(entries) => {
            let first = entries.first().map_or("filter", |(key, _)| &key.text);
            wrong_list(node, place, &format!("- {first}: …"), found);
            return entries.iter().map(Item::of).collect();
        }
    };
    let mut kinds = Vec::with_capacity(list.len());
    for item in list {
        kinds_of(item, place, keys, &mut kinds, found);
    }
    kinds
}

fn wrong_list<'n, 't>(
    node: &Node<'_>,
    place: &str,
    example: &str,
    found: &mut Diagnostics,
) -> Vec<Item<'n, 't>> {
    let message = format!("`{place}` is a list, not {}", node.describe());
    found.push(
        Diagnostic::new(Code::WrongType, node.span, message)
            .help(format!("write one item a line: `{example}`")),
    );
    Vec::new()
}

/// The kinds of one item: one, where it is written as it should be.
fn kinds_of<'n, 't>(
    item: &'n Node<'t>,
    place: &str,
    keys: &[&str],
    kinds: &mut Vec<Item<'n, 't>>,
    found: &mut Diagnostics,
) {
    match &item.kind {
        NodeKind::Scalar(_) if !is_known(item) => {}
        NodeKind::Scalar(scalar) if !scalar.is_null() => {
            let settings = Cow::Owned(Node::nothing(item.span));
            kinds.push(Item { key: scalar.plain(), span: item.span, settings });
        }
        NodeKind::Mapping(entries) if named_kind(entries, keys).is_some() => {
            let (key, kind) = named_kind(entries, keys).unwrap_or_default();
            let message =
                format!("an item of `{place}` does not say its kind with `{key}`: the key is the kind");
            found.push(
                Diagnostic::new(Code::WrongType, entries[0].0.span, message)
                    .help(format!("write `- {kind}:` and its settings below it, indented further")),
            );
        }
        NodeKind::Mapping(entries) if entries.len() == 1 => kinds.push(Item::of(&entries[0])),
        NodeKind::Mapping(entries) if entries.len() > 1 => {
            let (first, second) = (&entries[0].0, &entries[1].0);
            let message = format!(
                "an item of `{place}` has one key, and this one has `{}` and `{}`",
                first.text, second.text
            );
            let diagnostic = Diagnostic::new(Code::WrongType, second.span, message);
            if keys.contains(&&*second.text) {
                let help = format!("put it into an item of its own: `- {}: …`", second.text);
                found.push(diagnostic.help(help));
                let is_kind = |(key, _): &&(Key<'_>, Node<'_>)| keys.contains(&&*key.text);
                kinds.extend(entries.iter().filter(is_kind).map(Item::of));
                return;
            }
            found.push(
                diagnostic.help(format!(
                    "settings of `{}` stand one level deeper: indent them further",
                    first.text
                )),
            );
        }
        _ => {
            let message =
                format!("an item of `{place}` is one key with its settings, not {}", item.describe());
            let help = match keys.len() {
                0..=FEW => format!("the keys are {}", list(keys)),
                _ => format!("`pipectl help {place}` lists the keys"),
            };
            found.push(Diagnostic::new(Code::WrongType, item.span, message).help(help));
        }
    }
}

/// The key that names a kind as other tools do it, `type: filter`, and that kind.
fn named_kind(entries: &[(Key<'_>, Node<'_>)], keys: &[&str]) -> Option<(String, String)> {
    let names_kinds = ["type", "kind", "op", "operation", "action", "transform", "format", "name"];
    let (first, _) = entries.first()?;
    if keys.contains(&&*first.text) {
        return None;
    }
    entries.iter().find_map(|(key, value)| {
        let kind = value.as_scalar().filter(|_| names_kinds.contains(&&*key.text))?.plain();
        keys.contains(&&*kind).then(|| (key.text.to_string(), kind.into_owned()))
    })
}

/// Whether all values below a node are known.
pub(super) fn is_known(node: &Node<'_>) -> bool {
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            !scalar.is_misread() && scalar.bound().is_none_or(|bound| bound.is_complete)
        }
        NodeKind::Sequence(items) => items.iter().all(is_known),
        NodeKind::Mapping(entries) => entries.iter().all(|(_, value)| is_known(value)),
    }
}

pub(super) fn list(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
