//! `sort`: puts rows in order.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sort_orders::sort_orders;
use super::{RowOrder, TransformKind, Work};
use crate::expr::{Expr, SortKey};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::proto::spark::expression::SortOrder;
use crate::shape::{Many, Short, Shorthand};

/// Puts all rows in order, by the first key, then by the next: `[revenue DESC, name]`.
///
/// Upwards NULLs come first, downwards last; `NULLS FIRST` and `NULLS LAST` say otherwise. Rows with equal keys come in any order. The
/// order lasts until rows are brought together again: sort last. On Sail a `sort` whose keys are replaced or dropped before its order is used is
/// refused, since the order would be lost.
///
/// `sort: { keys: [day], within_partitions: true }` puts the rows of each partition in order, and not all of them: after `repartition`, for
/// files that are read faster. A `limit` can't build on it, and neither can what is printed.
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
pub(crate) struct Sort(Short<SortSettings>);

/// The settings of a sort.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct SortSettings {
    /// What rows are put in order by: the first key, then the next.
    #[schemars(extend("minItems" = 1))]
    keys: Many<SortKey>,
    /// Whether the rows of each partition are put in order for themselves.
    #[serde(default)]
    #[schemars(extend("default" = false))]
    within_partitions: bool,
}

impl Shorthand for SortSettings {
    const NAME: &'static str = "$pipectl::short:keys";
}

impl Sort {
    /// The keys' expressions.
    pub(crate) fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.0.0.keys.iter().map(SortKey::expr)
    }

    /// The keys as the protocol writes them.
    pub(crate) fn keys(&self, lowering: &Lowering<'_>) -> Vec<SortOrder> {
        sort_orders(&self.0.0.keys, lowering)
    }
}

impl TransformKind for Sort {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.0.keys.is_empty(), "the keys");
        for key in self.0.0.keys.iter() {
            key.check(checking.found);
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.exprs().collect()
    }

    fn order(&self) -> RowOrder<'_> {
        if self.0.0.within_partitions { RowOrder::Gone } else { RowOrder::Made(&self.0.0.keys) }
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        if self.0.0.within_partitions {
            relation::sort_within_partitions(input, self.keys(lowering))
        } else {
            relation::sort(input, self.keys(lowering))
        }
    }
}
