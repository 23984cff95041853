//! Progress and messages for machines: one JSON object a line. Keys are a public contract.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};

use super::transfer::{Amount, Pace};
use super::{Verbosity, again, preparing};
use crate::connect::ServerError;
use crate::diagnostic::{Diagnostic, Severity};
use crate::expect::OnFail;
use crate::record::{Event, Label, Outcome, Output, Tasks, Verdict};
use crate::secret::scrubbed;
use crate::text::{Sources, Span};

fn line(event: &str, level: &str, mut rest: Value) -> String {
    let mut object = json!({ "time": Utc::now().to_rfc3339(), "level": level, "event": event });
    if let (Some(object), Some(rest)) = (object.as_object_mut(), rest.as_object_mut()) {
        object.append(rest);
    }
    object.to_string()
}

pub(super) fn diagnostic(sources: &Sources, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    line("diagnostic", level, diagnostic_value(sources, diagnostic))
}

/// A diagnostic with its place.
pub(super) fn diagnostic_value(sources: &Sources, diagnostic: &Diagnostic) -> Value {
    let related = diagnostic.related.iter();
    let related: Vec<Value> =
        related.map(|(span, label)| merged(json!({ "message": label }), place(sources, *span))).collect();
    let what = json!({ "code": diagnostic.code.as_str(), "message": diagnostic.message });
    let rest = json!({
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "related": related,
        "class": diagnostic.class,
        "sql_state": diagnostic.sql_state,
    });
    merged(merged(what, place(sources, diagnostic.span)), rest)
}

/// Where something stands; lines and columns begin with 1, and the end is one behind the last character.
fn place(sources: &Sources, span: Span) -> Value {
    let source = sources.get(span.file);
    let (start, end) = (source.position(span.start), source.position(span.end));
    json!({
        "file": scrubbed(&source.path().display().to_string()),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}

pub(super) fn failure(
    message: &str,
    hints: &[String],
    said: Option<&ServerError>,
    verbosity: Verbosity,
) -> String {
    let depth = Depth::of(verbosity);
    let error = said.map(|said| json!({ "error": error_value(message, Some(said), depth) }));
    let rest = json!({ "message": message, "help": hints });
    line("failure", "error", merged(rest, error.unwrap_or_else(|| json!({}))))
}

impl Depth {
    pub(super) fn of(verbosity: Verbosity) -> Self {
        if verbosity == Verbosity::Verbose { Self::Full } else { Self::Short }
    }
}

pub(super) fn note(message: &str) -> String {
    line("note", "info", json!({ "message": message }))
}

/// How far a download is.
pub(super) fn fetched(message: &str, amount: &Amount<'_>) -> String {
    let rest = json!({ "message": message, "bytes": amount.bytes, "total_bytes": amount.of });
    line("preparing", "info", rest)
}

/// How often the progress of an action is told.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Tells events as lines; of progress not every bit.
#[derive(Default)]
pub(super) struct Machine {
    depth: Depth,
    /// How far each action is, and when that was told.
    progress: HashMap<usize, (Progress, Option<Instant>)>,
    /// How far the download is that goes on, and when that was told.
    download: Pace,
}

/// How much is told of an engine's error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Depth {
    /// Without the engine's trace and its own text.
    #[default]
    Short,
    Full,
}

/// How far an action is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) tasks: Option<Tasks>,
}

impl Machine {
    pub(super) fn new(depth: Depth) -> Self {
        Self { depth, ..Self::default() }
    }

    /// An event and its level; nothing where it was told just now how far the action is.
    pub(super) fn event(&mut self, event: &Event) -> Option<(Level, String)> {
        let (action, change): (_, &dyn Fn(&mut Progress)) = match event {
            Event::Rows { action, rows, bytes } => (action, &|it| (it.rows, it.bytes) = (*rows, *bytes)),
            Event::Tasks { action, tasks } => (action, &|it| it.tasks = Some(*tasks)),
            Event::Fetched { what, bytes, of } => {
                let amount = Amount { what, bytes: *bytes, of: *of };
                let message = self.download.line(Instant::now(), &amount)?;
                return Some((Level::Info, fetched(&message, &amount)));
            }
            event => {
                self.download = Pace::default();
                return event_line(event, self.depth);
            }
        };
        let (progress, told) = self.progress.entry(action.id).or_default();
        let before = *progress;
        change(progress);
        let is_begun = progress.rows > 0 || progress.tasks.is_some_and(|tasks| tasks.all > 0);
        if !is_begun || *progress == before || told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return None;
        }
        *told = Some(Instant::now());
        let rest = merged(label(action), progress_value(progress));
        Some((Level::Info, line("action_progress", "info", rest)))
    }
}

fn progress_value(progress: &Progress) -> Value {
    let tasks = progress.tasks;
    json!({
        "rows": progress.rows,
        "bytes": progress.bytes,
        "tasks": tasks.map(|tasks| tasks.all),
        "tasks_completed": tasks.map(|tasks| tasks.completed),
        "tasks_running": tasks.map(|tasks| tasks.running),
        "bytes_read": tasks.map(|tasks| tasks.bytes_read),
    })
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Info,
    Error,
}

/// An event as a line, for what is no progress.
fn event_line(event: &Event, depth: Depth) -> Option<(Level, String)> {
    let text = match event {
        Event::Preparing(preparation) => {
            line("preparing", "info", json!({ "message": preparing(preparation) }))
        }
        Event::Target(target) => line("target", "info", json!({ "target": target })),
        Event::EngineReady { engine, took } => {
            line("engine_ready", "info", json!({ "engine": engine, "seconds": took.as_secs_f64() }))
        }
        Event::Checked { took } => line("checked", "info", json!({ "seconds": took.as_secs_f64() })),
        Event::Began { pipeline, actions } => {
            line("began", "info", json!({ "pipeline": pipeline, "actions": actions }))
        }
        Event::Started(action) => line("action_started", "info", label(action)),
        Event::Rows { .. } | Event::Tasks { .. } | Event::Read(_) | Event::Fetched { .. } => return None,
        Event::Unmet { action, verdict } => {
            let level = if verdict.on_fail == OnFail::Fail { "error" } else { "warning" };
            line("expectation_unmet", level, merged(label(action), verdict_value(verdict)))
        }
        Event::Note(text) => line("note", "warning", json!({ "message": text })),
        Event::Again { reason } => line("again", "warning", json!({ "message": again(reason) })),
        Event::Ended { action, outcome, took } => {
            let level = if matches!(outcome, Outcome::Succeeded { .. }) { "info" } else { "error" };
            let rest = merged(outcome_value(outcome, depth), json!({ "seconds": took.as_secs_f64() }));
            line("action_ended", level, merged(label(action), rest))
        }
    };
    let is_failure = match event {
        Event::Ended { outcome, .. } => !matches!(outcome, Outcome::Succeeded { .. }),
        Event::Unmet { verdict, .. } => verdict.on_fail == OnFail::Fail,
        _ => false,
    };
    Some((if is_failure { Level::Error } else { Level::Info }, text))
}

pub(super) fn label(action: &Label) -> Value {
    json!({ "step": action.step, "action": action.action, "id": action.id + 1 })
}

pub(super) fn verdict_value(verdict: &Verdict) -> Value {
    json!({
        "expected": verdict.expected,
        "wrong": verdict.wrong,
        "rows": verdict.rows,
        "on_fail": match verdict.on_fail {
            OnFail::Fail => "fail",
            OnFail::Warn => "warn",
        },
    })
}

pub(super) fn outcome_value(outcome: &Outcome, depth: Depth) -> Value {
    match outcome {
        Outcome::Succeeded { rows, outputs } => {
            let outputs: Vec<Value> = outputs.iter().map(output).collect();
            json!({ "status": "success", "rows": rows, "outputs": outputs })
        }
        Outcome::Failed(failed) => {
            let error = error_value(&failed.message, failed.said.as_deref(), depth);
            let help = failed.hint.as_slice();
            json!({ "status": "error", "message": failed.message, "help": help, "error": error })
        }
        Outcome::Skipped { because } => json!({ "status": "skipped", "message": because }),
        Outcome::Interrupted => json!({ "status": "interrupted" }),
    }
}

/// An error as data; all but the message is the engine's, and null where it is not the engine that has failed.
pub(super) fn error_value(message: &str, said: Option<&ServerError>, depth: Depth) -> Value {
    let contexts = said.map(|said| {
        let context = |context: &crate::connect::QueryContext| {
            json!({
                "fragment": context.fragment,
                "start": context.range.map(|(start, _)| start),
                "stop": context.range.map(|(_, stop)| stop),
                "summary": context.summary,
            })
        };
        said.contexts.iter().map(context).collect::<Vec<_>>()
    });
    let causes = said.map(|said| {
        let cause = |cause: &crate::connect::Cause| json!({ "class": cause.class, "message": cause.message });
        said.causes.iter().map(cause).collect::<Vec<_>>()
    });
    let mut error = json!({
        "message": said.map_or(message, |said| &said.message),
        "class": said.and_then(|said| said.class.as_deref()),
        "sql_state": said.and_then(|said| said.sql_state.as_deref()),
        "parameters": said.map(|said| &said.parameters),
        "contexts": contexts,
        "causes": causes,
        "engine_fault": said.is_some_and(|said| said.is_internal),
    });
    if depth == Depth::Full
        && let Some(object) = error.as_object_mut()
    {
        object.insert("original".to_owned(), json!(said.and_then(|said| said.original.as_deref())));
        object.insert("trace".to_owned(), json!(said.map(|said| &said.trace)));
    }
    error
}

fn output(output: &Output) -> Value {
    json!({ "place": output.place, "rows": output.rows, "bytes": output.bytes })
}

pub(super) fn merged(mut first: Value, mut second: Value) -> Value {
    if let (Some(object), Some(rest)) = (first.as_object_mut(), second.as_object_mut()) {
        object.append(rest);
    }
    first
}
