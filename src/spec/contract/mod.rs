//! Owns contracts: files that say which columns a source has, and what holds for them.

mod write;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Context, elsewhere};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::{ColumnType, TYPE_NAMES, Template};
use crate::pipeline::{self, Contract, Extra};
use crate::shape::{Entries, Many, Short, Shorthand};
use crate::text::{Span, Spanned};
use crate::yaml::{self, Node};

pub(crate) use write::contract_text;

/// A data contract: the columns that a source has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(super) struct Document {
    /// The version of the format: 1.
    #[schemars(extend("const" = 1))]
    version: Spanned<u32>,
    /// What the data is.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
    /// The columns, in their order: `name: type`.
    #[schemars(extend("minProperties" = 1))]
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
    /// A Spark SQL type, also a nested one: `array<string>`, `map<string, int>`, `struct<street: string, zip: string>`.
    #[schemars(extend("examples" = [
        "string", "bigint", "int", "double", "decimal(12,2)", "boolean", "date", "timestamp", "timestamp_ntz", "binary", "smallint",
        "tinyint", "float", "array<string>", "map<string, int>", "struct<a: int, b: string>", "variant",
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
    let known = crate::lowering::normal(&context.base.folder.join(&path.value));
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

/// The contract of a file's text.
fn document(file: crate::text::FileId, text: &str, span: Span, found: &mut Diagnostics) -> Option<Contract> {
    let read = yaml::read(file, text, found)?;
    for repeated in &read.repeated {
        found.push(repeated.diagnostic());
    }
    let mut own = Diagnostics::default();
    let document: Option<Document> = yaml::decode(&read.root, &mut own);
    found.append(with_help(&read.root, own));
    let document = document?;
    if document.version.value != 1 {
        let message = "this pipectl reads version 1 of contracts";
        found.push(
            Diagnostic::new(Code::WrongType, document.version.span, message).help("write `version: 1`"),
        );
    }
    if document.columns.value.is_empty() {
        found.push(Diagnostic::new(Code::MissingKey, document.columns.span, "the contract has no columns"));
    }
    let columns = columns(&document, found);
    let key = key(&document, found);
    Some(Contract { span, columns, key, extra: document.extra })
}

fn columns(document: &Document, found: &mut Diagnostics) -> Vec<pipeline::Column> {
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut columns = Vec::with_capacity(document.columns.value.len());
    for (name, Short(column)) in document.columns.value.iter() {
        if name.value.is_empty() {
            found.push(Diagnostic::new(Code::BadName, name.span, "a column has a name"));
        }
        let first = *seen.entry(name.value.to_lowercase()).or_insert(name.span);
        if first != name.span {
            let message = format!("there is another column `{}`", name.value);
            found.push(
                Diagnostic::new(Code::DuplicateColumn, name.span, message)
                    .related(first, "first here")
                    .help("names that differ in case alone are the same to engines"),
            );
        }
        match ColumnType::parse(&column.r#type.value) {
            Ok(data_type) => columns.push(pipeline::Column {
                name: name.value.clone(),
                data_type,
                nullable: column.nullable.as_ref().is_none_or(|nullable| nullable.value),
            }),
            Err(wrong) => {
                for wrong in wrong {
                    let diagnostic = Diagnostic::new(Code::WrongType, column.r#type.span, wrong.message);
                    found.push(match (wrong.help, wrong.name) {
                        (Some(help), _) => diagnostic.help(help),
                        (None, Some(name)) => {
                            diagnostic.suggest(&name, TYPE_NAMES.into_iter().filter(|it| *it != "identifier"))
                        }
                        (None, None) => diagnostic,
                    });
                }
            }
        }
    }
    columns
}

/// The key's columns, as the contract writes them where it describes them.
fn key(document: &Document, found: &mut Diagnostics) -> Vec<String> {
    let Some(key) = &document.key else { return Vec::new() };
    if key.is_empty() {
        let message = "the key has no columns";
        found.push(
            Diagnostic::new(Code::MissingKey, document.columns.span, message)
                .help("write `key: [id]`, or leave it out"),
        );
    }
    let columns = &document.columns.value;
    let mut names: Vec<String> = Vec::new();
    for part in key.iter() {
        let lower = part.value.to_lowercase();
        let Some((name, Short(column))) = columns.iter().find(|(name, _)| name.value.to_lowercase() == lower)
        else {
            let message = format!("there is no column `{}`", part.value);
            let known = columns.iter().map(|(name, _)| name.value.as_str());
            found.push(Diagnostic::new(Code::UnknownColumn, part.span, message).suggest(&part.value, known));
            continue;
        };
        if names.contains(&name.value) {
            let message = format!("`{}` is in the key twice", part.value);
            found.push(Diagnostic::new(Code::Settings, part.span, message));
            continue;
        }
        if let Some(nullable) = column.nullable.as_ref().filter(|nullable| nullable.value) {
            let message = format!("`{}` is a part of the key, which has a value in every row", name.value);
            found.push(
                Diagnostic::new(Code::Settings, nullable.span, message)
                    .related(part.span, "here")
                    .help("leave `nullable` out, or take the column out of the key"),
            );
        }
        names.push(name.value.clone());
    }
    names
}

/// Says what keys are called here that other tools call otherwise.
fn with_help(root: &Node<'_>, found: Diagnostics) -> Diagnostics {
    let entries = root.as_mapping().unwrap_or_default();
    let columns = entries.iter().find(|(key, _)| key.text == "columns").map(|(_, node)| node);
    let inner = columns.and_then(Node::as_mapping).unwrap_or_default();
    let inner = inner.iter().filter_map(|(_, node)| node.as_mapping()).flatten();
    let keys: Vec<_> = entries.iter().chain(inner).map(|(key, _)| key).collect();
    let list = columns.filter(|node| node.as_mapping().is_none() && !node.is_null());
    let helped = found.sorted().into_iter().map(|mut one| {
        if one.code == Code::UnknownKey
            && let Some(key) = keys.iter().find(|key| key.span == one.span)
            && let Some(help) = elsewhere::in_contract(&key.text)
        {
            one.help = vec![help.to_owned()];
        } else if list.is_some_and(|node| node.span == one.span) {
            one.help = vec!["columns are `name: type`, a line each, as in `id: bigint`".to_owned()];
        }
        one
    });
    helped.collect()
}

/// Reports what is said of further columns and can't be done where data is read with the contract.
pub(super) fn check_extra(contract: &Contract, has_lines: bool, found: &mut Diagnostics) {
    let Some(extra) = &contract.extra else { return };
    let (message, help) = match (extra.value, has_lines) {
        (Extra::Drop, _) | (Extra::Error, true) => return,
        (Extra::Keep, true) => (
            "columns of CSV that its contract does not name can't be kept: it is read by position, with the contract",
            "write `extra: drop` to leave out those behind the last column, or name them in the contract",
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
