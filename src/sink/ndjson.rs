//! NDJSON: one JSON object a line, `\n` after each, nulls explicit. How values look is [`super::value`]'s.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;

use super::Text;
use super::columns::{Limits, Refusal, Shape, union, variant};
use super::value::Values;

const LIMITS: Limits = Limits {
    format: "NDJSON",
    shape: Shape::DistinctNames,
    lacks: |field| variant(field).or_else(|| union(field)),
};

/// Everything about these columns that NDJSON cannot hold.
pub(super) fn refuse(schema: &Schema) -> Vec<Refusal> {
    LIMITS.refuse(schema)
}

/// Writes rows as NDJSON.
pub(super) struct Ndjson;

impl Text for Ndjson {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        // The stream has no beginning and no end, so a writer of its own for each batch changes nothing.
        WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_encoder_factory(Arc::new(Values))
            .build::<_, LineDelimited>(out)
            .write(batch)
    }

    fn finish(&mut self, _out: &mut dyn Write) -> Result<(), ArrowError> {
        Ok(())
    }
}
