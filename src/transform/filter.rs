//! `filter`: keeps the rows for which a condition is true.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TransformKind;
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;

/// Keeps the rows for which a condition is true; rows for which it is false or NULL go.
///
/// Write `coalesce(…, true)` to keep those for which it is NULL. The order of the rows stays.
///
/// ```yaml
/// version: 1
/// vars:
///   least: 18
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows:
///         - [Ann, 34]
///         - [Bob, 12]
///         - [Cem, null]
///   grown_ups:
///     from: people
///     transform:
///       - filter: age >= ${least}
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Ann  |  34
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Filter(Expr);

impl TransformKind for Filter {
    fn check(&self, checking: &mut Checking<'_>) {
        self.0.check(Role::Value, checking.found);
    }

    fn expressions(&self) -> Vec<&Expr> {
        vec![&self.0]
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::filter(input, lowering.condition(&self.0))
    }
}
