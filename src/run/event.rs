//! What happens during a run, as plain data for reporters.

use std::fmt;
use std::sync::mpsc;
use std::time::Duration;

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
    Preparing(String),
    /// Where the run goes and why, where that was said.
    Target(String),
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
    /// Tasks of the engine so far, where it tells them.
    Tasks {
        action: Label,
        completed: i64,
        all: i64,
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

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) message: String,
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
