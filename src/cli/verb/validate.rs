//! `pipectl validate`: reads a pipeline and says what is wrong with it, without an engine.

use clap::Args;

use crate::analysis::inputs;
use crate::cli::args::pipeline::PipelineArguments;
use crate::cli::args::target::TargetArguments;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::report::Reporter;

/// Read a pipeline and say everything that is wrong with it, without an engine.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    pipeline: PipelineArguments,
    #[command(flatten)]
    target: TargetArguments,
}

pub(crate) fn validate(arguments: &Validate, reporter: Reporter) -> Result<(), Failure> {
    let chosen = arguments.target.choose(&arguments.pipeline.folder()?)?;
    let loaded = arguments.pipeline.load(&RunIdentity::new(), &chosen)?;
    let pipeline = loaded.pipeline;
    reporter.diagnostics(&pipeline.sources, &loaded.warnings);
    let missing = inputs::missing_here(&pipeline);
    if missing.has_errors() {
        return Err(Failure::Input { sources: pipeline.sources.clone(), diagnostics: missing.sorted() });
    }
    let count = pipeline.steps.len();
    let steps = if count == 1 { "step" } else { "steps" };
    reporter.note(&format!(
        "`{}` is valid{}: {count} {steps}",
        arguments.pipeline.file.display(),
        chosen.where_to()
    ));
    // The process ends here, and gives everything back faster than piece by piece.
    std::mem::forget(pipeline);
    Ok(())
}
