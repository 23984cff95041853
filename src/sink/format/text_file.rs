//! A file of rows as text, compressed or not: what CSV and NDJSON have in common.

use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use super::compression::{Compression, Compressor};
use super::file::{Encoder, Layout};
use super::text::Text;
use crate::lowering::Checking;
use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::text::Spanned;

/// Writes rows as text into one file.
pub(crate) struct TextFile {
    out: Compressor,
    text: Box<dyn Text>,
    format: &'static str,
    /// For messages.
    name: PathBuf,
}

impl TextFile {
    pub(crate) fn new(
        destination: Destination,
        text: Box<dyn Text>,
        format: &'static str,
        compression: Compression,
    ) -> Result<Self, Error> {
        let name = destination.name().to_path_buf();
        let out = Compressor::new(destination, compression)
            .map_err(|source| Error::file("write", &name, source))?;
        Ok(Self { out, text, format, name })
    }
}

impl Encoder for TextFile {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.text.write(batch, &mut self.out).map_err(|error| failed(&self.name, self.format, error))
    }

    fn finish(mut self: Box<Self>) -> Result<Destination, Error> {
        self.text.finish(&mut self.out).map_err(|error| failed(&self.name, self.format, error))?;
        self.out.finish().map_err(|source| Error::file("write", &self.name, source))
    }
}

/// Tells a disk that fails from rows that cannot be encoded.
pub(crate) fn failed(name: &Path, format: &'static str, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, source) => Error::file("write", name, source),
        ArrowError::ExternalError(source) => match source.downcast::<io::Error>() {
            Ok(source) => Error::file("write", name, *source),
            Err(source) => Error::Encode { format, source },
        },
        other => Error::Encode { format, source: Box::new(other) },
    }
}

/// How a text file is compressed: as its settings say, else as the end of a single file's path does.
pub(crate) fn compression(own: Option<&Spanned<Compression>>, layout: Layout<'_>) -> Compression {
    let told = (!layout.is_folder()).then(|| Compression::of_name(&layout.path.plain())).flatten();
    own.map(|it| it.value).or(told).unwrap_or(Compression::None)
}

/// Reports a compression that the name of the file contradicts: readers go by the name.
pub(crate) fn check_compression(
    compression: Option<&Spanned<Compression>>,
    layout: Layout<'_>,
    checking: &mut Checking<'_>,
) {
    let Some(compression) = compression.filter(|_| !layout.is_folder()) else { return };
    let path = layout.path.plain();
    let Some(told) = Compression::of_name(&path).filter(|told| *told != compression.value) else { return };
    let message = format!(
        "readers take `{path}` for {}, and `compression` is {}",
        told.name(),
        compression.value.name()
    );
    checking.report(
        checking
            .needless("compression", message)
            .help("leave `compression` out: the end of the path says it"),
    );
}
