//! `limit`, `offset` and `tail`: keep rows by their place.

use schemars::JsonSchema;
use serde::Deserialize;

use super::sort_orders::turn;
use super::{RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::OrderKept;
use crate::lowering::{Checking, Lowering};
use crate::proto::spark::Relation;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::expression::window::WindowFrame;
use crate::proto::spark::expression::window::window_frame::frame_boundary::Boundary;
use crate::proto::spark::expression::window::window_frame::{FrameBoundary, FrameType};
use crate::proto::{expression, relation};
use crate::text::Spanned;

/// Keeps this many rows: the first ones after a `sort`, any without.
///
/// Which rows an engine takes without a `sort` may differ from run to run.
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
///   oldest:
///     from: people
///     transform:
///       - sort: [age DESC]
///       - limit: 1
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Ann  |  34
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("maximum" = i32::MAX))]
pub(crate) struct Limit(Spanned<u64>);

/// Passes over this many rows and keeps all others: over the first ones after a `sort`, over any without.
///
/// Which rows an engine passes over without a `sort` may differ from run to run. With a `limit` after it this is a page of rows.
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
///   all_but_the_youngest:
///     from: people
///     transform:
///       - sort: [age NULLS LAST]
///       - offset: 1
///     write: stdout
/// ```
///
/// ```text
/// name |  age
/// -----+-----
/// Ann  |   34
/// Cem  | NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("maximum" = i32::MAX))]
pub(crate) struct Offset(Spanned<u64>);

/// Keeps this many rows: the last ones after a `sort`, any without. They stay in their order.
///
/// Which rows an engine takes without a `sort` may differ from run to run. Spark puts all rows in order for it: on large data, reverse
/// the `sort` and take a `limit`.
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
///         - [Cem, 7]
///   last_two:
///     from: people
///     transform:
///       - sort: [name]
///       - tail: 2
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Bob  |  12
/// Cem  |   7
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("maximum" = i32::MAX))]
pub(crate) struct Tail(Spanned<u64>);

/// The column that says which row it is, until it is kept.
const PLACE: &str = "pipectl_place_of_row";

/// Reports a count that is larger than engines bear.
fn check(count: &Spanned<u64>, what: &str, checking: &mut Checking<'_>) {
    if i32::try_from(count.value).is_err() {
        let message = format!("engines take {what} up to {}", i32::MAX);
        checking.report(Diagnostic::new(Code::Settings, count.span, message));
    }
}

/// The count as the protocol writes it.
fn sent(count: &Spanned<u64>) -> i32 {
    i32::try_from(count.value).unwrap_or(i32::MAX)
}

impl TransformKind for Limit {
    fn check(&self, checking: &mut Checking<'_>) {
        check(&self.0, "limits", checking);
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Decisive
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        relation::limit(lowering.in_order(input), sent(&self.0))
    }
}

impl TransformKind for Offset {
    fn check(&self, checking: &mut Checking<'_>) {
        check(&self.0, "offsets", checking);
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Decisive
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        match lowering.dialect.order() {
            OrderKept::Not if !lowering.is_limited => others(input, sent(&self.0), lowering),
            OrderKept::Not | OrderKept::Through => relation::offset(lowering.in_order(input), sent(&self.0)),
        }
    }
}

impl TransformKind for Tail {
    fn check(&self, checking: &mut Checking<'_>) {
        check(&self.0, "tails", checking);
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Decisive
    }

    fn work(&self) -> Work {
        Work::Undetermined
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let rows = sent(&self.0);
        if !lowering.order.is_empty() {
            let mut order = lowering.order.to_vec();
            order.iter_mut().for_each(turn);
            return relation::limit(lowering.branches.sort(input, &order), rows);
        }
        match lowering.dialect.order() {
            OrderKept::Not => last(relation::limit(input, i32::MAX), rows),
            OrderKept::Through => last(input, rows),
        }
    }
}

/// All rows but the first on an engine that sorts for an offset only where what follows wants that order. The rows are counted in their
/// order, or, where their keys are gone, a limit holds the sort that was made before.
fn others(input: Relation, rows: i32, lowering: &Lowering<'_>) -> Relation {
    if lowering.order.is_empty() {
        return relation::limit(relation::offset(input, rows), i32::MAX);
    }
    // `row_number()` is an `int` there.
    let count = expression::expression_string("count(1)");
    let boundary = |boundary| Some(Box::new(FrameBoundary { boundary: Some(boundary) }));
    let until_here = WindowFrame {
        frame_type: FrameType::Row.into(),
        lower: boundary(Boundary::Unbounded(true)),
        upper: boundary(Boundary::CurrentRow(true)),
    };
    let place = expression::window(count, Vec::new(), lowering.order.to_vec(), Some(until_here));
    let numbered = relation::with_columns(input, [(PLACE.to_owned(), place)]);
    let kept = relation::filter(numbered, expression::expression_string(format!("{PLACE} > {rows}")));
    relation::drop(kept, vec![PLACE.to_owned()])
}

/// The last rows by numbers, which grow in the order that rows have: by partition, then by place in it.
fn last(input: Relation, rows: i32) -> Relation {
    let number = expression::expression_string("monotonically_increasing_id()");
    let numbered = relation::with_columns(input, [(PLACE.to_owned(), number)]);
    let by_place = |input, direction| {
        let place = expression::attribute(PLACE);
        relation::sort(input, vec![expression::sort_order(place, direction, NullOrdering::SortNullsLast)])
    };
    let last = relation::limit(by_place(numbered, SortDirection::Descending), rows);
    relation::drop(by_place(last, SortDirection::Ascending), vec![PLACE.to_owned()])
}
