//! Progress and messages for machines: one JSON object a line, [`EventLine`].

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::download::{Amount, Pace};
use super::format::Verbosity;
use super::words;
use crate::diagnostic::Severity;
use crate::expect::OnFail;
use crate::record::{ErrorRecord, Event, EventLine, Level, Notice, Progress, Status};

/// How often the progress of an action is reported.
const REPORTED_EVERY: Duration = Duration::from_secs(1);

/// Writes an event as a line.
pub(super) fn line(event: Event, verbosity: Verbosity) -> String {
    let text = text(&event);
    let line = EventLine::new(level(&event), shortened(event, verbosity), text);
    serde_json::to_string(&line).unwrap_or_default()
}

/// How much an event matters.
pub(super) fn level(event: &Event) -> Level {
    match event {
        Event::ActionFinished(result) if result.status != Status::Succeeded => Level::Error,
        Event::ExpectationFailed(result) if result.on_fail == OnFail::Fail => Level::Error,
        Event::Diagnostic(diagnostic) if diagnostic.severity() == Severity::Error => Level::Error,
        Event::DiagnosticsOmitted(counts) if counts.has_errors() => Level::Error,
        Event::Failure(_) => Level::Error,
        Event::ExpectationFailed(_)
        | Event::Diagnostic(_)
        | Event::DiagnosticsOmitted(_)
        | Event::Notice(_)
        | Event::RunRestarted { .. } => Level::Warning,
        _ => Level::Info,
    }
}

/// The event in words, where its fields are none.
fn text(event: &Event) -> Option<String> {
    match event {
        Event::Preparing(preparation) => Some(words::preparing(preparation)),
        Event::Notice(notice) => Some(words::notice(notice)),
        Event::DiagnosticsOmitted(counts) => Some(words::omitted(counts)),
        Event::RunRestarted { reason } => Some(words::restarted(reason)),
        Event::ActionFinished(result) => result.skipped.as_ref().map(words::skipped),
        Event::ExpectationFailed(result) => Some(words::violated(result)),
        Event::RunFinished(summary) => Some(words::summary(summary)),
        _ => None,
    }
}

/// Leaves out the engine's text and trace, which are long, where not all is asked for.
fn shortened(mut event: Event, verbosity: Verbosity) -> Event {
    let error = match &mut event {
        Event::ActionFinished(result) => result.error.as_mut(),
        Event::Failure(error) => Some(error),
        _ => None,
    };
    if let Some(ErrorRecord { engine: Some(said), .. }) = error
        && verbosity < Verbosity::Verbose
    {
        **said = std::mem::take(&mut **said).shortened();
    }
    event
}

/// Something that is neither a failure nor progress, outside of a run.
pub(super) fn note(message: &str) -> String {
    let notice = Event::Notice(Notice::Configuration { message: message.to_owned() });
    let line = EventLine::new(Level::Info, notice, None);
    serde_json::to_string(&line).unwrap_or_default()
}

/// Chooses which events are written: of progress not every bit.
#[derive(Default)]
pub(super) struct Machine {
    /// How far each action was when that was last written.
    progress: HashMap<usize, (Progress, Instant)>,
    /// How far the download is that goes on, and when that was written.
    download: Pace,
}

impl Machine {
    /// Whether an event is to be written.
    pub(super) fn wants(&mut self, event: &Event) -> bool {
        match event {
            Event::DownloadProgress { what, bytes, total_bytes } => {
                let amount = Amount { what, bytes: *bytes, of: *total_bytes };
                return self.download.line(Instant::now(), &amount).is_some();
            }
            Event::ActionProgress { action, progress } => {
                let is_begun = progress.rows > 0 || progress.tasks.is_some_and(|tasks| tasks.all > 0);
                let before = self.progress.get(&action.id);
                let is_news = before.is_none_or(|(before, written)| {
                    before != progress && written.elapsed() >= REPORTED_EVERY
                });
                if is_begun && is_news {
                    self.progress.insert(action.id, (*progress, Instant::now()));
                }
                return is_begun && is_news;
            }
            _ => self.download = Pace::default(),
        }
        true
    }
}
