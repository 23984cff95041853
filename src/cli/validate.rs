//! `pipectl validate`: reads a pipeline and says what is wrong with it, without an engine.

use clap::Args;

use super::failure::Failure;
use super::load::{Files, PipelineArguments, RunIdentity};
use crate::report::Reporter;

/// Read a pipeline and say everything that is wrong with it, without an engine.
#[derive(Debug, Args)]
pub(super) struct Validate {
    #[command(flatten)]
    pipeline: PipelineArguments,
}

pub(super) fn validate(arguments: &Validate, reporter: Reporter) -> Result<(), Failure> {
    let loaded = arguments.pipeline.load(&RunIdentity::new(), Files::Shared)?;
    let pipeline = loaded.pipeline;
    reporter.diagnostics(&pipeline.sources, &loaded.warnings);
    let count = pipeline.steps.len();
    let steps = if count == 1 { "step" } else { "steps" };
    reporter.note(&format!("`{}` is valid: {count} {steps}", arguments.pipeline.file.display()));
    // The process ends here, and gives everything back faster than piece by piece.
    std::mem::forget(pipeline);
    Ok(())
}
