//! Owns the types of variables: the types of Spark SQL that have a literal, lists of them, and identifiers.

use std::fmt;

/// The type of a variable: a Spark SQL type that has a literal, a list of them, or an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Binary,
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
    /// A time of day, in microseconds.
    Time,
    Timestamp,
    TimestampNtz,
    /// `interval year to month`
    Months,
    /// `interval day to second`
    DayTime,
    /// A table or column name, dots between its parts.
    Identifier,
    Array(Box<Self>),
}

/// The types that a message lists.
pub(crate) const TYPE_NAMES: [&str; 18] = [
    "string",
    "binary",
    "boolean",
    "tinyint",
    "smallint",
    "int",
    "bigint",
    "float",
    "double",
    "decimal(p,s)",
    "date",
    "time",
    "timestamp",
    "timestamp_ntz",
    "interval year to month",
    "interval day to second",
    "identifier",
    "array<TYPE>",
];

impl Type {
    /// Nothing where the text names no type; Spark's other spellings are understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = squeezed(text);
        if let Some(item) = text.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>')) {
            return match Self::parse(item)? {
                Self::Array(_) | Self::Identifier => None,
                item => Some(Self::Array(Box::new(item))),
            };
        }
        if let Some(rest) = ["decimal", "numeric", "dec"].iter().find_map(|name| text.strip_prefix(name)) {
            return Self::decimal(rest);
        }
        Some(match text.as_str() {
            "string" => Self::String,
            "binary" => Self::Binary,
            "boolean" | "bool" => Self::Boolean,
            "tinyint" | "byte" => Self::TinyInt,
            "smallint" | "short" => Self::SmallInt,
            "int" | "integer" => Self::Int,
            "bigint" | "long" => Self::BigInt,
            "float" | "real" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "time" | "time(6)" => Self::Time,
            "timestamp" | "timestamp_ltz" => Self::Timestamp,
            "timestamp_ntz" => Self::TimestampNtz,
            "intervalyeartomonth" => Self::Months,
            "intervaldaytosecond" => Self::DayTime,
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

    /// What to write in place of a text that names no type, where that is known.
    pub(crate) fn instead_of(text: &str) -> Option<&'static str> {
        let text = squeezed(text);
        let name = text.split(['(', '<']).next().unwrap_or_default();
        Some(match name {
            "decimal" | "numeric" | "dec" => {
                "a decimal has a precision from 1 to 38 and a scale up to it: `decimal(12,2)`"
            }
            "interval" | "intervalyear" | "intervalmonth" => {
                "write `interval year to month` or `interval day to second`"
            }
            _ if name.starts_with("interval") => "write `interval day to second`",
            "text" | "str" | "varchar" | "char" | "uuid" | "json" | "character" => {
                "write `string`; its length and form can be held by a `pattern`"
            }
            "bytes" | "blob" | "varbinary" | "bytea" => "write `binary`",
            "number" | "num" => "write `int`, `bigint`, `double` or `decimal(p,s)`",
            "float64" => "write `double`",
            "float32" => "write `float`",
            "int64" => "write `bigint`",
            "int32" => "write `int`",
            "datetime" => "write `timestamp`, or `timestamp_ntz` for one without a time zone",
            "list" | "seq" | "set" => "write `array<TYPE>`, as in `array<string>`",
            "array" => {
                "a list has items of one type, as in `array<string>`, and holds no lists or identifiers"
            }
            "time" => "write `time`, which has microseconds",
            "map" | "struct" | "variant" | "object" => "a nested type has no literal: use several variables",
            _ => return None,
        })
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Array(_))
    }

    /// The type of each value: a list's of its items.
    pub(crate) fn item(&self) -> &Self {
        match self {
            Self::Array(item) => item,
            single => single,
        }
    }

    /// Whether one value can be less than another in a way that users expect.
    pub(crate) fn is_ordered(&self) -> bool {
        match self {
            Self::String | Self::Binary | Self::Boolean | Self::Identifier | Self::Array(_) => false,
            Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::BigInt
            | Self::Float
            | Self::Double
            | Self::Decimal { .. }
            | Self::Date
            | Self::Time
            | Self::Timestamp
            | Self::TimestampNtz
            | Self::Months
            | Self::DayTime => true,
        }
    }
}

/// A type's text in lower case and without spaces.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase()
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Binary => "binary",
            Self::Boolean => "boolean",
            Self::TinyInt => "tinyint",
            Self::SmallInt => "smallint",
            Self::Int => "int",
            Self::BigInt => "bigint",
            Self::Float => "float",
            Self::Double => "double",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimestampNtz => "timestamp_ntz",
            Self::Months => "interval year to month",
            Self::DayTime => "interval day to second",
            Self::Identifier => "identifier",
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Array(item) => return write!(f, "array<{item}>"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sparks() {
        for (text, shown) in [
            ("BIGINT", "bigint"),
            ("long", "bigint"),
            ("Short", "smallint"),
            ("byte", "tinyint"),
            ("real", "float"),
            ("decimal( 12 , 2 )", "decimal(12,2)"),
            ("decimal", "decimal(10,0)"),
            ("numeric(7)", "decimal(7,0)"),
            ("dec(3,1)", "decimal(3,1)"),
            ("timestamp_ltz", "timestamp"),
            ("INTERVAL  Year to Month", "interval year to month"),
            ("interval day to second", "interval day to second"),
            ("array<date>", "array<date>"),
            ("array<interval day to second>", "array<interval day to second>"),
        ] {
            assert_eq!(Type::parse(text).unwrap().to_string(), shown);
        }
        for text in ["text", "decimal(39,1)", "decimal(2,3)", "array<array<int>>", "map<int,int>", "interval"]
        {
            assert_eq!(Type::parse(text), None, "{text}");
            assert!(Type::instead_of(text).is_some(), "{text}");
        }
    }

    #[test]
    fn what_messages_list_are_types() {
        for name in TYPE_NAMES {
            let name = name.replace("(p,s)", "(2,1)").replace("TYPE", "int");
            assert_eq!(Type::parse(&name).unwrap().to_string(), name);
        }
    }
}
