//! Errors as they are recorded: a message, a class, what may help, and all that the engine said where the reason is its.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::connect::ServerError;
use crate::error::Class;

/// Why a run or an action failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ErrorRecord {
    /// What went wrong, on one line.
    pub(crate) message: String,
    /// `transient`: the same run may succeed later. `data`: it succeeds when data, files or disks have changed. `pipeline`: the pipeline
    /// or project file must be edited. `bug`: a fault of pipectl or of the engine.
    pub(crate) class: Class,
    /// What may help, an action each.
    pub(crate) hints: Vec<String>,
    /// Whether another run holds the lock of an output.
    pub(crate) is_locked: bool,
    /// The engine's own error, where that is the reason.
    pub(crate) engine: Option<Box<EngineError>>,
}

impl ErrorRecord {
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self { message: message.into(), class, hints: Vec::new(), is_locked: false, engine: None }
    }

    pub(crate) fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// Adds what the engine said.
    pub(crate) fn said(mut self, error: Option<&ServerError>) -> Self {
        self.engine = error.map(|error| Box::new(error.into()));
        self
    }
}

/// An error in the engine's own words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct EngineError {
    /// Spark's error condition, such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub(crate) error_class: Option<String>,
    pub(crate) sql_state: Option<String>,
    /// What it says, on one line, without condition, state, places and plans.
    pub(crate) message: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Places in the query, outermost first.
    pub(crate) contexts: Vec<QueryContext>,
    /// What brought it about, nearest first.
    pub(crate) causes: Vec<Cause>,
    /// Whether the engine itself failed, and not what it was asked to do.
    pub(crate) is_internal: bool,
    /// The engine's text, where it says more than the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) original: Option<String>,
    /// The calls at the engine that led to it, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trace: Vec<String>,
}

impl EngineError {
    /// Returns it without the engine's text and trace, which are long.
    pub(crate) fn shortened(self) -> Self {
        Self { original: None, trace: Vec::new(), ..self }
    }
}

/// A place that an engine's error is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct QueryContext {
    /// The text of the query, or the name of the `DataFrame` call.
    pub(crate) fragment: String,
    /// Characters from the query's start to the first one; only SQL has them.
    pub(crate) start: Option<usize>,
    /// Characters from the query's start to behind the last one.
    pub(crate) stop: Option<usize>,
    pub(crate) summary: String,
}

/// An error behind an engine's error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Cause {
    /// Spark's error condition, or else the Java class.
    pub(crate) error_class: Option<String>,
    pub(crate) message: String,
}

impl From<&ServerError> for EngineError {
    fn from(error: &ServerError) -> Self {
        let contexts = error.contexts.iter().map(|context| QueryContext {
            fragment: context.fragment.clone(),
            start: context.range.map(|(start, _)| start),
            stop: context.range.map(|(_, stop)| stop),
            summary: context.summary.clone(),
        });
        let causes = error
            .causes
            .iter()
            .map(|cause| Cause { error_class: cause.class.clone(), message: cause.message.clone() });
        Self {
            error_class: error.class.clone(),
            sql_state: error.sql_state.clone(),
            message: error.message.clone(),
            parameters: error.parameters.clone(),
            contexts: contexts.collect(),
            causes: causes.collect(),
            is_internal: error.is_internal,
            original: error.original.clone(),
            trace: error.trace.clone(),
        }
    }
}
