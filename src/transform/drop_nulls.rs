//! `drop_nulls`: removes rows that lack values.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TransformKind;
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::{Many, Short, Shorthand};
use crate::text::Spanned;

/// Removes rows that have NULL in any column: `- drop_nulls`; or in any of these: `drop_nulls: [a, b]`.
///
/// What is not a number (`NaN`) counts as NULL. A column that does not exist is a mistake.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int, town: string }
///       rows:
///         - [Ann, 34, Ulm]
///         - [Bob, null, Bonn]
///         - [null, null, Jena]
///     transform:
///       - drop_nulls: { columns: [name, age], how: all }
///     write: stdout
/// ```
///
/// ```text
/// name |  age | town
/// -----+------+-----
/// Ann  |   34 | Ulm
/// Bob  | NULL | Bonn
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct DropNulls(Short<DropNullsSettings>);

/// Which rows are removed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(extend("not" = { "required": ["how", "min_non_nulls"] }))]
struct DropNullsSettings {
    /// The columns that are looked at; all where not given.
    #[schemars(extend("minItems" = 1))]
    columns: Option<Many<Spanned<String>>>,
    /// Whether one NULL is enough, or all must be.
    #[schemars(extend("default" = "any"))]
    how: Option<Spanned<How>>,
    /// How many of the columns must have a value for a row to stay.
    #[schemars(extend("minimum" = 1, "maximum" = i32::MAX))]
    min_non_nulls: Option<Spanned<u64>>,
}

impl Shorthand for DropNullsSettings {
    const NAME: &'static str = "$pipectl::short:columns";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum How {
    /// A row with any NULL is removed.
    Any,
    /// A row with nothing but NULLs is removed.
    All,
}

impl DropNulls {
    fn columns(&self) -> &[Spanned<String>] {
        self.0.0.columns.as_deref().unwrap_or_default()
    }
}

impl TransformKind for DropNulls {
    fn check(&self, checking: &mut Checking<'_>) {
        let DropNullsSettings { columns, how, min_non_nulls } = &self.0.0;
        checking.not_empty(columns.as_ref().is_some_and(|columns| columns.is_empty()), "the columns");
        let Some(least) = min_non_nulls else { return };
        if how.is_some() {
            checking.report(
                checking
                    .exclusive("min_non_nulls", "how")
                    .help("`how: any` wants a value in each column, `how: all` in one of them"),
            );
        }
        let message = match i32::try_from(least.value) {
            Ok(0) => "a row with 0 values or more is any row: this removes none".to_owned(),
            Err(_) => format!("no row has more than {} values", i32::MAX),
            Ok(_) => match self.columns().len() {
                0 => return,
                count if least.value <= count as u64 => return,
                1 => "no row has so many values in 1 column".to_owned(),
                count => format!("no row has so many values in {count} columns"),
            },
        };
        checking.report(Diagnostic::new(Code::Settings, least.span, message));
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.columns().iter().collect()
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let kept = self.columns().iter().filter(|column| !lowering.masks.hides(column.span));
        let columns = kept.map(|column| lowering.dialect.column_of_nulls(&column.value)).collect();
        let DropNullsSettings { how, min_non_nulls, .. } = &self.0.0;
        let least = match (min_non_nulls, how.as_ref().map(|how| how.value)) {
            (Some(least), _) => Some(i32::try_from(least.value).unwrap_or(i32::MAX)),
            (None, Some(How::All)) => Some(1),
            (None, Some(How::Any) | None) => None,
        };
        relation::drop_nulls(input, columns, least)
    }
}
