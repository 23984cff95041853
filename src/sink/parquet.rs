//! One Parquet file.
//!
//! Row groups are closed by rows and by size, columns share what memory there is, and the pages of wide rows
//! wait in a file, so that memory grows neither with the result nor with its width. Most types are stored as
//! the parquet crate maps them, with the Arrow schema embedded; these are decided here:
//!
//! - a year-month interval is an INT32 of months and a day-time interval an INT64 of microseconds (a duration
//!   for Arrow readers): that is how Spark stores them too, and few readers know Parquet's own INTERVAL;
//! - a calendar interval is refused: Parquet's INTERVAL has no nanoseconds, and hardly any reader reads it;
//! - TIME is in microseconds where its precision allows (Spark's annotation says so), for few readers know
//!   nanoseconds;
//! - a void column is an INT32 of logical type UNKNOWN; a variant is its pair of binaries;
//! - TIMESTAMP is adjusted to UTC, `TIMESTAMP_NTZ` is not; the time zone is in the embedded schema only,
//!   under a name that its readers know.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, RecordBatch, make_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use crate::expr::Template;
use crate::lowering::Checking;

use super::columns::{Lack, Limits, Shape, calendar_interval, union};
use super::destination::Destination;
use super::finished::Finished;
use super::location::Location;
use super::spill::Spill;
use super::stage::Mode;
use super::{Error, Flow, Place, Refusal, Writer, zone};

/// A row group has at least so many rows, unless they are huge or the last.
const GROUP_ROWS: usize = 128 << 10;
/// A row group has at most so many rows.
const GROUP_ROWS_LIMIT: usize = 1 << 20;
/// Past [`GROUP_ROWS`] a row group is closed when it has so many bytes.
const GROUP_BYTES: usize = 16 << 20;
/// A row group is closed in any case when it has so many bytes.
const GROUP_BYTES_LIMIT: usize = 256 << 20;
/// How many rows are encoded between two looks at the size.
const STRIDE: usize = 16 << 10;

/// How many bytes of finished pages wait in memory, times the columns: of a wide row group most waits in the
/// file.
const WAITING_BYTES: usize = 256 << 20;
/// How many bytes the unfinished pages of all columns have together. A column's compressor occupies several
/// times the size of its pages.
const PAGES_BYTES: usize = 4 << 20;
/// How many rows the unfinished pages of all columns have together.
const PAGES_ROWS: usize = 1 << 20;
/// How many bytes a column's dictionary has, times the square of the columns: with its hash table it occupies
/// thrice as much, and it is worth less where a row group has fewer rows.
const DICTIONARY_BYTES: usize = 200 << 20;

const LIMITS: Limits = Limits {
    format: "Parquet",
    shape: Shape::DistinctNamesAtLeastOne,
    lacks: |field| calendar_interval(field).or_else(|| union(field)).or_else(|| empty_struct(field)),
};

/// Writes one Parquet file.
///
/// It is replaced whole: until the last row is written the old file stays as it is.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Parquet {
    /// The file. A relative path starts at the pipeline file's folder; missing folders are made.
    path: Template,
    /// What happens to a file that is there already.
    #[serde(default)]
    mode: Mode,
}

impl Parquet {
    /// The file that is written, where relative paths start at `folder`.
    pub(super) fn location(&self, folder: &Path) -> Location {
        Location::parse(&self.path, folder)
    }

    pub(super) fn check(&self, checking: &mut Checking<'_>) {
        Location::check(&self.path, checking);
    }

    #[expect(clippy::unused_self, reason = "every sink answers the same questions")]
    pub(super) fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        LIMITS.refuse(schema)
    }

    pub(super) fn open(&self, folder: &Path, schema: &SchemaRef) -> Result<Box<dyn Writer>, Error> {
        let location = self.location(folder);
        let destination = Destination::create(&location, self.mode)?;
        let schema = Arc::new(stored_schema(schema));
        let columns = schema.flattened_fields().len();
        let room = (WAITING_BYTES / columns).clamp(1 << 20, GROUP_BYTES);
        let spill = Spill::new(destination.scratch(), room);
        let options = ArrowWriterOptions::new()
            .with_properties(properties(columns))
            .with_page_store_factory(Arc::new(spill));
        let writer = ArrowWriter::try_new_with_options(destination, SchemaRef::clone(&schema), options)
            .map_err(|error| failed(location.path(), error))?;
        Ok(Box::new(ParquetWriter { writer, schema, location, rows: 0 }))
    }
}

fn empty_struct(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Struct(fields) if fields.is_empty())
        .then_some(Lack { kind: "struct without fields", cure: "to_json({})" })
}

/// The settings of a file of so many columns, who share the memory.
fn properties(columns: usize) -> WriterProperties {
    let level = ZstdLevel::try_new(1).expect("zstd has a level 1");
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit((DICTIONARY_BYTES / columns.pow(2)).clamp(8 << 10, 1 << 20))
        .set_data_page_size_limit((PAGES_BYTES / columns).clamp(16 << 10, 1 << 20))
        .set_data_page_row_count_limit((PAGES_ROWS / columns).clamp(5_000, 20_000))
        // Statistics of pages stay in memory until the end of the file: a row group's are enough.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(GROUP_ROWS_LIMIT))
        // Readers parse this text ("… version …") before they trust the statistics of strings.
        .set_created_by(concat!("pipectl version ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

struct ParquetWriter {
    writer: ArrowWriter<Destination>,
    schema: SchemaRef,
    /// As the pipeline names it, for messages.
    location: Location,
    rows: u64,
}

impl ParquetWriter {
    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let batch = stored_batch(batch, &self.schema)?;
        for start in (0..batch.num_rows()).step_by(STRIDE) {
            self.writer.write(&batch.slice(start, STRIDE.min(batch.num_rows() - start)))?;
            if is_full(self.writer.in_progress_rows(), self.writer.in_progress_size()) {
                self.writer.flush()?;
            }
        }
        Ok(())
    }
}

impl Writer for ParquetWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<Flow, Error> {
        self.encode(batch).map_err(|error| failed(self.location.path(), error))?;
        self.rows += batch.num_rows() as u64;
        Ok(Flow::More)
    }

    fn finish(self: Box<Self>) -> Result<Finished, Error> {
        let destination = self.writer.into_inner().map_err(|error| failed(self.location.path(), error))?;
        Finished::file(destination, Place::File(self.location), self.rows)
    }
}

fn is_full(rows: usize, bytes: usize) -> bool {
    bytes >= GROUP_BYTES_LIMIT || (rows >= GROUP_ROWS && bytes >= GROUP_BYTES)
}

/// Tells a disk that fails from rows that cannot be encoded.
fn failed(path: &Path, error: ParquetError) -> Error {
    let source = match error {
        ParquetError::External(source) => source,
        other => return Error::Encode { format: LIMITS.format, source: Box::new(other) },
    };
    match source.downcast::<io::Error>() {
        Ok(source) => Error::file("write", path, *source),
        Err(source) => Error::Encode { format: LIMITS.format, source },
    }
}

/// The schema under which columns are stored.
fn stored_schema(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(stored_field).collect::<Fields>();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn stored_field(field: &FieldRef) -> FieldRef {
    let stored = stored_type(field);
    if stored == *field.data_type() {
        return FieldRef::clone(field);
    }
    Arc::new(field.as_ref().clone().with_data_type(stored))
}

fn stored_type(field: &Field) -> DataType {
    match field.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => DataType::Int32,
        DataType::Time64(TimeUnit::Nanosecond) if has_micros(field) => {
            DataType::Time64(TimeUnit::Microsecond)
        }
        DataType::Timestamp(unit, Some(name)) => DataType::Timestamp(*unit, Some(zone::known(name).into())),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(stored_field).collect()),
        DataType::List(element) => DataType::List(stored_field(element)),
        DataType::LargeList(element) => DataType::LargeList(stored_field(element)),
        DataType::FixedSizeList(element, length) => DataType::FixedSizeList(stored_field(element), *length),
        DataType::Map(entries, sorted) => DataType::Map(stored_field(entries), *sorted),
        other => other.clone(),
    }
}

/// Whether Spark says that a TIME has nothing below microseconds.
fn has_micros(field: &Field) -> bool {
    field
        .metadata()
        .get("SPARK::time::precision")
        .and_then(|it| it.parse::<u8>().ok())
        .is_some_and(|digits| digits <= 6)
}

fn stored_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields()).map(|(column, field)| stored(column, field));
    RecordBatch::try_new(SchemaRef::clone(schema), columns.collect::<Result<_, _>>()?)
}

/// A column as it is stored; one that is stored as it came is passed on.
fn stored(column: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == field.data_type() {
        return Ok(ArrayRef::clone(column));
    }
    let data = column.to_data();
    match field.data_type() {
        // The same bits under another name.
        same @ (DataType::Int32 | DataType::Timestamp(_, _)) => {
            Ok(make_array(data.into_builder().data_type(same.clone()).build()?))
        }
        DataType::Time64(_) => cast(column, field.data_type()),
        nested => {
            let children = data
                .child_data()
                .iter()
                .zip(children(nested))
                .map(|(child, field)| Ok(stored(&make_array(child.clone()), field)?.to_data()));
            let children = children.collect::<Result<_, ArrowError>>()?;
            let data = data.into_builder().data_type(nested.clone()).child_data(children);
            Ok(make_array(data.build()?))
        }
    }
}

fn children(data_type: &DataType) -> Vec<&Field> {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(AsRef::as_ref).collect(),
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::FixedSizeList(child, _)
        | DataType::Map(child, _) => vec![child],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use arrow::array::cast::AsArray as _;
    use arrow::array::{BinaryArray, Int32Array};
    use arrow::datatypes::Int64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::RowGroupMetaData;
    use tempfile::TempDir;

    use super::super::{Sink, Written, samples};
    use super::*;

    fn sink(mode: Mode) -> Sink {
        Sink::Parquet(Parquet { path: Template::of_text("out.parquet"), mode })
    }

    fn write(folder: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> Written {
        let mut writer = sink(Mode::Overwrite).open(folder, Box::new(io::sink()), schema).unwrap();
        for batch in batches {
            assert_eq!(writer.write(batch).unwrap(), Flow::More);
        }
        writer.finish().unwrap().commit().unwrap()
    }

    fn open(folder: &Path) -> ParquetRecordBatchReaderBuilder<File> {
        let file = File::open(folder.join("out.parquet")).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap()
    }

    fn read(folder: &Path) -> Vec<RecordBatch> {
        open(folder).build().unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_type_comes_back() {
        let folder = TempDir::new().unwrap();
        let batch = samples::every_type();
        let written = write(folder.path(), batch.schema_ref(), &[batch.clone(), batch.slice(1, 1)]);
        assert_eq!(written.rows, 4);
        assert_eq!(written.bytes, fs::metadata(folder.path().join("out.parquet")).unwrap().len());
        assert_eq!(written.place, Place::File(Location::Local(folder.path().join("out.parquet"))));

        let schema = Arc::new(stored_schema(batch.schema_ref()));
        assert_eq!(open(folder.path()).schema(), &schema);
        let read = read(folder.path());
        assert_eq!(read.len(), 1);
        let expected = stored_batch(&batch, &schema).unwrap();
        assert_eq!(read[0].slice(0, 3), expected);
        assert_eq!(read[0].slice(3, 1), expected.slice(1, 1));
        for (column, field) in expected.columns().iter().zip(schema.fields()) {
            let same = column.data_type() == batch[field.name().as_str()].data_type();
            let converted = ["ts_gmt8", "time", "year_month", "list_of_intervals", "struct"];
            assert_eq!(same, !converted.contains(&field.name().as_str()), "{field}");
        }
        let months = expected["year_month"].as_any().downcast_ref::<Int32Array>().unwrap();
        assert_eq!(months, &Int32Array::from(vec![Some(14), None, Some(-1)]));
    }

    #[test]
    fn readers_other_than_arrow_find_the_types() {
        let folder = TempDir::new().unwrap();
        let batch = samples::every_type();
        write(folder.path(), &batch.schema(), &[batch]);
        let reader = open(folder.path());
        let metadata = reader.metadata().file_metadata();
        assert_eq!(metadata.created_by(), Some(concat!("pipectl version ", env!("CARGO_PKG_VERSION"))));
        let types = metadata.schema_descr().root_schema().get_fields().iter();
        let of =
            |name| types.clone().find(|it| it.name() == name).unwrap().get_basic_info().logical_type_ref();
        let shown =
            ["ts_utc", "ts_ntz", "ts_ns", "time", "time_ns", "decimal", "day_time", "year_month", "void"]
                .map(|name| format!("{name}: {:?}", of(name)))
                .join("\n");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_result_without_rows_keeps_its_columns() {
        let schema = samples::every_type().schema();
        for batches in [vec![], vec![RecordBatch::new_empty(SchemaRef::clone(&schema))]] {
            let folder = TempDir::new().unwrap();
            assert_eq!(write(folder.path(), &schema, &batches).rows, 0);
            assert_eq!(open(folder.path()).schema().as_ref(), &stored_schema(&schema));
            assert!(read(folder.path()).is_empty());
        }
    }

    #[test]
    fn row_groups_have_many_rows_and_little_memory() {
        let rows = GROUP_ROWS_LIMIT + 5;
        let folder = TempDir::new().unwrap();
        let batch = samples::numbers(0, i64::try_from(rows).unwrap());
        write(folder.path(), &batch.schema(), &[batch]);
        let groups = open(folder.path())
            .metadata()
            .row_groups()
            .iter()
            .map(RowGroupMetaData::num_rows)
            .collect::<Vec<_>>();
        assert_eq!(groups, [1 << 20, 5]);
        let ids = read(folder.path());
        let ids = ids.iter().flat_map(|it| it.column(0).as_primitive::<Int64Type>().values().to_vec());
        assert!(ids.eq(0..i64::try_from(rows).unwrap()));

        for (rows, bytes, expected) in [
            (GROUP_ROWS - 1, GROUP_BYTES, false),
            (GROUP_ROWS, GROUP_BYTES - 1, false),
            (GROUP_ROWS, GROUP_BYTES, true),
            (1, GROUP_BYTES_LIMIT, true),
        ] {
            assert_eq!(is_full(rows, bytes), expected, "{rows} rows, {bytes} bytes");
        }
    }

    #[test]
    fn wide_rows_wait_in_a_file_and_leave_none() {
        let folder = TempDir::new().unwrap();
        // Not compressible, so that the pages stay as large as the rows.
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 16).to_le_bytes()
        };
        let blobs = (0..300).map(|_| (0..10_000).flat_map(|_| noise()).collect::<Vec<_>>());
        let batch = samples::batch("blob", Arc::new(BinaryArray::from_iter_values(blobs)));
        let batches = (0..30).map(|it| batch.slice(it * 10, 10)).collect::<Vec<_>>();
        let written = write(folder.path(), batch.schema_ref(), &batches);
        assert!(written.bytes > GROUP_BYTES as u64);
        let read = read(folder.path());
        assert_eq!(arrow::compute::concat_batches(batch.schema_ref(), &read).unwrap(), batch);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn dropped_means_nothing_happened() {
        let folder = TempDir::new().unwrap();
        let batch = samples::every_type();
        let mut writer =
            sink(Mode::Overwrite).open(folder.path(), Box::new(io::sink()), batch.schema_ref()).unwrap();
        writer.write(&batch).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_parquet_cannot_hold_is_refused_by_name() {
        use arrow::datatypes::IntervalUnit::MonthDayNano;
        let span = Field::new("span", DataType::Interval(MonthDayNano), true);
        let inside = |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(fields.into()), true);
        let schema = Schema::new(vec![
            span.clone(),
            inside(
                "d",
                vec![
                    span.clone(),
                    Field::new("a", DataType::Int32, true),
                    Field::new("a", DataType::Utf8, true),
                ],
            ),
            Field::new_list(
                "l",
                Field::new("element", inside("x", vec![span.clone()]).data_type().clone(), true),
                true,
            ),
            Field::new_map(
                "m",
                "entries",
                Field::new("key", DataType::Utf8, false),
                span.with_name("value"),
                false,
                true,
            ),
            inside("nothing", vec![]),
            Field::new("d", DataType::Int32, true),
        ]);
        let refusals = sink(Mode::Overwrite).refuse(&schema);
        insta::assert_snapshot!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));

        let folder = TempDir::new().unwrap();
        let error =
            sink(Mode::Overwrite).open(folder.path(), Box::new(io::sink()), &Arc::new(schema)).err().unwrap();
        assert!(matches!(error, Error::Refused(it) if it == refusals));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(
            sink(Mode::Overwrite).refuse(&Schema::empty()),
            [Refusal::NoColumns { format: "Parquet" }]
        );
    }

    #[test]
    fn appending_is_no_mode() {
        let modes = ["overwrite", "error", "append"].map(|it| serde_json::from_value::<Mode>(it.into()).ok());
        assert_eq!(modes, [Some(Mode::Overwrite), Some(Mode::Error), None]);
    }
}
