//! Finds the names in an expression or a query: those of columns, of functions and of tables, and of all that is written alike.

use std::ops::Range;

use crate::expr::{Template, Token, TokenKind};

/// Names with dots between them, as `a.b.c` or `` `a b`.c ``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// Each name without quotes, and its bytes of the scanned text.
    pub(super) parts: Vec<(String, Range<usize>)>,
    /// The bytes from the bracket behind it to the one that closes it, where it is called.
    pub(super) call: Option<Range<usize>>,
    /// Whether it gives a name: `x AS name`.
    is_alias: bool,
}

impl Chain {
    pub(super) fn range(&self) -> Range<usize> {
        let start = self.parts.first().map_or(0, |(_, range)| range.start);
        start..self.parts.last().map_or(start, |(_, range)| range.end)
    }

    /// Whether it is made of these names.
    pub(super) fn is(&self, names: &[String]) -> bool {
        names.len() == self.parts.len() && self.begins_with(names)
    }

    pub(super) fn begins_with(&self, names: &[String]) -> bool {
        names.len() <= self.parts.len()
            && self.parts.iter().zip(names).all(|((own, _), name)| alike(own, name))
    }

    /// Whether it may stand for a column.
    pub(super) fn is_value(&self) -> bool {
        self.call.is_none() && !self.is_alias
    }
}

/// Engines take no heed of upper and lower case.
pub(super) fn alike(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

/// All names of a text, in its order.
pub(super) fn chains(template: &Template) -> Vec<Chain> {
    let text = template.scanned();
    let mut tokens = template.tokens();
    tokens.retain(|token| token.kind != TokenKind::Comment);
    let mut found: Vec<Chain> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        // What stands behind a dot that no name precedes is a field of something else.
        let is_field = before.is_some_and(|before| before.kind == TokenKind::Symbol('.'));
        let Some(name) = token.name(&text).filter(|_| !is_field) else {
            at += 1;
            continue;
        };
        let is_alias = before.is_some_and(|before| before.is_word(&text, "as"));
        let mut parts = vec![(name, token.range.clone())];
        at += 1;
        while let [dot, next, ..] = tokens.get(at..).unwrap_or_default()
            && dot.kind == TokenKind::Symbol('.')
            && let Some(name) = next.name(&text)
        {
            parts.push((name, next.range.clone()));
            at += 2;
        }
        found.push(Chain { parts, call: call(&tokens, at), is_alias });
    }
    found
}

/// The bytes from the bracket at a token to the one that closes it.
fn call(tokens: &[Token], at: usize) -> Option<Range<usize>> {
    let open = tokens.get(at).filter(|token| token.kind == TokenKind::Symbol('('))?;
    let mut depth = 0_usize;
    for token in tokens.get(at..)? {
        match token.kind {
            TokenKind::Symbol('(') => depth += 1,
            TokenKind::Symbol(')') if depth == 1 => return Some(open.range.start..token.range.end),
            TokenKind::Symbol(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The other name that a query gives a table, where one stands behind it.
pub(super) fn alias_behind(template: &Template, chain: &Chain) -> Option<String> {
    const NO_ALIAS: [&str; 24] = [
        "on",
        "using",
        "where",
        "join",
        "inner",
        "left",
        "right",
        "full",
        "cross",
        "natural",
        "semi",
        "anti",
        "group",
        "order",
        "sort",
        "having",
        "limit",
        "union",
        "intersect",
        "except",
        "minus",
        "lateral",
        "tablesample",
        "window",
    ];
    let text = template.scanned();
    let tokens = template.tokens();
    let mut behind = tokens
        .iter()
        .filter(|token| token.range.start >= chain.range().end && token.kind != TokenKind::Comment);
    let first = behind.next()?;
    let name = if first.is_word(&text, "as") { behind.next()? } else { first };
    name.name(&text).filter(|name| !NO_ALIAS.contains(&name.to_lowercase().as_str()))
}

/// The names in a text that quotes each of them: `` `a`.`b` ``.
pub(super) fn unquoted(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    while let Some(inner) = rest.strip_prefix('`') {
        let mut name = String::new();
        let mut letters = inner.char_indices().peekable();
        let mut end = inner.len();
        while let Some((at, letter)) = letters.next() {
            if letter != '`' {
                name.push(letter);
            } else if letters.next_if(|(_, next)| *next == '`').is_some() {
                name.push('`');
            } else {
                end = at + 1;
                break;
            }
        }
        names.push(name);
        rest = inner.get(end..).unwrap_or_default().trim_start_matches('.');
    }
    if names.is_empty() && !rest.is_empty() {
        names.extend(rest.split('.').map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |chain: &Chain| {
            let names: Vec<&str> = chain.parts.iter().map(|(name, _)| name.as_str()).collect();
            format!("{}{}", names.join("."), if chain.is_value() { "" } else { "!" })
        };
        chains(&Template::of_text(text)).iter().map(show).collect()
    }

    #[test]
    fn names_are_found_whole() {
        for (text, names) in [
            ("a.b + `c d`.e", vec!["a.b", "c d.e"]),
            ("'oops' || oops", vec!["oops"]),
            ("f(x).y + s[0].z", vec!["f!", "x", "s"]),
            ("db.f(x) AS y", vec!["db.f!", "x", "AS", "y!"]),
            ("-- oops\na", vec!["a"]),
        ] {
            assert_eq!(shown(text), names, "{text}");
        }
        let chains = chains(&Template::of_text("f(g(x), y) + 1"));
        assert_eq!(chains[0].call, Some(1..10));
        assert!(chains[1].is(&["G".to_owned()]));
    }

    #[test]
    fn names_are_unquoted() {
        for (text, names) in [
            ("`a`.`b c`", vec!["a", "b c"]),
            ("`a``b`", vec!["a`b"]),
            ("plain", vec!["plain"]),
            ("`a.b`.`c`", vec!["a.b", "c"]),
            ("", vec![]),
        ] {
            assert_eq!(unquoted(text), names, "{text}");
        }
    }

    #[test]
    fn a_table_may_have_another_name() {
        for (text, alias) in [
            ("FROM nowhere n WHERE x", Some("n")),
            ("FROM nowhere AS `n n` JOIN b", Some("n n")),
            ("FROM nowhere WHERE x", None),
            ("FROM nowhere, b", None),
            ("FROM nowhere", None),
        ] {
            let template = Template::of_text(text);
            let chain =
                chains(&template).into_iter().find(|chain| chain.is(&["nowhere".to_owned()])).unwrap();
            assert_eq!(alias_behind(&template, &chain).as_deref(), alias, "{text}");
        }
    }
}
