//! Owns contracts: files that give names and types to the columns of data that has none of its own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Context;
use super::document::is_scalar_type;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pipeline::Contract;
use crate::shape::{Entries, Short, Shorthand};
use crate::text::Spanned;
use crate::yaml;

/// A data contract: the columns that a source has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Document {
    /// The version of the format: 1.
    version: Spanned<u32>,
    /// What the data is.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
    /// The columns, in their order: `name: type`.
    columns: Spanned<Entries<Short<Column>>>,
}

/// A column of a contract. In short: `name: type`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
struct Column {
    /// A Spark SQL type.
    r#type: Spanned<String>,
    /// What the column holds.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
}

impl Shorthand for Column {
    const NAME: &'static str = "$pipectl::short:type";
}

/// Reads a contract's file; nothing where something is wrong with it.
pub(super) fn read(
    path: &Spanned<String>,
    context: &mut Context<'_, '_>,
    found: &mut Diagnostics,
) -> Option<Contract> {
    let (file, text) = match context.file(&path.value, path.span) {
        Ok(read) => read,
        Err(diagnostic) => {
            found.push(*diagnostic);
            return None;
        }
    };
    let read = yaml::read(file, &text, found)?;
    for repeated in &read.repeated {
        found.push(repeated.diagnostic());
    }
    let document: Document = yaml::decode(&read.root, found)?;
    if document.version.value != 1 {
        let message = "this pipectl reads version 1 of contracts";
        found.push(Diagnostic::new(Code::WrongType, document.version.span, message));
    }
    if document.columns.value.is_empty() {
        found.push(Diagnostic::new(Code::MissingKey, document.columns.span, "the contract has no columns"));
    }
    let columns = document.columns.value.iter().map(|(name, column)| {
        let data_type = &column.0.r#type;
        let nested =
            ["array", "map", "struct"].iter().any(|kind| data_type.value.to_lowercase().starts_with(kind));
        if !nested && !is_scalar_type(&data_type.value) {
            let message = format!("`{}` is not a Spark SQL type", data_type.value);
            let diagnostic = Diagnostic::new(Code::WrongType, data_type.span, message);
            found.push(diagnostic.suggest(&data_type.value, crate::expr::TYPE_NAMES));
        }
        (name.value.clone(), data_type.value.clone())
    });
    Some(Contract { columns: columns.collect() })
}
