//! NDJSON: one JSON object a line, `\n` after each, nulls explicit. How values look is [`super::value`]'s.

use std::io::Write;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_json::WriterBuilder;
use arrow_json::writer::LineDelimited;
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};

use super::append::AppendFile;
use super::columns::{Limits, Shape, union, variant};
use super::compression::Compression;
use super::file::{Encoder, File, Layout};
use super::text::Text;
use super::text_file::{TextFile, check_compression, compression};
use super::value::Values;
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
    format: "NDJSON",
    shape: Shape::DistinctNames,
    lacks: |field| variant(field).or_else(|| union(field)),
};

/// Writes one JSON object a line.
///
/// UTF-8, a line break (`\n`) after each object. Every column is in every object, NULL as `null`. Integers and
/// decimals are numbers with all their digits, so read decimals as such; a double that is not a number is
/// `"NaN"`, `"Infinity"` or `"-Infinity"`; dates and times are ISO 8601, with the session's offset for TIMESTAMP;
/// binary is hexadecimal; a map is an object, with keys as text. In short: `ndjson: out/people.ndjson`.
///
/// ```yaml
/// version: 1
/// steps:
///   prices:
///     values:
///       columns: { item: string, price: "decimal(6,2)", since: date }
///       rows:
///         - [tea, 2.5, 2026-01-31]
///         - [milk, null, null]
///     write:
///       ndjson: out/prices.ndjson
/// ```
///
/// ```json out/prices.ndjson
/// {"item":"tea","price":2.50,"since":"2026-01-31"}
/// {"item":"milk","price":null,"since":null}
/// ```
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Ndjson {
    /// The file, or the folder. A relative path starts at the pipeline file's folder; missing folders are made. Objects of
    /// a store are `s3://bucket/key`, `gs://bucket/key` or `az://container/key`.
    path: Template,
    /// What happens to a file or folder that is there already.
    #[serde(default)]
    #[schemars(extend("default" = "overwrite"))]
    mode: Mode,
    /// How it is compressed; where not given, the end of the path says it (`.gz`, `.zst`).
    compression: Option<Spanned<Compression>>,
    /// Writes a folder, in it a folder for each value: `day=2026-01-31/part-00000.ndjson`. These columns are not
    /// in the files.
    partition_by: Option<Many<Spanned<String>>>,
    /// Writes a folder with files of so many rows at most.
    #[schemars(extend("minimum" = 1))]
    max_rows_per_file: Option<Spanned<u64>>,
}

impl Ndjson {
    fn compression(&self) -> Compression {
        compression(self.compression.as_ref(), self.layout())
    }
}

impl File for Ndjson {
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
    }

    fn extension(&self) -> String {
        format!("ndjson{}", self.compression().extension())
    }

    fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        refuse(schema)
    }

    fn encoder(
        &self,
        destination: Destination,
        _schema: &SchemaRef,
        _beside: usize,
    ) -> Result<Box<dyn Encoder>, Error> {
        Ok(Box::new(TextFile::new(destination, Box::new(Rows), LIMITS.format, self.compression())?))
    }

    fn append(
        &self,
        location: &Location,
        _schema: &SchemaRef,
        site: &Site<'_>,
    ) -> Result<Box<dyn Encoder>, Error> {
        let AppendFile { destination, .. } = AppendFile::open(location, b"", site)?;
        Ok(Box::new(TextFile::new(destination, Box::new(Rows), LIMITS.format, Compression::None)?))
    }

    fn refuses_more(&self) -> Option<&'static str> {
        (self.compression() != Compression::None).then_some("rows are added to files that are not compressed")
    }
}

/// Everything about these columns that NDJSON cannot hold.
pub(crate) fn refuse(schema: &Schema) -> Vec<Refusal> {
    LIMITS.refuse(schema)
}

/// Writes rows as NDJSON.
pub(crate) struct Rows;

impl Text for Rows {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        // The stream has no beginning and no end, so a writer of its own for each batch changes nothing.
        WriterBuilder::new()
            .with_explicit_nulls(true)
            .with_encoder_factory(Arc::new(Values))
            .build::<_, LineDelimited>(out)
            .write(batch)
    }

    fn finish(&mut self, _out: &mut dyn Write) -> Result<(), ArrowError> {
        Ok(())
    }
}
