//! Warns of functions, and of clauses of queries, that Sail and Spark evaluate differently.

use super::{Template, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::{OTHERWISE, Otherwise};

/// Reports the functions of a text whose results depend on the engine. `tokens` are without comments.
pub(super) fn warn(template: &Template, tokens: &[Token], found: &mut Diagnostics) {
    // Few expressions call a function at all.
    if !tokens.iter().any(|token| token.kind == TokenKind::Symbol('(')) {
        return;
    }
    let text = template.scanned();
    for (at, token) in tokens.iter().enumerate() {
        let [next, argument @ ..] = &tokens[at + 1..] else { continue };
        if token.kind != TokenKind::Word || next.kind != TokenKind::Symbol('(') {
            continue;
        }
        let name = token.text(&text);
        let argument = argument.first().map(|first| first.text(&text).trim_matches(['\'', '"']));
        let Some(row) = OTHERWISE.iter().find(|row| is_called(row, name, argument)) else { continue };
        let shown = row.function.replace('(', " ");
        let message =
            format!("`{shown}` differs between the engines: Sail {}, and Spark {}", row.sail, row.spark);
        let diagnostic = Diagnostic::new(Code::ReadOtherwise, template.place(&token.range), message);
        found.push(match row.instead {
            Some(instead) => diagnostic.help(instead),
            None => diagnostic,
        });
    }
}

/// Reports the clauses of a query that Sail may compute wrong, and the steps that pipectl makes right there.
pub(super) fn warn_of_clauses(query: &Template, tokens: &[Token], found: &mut Diagnostics) {
    let text = query.scanned();
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(&text, word));
    let opens = |at: usize| tokens.get(at).is_some_and(|token| token.kind == TokenKind::Symbol('('));
    let has = |word: &str| tokens.iter().any(|token| token.is_word(&text, word));
    let takes_first = has("limit") && (0..tokens.len()).any(|at| is(at, "order") && is(at + 1, "by"));
    let mut report = |at: usize, clause: &str, wrong: &str, instead: &str| {
        let message =
            format!("`{clause}` differs between the engines: {wrong} on Sail, and are right on Spark");
        let place = query.place(&tokens[at].range);
        found.push(Diagnostic::new(Code::ReadOtherwise, place, message).help(instead));
    };
    for at in 0..tokens.len() {
        let groups = ["rollup", "cube"].into_iter().find(|word| is(at, word) && opens(at + 1));
        if groups.is_some() || (is(at, "grouping") && is(at + 1, "sets")) {
            let clause = groups.map_or("GROUPING SETS".to_owned(), str::to_uppercase);
            let wrong =
                "the groups of a key that is the same in all rows may be sorted wrong, or come twice,";
            report(at, &clause, wrong, "the transform `aggregate` has subtotals that are right on both");
        } else if is(at, "offset") && tokens.get(at + 1).is_some_and(is_count) {
            let wrong = "other rows may be left out where a join, a window or another sort follows";
            report(at, "OFFSET", wrong, "the transforms `sort` and `offset` are right on both");
        } else if is(at, "union") && takes_first {
            let wrong = "the first rows may be others where a sort key is constant in one side";
            report(at, "UNION", wrong, "the transforms `union`, `sort` and `limit` are right on both");
        }
    }
}

/// Whether this may be a number of rows.
fn is_count(token: &Token) -> bool {
    matches!(token.kind, TokenKind::Number | TokenKind::Variable)
}

fn is_called(row: &Otherwise, name: &str, argument: Option<&str>) -> bool {
    match row.function.split_once('(') {
        None => row.function.eq_ignore_ascii_case(name),
        Some((function, first)) => {
            function.eq_ignore_ascii_case(name)
                && argument.is_some_and(|argument| first.eq_ignore_ascii_case(argument))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(text: &str) -> Vec<u32> {
        let template = Template::of_text(text);
        let mut found = Diagnostics::default();
        warn(&template, &template.tokens(), &mut found);
        found.sorted().iter().map(|one| one.span.start).collect()
    }

    #[test]
    fn clauses_are_found_where_they_may_be_wrong() {
        for (text, places) in [
            ("SELECT a FROM t GROUP BY ROLLUP (a)", vec![25]),
            ("SELECT a FROM t GROUP BY GROUPING SETS ((a), ())", vec![25]),
            ("SELECT rollup, cube FROM t GROUP BY a", vec![]),
            ("SELECT a FROM t ORDER BY a LIMIT 2 OFFSET 3", vec![35]),
            ("SELECT offset FROM t", vec![]),
            ("SELECT 1 AS k UNION ALL SELECT 2 AS k ORDER BY k LIMIT 1", vec![14]),
            ("SELECT 1 AS k UNION ALL SELECT 2 AS k", vec![]),
        ] {
            let template = Template::of_text(text);
            let mut found = Diagnostics::default();
            warn_of_clauses(&template, &template.tokens(), &mut found);
            let found: Vec<u32> = found.sorted().iter().map(|one| one.span.start).collect();
            assert_eq!(found, places, "{text}");
        }
    }

    #[test]
    fn calls_are_found_and_names_are_not() {
        for (text, places) in [
            ("weekday(day) + rint(x)", vec![0, 15]),
            ("WEEKDAY (day)", vec![0]),
            ("extract(DOW FROM day)", vec![0]),
            ("extract(year FROM day)", vec![]),
            ("date_part('dow', day)", vec![0]),
            ("weekday", vec![]),
            ("`weekday`", vec![]),
            ("'weekday(x)'", vec![]),
            ("my_weekday(x)", vec![]),
        ] {
            assert_eq!(functions(text), places, "{text}");
        }
    }
}
