//! `sort`: puts rows in order.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Order, Work};
use crate::expr::{Direction, Expr, Nulls, SortKey};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::Relation;
use crate::proto::spark::expression::SortOrder;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::{expression, relation};
use crate::shape::Many;

/// Puts all rows in order, by the first key, then by the next: `[revenue DESC, name]`.
///
/// Upwards NULLs come first, downwards last; `NULLS FIRST` and `NULLS LAST` say otherwise. Rows with equal keys come in any order. The
/// order lasts until rows are brought together again: sort last. On Sail a `sort` whose keys are replaced or dropped before its order is used is
/// refused, since the order would be lost.
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
///   by_age:
///     from: people
///     transform:
///       - sort: [age DESC NULLS FIRST, name]
///     write: stdout
/// ```
///
/// ```text
/// name |  age
/// -----+-----
/// Cem  | NULL
/// Ann  |   34
/// Bob  |   12
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 1))]
pub(crate) struct Sort(Many<SortKey>);

impl Sort {
    /// The keys' expressions.
    pub(crate) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.0.iter().map(SortKey::expr)
    }

    /// The keys as the protocol writes them.
    pub(crate) fn keys(&self, lowering: &Lowering<'_>) -> Vec<SortOrder> {
        sort_orders(&self.0, lowering)
    }
}

/// Sort keys as the protocol writes them.
pub(super) fn sort_orders(keys: &[SortKey], lowering: &Lowering<'_>) -> Vec<SortOrder> {
    let order = keys.iter().map(|key| {
        let direction = match key.direction() {
            Direction::Ascending => SortDirection::Ascending,
            Direction::Descending => SortDirection::Descending,
        };
        let nulls = match key.nulls() {
            Nulls::First => NullOrdering::SortNullsFirst,
            Nulls::Last => NullOrdering::SortNullsLast,
        };
        expression::sort_order(lowering.expr(key.expr()), direction, nulls)
    });
    order.collect()
}

impl Kind for Sort {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the keys");
        for key in self.0.iter() {
            key.check(checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.exprs().collect()
    }

    fn order(&self) -> Order<'_> {
        Order::Made(self)
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::sort(input, self.keys(lowering))
    }
}
