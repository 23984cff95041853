//! The columns of a result, nested ones too, and what an output refuses of them.
//!
//! A refusal is found before the first byte and names the column; how a type is written, if it is, belongs to
//! the formats.

use std::collections::HashSet;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, Schema};

use crate::sink::refusal::{Refusal, identifier};

/// What a format cannot hold.
pub(crate) struct Limits {
    pub(crate) format: &'static str,
    /// Whether a result without columns, and columns of one name, are beyond it.
    pub(crate) shape: Shape,
    /// The name of a type that is beyond it, whatever its nested types are.
    pub(crate) lacks: fn(&Field) -> Option<Lack>,
}

/// What a format asks of the names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Any,
    DistinctNames,
    DistinctNamesAtLeastOne,
}

/// A type that a format cannot hold.
pub(crate) struct Lack {
    pub(crate) kind: &'static str,
    /// What turns a column into one that the format holds, with `{}` for the column.
    pub(crate) cure: &'static str,
}

/// A calendar interval has months, days and nanoseconds, which no columnar format keeps apart.
pub(crate) fn calendar_interval(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Interval(IntervalUnit::MonthDayNano | IntervalUnit::DayTime))
        .then_some(Lack { kind: "calendar interval", cure: "CAST({} AS STRING)" })
}

/// A variant arrives as two binaries that mean nothing to a reader of text.
pub(crate) fn variant(field: &Field) -> Option<Lack> {
    let DataType::Struct(children) = field.data_type() else { return None };
    let marked = |child: &Field| child.metadata().get("variant").is_some_and(|it| it == "true");
    children.iter().any(|child| marked(child)).then_some(Lack { kind: "variant", cure: "to_json({})" })
}

/// Spark has no unions; a server that sends one has no reader either.
pub(crate) fn union(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Union(_, _))
        .then_some(Lack { kind: "union", cure: "CAST({} AS STRING)" })
}

impl Limits {
    /// Everything in `schema` that is beyond these limits, in the order of the columns.
    pub(crate) fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
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
