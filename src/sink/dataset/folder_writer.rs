//! Writes the rows of one output to files in a folder: a folder for each value, files of a limited size, or both.
//!
//! Memory does not grow with the number of folders: few files are written at a time, of which one that has got
//! no rows for a while is closed for the sake of another; the rows of further folders wait ([`RowSpill`]) and
//! are written at the end. So a folder has one file, or one for each time that its rows came again after long.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};
use uuid::Uuid;

use super::partition::{self, Partitioner};
use super::row_spill::RowSpill;
use crate::sink::error::Error;
use crate::sink::finished::Finished;
use crate::sink::folder::Folder;
use crate::sink::format::file::{Encoder, File};
use crate::sink::format::text_file::failed;
use crate::sink::mode::Mode;
use crate::sink::place::OutputPlace;
use crate::sink::refusal::Refusal;
use crate::sink::site::Site;
use crate::sink::writer::{Flow, Writer};

/// How many files are written side by side at most.
const OPEN: usize = 8;
/// How many columns all files have together that are written side by side, but for the first of them.
const OPEN_COLUMNS: usize = 400;
/// A file that has got no rows from so many batches is closed where another one is to be begun.
const IDLE: u64 = 32;
/// How many folders an output has at most.
const FOLDERS: usize = 10_000;

/// Everything about a result of these columns that such an output cannot hold.
pub(crate) fn refuse(file: &dyn File, schema: &Schema) -> Vec<Refusal> {
    let partition_by = file.layout().partition_by;
    let mut refusals = partition::refuse(partition_by, schema);
    if !refusals.is_empty() || partition_by.is_empty() {
        refusals.extend(file.refuse(schema));
        return refusals;
    }
    match Partitioner::new(partition_by, schema).and_then(|it| it.schema(schema)) {
        Ok(rest) => file.refuse(&rest),
        // There are two columns of that name.
        Err(_) => file.refuse(schema),
    }
}

/// Writes a folder.
pub(crate) struct FolderWriter {
    file: Box<dyn File>,
    folder: Folder,
    place: OutputPlace,
    /// The columns of the result.
    schema: SchemaRef,
    /// The columns of the files.
    file_schema: SchemaRef,
    partitioner: Option<Partitioner>,
    /// How many rows a file has at most.
    most_rows: u64,
    /// What the names of all files have in common, where there are other files beside.
    run: Option<String>,
    numbers: HashMap<String, usize>,
    parts: Vec<Part>,
    waiting: RowSpill,
    /// How many batches have come.
    clock: u64,
    /// How many files are written now, and at most.
    open: usize,
    most_open: usize,
    rows: u64,
    bytes: u64,
}

/// One folder of the folder; the only one has no name.
struct Part {
    folder: String,
    /// How many files have been begun.
    files: u32,
    encoder: Option<Box<dyn Encoder>>,
    /// How many rows the open file has.
    rows: u64,
    /// When rows came last.
    last: u64,
}

impl FolderWriter {
    /// Begins the folder.
    pub(crate) fn open(file: Box<dyn File>, site: &Site<'_>, schema: &SchemaRef) -> Result<Self, Error> {
        let layout = file.layout();
        let location = layout.location(site.folder);
        let encode = |error| failed(location.path(), "folders", error);
        let partitioner = (!layout.partition_by.is_empty())
            .then(|| Partitioner::new(layout.partition_by, schema))
            .transpose()
            .map_err(encode)?;
        let file_schema = match &partitioner {
            Some(partitioner) => partitioner.schema(schema).map_err(encode)?,
            None => SchemaRef::clone(schema),
        };
        let most_open = match &partitioner {
            Some(_) => (OPEN_COLUMNS / file_schema.flattened_fields().len().max(1)).clamp(1, OPEN),
            None => 1,
        };
        let most_rows = layout.max_rows_per_file.map_or(u64::MAX, |rows| rows.value.max(1));
        let run = (layout.mode == Mode::Append).then(|| Uuid::now_v7().simple().to_string());
        let folder = Folder::create(&location, layout.mode, site)?;
        let waiting = RowSpill::new(SchemaRef::clone(&file_schema), folder.scratch());
        Ok(Self {
            place: layout.place(site.folder),
            schema: SchemaRef::clone(schema),
            file_schema,
            partitioner,
            most_rows,
            run,
            numbers: HashMap::new(),
            parts: Vec::new(),
            waiting,
            clock: 0,
            open: 0,
            most_open,
            rows: 0,
            bytes: 0,
            folder,
            file,
        })
    }

    fn number(&mut self, folder: String) -> Result<usize, Error> {
        if let Some(number) = self.numbers.get(&folder) {
            return Ok(*number);
        }
        if self.parts.len() == FOLDERS {
            return Err(Error::ManyFolders { path: self.path().to_path_buf(), most: FOLDERS });
        }
        self.parts.push(Part { folder: folder.clone(), files: 0, encoder: None, rows: 0, last: 0 });
        self.numbers.insert(folder, self.parts.len() - 1);
        Ok(self.parts.len() - 1)
    }

    fn path(&self) -> &Path {
        self.place.location().map_or(Path::new(""), |location| location.path())
    }

    fn failed(&self, error: ArrowError) -> Error {
        failed(self.path(), "folders", error)
    }

    /// Takes the rows of one folder.
    fn take(&mut self, at: usize, batch: RecordBatch) -> Result<(), Error> {
        self.parts[at].last = self.clock;
        // Rows that wait are in front of these.
        let waits = self.waiting.has(at) || (self.parts[at].encoder.is_none() && !self.make_room()?);
        if waits {
            return self.waiting.add(at, batch).map_err(|error| self.failed(error));
        }
        self.encode(at, &batch)
    }

    /// Whether another file may be begun.
    fn make_room(&mut self) -> Result<bool, Error> {
        if self.open < self.most_open {
            return Ok(true);
        }
        let open = self.parts.iter().enumerate().filter(|(_, part)| part.encoder.is_some());
        let Some((oldest, part)) = open.min_by_key(|(_, part)| part.last) else { return Ok(true) };
        if self.clock - part.last <= IDLE {
            return Ok(false);
        }
        self.close(oldest)?;
        Ok(true)
    }

    fn encode(&mut self, at: usize, batch: &RecordBatch) -> Result<(), Error> {
        let mut from = 0;
        while from < batch.num_rows() {
            let beside = self.most_open;
            let part = &mut self.parts[at];
            let encoder = match &mut part.encoder {
                Some(encoder) => encoder,
                none => {
                    let name = name(&part.folder, self.run.as_deref(), part.files, &self.file.extension());
                    let destination = self.folder.begin(&name)?;
                    part.files += 1;
                    part.rows = 0;
                    self.open += 1;
                    none.insert(self.file.encoder(destination, &self.file_schema, beside)?)
                }
            };
            let room = usize::try_from(self.most_rows - part.rows).unwrap_or(usize::MAX);
            let rows = room.min(batch.num_rows() - from);
            encoder.write(&batch.slice(from, rows))?;
            part.rows += rows as u64;
            from += rows;
            if part.rows >= self.most_rows {
                self.close(at)?;
            }
        }
        Ok(())
    }

    fn close(&mut self, at: usize) -> Result<(), Error> {
        let Some(encoder) = self.parts[at].encoder.take() else { return Ok(()) };
        self.open -= 1;
        self.bytes += encoder.finish()?.commit()?;
        Ok(())
    }

    /// Writes what has waited, one folder after the other.
    fn write_waiting(&mut self) -> Result<(), Error> {
        for at in 0..self.parts.len() {
            self.close(at)?;
        }
        for at in self.waiting.folders() {
            for piece in self.waiting.take(at) {
                let batch = self.waiting.rows(piece).map_err(|error| self.failed(error))?;
                self.encode(at, &batch)?;
            }
            self.close(at)?;
        }
        Ok(())
    }
}

impl Writer for FolderWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<Flow, Error> {
        self.clock += 1;
        self.rows += batch.num_rows() as u64;
        if batch.num_rows() == 0 {
            return Ok(Flow::More);
        }
        let split = match &self.partitioner {
            Some(partitioner) => partitioner.split(batch).map_err(|error| self.failed(error))?,
            None => vec![(String::new(), batch.clone())],
        };
        for (folder, rows) in split {
            let at = self.number(folder)?;
            self.take(at, rows)?;
        }
        Ok(Flow::More)
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, Error> {
        self.write_waiting()?;
        if self.parts.is_empty() && !self.folder.is_appended() {
            // A file without rows tells the columns, all of them: there is no folder to tell the others.
            let name = name("", self.run.as_deref(), 0, &self.file.extension());
            let encoder = self.file.encoder(self.folder.begin(&name)?, &self.schema, 1)?;
            self.bytes += encoder.finish()?.commit()?;
        }
        let Self { folder, place, rows, bytes, .. } = *self;
        Finished::folder(folder, place, rows, bytes)
    }
}

/// The path of a file in the folder: `day=2026-01-31/part-00000.parquet`.
fn name(folder: &str, run: Option<&str>, number: u32, extension: &str) -> String {
    match run {
        Some(run) => format!("{folder}part-{run}-{number:05}.{extension}"),
        None => format!("{folder}part-{number:05}.{extension}"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};
    use tempfile::TempDir;

    use super::*;
    use crate::sink::Sink;
    use crate::sink::format::csv::Csv;
    use crate::sink::site::tests::with_site;

    fn batch(row: i64, group: i64) -> RecordBatch {
        let column = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
        RecordBatch::try_from_iter([("row", column(row)), ("group", column(group))]).unwrap()
    }

    /// How many files each folder has after batches of one row each, for these folders; their rows are looked at.
    fn written(groups: &[i64], most_rows: Option<u64>) -> Vec<usize> {
        let home = TempDir::new().unwrap();
        let sink = Sink::Csv(Csv::folder("out", &["group"], most_rows));
        let mut writer =
            with_site(home.path(), |site| sink.open(site, Box::new(std::io::sink()), &batch(0, 0).schema()))
                .unwrap();
        for (row, group) in groups.iter().enumerate() {
            writer.write(&batch(i64::try_from(row).unwrap(), *group)).unwrap();
        }
        let written = writer.finish().unwrap().commit().unwrap();
        assert_eq!(written.rows, groups.len() as u64);
        let last = groups.iter().max().unwrap();
        let mut bytes = 0;
        let counts = (0..=*last).map(|group| {
            let folder = home.path().join(format!("out/group={group}"));
            let mut files = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect::<Vec<_>>();
            files.sort();
            let texts = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect::<Vec<_>>();
            bytes += texts.iter().map(String::len).sum::<usize>();
            let rows =
                texts.iter().flat_map(|text| text.lines().skip(1)).map(|row| row.parse::<usize>().unwrap());
            let expected = (0..groups.len()).filter(|row| groups[*row] == group);
            assert!(rows.eq(expected), "group {group}");
            files.len()
        });
        let counts = counts.collect();
        assert_eq!(written.bytes, bytes as u64);
        counts
    }

    #[test]
    fn a_folder_has_one_file_however_its_rows_come() {
        let sorted = (0..2_000).map(|row| row / 100).collect::<Vec<_>>();
        assert_eq!(written(&sorted, None), [1; 20]);
        let mixed = (0..2_000).map(|row| row % 20).collect::<Vec<_>>();
        assert_eq!(written(&mixed, None), [1; 20]);
        // All of the first eight but one get no rows for long, and then some again.
        let again = (0..8).chain([0; 40]).chain(8..15).chain(1..8).collect::<Vec<_>>();
        assert_eq!(written(&again, None), [1, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn a_file_has_no_more_rows_than_it_may() {
        let mixed = (0..200).map(|row| row % 20).collect::<Vec<_>>();
        assert_eq!(written(&mixed, Some(4)), [3; 20]);
        assert_eq!(written(&mixed, Some(10)), [1; 20]);
        assert_eq!(written(&mixed, Some(1)), [10; 20]);
    }

    #[test]
    fn an_output_has_only_so_many_folders() {
        let home = TempDir::new().unwrap();
        let sink = Sink::Csv(Csv::folder("out", &["group"], None));
        let mut writer =
            with_site(home.path(), |site| sink.open(site, Box::new(std::io::sink()), &batch(0, 0).schema()))
                .unwrap();
        let numbers = |from: i64, to: i64| Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef;
        let many =
            |from, to| RecordBatch::try_from_iter([("row", numbers(from, to)), ("group", numbers(from, to))]);
        writer.write(&many(0, 10_000).unwrap()).unwrap();
        let error = writer.write(&many(10_000, 10_001).unwrap()).unwrap_err();
        assert!(matches!(error, Error::ManyFolders { most: 10_000, .. }), "{error}");
        drop(writer);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
