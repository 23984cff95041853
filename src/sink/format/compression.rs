//! Compression of text files: none, gzip or zstd.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use crate::sink::destination::Destination;

const BUFFER: usize = 256 << 10;

/// How a text file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// As gzip does; such a file is called `….gz`.
    Gzip,
    /// As zstd does; such a file is called `….zst`.
    Zstd,
}

impl Compression {
    /// The compression that a file's name tells.
    pub(crate) fn of_name(path: &str) -> Option<Self> {
        let extension = Path::new(path).extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// As the pipeline spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What the names of such files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}

/// Compresses what is written on its way to a destination.
pub(crate) enum Compressor {
    None(BufWriter<Destination>),
    Gzip(BufWriter<GzEncoder<Destination>>),
    Zstd(BufWriter<zstd::stream::write::Encoder<'static, Destination>>),
}

impl Compressor {
    pub(crate) fn new(destination: Destination, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(BufWriter::with_capacity(BUFFER, destination)),
            Compression::Gzip => {
                let encoder = GzEncoder::new(destination, flate2::Compression::default());
                Self::Gzip(BufWriter::with_capacity(BUFFER, encoder))
            }
            Compression::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(destination, 0)?;
                encoder.include_checksum(true)?;
                Self::Zstd(BufWriter::with_capacity(BUFFER, encoder))
            }
        })
    }

    /// Ends the compressed stream.
    pub(crate) fn finish(self) -> io::Result<Destination> {
        match self {
            Self::None(out) => Ok(out.into_inner()?),
            Self::Gzip(out) => out.into_inner()?.finish(),
            Self::Zstd(out) => out.into_inner()?.finish(),
        }
    }
}

impl Write for Compressor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::None(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::None(out) => out.flush(),
            Self::Gzip(out) => out.flush(),
            Self::Zstd(out) => out.flush(),
        }
    }
}
