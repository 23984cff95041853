//! Owns problems with references: a reference is bound inside a text, and only the caller knows where that text stands.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Suggestion};
use crate::spec::reference::Slip;
use crate::text::Span;

/// What is wrong with a reference, before it is known where it stands.
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    /// The bytes between the braces that are to blame; the whole reference where nothing is said.
    pub(super) range: Option<Range<usize>>,
    pub(super) edit: Option<Edit>,
}

/// An edit between the braces.
#[derive(Clone)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    /// Its span is that of the range, once that is known.
    pub(super) suggestion: Suggestion,
}

impl Problem {
    pub(super) fn new(code: Code, message: String) -> Self {
        Self { code, message, help: Vec::new(), range: None, edit: None }
    }

    /// Proposes another name in place of one that stands between the braces.
    pub(super) fn instead(mut self, name: &str, near: &str) -> Self {
        let suggestion = Suggestion::maybe_incorrect(Span::default(), near);
        self.edit = Some(Edit { range: 0..name.len(), suggestion });
        self
    }

    /// Moves an edit of a part to where the part begins in the whole text.
    pub(super) fn within(mut self, text: &str, part: &str) -> Self {
        let from = text.find(part).unwrap_or_default();
        if let Some(edit) = &mut self.edit {
            edit.range = edit.range.start + from..edit.range.end + from;
        }
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub(super) fn at(self, span: Span) -> Diagnostic {
        self.help.into_iter().fold(Diagnostic::new(self.code, span, self.message), Diagnostic::help)
    }
}

impl From<Slip> for Option<Problem> {
    fn from(slip: Slip) -> Self {
        let range = (!slip.range.is_empty()).then_some(slip.range);
        let help = slip.help.into_iter().collect();
        let edit = slip.instead.zip(range.clone()).map(|(text, range)| {
            let suggestion = Suggestion::machine_applicable(Span::default(), text);
            Edit { range, suggestion }
        });
        Some(Problem { code: Code::MisplacedVariable, message: slip.message, help, range, edit })
    }
}
