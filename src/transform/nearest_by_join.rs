//! `nearest_by_join`: the rows of another step for which an expression is smallest or largest.

use schemars::JsonSchema;
use serde::Deserialize;

use super::top::Top;
use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};
use crate::name::{StepName, StepRef};
use crate::proto::expression::{call, downwards, upwards};
use crate::proto::relation;
use crate::proto::spark::join::JoinType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{NearestByJoin as Nearest, Relation};
use crate::text::{Span, Spanned};

/// Brings the rows of another step for which an expression is smallest beside each row: three nearest shops.
///
/// Every row is compared with every row. Columns are qualified as in a `join`. Pairs for which the expression is NULL are left out. Of rows
/// that are equally near, any are taken. Rows come in no order.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values: { columns: { name: string, x: int }, rows: [[Ann, 1], [Bob, 9]] }
///   shops:
///     values: { columns: { shop: string, x: int }, rows: [[bakery, 2], [cinema, 5], [market, 8]] }
///   nearest:
///     from: people
///     transform:
///       - nearest_by_join: { with: shops, rank: abs(people.x - shops.x), rows: 2 }
///       - select: [name, shop]
///       - sort: [name, shop]
///     write: stdout
/// ```
///
/// ```text
/// name | shop
/// -----+-------
/// Ann  | bakery
/// Ann  | cinema
/// Bob  | cinema
/// Bob  | market
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct NearestByJoin {
    /// The step on the right side.
    with: StepRef,
    /// The name that qualifies the right side's columns; its step's name where not given.
    r#as: Option<Spanned<StepName>>,
    /// The expression that pairs are ranked by: `abs(people.x - shops.x)`.
    rank: Expr,
    /// How many rows are brought beside each.
    #[serde(default = "one")]
    #[schemars(with = "u64", extend("default" = 1, "minimum" = 1, "maximum" = MOST))]
    rows: Spanned<u64>,
    /// Which rows of this step are kept.
    #[serde(default)]
    #[schemars(extend("default" = "inner"))]
    how: How,
    /// What the expression says.
    #[serde(default)]
    #[schemars(extend("default" = "distance"))]
    direction: Direction,
    /// Whether an engine may guess, where it has a way to do so faster.
    #[serde(default)]
    #[schemars(extend("default" = "exact"))]
    mode: Mode,
}

/// Rows beside each that Spark bears.
const MOST: u64 = 100_000;

fn one() -> Spanned<u64> {
    Spanned { span: Span::default(), value: 1 }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// Those that have a right row.
    #[default]
    Inner,
    /// All; those without a right row have NULLs.
    Left,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    /// How far apart the two are: the smallest is taken.
    #[default]
    Distance,
    /// How much they are alike: the largest is taken.
    Similarity,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// The nearest rows.
    #[default]
    Exact,
    /// Perhaps others.
    Approx,
}

impl NearestByJoin {
    fn right_name(&self) -> &str {
        self.r#as.as_ref().map_or(self.with.as_str(), |name| name.value.as_str())
    }

    fn rows(&self) -> i32 {
        i32::try_from(self.rows.value).unwrap_or(i32::MAX)
    }
}

impl TransformKind for NearestByJoin {
    fn inputs(&self) -> Vec<&StepRef> {
        vec![&self.with]
    }

    fn check(&self, checking: &mut Checking<'_>) {
        self.rank.check(Role::Value, checking.found);
        if !(1..=MOST).contains(&self.rows.value) {
            let message = format!("`rows` is a number from 1 to {MOST}");
            checking.report(Diagnostic::new(Code::Settings, self.rows.span, message));
        }
    }

    fn expressions(&self) -> Vec<&Expr> {
        vec![&self.rank]
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    /// Of rows that are equally near any is taken.
    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn names(&self) -> Names<'_> {
        Names::Wanted
    }

    fn depth(&self) -> usize {
        5
    }

    fn new_name(&self) -> Option<(&str, Span)> {
        let span = self.r#as.as_ref().map_or(self.with.span(), |name| name.span);
        Some((self.right_name(), span))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let right = relation::subquery_alias(lowering.input(self.with.as_str()), self.right_name());
        let rank = lowering.expr(&self.rank);
        if !lowering.dialect.has_nearest_by_join() {
            let key = match self.direction {
                Direction::Distance => upwards(rank.clone()),
                Direction::Similarity => downwards(rank.clone()),
            };
            let how = match self.how {
                How::Inner => JoinType::Inner,
                How::Left => JoinType::LeftOuter,
            };
            let on = Some(call("isnotnull", vec![rank]));
            return Top { how, on, order: vec![key], rows: self.rows.value }.lower(input, right);
        }
        let word = |text: &str| text.to_owned();
        relation::of(RelType::NearestByJoin(Box::new(Nearest {
            left: Some(Box::new(input)),
            right: Some(Box::new(right)),
            ranking_expression: Some(rank),
            num_results: self.rows(),
            join_type: word(match self.how {
                How::Inner => "inner",
                How::Left => "left",
            }),
            mode: word(match self.mode {
                Mode::Exact => "exact",
                Mode::Approx => "approx",
            }),
            direction: word(match self.direction {
                Direction::Distance => "distance",
                Direction::Similarity => "similarity",
            }),
        })))
    }
}
