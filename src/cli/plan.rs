//! `pipectl plan`: what a run would do.

use clap::Args;

use super::failure::Failure;
use super::load::{PipelineArguments, RunIdentity};
use super::target::TargetArguments;
use crate::graph::Graph;
use crate::plan;
use crate::report::Reporter;

/// Show what a run would do: which relations the engine works out, in which order, for which output.
#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    pipeline: PipelineArguments,
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn plan(arguments: &Plan, reporter: Reporter) -> Result<(), Failure> {
    let chosen = arguments.target.choose(&arguments.pipeline.folder()?)?;
    let loaded = arguments.pipeline.load(&RunIdentity::new(), &chosen)?;
    let pipeline = loaded.pipeline;
    reporter.diagnostics(&pipeline.sources, &loaded.warnings);
    let graph = Graph::new(&pipeline);
    let plan = plan::compile(&pipeline, &graph, &chosen.location.likely_dialect()).map_err(|gaps| {
        Failure::Pipeline { sources: pipeline.sources.clone(), diagnostics: gaps.sorted() }
    })?;
    super::print(&plan::describe(&pipeline, &plan))
}
