//! `that`: a condition that holds for every row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ExpectationKind, Violation};
use crate::expr::{Expr, Role};
use crate::lowering::{Checking, Lowering};

/// A condition that is false for no row. As in SQL's `CHECK`, a row for which it is NULL passes; see `not_null`.
///
/// With `on_fail: warn` rows for which it is false are counted in a warning, and all rows go on.
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
///   checked:
///     from: people
///     expect:
///       - that: age >= 18
///         on_fail: warn
///     write: stdout
/// ```
///
/// ```text
/// name |  age
/// -----+-----
/// Ann  |   34
/// Bob  |   12
/// Cem  | NULL
/// ```
///
/// ```messages
/// warning  checked: `that: age >= 18` does not hold for 1 of 3 rows
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct That(Expr);

impl ExpectationKind for That {
    fn check(&self, checking: &mut Checking<'_>) {
        self.0.check(Role::Value, checking.found);
    }

    fn expressions(&self) -> Vec<&Expr> {
        vec![&self.0]
    }

    fn violations(&self, lowering: &Lowering<'_>) -> Vec<Violation> {
        let sql = lowering.sql(&self.0);
        // The line break ends a comment on the expression's last line.
        vec![Violation {
            expected: format!("that: {}", self.0.told(lowering.bindings)),
            condition: format!("NOT ({sql}\n)"),
        }]
    }
}
