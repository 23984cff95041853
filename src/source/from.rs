//! `from`: begins with the rows of another step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Kind;
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;

/// Begins with the rows of another step of this file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct From(StepRef);

impl From {
    pub(crate) fn step(&self) -> &str {
        self.0.as_str()
    }
}

impl Kind for From {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.0]
    }

    fn check(&self, _checking: &mut Checking<'_>) {}

    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        lowering.input(self.0.as_str())
    }
}
