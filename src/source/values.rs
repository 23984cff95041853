//! `values`: rows that stand in the file.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::SourceKind;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Bound, TYPE_NAMES, Type};
use crate::local;
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::Relation;
use crate::proto::{expression, relation};
use crate::secret::Plain;
use crate::shape::Entries;
use crate::text::{Span, Spanned};

/// A value for each column, or nothing.
type Row = Spanned<Vec<Option<Spanned<Plain>>>>;

/// Begins with rows that stand in the file.
///
/// Each value is cast to its column's type as SQL casts text, so `2026-01-31` is a date where the column says so; one that can't be
/// cast fails the run. `null` is NULL, and in quotes the word. Types are single values; build arrays, maps and structs from text with
/// `from_json` in `with_columns`.
///
/// ```yaml
/// version: 1
/// steps:
///   days:
///     values:
///       columns: { day: date, price: "decimal(6,2)", note: string }
///       rows:
///         - [2026-01-31, 9.5, null]
///         - [2026-02-01, 12, sold out]
///     write: stdout
/// ```
///
/// ```text
/// day        | price | note
/// -----------+-------+---------
/// 2026-01-31 |  9.50 | NULL
/// 2026-02-01 | 12.00 | sold out
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(crate) struct Values {
    /// The columns: `name: type`.
    #[schemars(extend("minProperties" = 1, "additionalProperties" = { "title": "type", "type": "string", "examples": TYPE_NAMES }))]
    columns: Spanned<Entries<Spanned<String>>>,
    /// The rows, each a list with a value for each column; `null` for none.
    rows: Vec<Row>,
}

impl Values {
    /// What a row has in a column, as every engine casts it: of an interval its literal, since each reads other texts.
    fn cell<'r>(row: &'r Row, at: usize, interval: Option<&Type>) -> Option<Cow<'r, str>> {
        let text = row.value.get(at)?.as_ref()?.value.expose();
        let literal = |data_type: &Type| {
            let value = data_type.value(text).ok()?;
            Some(Bound { name: String::new(), data_type: data_type.clone(), value }.literal())
        };
        Some(interval.and_then(literal).map_or(Cow::Borrowed(text), Cow::Owned))
    }

    /// The types of those columns that are intervals.
    fn intervals(&self) -> Vec<Option<Type>> {
        let interval = |data_type: &&Spanned<String>| {
            Type::parse(&data_type.value)
                .filter(|data_type| matches!(data_type, Type::DayTime | Type::Months))
        };
        self.types().iter().map(interval).collect()
    }

    /// The value in a row and a column, and the column's type.
    pub(crate) fn value(&self, row: usize, column: usize) -> Option<(&Spanned<Plain>, &str)> {
        let value = self.rows.get(row)?.value.get(column)?.as_ref()?;
        let (_, data_type) = self.columns.value.get(column)?;
        Some((value, data_type.value.as_str()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The columns' types, as they stand in the file.
    pub(crate) fn types(&self) -> Vec<&Spanned<String>> {
        self.columns.value.iter().map(|(_, data_type)| data_type).collect()
    }

    /// The rows that have a value in one of these columns that is none of the column's type: their numbers, then for each column whether
    /// it is that one.
    pub(crate) fn trial(&self, tried: &[usize], lowering: &Lowering<'_>) -> Relation {
        const NUMBER: &str = "row";
        let names: Vec<String> = tried.iter().map(|column| format!("c{column}")).collect();
        let columns: Vec<&str> = std::iter::once(NUMBER).chain(names.iter().map(String::as_str)).collect();
        let numbers: Vec<(String, &Row)> =
            self.rows.iter().enumerate().map(|(number, row)| (number.to_string(), row)).collect();
        let intervals = self.intervals();
        let (batch, ddl) =
            local::text_rows(&columns, &numbers, |(number, row), at| match at.checked_sub(1) {
                None => Some(Cow::Borrowed(number.as_str())),
                Some(at) => Self::cell(row, tried[at], intervals[tried[at]].as_ref()),
            });
        let types = self.types();
        let wrong: Vec<String> = tried
            .iter()
            .zip(&names)
            .map(|(column, name)| {
                format!("({name} IS NOT NULL AND try_cast({name} AS {}) IS NULL)", types[*column].value)
            })
            .collect();
        let schema = batch.schema();
        let rows = relation::filter(
            lowering.rows([batch], &schema, ddl),
            expression::expression_string(wrong.join(" OR ")),
        );
        let shown = std::iter::once(NUMBER.to_owned()).chain(wrong);
        relation::project(rows, shown.map(expression::expression_string).collect())
    }
}

impl SourceKind for Values {
    fn check(&self, checking: &mut Checking<'_>) {
        let columns = &self.columns.value;
        if columns.is_empty() {
            checking.report(Diagnostic::new(Code::Settings, self.columns.span, "there are no columns"));
        }
        for (column, data_type) in columns.iter() {
            let nested = ["array", "map", "struct", "variant"];
            if nested.iter().any(|kind| data_type.value.trim().to_lowercase().starts_with(kind)) {
                let message =
                    format!("the column `{}` has a nested type, and values are single", column.value);
                checking.report(
                    Diagnostic::new(Code::Settings, data_type.span, message)
                        .help("read it as a string and build it with `from_json` in `with_columns`"),
                );
            }
        }
        for row in &self.rows {
            if row.value.len() != columns.len() {
                let count = |count: usize, what: &str| match count {
                    1 => format!("1 {what}"),
                    count => format!("{count} {what}s"),
                };
                let (values, columns) = (count(row.value.len(), "value"), count(columns.len(), "column"));
                let message = format!("the row has {values} for {columns}");
                checking.report(
                    Diagnostic::new(Code::Settings, row.span, message)
                        .help("a row has a value for each column, `null` for none"),
                );
            }
        }
    }

    fn parts(&self) -> Vec<Span> {
        self.columns.value.iter().map(|(_, data_type)| data_type.span).collect()
    }

    /// The values travel as text and are cast by the engine, so that every type reads as it does in SQL.
    fn lower(&self, _schema: Option<&str>, lowering: &Lowering<'_>) -> Relation {
        let columns: Vec<&str> = self.columns.value.iter().map(|(name, _)| name.value.as_str()).collect();
        let casts = self.columns.value.iter().map(|(name, data_type)| {
            let column = expression::attribute(quoted(&name.value));
            let value = if lowering.masks.hides(data_type.span) {
                column
            } else {
                expression::cast(column, data_type.value.clone())
            };
            expression::alias(value, name.value.clone())
        });
        let intervals = self.intervals();
        let (batch, ddl) = local::text_rows(&columns, &self.rows, |row, at| {
            Self::cell(row, at, intervals.get(at).and_then(Option::as_ref))
        });
        let schema = batch.schema();
        relation::project(lowering.rows([batch], &schema, ddl), casts.collect())
    }
}
