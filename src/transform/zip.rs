//! `zip`: puts the columns of another step beside those of this one, row by row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::dialect::Dialect;
use crate::lowering::{Checking, Lowering};
use crate::name::StepRef;
use crate::proto::relation;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, Zip as Zipped};

/// Puts the columns of another step beside those of this one, row by row; both have made them of the same rows.
///
/// It is for columns that two steps have worked out of one: both come `from` the same step and do no more than choose and compute columns.
/// For anything else there is `join`. Spark 4.3 has it; Sail and earlier Sparks
/// have not.
///
/// ```yaml
/// # engines: spark
/// version: 1
/// steps:
///   people:
///     values: { columns: { name: string, age: int }, rows: [[Ann, 34], [Bob, 12]] }
///   grown_up:
///     from: people
///     transform:
///       - select: [age >= 18 AS is_grown_up]
///   both:
///     from: people
///     transform:
///       - zip: grown_up
///       - sort: [name]
///     write: stdout
/// ```
///
/// ```text
/// name | age | is_grown_up
/// -----+-----+------------
/// Ann  |  34 | true
/// Bob  |  12 | false
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Zip(StepRef);

impl TransformKind for Zip {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.0]
    }

    fn check(&self, _checking: &mut Checking<'_>) {}

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        (!dialect.has_zip()).then(|| format!("{dialect} has no `zip`; Spark 4.3 has it"))
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Kept
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::of(RelType::Zip(Box::new(Zipped {
            left: Some(Box::new(input)),
            right: Some(Box::new(lowering.input(self.0.as_str()))),
        })))
    }
}
