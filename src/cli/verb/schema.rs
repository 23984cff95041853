//! `pipectl schema`: the JSON Schemas of the file formats.

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::engine::EngineKind;
use crate::record;
use crate::spec;

/// Print the JSON Schema of a file, for editors and validators.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The file that it is for.
    #[arg(value_name = "FILE", default_value = "pipeline")]
    file: File,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum File {
    /// A pipeline file.
    Pipeline,
    /// The project file, `pipectl.yaml`.
    Project,
    /// A contract: the columns of a source.
    Contract,
    /// The record of a run, `run_results.json`.
    RunResults,
    /// A line of `--log-format json`.
    Events,
}

pub(crate) fn schema(arguments: &Schema) -> Result<(), Failure> {
    let schema = match arguments.file {
        File::Pipeline => spec::json_schema(),
        File::Project => spec::project_schema(&EngineKind::NAMES),
        File::Contract => spec::contract_schema(),
        File::RunResults => record::results_schema(),
        File::Events => record::events_schema(),
    };
    print(&format!("{schema:#}\n"))
}
