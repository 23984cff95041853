//! The record of a run, `run_results.json`: all of its events, folded into one value.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ActionResult, DiagnosticRecord, ErrorRecord, Event, ExpectationResult, Notice, RunSummary, Status,
    StopReason,
};
use crate::error::Class;

/// The version of the record's format: a key that is removed or gets another meaning raises it.
pub(crate) const VERSION: u32 = 2;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunStatus {
    Succeeded,
    Failed,
    Interrupted,
}

/// The record of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RunResults {
    /// The version of this format.
    pub(crate) version: u32,
    /// The version of pipectl that wrote it.
    pub(crate) pipectl: String,
    pub(crate) run_id: String,
    /// The pipeline's name; nothing where the run did not start.
    pub(crate) pipeline: Option<String>,
    /// The pipeline file, as it was given.
    pub(crate) file: String,
    /// The files that the pipeline was read from, its own first.
    pub(crate) files: Vec<String>,
    #[schemars(with = "String")]
    pub(crate) started_at: DateTime<Utc>,
    #[schemars(with = "String")]
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) status: RunStatus,
    /// What the process returns.
    pub(crate) exit_code: u8,
    /// How many steps there are, and how they ended.
    pub(crate) summary: RunSummary,
    /// Where the run went and why, where that was said.
    pub(crate) target: Option<String>,
    pub(crate) engine: Option<String>,
    /// Why the run could not start or go on; failures of single actions stand with these.
    pub(crate) error: Option<ErrorRecord>,
    /// What stopped the run from outside.
    pub(crate) stopped_by: Option<StopReason>,
    /// Why the run restarted in another session, once for each time.
    pub(crate) restarts: Vec<String>,
    pub(crate) actions: Vec<ActionResult>,
    /// The expectations that rows violate.
    pub(crate) expectations: Vec<ExpectationResult>,
    pub(crate) notices: Vec<Notice>,
    /// What is wrong with the files, at most a hundred.
    pub(crate) diagnostics: Vec<DiagnosticRecord>,
    /// How many further ones of each code there are.
    pub(crate) diagnostics_omitted: BTreeMap<String, usize>,
}

impl RunResults {
    /// Returns the record of a run of which nothing has happened yet.
    pub(crate) fn new(run_id: String, file: String, started_at: DateTime<Utc>) -> Self {
        Self {
            version: VERSION,
            pipectl: env!("CARGO_PKG_VERSION").to_owned(),
            run_id,
            pipeline: None,
            file,
            files: Vec::new(),
            started_at,
            finished_at: started_at,
            status: RunStatus::Succeeded,
            exit_code: 0,
            summary: RunSummary::default(),
            target: None,
            engine: None,
            error: None,
            stopped_by: None,
            restarts: Vec::new(),
            actions: Vec::new(),
            expectations: Vec::new(),
            notices: Vec::new(),
            diagnostics: Vec::new(),
            diagnostics_omitted: BTreeMap::new(),
        }
    }

    /// Takes in what happened.
    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::TargetChosen { target } => self.target = Some(target.clone()),
            Event::PipelineRead { files } => self.files.clone_from(files),
            Event::Diagnostic(diagnostic) => self.diagnostics.push(DiagnosticRecord::clone(diagnostic)),
            Event::DiagnosticsOmitted(omitted) => self.diagnostics_omitted.clone_from(&omitted.counts),
            Event::EngineReady { engine, .. } => self.engine = Some(engine.clone()),
            Event::RunStarted { pipeline, .. } => self.pipeline = Some(pipeline.clone()),
            Event::ExpectationFailed(result) => self.expectations.push(result.clone()),
            Event::ActionFinished(result) => self.actions.push(result.clone()),
            Event::Notice(notice) => self.notices.push(notice.clone()),
            Event::RunRestarted { reason } => {
                self.restarts.push(reason.clone());
                self.actions.clear();
                self.expectations.clear();
            }
            Event::Failure(error) => self.error = Some(error.clone()),
            Event::RunFinished(_)
            | Event::Preparing(_)
            | Event::DownloadProgress { .. }
            | Event::CheckPassed { .. }
            | Event::ActionStarted(_)
            | Event::ActionProgress { .. } => {}
        }
    }

    /// Says how the run ended, once nothing more happens.
    pub(super) fn finish(&mut self, stopped_by: Option<StopReason>, seconds: f64) {
        self.finished_at = Utc::now();
        self.stopped_by = stopped_by;
        self.summary = RunSummary::of(&self.actions, seconds);
        let worst = self.actions.iter().map(|action| action.status).max();
        self.status = match (&self.stopped_by, &self.error, worst) {
            (Some(_), _, _) | (None, None, Some(Status::Interrupted)) => RunStatus::Interrupted,
            (None, Some(_), _) | (None, None, Some(Status::Failed | Status::Skipped)) => RunStatus::Failed,
            (None, None, Some(Status::Succeeded) | None) => RunStatus::Succeeded,
        };
    }

    /// Returns why the run did not succeed, in general where the reasons stand with its actions.
    pub(crate) fn failure(&self) -> ErrorRecord {
        match (&self.error, &self.stopped_by) {
            (Some(error), _) => error.clone(),
            (None, Some(reason)) => reason.error(),
            (None, None) if self.is_engine_lost() => {
                ErrorRecord::new(Class::Transient, "the engine was lost")
            }
            (None, None) => ErrorRecord::new(Class::Data, "a step failed"),
        }
    }

    /// Whether the engine was lost while actions were executed: the same run may succeed later.
    pub(crate) fn is_engine_lost(&self) -> bool {
        let mut errors = self.actions.iter().filter_map(|action| action.error.as_ref());
        errors.any(|error| error.class == Class::Transient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ActionKind, ActionRef, SkipReason};

    fn ended(step: &str, action: ActionKind, status: Status) -> ActionResult {
        ActionResult::new(ActionRef { id: 1, step: step.to_owned(), action }, status, 0.5)
    }

    fn results(events: &[Event], stopped_by: Option<StopReason>) -> RunResults {
        let mut results = RunResults::new("1".to_owned(), "p.yaml".to_owned(), DateTime::default());
        for event in events {
            results.apply(event);
        }
        results.finish(stopped_by, 1.0);
        results
    }

    #[test]
    fn the_status_follows_from_the_worst_that_happened() {
        let write = |status| Event::ActionFinished(ended("a", ActionKind::Write, status));
        let failure = || Event::Failure(ErrorRecord::new(Class::Pipeline, "no"));
        for (events, stopped_by, status) in [
            (vec![], None, RunStatus::Succeeded),
            (vec![write(Status::Succeeded)], None, RunStatus::Succeeded),
            (vec![write(Status::Succeeded), write(Status::Skipped)], None, RunStatus::Failed),
            (vec![write(Status::Failed), write(Status::Succeeded)], None, RunStatus::Failed),
            (vec![write(Status::Interrupted)], None, RunStatus::Interrupted),
            (vec![failure()], None, RunStatus::Failed),
            (vec![write(Status::Succeeded)], Some(StopReason::Terminated), RunStatus::Interrupted),
            (vec![write(Status::Failed), restarted(), write(Status::Succeeded)], None, RunStatus::Succeeded),
        ] {
            assert_eq!(results(&events, stopped_by).status, status, "{events:?}");
        }
    }

    fn restarted() -> Event {
        Event::RunRestarted { reason: "gone".to_owned() }
    }

    #[test]
    fn what_began_before_a_restart_does_not_count() {
        let mut skipped = ended("b", ActionKind::Write, Status::Skipped);
        skipped.skipped = Some(SkipReason::UpstreamFailed { step: "a".to_owned() });
        let before =
            [Event::ActionFinished(skipped), Event::Notice(Notice::ServerAnswers { server: "s".to_owned() })];
        let events = before.into_iter().chain([restarted()]).collect::<Vec<_>>();
        let found = results(&events, None);
        assert!(found.actions.is_empty(), "{found:?}");
        assert_eq!((found.notices.len(), found.restarts), (1, vec!["gone".to_owned()]));
    }
}
