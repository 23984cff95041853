//! Columns of Arrow as DDL; types that Spark Connect has not are refused by name.

use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};

use crate::name::quoted;

/// `` `name` TYPE ``, or why there is no such column.
pub(super) fn column(field: &Field) -> Result<String, String> {
    let text = type_text(field.data_type());
    let unknown =
        |found: String| format!("has the column `{}`, whose type {found} no engine takes", field.name());
    text.map(|text| format!("{} {text}", quoted(field.name()))).map_err(unknown)
}

fn type_text(data_type: &DataType) -> Result<String, String> {
    Ok(match data_type {
        DataType::Null => "VOID".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INT".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::Utf8 | DataType::LargeUtf8 => "STRING".to_owned(),
        DataType::Binary | DataType::LargeBinary => "BINARY".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "TIMESTAMP_NTZ".to_owned(),
        DataType::Duration(TimeUnit::Microsecond) => "INTERVAL DAY TO SECOND".to_owned(),
        DataType::Interval(IntervalUnit::YearMonth) => "INTERVAL YEAR TO MONTH".to_owned(),
        DataType::List(item) | DataType::LargeList(item) => {
            format!("ARRAY<{}>", type_text(item.data_type())?)
        }
        DataType::Struct(fields) => {
            let fields: Result<Vec<String>, String> = fields
                .iter()
                .map(|field| Ok(format!("{}: {}", quoted(field.name()), type_text(field.data_type())?)))
                .collect();
            format!("STRUCT<{}>", fields?.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let [key, value] = [0, 1].map(|at: usize| type_text(fields[at].data_type()));
                format!("MAP<{}, {}>", key?, value?)
            }
            other => return Err(format!("`{other}`")),
        },
        other => return Err(format!("`{other}`")),
    })
}
