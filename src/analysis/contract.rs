//! Compares what an engine says of a source with the contract of the step.
//!
//! Names are compared without their case, as engines do, and columns without their order; but CSV is read by position. Nothing is cast: a
//! type that is other is a difference, also where every value would fit.

use std::fs;
use std::path::{Path, PathBuf};

use super::columns::column_names;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::dialect::{Dialect, Implementation};
use crate::expr::{ColumnType, Difference};
use crate::pipeline::{Contract, Extra, FoundColumn, Step};
use crate::proto::ddl::type_text;
use crate::proto::spark::data_type::Kind;
use crate::proto::spark::read::ReadType;
use crate::proto::spark::relation::RelType;
use crate::proto::spark::{DataType, Relation};

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
        for (at, name) in &further {
            let is_behind = found.iter().skip(*at).all(|name| named(&promised, name).is_none());
            if contract.extra() == Extra::Drop && is_behind && can_leave_out(dialect) {
                continue;
            }
            let before = if is_behind { "" } else { ", and stands before columns that are" };
            told.is_more = true;
            told.is_between |= !is_behind;
            told.notes
                .push(format!("`{name}`, column {} of the header, is not in the contract{before}", at + 1));
        }
        let known = found.iter().filter(|name| named(&promised, name).is_some());
        let wanted = promised.iter().filter(|name| named(&found, name).is_some());
        if !known.clone().zip(wanted).all(|(found, promised)| is_same(found, promised)) {
            let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
            told.notes.push(format!("the header has the columns in another order: {}", known.join(", ")));
        }
    } else if found.len() != promised.len() {
        let is_more = found.len() > promised.len();
        if !is_more || contract.extra() != Extra::Drop || !can_leave_out(dialect) {
            told.is_more = is_more;
            told.notes.push(format!(
                "the first line of the data has {}, the contract {}",
                count(found.len(), "column"),
                promised.len()
            ));
        }
    }
    let (is_more, is_between) = (told.is_more, told.is_between);
    let mut diagnostic = told.diagnostic(step, contract)?;
    diagnostic = diagnostic.help(if is_header {
        "CSV is read by position; a `schema` in `read` gives its columns other names than the header"
    } else {
        "CSV is read by position"
    });
    if !is_more || is_between {
        return Some(diagnostic);
    }
    Some(diagnostic.help(match (contract.extra(), can_leave_out(dialect)) {
        (_, false) => format!("{dialect} can't leave out columns of CSV; Spark can, with `extra: drop` and the option `mode: PERMISSIVE`"),
        (_, true) => "`extra: drop` and the option `mode: PERMISSIVE` leave out columns behind those of the contract".to_owned(),
    }))
}

/// The relation that tells the first line, of one file alone: some engines look at all files of a folder for it. Nothing where the files
/// are not this machine's, and may be many.
pub(super) fn of_one_file(step: &Step, relation: &Relation) -> Option<Relation> {
    let path = step.source.value.kind().paths().first()?.plain();
    let mut relation = relation.clone();
    let Some(RelType::Read(read)) = &mut relation.rel_type else { return None };
    let Some(ReadType::DataSource(source)) = &mut read.read_type else { return None };
    match step.base.root.shared(&path) {
        Some(local) => source.paths = vec![first_file(&local)?.to_string_lossy().into_owned()],
        None => {
            let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let may_be_many =
                source.paths.len() > 1 || path.contains(['*', '?', '[', '{']) || !name.contains('.');
            if may_be_many {
                return None;
            }
        }
    }
    Some(relation)
}

/// The first file with data at a path, which may be a folder or a pattern.
fn first_file(path: &Path) -> Option<PathBuf> {
    let text = path.to_string_lossy();
    if !path.exists() && text.contains(['*', '?', '[']) {
        return glob::glob(&text).ok()?.flatten().find_map(|found| first_file(&found));
    }
    if !path.is_dir() {
        return path.exists().then(|| path.to_path_buf());
    }
    let entries = fs::read_dir(path).ok()?.flatten();
    let is_data = |entry: &fs::DirEntry| !entry.file_name().to_string_lossy().starts_with(['.', '_']);
    let mut paths: Vec<PathBuf> = entries.filter(is_data).map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().find_map(|path| first_file(path))
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
    is_more: bool,
    /// Whether some of them stand before columns that are promised.
    is_between: bool,
    has_other_type: bool,
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
