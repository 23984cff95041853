//! Owns what is said of a file that is not YAML: what the parser found, and what people usually did to get there.

use std::borrow::Cow;

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use super::part::{flow_end, part_at};
use super::place::{COLON, Place};
use crate::diagnostic::{Code, Diagnostic, Suggestion};
use crate::text::FileId;

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
                .help(format!("a value that begins with `*` needs quotes: {}", quoted(place.value())))
                .suggestion(in_quotes(&place, place.whole(place.value())));
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
    let left_open = place.left_open();
    let no_entry = || if left_open.is_none() { place.no_entry(&message) } else { None };
    if let Some(diagnostic) = place.hidden().or_else(|| place.template()).or_else(no_entry) {
        return diagnostic;
    }
    let first = value.chars().next().unwrap_or(' ');
    let diagnostic = if MISUSED.contains(first) && matches!(error.kind(), ErrorKind::InvalidBlockScalarHeader)
    {
        // The parser goes on after what it takes for an anchor or a tag.
        let start = place.offset_of(value);
        let message = format!("this is not YAML: {CHARACTER}");
        Diagnostic::new(Code::Syntax, place.span(start, start + first.len_utf8()), message)
    } else {
        wrong(&message)
    };
    if let Some((span, open)) = left_open {
        if matches!(open, '\'' | '"') {
            let message = "this is not YAML: this quote is not closed";
            return Diagnostic::new(Code::Syntax, span, message).help(
                "a text in quotes ends with the same quote, and lines that it goes on in are indented",
            );
        }
        let is_quoted = matches!(
            error.kind(),
            ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar
        );
        if let Some(flow) = place.flow(span).filter(|_| is_quoted) {
            return in_flow(&place, flow, diagnostic);
        }
        let diagnostic = diagnostic.related(span, format!("this `{open}` is not closed"));
        return match place.comment_since(span) {
            Some(comment) => Diagnostic {
                span: comment,
                message: format!(
                    "YAML takes ` #` and what follows for a comment, so that `{open}` is not closed"
                ),
                code: Code::Misread,
                ..diagnostic
            }
            .help("put the value that holds it in double quotes"),
            None => diagnostic,
        };
    }
    if "[{".contains(first) {
        return in_flow(&place, value, diagnostic);
    }
    if MISUSED.contains(first)
        || "|>'\"".contains(first)
        || value.starts_with("- ")
        || value.starts_with("? ")
    {
        let what = match first {
            '\'' | '"' => "a value that begins with a quote and goes on after it".to_owned(),
            first => format!("a value that begins with {}", named(first)),
        };
        return diagnostic
            .help(format!("{what} needs quotes around all of it: {}", quoted(value)))
            .suggestion(in_quotes(&place, place.whole(value)));
    }
    if value.contains(": ") {
        return diagnostic
            .help(format!("a value that holds `: ` needs quotes: {}", quoted(value)))
            .suggestion(in_quotes(&place, place.whole(value)));
    }
    match error.kind() {
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => {
            diagnostic.help("keys that belong together begin in one column")
        }
        _ => diagnostic,
    }
}

/// What is wrong in a list or mapping in brackets.
fn in_flow(place: &Place<'_>, value: &str, diagnostic: Diagnostic) -> Diagnostic {
    if flow_end(value).is_none() {
        return diagnostic.help("close the bracket where the list or mapping ends");
    }
    let at = place.at.saturating_sub(place.offset_of(value));
    if flow_end(value).is_some_and(|end| end <= at) {
        return Diagnostic {
            message: "this is not YAML: text goes on after the closing bracket".to_owned(),
            ..diagnostic
        }
        .help(format!("a value that begins with a bracket needs quotes around all of it: {}", quoted(value)))
        .suggestion(in_quotes(place, value));
    }
    let part = part_at(value, at);
    let first = part.chars().next().unwrap_or(' ');
    if part.is_empty() {
        return diagnostic.help("a value is missing between the commas, or one bracket is too many");
    }
    if part.contains("${") {
        return diagnostic
            .help(format!("inside `[ ]` and `{{ }}` a value with `${{…}}` needs quotes: {}", quoted(part)))
            .suggestion(in_quotes(place, part));
    }
    if MISUSED.contains(first) {
        return diagnostic
            .help(format!("a value that begins with {} needs quotes: {}", named(first), quoted(part)))
            .suggestion(in_quotes(place, part));
    }
    diagnostic
        .help(format!("inside `[ ]` and `{{ }}` this needs quotes: {}", quoted(part)))
        .help("or write the list with one `- item` a line, the mapping with one `key: value` a line")
        .suggestion(in_quotes(place, part))
}

/// The edit that puts a part of the text in quotes; a guess where it goes on over lines, or has what looks like a comment.
fn in_quotes(place: &Place<'_>, part: &str) -> Suggestion {
    let part = part.trim_end();
    let start = place.offset_of(part);
    let span = place.span(start, start + part.len());
    if part.contains('\n') || part.contains(" #") {
        Suggestion::maybe_incorrect(span, quoted(part))
    } else {
        Suggestion::machine_applicable(span, quoted(part))
    }
}

/// Characters with which a plain scalar can't begin.
const MISUSED: &str = "`*&%@!,]}";

fn named(character: char) -> String {
    if character == '`' { "a backquote".to_owned() } else { format!("`{character}`") }
}

/// What is said of a value's first character.
const CHARACTER: &str = "a value can't begin with this character";

/// What some of the parser's errors mean, in the words of an author of YAML.
fn describe(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::MappingKeyNotAllowed => COLON,
        ErrorKind::ExpectedBlockMappingKey => "this line is indented otherwise than those above it",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "text goes on after the closing quote"
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => "a quote is not closed",
        ErrorKind::UnclosedFlowCollection { .. } => "a bracket is not closed",
        ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::BlockEntryInFlowCollection
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::UnexpectedCharacter { .. } => CHARACTER,
        ErrorKind::MissingAnchorOrAliasName => "`*` and `&` begin the name of an anchor, which is missing",
        ErrorKind::InvalidBlockScalarHeader => "after `|` and `>` the text begins in the next line",
        ErrorKind::UnknownQuotedScalarEscape => "this backslash escapes nothing that YAML knows",
        _ => return None,
    })
}
