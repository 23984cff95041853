//! Owns the values of variables: their types, and the one function that makes a value part of SQL text.
//!
//! Nothing else may put a value into SQL. Every literal is built from a checked value, and texts travel as hexadecimal
//! digits, so no value can end its literal, whatever it holds.

use std::fmt;
use std::fmt::Write as _;

use chrono::{NaiveDate, NaiveDateTime};

use crate::secret::{Plain, Secret};

/// The type of a variable: a Spark SQL type that has a literal, a list of them, or an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    Timestamp,
    TimestampNtz,
    /// A table or column name, dots between its parts.
    Identifier,
    Array(Box<Self>),
}

/// The types that a message lists.
pub(crate) const TYPE_NAMES: [&str; 13] = [
    "string",
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(p,s)",
    "date",
    "timestamp",
    "timestamp_ntz",
    "identifier",
];

impl Type {
    /// Nothing where the text names no type; Spark's other spellings are understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        if let Some(item) = text.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
            return match Self::parse(item)? {
                Self::Array(_) | Self::Identifier => None,
                item => Some(Self::Array(Box::new(item))),
            };
        }
        if let Some(rest) = text.strip_prefix("decimal").or_else(|| text.strip_prefix("numeric")) {
            return Self::decimal(rest);
        }
        Some(match text.as_str() {
            "string" => Self::String,
            "boolean" | "bool" => Self::Boolean,
            "tinyint" | "byte" => Self::TinyInt,
            "smallint" | "short" => Self::SmallInt,
            "int" | "integer" => Self::Int,
            "bigint" | "long" => Self::BigInt,
            "float" | "real" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "timestamp" => Self::Timestamp,
            "timestamp_ntz" => Self::TimestampNtz,
            "identifier" => Self::Identifier,
            _ => return None,
        })
    }

    fn decimal(arguments: &str) -> Option<Self> {
        if arguments.is_empty() {
            return Some(Self::Decimal { precision: 10, scale: 0 });
        }
        let inner = arguments.strip_prefix('(')?.strip_suffix(')')?;
        let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
        let (precision, scale) = (precision.parse().ok()?, scale.parse().ok()?);
        ((1..=38).contains(&precision) && scale <= precision).then_some(Self::Decimal { precision, scale })
    }

    /// A value of this type from the text that the user gave, or what is wrong with it.
    pub(crate) fn value(&self, text: &str) -> Result<Value, String> {
        let trimmed = text.trim();
        let wrong = || format!("`{text}` is not a value of type {self}");
        let integer = |least: i64, most: i64| {
            let number: i64 = trimmed.parse().map_err(|_| wrong())?;
            if (least..=most).contains(&number) { Ok(Value::Integer(number)) } else { Err(wrong()) }
        };
        match self {
            Self::String => Ok(Value::Text(text.to_owned())),
            Self::Boolean => match trimmed.to_lowercase().as_str() {
                "true" => Ok(Value::Boolean(true)),
                "false" => Ok(Value::Boolean(false)),
                _ => Err(wrong()),
            },
            Self::TinyInt => integer(i8::MIN.into(), i8::MAX.into()),
            Self::SmallInt => integer(i16::MIN.into(), i16::MAX.into()),
            Self::Int => integer(i32::MIN.into(), i32::MAX.into()),
            Self::BigInt => integer(i64::MIN, i64::MAX),
            Self::Float | Self::Double => trimmed
                .parse::<f64>()
                .ok()
                .filter(|_| !trimmed.is_empty())
                .map(Value::Double)
                .ok_or_else(wrong),
            Self::Decimal { precision, scale } => decimal(trimmed, *precision, *scale).ok_or_else(wrong),
            Self::Date => NaiveDate::parse_from_str(trimmed, "%Y-%m-%d")
                .ok()
                .filter(|_| trimmed.len() == 10)
                .map(Value::Date)
                .ok_or_else(|| format!("{}; write it as 2026-01-31", wrong())),
            Self::Timestamp | Self::TimestampNtz => timestamp(trimmed)
                .map(Value::Timestamp)
                .ok_or_else(|| format!("{}; write it as 2026-01-31T12:00:00", wrong())),
            Self::Identifier => identifier(trimmed).ok_or_else(|| {
                format!("`{text}` is not an identifier: use letters, digits and `_`, dots between parts")
            }),
            Self::Array(item) => {
                let inner =
                    trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(trimmed);
                let items: Result<Vec<Value>, String> =
                    inner.split(',').map(|text| item.value(text.trim())).collect();
                if inner.trim().is_empty() {
                    Err(format!("{}: a list needs an item", wrong()))
                } else {
                    items.map(Value::List)
                }
            }
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Double => "double",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampNtz => "timestamp_ntz",
            Self::Identifier => "identifier",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Array(item) => return write!(f, "array<{item}>"),
        })
    }
}

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Boolean(bool),
    Integer(i64),
    Double(f64),
    /// Digits, with a sign and a point where it has them.
    Decimal(String),
    Date(NaiveDate),
    Timestamp(NaiveDateTime),
    Identifier(Vec<String>),
    List(Vec<Self>),
    /// A text that nothing prints.
    Secret(Secret),
}

impl Value {
    /// The value of a text that may be secret; a secret is a text and nothing else.
    pub(crate) fn of(data_type: &Type, text: &Plain) -> Result<Self, String> {
        match (text, data_type) {
            (Plain::Shown(text), _) => data_type.value(text),
            (Plain::Hidden(secret), Type::String) => Ok(Self::Secret(secret.clone())),
            (Plain::Hidden(_), _) => Err(format!("a secret is a string, and no value of type {data_type}")),
        }
    }

    /// The plain text, as it enters paths and options.
    pub(crate) fn plain(&self) -> Plain {
        match self {
            Self::Secret(secret) => Plain::Hidden(secret.clone()),
            Self::List(items) => {
                let items: Vec<Plain> = items.iter().map(Self::plain).collect();
                let text = items.iter().map(Plain::expose).collect::<Vec<_>>().join(",");
                if items.iter().any(Plain::is_secret) {
                    Plain::Hidden(Secret::new(text))
                } else {
                    Plain::Shown(text)
                }
            }
            other => Plain::Shown(other.to_string()),
        }
    }
}

impl fmt::Display for Value {
    /// The plain text; of a secret nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Decimal(text) => f.write_str(text),
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Double(value) => value.fmt(f),
            Self::Date(value) => value.fmt(f),
            Self::Timestamp(value) => write!(f, "{}", value.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Identifier(parts) => f.write_str(&parts.join(".")),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                f.write_str(&items.join(","))
            }
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

/// A value and its type, under the variable's name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) data_type: Type,
    pub(crate) value: Value,
}

/// The values that the file's variables have in this run; scalars refer to them by index.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bindings(Vec<Bound>);

impl Bindings {
    pub(crate) fn add(&mut self, bound: Bound) -> u32 {
        if let Some(at) = self.0.iter().position(|known| *known == bound) {
            return u32::try_from(at).unwrap_or(u32::MAX);
        }
        self.0.push(bound);
        u32::try_from(self.0.len() - 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn get(&self, index: u32) -> &Bound {
        &self.0[index as usize]
    }
}

impl Bound {
    /// Stands in for a value that is not known, which was reported: it fits wherever a value may stand.
    pub(crate) fn unknown(name: &str) -> Self {
        let value = Value::Identifier(vec!["unknown".to_owned()]);
        Self { name: name.to_owned(), data_type: Type::Identifier, value }
    }

    /// The value as SQL text that has its type on every engine.
    pub(crate) fn literal(&self) -> String {
        literal(&self.data_type, &self.value)
    }
}

/// THE function through which a value becomes SQL text.
fn literal(data_type: &Type, value: &Value) -> String {
    match (value, data_type) {
        (Value::List(items), Type::Array(item)) => {
            let items: Vec<String> = items.iter().map(|value| literal(item, value)).collect();
            format!("({})", items.join(", "))
        }
        (Value::Identifier(parts), _) => {
            parts.iter().map(|part| crate::name::quoted(part)).collect::<Vec<_>>().join(".")
        }
        (Value::Text(text), _) => text_literal(text),
        (Value::Secret(secret), _) => text_literal(secret.expose()),
        (Value::Boolean(true), _) => "TRUE".to_owned(),
        (Value::Boolean(false), _) => "FALSE".to_owned(),
        (Value::Date(date), _) => format!("DATE '{date}'"),
        // Digits, signs, points, `NaN` and `inf` alone: none of them can leave the quotes.
        (value, data_type) => {
            let text = match value {
                Value::Timestamp(at) => at.format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
                other => other.to_string(),
            };
            format!("CAST('{text}' AS {})", data_type.to_string().to_uppercase())
        }
    }
}

fn text_literal(text: &str) -> String {
    let hexadecimal = text.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02X}");
        digits
    });
    format!("CAST(X'{hexadecimal}' AS STRING)")
}

fn decimal(text: &str, precision: u8, scale: u8) -> Option<Value> {
    let (sign, digits) =
        text.strip_prefix('-').map_or(("", text.strip_prefix('+').unwrap_or(text)), |d| ("-", d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(scale) || whole.len() > usize::from(precision - scale) {
        return None;
    }
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(Value::Decimal(format!("{sign}{whole}{point}{fraction}")))
}

fn timestamp(text: &str) -> Option<NaiveDateTime> {
    let text = text.replacen('T', " ", 1);
    NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f")
        .or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M"))
        .ok()
        .or_else(|| {
            NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok().and_then(|date| date.and_hms_opt(0, 0, 0))
        })
}

fn identifier(text: &str) -> Option<Value> {
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    parts.iter().all(|part| crate::name::is_name(part)).then_some(Value::Identifier(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(data_type: &str, text: &str) -> Result<String, String> {
        let data_type = Type::parse(data_type).unwrap();
        data_type.value(text).map(|value| literal(&data_type, &value))
    }

    #[test]
    fn literals_have_the_type_of_their_variable() {
        for (data_type, text, expected) in [
            ("string", "O'B\\", "CAST(X'4F27425C' AS STRING)"),
            ("string", "", "CAST(X'' AS STRING)"),
            ("boolean", "TRUE", "TRUE"),
            ("int", "-5", "CAST('-5' AS INT)"),
            ("bigint", "-9223372036854775808", "CAST('-9223372036854775808' AS BIGINT)"),
            ("decimal(12,2)", "0010.50", "CAST('10.5' AS DECIMAL(12,2))"),
            ("double", "1e3", "CAST('1000' AS DOUBLE)"),
            ("date", "2026-01-31", "DATE '2026-01-31'"),
            ("timestamp", "2026-01-31T10:00", "CAST('2026-01-31 10:00:00.000000' AS TIMESTAMP)"),
            ("array<int>", "[1, 2]", "(CAST('1' AS INT), CAST('2' AS INT))"),
            ("array<string>", "a,b", "(CAST(X'61' AS STRING), CAST(X'62' AS STRING))"),
            ("identifier", "prod.orders", "`prod`.`orders`"),
        ] {
            assert_eq!(sql(data_type, text).as_deref(), Ok(expected), "{data_type} {text}");
        }
    }

    #[test]
    fn what_does_not_fit_its_type_is_refused() {
        for (data_type, text) in [
            ("int", "2147483648"),
            ("int", "1.5"),
            ("int", ""),
            ("tinyint", "300"),
            ("boolean", "yes"),
            ("decimal(4,2)", "100.0"),
            ("decimal(4,2)", "1.001"),
            ("decimal(4,2)", "1'"),
            ("date", "2026-02-30"),
            ("date", "31.01.2026"),
            ("timestamp", "now"),
            ("double", "1,5"),
            ("identifier", "a; DROP TABLE b"),
            ("identifier", "a..b"),
            ("array<int>", "1,x"),
            ("array<int>", "[]"),
        ] {
            assert!(sql(data_type, text).is_err(), "{data_type} {text}");
        }
    }

    #[test]
    fn types_are_sparks() {
        for (text, shown) in [
            ("BIGINT", "bigint"),
            ("decimal( 12 , 2 )", "decimal(12,2)"),
            ("decimal", "decimal(10,0)"),
            ("array<date>", "array<date>"),
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), shown);
        }
        for text in ["text", "decimal(39,1)", "decimal(2,3)", "array<array<int>>", "map<int,int>"] {
            assert_eq!(Type::parse(text), None, "{text}");
        }
    }
}
