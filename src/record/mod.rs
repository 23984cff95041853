//! What happens during a run, as data with a public form: events while it lasts, `run_results.json` when it has ended.
//!
//! The runner makes it, [`Sender`] folds every event into the record and hands it on to reporters, who decide nothing. Nothing here is in
//! English but the messages of errors: `report` says it in words.

mod action;
mod diagnostic;
mod error;
mod event;
mod expectation;
mod file;
mod line;
mod notice;
mod output;
mod results;
mod scrub;
mod sender;
mod stop;
mod summary;

pub(crate) use action::{ActionKind, ActionRef, ActionResult, SkipReason, Status};
pub(crate) use diagnostic::{DiagnosticCounts, DiagnosticRecord};
pub(crate) use error::{Cause, EngineError, ErrorRecord, QueryContext};
pub(crate) use event::{Event, Preparation, Progress};
pub(crate) use expectation::ExpectationResult;
pub(crate) use file::save;
pub(crate) use line::{EventLine, Level, events_schema, results_schema};
pub(crate) use notice::{Notice, WarmProblem};
pub(crate) use output::{OutputKind, OutputRecord};
pub(crate) use results::{RunResults, RunStatus};
pub(crate) use scrub::Scrub;
pub(crate) use sender::{Message, Sender};
pub(crate) use stop::StopReason;
pub(crate) use summary::RunSummary;

#[cfg(test)]
pub(crate) use event::Tasks;
