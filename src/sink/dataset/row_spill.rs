//! Rows of folders whose turn comes later: in memory up to a limit, beyond it in a scratch file.
//!
//! So each folder gets its rows in few files, however many folders there are and however their rows are mixed,
//! and memory does not grow.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor};
use std::os::unix::fs::FileExt as _;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use crate::sink::local::scratch::Scratch;

/// How many bytes wait in memory.
const ROOM: usize = 16 << 20;

/// Rows that wait, by the number of their folder.
pub(crate) struct RowSpill {
    schema: SchemaRef,
    scratch: Scratch,
    file: Option<File>,
    /// Where the next rows go in the file.
    end: u64,
    room: usize,
    /// How many bytes wait in memory.
    bytes: usize,
    folders: HashMap<usize, Rows>,
}

/// The rows of one folder, in their order.
#[derive(Default)]
struct Rows {
    /// Those in the file, which come before those in memory.
    written: Vec<Piece>,
    held: Vec<RecordBatch>,
    bytes: usize,
}

/// Rows, wherever they are.
pub(crate) enum Piece {
    Memory(RecordBatch),
    File { offset: u64, length: usize },
}

impl RowSpill {
    pub(crate) fn new(schema: SchemaRef, scratch: Scratch) -> Self {
        Self { schema, scratch, file: None, end: 0, room: ROOM, bytes: 0, folders: HashMap::new() }
    }

    /// Whether rows of this folder wait.
    pub(crate) fn has(&self, folder: usize) -> bool {
        self.folders.contains_key(&folder)
    }

    /// The folders whose rows wait.
    pub(crate) fn folders(&self) -> Vec<usize> {
        let mut folders = self.folders.keys().copied().collect::<Vec<_>>();
        folders.sort_unstable();
        folders
    }

    /// Lets rows wait.
    pub(crate) fn add(&mut self, folder: usize, batch: RecordBatch) -> Result<(), ArrowError> {
        let bytes = batch.get_array_memory_size();
        let rows = self.folders.entry(folder).or_default();
        rows.held.push(batch);
        rows.bytes += bytes;
        self.bytes += bytes;
        if self.bytes <= self.room {
            return Ok(());
        }
        // The folders with most rows go first, so that what is written is written in large pieces.
        let mut largest = self.folders.iter().map(|(at, rows)| (rows.bytes, *at)).collect::<Vec<_>>();
        largest.sort_unstable_by(|one, other| other.cmp(one));
        for (_, folder) in largest {
            if self.bytes <= self.room / 2 {
                break;
            }
            self.spill(folder)?;
        }
        Ok(())
    }

    /// The rows of a folder, which waits no longer.
    pub(crate) fn take(&mut self, folder: usize) -> Vec<Piece> {
        let Some(rows) = self.folders.remove(&folder) else { return Vec::new() };
        self.bytes -= rows.bytes;
        rows.written.into_iter().chain(rows.held.into_iter().map(Piece::Memory)).collect()
    }

    /// The rows that a piece stands for.
    pub(crate) fn rows(&self, piece: Piece) -> Result<RecordBatch, ArrowError> {
        let (offset, length) = match piece {
            Piece::Memory(batch) => return Ok(batch),
            Piece::File { offset, length } => (offset, length),
        };
        let mut bytes = vec![0; length];
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        self.file.as_ref().ok_or_else(gone)?.read_exact_at(&mut bytes, offset)?;
        StreamReader::try_new(Cursor::new(bytes), None)?.next().ok_or_else(gone)?
    }

    fn spill(&mut self, folder: usize) -> Result<(), ArrowError> {
        let Some(rows) = self.folders.get_mut(&folder) else { return Ok(()) };
        let batch = concat_batches(&self.schema, &std::mem::take(&mut rows.held))?;
        self.bytes -= std::mem::take(&mut rows.bytes);
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        writer.write(&batch)?;
        let bytes = writer.into_inner()?;
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(self.scratch.file()?),
        };
        file.write_all_at(&bytes, self.end)?;
        rows.written.push(Piece::File { offset: self.end, length: bytes.len() });
        self.end += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;
    use tempfile::TempDir;

    use super::*;
    use crate::sink::test_batches;

    #[test]
    fn rows_come_back_in_their_order() {
        let folder = TempDir::new().unwrap();
        let schema = test_batches::numbers(0, 0).schema();
        let mut waiting = RowSpill::new(schema, Scratch::beside(&folder.path().join("out")));
        waiting.room = 10_000;
        for round in 0..200 {
            for at in [0, 7, 7] {
                waiting.add(at, test_batches::numbers(round * 5, 5)).unwrap();
            }
            assert!(waiting.bytes <= waiting.room);
        }
        assert!(waiting.file.is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(waiting.folders(), [0, 7]);
        for (at, times) in [(0, 1), (7, 2)] {
            let mut found = Vec::new();
            for piece in waiting.take(at) {
                let batch = waiting.rows(piece).unwrap();
                found.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
            }
            let once = (0..200).flat_map(|round| (0..times).flat_map(move |_| round * 5..round * 5 + 5));
            assert_eq!(found, once.collect::<Vec<_>>());
            assert!(!waiting.has(at));
        }
        assert_eq!(waiting.bytes, 0);
    }
}
