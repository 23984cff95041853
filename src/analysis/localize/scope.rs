//! The columns that an expression can mean, and what is wrong with a name that means none of them.

use std::ops::Range;

use super::names::{Chain, alike};
use crate::analysis::columns::column_names;
use crate::proto::ddl::type_text;
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Kind, StructField};

/// The columns that an expression can mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) columns: Vec<StructField>,
    /// The same by the name that qualifies them, where one does.
    pub(super) sides: Vec<(String, DataType)>,
    /// Columns that are made beside the expression, which it does not see.
    pub(super) beside: Vec<String>,
    /// The step whose columns these are, where no side says it.
    pub(super) step: Option<String>,
}

/// A name that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where the first part stands that means nothing.
    pub(super) range: Range<usize>,
    pub(super) message: String,
    pub(super) name: String,
    /// What it could mean instead.
    pub(super) known: Vec<String>,
    /// What these are.
    pub(super) what: &'static str,
    /// Whether a column of this name is made beside the expression.
    pub(super) is_beside: bool,
    /// The steps in which it was looked for.
    pub(super) steps: Vec<String>,
}

impl Scope {
    pub(super) fn of(schema: &DataType) -> Self {
        Self { columns: fields(schema), ..Self::default() }
    }

    /// The columns without qualifiers.
    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The names of the steps whose columns these are.
    fn steps(&self) -> Vec<String> {
        let sides: Vec<String> = self.sides.iter().map(|(side, _)| side.clone()).collect();
        if sides.is_empty() { self.step.iter().cloned().collect() } else { sides }
    }

    fn side(&self, name: &str) -> Option<&(String, DataType)> {
        self.sides.iter().find(|(side, _)| alike(side, name))
    }

    fn column(&self, name: &str) -> Option<&StructField> {
        self.columns.iter().find(|column| alike(&column.name, name))
    }

    /// The qualifiers of those that have such a column.
    pub(super) fn sides_with(&self, column: &str) -> Vec<String> {
        let has = |schema: &DataType| column_names(schema).iter().any(|name| alike(name, column));
        self.sides.iter().filter(|(_, schema)| has(schema)).map(|(side, _)| side.clone()).collect()
    }

    /// Whether a name means a column that stands in for something wrong.
    pub(super) fn is_masked(&self, chain: &Chain) -> bool {
        chain.parts.iter().any(|(name, _)| {
            self.column(name).and_then(|column| column.data_type.as_ref()).is_some_and(is_void)
        })
    }

    /// What is wrong with a name that an engine can not resolve. `is_alias` knows qualifiers that are not known here.
    pub(super) fn missing(&self, chain: &Chain, is_alias: impl Fn(&str) -> bool) -> Missing {
        let [(first, range), rest @ ..] = chain.parts.as_slice() else {
            return Missing::column("", 0..0, Vec::new());
        };
        let Some(((second, second_range), fields_behind)) = rest.split_first() else {
            let is_beside = self.beside.iter().any(|made| alike(made, first));
            let steps = self.steps();
            return Missing { is_beside, steps, ..Missing::column(first, range.clone(), self.names()) };
        };
        if let Some((_, schema)) = self.side(first) {
            let columns = fields(schema);
            return match columns.iter().find(|column| alike(&column.name, second)) {
                Some(column) => field(column, second, fields_behind, &chain.range()),
                None => {
                    let steps = vec![first.clone()];
                    Missing { steps, ..Missing::column(second, second_range.clone(), column_names(schema)) }
                }
            };
        }
        if let Some(column) = self.column(first) {
            return field(column, first, rest, &chain.range());
        }
        if is_alias(first) {
            return Missing::column(second, second_range.clone(), self.names());
        }
        let sides = self.sides.iter().map(|(side, _)| side.clone());
        let known: Vec<String> = sides.chain(self.names()).collect();
        Missing {
            message: format!("`{first}` is neither a column nor a step that has columns here"),
            ..Missing::column(first, range.clone(), known)
        }
    }
}

impl Missing {
    fn column(name: &str, range: Range<usize>, known: Vec<String>) -> Self {
        let message = format!("there is no column `{name}`");
        let (name, steps) = (name.to_owned(), Vec::new());
        Self { range, message, name, known, what: "columns", is_beside: false, steps }
    }
}

/// The first field of a column that is not there.
fn field(column: &StructField, name: &str, path: &[(String, Range<usize>)], whole: &Range<usize>) -> Missing {
    let mut data_type = column.data_type.clone().unwrap_or_default();
    let mut name = name.to_owned();
    for (part, range) in path {
        // A field of an array's items is one of the array.
        while let Some(Kind::Array(array)) = &data_type.kind {
            data_type = array.element_type.as_deref().cloned().unwrap_or_default();
        }
        let known = fields(&data_type);
        match known.iter().find(|field| alike(&field.name, part)) {
            Some(field) => data_type = field.data_type.clone().unwrap_or_default(),
            None => {
                let message = if known.is_empty() {
                    format!("`{name}` has the type {}, and no field `{part}`", type_text(&data_type))
                } else {
                    format!("there is no field `{part}` in `{name}`")
                };
                let known = known.iter().map(|field| field.name.clone()).collect();
                let (range, name) = (range.clone(), part.clone());
                let what = "fields";
                return Missing { range, message, name, known, what, is_beside: false, steps: Vec::new() };
            }
        }
        name = format!("{name}.{part}");
    }
    Missing { range: whole.clone(), ..Missing::column(&name, whole.clone(), Vec::new()) }
}

pub(super) fn fields(schema: &DataType) -> Vec<StructField> {
    match &schema.kind {
        Some(Kind::Struct(fields)) => fields.fields.clone(),
        _ => Vec::new(),
    }
}

fn is_void(data_type: &DataType) -> bool {
    matches!(data_type.kind, Some(Kind::Null(_)))
}
