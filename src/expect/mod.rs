//! Owns the kinds of expectation: what must hold for every row of a step before anything is made of it.

mod kind;
mod not_null;
mod that;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::kinds;
use crate::text::Span;

pub(crate) use kind::{ExpectationKind, Violation};

/// What happens where rows do not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFail {
    /// The step fails, and nothing that needs it is done.
    #[default]
    Fail,
    /// It is reported, and the run goes on.
    Warn,
}

kinds! {
    /// What must hold.
    Check of ExpectationKind:
    "not_null" => NotNull(not_null::NotNull),
    "that" => That(that::That),
}

impl Check {
    /// Kinds of the format that this version does not carry out.
    pub(crate) const PLANNED: &[&str] = &["unique", "accepted_values", "between", "row_count", "references"];
}

/// One expectation of a step.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) check: Check,
    pub(crate) on_fail: OnFail,
    pub(crate) span: Span,
}
