//! Owns what YAML's commas do to expressions: in `[ ]` and `{ }` they split `f(a, b)` in two. What belongs together is put
//! together again, so that one error is reported once and all else is still read.

use super::node::{Key, Node, NodeKind, Scalar};
use super::syntax::quoted;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Suggestion};
use crate::scalar::{Layout, Style};
use crate::text::Span;

/// Rejoins the items of a list.
pub(super) fn rejoin_items<'t>(text: &'t str, items: &mut Vec<Node<'t>>, found: &mut Diagnostics) {
    let mut at = 0;
    while at < items.len() {
        if let Some(quote) = quote(&items[at]) {
            let closes = |item: &Node<'_>| {
                item.as_scalar().is_some_and(|scalar| scalar.text.matches(quote).count() % 2 == 1)
            };
            if let Some(further) = items[at + 1..].iter().position(closes) {
                let end = items[at + 1 + further].span.end;
                items[at] = rejoined(text, Span { end, ..items[at].span }, found);
                items.drain(at + 1..at + 2 + further);
            }
        } else if let Some(mut open) = opened(&items[at]) {
            let further = items[at + 1..].iter().position(|item| {
                open += balance(item);
                open <= 0
            });
            if let Some(further) = further {
                let end = items[at + 1 + further].span.end;
                items[at] = rejoined(text, Span { end, ..items[at].span }, found);
                items.drain(at + 1..at + 2 + further);
            }
        }
        at += 1;
    }
}

/// Rejoins the values of a mapping, whose further parts YAML takes for keys.
pub(super) fn rejoin_entries<'t>(
    text: &'t str,
    entries: &mut Vec<(Key<'t>, Node<'t>)>,
    found: &mut Diagnostics,
) {
    let mut at = 0;
    while at < entries.len() {
        while let Some((key, value)) = entries.get(at + 1).filter(|next| is_thousands(&entries[at].1, next)) {
            let (value, digits) = (value.span.start.max(key.span.end), key.text.clone());
            let before = entries[at].1.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
            let span = Span { end: value.min(key.span.end), ..entries[at].1.span };
            found.push(
                Diagnostic::new(Code::Misread, span, "inside `[ ]` and `{ }` YAML splits this at its commas")
                    .help(format!("write the number without them: `{before}{digits}`"))
                    .suggestion(Suggestion::machine_applicable(span, format!("{before}{digits}"))),
            );
            entries[at].1 = Node::misread(span, format!("{before}{digits}"));
            entries.remove(at + 1);
        }
        if let Some(mut open) = opened(&entries[at].1) {
            let further = entries[at + 1..].iter().position(|(key, value)| {
                open += brackets(&key.text) + balance(value);
                open <= 0
            });
            if let Some(further) = further {
                let (key, value) = &entries[at + 1 + further];
                let end = if value.is_null() { key.span.end } else { value.span.end };
                entries[at].1 = rejoined(text, Span { end, ..entries[at].1.span }, found);
                entries.drain(at + 1..at + 2 + further);
            }
        }
        at += 1;
    }
}

/// Whether a number goes on behind a comma: `1,000`.
fn is_thousands(value: &Node<'_>, (key, next): &(Key<'_>, Node<'_>)) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = value.as_scalar().is_some_and(|scalar| is_number(&scalar.text));
    is_plain && next.is_null() && key.text.len() == 3 && is_number(&key.text)
}

fn rejoined<'t>(text: &'t str, span: Span, found: &mut Diagnostics) -> Node<'t> {
    let whole = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    found.push(
        Diagnostic::new(Code::Misread, span, "inside `[ ]` and `{ }` YAML splits this at its commas")
            .help(format!("put it in quotes: {}", quoted(whole)))
            .suggestion(Suggestion::machine_applicable(span, quoted(whole)))
            .help("or write the list with one `- item` a line, the mapping with one `key: value` a line"),
    );
    let scalar = Scalar::new(whole.into(), Style::PlainInFlow, Layout::Verbatim, whole.contains('$'));
    Node { span, kind: NodeKind::Scalar(scalar) }
}

/// How many brackets a plain scalar leaves open, where it does.
fn opened(node: &Node<'_>) -> Option<i32> {
    let scalar = node.as_scalar().filter(|scalar| scalar.style == Style::PlainInFlow)?;
    Some(brackets(&scalar.text)).filter(|open| *open > 0)
}

/// The quote that a plain scalar leaves open, where it does.
fn quote(node: &Node<'_>) -> Option<char> {
    let scalar = node.as_scalar().filter(|scalar| scalar.style == Style::PlainInFlow)?;
    let mut open = None;
    for c in scalar.text.chars().filter(|c| matches!(c, '\'' | '"' | '`')) {
        match open {
            None => open = Some(c),
            Some(quote) if quote == c => open = None,
            Some(_) => {}
        }
    }
    open
}

fn balance(node: &Node<'_>) -> i32 {
    node.as_scalar().map_or(0, |scalar| brackets(&scalar.text))
}

/// Opening brackets less closing ones, those in quotes aside.
fn brackets(text: &str) -> i32 {
    let mut quote = None;
    let mut open = 0;
    for byte in text.bytes() {
        match (quote, byte) {
            (Some(closing), byte) if byte == closing => quote = None,
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (None, b'(') => open += 1,
            (None, b')') => open -= 1,
            (Some(_) | None, _) => {}
        }
    }
    open
}
