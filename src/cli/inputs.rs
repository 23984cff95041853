//! What is wrong with the files that a pipeline reads, as the failure of a verb.

use super::failure::Failure;
use crate::analysis::inputs;
use crate::diagnostic::{Code, Diagnostic};
use crate::pipeline::{Pipeline, StepId};

/// Says which of the files are missing that these steps read, and which of those that pipectl reads are not what they should be.
pub(super) fn inputs_exist(pipeline: &Pipeline, steps: &[StepId]) -> Result<(), Failure> {
    let missing = inputs::missing(pipeline, steps);
    if missing.has_errors() {
        return Err(Failure::Input { sources: pipeline.sources.clone(), diagnostics: missing.sorted() });
    }
    let unreadable = inputs::read_uploads(pipeline, steps);
    if unreadable.has_errors() { Err(wrong(pipeline, unreadable.sorted())) } else { Ok(()) }
}

/// What is wrong with a pipeline. That nothing but an input is missing is no mistake in it.
pub(super) fn wrong(pipeline: &Pipeline, diagnostics: Vec<Diagnostic>) -> Failure {
    let sources = pipeline.sources.clone();
    let mut errors = diagnostics.iter().filter(|one| one.is_error());
    if errors.all(|error| error.code == Code::NoInput) {
        return Failure::Input { sources, diagnostics };
    }
    Failure::Pipeline { sources, diagnostics }
}
