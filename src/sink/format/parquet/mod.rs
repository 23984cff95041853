//! Parquet files.
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

mod codec;
mod page_spill;
mod row_groups;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use self::codec::{Codec, Statistics};
use self::page_spill::PageSpill;
use self::row_groups::RowGroups;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Template;
use crate::lowering::Checking;
use crate::shape::{Entries, Many};
use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::sink::format::columns::{Lack, Limits, Shape, calendar_interval, union};
use crate::sink::format::file::{Encoder, File, Layout};
use crate::sink::format::stored_type::{self, Form};
use crate::sink::mode::Mode;
use crate::sink::refusal::Refusal;
use crate::sink::refusal::missing;
use crate::text::Spanned;

/// A row group has at least so many rows, unless they are huge or the last.
const GROUP_ROWS: usize = 128 << 10;
/// A row group has at most so many rows.
const GROUP_ROWS_LIMIT: usize = 1 << 20;
/// Past [`GROUP_ROWS`] a row group is closed when it has so many bytes.
const GROUP_BYTES: usize = 16 << 20;
/// A row group is closed in any case when it has so many bytes.
const GROUP_BYTES_LIMIT: usize = 256 << 20;
/// No row group that a pipeline asks for has more rows; readers count them in 32 bits.
const MOST_GROUP_ROWS: u64 = i32::MAX as u64;
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

/// The key under which the Arrow schema is embedded.
const SCHEMA_KEY: &str = "ARROW:schema";

/// Writes Parquet files.
///
/// A file is replaced whole: until the last row is written the old one stays as it is. Every type is kept but calendar intervals (cast them
/// to strings); columns need distinct names. In short: `parquet: out/people.parquet`.
///
/// ```yaml
/// version: 1
/// steps:
///   people:
///     values:
///       columns: { name: string, age: int }
///       rows:
///         - [Ann, 34]
///         - [Bob, 12]
///         - [Cem, null]
///   saved:
///     from: people
///     write:
///       parquet: { path: out/by_name, partition_by: [name] }
/// ```
///
/// ```files
/// out/by_name/name=Ann/part-00000.parquet
/// out/by_name/name=Bob/part-00000.parquet
/// out/by_name/name=Cem/part-00000.parquet
/// ```
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Parquet {
    /// The file, or the folder. A relative path starts at the pipeline file's folder; missing folders are made. Objects of
    /// a store are `s3://bucket/key`, `gs://bucket/key` or `az://container/key`.
    path: Template,
    /// What happens to a file or folder that is there already. Rows can be added to a folder only.
    #[serde(default)]
    #[schemars(extend("default" = "overwrite"))]
    mode: Mode,
    /// How pages are compressed.
    #[serde(default)]
    #[schemars(extend("default" = "zstd"))]
    compression: Codec,
    /// How hard: 1 to 22 for zstd (1 where not given), 0 to 9 for gzip (6 where not given).
    #[schemars(extend("minimum" = 0, "maximum" = 22))]
    compression_level: Option<Spanned<i32>>,
    /// How many rows a row group has. Where not given, it is closed by its size: at 128 Ki rows or more, at 1 Mi
    /// in any case.
    #[schemars(extend("minimum" = 1, "maximum" = MOST_GROUP_ROWS))]
    row_group_size: Option<Spanned<u64>>,
    /// Of what smallest and largest values are kept, by which readers skip what they need not read.
    #[serde(default)]
    #[schemars(extend("default" = "chunk"))]
    statistics: Statistics,
    /// Whether values that occur often are stored once.
    #[schemars(extend("default" = true))]
    dictionary: Option<bool>,
    /// Columns for which Bloom filters are kept, by which readers skip row groups that lack a value.
    bloom_filters: Option<Many<Spanned<String>>>,
    /// Keys and values to be kept in the file.
    #[serde(default)]
    metadata: Entries<Template>,
    /// Writes a folder, in it a folder for each value: `day=2026-01-31/part-00000.parquet`. These columns are not
    /// in the files.
    partition_by: Option<Many<Spanned<String>>>,
    /// Writes a folder with files of so many rows at most.
    #[schemars(extend("minimum" = 1))]
    max_rows_per_file: Option<Spanned<u64>>,
}

impl Parquet {
    /// The settings of a file; so many columns share the memory, those of files beside it too.
    fn properties(&self, columns: usize) -> WriterProperties {
        let level = self.compression_level.as_ref().map(|it| it.value);
        let builder = defaults(columns)
            .set_compression(self.compression.with_level(level))
            .set_dictionary_enabled(self.dictionary.unwrap_or(true))
            .set_statistics_enabled(self.statistics.into())
            .set_offset_index_disabled(self.statistics != Statistics::Page)
            .set_max_row_group_row_count(Some(self.group_rows()));
        let builder = self.bloom_filters().iter().fold(builder, |builder, column| {
            builder.set_column_bloom_filter_enabled(ColumnPath::new(vec![column.value.clone()]), true)
        });
        let metadata =
            self.metadata.iter().map(|(key, value)| KeyValue::new(key.value.clone(), value.plain()));
        let metadata = metadata.collect::<Vec<_>>();
        builder.set_key_value_metadata((!metadata.is_empty()).then_some(metadata)).build()
    }

    /// A row group has at most so many rows.
    fn group_rows(&self) -> usize {
        let own = self.row_group_size.as_ref().and_then(|it| usize::try_from(it.value).ok());
        own.unwrap_or(GROUP_ROWS_LIMIT).max(1)
    }

    fn bloom_filters(&self) -> &[Spanned<String>] {
        self.bloom_filters.as_deref().unwrap_or_default()
    }
}

impl File for Parquet {
    fn layout(&self) -> Layout<'_> {
        Layout {
            path: &self.path,
            mode: self.mode,
            partition_by: self.partition_by.as_deref().unwrap_or_default(),
            max_rows_per_file: self.max_rows_per_file.as_ref(),
        }
    }

    fn columns_needed(&self) -> &[Spanned<String>] {
        self.bloom_filters()
    }

    fn check(&self, checking: &mut Checking<'_>) {
        if let Some(level) = &self.compression_level
            && let Some(message) = self.compression.refuses_level(level.value)
        {
            checking.report(Diagnostic::new(Code::Settings, level.span, message));
        }
        if let Some(rows) = &self.row_group_size
            && !(1..=MOST_GROUP_ROWS).contains(&rows.value)
        {
            let message = format!("a row group has 1 to {MOST_GROUP_ROWS} rows");
            checking.report(Diagnostic::new(Code::Settings, rows.span, message));
        }
        for (_, value) in self.metadata.iter() {
            checking.refuses_secret(value);
        }
        for (key, _) in self.metadata.iter().filter(|(key, _)| key.value == SCHEMA_KEY) {
            let message = format!("`{SCHEMA_KEY}` is the format's own key");
            checking.report(Diagnostic::new(Code::Settings, key.span, message));
        }
        let partition_by = self.layout().partition_by;
        for column in self.bloom_filters() {
            if partition_by.iter().any(|other| other.value == column.value) {
                let message = format!("`{}` is in `partition_by`, and so in no file", column.value);
                checking.report(Diagnostic::new(Code::Settings, column.span, message));
            }
        }
    }

    fn extension(&self) -> String {
        "parquet".to_owned()
    }

    fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        let mut refusals = LIMITS.refuse(schema);
        for column in self.bloom_filters() {
            match schema.field_with_name(&column.value) {
                Err(_) => refusals.push(missing(&column.value, "bloom_filters", schema)),
                Ok(field) if field.data_type().is_nested() => {
                    refusals.push(Refusal::Nested { column: column.value.clone(), setting: "bloom_filters" });
                }
                Ok(_) => {}
            }
        }
        refusals
    }

    fn encoder(
        &self,
        destination: Destination,
        schema: &SchemaRef,
        beside: usize,
    ) -> Result<Box<dyn Encoder>, Error> {
        let name = destination.name().to_path_buf();
        let schema = Arc::new(stored_type::schema(schema, Form::Parquet));
        let columns = schema.flattened_fields().len() * beside;
        let room = (WAITING_BYTES / columns).clamp((1 << 20) / beside, GROUP_BYTES / beside);
        let spill = PageSpill::new(destination.scratch(), room);
        let options = ArrowWriterOptions::new()
            .with_properties(self.properties(columns))
            .with_page_store_factory(Arc::new(spill));
        let writer = ArrowWriter::try_new_with_options(destination, SchemaRef::clone(&schema), options)
            .map_err(|error| failed(&name, error))?;
        let groups =
            RowGroups::new(writer, SchemaRef::clone(&schema)).map_err(|error| failed(&name, error))?;
        let least_rows = if self.row_group_size.is_some() { usize::MAX } else { GROUP_ROWS };
        Ok(Box::new(ParquetFile { groups, schema, least_rows, most_rows: self.group_rows(), name }))
    }

    fn refuses_more(&self) -> Option<&'static str> {
        Some("a Parquet file is complete, and takes no further rows")
    }
}

fn empty_struct(field: &Field) -> Option<Lack> {
    matches!(field.data_type(), DataType::Struct(fields) if fields.is_empty())
        .then_some(Lack { kind: "struct without fields", cure: "to_json({})" })
}

/// The settings that follow from the number of columns, who share the memory.
fn defaults(columns: usize) -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_dictionary_page_size_limit((DICTIONARY_BYTES / columns.pow(2)).clamp(8 << 10, 1 << 20))
        .set_data_page_size_limit((PAGES_BYTES / columns).clamp(16 << 10, 1 << 20))
        .set_data_page_row_count_limit((PAGES_ROWS / columns).clamp(5_000, 20_000))
        // Readers parse this text ("… version …") before they trust the statistics of strings.
        .set_created_by(concat!("pipectl version ", env!("CARGO_PKG_VERSION")).to_owned())
}

struct ParquetFile {
    groups: RowGroups<Destination>,
    schema: SchemaRef,
    /// A row group of ordinary size has at least so many rows.
    least_rows: usize,
    most_rows: usize,
    /// For messages.
    name: PathBuf,
}

impl ParquetFile {
    fn encode(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        let batch = stored_type::batch(batch, &self.schema)?;
        let mut from = 0;
        while from < batch.num_rows() {
            let room = self.most_rows - self.groups.rows();
            let rows = STRIDE.min(room).min(batch.num_rows() - from);
            self.groups.write(&batch.slice(from, rows))?;
            from += rows;
            let (rows, bytes) = (self.groups.rows(), self.groups.bytes());
            if rows >= self.most_rows || is_full(rows, bytes, self.least_rows) {
                self.groups.close()?;
            }
        }
        Ok(())
    }
}

impl Encoder for ParquetFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.encode(batch).map_err(|error| failed(&self.name, error))
    }

    fn finish(self: Box<Self>) -> Result<Destination, Error> {
        self.groups.finish().map_err(|error| failed(&self.name, error))
    }
}

fn is_full(rows: usize, bytes: usize, least_rows: usize) -> bool {
    bytes >= GROUP_BYTES_LIMIT || (rows >= least_rows && bytes >= GROUP_BYTES)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_array::cast::AsArray as _;
    use arrow_array::types::Int64Type;
    use arrow_array::{BinaryArray, Int32Array};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::file::metadata::RowGroupMetaData;
    use tempfile::TempDir;

    use super::*;
    use crate::sink::finished::Written;
    use crate::sink::location::Location;
    use crate::sink::place::OutputPlace;
    use crate::sink::site::tests::with_site;
    use crate::sink::writer::Flow;
    use crate::sink::{Sink, test_batches};

    fn parquet() -> Parquet {
        Parquet {
            path: Template::of_text("out.parquet"),
            mode: Mode::Overwrite,
            compression: Codec::default(),
            compression_level: None,
            row_group_size: None,
            statistics: Statistics::default(),
            dictionary: None,
            bloom_filters: None,
            metadata: Entries::default(),
            partition_by: None,
            max_rows_per_file: None,
        }
    }

    fn sink(mode: Mode) -> Sink {
        Sink::Parquet(Parquet { mode, ..parquet() })
    }

    fn write(folder: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> Written {
        write_as(&sink(Mode::Overwrite), folder, schema, batches)
    }

    fn write_as(sink: &Sink, folder: &Path, schema: &SchemaRef, batches: &[RecordBatch]) -> Written {
        let mut writer = with_site(folder, |site| sink.open(site, Box::new(io::sink()), schema)).unwrap();
        for batch in batches {
            assert_eq!(writer.write(batch).unwrap(), Flow::More);
        }
        writer.finish().unwrap().commit().unwrap()
    }

    fn open(folder: &Path) -> ParquetRecordBatchReaderBuilder<fs::File> {
        let file = fs::File::open(folder.join("out.parquet")).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap()
    }

    fn read(folder: &Path) -> Vec<RecordBatch> {
        open(folder).build().unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_type_comes_back() {
        let folder = TempDir::new().unwrap();
        let batch = test_batches::every_type();
        let written = write(folder.path(), batch.schema_ref(), &[batch.clone(), batch.slice(1, 1)]);
        assert_eq!(written.rows, 4);
        assert_eq!(written.bytes, fs::metadata(folder.path().join("out.parquet")).unwrap().len());
        assert_eq!(written.place, OutputPlace::File(Location::Local(folder.path().join("out.parquet"))));

        let schema = Arc::new(stored_type::schema(batch.schema_ref(), Form::Parquet));
        assert_eq!(open(folder.path()).schema(), &schema);
        let read = read(folder.path());
        assert_eq!(read.len(), 1);
        let expected = stored_type::batch(&batch, &schema).unwrap();
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
        let batch = test_batches::every_type();
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
        let schema = test_batches::every_type().schema();
        for batches in [vec![], vec![RecordBatch::new_empty(SchemaRef::clone(&schema))]] {
            let folder = TempDir::new().unwrap();
            assert_eq!(write(folder.path(), &schema, &batches).rows, 0);
            assert_eq!(open(folder.path()).schema().as_ref(), &stored_type::schema(&schema, Form::Parquet));
            assert!(read(folder.path()).is_empty());
        }
    }

    #[test]
    fn row_groups_have_many_rows_and_little_memory() {
        let rows = GROUP_ROWS_LIMIT + 5;
        let folder = TempDir::new().unwrap();
        let batch = test_batches::numbers(0, i64::try_from(rows).unwrap());
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
            assert_eq!(is_full(rows, bytes, GROUP_ROWS), expected, "{rows} rows, {bytes} bytes");
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
        let batch = test_batches::batch("blob", Arc::new(BinaryArray::from_iter_values(blobs)));
        let batches = (0..30).map(|it| batch.slice(it * 10, 10)).collect::<Vec<_>>();
        let written = write(folder.path(), batch.schema_ref(), &batches);
        assert!(written.bytes > GROUP_BYTES as u64);
        let read = read(folder.path());
        assert_eq!(arrow_select::concat::concat_batches(batch.schema_ref(), &read).unwrap(), batch);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn dropped_means_nothing_happened() {
        let folder = TempDir::new().unwrap();
        let batch = test_batches::every_type();
        let mut writer = with_site(folder.path(), |site| {
            sink(Mode::Overwrite).open(site, Box::new(io::sink()), batch.schema_ref())
        })
        .unwrap();
        writer.write(&batch).unwrap();
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_parquet_cannot_hold_is_refused_by_name() {
        use arrow_schema::IntervalUnit::MonthDayNano;
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
        let error = with_site(folder.path(), |site| {
            sink(Mode::Overwrite).open(site, Box::new(io::sink()), &Arc::new(schema))
        })
        .err()
        .unwrap();
        assert!(matches!(error, Error::Refused(it) if it == refusals));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(
            sink(Mode::Overwrite).refuse(&Schema::empty()),
            [Refusal::NoColumns { format: "Parquet" }]
        );
    }

    #[test]
    fn settings_are_those_of_the_file() {
        use parquet::basic::Compression;
        let spanned = |value: &str| Spanned { span: crate::text::Span::default(), value: value.to_owned() };
        let batch = test_batches::every_type();
        for (codec, level, expected) in [
            (Codec::Zstd, Some(9), "ZSTD"),
            (Codec::Snappy, None, "SNAPPY"),
            (Codec::Gzip, Some(2), "GZIP"),
            (Codec::Lz4Raw, None, "LZ4_RAW"),
            (Codec::None, None, "UNCOMPRESSED"),
        ] {
            let folder = TempDir::new().unwrap();
            let sink = Sink::Parquet(Parquet {
                compression: codec,
                compression_level: level.map(|value| Spanned { span: crate::text::Span::default(), value }),
                row_group_size: Some(Spanned { span: crate::text::Span::default(), value: 2 }),
                statistics: Statistics::Page,
                dictionary: Some(false),
                bloom_filters: Some([spanned("i64"), spanned("utf8")].into_iter().collect()),
                ..parquet()
            });
            write_as(&sink, folder.path(), batch.schema_ref(), std::slice::from_ref(&batch));
            let reader = open(folder.path());
            let groups = reader.metadata().row_groups();
            assert_eq!(groups.iter().map(RowGroupMetaData::num_rows).collect::<Vec<_>>(), [2, 1]);
            for column in groups[0].columns() {
                assert!(column.compression().to_string().starts_with(expected), "{:?}", column.compression());
                assert_ne!(Compression::LZ4, column.compression());
                assert!(column.dictionary_page_offset().is_none());
                assert!(column.column_index_offset().is_some());
                let has_filter = ["i64", "utf8"].contains(&column.column_path().string().as_str());
                assert_eq!(column.bloom_filter_offset().is_some(), has_filter);
            }
            let schema = Arc::new(stored_type::schema(batch.schema_ref(), Form::Parquet));
            let read = arrow_select::concat::concat_batches(&schema, &read(folder.path())).unwrap();
            assert_eq!(read, stored_type::batch(&batch, &schema).unwrap());
        }
        let unknown = Parquet {
            bloom_filters: Some([spanned("i46"), spanned("struct")].into_iter().collect()),
            ..parquet()
        };
        let refusals = File::refuse(&unknown, &batch.schema());
        insta::assert_snapshot!(refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    }
}
