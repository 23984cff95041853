//! What a server offers, by its own settings, asked for in one call.
//!
//! A setting that the server does not know is a feature that it does not have. That says more than a version: vendors bring
//! features to older versions and turn them off in newer ones.

use std::collections::BTreeMap;

const COMPRESSION_FROM: &str = "spark.connect.session.planCompression.threshold";
const COMPRESSION: &str = "spark.connect.session.planCompression.defaultAlgorithm";
const LARGEST_PLAN: &str = "spark.connect.maxPlanSize";
const LARGEST_MESSAGE: &str = "spark.connect.grpc.maxInboundMessageSize";
const CACHED_FROM: &str = "spark.sql.session.localRelationCacheThreshold";
const CHUNK_ROWS: &str = "spark.sql.session.localRelationChunkSizeRows";
const CHUNK_BYTES: &str = "spark.sql.session.localRelationChunkSizeBytes";
const LARGEST_CHUNK: &str = "spark.sql.session.localRelationChunkSizeLimit";
const MOST_ROWS: &str = "spark.sql.session.localRelationSizeLimit";
/// The setting that says how Spark compresses the rows of results.
pub(crate) const ARROW_CODEC: &str = "spark.sql.execution.arrow.compression.codec";

pub(crate) const KEYS: [&str; 10] = [
    COMPRESSION_FROM,
    COMPRESSION,
    LARGEST_PLAN,
    LARGEST_MESSAGE,
    CACHED_FROM,
    CHUNK_ROWS,
    CHUNK_BYTES,
    LARGEST_CHUNK,
    MOST_ROWS,
    ARROW_CODEC,
];

/// What a server has; nothing where it lacks it or does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Features {
    /// Plans of more bytes than this may be sent compressed.
    pub(crate) compressed_from: Option<u64>,
    /// Bytes of the largest plan, before it is compressed.
    pub(crate) largest_plan: Option<u64>,
    /// Bytes of the largest message that it takes.
    pub(crate) largest_message: Option<u64>,
    /// Rows of so many bytes may be sent apart from plans, once a session.
    pub(crate) cached_from: Option<u64>,
    /// And that in chunks.
    pub(crate) chunks: Option<Chunks>,
    /// How the rows of results are compressed.
    pub(crate) arrow_codec: Option<String>,
    /// What it answers to what else it was asked.
    pub(crate) further: BTreeMap<String, String>,
}

/// How large the chunks may be in which rows are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Bytes of all chunks of one relation.
    pub(crate) in_all: Option<u64>,
}

impl Features {
    /// Reads settings; what can't be read is not there.
    pub(crate) fn read(mut settings: BTreeMap<String, String>) -> Self {
        let bytes = |key: &str| settings.get(key).and_then(|text| bytes(text));
        let is_zstd =
            settings.get(COMPRESSION).is_some_and(|algorithm| algorithm.eq_ignore_ascii_case("zstd"));
        let chunk_bytes = bytes(CHUNK_BYTES).filter(|bytes| *bytes > 0);
        let largest_chunk = bytes(LARGEST_CHUNK).filter(|bytes| *bytes > 0).unwrap_or(u64::MAX);
        let chunks =
            bytes(CHUNK_ROWS).filter(|rows| *rows > 0).zip(chunk_bytes).map(|(rows, bytes)| Chunks {
                rows,
                bytes: bytes.min(largest_chunk),
                in_all: settings.get(MOST_ROWS).and_then(|text| self::bytes(text)),
            });
        let features = Self {
            compressed_from: bytes(COMPRESSION_FROM).filter(|_| is_zstd),
            largest_plan: bytes(LARGEST_PLAN),
            largest_message: bytes(LARGEST_MESSAGE).filter(|bytes| *bytes > 0),
            cached_from: bytes(CACHED_FROM),
            chunks,
            arrow_codec: settings.get(ARROW_CODEC).map(|codec| codec.to_ascii_lowercase()),
            further: BTreeMap::new(),
        };
        settings.retain(|key, _| !KEYS.contains(&key.as_str()));
        Self { further: settings, ..features }
    }

    /// The answer about a setting that was asked for besides.
    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        self.further.get(key).map(String::as_str)
    }
}

/// A size as servers write it: `10485760`, `120795955b`, `3GB`, `2000MB`, `1g`. One below zero is none.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Chunks, Features, bytes};

    fn features(settings: &[(&str, &str)]) -> Features {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Features::read(settings.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn sizes_come_in_many_shapes() {
        for (text, expected) in [
            ("10485760", Some(10_485_760)),
            ("120795955b", Some(120_795_955)),
            ("3GB", Some(3 << 30)),
            ("2000MB", Some(2000 << 20)),
            ("1g", Some(1 << 30)),
            (" 64 KiB ", Some(64 << 10)),
            ("0", Some(0)),
            ("-1", None),
            ("", None),
            ("many", None),
            ("1.5g", None),
            ("12 apples", None),
            ("99999999999999999999", None),
            ("99999999999999p", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    /// As Spark 4.3, Spark 4.0 and Sail answer.
    #[test]
    fn what_is_not_known_is_not_there() {
        let newest = features(&[
            ("spark.connect.session.planCompression.threshold", "10485760"),
            ("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD"),
            ("spark.connect.maxPlanSize", "536870912b"),
            ("spark.connect.grpc.maxInboundMessageSize", "134217728b"),
            ("spark.sql.session.localRelationCacheThreshold", "1048576"),
            ("spark.sql.session.localRelationSizeLimit", "3221225472"),
            ("spark.sql.session.localRelationChunkSizeRows", "10000"),
            ("spark.sql.session.localRelationChunkSizeBytes", "16777216"),
            ("spark.sql.session.localRelationChunkSizeLimit", "2097152000b"),
            ("spark.sql.execution.arrow.compression.codec", "none"),
            ("spark.sql.shuffle.partitions", "8"),
        ]);
        let chunks = Chunks { rows: 10_000, bytes: 16 << 20, in_all: Some(3 << 30) };
        assert_eq!((newest.compressed_from, newest.chunks), (Some(10 << 20), Some(chunks)));
        assert_eq!((newest.largest_message, newest.cached_from), (Some(128 << 20), Some(1 << 20)));
        assert_eq!((newest.largest_plan, newest.arrow_codec.as_deref()), (Some(512 << 20), Some("none")));
        assert_eq!(newest.setting("spark.sql.shuffle.partitions"), Some("8"));

        let old = features(&[
            ("spark.connect.grpc.maxInboundMessageSize", "134217728b"),
            ("spark.sql.session.localRelationCacheThreshold", "67108864"),
        ]);
        let known = (old.largest_message, old.cached_from);
        assert_eq!(known, (Some(128 << 20), Some(64 << 20)));
        let rest = Features { largest_message: None, cached_from: None, ..old };
        assert_eq!(rest, Features::default());

        let sail = features(&[
            ("spark.connect.session.planCompression.threshold", "-1"),
            ("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD"),
        ]);
        assert_eq!(sail, Features::default());
    }

    #[test]
    fn plans_are_compressed_as_the_server_says_or_not_at_all() {
        let threshold = ("spark.connect.session.planCompression.threshold", "5");
        let algorithm = "spark.connect.session.planCompression.defaultAlgorithm";
        for (settings, from) in [
            (vec![threshold, (algorithm, "ZSTD")], Some(5)),
            (vec![threshold, (algorithm, "zstd")], Some(5)),
            (vec![threshold, (algorithm, "NONE")], None),
            (vec![threshold], None),
            (vec![(algorithm, "ZSTD")], None),
        ] {
            assert_eq!(features(&settings).compressed_from, from, "{settings:?}");
        }
    }

    #[test]
    fn no_chunk_is_larger_than_the_server_takes() {
        let found = features(&[
            ("spark.sql.session.localRelationChunkSizeRows", "10"),
            ("spark.sql.session.localRelationChunkSizeBytes", "1000"),
            ("spark.sql.session.localRelationChunkSizeLimit", "400"),
        ]);
        assert_eq!(found.chunks, Some(Chunks { rows: 10, bytes: 400, in_all: None }));
    }
}
