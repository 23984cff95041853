//! Compares what an engine says of a source with the contract of the step.
//!
//! Names are compared without their case, as engines do, and columns without their order; but CSV is read by position. Nothing is cast: a
//! type that is other is a difference, also where every value would fit.

use super::check::column_names;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{ColumnType, Difference};
use crate::pipeline::{Contract, Extra, FoundColumn, Step};
use crate::proto::ddl::type_text;
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::Kind;

/// The columns of a schema.
pub(crate) fn found_columns(schema: &DataType) -> Vec<FoundColumn> {
    let Some(Kind::Struct(row)) = &schema.kind else { return Vec::new() };
    let columns = row.fields.iter().map(|field| FoundColumn {
        name: field.name.clone(),
        data_type: ColumnType::told(&field.data_type.as_ref().map(type_text).unwrap_or_default()),
        nullable: field.nullable,
        metadata: field.metadata.clone(),
    });
    columns.collect()
}

/// What is other in a source than its step's contract says; nothing where it keeps it.
pub(super) fn differences(step: &Step, schema: &DataType) -> Option<Diagnostic> {
    let contract = step.contract.as_ref()?;
    let found = found_columns(schema);
    let further: Vec<&FoundColumn> =
        found.iter().filter(|column| named(&contract.names(), &column.name).is_none()).collect();
    let mut told = Told::default();
    for column in &contract.columns {
        let there = found.iter().find(|there| is_same(&there.name, &column.name));
        match there {
            Some(there) => {
                for difference in column.data_type.differences(&there.data_type, &column.name) {
                    told.has_other_type = true;
                    told.notes.push(sentence(&difference));
                }
            }
            None => {
                told.is_missing = true;
                let near = nearest(&column.name, further.iter().map(|column| column.name.as_str()));
                let near = near.map(|near| format!("; is it `{near}`?")).unwrap_or_default();
                told.notes
                    .push(format!("`{}`, `{}`, is missing in the data{near}", column.name, column.data_type));
            }
        }
    }
    if contract.extra() == Extra::Error {
        told.is_more = !further.is_empty();
        let further = further.iter();
        told.notes.extend(
            further
                .map(|column| format!("`{}`, `{}`, is not in the contract", column.name, column.data_type)),
        );
    }
    told.diagnostic(step, contract)
}

/// What is other in the first line of the CSV files of a source than its step's contract says.
pub(super) fn first_line(
    step: &Step,
    schema: &DataType,
    is_header: bool,
    dialect: &Dialect,
) -> Option<Diagnostic> {
    let contract = step.contract.as_ref()?;
    let promised = contract.names();
    let found = column_names(schema);
    if found.is_empty() {
        // A file without lines has no rows either.
        return None;
    }
    let mut told = Told::default();
    if is_header {
        let missing: Vec<&String> = promised.iter().filter(|name| named(&found, name).is_none()).collect();
        let further: Vec<(usize, &String)> =
            found.iter().enumerate().filter(|(_, name)| named(&promised, name).is_none()).collect();
        for name in &missing {
            let near = nearest(name, further.iter().map(|(_, name)| name.as_str()));
            let near = near.map(|near| format!("; is it `{near}`?")).unwrap_or_default();
            told.notes.push(format!("`{name}` is missing in the header{near}"));
        }
        told.is_missing = !missing.is_empty();
        for (at, name) in &further {
            let is_between = *at < promised.len();
            if contract.extra() == Extra::Drop && !is_between && can_leave_out(dialect) {
                continue;
            }
            let between =
                if is_between && missing.is_empty() { ", and stands between columns that are" } else { "" };
            told.is_more = true;
            told.notes
                .push(format!("`{name}`, column {} of the header, is not in the contract{between}", at + 1));
        }
        let is_in_order = promised.iter().zip(&found).all(|(promised, found)| is_same(promised, found));
        if told.notes.is_empty() && !is_in_order {
            let found: Vec<String> = found.iter().map(|name| format!("`{name}`")).collect();
            told.is_disordered = true;
            told.notes.push(format!("the header has the columns in another order: {}", found.join(", ")));
        }
    } else if found.len() != promised.len() {
        let is_more = found.len() > promised.len();
        if !is_more || contract.extra() != Extra::Drop || !can_leave_out(dialect) {
            told.is_more = is_more;
            told.is_missing = !is_more;
            told.notes.push(format!(
                "the first line of the data has {}, the contract {}",
                count(found.len(), "column"),
                promised.len()
            ));
        }
    }
    let is_left_out = told.is_more && contract.extra() == Extra::Drop;
    let diagnostic = told.diagnostic(step, contract)?;
    let diagnostic =
        diagnostic.help("CSV is read by position; `read` with a `schema` passes over the header's names");
    Some(if is_left_out && !can_leave_out(dialect) {
        diagnostic.help(format!("{dialect} can't leave out columns of CSV; Spark can"))
    } else {
        diagnostic
    })
}

/// Whether an engine takes lines of CSV that have more columns than are read.
fn can_leave_out(dialect: &Dialect) -> bool {
    dialect.implementation() != Implementation::Sail
}

impl Contract {
    fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// The differences of one source.
#[derive(Debug, Default)]
struct Told {
    notes: Vec<String>,
    is_missing: bool,
    is_more: bool,
    has_other_type: bool,
    is_disordered: bool,
}

impl Told {
    /// All of them at the key `contract`.
    fn diagnostic(self, step: &Step, contract: &Contract) -> Option<Diagnostic> {
        if self.notes.is_empty() {
            return None;
        }
        let differences = count(self.notes.len(), "difference");
        let message = format!("the source of `{}` is not as its contract says: {differences}", step.name);
        let mut diagnostic = Diagnostic::new(Code::Contract, contract.span, message);
        diagnostic.notes = self.notes;
        if self.has_other_type {
            diagnostic = diagnostic.help(
                "where the data is right, write its type into the contract, and `cast` in `transform` where another one is needed",
            );
        }
        if self.is_more && contract.extra() == Extra::Error {
            diagnostic =
                diagnostic.help("`extra: keep` lets further columns pass, `extra: drop` leaves them out");
        }
        Some(diagnostic)
    }
}

fn sentence(difference: &Difference) -> String {
    let Difference { path, promised, found } = difference;
    match (promised, found) {
        (Some(promised), Some(found)) => {
            format!("`{path}` is `{promised}` in the contract, `{found}` in the data")
        }
        (Some(promised), None) => format!("`{path}`, `{promised}`, is missing in the data"),
        (None, Some(found)) => format!("`{path}`, `{found}`, is not in the contract"),
        (None, None) => format!("`{path}` is other in the data"),
    }
}

fn named<'n>(names: &'n [String], name: &str) -> Option<&'n String> {
    names.iter().find(|known| is_same(known, name))
}

fn is_same(one: &str, other: &str) -> bool {
    one == other || one.to_lowercase() == other.to_lowercase()
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
