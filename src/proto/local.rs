//! Rows that travel with the plan.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use super::relation::local_relation;
use crate::name::quoted;
use crate::proto::spark::Relation;

/// A relation of text columns; each row has a value, or nothing, for each column.
pub(crate) fn text_rows(columns: &[&str], rows: &[&[Option<String>]]) -> Relation {
    let column = |at: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.get(at).cloned().flatten()).collect::<StringArray>())
    };
    let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = (0..columns.len()).map(column).collect();
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), arrays).expect("every column has a value for every row");
    let ddl: Vec<String> = columns.iter().map(|name| format!("{} STRING", quoted(name))).collect();
    local_relation(stream(&schema, &batch), ddl.join(", "))
}

/// An Arrow IPC stream of one batch.
fn stream(schema: &Schema, batch: &RecordBatch) -> Bytes {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).expect("memory takes every schema");
    writer.write(batch).expect("the batch has the schema");
    writer.into_inner().expect("memory takes every batch").into()
}
