//! Arrow IPC: the columns as they came, in a file that can be read from anywhere, or as a stream.
//!
//! Nothing is converted. Only the names of time zones become such as every reader knows.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::ArrowError;
use arrow_schema::{Schema, SchemaRef};

use super::columns::{Limits, Shape};
use super::file::{Encoder, File, Layout};
use super::stored_type::{self, Form};
use super::text::Text;
use super::text_file::failed;
use crate::expr::Template;
use crate::lowering::Checking;
use crate::shape::Many;
use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::sink::mode::Mode;
use crate::sink::refusal::Refusal;
use crate::text::Spanned;

const BUFFER: usize = 256 << 10;

const LIMITS: Limits = Limits { format: "Arrow", shape: Shape::Any, lacks: |_| None };

/// Writes Arrow IPC files, which hold every type as it is.
///
/// Columns of one name are allowed. In short: `arrow: out/people.arrow`.
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
///       - arrow: { path: out/people.arrow, compression: lz4 }
///       - stdout
/// ```
///
/// ```text
/// name |  age
/// -----+-----
/// Ann  |   34
/// Bob  |   12
/// Cem  | NULL
/// ```
///
/// ```files
/// out/people.arrow
/// ```
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Arrow {
    /// The file, or the folder. A relative path starts at the pipeline file's folder; missing folders are made. Objects of
    /// a store are `s3://bucket/key`, `gs://bucket/key` or `az://container/key`.
    path: Template,
    /// What happens to a file or folder that is there already. Rows can be added to a folder only.
    #[serde(default)]
    #[schemars(extend("default" = "overwrite"))]
    mode: Mode,
    /// Which of the two formats of Arrow IPC is written.
    #[serde(default)]
    #[schemars(extend("default" = "file"))]
    format: Format,
    /// How the columns are compressed.
    #[serde(default)]
    #[schemars(extend("default" = "none"))]
    compression: Compression,
    /// Writes a folder, in it a folder for each value: `day=2026-01-31/part-00000.arrow`. These columns are not in
    /// the files.
    partition_by: Option<Many<Spanned<String>>>,
    /// Writes a folder with files of so many rows at most.
    #[schemars(extend("minimum" = 1))]
    max_rows_per_file: Option<Spanned<u64>>,
}

/// A format of Arrow IPC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// Can be read from anywhere; also known as Feather.
    #[default]
    File,
    /// Can be read from its beginning on.
    Stream,
}

/// How columns are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Well.
    Zstd,
    /// Fast.
    Lz4,
}

impl Arrow {
    fn options(&self) -> Result<IpcWriteOptions, ArrowError> {
        IpcWriteOptions::default().try_with_compression(match self.compression {
            Compression::None => None,
            Compression::Zstd => Some(CompressionType::ZSTD),
            Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
        })
    }
}

impl File for Arrow {
    fn layout(&self) -> Layout<'_> {
        Layout {
            path: &self.path,
            mode: self.mode,
            partition_by: self.partition_by.as_deref().unwrap_or_default(),
            max_rows_per_file: self.max_rows_per_file.as_ref(),
        }
    }

    fn check(&self, _checking: &mut Checking<'_>) {}

    fn extension(&self) -> String {
        match self.format {
            Format::File => "arrow".to_owned(),
            Format::Stream => "arrows".to_owned(),
        }
    }

    fn refuse(&self, schema: &Schema) -> Vec<Refusal> {
        LIMITS.refuse(schema)
    }

    fn encoder(
        &self,
        destination: Destination,
        schema: &SchemaRef,
        _beside: usize,
    ) -> Result<Box<dyn Encoder>, Error> {
        let name = destination.name().to_path_buf();
        let schema = Arc::new(stored_type::schema(schema, Form::Arrow));
        let out = BufWriter::with_capacity(BUFFER, destination);
        let writer = self.options().and_then(|options| {
            Ok(match self.format {
                Format::File => Ipc::File(FileWriter::try_new_with_options(out, &schema, options)?),
                Format::Stream => Ipc::Stream(StreamWriter::try_new_with_options(out, &schema, options)?),
            })
        });
        let writer = writer.map_err(|error| failed(&name, LIMITS.format, error))?;
        Ok(Box::new(ArrowFile { writer, schema, name }))
    }

    fn refuses_more(&self) -> Option<&'static str> {
        Some("an Arrow file is complete, and takes no further rows")
    }
}

/// Writes one file.
struct ArrowFile {
    writer: Ipc,
    schema: SchemaRef,
    /// For messages.
    name: PathBuf,
}

enum Ipc {
    File(FileWriter<BufWriter<Destination>>),
    Stream(StreamWriter<BufWriter<Destination>>),
}

impl Encoder for ArrowFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let written = stored_type::batch(batch, &self.schema).and_then(|batch| match &mut self.writer {
            Ipc::File(writer) => writer.write(&batch),
            Ipc::Stream(writer) => writer.write(&batch),
        });
        written.map_err(|error| failed(&self.name, LIMITS.format, error))
    }

    fn finish(self: Box<Self>) -> Result<Destination, Error> {
        let out = match self.writer {
            Ipc::File(writer) => writer.into_inner(),
            Ipc::Stream(writer) => writer.into_inner(),
        };
        let out = out.map_err(|error| failed(&self.name, LIMITS.format, error))?;
        out.into_inner().map_err(|error| Error::file("write", &self.name, error.into_error()))
    }
}

/// The rows as a stream on stdout.
pub(crate) struct Stream {
    schema: SchemaRef,
    writer: StreamWriter<Vec<u8>>,
}

impl Stream {
    pub(crate) fn new(schema: &SchemaRef) -> Result<Self, ArrowError> {
        let schema = Arc::new(stored_type::schema(schema, Form::Arrow));
        let writer = StreamWriter::try_new(Vec::new(), &schema)?;
        Ok(Self { schema, writer })
    }

    fn pass_on(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        let bytes = std::mem::take(self.writer.get_mut());
        Ok(out.write_all(&bytes)?)
    }
}

impl Text for Stream {
    fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.writer.write(&stored_type::batch(batch, &self.schema)?)?;
        self.pass_on(out)
    }

    fn finish(&mut self, out: &mut dyn Write) -> Result<(), ArrowError> {
        self.writer.finish()?;
        self.pass_on(out)
    }
}
