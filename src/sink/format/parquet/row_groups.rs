//! Encodes the row groups of a Parquet file, their columns side by side on all cores.
//!
//! The columns of a row group have nothing to do with each other until it is closed, so each is encoded by
//! whichever thread is free. Threads live for one stride of rows: beginning them costs little beside encoding so
//! many rows, and none has to be told when to end.

use std::io::Write;
use std::mem;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{FieldRef, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::Result;
use parquet::file::writer::SerializedFileWriter;

/// Fewer values than these are encoded in the thread that brings them.
const FEW_VALUES: usize = 16 << 10;

/// The row groups of one file.
pub(crate) struct RowGroups<W: Write + Send> {
    file: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    /// The row group in the making; nothing before its first row.
    columns: Vec<Column>,
    rows: usize,
    threads: usize,
}

/// A column of the row group in the making.
#[derive(Default)]
struct Column {
    /// One for each column of the file; a nested one has several.
    leaves: Vec<ArrowColumnWriter>,
}

impl<W: Write + Send> RowGroups<W> {
    /// The row groups of a file that has none yet.
    pub(crate) fn new(writer: ArrowWriter<W>, schema: SchemaRef) -> Result<Self> {
        let (file, factory) = writer.into_serialized_writer()?;
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        Ok(Self { file, factory, schema, columns: Vec::new(), rows: 0, threads })
    }

    /// How many rows the one in the making has.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes the one in the making has, as far as that can be told.
    pub(crate) fn bytes(&self) -> usize {
        let leaves = self.columns.iter().flat_map(|column| &column.leaves);
        leaves.map(ArrowColumnWriter::get_estimated_total_bytes).sum()
    }

    /// Adds rows to the one in the making.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.columns.is_empty() {
            self.columns = self.begin()?;
        }
        let tasks = self.columns.iter_mut().zip(self.schema.fields()).zip(batch.columns());
        let tasks = tasks.map(|((column, field), array)| (column, field, array)).collect::<Vec<_>>();
        let is_little = batch.num_rows() * tasks.len() < FEW_VALUES;
        let encode = |(column, field, array): (&mut Column, &FieldRef, &ArrayRef)| column.write(field, array);
        each(tasks, if is_little { 1 } else { self.threads }, encode)?;
        self.rows += batch.num_rows();
        Ok(())
    }

    /// Closes the one in the making and writes it to the file.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let columns = mem::take(&mut self.columns);
        let mut chunks = Vec::new();
        chunks.resize_with(columns.len(), Vec::new);
        // The last pages and the dictionaries are encoded now.
        let tasks = columns.into_iter().zip(&mut chunks).collect();
        each(tasks, self.threads, |(column, chunks): (Column, &mut Vec<ArrowColumnChunk>)| {
            *chunks = column.close()?;
            Ok(())
        })?;
        let mut group = self.file.next_row_group()?;
        for chunk in chunks.into_iter().flatten() {
            chunk.append_to_row_group(&mut group)?;
        }
        group.close().map(drop)
    }

    /// Completes the file.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.close()?;
        self.file.into_inner()
    }

    fn begin(&self) -> Result<Vec<Column>> {
        let leaves = self.factory.create_column_writers(self.file.flushed_row_groups().len())?;
        let mut columns = Vec::new();
        columns.resize_with(self.schema.fields().len(), Column::default);
        for (at, leaf) in leaves.into_iter().enumerate() {
            columns[self.file.schema_descr().get_column_root_idx(at)].leaves.push(leaf);
        }
        Ok(columns)
    }
}

impl Column {
    fn write(&mut self, field: &FieldRef, array: &ArrayRef) -> Result<()> {
        let values = compute_leaves(field, array)?;
        self.leaves.iter_mut().zip(&values).try_for_each(|(leaf, values)| leaf.write(values))
    }

    fn close(self) -> Result<Vec<ArrowColumnChunk>> {
        self.leaves.into_iter().map(ArrowColumnWriter::close).collect()
    }
}

/// Carries all tasks out, by so many threads at most; one failure ends it.
fn each<T: Send>(tasks: Vec<T>, threads: usize, work: impl Fn(T) -> Result<()> + Sync) -> Result<()> {
    let threads = threads.min(tasks.len());
    if threads <= 1 {
        return tasks.into_iter().try_for_each(work);
    }
    let tasks = Mutex::new(tasks.into_iter());
    let next = || tasks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take_turns = || {
        while let Some(task) = next() {
            work(task)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let others = (1..threads).map(|_| scope.spawn(take_turns)).collect::<Vec<_>>();
        let own = take_turns();
        let results = others.into_iter().map(|other| match other.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.fold(own, Result::and)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn every_task_is_done_once_and_a_failure_is_told() {
        for threads in [1, 2, 7] {
            let sum = AtomicUsize::new(0);
            let add = |task: usize| {
                sum.fetch_add(task, Ordering::Relaxed);
                Ok(())
            };
            each((0..100).collect(), threads, add).unwrap();
            assert_eq!(sum.into_inner(), 4_950);
            let fail =
                |task: usize| if task == 50 { Err(ParquetError::General("no".to_owned())) } else { Ok(()) };
            each((0..100).collect(), threads, fail).unwrap_err();
        }
    }
}
