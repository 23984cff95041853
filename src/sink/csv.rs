//! CSV in one dialect, that of `PostgreSQL`'s `COPY … CSV HEADER`: names first, `,` between, `\n` after each
//! line, a field in `"` where it must be, `"` in it doubled. NULL is nothing at all, an empty string is `""`,
//! so that both survive.
//!
//! arrow-csv cannot tell these two apart and refuses nested types, which are JSON text here. How values look
//! is [`super::value`]'s.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::writer::EncoderOptions;

use super::Text;
use super::columns::{Limits, Refusal, Shape, union, variant};
use super::value;

const LIMITS: Limits = Limits {
    format: "CSV",
    shape: Shape::DistinctNamesAtLeastOne,
    lacks: |field| variant(field).or_else(|| union(field)),
};

/// Everything about these columns that CSV cannot hold.
pub(super) fn refuse(schema: &Schema) -> Vec<Refusal> {
    LIMITS.refuse(schema)
}

/// Writes rows as CSV.
pub(super) struct Csv {
    header: Option<SchemaRef>,
    options: EncoderOptions,
}

impl Csv {
    pub(super) fn new(schema: &SchemaRef) -> Self {
        Self { header: Some(SchemaRef::clone(schema)), options: value::options() }
    }

    fn write_header(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        let Some(schema) = self.header.take() else { return Ok(()) };
        let mut line = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                line.push(b',');
            }
            push_field(&mut line, field.name().as_bytes());
        }
        line.push(b'\n');
        Ok(out.write_all(&line)?)
    }
}

impl Text for Csv {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.write_header(out)?;
        let mut columns = value::cells(batch, &self.options)?;
        let mut line = Vec::new();
        let mut cell = Vec::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    line.push(b',');
                }
                if column.is_null(row) {
                    continue;
                }
                cell.clear();
                column.write(row, &mut cell);
                push_field(&mut line, &cell);
            }
            line.push(b'\n');
            out.write_all(&line)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.write_header(out)
    }
}

fn push_field(line: &mut Vec<u8>, field: &[u8]) {
    let plain = !field.is_empty() && !field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    if plain {
        line.extend_from_slice(field);
        return;
    }
    line.push(b'"');
    for byte in field {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}
