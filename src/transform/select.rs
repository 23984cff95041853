//! `select`: makes the columns of the result, in their order.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Many;

/// Makes the columns of the result, in this order: `[id, price * 2 AS double_price, "*"]`.
///
/// Give a computed column a name with `AS`: the names that engines make up differ. After it no column has a qualifier (`people.age`) any
/// more. `"*"` needs its quotes, since YAML reads a bare one as something else.
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
///   next_year:
///     from: people
///     transform:
///       - select: [upper(name) AS who, age + 1 AS age]
///     write: stdout
/// ```
///
/// ```text
/// who |  age
/// ----+-----
/// ANN |   35
/// BOB |   13
/// CEM | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 1))]
pub(crate) struct Select(Many<Expr>);

impl TransformKind for Select {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for expr in self.0.iter() {
            expr.check(Role::Column, checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.0.iter().collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Changed(None)
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::project(input, self.0.iter().map(|expr| lowering.column(expr)).collect())
    }
}
