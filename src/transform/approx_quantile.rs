//! `approx_quantile`: the values below which given parts of a column lie.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind, Work};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::expr::double;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::{Expression, Relation};
use crate::proto::{expression, relation};
use crate::shape::Many;
use crate::text::{Span, Spanned};

/// Makes a row for each probability: the value of each column below or at which that part of its rows lies. 0.5 is the median.
///
/// The columns are `probability`, then those that are named, as doubles. Each is one of the column's values, never one between two. NULL and
/// NaN do not count; a column without values has NULL. Columns of numbers are taken, and of texts that are numbers.
///
/// `relative_error` says how far off the rank may be: of 1,000 rows and with 0.01 the median is one of the values from the 490th to the
/// 510th. Spark gets by with less memory where it may err more. Sail is always exact. Python's `df.approxQuantile` gives the same values as a
/// list of lists.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { age: int, size: double }
///       rows: [[34, 1.7], [12, 1.4], [51, 1.9], [null, 1.6]]
///     transform:
///       - approx_quantile:
///           columns: [age, size]
///           probabilities: [0.5, 1]
///     write: stdout
/// ```
///
/// ```text
/// probability |  age | size
/// ------------+------+-----
///         0.5 | 34.0 |  1.6
///         1.0 | 51.0 |  1.9
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct ApproxQuantile {
    /// The columns, by their plain names.
    #[schemars(extend("minItems" = 1))]
    columns: Many<Spanned<String>>,
    /// The parts: numbers from 0, the least value, to 1, the greatest.
    #[schemars(extend("minItems" = 1))]
    probabilities: Many<Part>,
    /// How far off the rank may be, as a part of the rows; 0 is exact.
    #[schemars(extend("default" = 0.0001))]
    relative_error: Option<Part>,
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("minimum" = 0, "maximum" = 1))]
struct Part(Spanned<f64>);

impl Part {
    fn check(&self, what: &str, checking: &mut Checking<'_>) {
        if !(0.0..=1.0).contains(&self.0.value) {
            let message = format!("{what} is a number from 0 to 1, and this is {}", self.0.value);
            checking.report(Diagnostic::new(Code::Settings, self.0.span, message));
        }
    }
}

/// What SQL's own function takes where nothing is said.
const USUAL_ERROR: f64 = 0.0001;

impl ApproxQuantile {
    /// How exact Spark is to be: the inverse of the error.
    fn accuracy(&self) -> i64 {
        let error = self.relative_error.as_ref().map_or(USUAL_ERROR, |error| error.0.value);
        #[expect(clippy::cast_possible_truncation, reason = "a number too large becomes the largest")]
        let accuracy = (1.0 / error).ceil() as i64;
        accuracy.clamp(1, i64::from(i32::MAX))
    }

    /// A column's quantiles as an array.
    fn quantiles(&self, column: &Spanned<String>, lowering: &Lowering<'_>) -> String {
        if lowering.masks.hides(column.span) {
            let nulls = vec!["CAST(NULL AS DOUBLE)"; self.probabilities.len()];
            return format!("array({})", nulls.join(", "));
        }
        let number = format!("CAST({} AS DOUBLE)", quoted(&column.value));
        let number = format!("CASE WHEN NOT isnan({number}) THEN {number} END");
        let parts = self.probabilities.iter().map(|part| double(part.0.value));
        match lowering.dialect.implementation() {
            Implementation::Spark => {
                let parts: Vec<String> = parts.collect();
                format!("percentile_approx({number}, array({}), {})", parts.join(", "), self.accuracy())
            }
            // Its approximate one interpolates.
            Implementation::Sail => {
                let each =
                    parts.map(|part| format!("percentile_disc({part}) WITHIN GROUP (ORDER BY {number})"));
                format!("array({})", each.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl TransformKind for ApproxQuantile {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.columns.is_empty(), "the columns");
        checking.not_empty(self.probabilities.is_empty(), "the probabilities");
        for part in self.probabilities.iter() {
            part.check("a probability", checking);
        }
        if let Some(error) = &self.relative_error {
            error.check("the error", checking);
        }
    }

    fn parts(&self) -> Vec<Span> {
        self.columns.iter().map(|column| column.span).collect()
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.columns.iter().collect()
    }

    fn may_repeat_columns(&self) -> bool {
        true
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Gone
    }

    fn work(&self) -> Work {
        Work::Heavy
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    /// The relation that Spark has for it reads all rows while it is analysed, so that this is an aggregate.
    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let text = |text: String| -> Expression { expression::expression_string(text) };
        let name = |at: usize| format!("__{at}");
        let arrays = self.columns.iter().enumerate();
        let arrays =
            arrays.map(|(at, column)| expression::alias(text(self.quantiles(column, lowering)), name(at)));
        let all = relation::aggregate(input, Vec::new(), arrays.collect());
        let rows = self.probabilities.iter().enumerate().map(|(row, part)| {
            let columns = self.columns.iter().enumerate();
            let columns =
                columns.map(|(at, column)| format!("{}[{row}] AS {}", name(at), quoted(&column.value)));
            let columns: Vec<String> =
                std::iter::once(format!("{} AS probability", double(part.0.value))).chain(columns).collect();
            format!("struct({})", columns.join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        relation::project(all, vec![text(format!("inline(array({rows}))"))])
    }
}
