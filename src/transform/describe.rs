//! `describe`: what columns hold, in five rows.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::Described;
use super::{Names, RowOrder, TransformKind, Work};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, StatDescribe};
use crate::shape::{Short, Shorthand};
use crate::text::Spanned;

/// Makes five rows that say what columns hold: `count`, `mean`, `stddev`, `min` and `max`, in this order.
///
/// Bare (`- describe`) it takes all columns of numbers and of texts, else those that are named: `describe: [age]`. Columns of other types
/// (dates, truths, nested ones) are left out, even when they are named. The first column, `summary`, names the row; all are texts. `count` does
/// not count NULL, and a text has no mean. On Spark a column with a dot in its name must be named.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows: [[Ann, 34], [Bob, 12], [Cem, null]]
///     transform:
///       - describe: [age, name]
///     write: stdout
/// ```
///
/// ```text
/// summary | age                | name
/// --------+--------------------+-----
/// count   | 2                  | 3
/// mean    | 23.0               | NULL
/// stddev  | 15.556349186104045 | NULL
/// min     | 12                 | Ann
/// max     | 34                 | Cem
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Describe(Short<DescribeSettings>);

/// The settings of a description.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct DescribeSettings {
    /// The columns, by their plain names, in the order of the result; without them all of numbers and of texts.
    columns: Option<Described>,
}

impl Shorthand for DescribeSettings {
    const NAME: &'static str = "$pipectl::short:columns";
}

const STATISTICS: [&str; 5] = ["count", "mean", "stddev", "min", "max"];

impl TransformKind for Describe {
    fn check(&self, checking: &mut Checking<'_>) {
        if let Some(columns) = &self.0.0.columns {
            columns.check(checking);
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.columns.as_ref().map(Described::names).unwrap_or_default()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        super::summary::order(&STATISTICS)
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        Described::lower((self.0.0.columns.as_ref(), STATISTICS.len()), input, lowering, |input| {
            relation::of(RelType::Describe(Box::new(StatDescribe {
                input: Some(Box::new(input)),
                cols: Vec::new(),
            })))
        })
    }
}
