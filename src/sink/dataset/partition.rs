//! Which folder a row belongs to: `column=value/…`, spelled as Hive and Spark do it.
//!
//! What a folder's name can not hold is written as `%` and two digits. NULL, and an empty string too, is
//! `__HIVE_DEFAULT_PARTITION__`; a reader takes both for NULL.

use std::collections::HashMap;
use std::fmt::Write as _;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_json::writer::EncoderOptions;
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;

use crate::sink::format::value::{self, value_type};
use crate::sink::refusal::{Refusal, missing};
use crate::text::Spanned;

const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// Everything about partitioning such a result by these columns that can not be.
pub(crate) fn refuse(columns: &[Spanned<String>], schema: &Schema) -> Vec<Refusal> {
    let refuse = |column: &Spanned<String>| match schema.field_with_name(&column.value) {
        Err(_) => Some(missing(&column.value, "partition_by", schema)),
        Ok(field) => refuse_field(field),
    };
    let refusals = columns.iter().filter_map(refuse).collect::<Vec<_>>();
    if refusals.is_empty() && !columns.is_empty() && columns.len() >= schema.fields().len() {
        return vec![Refusal::NothingLeft];
    }
    refusals
}

fn refuse_field(field: &Field) -> Option<Refusal> {
    let data_type = value_type(field.data_type());
    let kind = match data_type {
        DataType::Boolean
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Date32
        | DataType::Timestamp(_, _) => return None,
        integer if integer.is_integer() => return None,
        DataType::Decimal128(_, _) | DataType::Decimal256(_, _) => return None,
        floating if floating.is_floating() => "floating-point numbers",
        DataType::Binary | DataType::LargeBinary => "binary values",
        nested if nested.is_nested() => "nested values",
        _ => "values of its type",
    };
    Some(Refusal::NoFolders { column: field.name().clone(), kind })
}

/// Splits batches by the values of some columns.
pub(crate) struct Partitioner {
    /// Where the columns stand, and what their folders' names begin with.
    columns: Vec<(usize, String)>,
    /// Where the columns of the files stand.
    kept: Vec<usize>,
    options: EncoderOptions,
}

impl Partitioner {
    /// A result that has these columns, and others.
    pub(crate) fn new(columns: &[Spanned<String>], schema: &Schema) -> Result<Self, ArrowError> {
        let columns = columns.iter().map(|column| {
            let mut name = String::new();
            escape(&column.value, &mut name);
            Ok((schema.index_of(&column.value)?, name + "="))
        });
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        let kept = (0..schema.fields().len()).filter(|at| columns.iter().all(|(column, _)| column != at));
        let kept = kept.collect();
        Ok(Self { columns, kept, options: value::options() })
    }

    /// The columns of the files.
    pub(crate) fn schema(&self, schema: &Schema) -> Result<SchemaRef, ArrowError> {
        Ok(schema.project(&self.kept)?.into())
    }

    /// The rows of each folder (`day=2026-01-31/`), without the columns that it says, in the order of their first rows.
    pub(crate) fn split(&self, batch: &RecordBatch) -> Result<Vec<(String, RecordBatch)>, ArrowError> {
        let by = self.columns.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        let by = batch.project(&by)?;
        let mut cells = value::cells(&by, &self.options)?;
        let mut groups: Vec<(String, Vec<u32>)> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let (mut folder, mut cell, mut before) = (String::new(), Vec::new(), None);
        for row in 0..batch.num_rows() {
            folder.clear();
            for (index, ((_, name), column)) in self.columns.iter().zip(&mut cells).enumerate() {
                folder.push_str(name);
                cell.clear();
                if !column.is_null(row) {
                    column.write(row, &mut cell);
                }
                match (cell.is_empty(), String::from_utf8_lossy(&cell)) {
                    (true, _) => folder.push_str(NULL),
                    (false, text) => escape(&spelled(&text, by.column(index).data_type()), &mut folder),
                }
                folder.push('/');
            }
            let number = u32::try_from(row)
                .map_err(|_| ArrowError::ComputeError("a batch has too many rows".to_owned()))?;
            let at = match before {
                Some(at) if groups.get(at).is_some_and(|(name, _): &(String, Vec<u32>)| *name == folder) => {
                    at
                }
                _ => *known.entry(folder.clone()).or_insert_with(|| {
                    groups.push((folder.clone(), Vec::new()));
                    groups.len() - 1
                }),
            };
            before = Some(at);
            groups[at].1.push(number);
        }
        let rest = batch.project(&self.kept)?;
        if let [(folder, _)] = groups.as_slice() {
            return Ok(vec![(folder.clone(), rest)]);
        }
        let rows = |(folder, rows)| Ok((folder, take_record_batch(&rest, &UInt32Array::from(rows))?));
        groups.into_iter().map(rows).collect()
    }
}

/// A value as Spark spells it in a folder's name: an instant as the session's clock shows it.
fn spelled(text: &str, data_type: &DataType) -> String {
    if !matches!(value_type(data_type), DataType::Timestamp(_, _)) {
        return text.to_owned();
    }
    let Some((date, time)) = text.split_once('T') else { return text.to_owned() };
    let time = time.split(['Z', '+', '-']).next().unwrap_or(time);
    let time = if time.contains('.') { time.trim_end_matches('0') } else { time };
    format!("{date} {time}")
}

fn escape(text: &str, name: &mut String) {
    for character in text.chars() {
        let is_special = character.is_ascii_control()
            || matches!(
                character,
                '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '[' | ']' | '^'
            );
        if is_special {
            write!(name, "%{:02X}", u32::from(character)).expect("a string takes everything");
        } else {
            name.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray as _;
    use arrow_array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::sink::test_batches;

    fn spanned(names: &[&str]) -> Vec<Spanned<String>> {
        names
            .iter()
            .map(|it| Spanned { span: crate::text::Span::default(), value: (*it).to_owned() })
            .collect()
    }

    #[test]
    fn rows_go_to_the_folders_of_their_values() {
        let columns: [(&str, ArrayRef); 3] = [
            ("k", Arc::new(StringArray::from(vec![Some("a/b"), None, Some(""), Some("a/b"), Some("ü %")]))),
            ("v", Arc::new(Int64Array::from_iter_values(0..5))),
            ("d=", Arc::new(Int64Array::from(vec![1, 1, 1, 1, 2]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let by = Partitioner::new(&spanned(&["d=", "k"]), batch.schema_ref()).unwrap();
        let split = by.split(&batch).unwrap();
        let shown = split.iter().map(|(folder, rows)| {
            assert_eq!(rows.schema(), by.schema(batch.schema_ref()).unwrap());
            let values = rows.column(0).as_primitive::<arrow_array::types::Int64Type>().values().to_vec();
            (folder.as_str(), values)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                ("d%3D=1/k=a%2Fb/", vec![0, 3]),
                ("d%3D=1/k=__HIVE_DEFAULT_PARTITION__/", vec![1, 2]),
                ("d%3D=2/k=ü %25/", vec![4]),
            ]
        );
    }

    #[test]
    fn every_type_that_may_be_a_folder_has_a_name() {
        let batch = test_batches::every_type();
        let mut shown = String::new();
        for field in batch.schema().fields() {
            let column = spanned(&[field.name()]);
            let refusals = refuse(&column, batch.schema_ref());
            if let Some(refusal) = refusals.first() {
                writeln!(shown, "{refusal}").unwrap();
                continue;
            }
            let split = Partitioner::new(&column, batch.schema_ref()).unwrap().split(&batch).unwrap();
            let folders = split.into_iter().map(|(folder, _)| folder).collect::<Vec<_>>();
            writeln!(shown, "{}", folders.join(" ")).unwrap();
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn columns_that_are_not_there_are_refused() {
        let schema = test_batches::numbers(0, 1).schema();
        let refusals = [refuse(&spanned(&["no"]), &schema), refuse(&spanned(&["id"]), &schema)].concat();
        insta::assert_snapshot!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r"
        `partition_by` names the column `no`, and there is none; there are `id`
        `partition_by` names every column, so that nothing is left for the files
        ");
    }
}
