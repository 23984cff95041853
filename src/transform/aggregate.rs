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
///
/// NULL is a group of its own. Functions pass over NULLs, but for `count(*)`, which counts rows; without keys and without rows there is
/// still one row. Groups come in no order. A sum of integers that is too large for its type fails on Spark and is wrong on Sail: cast to
/// `bigint` or `decimal` first.
///
/// ```yaml
/// version: 1
/// steps:
///   sales:
///     values:
///       columns: { town: string, price: int }
///       rows:
///         - [Ulm, 5]
///         - [Jena, 7]
///         - [Ulm, null]
///         - [null, 1]
///     transform:
///       - aggregate:
///           by: [town]
///           columns:
///             total: sum(price)
///             sales: count(*)
///       - sort: [town]
///     write: stdout
/// ```
///
/// ```text
/// town | total | sales
/// -----+-------+------
/// NULL |     1 |     1
/// Jena |     7 |     1
/// Ulm  |     5 |     2
/// ```
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

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let keys = self.keys().map(|expr| lowering.column(expr)).collect();
        let columns = self.columns.value.iter();
        let columns = columns.map(|(name, expr)| expression::alias(lowering.expr(expr), name.value.clone()));
        relation::aggregate(input, keys, columns.collect())
    }
}
