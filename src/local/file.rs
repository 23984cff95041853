//! Rows of a file where pipectl runs, as they travel: tables of Arrow as they are, text as text, which the engine casts.

use std::io::Cursor;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::sync::Arc;

use super::ddl;
use super::records::{Records, Wrong};

/// Rows of one batch of text.
const ROWS: usize = 8192;

/// Rows, and their columns as DDL.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) ddl: String,
}

/// How CSV is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Csv<'a> {
    pub(crate) has_header: bool,
    pub(crate) delimiter: char,
    /// What stands for NULL besides nothing at all.
    pub(crate) null: Option<&'a str>,
}

impl Rows {
    /// Those of a Parquet file.
    pub(crate) fn of_parquet(bytes: Bytes) -> Result<Self, String> {
        // What its writer thought of the types is no matter to engines either.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let told = |error: &dyn std::fmt::Display| format!("is no Parquet file that can be read: {error}");
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)
            .map_err(|error| told(&error))?
            .with_batch_size(ROWS)
            .build()
            .map_err(|error| told(&error))?;
        let schema = arrow_array::RecordBatchReader::schema(&reader);
        Self::new(schema, reader.collect::<Result<_, ArrowError>>().map_err(|error| told(&error))?)
    }

    /// Those of an Arrow file, or of an Arrow stream.
    pub(crate) fn of_arrow(bytes: Bytes) -> Result<Self, String> {
        const MAGIC: &[u8] = b"ARROW1";
        let told = |error: ArrowError| format!("is no Arrow file that can be read: {error}");
        if bytes.starts_with(MAGIC) {
            let reader = FileReader::try_new(Cursor::new(bytes), None).map_err(told)?;
            return Self::new(reader.schema(), reader.collect::<Result<_, _>>().map_err(told)?);
        }
        let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(told)?;
        Self::new(reader.schema(), reader.collect::<Result<_, _>>().map_err(told)?)
    }

    /// Those of several files, whose columns must be the same.
    pub(crate) fn append(&mut self, other: Self) -> Result<(), String> {
        if self.ddl != other.ddl {
            return Err(format!("has the columns {}, and the first one {}", other.ddl, self.ddl));
        }
        let schema = Arc::clone(&self.schema);
        let batches = other.batches.into_iter().map(|batch| batch.with_schema(Arc::clone(&schema)));
        self.batches.extend(batches.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?);
        Ok(())
    }

    fn new(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self, String> {
        let columns: Result<Vec<String>, String> =
            schema.fields().iter().map(|field| ddl::column(field)).collect();
        Ok(Self { ddl: columns?.join(", "), schema, batches })
    }

    /// Those of CSV, all of them text. The columns are these, or where there are none those of the header.
    pub(crate) fn of_csv(text: &str, columns: &[String], csv: Csv<'_>) -> Result<Self, String> {
        let mut records = Records::new(text, csv.delimiter);
        let mut first = records.next().transpose().map_err(told)?;
        let names: Vec<String> = match (&first, columns) {
            (_, [_, ..]) => columns.to_vec(),
            (Some(header), []) if csv.has_header => {
                header.fields.iter().map(|field| field.text.clone().unwrap_or_default()).collect()
            }
            (Some(row), []) => (0..row.fields.len()).map(|at| format!("_c{at}")).collect(),
            (None, []) => return Err("is empty, so that it has no columns".to_owned()),
        };
        if csv.has_header {
            first = None;
        }
        let mut table = TextTable::new(&names);
        for record in first.map(Ok).into_iter().chain(records) {
            let record = record.map_err(told)?;
            if record.fields.len() != names.len() {
                let (fields, line, columns) = (record.fields.len(), record.line, names.len());
                return Err(format!("has {fields} fields in line {line}, for {columns} columns"));
            }
            let values = record
                .fields
                .iter()
                .map(|field| field.text.as_deref().filter(|text| field.is_quoted || csv.null != Some(*text)));
            table.push(values);
        }
        Ok(table.finish())
    }

    /// Those of JSON, an object a line, all of them text: of arrays and objects their JSON.
    pub(crate) fn of_ndjson(text: &str, columns: &[String]) -> Result<Self, String> {
        let mut table = TextTable::new(columns);
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let object = super::json::object(line)
                .map_err(|reason| format!("has no JSON object in line {}: {reason}", at + 1))?;
            table.push(columns.iter().map(|column| object.get(column.as_str()).and_then(Option::as_deref)));
        }
        Ok(table.finish())
    }
}

fn told(wrong: Wrong) -> String {
    format!("has a quote that is not closed, from line {}", wrong.line)
}

/// Columns of text as they grow.
struct TextTable {
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    rows: usize,
    batches: Vec<RecordBatch>,
}

impl TextTable {
    fn new(names: &[String]) -> Self {
        let fields: Vec<Field> = names.iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: names.iter().map(|_| StringBuilder::new()).collect(),
            rows: 0,
            batches: Vec::new(),
        }
    }

    fn push<'v>(&mut self, values: impl Iterator<Item = Option<&'v str>>) {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.append_option(value);
        }
        self.rows += 1;
        if self.rows == ROWS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.rows > 0 {
            let arrays: Vec<ArrayRef> =
                self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
            self.batches.push(batch.expect("every column has a value for every row"));
            self.rows = 0;
        }
    }

    fn finish(mut self) -> Rows {
        self.cut();
        let columns =
            self.schema.fields().iter().map(|field| format!("{} STRING", crate::name::quoted(field.name())));
        Rows { ddl: columns.collect::<Vec<_>>().join(", "), schema: self.schema, batches: self.batches }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray as _;

    use super::*;

    const CSV: Csv<'static> = Csv { has_header: true, delimiter: ',', null: None };

    fn cells(rows: &Rows) -> Vec<Vec<Option<String>>> {
        let mut all = Vec::new();
        for batch in &rows.batches {
            for row in 0..batch.num_rows() {
                let cell = |column: &ArrayRef| {
                    let column = column.as_string::<i32>();
                    arrow_array::Array::is_valid(column, row).then(|| column.value(row).to_owned())
                };
                all.push(batch.columns().iter().map(cell).collect());
            }
        }
        all
    }

    fn some(values: &[Option<&str>]) -> Vec<Option<String>> {
        values.iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn csv_tells_nothing_from_an_empty_text() {
        let rows = Rows::of_csv("a,b\n,\"\"\nNA,\"NA\"\n", &[], Csv { null: Some("NA"), ..CSV }).unwrap();
        assert_eq!(cells(&rows), [some(&[None, Some("")]), some(&[None, Some("NA")])]);
        assert_eq!(rows.ddl, "`a` STRING, `b` STRING");
    }

    #[test]
    fn csv_has_as_many_fields_as_columns() {
        let columns = ["x".to_owned(), "y".to_owned()];
        assert_eq!(
            Rows::of_csv("a,b\n1,2\n\"x\ny\",2,3\n", &columns, CSV).unwrap_err(),
            "has 3 fields in line 3, for 2 columns"
        );
        assert_eq!(
            Rows::of_csv("a,b\n1,\"2\n", &columns, CSV).unwrap_err(),
            "has a quote that is not closed, from line 2"
        );
        let rows = Rows::of_csv("1,2", &columns, Csv { has_header: false, ..CSV }).unwrap();
        assert_eq!(cells(&rows), [some(&[Some("1"), Some("2")])]);
    }

    #[test]
    fn json_is_read_by_its_keys() {
        let columns = ["n", "t", "gone"].map(str::to_owned);
        let text = "{\"t\": \"a\\nb\", \"n\": 12345678901234567890.10, \"more\": 1}\n\n{\"t\": {\"x\": [1, 2]}, \"n\": null}\n";
        let rows = Rows::of_ndjson(text, &columns).unwrap();
        assert_eq!(
            cells(&rows),
            [
                some(&[Some("12345678901234567890.10"), Some("a\nb"), None]),
                some(&[None, Some("{\"x\": [1, 2]}"), None])
            ]
        );
        assert!(
            Rows::of_ndjson("{}\n[1]\n", &columns).unwrap_err().starts_with("has no JSON object in line 2")
        );
    }

    #[test]
    fn many_rows_are_many_batches() {
        let text: String =
            std::iter::once("n\n".to_owned()).chain((0..20_000).map(|row| format!("{row}\n"))).collect();
        let rows = Rows::of_csv(&text, &[], CSV).unwrap();
        assert_eq!(rows.batches.len(), 3);
        assert_eq!(rows.batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 20_000);
    }
}
