//! `to_schema`: brings the rows into a schema.
//!
//! Sail leaves a column under its old spelling where its type stays, so that columns are named again there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Names, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Implementation;
use crate::expr::TYPE_NAMES;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::relation;
use crate::proto::spark::data_type::{Kind as DataKind, Unparsed};
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{DataType, Relation, ToSchema as Shaped};
use crate::shape::Entries;
use crate::text::{Span, Spanned};

/// Brings the rows into a schema: these columns, in this order, with these types; all others are gone.
///
/// A column that does not exist is a mistake, and its name is spelt as it stands here. Spark refuses a type that does not hold every
/// value of the old one, such as `int` for a `string`, before any data is read; Sail casts it, and fails where a value does not fit. `cast`
/// changes types on both, and keeps the other columns.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values: { columns: { name: string, age: int, note: string }, rows: [[Ann, 34, tall]] }
///     transform:
///       - to_schema: { age: bigint, NAME: string }
///     write: stdout
/// ```
///
/// ```text
/// age | NAME
/// ----+-----
///  34 | Ann
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(extend("minProperties" = 1, "additionalProperties" = { "title": "type", "type": "string", "minLength": 1, "examples": TYPE_NAMES }))]
pub(crate) struct ToSchema(Entries<Spanned<String>>);

impl TransformKind for ToSchema {
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
        RowOrder::Changed(None)
    }

    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let is_kept = |(column, data_type): &&(Spanned<String>, Spanned<String>)| {
            !lowering.masks.hides(column.span) && !lowering.masks.hides(data_type.span)
        };
        let kept = || self.0.iter().filter(is_kept);
        let columns =
            kept().map(|(column, data_type)| format!("{} {}", quoted(&column.value), data_type.value));
        let columns: Vec<String> = columns.collect();
        if columns.is_empty() {
            return input;
        }
        let schema =
            DataType { kind: Some(DataKind::Unparsed(Unparsed { data_type_string: columns.join(", ") })) };
        let shaped = relation::of(RelType::ToSchema(Box::new(Shaped {
            input: Some(Box::new(input)),
            schema: Some(schema),
        })));
        match lowering.dialect.implementation() {
            Implementation::Sail => {
                relation::to_df(shaped, kept().map(|(column, _)| column.value.clone()).collect())
            }
            Implementation::Spark => shaped,
        }
    }
}
