//! What happens during a run, as plain data for reporters.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use crate::connect::ServerError;
use crate::expect::OnFail;

/// Where events go; a reporter that has gone is no reason to stop a run.
#[derive(Debug, Clone)]
pub(crate) struct Sender(mpsc::Sender<Event>);

impl Sender {
    pub(crate) fn new(sender: mpsc::Sender<Event>) -> Self {
        Self(sender)
    }

    pub(crate) fn send(&self, event: Event) {
        let _gone = self.0.send(event);
    }
}

/// An action, as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Label {
    /// Its number in the plan.
    pub(crate) id: usize,
    pub(crate) step: String,
    /// `view`, `store`, `expect` or `write`.
    pub(crate) action: &'static str,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Something that takes long before the run begins, such as an installation.
    Preparing(Preparation),
    /// So many bytes of something have arrived that is downloaded before the run begins, of so many where that is known.
    Fetched {
        what: String,
        bytes: u64,
        of: Option<u64>,
    },
    /// Where the run goes and why, where that was said.
    Target(String),
    /// The files that the pipeline was read from, its own first.
    Read(Vec<PathBuf>),
    /// The engine answers; how long that took.
    EngineReady {
        engine: String,
        took: Duration,
    },
    /// The engine's analysis found nothing wrong.
    Checked {
        took: Duration,
    },
    /// The run begins.
    Began {
        pipeline: String,
        actions: usize,
    },
    Started(Label),
    /// Rows and bytes so far, of an action that sends rows.
    Rows {
        action: Label,
        rows: u64,
        bytes: u64,
    },
    /// How far the engine is, where it tells that.
    Tasks {
        action: Label,
        tasks: Tasks,
    },
    /// How an expectation came out that rows do not meet.
    Unmet {
        action: Label,
        verdict: Verdict,
    },
    /// Something that the user should know.
    Note(String),
    Ended {
        action: Label,
        outcome: Outcome,
        took: Duration,
    },
    /// The session was lost before anything was received: what was begun does not count, and all begins again in another one.
    Again {
        reason: String,
    },
}

/// What takes long before a run begins.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// How an action ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Succeeded {
        rows: Option<u64>,
        outputs: Vec<Output>,
    },
    Failed(Failed),
    /// It was not begun, because of another one.
    Skipped {
        because: String,
    },
    Interrupted,
}

/// Tasks of the engine, over the stages that it knows by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tasks {
    pub(crate) completed: i64,
    pub(crate) all: i64,
    pub(crate) running: i64,
    pub(crate) bytes_read: i64,
}

/// Why an action failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    pub(crate) message: String,
    /// All that the engine has said, where the reason is its.
    pub(crate) said: Option<Box<ServerError>>,
    /// What may help.
    pub(crate) hint: Option<String>,
    /// Whether the engine was lost, so that trying again may help.
    pub(crate) engine_lost: bool,
}

/// Rows that are somewhere now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) place: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

/// An expectation that rows do not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) expected: String,
    pub(crate) wrong: i64,
    pub(crate) rows: i64,
    pub(crate) on_fail: OnFail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` does not hold for {} of {} rows", self.expected, self.wrong, self.rows)
    }
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
