//! An action of a plan, and how it ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ErrorRecord, OutputRecord};

/// What an action does with its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionKind {
    /// Names the step's relation at the engine; nothing is computed.
    View,
    /// Computes a shared step once, for all of its consumers.
    Materialize,
    /// Evaluates the step's expectations.
    Expect,
    /// Streams the step's rows into its outputs.
    Write,
    /// Shows the step's first rows.
    Preview,
}

impl ActionKind {
    /// Returns its name, as records and reports write it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Materialize => "materialize",
            Self::Expect => "expect",
            Self::Write => "write",
            Self::Preview => "preview",
        }
    }
}

/// An action, as events and records name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ActionRef {
    /// Its number in the plan, from 1.
    pub(crate) id: usize,
    pub(crate) step: String,
    pub(crate) action: ActionKind,
}

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Succeeded,
    /// It was not started, because of another one.
    Skipped,
    /// It was started, and ended by a signal, a timeout, or the failure of another one.
    Interrupted,
    Failed,
}

/// Why an action was not started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub(crate) enum SkipReason {
    /// What it needs of this step did not succeed.
    UpstreamFailed { step: String },
    /// Rows of this step violate its expectations.
    ExpectationFailed { step: String },
    /// The expectations of this step could not be evaluated.
    ExpectationNotEvaluated { step: String },
    /// The run ended before its turn.
    RunStopped,
}

/// The result of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ActionResult {
    #[serde(flatten)]
    pub(crate) action: ActionRef,
    pub(crate) status: Status,
    /// The rows that its outputs hold, or that were shown.
    pub(crate) rows: Option<u64>,
    pub(crate) outputs: Vec<OutputRecord>,
    /// Why it was not started, where it was skipped.
    pub(crate) skipped: Option<SkipReason>,
    pub(crate) error: Option<ErrorRecord>,
    /// How many times it was started.
    pub(crate) attempts: u32,
    /// From its first start to its end, in seconds.
    pub(crate) seconds: f64,
}

impl ActionResult {
    /// Returns the result of an action that has no outputs and was not started, or whose attempts are filled in by its maker.
    pub(crate) fn new(action: ActionRef, status: Status, seconds: f64) -> Self {
        Self {
            action,
            status,
            rows: None,
            outputs: Vec::new(),
            skipped: None,
            error: None,
            attempts: u32::from(status != Status::Skipped),
            seconds,
        }
    }
}
