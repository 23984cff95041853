//! `pipectl schema`: the JSON Schema of the file format.

use clap::Args;

use super::failure::Failure;
use crate::spec;

/// Print the JSON Schema of pipeline files, for editors and validators.
#[derive(Debug, Args)]
pub(super) struct Schema {}

pub(super) fn schema(_arguments: &Schema) -> Result<(), Failure> {
    super::print(&format!("{:#}\n", spec::json_schema()))
}
