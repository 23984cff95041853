//! `fill_nulls`: puts a value where there is none.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

use super::{Names, Placed, RowOrder, TransformKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Bindings, Constant, Type, Value};
use crate::lowering::{Checking, Lowering};
use crate::name::quoted;
use crate::proto::spark::Relation;
use crate::proto::spark::expression::Literal;
use crate::proto::spark::expression::literal::LiteralType;
use crate::proto::{expression, relation};
use crate::shape::Entries;
use crate::text::{SPANNED, Span, Spanned};

/// Puts a value where there is none: `fill_nulls: { column: value }`, or `0` for all columns that it fits.
///
/// It holds values, and no expressions: what stands in quotes is a text, `0` a number, `2026-01-31` a date; variables work. A column keeps
/// its type; a qualifier that a join gave is gone. A value that does not fit its column is a mistake, and so is a column that does not exist.
///
/// One value for all columns fills those of its kind and passes over the others: a number fills columns of numbers, where whole
/// numbers lose its fraction; a text columns of texts, `true` and `false` those of truths. A date fills only columns that are named. A number
/// that is too large for a column fails on Spark, and leaves NULL on Sail. What is not a number (`NaN`) counts as NULL where a number is put.
/// To fill a column by another one, write `coalesce(a, b)` in `with_columns`.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int, since: date }
///       rows:
///         - [Ann, 34, 2020-01-01]
///         - [null, null, null]
///     transform:
///       - fill_nulls: { name: nobody, since: 1970-01-01 }
///       - fill_nulls: 0
///     write: stdout
/// ```
///
/// ```text
/// name   | age | since
/// -------+-----+-----------
/// Ann    |  34 | 2020-01-01
/// nobody |   0 | 1970-01-01
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct FillNulls(Filled);

/// What is filled.
#[derive(Debug, Clone)]
enum Filled {
    /// In all columns that it fits.
    All(Constant),
    /// In these columns.
    Columns(Entries<Constant>),
}

/// A value as relations for missing values take it; nothing where they don't.
pub(super) fn plain(value: &Value) -> Option<Literal> {
    let literal_type = match value {
        Value::Boolean(value) => LiteralType::Boolean(*value),
        Value::Integer(number) => LiteralType::Long(*number),
        Value::Float(number) => LiteralType::Double(number.to_string().parse().ok()?),
        Value::Double(number) => LiteralType::Double(*number),
        Value::Decimal(digits) => LiteralType::Double(digits.parse().ok()?),
        Value::Text(text) => LiteralType::String(text.clone()),
        Value::Secret(secret) => LiteralType::String(secret.expose().to_owned()),
        Value::Binary(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Timestamp(_)
        | Value::Instant(_)
        | Value::Months(_)
        | Value::Micros(_)
        | Value::Identifier(_)
        | Value::List(_) => return None,
    };
    Some(Literal { data_type: None, literal_type: Some(literal_type) })
}

/// Reports a decimal that loses digits on its way.
pub(super) fn check_digits(constant: &Constant, bindings: &Bindings, checking: &mut Checking<'_>) {
    if let Some((Type::Decimal { .. }, Value::Decimal(digits))) = constant.value(bindings)
        && digits.parse::<f64>().is_ok_and(|number| number.to_string() != *digits)
    {
        let message = format!("`{digits}` has more digits than engines take here");
        checking.report(
            Diagnostic::new(Code::Settings, constant.span(), message)
                .help("write it as an expression in `with_columns`: `coalesce(…)`, `CASE … END`"),
        );
    }
}

impl FillNulls {
    fn columns(&self) -> &[(Spanned<String>, Constant)] {
        match &self.0 {
            Filled::All(_) => &[],
            Filled::Columns(columns) => columns,
        }
    }
}

impl TransformKind for FillNulls {
    fn check(&self, checking: &mut Checking<'_>) {
        let bindings = checking.bindings;
        match &self.0 {
            Filled::All(constant) => {
                constant.check(bindings, checking.found);
                check_digits(constant, bindings, checking);
                if let Some((data_type, value)) = constant.value(bindings)
                    && plain(value).is_none()
                    && !matches!(value, Value::Identifier(_) | Value::List(_))
                {
                    let message = format!("a {data_type} fills only columns that are named");
                    checking.report(
                        Diagnostic::new(Code::Settings, constant.span(), message)
                            .help(format!("name them: `fill_nulls: {{ column: {value} }}`")),
                    );
                }
            }
            Filled::Columns(columns) => {
                checking.not_empty(columns.is_empty(), "the columns");
                for (_, constant) in columns.iter() {
                    constant.check(bindings, checking.found);
                    check_digits(constant, bindings, checking);
                }
            }
        }
    }

    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        self.columns().iter().map(|(column, _)| column).collect()
    }

    fn values(&self, _bindings: &Bindings) -> Vec<Placed<'_>> {
        let placed =
            |(column, value)| Placed { columns: vec![column], value, is_exact: false, is_second: false };
        self.columns().iter().map(|(column, value)| placed((column, value))).collect()
    }

    /// Sail keeps no qualifiers through it, and Spark those of other columns alone.
    fn names(&self) -> Names<'_> {
        Names::Gone
    }

    fn order(&self) -> RowOrder<'_> {
        RowOrder::Changed(match &self.0 {
            Filled::All(_) => None,
            Filled::Columns(columns) => {
                Some(columns.iter().map(|(column, _)| column.value.as_str()).collect())
            }
        })
    }

    fn lower(&self, input: Relation, lowering: &Lowering<'_>) -> Relation {
        let mut names = Vec::new();
        let mut literals = Vec::new();
        let mut others = Vec::new();
        let columns = match &self.0 {
            Filled::All(constant) => {
                let value = constant.value(lowering.bindings).and_then(|(_, value)| plain(value));
                return relation::fill_nulls(input, Vec::new(), value.into_iter().collect());
            }
            Filled::Columns(columns) => columns,
        };
        let is_kept =
            |column: Span, value: Span| !lowering.masks.hides(column) && !lowering.masks.hides(value);
        for (column, constant) in columns.iter().filter(|(column, value)| is_kept(column.span, value.span()))
        {
            match constant.value(lowering.bindings).and_then(|(_, value)| plain(value)) {
                Some(literal) => {
                    names.push(lowering.dialect.column_of_nulls(&column.value));
                    literals.push(literal);
                }
                // Engines have no relation for other types.
                None => {
                    let value = constant.sql(lowering.bindings);
                    let filled = format!("coalesce({}, {value})", quoted(&column.value));
                    others.push((column.value.clone(), expression::expression_string(filled)));
                }
            }
        }
        let filled = if names.is_empty() { input } else { relation::fill_nulls(input, names, literals) };
        if others.is_empty() { filled } else { relation::with_columns(filled, others) }
    }
}

/// What stands before a value: a column, or nothing where the value stands alone.
struct Before(Option<Spanned<String>>);

impl<'de> Deserialize<'de> for Before {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Before;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column")
            }

            fn visit_str<E>(self, _alone: &str) -> Result<Before, E> {
                Ok(Before(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Before, A::Error> {
                let span = parts.next_element()?;
                let value = parts.next_element()?;
                Ok(Before(span.zip(value).map(|(span, value)| Spanned { span, value })))
            }
        }
        deserializer.deserialize_struct(SPANNED, &["span", "value"], Either)
    }
}

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Filled;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, or a mapping")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Filled, D::Error> {
                deserializer.deserialize_map(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Filled, A::Error> {
                let mut columns = Vec::new();
                while let Some(Before(column)) = map.next_key()? {
                    match column {
                        None => return map.next_value().map(Filled::All),
                        Some(column) => columns.push((column, map.next_value()?)),
                    }
                }
                Ok(Filled::Columns(columns.into()))
            }

            fn visit_none<E: de::Error>(self) -> Result<Filled, E> {
                Err(E::custom("a value is missing"))
            }
        }
        deserializer.deserialize_newtype_struct("$pipectl::short:value", Either)
    }
}

impl JsonSchema for Filled {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Filled".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Constant>();
        json_schema!({
            "anyOf": [value, { "type": "object", "additionalProperties": value, "minProperties": 1 }],
        })
    }
}
