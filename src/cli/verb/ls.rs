//! `pipectl ls`: the steps of a pipeline.

use clap::Args;

use crate::cli::args::pipeline::PipelineArguments;
use crate::cli::args::target::TargetArguments;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::output::print;
use crate::graph::Graph;
use crate::listing;
use crate::report::Reporter;

/// List the steps of a pipeline: what each is made of, and where its rows go. No engine is needed.
///
/// They come in the order in which a run would carry them out. Pipelines in the making may be listed too, which have no output yet.
#[derive(Debug, Args)]
pub(crate) struct Ls {
    #[command(flatten)]
    pipeline: PipelineArguments,
    /// How the list looks.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: LsFormat,
    #[command(flatten)]
    target: TargetArguments,
}

/// How a list looks.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LsFormat {
    /// A step a line, with all that there is to it in short.
    Table,
    /// One object for programs, with all of it.
    Json,
    /// The names alone, one a line.
    #[value(alias = "names")]
    Name,
}

pub(crate) fn ls(arguments: &Ls, reporter: Reporter) -> Result<(), Failure> {
    let chosen = arguments.target.choose(&arguments.pipeline.folder()?)?;
    let loaded = arguments.pipeline.load_unfinished(&RunIdentity::new(), &chosen)?;
    let pipeline = loaded.pipeline;
    reporter.diagnostics(&pipeline.sources, &loaded.warnings);
    let graph = Graph::new(&pipeline);
    print(&match arguments.format {
        LsFormat::Table => listing::table(&pipeline, &graph),
        LsFormat::Json => listing::json(&pipeline, &graph, &arguments.pipeline.file),
        LsFormat::Name => listing::names(&pipeline, &graph),
    })
}
