//! Whether values fit the columns that they are meant for: engines pass over those that don't, and say nothing.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{Constant, Type, Value};
use crate::plan::Fitting;
use crate::proto::ddl::type_text;
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Kind, StructField};

/// Reports a value that fits none of its columns; whether it does not. Columns that are not there are reported elsewhere.
pub(super) fn found_unfit(wanted: &Fitting, schema: &DataType, found: &mut Diagnostics) -> bool {
    let fields: &[StructField] = match &schema.kind {
        Some(Kind::Struct(fields)) => &fields.fields,
        _ => &[],
    };
    let mut columns = Vec::new();
    for (name, span) in &wanted.columns {
        let Some(field) = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)) else {
            return false;
        };
        if wanted.is_exact && !fields.iter().any(|field| field.name == *name) {
            let message =
                format!("the column is called `{}`: values are replaced where it is spelt so", field.name);
            let diagnostic = Diagnostic::new(Code::UnknownColumn, *span, message)
                .help(format!("write `{}`", field.name))
                .instead(&field.name);
            // Each value of a list asks this.
            if !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
            return false;
        }
        columns.extend(field.data_type.as_ref().map(|data_type| (&field.name, data_type)));
    }
    let what = Constant::tell(&wanted.data_type, &wanted.value);
    // A number is cast to the type of each column of numbers, and would be another one there.
    let numbers: Vec<_> = columns
        .iter()
        .filter(|(_, data_type)| is_number(&wanted.value) && is_of_numbers(data_type))
        .collect();
    if numbers.is_empty() && wanted.is_second {
        return false;
    }
    let unfit = match (columns.as_slice(), numbers.is_empty()) {
        ([only], _) => Some(only).filter(|(_, data_type)| !fits(wanted, data_type)),
        (_, false) => numbers.into_iter().find(|(_, data_type)| !fits(wanted, data_type)),
        (columns, true) if columns.iter().any(|(_, data_type)| fits(wanted, data_type)) => return false,
        (_, true) => None,
    };
    let message = match (unfit, columns.len()) {
        (Some((name, data_type)), _) => {
            format!("{what} does not fit `{name}`, which is of type {}", type_text(data_type))
        }
        (None, 2..) if !columns.iter().any(|(_, data_type)| fits(wanted, data_type)) => {
            let names: Vec<String> = columns.iter().map(|(name, _)| format!("`{name}`")).collect();
            format!("{what} fits none of {}", names.join(", "))
        }
        (None, _) => return false,
    };
    let diagnostic = Diagnostic::new(Code::Analysis, wanted.span, message)
        .label("engines would pass over it or change it, and say nothing");
    let helps = unfit.into_iter().chain(&columns).find_map(|(_, data_type)| help(wanted, data_type));
    found.push(helps.into_iter().fold(diagnostic, Diagnostic::help));
    true
}

/// Whether a column of this type can hold the value as it is.
fn fits(wanted: &Fitting, data_type: &DataType) -> bool {
    let Fitting { value, data_type: own, .. } = wanted;
    // No number is cut or rounded.
    let holds = |column: Type| is_number(value) && column.value(&value.to_string()).is_ok();
    match &data_type.kind {
        Some(Kind::Byte(_)) => holds(Type::TinyInt),
        Some(Kind::Short(_)) => holds(Type::SmallInt),
        Some(Kind::Integer(_)) => holds(Type::Int),
        Some(Kind::Long(_)) => holds(Type::BigInt),
        Some(Kind::Decimal(decimal)) => {
            let small = |number: i32| u8::try_from(number).unwrap_or_default();
            let (precision, scale) = (small(decimal.precision()), small(decimal.scale()));
            holds(Type::Decimal { precision, scale })
        }
        Some(Kind::Float(_) | Kind::Double(_)) => is_number(value),
        Some(Kind::Boolean(_)) => matches!(value, Value::Boolean(_)),
        Some(Kind::String(_) | Kind::Char(_) | Kind::VarChar(_)) => {
            matches!(value, Value::Text(_) | Value::Secret(_))
        }
        Some(Kind::Binary(_)) => matches!(value, Value::Binary(_)),
        Some(Kind::Date(_)) => matches!(value, Value::Date(_)),
        Some(Kind::Time(_)) => matches!(value, Value::Time(_)),
        Some(Kind::Timestamp(_)) => *own == Type::Timestamp,
        Some(Kind::TimestampNtz(_)) => *own == Type::TimestampNtz,
        Some(Kind::YearMonthInterval(_)) => matches!(value, Value::Months(_)),
        Some(Kind::DayTimeInterval(_)) => matches!(value, Value::Micros(_)),
        _ => false,
    }
}

fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Float(_) | Value::Double(_) | Value::Decimal(_))
}

fn is_of_numbers(data_type: &DataType) -> bool {
    matches!(
        &data_type.kind,
        Some(
            Kind::Byte(_)
                | Kind::Short(_)
                | Kind::Integer(_)
                | Kind::Long(_)
                | Kind::Float(_)
                | Kind::Double(_)
                | Kind::Decimal(_)
        )
    )
}

/// How the value is written for a column of this type.
fn help(wanted: &Fitting, data_type: &DataType) -> Option<String> {
    let Fitting { value, .. } = wanted;
    let without_quotes = || format!("without quotes: `{value}`");
    match (&data_type.kind, value) {
        (
            Some(Kind::String(_)),
            Value::Integer(_) | Value::Double(_) | Value::Boolean(_) | Value::Date(_),
        ) => Some(format!("in quotes it is a text: \"{value}\"")),
        (Some(Kind::Date(_)), Value::Text(text)) => Some(
            Type::Date
                .value(text)
                .map_or_else(|_| "write a date like 2026-01-31".to_owned(), |_| without_quotes()),
        ),
        (Some(Kind::Timestamp(_)), Value::Text(_) | Value::Date(_)) => {
            Some("write a timestamp like 2026-01-31T12:00:00".to_owned())
        }
        (Some(Kind::TimestampNtz(_)), _) => Some("a variable of the type `timestamp_ntz` fits".to_owned()),
        (Some(Kind::Boolean(_)), Value::Text(text)) => {
            Type::Boolean.value(text).ok().map(|_| without_quotes())
        }
        (
            Some(
                Kind::Byte(_)
                | Kind::Short(_)
                | Kind::Integer(_)
                | Kind::Long(_)
                | Kind::Double(_)
                | Kind::Float(_)
                | Kind::Decimal(_),
            ),
            Value::Text(text),
        ) => Type::Double.value(text).ok().map(|_| without_quotes()),
        (Some(Kind::Integer(_) | Kind::Long(_)), Value::Double(_)) => {
            Some("cast the column before: `cast: { column: double }`".to_owned())
        }
        _ => None,
    }
}
