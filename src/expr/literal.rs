//! Owns the one function that makes a value part of SQL text.
//!
//! Nothing else may put a value into SQL. Every literal is built from a checked value, and texts travel as hexadecimal
//! digits, so no value can end its literal, whatever it holds.

use super::data_type::Type;
use super::value::{Bound, Value, hexadecimal};

/// THE function through which a value becomes SQL text.
pub(super) fn literal(data_type: &Type, value: &Value) -> String {
    match (value, data_type) {
        (Value::List(items), _) => {
            let items: Vec<String> = items.iter().map(|value| literal(data_type.item(), value)).collect();
            format!("({})", items.join(", "))
        }
        (Value::Identifier(parts), _) => {
            parts.iter().map(|part| crate::name::quoted(part)).collect::<Vec<_>>().join(".")
        }
        (Value::Text(text), _) => text_literal(text),
        (Value::Secret(secret), _) => text_literal(secret.expose()),
        (Value::Binary(bytes), _) => format!("X'{}'", hexadecimal(bytes)),
        (Value::Boolean(true), _) => "TRUE".to_owned(),
        (Value::Boolean(false), _) => "FALSE".to_owned(),
        // From here on there are digits, signs, points, colons, `T`, `Z`, `e`, `NaN` and `inf` alone: none of them can leave the quotes.
        (Value::Date(date), _) => format!("DATE '{date}'"),
        (Value::Time(time), _) => format!("TIME '{}'", time.format("%H:%M:%S%.6f")),
        (Value::Timestamp(at), _) => cast(&at.format("%Y-%m-%d %H:%M:%S%.6f").to_string(), data_type),
        // In UTC, since not every engine knows every offset.
        (Value::Instant(at), _) => cast(&at.to_utc().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(), data_type),
        (Value::Months(_), _) => format!("INTERVAL '{value}' YEAR TO MONTH"),
        (Value::Micros(_), _) => format!("INTERVAL '{value}' DAY TO SECOND"),
        (Value::Float(number), _) => cast(&format!("{number:?}"), data_type),
        (Value::Double(number), _) => cast(&format!("{number:?}"), data_type),
        (Value::Integer(_) | Value::Decimal(_), _) => cast(&value.to_string(), data_type),
    }
}

impl Bound {
    /// The value as SQL text that has its type on every engine.
    pub(crate) fn literal(&self) -> String {
        literal(&self.data_type, &self.value)
    }
}

/// A number that a setting holds.
pub(crate) fn double(value: f64) -> String {
    literal(&Type::Double, &Value::Double(value))
}

fn text_literal(text: &str) -> String {
    format!("CAST(X'{}' AS STRING)", hexadecimal(text.as_bytes()))
}

fn cast(text: &str, data_type: &Type) -> String {
    format!("CAST('{text}' AS {})", data_type.to_string().to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(data_type: &str, text: &str) -> Result<String, String> {
        let data_type = Type::parse(data_type).unwrap();
        data_type.item().value(text).map(|value| literal(&data_type, &value))
    }

    #[test]
    fn literals_have_the_type_of_their_variable() {
        for (data_type, text, expected) in [
            ("string", "O'B\\", "CAST(X'4F27425C' AS STRING)"),
            ("string", "", "CAST(X'' AS STRING)"),
            ("binary", "0x00ff", "X'00FF'"),
            ("binary", "X''", "X''"),
            ("boolean", "TRUE", "TRUE"),
            ("int", "-5", "CAST('-5' AS INT)"),
            ("bigint", "-9223372036854775808", "CAST('-9223372036854775808' AS BIGINT)"),
            ("decimal(12,2)", "0010.50", "CAST('10.5' AS DECIMAL(12,2))"),
            ("double", "1e3", "CAST('1000.0' AS DOUBLE)"),
            ("double", "1e300", "CAST('1e300' AS DOUBLE)"),
            ("double", "-Infinity", "CAST('-inf' AS DOUBLE)"),
            ("float", "0.1", "CAST('0.1' AS FLOAT)"),
            ("date", "2026-01-31", "DATE '2026-01-31'"),
            ("time", "12:30", "TIME '12:30:00.000000'"),
            ("timestamp", "2026-01-31T10:00", "CAST('2026-01-31 10:00:00.000000' AS TIMESTAMP)"),
            ("timestamp", "2026-01-31T10:00:00+02:00", "CAST('2026-01-31T08:00:00.000000Z' AS TIMESTAMP)"),
            ("interval year to month", "14 months", "INTERVAL '1-2' YEAR TO MONTH"),
            ("interval day to second", "-3 days", "INTERVAL '-3 00:00:00' DAY TO SECOND"),
            ("identifier", "prod.orders", "`prod`.`orders`"),
            ("identifier", "`my table`.`a``b`", "`my table`.`a``b`"),
        ] {
            assert_eq!(sql(data_type, text).as_deref(), Ok(expected), "{data_type} {text}");
        }
        let items = Value::List(vec![Value::Integer(1), Value::Integer(2)]);
        let list = Type::parse("array<int>").unwrap();
        assert_eq!(literal(&list, &items), "(CAST('1' AS INT), CAST('2' AS INT))");
    }
}
