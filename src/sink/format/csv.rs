//! CSV in one dialect, that of `PostgreSQL`'s `COPY … CSV HEADER`: names first, `,` between, `\n` after each
//! line, a field in `"` where it must be, `"` in it doubled. NULL is nothing at all, an empty string is `""`,
//! so that both survive. Settings change what stands between and for NULL; text that looks like NULL is then in
//! quotes, so that both survive as well.
//!
//! arrow-csv cannot tell these two apart and refuses nested types, which are JSON text here. How values look
//! is [`super::value`]'s.

use std::io::Write;

use arrow_array::RecordBatch;
use arrow_json::writer::EncoderOptions;
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};

use super::append::AppendFile;
use super::columns::{Limits, Shape, union, variant};
use super::compression::Compression;
use super::file::{Encoder, File, Layout};
use super::text::Text;
use super::text_file::{TextFile, check_compression, compression};
use super::value;
use crate::diagnostic::{Code, Diagnostic};
use crate::expr::Template;
use crate::lowering::Checking;
use crate::shape::Many;
use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::sink::location::Location;
use crate::sink::mode::Mode;
use crate::sink::refusal::Refusal;
use crate::sink::site::Site;
use crate::text::Spanned;

const LIMITS: Limits = Limits {
    format: "CSV",
    shape: Shape::DistinctNamesAtLeastOne,
    lacks: |field| variant(field).or_else(|| union(field)),
};

/// Writes comma-separated values.
///
/// UTF-8, the names of the columns first, `,` between fields and a line break (`\n`) after each line. A field
/// is put in `"` where it must be, and `"` in it is doubled. NULL is an empty field and an empty string is `""`,
/// so that the two can be told apart. Numbers have all their digits; dates and times are ISO 8601, with the
/// session's offset for TIMESTAMP; binary is hexadecimal; arrays, maps and structs are JSON. In short: `csv: out/people.csv`.
///
/// ```yaml
/// version: 1
/// steps:
///   notes:
///     values:
///       columns: { id: int, note: string }
///       rows:
///         - [1, 'the "old" one']
///         - [2, ""]
///         - [3, null]
///     write:
///       csv: { path: out/notes.csv, delimiter: ";" }
/// ```
///
/// ```csv out/notes.csv
/// id;note
/// 1;"the ""old"" one"
/// 2;""
/// 3;
/// ```
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Csv {
    /// The file, or the folder. A relative path starts at the pipeline file's folder; missing folders are made. Objects of
    /// a store are `s3://bucket/key`, `gs://bucket/key` or `az://container/key`.
    path: Template,
    /// What happens to a file or folder that is there already. Rows are added to a file with the same header.
    #[serde(default)]
    #[schemars(extend("default" = "overwrite"))]
    mode: Mode,
    /// How it is compressed; where not given, the end of the path says it (`.gz`, `.zst`).
    compression: Option<Spanned<Compression>>,
    /// Whether the names of the columns come first.
    #[schemars(extend("default" = true))]
    header: Option<bool>,
    /// What stands between fields: one character, or `\t` for a tab.
    #[schemars(extend("default" = ",", "pattern" = "^([^\"\r\n]|\\\\t)$"))]
    delimiter: Option<Spanned<String>>,
    /// What stands for NULL, without quotes; nothing where not given. Text that looks like it is put in quotes.
    /// Write `"NULL"` for that word: bare, it means nothing to YAML.
    null_as: Option<Spanned<String>>,
    /// Writes a folder, in it a folder for each value: `day=2026-01-31/part-00000.csv`. These columns are not in
    /// the files.
    partition_by: Option<Many<Spanned<String>>>,
    /// Writes a folder with files of so many rows at most.
    #[schemars(extend("minimum" = 1))]
    max_rows_per_file: Option<Spanned<u64>>,
}

impl Csv {
    /// A folder of files with these settings.
    #[cfg(test)]
    pub(crate) fn folder(path: &str, partition_by: &[&str], most_rows: Option<u64>) -> Self {
        let spanned = |name: &&str| Spanned { span: crate::text::Span::default(), value: (*name).to_owned() };
        Self {
            path: Template::of_text(path),
            mode: Mode::Overwrite,
            compression: None,
            header: None,
            delimiter: None,
            null_as: None,
            partition_by: Some(partition_by.iter().map(spanned).collect()),
            max_rows_per_file: most_rows.map(|value| Spanned { span: crate::text::Span::default(), value }),
        }
    }

    fn compression(&self) -> Compression {
        compression(self.compression.as_ref(), self.layout())
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            has_header: self.header.unwrap_or(true),
            delimiter: self.delimiter.as_ref().and_then(|it| delimiter(&it.value)).unwrap_or(b','),
            null: self.null_as.as_ref().map(|it| it.value.clone()).unwrap_or_default().into_bytes(),
        }
    }
}

impl File for Csv {
    fn layout(&self) -> Layout<'_> {
        Layout {
            path: &self.path,
            mode: self.mode,
            partition_by: self.partition_by.as_deref().unwrap_or_default(),
            max_rows_per_file: self.max_rows_per_file.as_ref(),
        }
    }

    fn check(&self, checking: &mut Checking<'_>) {
        check_compression(self.compression.as_ref(), self.layout(), checking);
        if let Some(text) = &self.delimiter
            && delimiter(&text.value).is_none()
        {
            let message = format!("`{}` can not stand between fields", text.value.escape_debug());
            checking.report(
                Diagnostic::new(Code::Settings, text.span, message)
                    .help("it is one ASCII character, and neither `\"` nor a line break: `;`, `|`, `\\t`"),
            );
        }
        if let Some(null) = &self.null_as {
            let delimiter = char::from(self.dialect().delimiter);
            if null.value.contains(['"', '\n', '\r', delimiter]) {
                let message = format!("`{}` can not stand for NULL", null.value.escape_debug());
                checking.report(
                    Diagnostic::new(Code::Settings, null.span, message)
                        .help("it may hold no `\"`, no line break and not what stands between fields"),
                );
            }
        }
    }

    fn extension(&self) -> String {
        format!("csv{}", self.compression().extension())
    }

    fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        refuse(schema)
    }

    fn encoder(
        &self,
        destination: Destination,
        schema: &SchemaRef,
        _beside: usize,
    ) -> Result<Box<dyn Encoder>, Error> {
        let rows = Rows::new(schema, self.dialect());
        Ok(Box::new(TextFile::new(destination, Box::new(rows), LIMITS.format, self.compression())?))
    }

    fn append(
        &self,
        location: &Location,
        schema: &SchemaRef,
        site: &Site<'_>,
    ) -> Result<Box<dyn Encoder>, Error> {
        let mut rows = Rows::new(schema, self.dialect());
        let AppendFile { destination, is_new } = AppendFile::open(location, &rows.header_line(), site)?;
        if !is_new {
            rows.header = None;
        }
        Ok(Box::new(TextFile::new(destination, Box::new(rows), LIMITS.format, Compression::None)?))
    }

    fn refuses_more(&self) -> Option<&'static str> {
        (self.compression() != Compression::None).then_some("rows are added to files that are not compressed")
    }
}

/// Everything about these columns that CSV cannot hold.
pub(crate) fn refuse(schema: &Schema) -> Vec<Refusal> {
    LIMITS.refuse(schema)
}

/// The byte that a setting means.
fn delimiter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        br"\t" => Some(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
        _ => None,
    }
}

/// What may differ between files.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    has_header: bool,
    delimiter: u8,
    null: Vec<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { has_header: true, delimiter: b',', null: Vec::new() }
    }
}

/// Writes rows as CSV.
pub(crate) struct Rows {
    /// The line that is still to be written.
    header: Option<SchemaRef>,
    dialect: Dialect,
    options: EncoderOptions,
}

impl Rows {
    pub(crate) fn new(schema: &SchemaRef, dialect: Dialect) -> Self {
        let header = dialect.has_header.then(|| SchemaRef::clone(schema));
        Self { header, dialect, options: value::options() }
    }

    /// What comes before the first row, if that is still to be written.
    fn header_line(&self) -> Vec<u8> {
        let Some(schema) = &self.header else { return Vec::new() };
        let mut line = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                line.push(self.dialect.delimiter);
            }
            self.dialect.push_field(&mut line, field.name().as_bytes());
        }
        line.push(b'\n');
        line
    }

    fn write_header(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        let line = self.header_line();
        self.header = None;
        Ok(out.write_all(&line)?)
    }
}

impl Text for Rows {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.write_header(out)?;
        let mut columns = value::cells(batch, &self.options)?;
        let mut line = Vec::new();
        let mut cell = Vec::new();
        for row in 0..batch.num_rows() {
            line.clear();
            for (index, column) in columns.iter_mut().enumerate() {
                if index > 0 {
                    line.push(self.dialect.delimiter);
                }
                if column.is_null(row) {
                    line.extend_from_slice(&self.dialect.null);
                    continue;
                }
                cell.clear();
                column.write(row, &mut cell);
                self.dialect.push_field(&mut line, &cell);
            }
            line.push(b'\n');
            out.write_all(&line)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.write_header(out)
    }
}

impl Dialect {
    fn push_field(&self, line: &mut Vec<u8>, field: &[u8]) {
        let is_special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r') || *byte == self.delimiter;
        if !field.is_empty() && field != self.null && !field.iter().any(is_special) {
            line.extend_from_slice(field);
            return;
        }
        line.push(b'"');
        for byte in field {
            if *byte == b'"' {
                line.push(b'"');
            }
            line.push(*byte);
        }
        line.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::StringArray;

    use super::*;
    use crate::sink::test_batches;

    fn written(dialect: Dialect, batch: &RecordBatch) -> String {
        let mut rows = Rows::new(batch.schema_ref(), dialect);
        let mut out = Vec::new();
        rows.write(batch, &mut out).unwrap();
        rows.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_looks_like_null_is_put_in_quotes() {
        let text = StringArray::from(vec![None, Some(""), Some("NA"), Some("NA "), Some("a;b"), Some("a,b")]);
        let batch = test_batches::batch("t;", Arc::new(text));
        let null = |null: &str| Dialect { null: null.as_bytes().to_vec(), ..Dialect::default() };
        assert_eq!(written(null("NA"), &batch), "t;\nNA\n\"\"\n\"NA\"\nNA \na;b\n\"a,b\"\n");
        assert_eq!(written(null(""), &batch), "t;\n\n\"\"\nNA\nNA \na;b\n\"a,b\"\n");
        let dialect = Dialect { has_header: false, delimiter: b';', ..Dialect::default() };
        assert_eq!(written(dialect, &batch), "\n\"\"\nNA\nNA \n\"a;b\"\na,b\n");
    }

    #[test]
    fn one_character_stands_between() {
        let cases = [",", ";", "|", "\t", r"\t", " ", "\"", "\n", "\r", "", ";;", "é"].map(delimiter);
        let byte = |it: u8| Some(it);
        let tab = byte(b'\t');
        let wanted = [byte(b','), byte(b';'), byte(b'|'), tab, tab, byte(b' ')];
        assert_eq!(cases[..6], wanted);
        assert_eq!(cases[6..], [None; 6]);
    }
}
