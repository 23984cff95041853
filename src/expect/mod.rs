//! Owns the kinds of expectation: what must hold for every row of a step before anything is made of it.

mod not_null;
mod that;

use std::fmt::Debug;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::lowering::{Checking, Lowering};
use crate::shape::kinds;
use crate::text::{Span, Spanned};

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

/// A condition, true for the rows that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What was expected, for the report.
    pub(crate) expected: String,
    /// SQL, for one engine.
    pub(crate) condition: String,
}

/// The questions that every kind of expectation answers.
pub(crate) trait Kind: Debug {
    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Columns that it names by themselves.
    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// What makes a row wrong; one or more.
    fn violations(&self, lowering: &Lowering<'_>) -> Vec<Violation>;
}

kinds! {
    /// What must hold.
    Check of Kind:
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
