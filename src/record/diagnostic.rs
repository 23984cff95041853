//! A diagnostic with its place in a file, as it is recorded.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Applicability, Code, Diagnostic, Severity};
use crate::secret::scrubbed;
use crate::text::{Sources, Span};

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct DiagnosticRecord {
    /// Its stable code, such as `E003`; warnings begin with `W`.
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) place: FileRange,
    /// What the place is or has.
    pub(crate) label: Option<String>,
    pub(crate) notes: Vec<String>,
    /// How to fix it, in words.
    pub(crate) help: Vec<String>,
    /// How to fix it, as edits: each is an alternative to the others.
    pub(crate) suggestions: Vec<SuggestedEdit>,
    /// Other places that belong to it.
    pub(crate) related: Vec<RelatedPlace>,
    /// The engine's error condition, where the engine found it.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
}

/// How many diagnostics of each code are left out: ten of a code are reported, and a hundred in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct DiagnosticCounts {
    pub(crate) counts: BTreeMap<String, usize>,
}

impl DiagnosticCounts {
    pub(crate) fn new(omitted: &BTreeMap<Code, usize>) -> Self {
        let counts = omitted.iter().map(|(code, count)| (code.as_str().to_owned(), *count));
        Self { counts: counts.collect() }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.counts.keys().any(|code| code.starts_with('E'))
    }
}

/// A place in a file. Lines and columns begin with 1, and the end is one behind the last character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct FileRange {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
}

/// A place that belongs to a diagnostic, and what it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RelatedPlace {
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) place: FileRange,
}

/// A text to put in a place of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct SuggestedEdit {
    #[serde(flatten)]
    pub(crate) place: FileRange,
    pub(crate) replacement: String,
    pub(crate) applicability: Applicability,
}

impl DiagnosticRecord {
    /// Records a diagnostic whose spans point into `sources`.
    pub(crate) fn new(sources: &Sources, diagnostic: &Diagnostic) -> Self {
        let related = diagnostic.related.iter().map(|(span, message)| RelatedPlace {
            message: message.clone(),
            place: FileRange::of(sources, *span),
        });
        let suggestions = diagnostic.suggestions.iter().map(|suggestion| SuggestedEdit {
            place: FileRange::of(sources, suggestion.span),
            replacement: suggestion.replacement.clone(),
            applicability: suggestion.applicability,
        });
        Self {
            code: diagnostic.code.as_str().to_owned(),
            message: diagnostic.message.clone(),
            place: FileRange::of(sources, diagnostic.span),
            label: diagnostic.label.clone(),
            notes: diagnostic.notes.clone(),
            help: diagnostic.help.clone(),
            suggestions: suggestions.collect(),
            related: related.collect(),
            class: diagnostic.class.clone(),
            sql_state: diagnostic.sql_state.clone(),
        }
    }

    pub(crate) fn severity(&self) -> Severity {
        if self.code.starts_with('W') { Severity::Warning } else { Severity::Error }
    }
}

impl FileRange {
    fn of(sources: &Sources, span: Span) -> Self {
        let source = sources.get(span.file);
        let (start, end) = (source.position(span.start), source.position(span.end));
        Self {
            file: scrubbed(&source.path().display().to_string()).into_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}
