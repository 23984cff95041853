//! What all errors have in common: a class, from which exit codes, retries and hints follow, and a line that says it all.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose fault an error is, and so what may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// The engine or the network: the same run may succeed later.
    Transient,
    /// The data, a file, a disk: the run succeeds when that has changed.
    Data,
    /// The pipeline or its project file: it must be edited.
    Pipeline,
    /// A fault of pipectl or of the engine.
    Bug,
}

/// Returns an error and what is behind it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    text
}
