//! Owns contracts: files that say which columns a source has, and what holds for them.

mod write;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::context::Context;
use super::elsewhere::{self, Meaning};
use super::keys::get;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{ColumnType, TYPE_NAMES, Template};
use crate::lowering::normal;
use crate::pipeline::{self, Contract, Extra};
use crate::shape::{Entries, Many, Short, Shorthand};
use crate::text::{FileId, Span, Spanned};
use crate::yaml::{self, Node, decode};

pub(crate) use write::contract_text;

/// The keys of the file.
const KEYS: [&str; 5] = ["version", "description", "columns", "key", "extra"];

/// A data contract: the columns that a source has.
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "its schema; the keys are decoded one by one, so that one mistake hides no other"
)]
pub(super) struct Document {
    /// The version of the format: 1.
    version: Spanned<u32>,
    /// What the data is.
    description: Option<String>,
    /// The columns, in their order: `name: type`.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "minLength": 1 }))]
    columns: Spanned<Entries<Short<Column>>>,
    /// The columns whose values together are those of one row alone, and are there in every row. A run counts the rows for which that
    /// does not hold before anything is made of them, and fails where there are any.
    #[schemars(extend("minItems" = 1))]
    key: Option<Many<Spanned<String>>>,
    /// What becomes of columns that the data has and the contract does not name: `error` where it is not given. A step may say it
    /// otherwise.
    extra: Option<Spanned<Extra>>,
}

/// A column of a contract. In short: `name: type`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Column {
    /// A Spark SQL type, also a nested one: `array<string>`, `map<string,int>`, `struct<street:string,zip:string>`.
    #[schemars(extend("examples" = [
        "string", "bigint", "int", "double", "decimal(12,2)", "boolean", "date", "timestamp", "timestamp_ntz", "binary", "smallint",
        "tinyint", "float", "array<string>", "map<string,int>", "struct<a:int,b:string>", "variant",
    ]))]
    r#type: Spanned<String>,
    /// Whether there may be rows without a value; `true` where it is not given. With `false` a run counts those rows before anything is
    /// made of them, and fails where there are any.
    nullable: Option<Spanned<bool>>,
    /// What the column holds.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
}

impl Shorthand for Column {
    const NAME: &'static str = "$pipectl::short:type";
}

/// What a step says of its contract. In short: the file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// The contract's file. Relative paths start at this file's folder.
    pub(super) file: Template,
    /// What becomes of columns that the source has and the contract does not name; it goes before what the contract says.
    pub(super) extra: Option<Spanned<Extra>>,
}

impl Shorthand for Named {
    const NAME: &'static str = "$pipectl::short:file";
}

/// Reads a contract's file; nothing where something is wrong with it. What is wrong with a file is told once, whoever names it.
pub(super) fn read(
    path: &Spanned<String>,
    context: &mut Context<'_, '_>,
    found: &mut Diagnostics,
) -> Option<Contract> {
    let known = normal(&context.base.folder.join(&path.value));
    if let Some(contract) = context.contracts.get(&known) {
        return contract.clone().map(|contract| Contract { span: path.span, ..contract });
    }
    let (file, text) = match context.file(&path.value, path.span) {
        Ok(read) => read,
        Err(diagnostic) => {
            let help = "`pipectl contract infer` writes one; until it is there, leave the key out";
            found.push(if diagnostic.code == Code::File { diagnostic.help(help) } else { *diagnostic });
            return None;
        }
    };
    let mut own = Diagnostics::default();
    let contract = document(file, &text, path.span, &mut own);
    let contract = contract.filter(|_| !own.has_errors());
    found.append(own);
    context.contracts.insert(known, contract.clone());
    contract
}

/// The contract of a file's text. Its keys and its columns are decoded one by one, so that one mistake hides no other.
fn document(file: FileId, text: &str, span: Span, found: &mut Diagnostics) -> Option<Contract> {
    let read = yaml::read(file, text, found)?;
    for repeated in &read.repeated {
        found.push(repeated.diagnostic());
    }
    let root = &read.root;
    let Some(entries) = root.as_mapping() else {
        if !root.is_misread() {
            let message = "a contract is a mapping with the keys `version` and `columns`";
            found.push(Diagnostic::new(Code::WrongType, root.span, message));
        }
        return None;
    };
    for (key, _) in entries.iter().filter(|(key, _)| !KEYS.contains(&&*key.text)) {
        let unknown = Diagnostic::new(Code::UnknownKey, key.span, format!("unknown key `{}`", key.text))
            .label("not a key of a contract");
        found.push(match elsewhere::in_contract(&key.text) {
            Some(meaning) => meaning.explain(unknown),
            None => unknown.suggest(&key.text, KEYS),
        });
    }
    let start = Span::start_of(file);
    version(get(entries, "version"), start, found);
    get(entries, "description").map(|node| decode::<Option<String>>(node, found));
    let columns = columns(get(entries, "columns"), start, found);
    let key = get(entries, "key").map(|node| key(node, &columns, found)).unwrap_or_default();
    let extra = get(entries, "extra").and_then(|node| decode(node, found));
    Some(Contract { span, columns: columns.into_iter().filter_map(Entry::into_column).collect(), key, extra })
}

fn version(node: Option<&Node<'_>>, start: Span, found: &mut Diagnostics) {
    let Some(node) = node else {
        let missing = Diagnostic::new(Code::MissingKey, start, "the key `version` is missing");
        found.push(missing.help("begin the file with `version: 1`"));
        return;
    };
    if !node.is_misread() && node.as_scalar().is_none_or(|scalar| scalar.plain() != "1") {
        let message = "this pipectl reads version 1 of contracts";
        found.push(Diagnostic::new(Code::WrongType, node.span, message).help("write `version: 1`"));
    }
}

/// A column of the file.
struct Entry {
    name: Spanned<String>,
    /// Nothing where something is wrong with it, which was reported.
    column: Option<(ColumnType, Option<Spanned<bool>>)>,
}

impl Entry {
    fn into_column(self) -> Option<pipeline::Column> {
        let (data_type, nullable) = self.column?;
        let nullable = nullable.is_none_or(|nullable| nullable.value);
        Some(pipeline::Column { name: self.name.value, data_type, nullable })
    }
}

fn columns(node: Option<&Node<'_>>, start: Span, found: &mut Diagnostics) -> Vec<Entry> {
    const HELP: &str = "columns are `name: type`, a line each, as in `id: bigint`";
    let Some(node) = node else {
        found.push(Diagnostic::new(Code::MissingKey, start, "the key `columns` is missing").help(HELP));
        return Vec::new();
    };
    let Some(entries) = node.as_mapping() else {
        if node.is_null() {
            found
                .push(Diagnostic::new(Code::MissingKey, node.span, "the contract has no columns").help(HELP));
        } else if !node.is_misread() {
            let message = format!("`columns` is a mapping of names to types, not {}", node.describe());
            found.push(Diagnostic::new(Code::WrongType, node.span, message).help(HELP));
        }
        return Vec::new();
    };
    if entries.is_empty() {
        found.push(Diagnostic::new(Code::MissingKey, node.span, "the contract has no columns").help(HELP));
    }
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut columns = Vec::with_capacity(entries.len());
    for (key, node) in entries {
        if key.text.is_empty() {
            found.push(Diagnostic::new(Code::BadName, key.span, "a column has a name"));
        }
        let first = *seen.entry(key.text.to_lowercase()).or_insert(key.span);
        if first != key.span {
            let message = format!("there is another column `{}`", key.text);
            found.push(
                Diagnostic::new(Code::DuplicateColumn, key.span, message)
                    .related(first, "first here")
                    .help("names that differ in case alone are the same to engines"),
            );
        }
        let name = Spanned { span: key.span, value: key.text.to_string() };
        columns.push(Entry { name, column: column(node, found) });
    }
    columns
}

fn column(node: &Node<'_>, found: &mut Diagnostics) -> Option<(ColumnType, Option<Spanned<bool>>)> {
    let mut own = Diagnostics::default();
    let column = decode::<Option<Short<Column>>>(node, &mut own);
    let keys = || node.as_mapping().into_iter().flatten().map(|(key, _)| key);
    // What keys are called here that other tools call otherwise; what is there under such a name is not missing.
    let is_there = keys().any(|key| elsewhere::in_contract(&key.text) == Some(Meaning::Key("type")));
    let own: Diagnostics =
        own.sorted().into_iter().filter(|one| !(is_there && one.code == Code::MissingKey)).collect();
    found.extend(own.sorted().into_iter().map(|mut one| {
        let unknown = keys().find(|key| one.code == Code::UnknownKey && key.span == one.span);
        let Some(meaning) = unknown.and_then(|key| elsewhere::in_contract(&key.text)) else { return one };
        one.help.clear();
        one.suggestions.clear();
        meaning.explain(one)
    }));
    let Some(Short(column)) = column? else {
        found.push(
            Diagnostic::new(Code::MissingKey, node.span, "a type is missing here")
                .help("write `bigint`, `string`, …"),
        );
        return None;
    };
    match ColumnType::parse(&column.r#type.value) {
        Ok(data_type) => Some((data_type, column.nullable)),
        Err(wrong) => {
            for wrong in wrong {
                let diagnostic = Diagnostic::new(Code::WrongType, column.r#type.span, wrong.message);
                let names = TYPE_NAMES.into_iter().filter(|name| *name != "identifier");
                found.push(match (wrong.help, wrong.name) {
                    (Some(help), _) => diagnostic.help(help),
                    (None, Some(name)) if name == column.r#type.value => diagnostic.suggest(&name, names),
                    (None, Some(name)) => diagnostic.near(&name, names),
                    (None, None) => diagnostic,
                });
            }
            None
        }
    }
}

/// The key's columns, as the contract writes them where it describes them.
fn key(node: &Node<'_>, columns: &[Entry], found: &mut Diagnostics) -> Vec<String> {
    let Some(key) = decode::<Many<Spanned<String>>>(node, found) else { return Vec::new() };
    if key.is_empty() {
        let message = "the key has no columns";
        found.push(
            Diagnostic::new(Code::MissingKey, node.span, message).help("write `key: [id]`, or leave it out"),
        );
    }
    let mut names: Vec<String> = Vec::new();
    for part in key.iter() {
        let lower = part.value.to_lowercase();
        let Some(entry) = columns.iter().find(|entry| entry.name.value.to_lowercase() == lower) else {
            // Without columns that was reported.
            if !columns.is_empty() {
                let message = format!("there is no column `{}`", part.value);
                let known = columns.iter().map(|entry| entry.name.value.as_str());
                found.push(
                    Diagnostic::new(Code::UnknownColumn, part.span, message).suggest(&part.value, known),
                );
            }
            continue;
        };
        let name = &entry.name.value;
        if names.contains(name) {
            let message = format!("`{}` is in the key twice", part.value);
            found.push(Diagnostic::new(Code::Settings, part.span, message));
            continue;
        }
        let nullable = entry.column.as_ref().and_then(|(_, nullable)| nullable.as_ref());
        if let Some(nullable) = nullable.filter(|nullable| nullable.value) {
            let message = format!("`{name}` is a part of the key, which has a value in every row");
            found.push(
                Diagnostic::new(Code::Settings, nullable.span, message)
                    .related(part.span, "here")
                    .help("leave `nullable` out, or take the column out of the key"),
            );
        }
        names.push(name.clone());
    }
    names
}

/// Reports what is said of further columns and can't be done where data is read with the contract.
pub(super) fn check_extra(contract: &Contract, has_lines: bool, found: &mut Diagnostics) {
    let Some(extra) = &contract.extra else { return };
    let (message, help) = match (extra.value, has_lines) {
        (Extra::Drop, _) | (Extra::Error, true) => return,
        (Extra::Keep, true) => (
            "columns of CSV that its contract does not name can't be kept: it is read by position, with the contract",
            "write `extra: drop`, and the option `mode: PERMISSIVE`, to leave out those behind the last column, or name them in the contract",
        ),
        (Extra::Keep | Extra::Error, false) => (
            "which further fields JSON has is not known before all of it is read: those that its contract does not name are left out",
            "write `extra: drop`, or leave `extra` out",
        ),
    };
    let diagnostic = Diagnostic::new(Code::Settings, extra.span, message).help(help);
    found.push(if extra.span.file == contract.span.file {
        diagnostic
    } else {
        diagnostic.related(contract.span, "the contract is used here")
    });
}
