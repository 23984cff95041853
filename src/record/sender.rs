//! The way of events: into the record at once, and to reporters, who may be slower.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Instant;

use super::scrub::Scrub as _;
use super::{
    ActionRef, ActionResult, DiagnosticCounts, DiagnosticRecord, ErrorRecord, Event, RunResults, Status,
    StopReason,
};
use crate::diagnostic::{Diagnostic, Excerpt, Extent};
use crate::text::Sources;

/// What reporters receive.
#[derive(Debug)]
pub(crate) enum Message {
    Event(Event),
    /// Diagnostics of one pipeline, with the texts into which their spans point.
    Diagnostics(Sources, Vec<Diagnostic>),
}

/// Where events go. What is secret is taken out of them here.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    reporters: mpsc::Sender<Message>,
    record: Arc<Mutex<Record>>,
}

#[derive(Debug)]
struct Record {
    results: RunResults,
    clock: Instant,
    /// Actions that have started and not finished.
    running: Vec<(ActionRef, Instant)>,
}

impl Sender {
    /// Makes the way of the events of a run that began at `clock`.
    pub(crate) fn new(results: RunResults, clock: Instant) -> (Self, mpsc::Receiver<Message>) {
        let (reporters, receiver) = mpsc::channel();
        let record = Arc::new(Mutex::new(Record { results, clock, running: Vec::new() }));
        (Self { reporters, record }, receiver)
    }

    /// Records an event and reports it. A reporter that has gone is no reason to stop a run.
    pub(crate) fn send(&self, event: Event) {
        let event = event.scrubbed();
        let mut record = self.record();
        match &event {
            Event::ActionStarted(action) => record.running.push((action.clone(), Instant::now())),
            Event::ActionFinished(result) => record.running.retain(|(action, _)| *action != result.action),
            Event::RunRestarted { .. } => record.running.clear(),
            _ => {}
        }
        record.results.apply(&event);
        drop(record);
        let _gone = self.reporters.send(Message::Event(event));
    }

    /// Records what is wrong with a pipeline's files and reports it.
    pub(crate) fn diagnostics(&self, sources: &Sources, diagnostics: Vec<Diagnostic>) {
        let mut record = self.record();
        // Bounded whatever reporters show: the record is read as a whole.
        let excerpt = Excerpt::new(&diagnostics, Extent::Limited);
        for diagnostic in excerpt.shown {
            let diagnostic = DiagnosticRecord::new(sources, &diagnostic.clone().scrubbed());
            record.results.apply(&Event::Diagnostic(Box::new(diagnostic)));
        }
        record.results.apply(&Event::DiagnosticsOmitted(DiagnosticCounts::new(&excerpt.omitted)));
        drop(record);
        let _gone = self.reporters.send(Message::Diagnostics(sources.clone(), diagnostics));
    }

    /// Records that the run failed as a whole. What still ran has failed for this reason.
    pub(crate) fn fail(&self, error: ErrorRecord) {
        let error = error.scrubbed();
        let mut record = self.record();
        let running = std::mem::take(&mut record.running);
        for (action, began) in running {
            let seconds = began.elapsed().as_secs_f64();
            record.results.actions.push(ActionResult {
                error: Some(error.clone()),
                ..ActionResult::new(action, Status::Failed, seconds)
            });
        }
        record.results.apply(&Event::Failure(error));
    }

    /// Says how the run ended and returns its record.
    pub(crate) fn finish(&self, stopped_by: Option<StopReason>) -> RunResults {
        let mut record = self.record();
        let seconds = record.clock.elapsed().as_secs_f64();
        record.results.finish(stopped_by, seconds);
        record.results.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        // A panic elsewhere leaves the record as it was before one event.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
