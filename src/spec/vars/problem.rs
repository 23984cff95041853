//! Owns problems with references: a reference is bound inside a text, and only the caller knows where that text stands.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic};
use crate::spec::reference::Slip;
use crate::text::Span;

/// What is wrong with a reference, before it is known where it stands.
pub(super) struct Problem {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Vec<String>,
    /// The bytes between the braces that are to blame; the whole reference where nothing is said.
    pub(super) range: Option<Range<usize>>,
}

impl Problem {
    pub(super) fn new(code: Code, message: String) -> Self {
        Self { code, message, help: Vec::new(), range: None }
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
        Some(Problem { code: Code::MisplacedVariable, message: slip.message, help, range })
    }
}
