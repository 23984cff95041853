//! `not_null`: columns that have a value in every row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ExpectationKind, Violation};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::shape::Many;
use crate::text::Spanned;

/// Columns that have a value in every row.
///
/// The rows of the step are counted before anything is made of them. Where some lack a value the step fails, and nothing that needs it
/// is done; with `on_fail: warn` it is told, and the run goes on. A column that does not exist is a mistake.
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
///   known:
///     from: people
///     transform:
///       - filter: age IS NOT NULL
///     expect:
///       - not_null: [name, age]
///     write: stdout
/// ```
///
/// ```text
/// name | age
/// -----+----
/// Ann  |  34
/// Bob  |  12
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 1))]
pub(crate) struct NotNull(Many<Spanned<String>>);

impl ExpectationKind for NotNull {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.iter().collect()
    }

    fn violations(&self, _lowering: &Lowering<'_>) -> Vec<Violation> {
        let violation = |column: &Spanned<String>| Violation {
            expected: format!("not_null: {}", column.value),
            condition: format!("{} IS NULL", quoted(&column.value)),
        };
        self.0.iter().map(violation).collect()
    }
}
