//! What is wrong with the columns of a schema: those that are missing, misspelt or repeated.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::Kind;
use crate::text::Span;

/// Columns that a name can mean.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    /// The step whose rows have them, at its end.
    pub(super) step: Option<&'a str>,
    pub(super) names: &'a [String],
}

/// Reports a column that an output names and that is not there, spelled so.
pub(super) fn found_misspelt(
    column: &str,
    span: Span,
    columns: Columns<'_>,
    found: &mut Diagnostics,
) -> bool {
    let is_missing = !columns.names.iter().any(|known| known == column);
    if is_missing {
        found.push(missing(column, span, columns));
    }
    is_missing
}

fn missing(column: &str, span: Span, columns: Columns<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::UnknownColumn, span, format!("there is no column `{column}`"))
        .suggest(column, columns.names.iter().map(String::as_str));
    match columns.step {
        Some(step) => diagnostic.label(format!("not found in `{step}`")),
        None => diagnostic,
    }
}

/// Reports a column that is needed and not there.
pub(super) fn found_missing(column: &str, span: Span, columns: Columns<'_>, found: &mut Diagnostics) -> bool {
    if columns.names.iter().any(|known| known.eq_ignore_ascii_case(column)) {
        return false;
    }
    found.push(missing(column, span, columns));
    true
}

/// Reports columns that have one name.
pub(super) fn found_repeated(span: Span, step: &str, columns: &[String], found: &mut Diagnostics) -> bool {
    let mut seen = HashSet::new();
    let mut repeated: Vec<&str> =
        columns.iter().filter(|name| !seen.insert(name.to_lowercase())).map(String::as_str).collect();
    repeated.dedup();
    if repeated.is_empty() {
        return false;
    }
    let names: Vec<String> = repeated.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("`{step}` would have several columns of the name {}", names.join(", "));
    found.push(
        Diagnostic::new(Code::DuplicateColumn, span, message)
            .help("`rename` one of them before; what both sides of a join have, `using: [column]` has once"),
    );
    true
}

/// The names of a schema's columns.
pub(super) fn column_names(schema: &DataType) -> Vec<String> {
    match &schema.kind {
        Some(Kind::Struct(fields)) => fields.fields.iter().map(|field| field.name.clone()).collect(),
        _ => Vec::new(),
    }
}
