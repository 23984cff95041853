//! Warns of functions that Sail and Spark work out differently.

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
