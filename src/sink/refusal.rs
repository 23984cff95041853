//! Owns what an output cannot hold of a result.

use arrow_schema::Schema;

/// A part of a result that an output cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("column `{column}` has type {kind}, which {format} cannot hold; {hint}")]
    Type { column: String, kind: &'static str, format: &'static str, hint: String },
    #[error("column `{column}` occurs twice, and {format} needs distinct names; rename or drop one of them")]
    Twice { column: String, format: &'static str },
    #[error("the result has no columns, and {format} cannot hold rows without any")]
    NoColumns { format: &'static str },
    #[error("`{setting}` names the column `{column}`, and there is none; {hint}")]
    Missing { column: String, setting: &'static str, hint: String },
    #[error("`{setting}` names the column `{column}`, which is nested; only plain values can be looked up")]
    Nested { column: String, setting: &'static str },
    #[error(
        "`partition_by` names the column `{column}`, and {kind} can not name folders; convert it, for example with \
         CAST({} AS STRING)",
        identifier(column)
    )]
    NoFolders { column: String, kind: &'static str },
    #[error("`partition_by` names every column, so that nothing is left for the files")]
    NothingLeft,
}

/// How many of the columns are told where one is missing.
const SHOWN_COLUMNS: usize = 12;

/// A column that a setting names and the result does not have.
pub(crate) fn missing(column: &str, setting: &'static str, schema: &Schema) -> Refusal {
    let names = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect::<Vec<_>>();
    let hint = match names.split_at_checked(SHOWN_COLUMNS) {
        _ if names.is_empty() => "the result has no columns".to_owned(),
        Some((shown, more)) if !more.is_empty() => {
            format!("there are {} and {} more", shown.join(", "), more.len())
        }
        _ => format!("there are {}", names.join(", ")),
    };
    Refusal::Missing { column: column.to_owned(), setting, hint }
}

/// A name as an expression has it.
pub(super) fn identifier(name: &str) -> String {
    if name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
        return name.to_owned();
    }
    format!("`{}`", name.replace('`', "``"))
}
