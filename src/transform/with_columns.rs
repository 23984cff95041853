//! `with_columns`: adds columns, or replaces those of the same name.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Entries;

/// Adds columns, or replaces those of the same name: `name: expression`.
///
/// All expressions see the step's input as it is before this item. To build on a new column, add another item. New columns come
/// last, in their order here; a replaced one keeps its place.
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
///   more:
///     from: people
///     transform:
///       - with_columns:
///           age: coalesce(age, 0)
///           was: age
///       - with_columns:
///           is_grown_up: age >= 18
///     write: stdout
/// ```
///
/// ```text
/// name | age |  was | is_grown_up
/// -----+-----+------+------------
/// Ann  |  34 |   34 | true
/// Bob  |  12 |   12 | false
/// Cem  |   0 | NULL | false
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct WithColumns(Entries<Expr>);

impl TransformKind for WithColumns {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for (_, expr) in self.0.iter() {
            expr.check(Role::Value, checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.0.iter().map(|(_, expr)| expr).collect()
    }

    fn columns_beside(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.value.as_str()).collect()
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Changed(Some(self.0.iter().map(|(name, _)| name.value.as_str()).collect()))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::with_columns(
            input,
            self.0.iter().map(|(name, expr)| (name.value.clone(), lowering.expr(expr))),
        )
    }
}
