//! `with_columns`: adds columns, or replaces those of the same name.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Order};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Entries;

/// Adds columns, or replaces those of the same name: `name: expression`.
///
/// All expressions see the step's input as it is before this item. To build on a new column, add another item.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WithColumns(Entries<Expr>);

impl Kind for WithColumns {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for (_, expr) in self.0.iter() {
            expr.check(Role::Value, checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.0.iter().map(|(_, expr)| expr).collect()
    }

    fn order(&self) -> Order<'_> {
        Order::Changed(Some(self.0.iter().map(|(name, _)| name.value.as_str()).collect()))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::with_columns(
            input,
            self.0.iter().map(|(name, expr)| (name.value.clone(), lowering.expr(expr))),
        )
    }
}
