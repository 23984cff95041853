//! `not_null`: columns that have a value in every row.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Violation};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::shape::Many;
use crate::text::Spanned;

/// Columns that have a value in every row.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct NotNull(Many<Spanned<String>>);

impl Kind for NotNull {
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
