//! What happens during a run, as plain data for reporters. Names and fields are a public contract: `schemas/events.schema.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ActionRef, ActionResult, DiagnosticCounts, DiagnosticRecord, ErrorRecord, ExpectationResult, Notice,
    RunSummary,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// Where the run goes and why, where that was said.
    TargetChosen {
        target: String,
    },
    /// The files that the pipeline was read from, its own first.
    PipelineRead {
        files: Vec<String>,
    },
    /// Something is wrong with a file.
    Diagnostic(Box<DiagnosticRecord>),
    /// More is wrong with the files than is reported.
    DiagnosticsOmitted(DiagnosticCounts),
    /// Something that takes long before the run begins, such as an installation.
    Preparing(Preparation),
    /// How far a download is that comes before the run.
    DownloadProgress {
        what: String,
        bytes: u64,
        total_bytes: Option<u64>,
    },
    /// The engine answers; how long that took.
    EngineReady {
        engine: String,
        seconds: f64,
    },
    /// The engine's analysis found nothing wrong.
    CheckPassed {
        seconds: f64,
    },
    /// The first actions start.
    RunStarted {
        run_id: String,
        pipeline: String,
        steps: usize,
        actions: usize,
    },
    ActionStarted(ActionRef),
    /// How far an action is.
    ActionProgress {
        #[serde(flatten)]
        action: ActionRef,
        #[serde(flatten)]
        progress: Progress,
    },
    /// Rows violate an expectation.
    ExpectationFailed(ExpectationResult),
    ActionFinished(ActionResult),
    Notice(Notice),
    /// The session was lost before the run had an effect: the run restarts in another one, and what was started does not count.
    RunRestarted {
        reason: String,
    },
    /// The command failed, and why.
    Failure(ErrorRecord),
    RunFinished(RunSummary),
}

/// What takes long before a run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "doing", rename_all = "snake_case")]
pub(crate) enum Preparation {
    /// Another process installs it.
    Waiting {
        what: String,
    },
    Fetching {
        what: String,
    },
    Unpacking {
        what: String,
    },
    /// It is compiled once, to start sooner from then on.
    Compiling {
        what: String,
    },
    Installed {
        what: String,
    },
    /// Files and rows go to the engine.
    Sending {
        bytes: u64,
    },
}

/// How far an action is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Progress {
    /// Rows that have arrived.
    pub(crate) rows: u64,
    /// Bytes that have arrived, in memory.
    pub(crate) bytes: u64,
    /// The engine's tasks, where it reports them.
    pub(crate) tasks: Option<Tasks>,
}

/// Tasks of the engine, over the stages that it knows by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Tasks {
    pub(crate) completed: i64,
    pub(crate) all: i64,
    pub(crate) running: i64,
    pub(crate) bytes_read: i64,
}

impl From<crate::connect::Progress> for Tasks {
    fn from(progress: crate::connect::Progress) -> Self {
        Self {
            completed: progress.completed,
            all: progress.tasks,
            running: progress.running,
            bytes_read: progress.bytes_read,
        }
    }
}
