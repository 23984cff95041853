//! `filter`: keeps the rows for which a condition is true.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Kind;
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;

/// Keeps the rows for which a condition is true; rows for which it is false or NULL go.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Filter(Expr);

impl Kind for Filter {
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
