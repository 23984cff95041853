//! Owns what formats of text have in common.

use std::io;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

/// Turns rows into text, for a file as well as for stdout.
pub(crate) trait Text: Send {
    /// Writes the rows, after what comes before the first of them.
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn io::Write) -> Result<(), ArrowError>;

    /// Writes what comes after the last row, also where there was none.
    fn finish(&mut self, out: &mut dyn io::Write) -> Result<(), ArrowError>;
}
