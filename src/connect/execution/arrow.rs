//! Rows: the server's pieces of Arrow IPC streams into record batches.
//!
//! Each batch is an IPC stream of its own, whole or in chunks. The pieces go into the decoder as they come, without being put
//! together first, and the arrays keep the memory in which gRPC received them where its alignment allows. What the server counts
//! is checked: a row too many or too few, and a column of another type, end the stream with an error.

use arrow_array::RecordBatch;
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{Schema, SchemaRef};

use crate::connect::error::Error;
use crate::proto::spark::execute_plan_response::ArrowBatch;

/// Puts the batches of one execution together.
#[derive(Default)]
pub(crate) struct Assembler {
    rows: i64,
    /// Those of the first batch; whoever writes the result relies on them.
    columns: Option<SchemaRef>,
    partial: Option<Partial>,
}

/// A batch of which chunks are still to come.
struct Partial {
    decoder: StreamDecoder,
    batch: Option<RecordBatch>,
    row_count: i64,
    start_offset: Option<i64>,
    chunks: i64,
    received: i64,
}

impl Assembler {
    /// Takes the next piece; gives the batch that it completes. A result without rows is a batch without rows: its schema counts.
    pub(crate) fn push(&mut self, piece: ArrowBatch) -> Result<Option<RecordBatch>, Error> {
        let index = piece.chunk_index.unwrap_or_default();
        let mut partial = match self.partial.take() {
            Some(partial) => partial,
            None => Partial::new(&piece, self.rows)?,
        };
        if index != partial.received {
            return Err(broken(format!("chunk {index} of a batch where {} was next", partial.received)));
        }
        if (piece.row_count, piece.start_offset) != (partial.row_count, partial.start_offset) {
            return Err(broken("chunks of different batches in one".to_owned()));
        }
        partial.decode(piece.data.into())?;
        if partial.received < partial.chunks {
            self.partial = Some(partial);
            return Ok(None);
        }
        let expected = partial.row_count;
        let batch = partial.finish()?;
        if i64::try_from(batch.num_rows()) != Ok(expected) {
            return Err(broken(format!("{} rows in a batch of {expected}", batch.num_rows())));
        }
        self.same_columns(batch.schema_ref())?;
        self.rows += expected;
        Ok(Some(batch))
    }

    /// All batches of a result have the columns of the first.
    fn same_columns(&mut self, columns: &SchemaRef) -> Result<(), Error> {
        let first = self.columns.get_or_insert_with(|| SchemaRef::clone(columns));
        let kind = |schema: &Schema| -> Vec<_> {
            schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect()
        };
        if first == columns || kind(first) == kind(columns) {
            return Ok(());
        }
        Err(broken("a batch that has other columns than the one before".to_owned()))
    }

    /// Ends the result: no chunk may be missing.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match &self.partial {
            Some(partial) => Err(broken(format!(
                "a result that ends after chunk {} of {}",
                partial.received, partial.chunks
            ))),
            None => Ok(()),
        }
    }
}

impl Partial {
    fn new(piece: &ArrowBatch, rows: i64) -> Result<Self, Error> {
        if let Some(offset) = piece.start_offset
            && offset != rows
        {
            return Err(broken(format!("a batch that starts at row {offset} where row {rows} was next")));
        }
        Ok(Self {
            decoder: StreamDecoder::new(),
            batch: None,
            row_count: piece.row_count,
            start_offset: piece.start_offset,
            chunks: piece.num_chunks_in_batch.unwrap_or_default().max(1),
            received: 0,
        })
    }

    fn decode(&mut self, mut data: Buffer) -> Result<(), Error> {
        while !data.is_empty() {
            if let Some(batch) = self.decoder.decode(&mut data).map_err(Error::Rows)?
                && self.batch.replace(batch).is_some()
            {
                return Err(broken("several record batches in one".to_owned()));
            }
        }
        self.received += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch, Error> {
        self.decoder.finish().map_err(Error::Rows)?;
        let schema = self.decoder.schema();
        Ok(self
            .batch
            .unwrap_or_else(|| RecordBatch::new_empty(schema.unwrap_or_else(|| Schema::empty().into()))))
    }
}

fn broken(what: String) -> Error {
    Error::Protocol(what)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int32Array, RecordBatch, StringArray};
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
    use arrow_schema::Schema;
    use bytes::Bytes;

    use super::Assembler;
    use crate::connect::error::Error;
    use crate::proto::spark::execute_plan_response::ArrowBatch;

    fn rows(from: i32, to: i32) -> RecordBatch {
        let numbers = Int32Array::from_iter_values(from..to);
        let names = StringArray::from_iter_values((from..to).map(|number| format!("row {number}")));
        RecordBatch::try_from_iter([("n", Arc::new(numbers) as _), ("s", Arc::new(names) as _)]).unwrap()
    }

    fn stream(schema: &Schema, batches: &[RecordBatch]) -> Bytes {
        let mut writer = StreamWriter::try_new(Vec::new(), schema).unwrap();
        for batch in batches {
            writer.write(batch).unwrap();
        }
        writer.into_inner().unwrap().into()
    }

    fn whole(batch: &RecordBatch, offset: i64) -> ArrowBatch {
        ArrowBatch {
            row_count: i64::try_from(batch.num_rows()).unwrap(),
            data: stream(&batch.schema(), std::slice::from_ref(batch)),
            start_offset: Some(offset),
            ..ArrowBatch::default()
        }
    }

    fn chunks(batch: &RecordBatch, size: usize) -> Vec<ArrowBatch> {
        let whole = whole(batch, 0);
        let pieces: Vec<_> = whole.data.chunks(size).map(Bytes::copy_from_slice).collect();
        let count = i64::try_from(pieces.len()).unwrap();
        let piece = |(index, data)| ArrowBatch {
            data,
            chunk_index: Some(index),
            num_chunks_in_batch: Some(count),
            ..whole.clone()
        };
        (0..).zip(pieces).map(piece).collect()
    }

    fn message(error: &Error) -> String {
        error.to_string()
    }

    #[test]
    fn batches_follow_each_other() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.push(whole(&rows(0, 3), 0)).unwrap().unwrap(), rows(0, 3));
        assert_eq!(assembler.push(whole(&rows(3, 5), 3)).unwrap().unwrap(), rows(3, 5));
        assembler.finish().unwrap();
    }

    #[test]
    fn compressed_rows_are_the_same_rows() {
        let batch = rows(0, 5000);
        for codec in [CompressionType::ZSTD, CompressionType::LZ4_FRAME] {
            let options = IpcWriteOptions::default().try_with_compression(Some(codec)).unwrap();
            let mut writer =
                StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
            writer.write(&batch).unwrap();
            let data = Bytes::from(writer.into_inner().unwrap());
            let plain = whole(&batch, 0);
            assert!(data.len() < plain.data.len(), "{codec:?}: {} bytes", data.len());
            let decoded = Assembler::default().push(ArrowBatch { data, ..plain }).unwrap().unwrap();
            assert_eq!(decoded, batch, "{codec:?}");
        }
    }

    #[test]
    fn chunks_of_any_size_make_the_same_batch() {
        for size in [1, 7, 64, 1 << 20] {
            let mut assembler = Assembler::default();
            let batches: Vec<_> = chunks(&rows(0, 50), size)
                .into_iter()
                .filter_map(|piece| assembler.push(piece).unwrap())
                .collect();
            assert_eq!(batches, [rows(0, 50)], "chunks of {size} bytes");
        }
    }

    #[test]
    fn a_result_without_rows_has_a_schema() {
        let schema = rows(0, 0).schema();
        for batches in [vec![], vec![rows(0, 0)]] {
            let piece = ArrowBatch { data: stream(&schema, &batches), ..ArrowBatch::default() };
            let batch = Assembler::default().push(piece).unwrap().unwrap();
            assert_eq!((batch.num_rows(), batch.schema()), (0, Arc::clone(&schema)));
        }
    }

    #[test]
    fn lost_and_repeated_rows_are_errors() {
        let mut assembler = Assembler::default();
        assembler.push(whole(&rows(0, 3), 0)).unwrap();
        let error = assembler.push(whole(&rows(0, 3), 0)).unwrap_err();
        assert!(message(&error).contains("starts at row 0 where row 3 was next"), "{error}");
        let error = assembler.push(whole(&rows(5, 6), 5)).unwrap_err();
        assert!(message(&error).contains("starts at row 5 where row 3 was next"), "{error}");
        let error =
            Assembler::default().push(ArrowBatch { row_count: 4, ..whole(&rows(0, 3), 0) }).unwrap_err();
        assert!(message(&error).contains("3 rows in a batch of 4"), "{error}");
    }

    #[test]
    fn lost_repeated_and_mixed_chunks_are_errors() {
        let pieces = chunks(&rows(0, 50), 400);
        assert!(pieces.len() > 3);
        let mut assembler = Assembler::default();
        let error = assembler.push(pieces[1].clone()).unwrap_err();
        assert!(message(&error).contains("chunk 1 of a batch where 0 was next"), "{error}");
        let mut assembler = Assembler::default();
        assembler.push(pieces[0].clone()).unwrap();
        assert!(message(&assembler.finish().unwrap_err()).contains("ends after chunk 1 of"));
        let error = assembler.push(pieces[0].clone()).unwrap_err();
        assert!(message(&error).contains("chunk 0 of a batch where 1 was next"), "{error}");
        let mut assembler = Assembler::default();
        assembler.push(pieces[0].clone()).unwrap();
        let error = assembler.push(ArrowBatch { row_count: 7, ..pieces[1].clone() }).unwrap_err();
        assert!(message(&error).contains("chunks of different batches"), "{error}");
    }

    #[test]
    fn what_is_no_arrow_is_an_error() {
        let cut = whole(&rows(0, 3), 0).data;
        for data in [Bytes::from_static(b"rows?"), cut.slice(..cut.len() / 2)] {
            let error = Assembler::default()
                .push(ArrowBatch { row_count: 3, data, ..ArrowBatch::default() })
                .unwrap_err();
            assert!(matches!(error, Error::Rows(_)), "{error}");
        }
        let twice = stream(&rows(0, 1).schema(), &[rows(0, 1), rows(1, 2)]);
        let error = Assembler::default()
            .push(ArrowBatch { row_count: 2, data: twice, ..ArrowBatch::default() })
            .unwrap_err();
        assert!(message(&error).contains("several record batches"), "{error}");
    }
}
