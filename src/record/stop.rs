//! What stops a run from outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ErrorRecord;
use crate::error::Class;

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

impl StopReason {
    /// Returns the reason as the error that a stopped run ends with.
    pub(crate) fn error(&self) -> ErrorRecord {
        let message = match self {
            Self::Interrupted => "interrupted".to_owned(),
            Self::Terminated => "terminated".to_owned(),
            Self::TimedOut { limit } => format!("the run took longer than its `--timeout` of {limit}"),
        };
        ErrorRecord::new(Class::Data, message)
    }
}
