//! Rows that pipectl brings along, as a relation: in the plan where they are few, and else cut into blobs that are sent once, before
//! the plans that name them by their checksums.
//!
//! Nothing is sent here. Whoever asks for a relation is handed the blobs one by one, so that rows that are read from a file need
//! not be in memory together.

mod ddl;
mod file;
mod json;
mod records;

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use prost::Message as _;
use ring::digest::{SHA256, digest};

use crate::dialect::LocalRows;
use crate::name::quoted;
use crate::proto::relation::{cached_local_relation, chunked_cached_local_relation, local_relation};
use crate::proto::spark::{LocalRelation, Relation};

pub(crate) use file::{Csv, Rows};

/// Bytes that the server shall have, called by their checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    /// SHA-256, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) data: Bytes,
}

impl Blob {
    fn new(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let hash = digest(&SHA256, &data).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { hash, data }
    }
}

/// A batch of text columns, and them as DDL; `value` gives what a row has in a column.
pub(crate) fn text_rows<'r, R, S: AsRef<str>>(
    columns: &[&str],
    rows: &'r [R],
    value: impl Fn(&'r R, usize) -> Option<S>,
) -> (RecordBatch, String) {
    let column =
        |at: usize| -> ArrayRef { Arc::new(rows.iter().map(|row| value(row, at)).collect::<StringArray>()) };
    let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays = (0..columns.len()).map(column).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
        .expect("every column has a value for every row");
    let ddl: Vec<String> = columns.iter().map(|name| format!("{} STRING", quoted(name))).collect();
    (batch, ddl.join(", "))
}

/// A relation of these rows, whose columns are those of `ddl`; `put` takes what is to be sent before it.
pub(crate) fn relation(
    batches: impl IntoIterator<Item = RecordBatch>,
    schema: &Schema,
    ddl: String,
    travel: LocalRows,
    put: &mut dyn FnMut(Blob),
) -> Relation {
    let mut batches = batches.into_iter();
    let (LocalRows::Cached { from } | LocalRows::Chunked { from, .. }) = travel else {
        return local_relation(stream(schema, batches), ddl);
    };
    // No rows at all make no chunks, which no server understands.
    let from = from.max(1);
    // As many as it takes to know whether they are few.
    let mut first = Vec::new();
    let mut bytes = 0;
    while bytes < from
        && let Some(batch) = batches.next()
    {
        bytes += size(&batch);
        first.push(batch);
    }
    if bytes < from {
        return local_relation(stream(schema, first), ddl);
    }
    let all = first.into_iter().chain(batches);
    match travel {
        LocalRows::Chunked { rows, bytes, .. } => {
            let schema_blob = Blob::new(ddl);
            let schema_hash = schema_blob.hash.clone();
            put(schema_blob);
            let mut hashes = Vec::new();
            for chunk in Chunks::new(all, schema, rows, bytes) {
                hashes.push(chunk.hash.clone());
                put(chunk);
            }
            chunked_cached_local_relation(hashes, schema_hash)
        }
        LocalRows::Inline | LocalRows::Cached { .. } => {
            let whole = LocalRelation { data: Some(stream(schema, all)), schema: Some(ddl) };
            let blob = Blob::new(whole.encode_to_vec());
            let hash = blob.hash.clone();
            put(blob);
            cached_local_relation(hash)
        }
    }
}

/// Cuts batches into Arrow IPC streams, none of which has more rows or bytes than it may; a row that is larger by itself is one.
pub(crate) struct Chunks<'s, I> {
    batches: I,
    schema: &'s Schema,
    most_rows: u64,
    most_bytes: u64,
    /// Parts that are small enough, or may have to be halved, the next one last.
    parts: Vec<RecordBatch>,
}

impl<'s, I: Iterator<Item = RecordBatch>> Chunks<'s, I> {
    pub(crate) fn new(batches: I, schema: &'s Schema, most_rows: u64, most_bytes: u64) -> Self {
        Self { batches, schema, most_rows: most_rows.max(1), most_bytes, parts: Vec::new() }
    }

    /// The next part that is small enough.
    fn part(&mut self) -> Option<RecordBatch> {
        let mut part = match self.parts.pop() {
            Some(part) => part,
            None => self.batches.by_ref().find(|batch| batch.num_rows() > 0)?,
        };
        while part.num_rows() > 1
            && (part.num_rows() as u64 > self.most_rows || size(&part) > self.most_bytes)
        {
            let half = part.num_rows() / 2;
            self.parts.push(part.slice(half, part.num_rows() - half));
            part = part.slice(0, half);
        }
        Some(part)
    }
}

impl<I: Iterator<Item = RecordBatch>> Iterator for Chunks<'_, I> {
    type Item = Blob;

    fn next(&mut self) -> Option<Blob> {
        let (mut rows, mut bytes) = (0, 0);
        let mut together = Vec::new();
        while let Some(part) = self.part() {
            let (more_rows, more_bytes) = (part.num_rows() as u64, size(&part));
            let fits = rows + more_rows <= self.most_rows && bytes + more_bytes <= self.most_bytes;
            if !together.is_empty() && !fits {
                self.parts.push(part);
                break;
            }
            rows += more_rows;
            bytes += more_bytes;
            together.push(part);
        }
        (!together.is_empty()).then(|| Blob::new(stream(self.schema, together)))
    }
}

/// The bytes of a batch, without those that it shares with others and does not show.
fn size(batch: &RecordBatch) -> u64 {
    // Even no texts have a place where the first one would begin.
    if batch.num_rows() == 0 {
        return 0;
    }
    let sizes = batch.columns().iter().map(|column| {
        let data = column.to_data();
        // A layout that can't tell its part tells all.
        data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size())
    });
    sizes.sum::<usize>() as u64
}

/// An Arrow IPC stream.
fn stream(schema: &Schema, batches: impl IntoIterator<Item = RecordBatch>) -> Bytes {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).expect("memory takes every schema");
    for batch in batches {
        writer.write(&batch).expect("the batch has the schema");
    }
    writer.into_inner().expect("memory takes every batch").into()
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;
    use arrow_ipc::reader::StreamReader;

    use super::*;
    use crate::proto::spark::relation::RelType;

    const ROWS: LocalRows = LocalRows::Chunked { from: 1000, rows: 16, bytes: 400, in_all: u64::MAX };

    /// Rows with the numbers `from..to` and so many letters each.
    fn batch(from: usize, to: usize, letters: usize) -> (RecordBatch, String) {
        let rows: Vec<Vec<Option<String>>> =
            (from..to).map(|row| vec![Some(row.to_string()), Some("x".repeat(letters))]).collect();
        text_rows(&["n", "t"], &rows, |row, at| row[at].as_deref())
    }

    fn lower(batches: Vec<RecordBatch>, travel: LocalRows) -> (RelType, Vec<Blob>) {
        let mut blobs = Vec::new();
        let (empty, ddl) = batch(0, 0, 0);
        let relation = relation(batches, &empty.schema(), ddl, travel, &mut |blob| blobs.push(blob));
        (relation.rel_type.unwrap(), blobs)
    }

    /// The first column of a stream, and how many rows the batches have.
    fn read(stream: &Bytes) -> Vec<String> {
        let reader = StreamReader::try_new(&**stream, None).unwrap();
        let column = |batch: RecordBatch| -> Vec<String> {
            batch.column(0).as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect()
        };
        reader.flat_map(|batch| column(batch.unwrap())).collect()
    }

    fn numbers(to: usize) -> Vec<String> {
        (0..to).map(|row| row.to_string()).collect()
    }

    #[test]
    fn few_rows_are_in_the_plan() {
        for travel in [LocalRows::Inline, ROWS, LocalRows::Cached { from: 1000 }] {
            let (relation, blobs) = lower(vec![batch(0, 3, 4).0, batch(3, 7, 4).0], travel);
            let RelType::LocalRelation(relation) = relation else { panic!("{relation:?}") };
            assert_eq!(read(&relation.data.unwrap()), numbers(7));
            assert_eq!((relation.schema.as_deref(), blobs), (Some("`n` STRING, `t` STRING"), vec![]));
        }
    }

    #[test]
    fn no_rows_are_in_the_plan() {
        let travel = LocalRows::Chunked { from: 0, rows: 16, bytes: 400, in_all: u64::MAX };
        let (relation, blobs) = lower(vec![batch(0, 0, 0).0], travel);
        assert!(matches!(relation, RelType::LocalRelation(_)) && blobs.is_empty());
        let (relation, _) = lower(vec![batch(0, 1, 1).0], travel);
        assert!(matches!(relation, RelType::ChunkedCachedLocalRelation(_)));
    }

    #[test]
    fn many_rows_are_chunks_beside_it() {
        for batches in [vec![batch(0, 99, 20).0], (0..99).map(|row| batch(row, row + 1, 20).0).collect()] {
            let (relation, blobs) = lower(batches, ROWS);
            let RelType::ChunkedCachedLocalRelation(relation) = relation else { panic!("{relation:?}") };
            let hashes: Vec<&str> = blobs.iter().map(|blob| blob.hash.as_str()).collect();
            assert_eq!(relation.schema_hash.as_deref(), Some(hashes[0]));
            assert_eq!(relation.data_hashes, hashes[1..]);
            assert_eq!(blobs[0].data, "`n` STRING, `t` STRING".as_bytes());
            let rows: Vec<Vec<String>> = blobs[1..].iter().map(|blob| read(&blob.data)).collect();
            assert!(rows.iter().all(|rows| (1..=16).contains(&rows.len())), "{rows:?}");
            assert!(rows.len() < 99, "rows that fit together are sent together");
            assert_eq!(rows.concat(), numbers(99));
        }
    }

    #[test]
    fn a_row_that_is_too_large_is_a_chunk_by_itself() {
        let (relation, blobs) = lower(vec![batch(0, 2, 10).0, batch(2, 4, 5000).0, batch(4, 6, 10).0], ROWS);
        assert!(matches!(relation, RelType::ChunkedCachedLocalRelation(_)));
        let rows: Vec<usize> = blobs[1..].iter().map(|blob| read(&blob.data).len()).collect();
        assert_eq!(rows, [2, 1, 1, 2]);
    }

    #[test]
    fn an_older_server_gets_them_whole() {
        let (relation, blobs) = lower(vec![batch(0, 99, 20).0], LocalRows::Cached { from: 1000 });
        let [blob] = blobs.as_slice() else { panic!("{} blobs", blobs.len()) };
        let RelType::CachedLocalRelation(relation) = relation else { panic!("{relation:?}") };
        assert_eq!(relation.hash, blob.hash);
        let sent = LocalRelation::decode(blob.data.clone()).unwrap();
        assert_eq!(
            (read(&sent.data.unwrap()), sent.schema.unwrap().as_str()),
            (numbers(99), "`n` STRING, `t` STRING")
        );
    }

    #[test]
    fn many_rows_stay_in_the_plan_of_a_server_that_keeps_none() {
        let (relation, blobs) = lower(vec![batch(0, 999, 200).0], LocalRows::Inline);
        assert!(matches!(relation, RelType::LocalRelation(_)) && blobs.is_empty());
    }

    #[test]
    fn a_chunk_has_its_own_rows_alone() {
        let (whole, _) = batch(0, 64, 20);
        let chunks: Vec<Blob> = Chunks::new([whole.clone()].into_iter(), &whole.schema(), 1, 1).collect();
        assert_eq!(chunks.len(), 64);
        assert!(chunks.iter().all(|chunk| chunk.data.len() < 1000), "{}", chunks[0].data.len());
    }

    /// The one of the empty text is known to everybody.
    #[test]
    fn checksums_are_sha_256() {
        assert_eq!(
            Blob::new(Bytes::new()).hash,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
