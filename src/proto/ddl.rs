//! Data types as Spark writes them in DDL, so that a schema can be read by people and parsed again by a server.
//!
//! Names are always in backquotes: what is a keyword differs between servers. Comments and other metadata of columns are not
//! part of the text.

use std::fmt::{self, Display, Formatter};

use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{
    DayTimeInterval, Decimal, Kind, Struct, StructField, Udt, YearMonthInterval,
};

/// Microseconds, which is what Spark keeps where no precision is said.
const DEFAULT_TIME_PRECISION: i32 = 6;
const NANOSECONDS: i32 = 9;
const ANY_SRID: i32 = -1;
const YEAR_MONTH: [&str; 2] = ["YEAR", "MONTH"];
const DAY_TIME: [&str; 4] = ["DAY", "HOUR", "MINUTE", "SECOND"];

/// A type in DDL: ``DECIMAL(12,2)``, ``STRUCT<`a`: INT>``.
pub(crate) fn type_text(data_type: &DataType) -> String {
    Text(data_type).to_string()
}

/// A table's columns in DDL: `` `a` INT NOT NULL, `b` STRING ``. A type that is no struct is a table of one column `value`.
pub(crate) fn columns_text(schema: &DataType) -> String {
    match &schema.kind {
        Some(Kind::Struct(Struct { fields, .. })) => {
            fields.iter().map(|field| column(field, " ")).collect::<Vec<_>>().join(", ")
        }
        _ => format!("`value` {}", Text(schema)),
    }
}

/// A name as SQL reads it whatever it holds.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

struct Text<'a>(&'a DataType);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(kind) = &self.0.kind else {
            return f.write_str("UNKNOWN");
        };
        match kind {
            Kind::Null(_) => f.write_str("VOID"),
            Kind::Binary(_) => f.write_str("BINARY"),
            Kind::Boolean(_) => f.write_str("BOOLEAN"),
            Kind::Byte(_) => f.write_str("TINYINT"),
            Kind::Short(_) => f.write_str("SMALLINT"),
            Kind::Integer(_) => f.write_str("INT"),
            Kind::Long(_) => f.write_str("BIGINT"),
            Kind::Float(_) => f.write_str("FLOAT"),
            Kind::Double(_) => f.write_str("DOUBLE"),
            Kind::Decimal(Decimal { precision, scale, .. }) => {
                write!(f, "DECIMAL({},{})", precision.unwrap_or(10), scale.unwrap_or(0))
            }
            // Spark 4.0 says the default one too.
            Kind::String(string) if ["", "UTF8_BINARY"].contains(&string.collation.as_str()) => {
                f.write_str("STRING")
            }
            Kind::String(string) => write!(f, "STRING COLLATE {}", string.collation),
            Kind::Char(char) => write!(f, "CHAR({})", char.length),
            Kind::VarChar(text) => write!(f, "VARCHAR({})", text.length),
            Kind::Date(_) => f.write_str("DATE"),
            Kind::Time(time) => write!(f, "TIME({})", time.precision.unwrap_or(DEFAULT_TIME_PRECISION)),
            Kind::Timestamp(_) => f.write_str("TIMESTAMP"),
            Kind::TimestampNtz(_) => f.write_str("TIMESTAMP_NTZ"),
            Kind::TimestampNtzNanos(at) => {
                write!(f, "TIMESTAMP_NTZ({})", at.precision.unwrap_or(NANOSECONDS))
            }
            Kind::TimestampLtzNanos(at) => {
                write!(f, "TIMESTAMP_LTZ({})", at.precision.unwrap_or(NANOSECONDS))
            }
            Kind::CalendarInterval(_) => f.write_str("INTERVAL"),
            Kind::YearMonthInterval(YearMonthInterval { start_field, end_field, .. }) => {
                interval(f, &YEAR_MONTH, *start_field, *end_field)
            }
            Kind::DayTimeInterval(DayTimeInterval { start_field, end_field, .. }) => {
                interval(f, &DAY_TIME, *start_field, *end_field)
            }
            Kind::Array(array) => write!(f, "ARRAY<{}>", element(array.element_type.as_deref())),
            Kind::Map(map) => {
                write!(f, "MAP<{}, {}>", element(map.key_type.as_deref()), element(map.value_type.as_deref()))
            }
            Kind::Struct(Struct { fields, .. }) => {
                write!(
                    f,
                    "STRUCT<{}>",
                    fields.iter().map(|field| column(field, ": ")).collect::<Vec<_>>().join(", ")
                )
            }
            Kind::Variant(_) => f.write_str("VARIANT"),
            Kind::Geometry(shape) => spatial(f, "GEOMETRY", shape.srid),
            Kind::Geography(shape) => spatial(f, "GEOGRAPHY", shape.srid),
            Kind::Udt(udt) => user_defined(f, udt),
            Kind::Unparsed(text) => f.write_str(&text.data_type_string),
        }
    }
}

fn element(data_type: Option<&DataType>) -> String {
    data_type.map_or_else(|| "UNKNOWN".to_owned(), type_text)
}

fn column(field: &StructField, separator: &str) -> String {
    let nullable = if field.nullable { "" } else { " NOT NULL" };
    format!("{}{separator}{}{nullable}", quoted(&field.name), element(field.data_type.as_ref()))
}

/// An interval from one unit to another; all of them where none is said.
fn interval(f: &mut Formatter<'_>, units: &[&str], start: Option<i32>, end: Option<i32>) -> fmt::Result {
    let unit = |field: i32| usize::try_from(field).ok().and_then(|field| units.get(field)).copied();
    let first = start.map_or(units.first().copied(), unit);
    let last = end.map_or(if start.is_some() { first } else { units.last().copied() }, unit);
    match (first, last) {
        (Some(first), Some(last)) if first == last => write!(f, "INTERVAL {first}"),
        (Some(first), Some(last)) => write!(f, "INTERVAL {first} TO {last}"),
        _ => f.write_str("INTERVAL"),
    }
}

fn spatial(f: &mut Formatter<'_>, name: &str, srid: i32) -> fmt::Result {
    if srid == ANY_SRID { write!(f, "{name}(ANY)") } else { write!(f, "{name}({srid})") }
}

/// A user-defined type is its storage where that is known: no DDL names it.
fn user_defined(f: &mut Formatter<'_>, udt: &Udt) -> fmt::Result {
    let class = udt.jvm_class.as_deref().or(udt.python_class.as_deref());
    match (&udt.sql_type, class) {
        (Some(storage), _) => Text(storage).fmt(f),
        (None, Some(class)) => write!(f, "UDT({class})"),
        (None, None) => f.write_str("UDT"),
    }
}

#[cfg(test)]
mod tests {
    use super::{columns_text, type_text};
    use crate::proto::spark::DataType;
    use crate::proto::spark::data_type::{
        Array, Binary, Boolean, Byte, CalendarInterval, Char, Date, DayTimeInterval, Decimal, Double, Float,
        Geography, Geometry, Integer, Kind, Long, Map, Null, Short, String as Text, Struct, StructField,
        Time, Timestamp, TimestampLtzNanos, TimestampNtz, TimestampNtzNanos, Udt, Unparsed, VarChar, Variant,
        YearMonthInterval,
    };

    fn of(kind: Kind) -> DataType {
        DataType { kind: Some(kind) }
    }

    fn int() -> DataType {
        of(Kind::Integer(Integer::default()))
    }

    fn text() -> DataType {
        of(Kind::String(Text::default()))
    }

    fn field(name: &str, data_type: DataType, nullable: bool) -> StructField {
        StructField { name: name.to_owned(), data_type: Some(data_type), nullable, metadata: None }
    }

    fn row() -> DataType {
        let fields = vec![field("a", int(), false), field("odd `name`", text(), true)];
        of(Kind::Struct(Struct { fields, ..Struct::default() }))
    }

    #[test]
    fn every_type_has_a_text() {
        let day_time = |start_field, end_field| {
            Kind::DayTimeInterval(DayTimeInterval { start_field, end_field, ..DayTimeInterval::default() })
        };
        let year_month = |start_field, end_field| {
            Kind::YearMonthInterval(YearMonthInterval {
                start_field,
                end_field,
                ..YearMonthInterval::default()
            })
        };
        let table = [
            (Kind::Null(Null::default()), "VOID"),
            (Kind::Binary(Binary::default()), "BINARY"),
            (Kind::Boolean(Boolean::default()), "BOOLEAN"),
            (Kind::Byte(Byte::default()), "TINYINT"),
            (Kind::Short(Short::default()), "SMALLINT"),
            (Kind::Integer(Integer::default()), "INT"),
            (Kind::Long(Long::default()), "BIGINT"),
            (Kind::Float(Float::default()), "FLOAT"),
            (Kind::Double(Double::default()), "DOUBLE"),
            (Kind::Decimal(Decimal::default()), "DECIMAL(10,0)"),
            (
                Kind::Decimal(Decimal { precision: Some(12), scale: Some(2), ..Decimal::default() }),
                "DECIMAL(12,2)",
            ),
            (Kind::String(Text::default()), "STRING"),
            (Kind::String(Text { collation: "UTF8_BINARY".to_owned(), ..Text::default() }), "STRING"),
            (
                Kind::String(Text { collation: "UNICODE_CI".to_owned(), ..Text::default() }),
                "STRING COLLATE UNICODE_CI",
            ),
            (Kind::Char(Char { length: 3, ..Char::default() }), "CHAR(3)"),
            (Kind::VarChar(VarChar { length: 20, ..VarChar::default() }), "VARCHAR(20)"),
            (Kind::Date(Date::default()), "DATE"),
            (Kind::Time(Time::default()), "TIME(6)"),
            (Kind::Time(Time { precision: Some(3), ..Time::default() }), "TIME(3)"),
            (Kind::Timestamp(Timestamp::default()), "TIMESTAMP"),
            (Kind::TimestampNtz(TimestampNtz::default()), "TIMESTAMP_NTZ"),
            (Kind::TimestampNtzNanos(TimestampNtzNanos::default()), "TIMESTAMP_NTZ(9)"),
            (
                Kind::TimestampLtzNanos(TimestampLtzNanos {
                    precision: Some(7),
                    ..TimestampLtzNanos::default()
                }),
                "TIMESTAMP_LTZ(7)",
            ),
            (Kind::CalendarInterval(CalendarInterval::default()), "INTERVAL"),
            (year_month(None, None), "INTERVAL YEAR TO MONTH"),
            (year_month(Some(1), Some(1)), "INTERVAL MONTH"),
            (day_time(None, None), "INTERVAL DAY TO SECOND"),
            (day_time(Some(1), None), "INTERVAL HOUR"),
            (day_time(Some(0), Some(2)), "INTERVAL DAY TO MINUTE"),
            (day_time(Some(7), None), "INTERVAL"),
            (
                Kind::Array(Box::new(Array { element_type: Some(Box::new(int())), ..Array::default() })),
                "ARRAY<INT>",
            ),
            (
                Kind::Map(Box::new(Map {
                    key_type: Some(Box::new(text())),
                    value_type: Some(Box::new(row())),
                    ..Map::default()
                })),
                "MAP<STRING, STRUCT<`a`: INT NOT NULL, `odd ``name```: STRING>>",
            ),
            (row().kind.unwrap(), "STRUCT<`a`: INT NOT NULL, `odd ``name```: STRING>"),
            (Kind::Variant(Variant::default()), "VARIANT"),
            (Kind::Geometry(Geometry { srid: 4326, ..Geometry::default() }), "GEOMETRY(4326)"),
            (Kind::Geography(Geography { srid: -1, ..Geography::default() }), "GEOGRAPHY(ANY)"),
            (Kind::Udt(Box::new(Udt { sql_type: Some(Box::new(int())), ..Udt::default() })), "INT"),
            (
                Kind::Udt(Box::new(Udt { jvm_class: Some("org.Point".to_owned()), ..Udt::default() })),
                "UDT(org.Point)",
            ),
            (Kind::Unparsed(Unparsed { data_type_string: "array<int>".to_owned() }), "array<int>"),
        ];
        for (kind, text) in table {
            assert_eq!(type_text(&of(kind)), text);
        }
        assert_eq!(type_text(&DataType::default()), "UNKNOWN");
    }

    #[test]
    fn a_schema_is_a_list_of_columns() {
        assert_eq!(columns_text(&row()), "`a` INT NOT NULL, `odd ``name``` STRING");
        assert_eq!(columns_text(&int()), "`value` INT");
    }
}
