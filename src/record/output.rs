//! What an output holds after a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of place an output is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OutputKind {
    File,
    Folder,
    Stdout,
}

/// An output that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct OutputRecord {
    pub(crate) kind: OutputKind,
    /// A path or a URL; nothing for stdout.
    pub(crate) path: Option<String>,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}
