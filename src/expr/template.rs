//! Owns a scalar of the file as text and variables, and the way from an offset in it to a place in the file.

use std::borrow::Cow;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::foreign::foreign;
use super::token::{PLACEHOLDER, Token, TokenKind, tokens};
use super::value::Bindings;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Quotes;
use crate::scalar::{Layout, Segment, Style, Written, offset};
use crate::secret::Plain;
use crate::text::Span;

/// The text of one scalar, variables apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Written);

impl Template {
    /// The text of a whole file.
    pub(crate) fn of_file(span: Span, segments: Vec<Segment>) -> Self {
        Self(Written { span, style: Style::Literal, layout: Layout::Verbatim, segments })
    }

    /// A text that stands in no file.
    pub(crate) fn of_plain(text: &str) -> Self {
        Self::of_file(Span::default(), vec![Segment::Text { text: text.to_owned(), at: 0 }])
    }

    /// The text with the values' own text in it, as it enters paths; a secret, which has no place there, is not shown.
    pub(crate) fn plain(&self) -> String {
        self.0.segments.iter().map(Segment::shown).collect()
    }

    /// The text with the values themselves, as it enters options.
    pub(crate) fn exposed(&self) -> Plain {
        self.0.plain()
    }

    /// Whether a secret is part of it.
    pub(crate) fn has_secret(&self) -> bool {
        self.0.segments.iter().any(Segment::is_secret)
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn of_text(text: &str) -> Self {
        let span = Span { end: u32::try_from(text.len()).unwrap_or(u32::MAX), ..Span::default() };
        let segments = vec![Segment::Text { text: text.to_owned(), at: 0 }];
        Self(Written { span, style: Style::PlainInFlow, layout: Layout::Verbatim, segments })
    }

    #[cfg(test)]
    pub(super) fn of_written(written: Written) -> Self {
        Self(written)
    }

    pub(crate) fn span(&self) -> Span {
        self.0.span
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0.segments
    }

    /// The text, with a placeholder where a variable stands.
    pub(crate) fn scanned(&self) -> Cow<'_, str> {
        match self.0.segments.as_slice() {
            [Segment::Text { text, .. }] => Cow::Borrowed(text),
            segments => segments
                .iter()
                .map(|segment| match segment {
                    Segment::Text { text, .. } => Cow::Borrowed(text.as_str()),
                    Segment::Variable { .. } => Cow::Owned(PLACEHOLDER.to_string()),
                })
                .collect::<String>()
                .into(),
        }
    }

    /// The tokens of [`Self::scanned`].
    pub(crate) fn tokens(&self) -> Vec<Token> {
        let mut at = 0;
        let mut variables = Vec::new();
        for segment in &self.0.segments {
            match segment {
                Segment::Text { text, .. } => at += text.len(),
                Segment::Variable { .. } => {
                    variables.push(at);
                    at += PLACEHOLDER.len_utf8();
                }
            }
        }
        tokens(&self.scanned(), &variables)
    }

    /// The template up to a byte of its scanned text.
    pub(super) fn cut(mut self, end: usize) -> Self {
        let mut at = 0;
        for index in 0..self.0.segments.len() {
            let length = match &self.0.segments[index] {
                Segment::Text { text, .. } => text.len(),
                Segment::Variable { .. } => PLACEHOLDER.len_utf8(),
            };
            if at + length >= end {
                if let Segment::Text { text, .. } = &mut self.0.segments[index] {
                    text.truncate(end - at);
                }
                self.0.segments.truncate(index + 1);
                break;
            }
            at += length;
        }
        self
    }

    /// The template of some bytes of the scanned text, which must not cut a variable.
    pub(crate) fn part(&self, range: &Range<usize>) -> Self {
        let (from, to) = (self.offset(range.start), self.offset(range.end));
        let mut before = 0;
        let mut segments = Vec::new();
        for segment in &self.0.segments {
            let length = match segment {
                Segment::Text { text, .. } => text.len(),
                Segment::Variable { .. } => PLACEHOLDER.len_utf8(),
            };
            let (start, end) = (range.start.max(before), range.end.min(before + length));
            if start < end {
                let within = start - before..end - before;
                segments.push(match segment {
                    Segment::Text { text, at } => Segment::Text {
                        text: text.get(within.clone()).unwrap_or_default().to_owned(),
                        at: at + offset(within.start) - offset(from),
                    },
                    Segment::Variable { index, text, at } => {
                        Segment::Variable { index: *index, text: text.clone(), at: at - offset(from) }
                    }
                });
            }
            before += length;
        }
        let (span, layout) = self.0.layout.part(self.0.span, &(from..to.max(from)));
        Self(Written { span, style: self.0.style, layout, segments })
    }

    /// Where bytes of the scanned text stand in the file; the whole scalar where that is unknown.
    pub(crate) fn place(&self, range: &Range<usize>) -> Span {
        let from = self.offset(range.start);
        self.0.layout.place(self.0.span, &(from..self.offset(range.end).max(from)))
    }

    /// Where the variable stands that is at a byte of the scanned text.
    fn place_of_variable(&self, scanned: usize) -> Span {
        let from = self.offset(scanned);
        let starts = self.0.segments.iter().map(|segment| match segment {
            Segment::Text { at, .. } | Segment::Variable { at, .. } => *at as usize,
        });
        let end = starts.filter(|at| *at > from).min().unwrap_or_else(|| self.offset(usize::MAX));
        self.0.layout.place(self.0.span, &(from..end))
    }

    /// From an offset of the scanned text to one of the scalar's text.
    fn offset(&self, scanned: usize) -> usize {
        let mut before = 0;
        for segment in &self.0.segments {
            let (length, at) = match segment {
                Segment::Text { text, at } => (text.len(), *at as usize),
                Segment::Variable { at, .. } => (PLACEHOLDER.len_utf8(), *at as usize),
            };
            if scanned < before + length
                || (scanned == before + length && matches!(segment, Segment::Text { .. }))
            {
                return at + (scanned - before).min(length);
            }
            before += length;
        }
        (self.0.span.end - self.0.span.start) as usize
    }

    /// The text for an engine, each value a typed literal.
    pub(crate) fn sql(&self, bindings: &Bindings, quotes: Quotes) -> String {
        let mut sql = String::new();
        for segment in &self.0.segments {
            match segment {
                Segment::Text { text, .. } => sql.push_str(text),
                Segment::Variable { index, .. } => sql.push_str(&bindings.get(*index).literal()),
            }
        }
        match quotes {
            Quotes::Doubled => sql,
            Quotes::Backslash => with_backslashes(&sql),
        }
    }

    /// The text as it is printed: each value a literal, of secrets their name.
    pub(crate) fn told(&self, bindings: &Bindings) -> String {
        let told = self.0.segments.iter().map(|segment| match segment {
            Segment::Text { text, .. } => Cow::Borrowed(text.as_str()),
            Segment::Variable { index, text, .. } if text.is_secret() => {
                format!("${{{}}}", bindings.get(*index).name).into()
            }
            Segment::Variable { index, .. } => bindings.get(*index).literal().into(),
        });
        told.collect()
    }

    /// Whether there is nothing but comments.
    pub(crate) fn is_blank(&self) -> bool {
        let text = self.scanned();
        let may_be = text.trim_start().is_empty() || text.trim_start().starts_with(['-', '/']);
        may_be && self.tokens().iter().all(|token| token.kind == TokenKind::Comment)
    }

    /// Reports what is malformed; the tokens where nothing is, comments left out.
    pub(crate) fn check(&self, found: &mut Diagnostics) -> Option<Vec<Token>> {
        let mut tokens = self.tokens();
        if !self.is_well_formed(&tokens, found) {
            return None;
        }
        tokens.retain(|token| token.kind != TokenKind::Comment);
        Some(tokens)
    }

    fn is_well_formed(&self, tokens: &[Token], found: &mut Diagnostics) -> bool {
        let text = self.scanned();
        if let Some((range, help)) = foreign(&text, tokens) {
            let written = text.get(range.clone()).unwrap_or_default();
            found.push(
                Diagnostic::new(
                    Code::Expression,
                    self.place(&range),
                    format!("`{written}` is nothing that pipectl or an engine reads here"),
                )
                .help(help),
            );
            return false;
        }
        if let Some(comment) = self.swallowing(tokens, &text) {
            found.push(
                Diagnostic::new(
                    Code::Misread,
                    self.place(&(comment.range.start..comment.range.start + 2)),
                    "YAML joins these lines to one, so that this comment goes on to its end",
                )
                .help("keep the lines apart: begin the text with `|` and write it below, indented")
                .help("or write the comment as `/* … */`"),
            );
            return false;
        }
        let mut report = |diagnostic| {
            found.push(diagnostic);
            false
        };
        if tokens.iter().all(|token| token.kind == TokenKind::Comment) {
            return report(Diagnostic::new(Code::Expression, self.0.span, "an expression is missing here"));
        }
        if let Some(open) = tokens.iter().find(|token| !token.closed) {
            let what = match open.kind {
                TokenKind::Comment => "comment",
                _ => "quote",
            };
            return report(self.unclosed(open, &format!("this {what} is not closed")));
        }
        let mut all_good = true;
        for (at, token) in tokens.iter().enumerate() {
            let misplaced = match token.kind {
                TokenKind::Text | TokenKind::QuotedName | TokenKind::Comment => {
                    let is_held =
                        token.text(&text).contains(PLACEHOLDER) && self.variable_within(&token.range);
                    is_held.then(|| self.quoted(token))
                }
                TokenKind::Variable => {
                    let before = at.checked_sub(1).map(|before| &tokens[before]);
                    let touches_before = before
                        .is_some_and(|before| before.range.end == token.range.start && is_operand(before));
                    let after = tokens.get(at + 1);
                    let touches_after = after.is_some_and(|after| {
                        after.range.start == token.range.end
                            && is_operand(after)
                            && after.kind != TokenKind::Variable
                    });
                    let is_typed = before
                        .is_some_and(|before| TYPES_OF_TEXTS.iter().any(|name| before.is_word(&text, name)));
                    match (touches_before || touches_after, before) {
                        (true, _) => Some(self.glued(token)),
                        (false, Some(before)) if is_typed => Some(self.typed(token, before.text(&text))),
                        (false, _) => None,
                    }
                }
                TokenKind::Word | TokenKind::Number | TokenKind::Symbol(_) => None,
            };
            if let Some(misplaced) = misplaced {
                all_good = report(misplaced);
            }
        }
        all_good & self.check_brackets(&text, tokens, found)
    }

    /// A variable that stands where SQL takes no value.
    fn quoted(&self, token: &Token) -> Diagnostic {
        let (what, help) = match token.kind {
            TokenKind::Comment => (
                "a variable inside a comment means nothing",
                "take it out of the comment; for a literal `${` write `$${`",
            ),
            TokenKind::QuotedName => (
                "a variable inside quotes would be plain text",
                "a variable of the type `identifier` brings its own backquotes: write `${name}` without them",
            ),
            _ => (
                "a variable inside quotes would be plain text",
                "a variable brings its own quotes: write `${name}` without them, and `concat(...)` to build a text",
            ),
        };
        Diagnostic::new(Code::MisplacedVariable, self.place(&token.range), what).help(help)
    }

    /// A variable behind a word that makes a value of the text behind it.
    fn typed(&self, token: &Token, word: &str) -> Diagnostic {
        let message = format!("`{word}` makes a value of a text, and a variable is a value already");
        let data_type = match word.to_lowercase().as_str() {
            "interval" => "interval day to second".to_owned(),
            word => word.to_owned(),
        };
        Diagnostic::new(Code::MisplacedVariable, self.place_of_variable(token.range.start), message)
            .help(format!("leave `{word}` out, and declare the variable with `type: {data_type}`"))
    }

    /// A variable that would be a part of a word.
    fn glued(&self, token: &Token) -> Diagnostic {
        let message = "a variable is a value of its own, and can't be a part of a name or of another value";
        Diagnostic::new(Code::MisplacedVariable, self.place_of_variable(token.range.start), message).help(
            "put the whole name into a variable of the type `identifier`, or build a text with `concat(...)`",
        )
    }

    /// A comment to the end of the line that takes further lines with it, since YAML joined them.
    fn swallowing<'k>(&self, tokens: &'k [Token], text: &str) -> Option<&'k Token> {
        if self.0.style == Style::Literal {
            return None;
        }
        let comments = tokens.iter().filter(|token| token.kind == TokenKind::Comment);
        comments.filter(|comment| comment.text(text).starts_with("--")).find(|comment| {
            let place = self.place(&comment.range);
            // A line break and what indents the next line are longer in the file than the space they become.
            (place.end - place.start) as usize > comment.range.len()
        })
    }

    fn variable_within(&self, range: &Range<usize>) -> bool {
        let mut at = 0;
        self.0.segments.iter().any(|segment| {
            let start = at;
            match segment {
                Segment::Text { text, .. } => {
                    at += text.len();
                    false
                }
                Segment::Variable { .. } => {
                    at += PLACEHOLDER.len_utf8();
                    range.contains(&start)
                }
            }
        })
    }

    fn check_brackets(&self, text: &str, tokens: &[Token], found: &mut Diagnostics) -> bool {
        let mut open: Vec<&Token> = Vec::new();
        let mut wrong = None;
        for token in tokens {
            match token.kind {
                TokenKind::Symbol('(' | '[') => open.push(token),
                TokenKind::Symbol(close @ (')' | ']')) => {
                    let wanted = if close == ')' { "(" } else { "[" };
                    if open.pop().is_none_or(|token| token.text(text) != wanted) {
                        wrong = Some((token, "closes nothing"));
                        break;
                    }
                }
                _ => {}
            }
        }
        let Some((token, what)) = wrong.or(open.last().map(|token| (*token, "is not closed"))) else {
            return true;
        };
        found.push(self.unclosed(token, &format!("the bracket `{}` {what}", token.text(text))));
        false
    }

    /// What is open or closed too much, with what YAML has to do with it.
    fn unclosed(&self, token: &Token, message: &str) -> Diagnostic {
        let (code, help) = match self.0.style {
            Style::PlainBeforeComment => (
                Code::Misread,
                Some(
                    "YAML takes ` #` and what follows for a comment; put the whole expression in double quotes",
                ),
            ),
            Style::PlainInFlow => (
                Code::Misread,
                Some(
                    "inside `[ ]` and `{ }` YAML splits at every comma; put the whole expression in double quotes",
                ),
            ),
            _ => (Code::Expression, None),
        };
        let diagnostic = Diagnostic::new(code, self.place(&token.range), message);
        help.into_iter().fold(diagnostic, Diagnostic::help)
    }
}

/// Words that make a value of the text behind them.
const TYPES_OF_TEXTS: [&str; 6] = ["date", "timestamp", "timestamp_ntz", "timestamp_ltz", "time", "interval"];

/// Whether a token is a name or a value, so that a variable can't touch it.
fn is_operand(token: &Token) -> bool {
    match token.kind {
        TokenKind::Word
        | TokenKind::Number
        | TokenKind::Text
        | TokenKind::QuotedName
        | TokenKind::Variable => true,
        TokenKind::Symbol(_) | TokenKind::Comment => false,
    }
}

/// `''` inside a text as `\'`, which every engine reads as one quote.
pub(crate) fn with_backslashes(sql: &str) -> String {
    if !sql.contains("''") {
        return sql.to_owned();
    }
    let mut changed = String::with_capacity(sql.len());
    let mut from = 0;
    for token in tokens(sql, &[]) {
        let text = token.text(sql);
        if token.kind != TokenKind::Text || !text.starts_with('\'') || text.len() < 4 {
            continue;
        }
        changed.push_str(sql.get(from..token.range.start).unwrap_or_default());
        changed.push('\'');
        let mut inner = text.get(1..text.len() - 1).unwrap_or_default().chars().peekable();
        while let Some(c) = inner.next() {
            match c {
                '\\' => {
                    changed.push(c);
                    changed.extend(inner.next());
                }
                '\'' if inner.peek() == Some(&'\'') => {
                    inner.next();
                    changed.push_str("\\'");
                }
                c => changed.push(c),
            }
        }
        changed.push('\'');
        from = token.range.end;
    }
    changed.push_str(sql.get(from..).unwrap_or_default());
    changed
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut written = Written::deserialize(deserializer)?;
        // A closing line break of a block scalar is no part of what was meant.
        if let Some(Segment::Text { text, .. }) = written.segments.last_mut() {
            text.truncate(text.trim_end().len());
        }
        Ok(Self(written))
    }
}

impl JsonSchema for Template {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// A query without the `;` at its end, and without the comments behind that.
pub(crate) fn without_end(sql: &str) -> &str {
    let tokens = tokens(sql, &[]);
    let is_end = |token: &&Token| matches!(token.kind, TokenKind::Symbol(';') | TokenKind::Comment);
    let end = tokens.iter().rev().take_while(is_end).filter(|token| token.kind != TokenKind::Comment).last();
    match end {
        Some(end) => sql.get(..end.range.start).unwrap_or(sql).trim_end(),
        None => sql,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_query_is_taken_off() {
        for (query, without) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT 1 ;  ", "SELECT 1"),
            ("SELECT ';' ; -- the end;\n;", "SELECT ';'"),
            ("SELECT 1 -- one", "SELECT 1 -- one"),
        ] {
            assert_eq!(without_end(query), without, "{query}");
        }
    }

    #[test]
    fn doubled_quotes_become_backslashes_inside_texts_only() {
        for (text, changed) in [
            ("x = 'O''Brien'", r"x = 'O\'Brien'"),
            ("x = ''", "x = ''"),
            ("x = '''' || ''", r"x = '\'' || ''"),
            (r"x = 'a\\''b'", r"x = 'a\\\'b'"),
            ("\"it''s\" = 'a'", "\"it''s\" = 'a'"),
            ("`a''b` = 'c''d'", r"`a''b` = 'c\'d'"),
        ] {
            assert_eq!(with_backslashes(text), changed, "{text}");
        }
    }

    #[test]
    fn malformed_text_is_reported_at_its_place() {
        for (text, code, start) in [
            ("", Code::Expression, 0),
            ("a = 'b", Code::Misread, 4),
            ("f(a", Code::Misread, 1),
            ("a)", Code::Misread, 1),
            ("a[1)", Code::Misread, 3),
        ] {
            let mut found = Diagnostics::default();
            assert_eq!(Template::of_text(text).check(&mut found), None, "{text}");
            let found = found.sorted();
            assert_eq!((found[0].code, found[0].span.start), (code, start), "{text}");
        }
    }
}
