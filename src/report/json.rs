//! Progress and messages for machines: one JSON object a line. Keys are a public contract.

use chrono::Utc;
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Severity};
use crate::expect::OnFail;
use crate::run::{Event, Label, Outcome, Output, Verdict};
use crate::text::Sources;

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
    let source = sources.get(diagnostic.span.file);
    let (start, end) = (source.position(diagnostic.span.start), source.position(diagnostic.span.end));
    json!({
        "code": diagnostic.code.as_str(),
        "message": diagnostic.message,
        "file": source.path().display().to_string(),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "help": diagnostic.help,
    })
}

pub(super) fn failure(message: &str, hints: &[String]) -> String {
    line("failure", "error", json!({ "message": message, "help": hints }))
}

pub(super) fn note(message: &str) -> String {
    line("note", "info", json!({ "message": message }))
}

/// An event as a line; those that only move bars have none.
pub(super) fn event(event: &Event) -> Option<String> {
    Some(match event {
        Event::Preparing(what) => line("preparing", "info", json!({ "message": what })),
        Event::Target(target) => line("target", "info", json!({ "target": target })),
        Event::EngineReady { engine, took } => {
            line("engine_ready", "info", json!({ "engine": engine, "seconds": took.as_secs_f64() }))
        }
        Event::Checked { took } => line("checked", "info", json!({ "seconds": took.as_secs_f64() })),
        Event::Began { pipeline, actions } => {
            line("began", "info", json!({ "pipeline": pipeline, "actions": actions }))
        }
        Event::Started(action) => line("action_started", "info", label(action)),
        Event::Rows { .. } | Event::Tasks { .. } => return None,
        Event::Unmet { action, verdict } => {
            let level = if verdict.on_fail == OnFail::Fail { "error" } else { "warning" };
            line("expectation_unmet", level, merged(label(action), verdict_value(verdict)))
        }
        Event::Note(text) => line("note", "warning", json!({ "message": text })),
        Event::Ended { action, outcome, took } => {
            let level = if matches!(outcome, Outcome::Succeeded { .. }) { "info" } else { "error" };
            let rest = merged(outcome_value(outcome), json!({ "seconds": took.as_secs_f64() }));
            line("action_ended", level, merged(label(action), rest))
        }
    })
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

pub(super) fn outcome_value(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Succeeded { rows, outputs } => {
            let outputs: Vec<Value> = outputs.iter().map(output).collect();
            json!({ "status": "success", "rows": rows, "outputs": outputs })
        }
        Outcome::Failed(failed) => {
            json!({ "status": "error", "message": failed.message, "help": failed.hint.as_slice() })
        }
        Outcome::Skipped { because } => json!({ "status": "skipped", "message": because }),
        Outcome::Interrupted => json!({ "status": "interrupted" }),
    }
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
