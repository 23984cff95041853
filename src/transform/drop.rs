//! `drop`: removes columns.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Checking, Lowering};
use crate::name::unqualified;
use crate::proto::relation;
use crate::proto::spark::Relation;
use crate::shape::Many;
use crate::text::Spanned;

/// Removes columns, by their plain names. A column that does not exist is a mistake.
///
/// A qualified name (`people.age`) is a mistake too: engines would remove nothing, and say nothing. Of two columns with one name keep
/// one with `select`.
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
///   names:
///     from: people
///     transform:
///       - drop: [age]
///     write: stdout
/// ```
///
/// ```text
/// name
/// ----
/// Ann
/// Bob
/// Cem
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minItems" = 1))]
pub(crate) struct Drop(Many<Spanned<String>>);

impl TransformKind for Drop {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for column in self.0.iter() {
            if let Some(plain) = unqualified(&column.value) {
                let message = format!("`{}` is not a plain column name", column.value);
                checking.report(
                    Diagnostic::new(Code::Settings, column.span, message)
                        .label("engines would drop nothing, and say nothing")
                        .help(format!(
                            "write `{plain}`; of two columns with one name keep one with `select`"
                        )),
                );
            }
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.iter().collect()
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Changed(Some(self.0.iter().map(|name| name.value.as_str()).collect()))
    }

    fn lower(&self, input: Relation, _lowering: &Lowering<'_>) -> Relation {
        relation::drop(input, self.0.iter().map(|column| column.value.clone()).collect())
    }
}
