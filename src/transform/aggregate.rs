//! `aggregate`: one row for each group.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Names, Order, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::Relation;
use crate::proto::{expression, relation};
use crate::shape::{Entries, Many};
use crate::text::Spanned;

/// Makes one row for each group: its keys, then the aggregates.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Aggregate {
    /// The groups' keys: columns, or expressions with a name, `year(day) AS year`. Without keys there is one row in all.
    by: Option<Many<Expr>>,
    /// The aggregates: `name: expression`.
    columns: Spanned<Entries<Expr>>,
}

impl Aggregate {
    fn keys(&self) -> impl Iterator<Item = &Expr> {
        self.by.iter().flat_map(|by| by.iter())
    }
}

impl Kind for Aggregate {
    fn check(&self, checking: &mut Checking<'_>) {
        for expr in self.keys() {
            expr.check(Role::Column, checking.found);
        }
        for (_, expr) in self.columns.value.iter() {
            expr.check(Role::Value, checking.found);
        }
        if self.columns.value.is_empty() && self.keys().next().is_none() {
            let message = "an aggregate without keys and without columns has no result";
            checking.report(Diagnostic::new(Code::Settings, self.columns.span, message));
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.keys().chain(self.columns.value.iter().map(|(_, expr)| expr)).collect()
    }

    fn stages(&self) -> Vec<Vec<&Expr>> {
        vec![self.keys().collect(), self.columns.value.iter().map(|(_, expr)| expr).collect()]
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> Order<'_> {
        Order::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let keys = self.keys().map(|expr| lowering.column(expr)).collect();
        let columns = self.columns.value.iter();
        let columns = columns.map(|(name, expr)| expression::alias(lowering.expr(expr), name.value.clone()));
        relation::aggregate(input, keys, columns.collect())
    }
}
