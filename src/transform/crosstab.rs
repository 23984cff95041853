//! `crosstab`: counts how often the values of two columns meet.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::dialect::{Implementation, OrderKept};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::aggregate::{GroupType, Pivot};
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::expression::{Literal, SortOrder};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Aggregate, Expression, NaFill, Relation, StatCrosstab};
use crate::proto::{expression, relation};
use crate::text::{Span, Spanned};

/// Counts how often each value of one column meets each value of another.
///
/// There is a row for each value of the one, and a column for each of the other.
/// The first column is named after both, as in `town_color`; its values and the names of the others are texts, and NULL is `null`. Rows are
/// in order of the first column, the other columns in order of their names. What never meets is 0.
///
/// Which columns there are is known only when the rows are: **this reads the data while it is checked**, on every engine, so that
/// `pipectl check` takes as long as the input does. Spark takes 10,000 columns at most (`spark.sql.pivotMaxValues`).
///
/// ```yaml
/// version: 1
/// steps:
///   cars:
///     values:
///       columns: { town: string, color: string }
///       rows: [[Ulm, red], [Ulm, red], [Jena, blue], [Ulm, null]]
///     transform:
///       - crosstab: { rows: town, columns: color }
///     write: stdout
/// ```
///
/// ```text
/// town_color | blue | null | red
/// -----------+------+------+----
/// Jena       |    1 |    0 |   0
/// Ulm        |    0 |    1 |   2
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Crosstab {
    /// The column whose values become rows, by its plain name.
    rows: Spanned<String>,
    /// The column whose values become columns, by its plain name.
    columns: Spanned<String>,
}

/// Names that no value is likely to have, since the values become names beside them.
const ROW: &str = "__row";
const COLUMN: &str = "__column";

impl Crosstab {
    /// The name of the first column.
    fn name(&self) -> String {
        format!("{}_{}", self.rows.value, self.columns.value)
    }

    fn key(&self) -> SortOrder {
        let name = expression::attribute(quoted(&self.name()));
        expression::sort_order(name, SortDirection::Ascending, NullOrdering::SortNullsFirst)
    }
}

impl TransformKind for Crosstab {
    fn check(&self, _checking: &mut Checking<'_>) {}

    fn parts(&self) -> Vec<Span> {
        vec![self.rows.span, self.columns.span]
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        vec![&self.rows, &self.columns]
    }

    fn columns_come_from_rows(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Own { keys: vec![self.key()], columns: vec![self.name()] }
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let text = |column: &Spanned<String>, name: &str| {
            let text = if lowering.masks.hides(column.span) {
                "'null'".to_owned()
            } else {
                format!("coalesce(CAST({} AS STRING), 'null')", quoted(&column.value))
            };
            expression::alias(expression::expression_string(text), name)
        };
        let input = relation::project(input, vec![text(&self.rows, ROW), text(&self.columns, COLUMN)]);
        let (made, first) = match lowering.dialect.implementation() {
            Implementation::Spark => (
                relation::of(RelType::Crosstab(Box::new(StatCrosstab {
                    input: Some(Box::new(input)),
                    col1: ROW.to_owned(),
                    col2: COLUMN.to_owned(),
                }))),
                format!("{ROW}_{COLUMN}"),
            ),
            // Sail's own has its columns in another order each time that it is asked.
            Implementation::Sail => (counted(input), ROW.to_owned()),
        };
        let made = relation::renamed(made, [(first, self.name())]);
        match lowering.dialect.order() {
            OrderKept::Through => relation::sort(made, vec![self.key()]),
            OrderKept::Not => made,
        }
    }
}

/// The same as a pivot: how many rows there are, and 0 where there are none.
fn counted(input: Relation) -> Relation {
    let attribute = |name: &str| -> Expression { expression::attribute(quoted(name)) };
    let pivot = relation::of(RelType::Aggregate(Box::new(Aggregate {
        input: Some(Box::new(input)),
        group_type: GroupType::Pivot.into(),
        grouping_expressions: vec![attribute(ROW)],
        aggregate_expressions: vec![expression::alias(expression::expression_string("count(*)"), "count")],
        pivot: Some(Pivot { col: Some(attribute(COLUMN)), values: Vec::new() }),
        grouping_sets: Vec::new(),
    })));
    let zero = Literal { data_type: None, literal_type: Some(LiteralType::Long(0)) };
    relation::of(RelType::FillNa(Box::new(NaFill {
        input: Some(Box::new(pivot)),
        cols: Vec::new(),
        values: vec![zero],
    })))
}
