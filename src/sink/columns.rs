//! The columns of a result, nested ones too, and what an output refuses of them.
//!
//! A refusal is found before the first byte and names the column; how a type is written, if it is, belongs to
//! the formats.

use std::collections::HashSet;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema};

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
pub(super) fn missing(column: &str, setting: &'static str, schema: &Schema) -> Refusal {
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

/// What a format cannot hold.
pub(super) struct Limits {
    pub(super) format: &'static str,
    /// Whether a result without columns, and columns of one name, are beyond it.
    pub(super) shape: Shape,
    /// The name of a type that is beyond it, whatever its nested types are.
    pub(super) lacks: fn(&Field) -> Option<Lack>,
}

/// What a format asks of the names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    DistinctNames,
    DistinctNamesAtLeastOne,
}

/// A type that a format cannot hold.
pub(super) struct Lack {
    pub(super) kind: &'static str,
    /// What turns a column into one that the format holds, with `{}` for the column.
    pub(super) cure: &'static str,
}

/// A calendar interval has months, days and nanoseconds, which no columnar format keeps apart.
pub(super) fn calendar_interval(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Interval(IntervalUnit::MonthDayNano | IntervalUnit::DayTime))
        .then_some(Lack { kind: "calendar interval", cure: "CAST({} AS STRING)" })
}

/// A variant arrives as two binaries that mean nothing to a reader of text.
pub(super) fn variant(field: &Field) -> Option<Lack> {
    let DataType::Struct(children) = field.data_type() else { return None };
    let marked = |child: &Field| child.metadata().get("variant").is_some_and(|it| it == "true");
    children.iter().any(|child| marked(child)).then_some(Lack { kind: "variant", cure: "to_json({})" })
}

/// Spark has no unions; a server that sends one has no reader either.
pub(super) fn union(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Union(_, _))
        .then_some(Lack { kind: "union", cure: "CAST({} AS STRING)" })
}

impl Limits {
    /// Everything in `schema` that is beyond these limits, in the order of the columns.
    pub(super) fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        if schema.fields().is_empty() && self.shape == Shape::DistinctNamesAtLeastOne {
            return vec![Refusal::NoColumns { format: self.format }];
        }
        let mut refusals = Vec::new();
        self.refuse_fields(schema.fields(), None, &mut refusals);
        refusals
    }

    fn refuse_fields(&self, fields: &Fields, parent: Option<&Spot>, refusals: &mut Vec<Refusal>) {
        let mut seen = HashSet::new();
        for field in fields {
            let spot = parent.map_or_else(|| Spot::column(field.name()), |it| it.field(field.name()));
            if !seen.insert(field.name()) && self.shape != Shape::Any {
                refusals.push(Refusal::Twice { column: spot.column.clone(), format: self.format });
            }
            self.refuse_field(field, &spot, refusals);
        }
    }

    fn refuse_field(&self, field: &Field, spot: &Spot, refusals: &mut Vec<Refusal>) {
        if let Some(lack) = (self.lacks)(field) {
            let hint = match &spot.expression {
                Some(it) => format!("convert it, for example with {}", lack.cure.replace("{}", it)),
                None => "convert it or leave it out".to_owned(),
            };
            let column = spot.column.clone();
            refusals.push(Refusal::Type { column, kind: lack.kind, format: self.format, hint });
            return;
        }
        match field.data_type() {
            DataType::Struct(children) => self.refuse_fields(children, Some(spot), refusals),
            DataType::List(element)
            | DataType::LargeList(element)
            | DataType::ListView(element)
            | DataType::LargeListView(element)
            | DataType::FixedSizeList(element, _) => {
                self.refuse_field(element, &spot.inside("element"), refusals);
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(pair) = entries.data_type() else { return };
                for (field, name) in pair.iter().zip(["key", "value"]) {
                    self.refuse_field(field, &spot.inside(name), refusals);
                }
            }
            _ => {}
        }
    }
}

/// A place in the columns of a result.
struct Spot {
    /// Its path, for people.
    column: String,
    /// The expression for it; what is in a list or a map has none.
    expression: Option<String>,
}

impl Spot {
    fn column(name: &str) -> Self {
        Self { column: name.to_owned(), expression: Some(identifier(name)) }
    }

    fn field(&self, name: &str) -> Self {
        let expression = self.expression.as_ref().map(|it| format!("{it}.{}", identifier(name)));
        Self { column: format!("{}.{name}", self.column), expression }
    }

    fn inside(&self, name: &str) -> Self {
        Self { column: format!("{}.{name}", self.column), expression: None }
    }
}

/// A name as an expression has it.
fn identifier(name: &str) -> String {
    if name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
        return name.to_owned();
    }
    format!("`{}`", name.replace('`', "``"))
}
