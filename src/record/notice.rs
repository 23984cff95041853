//! What a user should know of a run that is neither progress nor a failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that the user should know. `report` says it in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub(crate) enum Notice {
    /// About how the run was asked for: the choice of a target, a connection string.
    Configuration {
        message: String,
    },
    /// The engine warns about a setting of the session.
    EngineWarning {
        message: String,
    },
    /// Results are compressed in another way than the session was asked to.
    CompressionReplaced {
        setting: String,
        asked: String,
        used: String,
        engine: String,
    },
    /// An engine that is installed together with the program is not used.
    EngineIgnored {
        reason: String,
    },
    /// The warm engine is not used; the run starts its own.
    WarmEngineUnused {
        engine: String,
        problem: WarmProblem,
    },
    /// The server does not answer; calls are retried.
    ServerSilent {
        server: String,
        reason: String,
        retry_budget_seconds: u64,
    },
    ServerAnswers {
        server: String,
    },
    /// The engine has not confirmed that the run's operations have ended.
    SessionNotEnded {
        reason: String,
        tag: String,
        session_id: String,
    },
    /// The engine has not confirmed that an operation has ended.
    OperationNotStopped {
        step: String,
        reason: String,
        operation_id: String,
        tag: String,
    },
    /// The `timeout` of a step has no effect, since the step has no query of its own.
    TimeoutWithoutEffect {
        step: String,
    },
    /// The engine can't keep the rows of a shared step, which each consumer recomputes.
    NotMaterialized {
        step: String,
        reason: String,
    },
    /// An output shows the first rows alone.
    RowsCut {
        step: String,
        rows: u64,
    },
    /// The rows of a preview are not those of the whole step.
    PartialPreview {
        step: String,
        transforms: usize,
        of: usize,
        last: Option<String>,
    },
    /// The engine loses the order of a `sort` behind later transforms.
    OrderLost {
        engine: String,
        line: usize,
    },
}

/// Why a warm engine is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub(crate) enum WarmProblem {
    Ended,
    Refused { reason: String },
    Unresponsive,
    Broken { reason: String },
}
