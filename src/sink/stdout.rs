//! Rows as text on standard output.
//!
//! Each write goes to the handle that was given, which locks for that write alone; who else may write to it
//! in between is the caller's business. A reader that goes away ends the output quietly.

use std::io::{self, BufWriter, Write};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};

use super::error::Error;
use super::finished::{Finished, Note};
use super::format::arrow::Stream;
use super::format::table::Table;
use super::format::text::Text;
use super::format::{csv, ndjson, table};
use super::refusal::Refusal;
use super::writer::{Flow, Writer};

/// How many rows a table has where the pipeline does not say.
const TABLE_ROWS: u64 = 20;

const BUFFER: usize = 64 << 10;

/// Prints the rows on standard output.
///
/// Outputs are printed whole, one after the other, in the order of the steps that they need; everything else that pipectl says goes to
/// standard error. In short: `stdout: csv`, or the bare word.
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
///   shown:
///     from: people
///     write:
///       stdout: { format: ndjson, limit: 2 }
/// ```
///
/// ```json
/// {"name":"Ann","age":34}
/// {"name":"Bob","age":12}
/// ```
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Stdout {
    /// How the rows look.
    #[serde(default)]
    #[schemars(extend("default" = "table"))]
    format: Format,
    /// How many rows are printed at most. Without it a table has 20, and the other formats have all.
    #[serde(default)]
    limit: Option<u64>,
}

/// How rows look as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// Aligned columns for people. Control characters in the data are shown escaped.
    #[default]
    Table,
    /// Comma-separated values with a header. NULL is an empty field, an empty string is `""`, nested values
    /// are JSON.
    Csv,
    /// One JSON object a line. Decimals are numbers with all their digits; read them as such.
    Ndjson,
    /// Arrow IPC as a stream, for a program that reads it; not for a terminal.
    Arrow,
}

impl Stdout {
    /// Prints in `format`, at most `limit` rows.
    pub(crate) fn new(format: Format, limit: Option<u64>) -> Self {
        Self { format, limit }
    }

    /// Whether a program is to read what is printed.
    pub(crate) fn is_for_programs(&self) -> bool {
        self.format != Format::Table
    }

    /// Whether what is printed means nothing to people.
    pub(crate) fn is_binary(&self) -> bool {
        self.format == Format::Arrow
    }

    /// One row more than is printed, so that it is known whether there are more; who wants no rows does not ask for that.
    pub(crate) fn rows_wanted(&self) -> Option<u64> {
        self.limit().map(|limit| if limit == 0 { 0 } else { limit.saturating_add(1) })
    }

    /// Prints rows that are there already.
    pub(crate) fn print(&self, stdout: Box<dyn Write + Send>, rows: &RecordBatch) -> Result<(), Error> {
        let refusals = self.refuse(rows.schema_ref());
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        let mut writer = self.open(stdout, rows.schema_ref())?;
        writer.write(rows)?;
        writer.finish()?.commit().map(drop)
    }

    pub(super) fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        match self.format {
            Format::Table => table::refuse(schema),
            Format::Csv => csv::refuse(schema),
            Format::Ndjson => ndjson::refuse(schema),
            Format::Arrow => Vec::new(),
        }
    }

    pub(super) fn open(
        &self,
        stdout: Box<dyn Write + Send>,
        schema: &SchemaRef,
    ) -> Result<Box<dyn Writer>, Error> {
        let text: Box<dyn Text> = match self.format {
            Format::Table => Box::new(Table::new(schema)),
            Format::Csv => Box::new(csv::Rows::new(schema, csv::Dialect::default())),
            Format::Ndjson => Box::new(ndjson::Rows),
            Format::Arrow => {
                let stream = Stream::new(schema);
                let format = self.format.name();
                Box::new(stream.map_err(|source| Error::Encode { format, source: Box::new(source) })?)
            }
        };
        let out = BufWriter::with_capacity(BUFFER, Counted { inner: stdout, bytes: 0 });
        let (format, limit) = (self.format, self.limit());
        Ok(Box::new(StdoutWriter { out, text, format, limit, rows: 0, end: None }))
    }

    fn limit(&self) -> Option<u64> {
        match self.format {
            Format::Table => Some(self.limit.unwrap_or(TABLE_ROWS)),
            Format::Csv | Format::Ndjson | Format::Arrow => self.limit,
        }
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::Csv => "CSV",
            Self::Ndjson => "NDJSON",
            Self::Arrow => "Arrow",
        }
    }
}

struct StdoutWriter {
    out: BufWriter<Counted>,
    text: Box<dyn Text>,
    format: Format,
    limit: Option<u64>,
    rows: u64,
    end: Option<End>,
}

/// Why no further rows are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Limit,
    ReaderGone,
}

impl StdoutWriter {
    /// The rows of a batch that the limit lets through.
    fn within_limit(&mut self, batch: &RecordBatch) -> RecordBatch {
        let Some(limit) = self.limit else { return batch.clone() };
        let room = usize::try_from(limit - self.rows).unwrap_or(usize::MAX);
        if batch.num_rows() <= room {
            return batch.clone();
        }
        self.end = Some(End::Limit);
        batch.slice(0, room)
    }

    /// Takes note of a reader that has gone, which is no failure.
    fn settle(&mut self, result: Result<(), ArrowError>) -> Result<(), Error> {
        match result {
            Ok(()) => Ok(()),
            Err(ArrowError::IoError(_, source)) if source.kind() == io::ErrorKind::BrokenPipe => {
                self.end = Some(End::ReaderGone);
                Ok(())
            }
            Err(ArrowError::IoError(_, source)) => Err(Error::Stdout(source)),
            Err(source) => Err(Error::Encode { format: self.format.name(), source: Box::new(source) }),
        }
    }
}

impl Writer for StdoutWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<Flow, Error> {
        if self.end.is_some() {
            return Ok(Flow::Enough);
        }
        let batch = self.within_limit(batch);
        let result = self.text.write(&batch, &mut self.out).and_then(|()| Ok(self.out.flush()?));
        self.settle(result)?;
        self.rows += batch.num_rows() as u64;
        Ok(if self.end.is_some() { Flow::Enough } else { Flow::More })
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, Error> {
        if self.end != Some(End::ReaderGone) {
            let result = self.text.finish(&mut self.out).and_then(|()| Ok(self.out.flush()?));
            self.settle(result)?;
        }
        let note = (self.end == Some(End::Limit)).then_some(Note::Cut { rows: self.rows });
        Ok(Finished::stdout(self.rows, self.out.get_ref().bytes, note))
    }
}

/// Counts what passes.
struct Counted {
    inner: Box<dyn Write + Send>,
    bytes: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use arrow_array::{Array as _, Int32Array, StringArray};

    use super::*;
    use crate::sink::finished::Written;
    use crate::sink::place::OutputPlace;
    use crate::sink::site::tests::with_site;
    use crate::sink::{Sink, test_batches};

    /// A handle whose text the test can read, and which fails after some bytes.
    #[derive(Clone)]
    struct Handle {
        text: Arc<Mutex<Vec<u8>>>,
        room: usize,
        failure: io::ErrorKind,
    }

    impl Default for Handle {
        fn default() -> Self {
            Self { text: Arc::default(), room: usize::MAX, failure: io::ErrorKind::BrokenPipe }
        }
    }

    impl Handle {
        fn text(&self) -> String {
            String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Handle {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut text = self.text.lock().unwrap();
            if text.len() + bytes.len() > self.room {
                return Err(self.failure.into());
            }
            text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn open(stdout: Stdout, handle: &Handle, schema: &SchemaRef) -> Box<dyn Writer> {
        let sink = Sink::Stdout(stdout);
        with_site(Path::new("/nowhere"), |site| sink.open(site, Box::new(handle.clone()), schema)).unwrap()
    }

    fn print(stdout: Stdout, batches: &[RecordBatch]) -> (String, Written) {
        let handle = Handle::default();
        let mut writer = open(stdout, &handle, batches[0].schema_ref());
        for batch in batches {
            writer.write(batch).unwrap();
        }
        let written = writer.finish().unwrap().commit().unwrap();
        (handle.text(), written)
    }

    fn text(format: Format, batch: &RecordBatch) -> String {
        print(Stdout::new(format, None), std::slice::from_ref(batch)).0
    }

    #[test]
    fn every_type_has_a_text() {
        let batch = test_batches::every_type();
        insta::assert_snapshot!("table", text(Format::Table, &batch));
        insta::assert_snapshot!("csv", text(Format::Csv, &batch));
        insta::assert_snapshot!("ndjson", text(Format::Ndjson, &batch));
    }

    #[test]
    fn ndjson_is_json_and_csv_has_the_same_values() {
        let batch = test_batches::every_type();
        let json = text(Format::Ndjson, &batch);
        let csv = text(Format::Csv, &batch);
        let mut records = split_csv(&csv).into_iter();
        let names = records.next().unwrap();
        assert_eq!(names.len(), batch.num_columns());
        let objects = json.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut compared = 0;
        for (object, record) in objects.zip(records) {
            assert_eq!(record.len(), names.len());
            for ((name, cell), (key, value)) in names.iter().zip(&record).zip(object.as_object().unwrap()) {
                assert_eq!(name.as_ref().unwrap(), key);
                let expected = match value {
                    serde_json::Value::Null => None,
                    serde_json::Value::String(text) => Some(text.clone()),
                    // A number is compared as text elsewhere: this reader of JSON has doubles only.
                    serde_json::Value::Number(_) => cell.clone(),
                    other => Some(other.to_string()),
                };
                assert_eq!(cell, &expected, "{name:?}");
                compared += 1;
            }
        }
        assert_eq!(compared, 3 * batch.num_columns());
    }

    /// An independent reader of the dialect: fields of records, `None` where nothing stands.
    fn split_csv(text: &str) -> Vec<Vec<Option<String>>> {
        let mut records = vec![vec![]];
        let mut rest = text;
        while !rest.is_empty() {
            let field = if let Some(mut quoted) = rest.strip_prefix('"') {
                let mut field = String::new();
                loop {
                    let (before, after) = quoted.split_once('"').unwrap();
                    field.push_str(before);
                    let Some(more) = after.strip_prefix('"') else {
                        rest = after;
                        break Some(field);
                    };
                    field.push('"');
                    quoted = more;
                }
            } else {
                let (field, after) = rest.split_at(rest.find([',', '\n']).unwrap());
                rest = after;
                (!field.is_empty()).then(|| field.to_owned())
            };
            records.last_mut().unwrap().push(field);
            match rest.split_at(1) {
                (",", after) => rest = after,
                ("\n", after) => {
                    rest = after;
                    records.push(vec![]);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(records.pop().unwrap(), []);
        records
    }

    #[test]
    fn calendar_intervals_have_a_text() {
        let batch = test_batches::calendar_intervals();
        assert_eq!(text(Format::Csv, &batch), "span\nP1Y2M-3DT1.5S\n\nPT0S\n");
        let json = text(Format::Ndjson, &batch);
        assert_eq!(json, "{\"span\":\"P1Y2M-3DT1.5S\"}\n{\"span\":null}\n{\"span\":\"PT0S\"}\n");
    }

    #[test]
    fn null_and_empty_text_differ_in_csv() {
        let batch =
            test_batches::batch("a,\"b\"", Arc::new(StringArray::from(vec![None, Some(""), Some("x\r")])));
        assert_eq!(text(Format::Csv, &batch), "\"a,\"\"b\"\"\"\n\n\"\"\n\"x\r\"\n");
    }

    #[test]
    fn a_result_without_rows_has_a_header_where_the_format_has_one() {
        let schema = test_batches::numbers(0, 0).schema();
        for (format, expected) in [(Format::Table, "id\n--\n"), (Format::Csv, "id\n"), (Format::Ndjson, "")] {
            let handle = Handle::default();
            let written =
                open(Stdout::new(format, None), &handle, &schema).finish().unwrap().commit().unwrap();
            assert_eq!(handle.text(), expected);
            let expected =
                Written { rows: 0, bytes: expected.len() as u64, place: OutputPlace::Stdout, note: None };
            assert_eq!(written, expected);
            assert_eq!(text(format, &test_batches::numbers(0, 0)), handle.text());
        }
    }

    #[test]
    fn a_limit_ends_the_output_and_says_so_only_if_there_is_more() {
        for (format, limit, rows, shown, cut) in [
            (Format::Table, None, 20, 20, false),
            (Format::Table, None, 21, 20, true),
            (Format::Table, Some(25), 30, 25, true),
            (Format::Csv, Some(7), 10, 7, true),
            (Format::Csv, Some(10), 10, 10, false),
            (Format::Csv, None, 40, 40, false),
            (Format::Ndjson, Some(0), 10, 0, true),
            (Format::Ndjson, None, 40, 40, false),
        ] {
            let batches = (0..rows).step_by(5).map(|start| test_batches::numbers(start, 5.min(rows - start)));
            let (text, written) = print(Stdout::new(format, limit), &batches.collect::<Vec<_>>());
            assert_eq!(written.rows, shown, "{text}");
            assert_eq!(written.note, cut.then_some(Note::Cut { rows: shown }), "{text}");
            assert_eq!(written.bytes, text.len() as u64);
            let header = match format {
                Format::Table => 2,
                Format::Csv => 1,
                Format::Ndjson | Format::Arrow => 0,
            };
            assert_eq!(text.lines().count() as u64, header + shown);
        }
        assert_eq!(Stdout::default().rows_wanted(), Some(21));
        assert_eq!(Stdout::new(Format::Csv, Some(0)).rows_wanted(), Some(0));
        assert_eq!(Stdout::new(Format::Csv, None).rows_wanted(), None);
        assert_eq!(Note::Cut { rows: 20 }.to_string(), "only the first 20 rows are shown");
    }

    #[test]
    fn a_reader_that_has_gone_ends_it_quietly() {
        for format in [Format::Table, Format::Csv, Format::Ndjson, Format::Arrow] {
            let handle = Handle { room: 12, ..Handle::default() };
            let batch = test_batches::numbers(0, 1_000);
            let mut writer = open(Stdout::new(format, Some(5_000)), &handle, batch.schema_ref());
            assert_eq!(writer.write(&batch).unwrap(), Flow::Enough);
            assert_eq!(writer.write(&batch).unwrap(), Flow::Enough);
            assert_eq!(writer.finish().unwrap().commit().unwrap().note, None);
        }
    }

    #[test]
    fn a_full_disk_behind_stdout_is_an_error() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let batch = test_batches::numbers(0, 10);
        let sink = Sink::Stdout(Stdout::new(Format::Csv, None));
        let mut writer =
            with_site(Path::new("/nowhere"), |site| sink.open(site, Box::new(full), batch.schema_ref()))
                .unwrap();
        let error = writer.write(&batch).unwrap_err();
        assert!(
            matches!(&error, Error::Stdout(source) if source.kind() == io::ErrorKind::StorageFull),
            "{error:?}"
        );
    }

    #[test]
    fn a_long_table_is_streamed_by_the_widths_of_its_beginning() {
        let handle = Handle::default();
        let batch = test_batches::numbers(998, 2);
        let mut writer = open(Stdout::new(Format::Table, Some(1_000_000)), &handle, batch.schema_ref());
        for start in 0..499 {
            writer.write(&test_batches::numbers(start * 2, 2)).unwrap();
        }
        assert_eq!(handle.text(), "");
        writer.write(&batch).unwrap();
        assert_eq!(handle.text().lines().count(), 1_002);
        writer.write(&test_batches::numbers(123_456, 1)).unwrap();
        writer.write(&test_batches::numbers(7, 1)).unwrap();
        writer.finish().unwrap().commit().unwrap();
        let text = handle.text();
        assert!(text.starts_with(" id\n---\n  0\n"), "{text}");
        assert!(text.ends_with("\n999\n123456\n  7\n"), "{text}");
    }

    #[test]
    fn tables_are_aligned_by_what_is_seen() {
        let columns = [
            ("text", Arc::new(StringArray::from(vec![Some("日本"), None, Some("é\t\u{85}\u{202e}x")])) as _),
            ("n\u{1b}", Arc::new(Int32Array::from(vec![Some(1), Some(-20), None])) as _),
            ("last", Arc::new(StringArray::from(vec!["a", "bcd", ""])) as _),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)))
                .unwrap();
        assert!(batch.column(0).len() == 3);
        insta::assert_snapshot!(text(Format::Table, &batch));
    }

    #[test]
    fn slices_of_arrays_are_read_from_their_offset() {
        let batch = test_batches::every_type();
        let whole = text(Format::Ndjson, &batch);
        let rows = (0..3).map(|row| text(Format::Ndjson, &batch.slice(row, 1))).collect::<String>();
        assert_eq!(rows, whole);
    }

    #[test]
    fn what_text_cannot_show_is_refused_by_name() {
        use arrow_schema::{DataType, Field};
        let variant = Field::new(
            "v",
            DataType::Struct(
                vec![
                    Field::new("value", DataType::Binary, false),
                    Field::new("metadata", DataType::Binary, false)
                        .with_metadata([("variant".to_owned(), "true".to_owned())]),
                ]
                .into(),
            ),
            true,
        );
        let schema = Schema::new(vec![
            variant,
            Field::new("a", DataType::Int8, true),
            Field::new("a", DataType::Int8, true),
        ]);
        let refusals = [Format::Table, Format::Csv, Format::Ndjson].map(|format| {
            let refusals = Sink::Stdout(Stdout::new(format, None)).refuse(&schema);
            refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        });
        insta::assert_snapshot!(refusals.join("\n"));
    }

    #[test]
    fn settings_have_defaults() {
        let stdout: Stdout = serde_json::from_str("{}").unwrap();
        assert_eq!((stdout.format, stdout.limit), (Format::Table, None));
        let stdout: Stdout = serde_json::from_str(r#"{ "format": "ndjson", "limit": 3 }"#).unwrap();
        assert_eq!(stdout.rows_wanted(), Some(4));
        assert_eq!(Sink::Stdout(stdout).place(Path::new("/")), OutputPlace::Stdout);
    }
}
