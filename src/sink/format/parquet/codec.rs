//! How the pages of a Parquet file are compressed, and what is kept about them.

use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::EnabledStatistics;

/// How pages are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Codec {
    /// Well and fast.
    #[default]
    Zstd,
    /// Fast; every reader knows it.
    Snappy,
    /// Slowly; every reader knows it.
    Gzip,
    /// Fastest.
    Lz4Raw,
    /// Not at all.
    None,
}

impl Codec {
    /// What the format calls it. A level that it does not have was refused before.
    pub(crate) fn with_level(self, level: Option<i32>) -> Compression {
        match self {
            Self::Zstd => Compression::ZSTD(ZstdLevel::try_new(level.unwrap_or(1)).unwrap_or_default()),
            Self::Gzip => {
                let level = level.and_then(|level| u32::try_from(level).ok());
                Compression::GZIP(level.and_then(|level| GzipLevel::try_new(level).ok()).unwrap_or_default())
            }
            Self::Snappy => Compression::SNAPPY,
            Self::Lz4Raw => Compression::LZ4_RAW,
            Self::None => Compression::UNCOMPRESSED,
        }
    }

    /// Why it has no such level, if it has none.
    pub(crate) fn refuses_level(self, level: i32) -> Option<String> {
        match self {
            Self::Zstd if !(1..=22).contains(&level) => Some("the levels of zstd are 1 to 22".to_owned()),
            Self::Gzip if !(0..=9).contains(&level) => Some("the levels of gzip are 0 to 9".to_owned()),
            Self::Zstd | Self::Gzip => None,
            Self::Snappy => Some("snappy has no levels".to_owned()),
            Self::Lz4Raw => Some("lz4_raw has no levels".to_owned()),
            Self::None => Some("without compression there is no level".to_owned()),
        }
    }
}

/// Of what the smallest and the largest value are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Statistics {
    /// Of nothing.
    None,
    /// Of each column of a row group.
    #[default]
    Chunk,
    /// Of each page too. They stay in memory until the file is complete.
    Page,
}

impl From<Statistics> for EnabledStatistics {
    fn from(statistics: Statistics) -> Self {
        match statistics {
            Statistics::None => Self::None,
            Statistics::Chunk => Self::Chunk,
            Statistics::Page => Self::Page,
        }
    }
}
