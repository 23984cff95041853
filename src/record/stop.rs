//! What stops a run from outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who or what stopped a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum StopReason {
    /// The user, by SIGINT.
    Interrupted,
    /// Another process, by SIGTERM.
    Terminated,
    /// The run took longer than this, its `--timeout`.
    TimedOut { limit: String },
}
