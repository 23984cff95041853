//! Owns the place where a text is no YAML: the line, those above it, and what about them people usually did to get there.

use super::part::flow_end;
use crate::diagnostic::{Code, Diagnostic, Suggestion};
use crate::text::{FileId, Span};

/// What is said of a `:` that makes no key.
pub(super) const COLON: &str = "a `:` can't stand here";

/// What is said to those who know templates.
pub(super) const TEMPLATES: &str =
    "there are no templates: variables are declared under `vars` and stand as `${name}`";

/// The place of an error, and the line around it.
pub(super) struct Place<'t> {
    file: FileId,
    text: &'t str,
    pub(super) at: usize,
    line_start: usize,
}

impl<'t> Place<'t> {
    pub(super) fn new(file: FileId, text: &'t str, at: usize) -> Self {
        let at = at.min(text.len());
        let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        Self { file, text, at, line_start }
    }

    pub(super) fn span(&self, from: usize, to: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(from), end: offset(to) }
    }

    pub(super) fn here(&self) -> Span {
        self.span(self.at, self.at + self.character().map_or(0, char::len_utf8))
    }

    /// The character at the error, on its own line.
    pub(super) fn character(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next().filter(|c| !matches!(c, '\n' | '\r'))
    }

    fn line(&self) -> &'t str {
        self.text.get(self.line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }

    /// What stands after the first key of the line; an item that is a list, a mapping or a text in quotes is all of it.
    pub(super) fn value(&self) -> &'t str {
        let without_dash = |text: &'t str| text.trim().trim_start_matches("- ").trim_start();
        let item = without_dash(self.line());
        if item.starts_with(['[', '{']) || item.starts_with(['\'', '"']) && !begins_with_key(item) {
            return item;
        }
        item.split_once(": ").map_or(item, |(_, value)| without_dash(value))
    }

    /// A value to the end of its line, with the lines below that are indented further and so belong to it.
    pub(super) fn whole(&self, value: &str) -> &'t str {
        let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let start = self.offset_of(value);
        let mut end = start + value.len();
        let below = self.text.get(self.line_start..).unwrap_or_default();
        let mut next = self.line_start;
        for (number, line) in below.split_inclusive('\n').enumerate() {
            next += line.len();
            let is_part = number == 0 || indentation(line) > indentation(self.line());
            if !is_part || line.trim().is_empty() {
                break;
            }
            end = end.max(next - (line.len() - line.trim_end().len()));
        }
        self.text.get(start..end).unwrap_or_default()
    }

    /// The list or mapping in brackets that begins at a span, where its bracket is closed.
    pub(super) fn flow(&self, span: Span) -> Option<&'t str> {
        let text = self.text.get(span.start as usize..)?;
        text.get(..flow_end(text)?)
    }

    /// Where a part of the text begins in it.
    pub(super) fn offset_of(&self, part: &str) -> usize {
        part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr())
    }

    /// The line above that is not empty and no comment, and its offset.
    fn above(&self) -> Option<(usize, &'t str)> {
        let mut end = self.line_start;
        while end > 0 {
            let start = self.text.get(..end - 1)?.rfind('\n').map_or(0, |at| at + 1);
            let line = self.text.get(start..end)?.trim_end();
            if !line.trim_start().is_empty() && !line.trim_start().starts_with('#') {
                return Some((start, line));
            }
            end = start;
        }
        None
    }

    /// A character in the line or the one above that looks like a space, or like nothing, and is none to YAML.
    pub(super) fn hidden(&self) -> Option<Diagnostic> {
        let lines = [Some((self.line_start, self.line())), self.above()];
        let (at, character) = lines.into_iter().flatten().find_map(|(start, line)| {
            let (at, character) = line.char_indices().find(|(_, c)| is_hidden(*c))?;
            // In a text it is part of that.
            let is_text = line.get(..at)?.contains(['\'', '"', '#']);
            (!is_text).then_some((start + at, character))
        })?;
        let message = format!(
            "this is not YAML: the character U+{:04X} looks like a space or like nothing, and is no space",
            u32::from(character)
        );
        let span = self.span(at, at + character.len_utf8());
        let diagnostic =
            Diagnostic::new(Code::Syntax, span, message).help("replace it by a space, or take it out");
        Some(diagnostic.suggestion(Suggestion::maybe_incorrect(span, " ")))
    }

    /// The line is one of a template: `{% if … %}`.
    pub(super) fn template(&self) -> Option<Diagnostic> {
        let line = self.line();
        let from = self.line_start + line.len() - line.trim_start().len();
        line.trim_start().starts_with("{%").then(|| {
            let span = self.span(from, self.line_start + line.trim_end().len());
            Diagnostic::new(Code::Syntax, span, "this is not YAML: `{% … %}` belongs to a template")
                .help(TEMPLATES)
        })
    }

    /// The line, or the one above, where a `key: value` was expected and it is none.
    pub(super) fn no_entry(&self, message: &str) -> Option<Diagnostic> {
        if message != COLON {
            return None;
        }
        let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let says = |start: usize, line: &str, what: &str, help: String| {
            let span = self.span(start + indentation(line), start + line.trim_end().len());
            Some(Diagnostic::new(Code::Syntax, span, format!("this is not YAML: {what}")).help(help))
        };
        let line = self.line();
        let (start, above) = self.above()?;
        if !line.contains(':') {
            return says(
                self.line_start,
                line,
                "this line is no `key: value`",
                "a text that goes on here is indented further than its key".to_owned(),
            );
        }
        if indentation(line) > indentation(above)
            && above.contains(": ")
            && !above.trim_start().starts_with("- ")
        {
            return says(
                self.line_start,
                line,
                "this line is indented further than the one above, which has a value already",
                "keys that belong together begin in one column".to_owned(),
            );
        }
        let content = above.trim_start_matches([' ', '-']);
        if above.contains(": ") || content.ends_with(':') || content.starts_with(['[', '{', '\'', '"']) {
            return None;
        }
        let what = "this line is no `key: value`";
        match content.split_once([':', '=', ' ']) {
            Some((key, rest)) if is_word(key.trim()) => {
                let rest = rest.trim_start_matches([' ', '=', ':']);
                let key = key.trim();
                let at = self.offset_of(content);
                let edit =
                    Suggestion::maybe_incorrect(self.span(at, at + content.len()), format!("{key}: {rest}"));
                says(start, above, what, format!("write a `:` and a space after the key: `{key}: {rest}`"))
                    .map(|diagnostic| diagnostic.suggestion(edit))
            }
            _ => says(start, above, what, "write a key, a `:` and a space, then the value".to_owned()),
        }
    }

    /// The first comment since a place that a quoted text may have been meant to hold.
    pub(super) fn comment_since(&self, span: Span) -> Option<Span> {
        let text = self.text.get(span.start as usize..self.at)?;
        let at = text.match_indices(" #").map(|(at, _)| at).find(|at| {
            let line = text.get(..*at).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
            line.matches('\'').count() % 2 == 1
        })?;
        let start = span.start as usize + at + 1;
        Some(self.span(start, start + 1))
    }

    /// The first tab in the indentation of the line or of the next one.
    pub(super) fn tab(&self) -> Option<Span> {
        let mut start = self.line_start;
        for line in self.text.get(self.line_start..)?.split_inclusive('\n').take(2) {
            let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
            if let Some(at) = line.get(..indentation)?.find('\t') {
                return Some(self.span(start + at, start + at + 1));
            }
            start += line.len();
        }
        None
    }

    /// A bracket or quote that a line above opens as its value and does not close.
    pub(super) fn left_open(&self) -> Option<(Span, char)> {
        /// Lines that are looked at.
        const ABOVE: usize = 30;
        let before = self.text.get(..self.line_start)?;
        let mut end = before.len();
        for line in before.split_inclusive('\n').rev().take(ABOVE) {
            let start = end - line.len();
            end = start;
            let line = line.trim_end();
            let from = line.find(": ").map_or_else(|| line.len() - line.trim_start().len(), |at| at + 2);
            let value = line.get(from..)?;
            let lead = value.len() - value.trim_start_matches(['-', ' ']).len();
            let at = start + from + lead;
            // What the line itself opens is not what an earlier one left open.
            let since = without_comments(self.text.get(at..self.line_start)?);
            let Some(open) = since.chars().next() else { continue };
            let unclosed = match open {
                '[' => since.matches('[').count() > since.matches(']').count(),
                '{' => since.matches('{').count() > since.matches('}').count(),
                '\'' | '"' => since.matches(open).count() % 2 == 1,
                _ => false,
            };
            if unclosed {
                return Some((self.span(at, at + 1), open));
            }
        }
        None
    }
}

/// Whether a text in quotes is a key.
fn begins_with_key(text: &str) -> bool {
    let quote = text.chars().next().unwrap_or_default();
    let rest = text.get(1..).and_then(|rest| rest.split_once(quote));
    rest.is_some_and(|(_, rest)| rest.trim_start().starts_with(':'))
}

/// The lines of a text, each up to what YAML takes for a comment.
fn without_comments(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| match line.find(" #") {
        Some(at) => line.get(..at).unwrap_or_default(),
        None => line,
    });
    lines.collect()
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a character is not seen, or looks like a space.
fn is_hidden(character: char) -> bool {
    matches!(character, '\u{A0}' | '\u{AD}' | '\u{2000}'..='\u{200F}' | '\u{2028}'..='\u{202F}' | '\u{205F}'..='\u{2064}' | '\u{3000}' | '\u{FEFF}')
}
