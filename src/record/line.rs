//! An event as one line of JSON, and the JSON Schemas of what is recorded.

use chrono::Utc;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Event, RunResults};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Info,
    Warning,
    Error,
}

/// A line of `--log-format json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EventLine {
    /// When it happened, as RFC 3339.
    pub(crate) time: String,
    pub(crate) level: Level,
    #[serde(flatten)]
    pub(crate) event: Event,
    /// The event in words, for people, where it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
}

impl EventLine {
    pub(crate) fn new(level: Level, event: Event, text: Option<String>) -> Self {
        Self { time: Utc::now().to_rfc3339(), level, event, text }
    }
}

/// Returns the JSON Schema of `run_results.json`.
pub(crate) fn results_schema() -> Value {
    schema::<RunResults>("run_results.json of pipectl, version 2")
}

/// Returns the JSON Schema of a line of `--log-format json`.
pub(crate) fn events_schema() -> Value {
    schema::<EventLine>("A line of `pipectl --log-format json`")
}

/// The schema of what is written; a program that reads it must ignore fields that later versions add.
fn schema<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without_formats(&mut schema);
    schema["title"] = title.into();
    schema
}

/// Takes out `format`: the width of a number in bits is nothing that a reader needs.
fn without_formats(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| key != "format" || !value.is_string());
            object.values_mut().for_each(without_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(without_formats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
