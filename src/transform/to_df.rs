//! `to_df`: gives all columns new names, by their order.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Many;
use crate::text::Spanned;

/// Gives all columns new names, by their order: `to_df: [id, name]`.
///
/// There are as many names as columns. To rename some of them, use `rename`. Columns have no qualifier (`people.age`) any more.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values: { columns: { _c0: string, _c1: int }, rows: [[Ann, 34]] }
///     transform:
///       - to_df: [name, age]
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
#[schemars(extend("minItems" = 1))]
pub(crate) struct ToDf(Many<Spanned<String>>);

impl TransformKind for ToDf {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the names");
        for (at, name) in self.0.iter().enumerate() {
            if name.value.is_empty() {
                checking.report(Diagnostic::new(Code::Settings, name.span, "the name is empty"));
                continue;
            }
            let is_same = |other: &&Spanned<String>| other.value.to_lowercase() == name.value.to_lowercase();
            if let Some(first) = self.0.iter().take(at).find(is_same) {
                let message = format!("two columns would be called `{}`", name.value);
                checking.report(
                    Diagnostic::new(Code::Settings, name.span, message).related(first.span, "the other one"),
                );
            }
        }
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Renamed
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::to_df(input, self.0.iter().map(|name| name.value.clone()).collect())
    }
}
