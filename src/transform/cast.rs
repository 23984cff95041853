//! `cast`: changes the types of columns.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::TYPE_NAMES;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::Relation;
use crate::proto::{expression, relation};
use crate::shape::Entries;
use crate::text::{Span, Spanned};

/// Changes the types of columns: `column: type`, as in `price: decimal(12,2)`.
///
/// NULL stays NULL. A value that the new type can't hold fails the run; `try_cast(… AS …)` in `with_columns` makes NULL of it. Columns
/// keep their places. A column that does not exist is a mistake.
///
/// ```yaml
/// version: 1
/// steps:
///   prices:
///     values:
///       columns: { item: string, price: string }
///       rows:
///         - [tea, "2.5"]
///         - [milk, null]
///     transform:
///       - cast: { price: "decimal(6,2)" }
///     write: stdout
/// ```
///
/// ```text
/// item | price
/// -----+------
/// tea  |  2.50
/// milk |  NULL
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minProperties" = 1, "additionalProperties" = { "title": "type", "type": "string", "minLength": 1, "examples": TYPE_NAMES }))]
pub(crate) struct Cast(Entries<Spanned<String>>);

impl TransformKind for Cast {
    fn check(&self, checking: &mut Checking<'_>) {
        checking.not_empty(self.0.is_empty(), "the columns");
        for (_, data_type) in self.0.iter() {
            if data_type.value.trim().is_empty() {
                checking.report(Diagnostic::new(Code::WrongType, data_type.span, "the type is empty"));
            }
        }
    }

    fn parts(&self) -> Vec<Span> {
        self.0.iter().map(|(_, data_type)| data_type.span).collect()
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.0.iter().map(|(column, _)| column).collect()
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Changed(Some(self.0.iter().map(|(name, _)| name.value.as_str()).collect()))
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let is_kept =
            |column: Span, data_type: Span| !lowering.masks.hides(column) && !lowering.masks.hides(data_type);
        let kept = self.0.iter().filter(|(column, data_type)| is_kept(column.span, data_type.span));
        let casts = kept.map(|(column, data_type)| {
            let value = expression::attribute(quoted(&column.value));
            (column.value.clone(), expression::cast(value, data_type.value.clone()))
        });
        relation::with_columns(input, casts)
    }
}
