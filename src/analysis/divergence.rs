//! Which steps have other columns on another engine.

use std::collections::HashMap;
use std::sync::Arc;

use super::localize::Known;
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Dialect;
use crate::pipeline::{Pipeline, StepId};
use crate::proto::ddl::type_text;
use crate::proto::spark::DataType;
use crate::proto::spark::data_type::{Kind, StructField};

/// An engine, and the columns that steps have there.
#[derive(Clone, Copy)]
pub(crate) struct There<'a> {
    pub(crate) dialect: &'a Dialect,
    pub(crate) known: &'a HashMap<StepId, Arc<Known>>,
}

impl There<'_> {
    fn columns(&self, id: StepId) -> Option<Vec<Column>> {
        match &self.known.get(&id)?.schema.as_ref()?.kind {
            Some(Kind::Struct(fields)) => Some(fields.fields.iter().map(Column::of).collect()),
            _ => None,
        }
    }
}

/// A column's name and type; whether it may be NULL is no difference, since engines know that more or less exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    data_type: String,
}

impl Column {
    fn of(field: &StructField) -> Self {
        let data_type = field.data_type.clone().unwrap_or_default();
        Self { name: field.name.clone(), data_type: type_text(&nullable(data_type)) }
    }
}

/// A warning for each step whose columns are others `there` than `here`.
///
/// What a step takes over from its inputs is told as theirs: each of `steps` comes after those that it reads.
pub(crate) fn differences(
    pipeline: &Pipeline,
    steps: &[StepId],
    here: There<'_>,
    there: There<'_>,
) -> Vec<Diagnostic> {
    let mut told: HashMap<StepId, Vec<String>> = HashMap::new();
    let mut found = Vec::new();
    for id in steps.iter().copied() {
        let (Some(own), Some(other)) = (here.columns(id), there.columns(id)) else { continue };
        let all = compared(&own, &other, here.dialect);
        if all.is_empty() {
            continue;
        }
        let step = pipeline.step(id);
        let shown: Vec<String> = all
            .iter()
            .map(|difference| {
                let from = step
                    .inputs
                    .iter()
                    .find(|input| told.get(input).is_some_and(|told| told.contains(difference)));
                match from {
                    Some(input) => format!("{difference}, as in `{}`", pipeline.step(*input).name),
                    None => difference.clone(),
                }
            })
            .collect();
        let message =
            format!("the columns of `{}` are others on {}: {}", step.name, there.dialect, shown.join("; "));
        let diagnostic = Diagnostic::new(Code::SchemaDiffers, step.name.span, message);
        found.push(if shown.iter().any(|one| one.contains(" is ")) {
            diagnostic.help("`cast` the column, and it has one type on every engine")
        } else {
            diagnostic
        });
        told.insert(id, all);
    }
    found
}

/// Each difference in a few words.
fn compared(own: &[Column], other: &[Column], here: &Dialect) -> Vec<String> {
    let find = |columns: &[Column], name: &str| columns.iter().find(|it| it.name == name).cloned();
    let mut found = Vec::new();
    for column in own {
        match find(other, &column.name) {
            // What stands in for something wrong has no type.
            Some(same) if [&same, column].iter().any(|it| it.data_type == "VOID") => {}
            Some(same) if same.data_type != column.data_type => found.push(format!(
                "`{}` is {} there, and {} on {here}",
                column.name, same.data_type, column.data_type
            )),
            Some(_) => {}
            None => found.push(format!("`{}` of {here} is missing there", column.name)),
        }
    }
    for column in other {
        if find(own, &column.name).is_none() {
            found.push(format!("`{}` exists there alone", column.name));
        }
    }
    let names = |columns: &[Column]| columns.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
    if found.is_empty() && names(own) != names(other) {
        let order: Vec<String> = other.iter().map(|column| format!("`{}`", column.name)).collect();
        found.push(format!("their order is {} there", order.join(", ")));
    }
    found
}

/// A type all parts of which may be NULL.
fn nullable(data_type: DataType) -> DataType {
    let inner = |boxed: Option<Box<DataType>>| boxed.map(|inner| Box::new(nullable(*inner)));
    let kind = data_type.kind.map(|kind| match kind {
        Kind::Struct(mut fields) => {
            for field in &mut fields.fields {
                field.nullable = true;
                field.data_type = field.data_type.take().map(nullable);
            }
            Kind::Struct(fields)
        }
        Kind::Array(mut array) => {
            array.element_type = inner(array.element_type.take());
            Kind::Array(array)
        }
        Kind::Map(mut map) => {
            map.key_type = inner(map.key_type.take());
            map.value_type = inner(map.value_type.take());
            Kind::Map(map)
        }
        other => other,
    });
    DataType { kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_types_and_order_are_compared() {
        let columns = |text: &str| {
            let pairs = text.split(", ").filter_map(|pair| pair.split_once(' '));
            pairs
                .map(|(name, data_type)| Column { name: name.to_owned(), data_type: data_type.to_owned() })
                .collect::<Vec<_>>()
        };
        let here = Dialect::sail();
        for (own, other, differences) in [
            ("a INT, b STRING", "a INT, b STRING", vec![]),
            ("a INT", "a BIGINT", vec!["`a` is BIGINT there, and INT on Sail 0.7.2"]),
            (
                "a INT, b INT",
                "a INT, c INT",
                vec!["`b` of Sail 0.7.2 is missing there", "`c` exists there alone"],
            ),
            ("a INT, b INT", "b INT, a INT", vec!["their order is `b`, `a` there"]),
        ] {
            assert_eq!(compared(&columns(own), &columns(other), &here), differences);
        }
    }
}
