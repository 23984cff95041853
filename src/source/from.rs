//! `from`: begins with the rows of another step.

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::spark::Relation;

/// Begins with the rows of another step of this file.
///
/// The conditions of joins call the columns by that step's name: `people.age`. A step that nobody but this one reads becomes part of its
/// plan, and one that several read is worked out once where that pays (`cache`).
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows:
///         - [Ann, 34]
///         - [Bob, 12]
///         - [Cem, null]
///   children:
///     from: people
///     transform:
///       - filter: age < 18
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Bob  |  12
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct From(StepRef);

impl From {
    pub(crate) fn step(&self) -> &str {
        self.0.as_str()
    }
}

impl SourceKind for From {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.0]
    }

    fn check(&self, _checking: &mut Checking<'_>) {}

    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        lowering.input(self.0.as_str())
    }
}
