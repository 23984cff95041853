//! Owns what is said of a file that is not YAML: what the parser found, and what people usually did to get there.

use std::borrow::Cow;

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Code, Diagnostic};
use crate::text::{FileId, Span};

/// A text as a YAML scalar in quotes, the kind that changes less of it.
pub(super) fn quoted(text: &str) -> String {
    let text = text.trim_end();
    if text.contains('\'') && !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// One diagnostic for the parser's error at a byte of the text.
pub(super) fn syntax_error(file: FileId, text: &str, at: u32, error: &ScanError) -> Diagnostic {
    let place = Place::new(file, text, at as usize);
    let wrong =
        |message: &str| Diagnostic::new(Code::Syntax, place.here(), format!("this is not YAML: {message}"));
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => {
            let message = "the file is nested deeper than anything that pipectl reads";
            return Diagnostic::new(Code::Unreadable, place.here(), message);
        }
        ErrorKind::UnknownAnchor => {
            return wrong("this alias names an anchor that does not stand above it")
                .help(format!("a value that begins with `*` needs quotes: {}", quoted(place.value())));
        }
        ErrorKind::TabInPlainScalar
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed => {
            let span = place.tab().unwrap_or(place.here());
            return Diagnostic::new(Code::Syntax, span, "this is not YAML: a line is indented with a tab")
                .help("YAML is indented with spaces; replace the tabs");
        }
        _ => {}
    }
    let (value, message) = (place.value(), describe(error.kind()));
    let message = message.map_or_else(|| Cow::Owned(error.info()), Cow::Borrowed);
    let diagnostic = wrong(&message);
    let first = value.chars().next().unwrap_or(' ');
    if let Some((span, open)) = place.left_open() {
        return diagnostic.related(span, format!("this `{open}` is not closed"));
    }
    if let Some(character) = place.character().filter(|c| MISUSED.contains(*c))
        && "[{".contains(first)
    {
        return diagnostic.help(format!("a value that begins with {} needs quotes", named(character)));
    }
    if "[{".contains(first) && value.contains("${") {
        let part = part_with_variable(value);
        return diagnostic
            .help(format!("inside `[ ]` and `{{ }}` a value with `${{…}}` needs quotes: {}", quoted(part)));
    }
    if MISUSED.contains(first) || "|>'\"".contains(first) {
        let what = match first {
            '\'' | '"' => "a value that begins with a quote and goes on after it".to_owned(),
            first => format!("a value that begins with {}", named(first)),
        };
        return diagnostic.help(format!("{what} needs quotes around all of it: {}", quoted(value)));
    }
    if value.contains(": ") && !"[{".contains(first) {
        return diagnostic.help(format!("a value that holds `: ` needs quotes: {}", quoted(value)));
    }
    if "[{".contains(first) {
        return diagnostic.help(
            "put what stands between the commas in quotes, or write the list with one `- item` a line",
        );
    }
    match error.kind() {
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            diagnostic.help("keys that belong together begin in one column")
        }
        _ => diagnostic,
    }
}

/// Characters with which a plain scalar can't begin.
const MISUSED: &str = "`*&%@!";

fn named(character: char) -> String {
    if character == '`' { "a backquote".to_owned() } else { format!("`{character}`") }
}

/// What some of the parser's errors mean, in the words of somebody who writes YAML.
fn describe(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::MappingKeyNotAllowed => "a `:` can't stand here",
        ErrorKind::ExpectedBlockMappingKey => "this line is indented otherwise than those above it",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "text goes on after the closing quote"
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => "a quote is not closed",
        ErrorKind::UnclosedFlowCollection { .. } => "a bracket is not closed",
        ErrorKind::MissingAnchorOrAliasName => "`*` and `&` begin the name of an anchor, which is missing",
        ErrorKind::UnexpectedCharacter { .. } => "a value can't begin with this character",
        ErrorKind::InvalidBlockScalarHeader => "after `|` and `>` the text begins in the next line",
        ErrorKind::UnknownQuotedScalarEscape => "this backslash escapes nothing that YAML knows",
        _ => return None,
    })
}

/// The place of an error, and the line around it.
struct Place<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    line_start: usize,
}

impl<'t> Place<'t> {
    fn new(file: FileId, text: &'t str, at: usize) -> Self {
        let at = at.min(text.len());
        let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        Self { file, text, at, line_start }
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: offset(from), end: offset(to) }
    }

    fn here(&self) -> Span {
        self.span(self.at, self.at + self.character().map_or(0, char::len_utf8))
    }

    /// The character at the error, on its own line.
    fn character(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next().filter(|c| !matches!(c, '\n' | '\r'))
    }

    fn line(&self) -> &'t str {
        self.text.get(self.line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }

    /// What stands after the first key of the line.
    fn value(&self) -> &'t str {
        let line = self.line();
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        value.trim().trim_start_matches("- ").trim_start()
    }

    /// The first tab in the indentation of the line or of the next one.
    fn tab(&self) -> Option<Span> {
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
    fn left_open(&self) -> Option<(Span, char)> {
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
            let since = self.text.get(at..self.line_start)?;
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

/// The part of a list or mapping that holds the first variable.
fn part_with_variable(value: &str) -> &str {
    let Some(at) = value.find("${") else { return value };
    let (before, after) = value.split_at(at);
    let start = before.rfind([' ', ',', '[', '{']).map_or(0, |at| at + 1);
    let closing = after.find('}').map_or(after.len(), |end| end + 1);
    let end = after.get(closing..).and_then(|rest| rest.find([' ', ',', ']', '}']));
    let end = end.map_or(value.len(), |end| at + closing + end);
    value.get(start..end).unwrap_or(value)
}
