//! Owns what stands in SQL for other tools: templates, variables that they replace, quotes that word processors make.

use std::ops::Range;

use super::token::{Token, TokenKind};

/// What other tools replace before SQL is read, and what to write instead.
pub(super) fn foreign(text: &str, tokens: &[Token]) -> Option<(Range<usize>, &'static str)> {
    const TEMPLATES: &str =
        "there are no templates: variables are declared under `vars` and stand as `${name}`";
    const VARIABLES: &str =
        "a variable is declared under `vars` and stands as `${name}`, the environment's as `${env:NAME}`";
    const QUOTES: &str = "a text is in straight quotes: `'…'`";
    let symbol =
        |at: usize, wanted: char| tokens.get(at).is_some_and(|token| token.kind == TokenKind::Symbol(wanted));
    let touches = |at: usize| match (tokens.get(at), tokens.get(at + 1)) {
        (Some(this), Some(next)) => this.range.end == next.range.start,
        _ => false,
    };
    let is_operand = |at: usize| {
        tokens.get(at).is_some_and(|token| match token.kind {
            TokenKind::Symbol(symbol) => matches!(symbol, ')' | ']' | ':'),
            TokenKind::Comment => false,
            _ => true,
        })
    };
    for (at, token) in tokens.iter().enumerate() {
        let to =
            |last: usize| token.range.start..tokens.get(last).map_or(token.range.end, |last| last.range.end);
        let next_is_word = tokens.get(at + 1).is_some_and(|next| next.kind == TokenKind::Word) && touches(at);
        let found = match token.kind {
            TokenKind::Text => {
                // As far as it looks like one: a text may hold any brackets.
                let inner = token.text(text);
                inner.find("{{").and_then(|from| {
                    let end = inner.get(from..)?.find("}}")? + from + 2;
                    let name = inner.get(from + 2..end - 2)?.trim();
                    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
                    is_name.then(|| (token.range.start + from..token.range.start + end, TEMPLATES))
                })
            }
            TokenKind::Symbol('{') if touches(at) && (symbol(at + 1, '{') || symbol(at + 1, '%')) => {
                let closes = |last: &usize| {
                    symbol(*last, '}') && symbol(last - 1, '}') || symbol(*last, '}') && symbol(last - 1, '%')
                };
                let last = (at + 3..tokens.len()).find(closes).unwrap_or(tokens.len() - 1);
                Some((to(last), TEMPLATES))
            }
            TokenKind::Symbol('$') if next_is_word => Some((to(at + 1), VARIABLES)),
            TokenKind::Symbol('$') if touches(at) && symbol(at + 1, '(') => {
                let last = (at + 2..tokens.len()).find(|last| symbol(*last, ')')).unwrap_or(at + 1);
                Some((to(last), VARIABLES))
            }
            TokenKind::Symbol('%')
                if symbol(at + 1, '(') && symbol(at + 3, ')') && touches(at) && touches(at + 3) =>
            {
                tokens.get(at + 4).filter(|last| last.is_word(text, "s") || last.is_word(text, "d"))?;
                Some((to(at + 4), VARIABLES))
            }
            TokenKind::Symbol(':' | '@') if next_is_word && (at == 0 || !is_operand(at - 1)) => {
                Some((to(at + 1), VARIABLES))
            }
            TokenKind::Symbol('&') if touches(at) && symbol(at + 1, '&') => {
                Some((to(at + 1), "conditions are joined with `AND`"))
            }
            TokenKind::Symbol('‘' | '’' | '“' | '”' | '„') => Some((to(at), QUOTES)),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
