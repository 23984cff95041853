//! `pipectl plan`: what a run would do.

use clap::Args;

use crate::cli::args::pipeline::PipelineArguments;
use crate::cli::args::target::TargetArguments;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::output::print;
use crate::graph::Graph;
use crate::plan;
use crate::report::Reporter;

/// Show what a run would do: which relations the engine works out, in which order, for which output.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pipeline: PipelineArguments,
    #[command(flatten)]
    target: TargetArguments,
}

pub(crate) fn plan(arguments: &Plan, reporter: Reporter) -> Result<(), Failure> {
    let chosen = arguments.target.choose(&arguments.pipeline.folder()?)?;
    let loaded = arguments.pipeline.load(&RunIdentity::new(), &chosen)?;
    let pipeline = loaded.pipeline;
    reporter.diagnostics(&pipeline.sources, &loaded.warnings);
    let graph = Graph::new(&pipeline);
    let plan = plan::compile(&pipeline, &graph, &chosen.location.likely_dialect()).map_err(|gaps| {
        Failure::Pipeline { sources: pipeline.sources.clone(), diagnostics: gaps.sorted() }
    })?;
    print(&plan::describe(&pipeline, &plan))
}
