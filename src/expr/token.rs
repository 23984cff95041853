//! Owns the splitting of Spark SQL text into tokens: enough to find names, variables and what engines misread, without
//! understanding any function.

use std::ops::Range;

/// Stands in scanned text where a variable's value will stand. Taken from a private-use plane; the scanner is told the
/// exact offsets, so that the same character in the user's text is text.
pub(crate) const PLACEHOLDER: char = '\u{F0000}';

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word,
    /// In backquotes.
    QuotedName,
    Text,
    Number,
    Variable,
    Symbol(char),
    Comment,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    /// Bytes in the scanned text.
    pub(crate) range: Range<usize>,
    /// False where a quote or comment is opened and not closed.
    pub(crate) closed: bool,
}

impl Token {
    pub(crate) fn text<'t>(&self, scanned: &'t str) -> &'t str {
        scanned.get(self.range.clone()).unwrap_or_default()
    }

    /// The name that a word or a quoted name gives, unquoted.
    pub(crate) fn name(&self, scanned: &str) -> Option<String> {
        let text = self.text(scanned);
        match self.kind {
            TokenKind::Word => Some(text.to_owned()),
            TokenKind::QuotedName => {
                let inner = text.strip_prefix('`')?.strip_suffix('`')?;
                Some(inner.replace("``", "`"))
            }
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, scanned: &str, word: &str) -> bool {
        self.kind == TokenKind::Word && self.text(scanned).eq_ignore_ascii_case(word)
    }
}

/// The tokens of `text`, white space left out. `variables` are the offsets at which a [`PLACEHOLDER`] is one.
pub(crate) fn tokens(text: &str, variables: &[usize]) -> Vec<Token> {
    /// Bytes of text to a token, as a rule.
    const USUAL_LENGTH: usize = 5;
    let mut found = Vec::with_capacity(text.len() / USUAL_LENGTH + 1);
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        }
        let (kind, length, closed) = match next {
            PLACEHOLDER if variables.contains(&at) => (TokenKind::Variable, next.len_utf8(), true),
            _ => scan(text.get(at..).unwrap_or_default(), next),
        };
        found.push(Token { kind, range: at..at + length, closed });
        at += length;
    }
    found
}

/// Kind, length in bytes and whether it is closed, of the token that `rest` begins with.
fn scan(rest: &str, first: char) -> (TokenKind, usize, bool) {
    let bytes = rest.as_bytes();
    match first {
        '\'' | '"' => {
            let (length, closed) = quoted_length(bytes, first as u8, true);
            (TokenKind::Text, length, closed)
        }
        '`' => {
            let (length, closed) = quoted_length(bytes, b'`', false);
            (TokenKind::QuotedName, length, closed)
        }
        '-' if rest.starts_with("--") => (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()), true),
        '/' if rest.starts_with("/*") => match rest.find("*/") {
            Some(end) => (TokenKind::Comment, end + 2, true),
            None => (TokenKind::Comment, rest.len(), false),
        },
        // Raw: nothing in it escapes the quote.
        'r' | 'R' if matches!(bytes.get(1), Some(b'\'' | b'"')) => {
            let quote = char::from(bytes[1]);
            let end = rest.get(2..).and_then(|inner| inner.find(quote)).map(|at| at + 3);
            (TokenKind::Text, end.unwrap_or(rest.len()), end.is_some())
        }
        '$' if dollar_quote(rest).is_some() => {
            (TokenKind::Text, dollar_quote(rest).unwrap_or(rest.len()), true)
        }
        digit if digit.is_ascii_digit() => (TokenKind::Number, number_length(bytes), true),
        '.' if bytes.get(1).is_some_and(u8::is_ascii_digit) => {
            (TokenKind::Number, number_length(bytes), true)
        }
        letter if letter.is_alphabetic() || letter == '_' => {
            let length = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_') || c == PLACEHOLDER)
                .unwrap_or(rest.len());
            (TokenKind::Word, length, true)
        }
        symbol => (TokenKind::Symbol(symbol), symbol.len_utf8(), true),
    }
}

/// The length of a text between `$$` and `$$`, or `$tag$` and `$tag$`, where the text begins with one.
fn dollar_quote(rest: &str) -> Option<usize> {
    let tag = rest.get(1..)?.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    let fence = rest.get(..tag + 2).filter(|fence| fence.ends_with('$'))?;
    let inner = rest.get(fence.len()..)?;
    inner.find(fence).map(|end| end + 2 * fence.len())
}

/// Up to the closing quote; a doubled quote goes on, and so does an escaped one where there are escapes.
fn quoted_length(bytes: &[u8], quote: u8, escapes: bool) -> (usize, bool) {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return (at + 1, true),
            _ => at += 1,
        }
    }
    (bytes.len(), false)
}

/// Digits, a point, an exponent and a type suffix.
fn number_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        let after_exponent = at > 0 && matches!(bytes[at - 1], b'e' | b'E');
        match bytes[at] {
            byte if byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_' => at += 1,
            b'+' | b'-' if after_exponent && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => at += 1,
            _ => break,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        tokens(text, &[]).iter().map(|token| token.text(text).to_owned()).collect()
    }

    #[test]
    fn text_is_split_like_the_engines_split_it() {
        for (text, expected) in [
            ("a.b + 1.5e-3", vec!["a", ".", "b", "+", "1.5e-3"]),
            ("x = 'O''Brien'", vec!["x", "=", "'O''Brien'"]),
            (r"x = 'O\'Brien' y", vec!["x", "=", r"'O\'Brien'", "y"]),
            ("`a``b`.c", vec!["`a``b`", ".", "c"]),
            ("a -- b\n+ c", vec!["a", "-- b", "+", "c"]),
            ("a /* ' */ 'b'", vec!["a", "/* ' */", "'b'"]),
            ("größe >= 5L", vec!["größe", ">", "=", "5L"]),
            (r#"x = r'a\' + R"it's""#, vec!["x", "=", r"r'a\'", "+", r#"R"it's""#]),
            ("r + var 'b'", vec!["r", "+", "var", "'b'"]),
            ("$$it's$$ $a$ b", vec!["$$it's$$", "$", "a", "$", "b"]),
            ("$t$ ' $$ $t$ c", vec!["$t$ ' $$ $t$", "c"]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_known() {
        for text in ["'a", "`a", "/* a", "\"a", "'a\\'", "r'a"] {
            assert!(!tokens(text, &[])[0].closed, "{text}");
        }
    }
}
