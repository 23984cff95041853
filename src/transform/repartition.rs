//! `repartition` and `coalesce`: into how many parts rows are spread.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sort_orders::sort_orders;
use super::{RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{Expr, Role, SortKey};
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::Relation;
use crate::proto::spark::expression::ExprType;
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Spreads rows over partitions, which engines work on side by side. In short: `repartition: 8`.
///
/// With `by`, rows of equal values come into one partition; with `range`, partitions hold ranges of the keys, one after the other. Without
/// either, rows are spread about evenly. It changes no row, and rows come in no order. `spark_partition_id()` says where a row is.
///
/// ```yaml
/// version: 1
/// steps:
///   numbers:
///     range: 1000
///     transform:
///       - repartition: { partitions: 4, by: [id % 4] }
///       - with_columns: { partition: spark_partition_id() }
///       - aggregate:
///           by: [id % 4 AS rest]
///           columns: { partitions: count(DISTINCT partition), numbers: count(*) }
///       - sort: [rest]
///     write: stdout
/// ```
///
/// ```text
/// rest | partitions | numbers
/// -----+------------+--------
///    0 |          1 |     250
///    1 |          1 |     250
///    2 |          1 |     250
///    3 |          1 |     250
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Repartition(Short<RepartitionSettings>);

/// The settings of a repartition.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1, "not" = { "required": ["by", "range"] }))]
struct RepartitionSettings {
    /// How many partitions. With `by` or `range` it may be left to the engine.
    #[schemars(extend("minimum" = 1, "maximum" = i32::MAX))]
    partitions: Option<Spanned<u64>>,
    /// Columns or expressions: rows for which they are equal stay together.
    #[schemars(extend("minItems" = 1))]
    by: Option<Many<Expr>>,
    /// Sort keys: each partition has a range of them, found by a sample of the rows. Sail has no ranges.
    #[schemars(extend("minItems" = 1))]
    range: Option<Many<SortKey>>,
}

impl Shorthand for RepartitionSettings {
    const NAME: &'static str = "$pipectl::short:partitions";
}

/// Brings rows into at most this many partitions, without spreading them anew: `coalesce: 1`.
///
/// Partitions are put together as they are, so this costs less than `repartition`; the work before it is done in as few parts. Rows
/// keep their order.
///
/// ```yaml
/// version: 1
/// steps:
///   numbers:
///     range: 1000
///     transform:
///       - repartition: 8
///       - coalesce: 2
///       - with_columns: { partition: spark_partition_id() }
///       - aggregate: { columns: { partitions: count(DISTINCT partition), numbers: count(*) } }
///     write: stdout
/// ```
///
/// ```text
/// partitions | numbers
/// -----------+--------
///          2 |    1000
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minimum" = 1, "maximum" = i32::MAX))]
pub(crate) struct Coalesce(Spanned<u64>);

/// Reports a count that no engine takes.
fn check(count: &Spanned<u64>, checking: &mut Checking<'_>) {
    let message = match i32::try_from(count.value) {
        Ok(0) => "there is at least one partition".to_owned(),
        Ok(_) => return,
        Err(_) => format!("engines take up to {} partitions", i32::MAX),
    };
    checking.report(Diagnostic::new(Code::Settings, count.span, message));
}

/// The count as the protocol writes it.
fn sent(count: &Spanned<u64>) -> i32 {
    i32::try_from(count.value).unwrap_or(i32::MAX)
}

impl Repartition {
    fn by(&self) -> &[Expr] {
        self.0.0.by.as_deref().unwrap_or_default()
    }

    fn range(&self) -> &[SortKey] {
        self.0.0.range.as_deref().unwrap_or_default()
    }
}

impl TransformKind for Repartition {
    fn check(&self, checking: &mut Checking<'_>) {
        let RepartitionSettings { partitions, by, range } = &self.0.0;
        if let Some(partitions) = partitions {
            check(partitions, checking);
        }
        checking.not_empty(by.as_ref().is_some_and(|by| by.is_empty()), "the expressions of `by`");
        checking.not_empty(range.as_ref().is_some_and(|range| range.is_empty()), "the keys of `range`");
        for expr in self.by() {
            expr.check(Role::Value, checking.found);
        }
        for key in self.range() {
            key.check(checking.found);
        }
        if by.is_some() && !self.range().is_empty() {
            checking.report(
                checking
                    .exclusive("by", "range")
                    .help("keep one of them: `by` for equal values, `range` for neighbouring ones"),
            );
        }
        if partitions.is_none() && by.is_none() && range.is_none() {
            checking.report(
                Diagnostic::new(Code::MissingKey, checking.item, "the key `partitions` is missing")
                    .help("write how many: `repartition: 8`; or what stays together: `by: [column]`"),
            );
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        let is_refused = dialect.implementation() == Implementation::Sail && !self.range().is_empty();
        is_refused.then(|| {
            format!("{dialect} has no partitions by `range`: it would spread rows by `by`; Spark has them")
        })
    }

    fn expressions(&self) -> Vec<&Expr> {
        self.by().iter().chain(self.range().iter().map(SortKey::expr)).collect()
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let partitions = self.0.0.partitions.as_ref().map(sent);
        let by: Vec<_> = if self.range().is_empty() {
            self.by().iter().map(|expr| lowering.expr(expr)).collect()
        } else {
            let keys = sort_orders(self.range(), lowering).into_iter();
            keys.map(|key| expression::of(ExprType::SortOrder(Box::new(key)))).collect()
        };
        match partitions {
            Some(partitions) if by.is_empty() => relation::repartition(input, partitions),
            partitions => relation::repartition_by(input, by, partitions),
        }
    }
}

impl TransformKind for Coalesce {
    fn check(&self, checking: &mut Checking<'_>) {
        check(&self.0, checking);
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::coalesce(input, sent(&self.0))
    }
}
