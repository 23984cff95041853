//! Owns what the outside world says to a pipeline: the caller hands it in, so that reading a file is pure.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::lowering::Root;
use crate::target::TargetSettings;

/// What the outside world says to a pipeline.
pub(crate) struct Inputs<'a> {
    /// Variables of the command line, in its order.
    pub(crate) variables: &'a [(String, String)],
    /// Values of variables as YAML: `--vars`.
    pub(crate) documents: &'a Documents,
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file whose path is relative to the document's folder, or absolute.
    pub(crate) files: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// The one path of a file, whatever links lead there.
    pub(crate) canonical: &'a dyn Fn(&Path) -> io::Result<PathBuf>,
    pub(crate) run_id: &'a str,
    pub(crate) started_at: DateTime<Utc>,
    /// Where relative paths of the engine start; nothing for the file's own folder.
    pub(crate) root: Option<Root>,
    /// What the target says.
    pub(crate) target: &'a TargetSettings,
}

/// YAML that gives values to variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    /// The file's name as the user gave it, or where else the text comes from.
    pub(crate) name: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// The documents that are given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    /// Those of the command line, in its order.
    pub(crate) flags: Vec<Document>,
    /// That of the environment.
    pub(crate) environment: Option<Document>,
}
