//! What became of an expectation that rows violate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ActionRef;
use crate::expect::OnFail;

/// An expectation that rows violate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ExpectationResult {
    #[serde(flatten)]
    pub(crate) action: ActionRef,
    /// The expectation, as the pipeline file writes it.
    pub(crate) expectation: String,
    /// How many rows violate it.
    pub(crate) violations: i64,
    /// How many rows there are.
    pub(crate) rows: i64,
    pub(crate) on_fail: OnFail,
}
