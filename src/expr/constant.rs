//! Owns constants: single values that stand in the file where no expression may. Their type is that of their variable, or the one that
//! they look like: `1` is a number, `2026-01-31` a date, and what stands in quotes a text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::data_type::Type;
use super::literal::literal;
use super::value::{Bindings, Value};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::scalar::{Segment, Written};
use crate::text::Span;

/// A single value, or NULL.
#[derive(Debug, Clone)]
pub(crate) struct Constant {
    span: Span,
    given: Given,
}

#[derive(Debug, Clone)]
enum Given {
    Null,
    Value(Type, Value),
    /// The value at this place of the bindings.
    Variable(u32),
    /// No value, and why.
    Wrong(String),
}

impl Constant {
    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.given, Given::Null)
    }

    /// The value and its type; nothing for NULL, and for what is wrong.
    pub(crate) fn value<'a>(&'a self, bindings: &'a Bindings) -> Option<(&'a Type, &'a Value)> {
        match &self.given {
            Given::Null | Given::Wrong(_) => None,
            Given::Value(data_type, value) => Some((data_type, value)),
            Given::Variable(index) => {
                let bound = bindings.get(*index);
                Some((&bound.data_type, &bound.value))
            }
        }
    }

    /// Reports what is no single value.
    pub(crate) fn check(&self, bindings: &Bindings, found: &mut Diagnostics) {
        let message = match (&self.given, self.value(bindings)) {
            (Given::Wrong(message), _) => message.clone(),
            (_, Some((data_type, Value::List(_)))) => {
                format!("a single value stands here, and this is of type {data_type}")
            }
            // What is not known was reported as such.
            (_, Some((Type::Identifier, Value::Identifier(parts)))) if *parts != ["unknown"] => {
                "a value stands here, and this is an identifier".to_owned()
            }
            _ => return,
        };
        found.push(Diagnostic::new(Code::Settings, self.span, message));
    }

    /// The value as SQL text that has its type on every engine.
    pub(crate) fn sql(&self, bindings: &Bindings) -> String {
        self.value(bindings).map_or_else(|| "NULL".to_owned(), |(data_type, value)| literal(data_type, value))
    }

    /// The value as it is printed.
    pub(crate) fn told(&self, bindings: &Bindings) -> String {
        match self.value(bindings) {
            Some((data_type, value)) => Self::tell(data_type, value),
            None => "NULL".to_owned(),
        }
    }

    /// A value and what it is: ``the text `x` ``.
    pub(crate) fn tell(data_type: &Type, value: &Value) -> String {
        let kind = match (data_type, value) {
            (_, Value::Secret(_)) => return "a secret text".to_owned(),
            (Type::String, _) => "text",
            (_, Value::Integer(_) | Value::Decimal(_) | Value::Float(_) | Value::Double(_)) => "number",
            (Type::DayTime | Type::Months, _) => "interval",
            (Type::Boolean, _) => return format!("`{value}`"),
            (Type::Timestamp | Type::TimestampNtz, _) => "timestamp",
            (Type::Date, _) => "date",
            _ => "value",
        };
        format!("the {kind} `{value}`")
    }
}

/// What a text without quotes is.
fn typed(text: &str) -> Given {
    let of = |data_type: Type| match data_type.value(text) {
        Ok(value) => Given::Value(data_type, value),
        Err(message) => Given::Wrong(message),
    };
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Given::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return of(Type::Boolean),
        ".nan" | ".NaN" | ".NAN" => return Given::Value(Type::Double, Value::Double(f64::NAN)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        let infinite = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        return Given::Value(Type::Double, Value::Double(infinite));
    }
    let is_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit());
    if is_number && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return of(Type::BigInt);
    }
    if is_number && unsigned.parse::<f64>().is_ok() {
        return of(Type::Double);
    }
    match shape.strip_prefix("0000-00-00") {
        Some("") => of(Type::Date),
        Some(time) if time.starts_with("T0") || time.starts_with(" 0") => of(Type::Timestamp),
        _ => Given::Value(Type::String, Value::Text(text.to_owned())),
    }
}

impl From<Written> for Constant {
    fn from(written: Written) -> Self {
        let span = written.span;
        let given = match written.segments.as_slice() {
            [Segment::Variable { index, .. }] => Given::Variable(*index),
            [] if written.style.is_plain() => Given::Null,
            [Segment::Text { text, .. }] if written.style.is_plain() => typed(text),
            _ => match Value::of(&Type::String, &written.plain()) {
                Ok(value) => Given::Value(Type::String, value),
                Err(message) => Given::Wrong(message),
            },
        };
        Self { span, given }
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer).map(Self::from)
    }
}

impl JsonSchema for Constant {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Constant".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "value",
            "type": ["string", "number", "boolean"],
            "description": "A single value: a number, `true` or `false`, a date (`2026-01-31`) or timestamp, or a text. In quotes it is always a text. Variables: `${name}`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_type_that_they_look_like() {
        for (text, shown) in [
            ("1", "bigint 1"),
            ("-0042", "bigint -42"),
            ("1.50", "double 1.5"),
            ("-.5e3", "double -500"),
            ("-.inf", "double -inf"),
            (".nan", "double NaN"),
            ("TRUE", "boolean true"),
            ("2026-01-31", "date 2026-01-31"),
            ("2026-01-31T10:00", "timestamp 2026-01-31T10:00:00"),
            ("2026-01-31 10:00:00+02:00", "timestamp 2026-01-31T10:00:00+02:00"),
            ("1-2", "string 1-2"),
            ("1_000", "string 1_000"),
            ("nan", "string nan"),
            ("inf", "string inf"),
            ("+", "string +"),
            ("yes", "string yes"),
            ("2026-01-31 ", "string 2026-01-31 "),
            ("2026-01-31-x", "string 2026-01-31-x"),
        ] {
            let Given::Value(data_type, value) = typed(text) else { panic!("{text}") };
            assert_eq!(format!("{data_type} {value}"), shown, "{text}");
        }
        for text in ["null", "~", ""] {
            assert!(matches!(typed(text), Given::Null), "{text}");
        }
        for text in ["99999999999999999999", "2026-02-31", "2026-01-31T25:00", "1e999"] {
            assert!(matches!(typed(text), Given::Wrong(_)), "{text}");
        }
    }
}
