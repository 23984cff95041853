//! `summary`: the statistics of columns that are asked for.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Dialect, Implementation};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::expression::sort_order::{NullOrdering, SortDirection};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{Relation, StatSummary};
use crate::proto::{expression, relation};
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Makes a row for each statistic of columns: `summary: [count, min, 25%, max]`.
///
/// There are `count`, `count_distinct`, `approx_count_distinct`, `mean`, `stddev`, `min`, `max` and percentiles, as `99.9%`. Bare
/// (`- summary`) it makes `count`, `mean`, `stddev`, `min`, `25%`, `50%`, `75%` and `max`. Rows come in the order in which they are asked for. Which
/// columns there are, and their types, is as with `describe`.
///
/// Percentiles differ: Spark gives one of the values, Sail one between two of them, and knows `25%`, `50%` and `75%` alone; the two
/// counts of distinct values are Spark's. `approx_quantile` is the same on both.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows: [[Ann, 34], [Bob, 12], [Cem, null]]
///     transform:
///       - summary: [max, min, count]
///     write: stdout
/// ```
///
/// ```text
/// summary | name | age
/// --------+------+----
/// max     | Cem  | 34
/// min     | Ann  | 12
/// count   | 3    | 2
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Summary(Short<SummarySettings>);

/// The settings of a summary.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct SummarySettings {
    /// The statistics, in the order of the result.
    #[schemars(extend("minItems" = 1))]
    statistics: Option<Many<Statistic>>,
    /// The columns, by their plain names, in the order of the result; without them all of numbers and of texts.
    columns: Option<Described>,
}

impl Shorthand for SummarySettings {
    const NAME: &'static str = "$pipectl::short:statistics";
}

/// A statistic: `count`, `count_distinct`, `approx_count_distinct`, `mean`, `stddev`, `min`, `max`, or a percentile, `25%`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("pattern" = "^(count|count_distinct|approx_count_distinct|mean|stddev|min|max|(100(\\.0*)?|[0-9]{1,2}(\\.[0-9]*)?)%)$"))]
struct Statistic(Spanned<String>);

const KNOWN: [&str; 7] = ["count", "count_distinct", "approx_count_distinct", "mean", "stddev", "min", "max"];
/// Without any.
const USUAL: [&str; 8] = ["count", "mean", "stddev", "min", "25%", "50%", "75%", "max"];

impl SummarySettings {
    fn statistics(&self) -> Vec<&str> {
        match &self.statistics {
            None => USUAL.to_vec(),
            Some(statistics) => statistics.iter().map(|statistic| statistic.0.value.as_str()).collect(),
        }
    }
}

/// Whether a text is a percentile that engines read: digits, perhaps a point, and a sign.
fn is_percentile(text: &str) -> bool {
    let Some(number) = text.strip_suffix('%') else { return false };
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || c == '.')
        && number.parse::<f64>().is_ok_and(|number| number <= 100.0)
}

impl TransformKind for Summary {
    fn check(&self, checking: &mut Checking<'_>) {
        let settings = &self.0.0;
        if let Some(columns) = &settings.columns {
            columns.check(checking);
        }
        let Some(statistics) = &settings.statistics else { return };
        checking.not_empty(statistics.is_empty(), "the statistics");
        let mut seen = HashSet::new();
        for Statistic(statistic) in statistics.iter() {
            let name = statistic.value.as_str();
            if !KNOWN.contains(&name) && !is_percentile(name) {
                let message = format!("there is no statistic `{name}`");
                checking.report(
                    Diagnostic::new(Code::Settings, statistic.span, message)
                        .suggest(name, KNOWN)
                        .help("a percentile is a number from 0 to 100 and a sign: `25%`"),
                );
            } else if !seen.insert(name) {
                let message = format!("`{name}` stands here twice");
                checking.report(Diagnostic::new(Code::Settings, statistic.span, message));
            }
        }
    }

    fn gap(&self, dialect: &Dialect) -> Option<String> {
        if dialect.implementation() != Implementation::Sail {
            return None;
        }
        // Sail passes over the others in silence.
        let missing = self.0.0.statistics().into_iter().find(|name| !USUAL.contains(name))?;
        Some(format!("{dialect} has no statistic `{missing}`; Spark has it"))
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.0.columns.as_ref().map(Described::names).unwrap_or_default()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        order(&self.0.0.statistics())
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let statistics = self.0.0.statistics().into_iter().map(str::to_owned).collect();
        let rows = self.0.0.statistics().len();
        Described::lower((self.0.0.columns.as_ref(), rows), input, lowering, |input| {
            relation::of(RelType::Summary(Box::new(StatSummary { input: Some(Box::new(input)), statistics })))
        })
    }
}

/// The order of the rows, which Sail makes in any.
pub(super) fn order(statistics: &[&str]) -> RowOrder<'static> {
    const COLUMN: &str = "summary";
    let names: Vec<String> = statistics.iter().map(|name| format!("'{name}'")).collect();
    let place =
        expression::expression_string(format!("array_position(array({}), {COLUMN})", names.join(", ")));
    let key = expression::sort_order(place, SortDirection::Ascending, NullOrdering::SortNullsFirst);
    RowOrder::Own { keys: vec![key], columns: vec![COLUMN.to_owned()] }
}

/// The columns that are described, by their plain names.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 1))]
pub(super) struct Described(Many<Spanned<String>>);

impl Described {
    pub(super) fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
    }

    pub(super) fn names(&self) -> Vec<&Spanned<String>> {
        self.0.iter().collect()
    }

    /// What `describe` makes of these columns, or of all, in so many rows. Spark takes no names with dots, so they have others meanwhile.
    pub(super) fn lower(
        (columns, rows): (Option<&Self>, usize),
        input: Relation,
        lowering: &Lowering<'_>,
        describe: impl FnOnce(Relation) -> Relation,
    ) -> Relation {
        // Sail moves a filter behind it to the rows that are described; past a limit, though it leaves nothing out, it moves none.
        let describe = |input| match (lowering.dialect.implementation(), i32::try_from(rows)) {
            (Implementation::Sail, Ok(rows)) => relation::limit(describe(input), rows),
            _ => describe(input),
        };
        let Some(Self(columns)) = columns else { return describe(input) };
        let number = |at: usize| format!("__{at}");
        let numbered = columns.iter().enumerate().map(|(at, column)| {
            let value = if lowering.masks.hides(column.span) {
                expression::expression_string("CAST(NULL AS STRING)")
            } else {
                expression::attribute(quoted(&column.value))
            };
            expression::alias(value, number(at))
        });
        let described = describe(relation::project(input, numbered.collect()));
        let names = columns.iter().enumerate().map(|(at, column)| (number(at), column.value.clone()));
        relation::renamed(described, names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numbers_up_to_a_hundred() {
        for (text, is) in [
            ("25%", true),
            ("99.9%", true),
            ("0%", true),
            ("100%", true),
            ("100.5%", false),
            ("25", false),
            ("%", false),
            ("-1%", false),
            ("1e1%", false),
            ("inf%", false),
            ("1.2.3%", false),
        ] {
            assert_eq!(is_percentile(text), is, "{text}");
        }
    }
}
