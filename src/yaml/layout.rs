//! Owns the way from a scalar's text back to the file: what quotes, escapes, folding and indentation put between them.

use super::Style;
use crate::scalar::Layout;

/// How `text` stands in `raw`, which is the scalar in the file with its quotes.
pub(super) fn layout(raw: &str, text: &str, style: Style) -> Layout {
    let quote = match style {
        Style::SingleQuoted | Style::DoubleQuoted => 1,
        _ => 0,
    };
    if quote == 0 && raw == text {
        return Layout::Verbatim;
    }
    if raw.get(quote..quote + text.len()) == Some(text) {
        return Layout::Runs(Box::new([(0, u32::try_from(quote).unwrap_or_default())]));
    }
    Layout::Runs(runs(raw, text, style, quote).unwrap_or_default().into_boxed_slice())
}

/// Follows both side by side: what is no white space is the same on both sides but for escapes, white space may differ.
fn runs(raw: &str, text: &str, style: Style, quote: usize) -> Option<Vec<(u32, u32)>> {
    let mut runs = Vec::new();
    let (mut at, mut from) = (0, quote);
    let mut apart = None;
    loop {
        if apart != Some(from.wrapping_sub(at)) {
            apart = Some(from.wrapping_sub(at));
            runs.push((u32::try_from(at).ok()?, u32::try_from(from).ok()?));
        }
        let Some(next) = text.get(at..)?.chars().next() else { return Some(runs) };
        let rest = raw.get(from..)?;
        let here = rest.chars().next();
        match here {
            Some('\\') if style == Style::DoubleQuoted => {
                let escaped = rest.get(1..)?;
                if escaped.starts_with(['\n', '\r']) {
                    // An escaped line break stands for nothing.
                    from += 1 + white_space(escaped);
                } else {
                    from += escape_length(rest)?;
                    at += next.len_utf8();
                }
            }
            Some(c) if next.is_whitespace() && c.is_whitespace() => {
                from += white_space(rest);
                at += white_space(text.get(at..)?);
            }
            Some('\'') if next == '\'' && style == Style::SingleQuoted => {
                from += 2;
                at += 1;
            }
            Some(c) if c == next => {
                from += c.len_utf8();
                at += c.len_utf8();
            }
            // The last line break of a block has none in the file where the file ends.
            None if next.is_whitespace() => return Some(runs),
            _ => return None,
        }
    }
}

fn white_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

fn escape_length(rest: &str) -> Option<usize> {
    Some(match rest.chars().nth(1)? {
        'x' => 4,
        'u' => 6,
        'U' => 10,
        c => 1 + c.len_utf8(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{FileId, Span};

    #[test]
    fn words_are_found_again_in_the_file() {
        for (raw, text, style) in [
            ("a oops b", "a oops b", Style::Plain),
            ("a\n    oops\n  b", "a oops b", Style::Plain),
            ("'it''s oops'", "it's oops", Style::SingleQuoted),
            ("\"a\\tb\\u00e4 oops\"", "a\tbä oops", Style::DoubleQuoted),
            ("\"a \\\n   oops\"", "a oops", Style::DoubleQuoted),
            ("\"a\n   oops\"", "a oops", Style::DoubleQuoted),
            ("a\n      b\n    oops\n", "a\n  b\noops\n", Style::Literal),
            ("ä\r\n    oops", "ä\noops\n", Style::Literal),
            ("a\n    oops\n\n    b", "a oops\nb\n", Style::Folded),
        ] {
            let at = text.find("oops").unwrap();
            let span = Span { file: FileId(0), start: 0, end: u32::try_from(raw.len()).unwrap() };
            let found = layout(raw, text, style).place(span, &(at..at + 4));
            assert_eq!(raw.get(found.start as usize..found.end as usize), Some("oops"), "{raw}");
        }
    }
}
