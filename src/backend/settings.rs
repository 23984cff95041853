//! What a session is set to, and what its engine's own settings say of it.

use crate::connect::{ARROW_CODEC, Features};
use crate::dialect::{Dialect, Implementation, LocalRows};
use crate::record::Notice;
use crate::secret::Plain;

/// The settings of a session, in their order, and what the user should know of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SessionSettings {
    pub(super) pairs: Vec<(String, Plain)>,
    pub(super) notice: Option<Notice>,
}

impl SessionSettings {
    /// The settings, for the engine to which they go.
    pub(super) fn exposed(&self) -> Vec<(String, String)> {
        self.pairs.iter().map(|(key, value)| (key.clone(), value.expose().to_owned())).collect()
    }
}

/// How far the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distance {
    /// On this machine: compressing costs more than it saves.
    Here,
    There,
}

/// The settings that engines do not agree on, then the user's own.
pub(super) fn settings(
    dialect: &Dialect,
    distance: Distance,
    features: &Features,
    conf: &[(String, Plain)],
) -> SessionSettings {
    let own = dialect.settings().into_iter().map(|(key, value)| (key.to_owned(), Plain::from(value)));
    let mut pairs: Vec<_> = own.chain(conf.iter().cloned()).collect();
    let mut notice = None;
    let codec = features.arrow_codec.as_deref().filter(|_| dialect.implementation() == Implementation::Spark);
    let is_said = conf.iter().any(|(key, _)| key == ARROW_CODEC);
    let better = match (codec, distance) {
        (Some("lz4"), Distance::Here) => Some("none"),
        (Some("lz4"), Distance::There) => Some("zstd"),
        (Some("none"), Distance::There) if !is_said => Some("zstd"),
        _ => None,
    };
    if let Some(better) = better {
        pairs.retain(|(key, _)| key != ARROW_CODEC);
        pairs.push((ARROW_CODEC.to_owned(), better.into()));
        if codec == Some("lz4") {
            notice = Some(Notice::CompressionReplaced {
                setting: ARROW_CODEC.to_owned(),
                asked: "lz4".to_owned(),
                used: better.to_owned(),
                engine: dialect.to_string(),
            });
        }
    }
    SessionSettings { pairs, notice }
}

/// How rows travel to an engine that says what it offers.
pub(super) fn local_rows(implementation: Implementation, features: &Features) -> LocalRows {
    match (implementation, features.cached_from, features.chunks) {
        (Implementation::Sail, _, _) | (Implementation::Spark, None, _) => LocalRows::Inline,
        (Implementation::Spark, Some(from), None) => LocalRows::Cached { from },
        (Implementation::Spark, Some(from), Some(chunks)) => LocalRows::Chunked {
            from,
            rows: chunks.rows,
            bytes: chunks.bytes,
            in_all: chunks.in_all.unwrap_or(u64::MAX),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(
        dialect: &Dialect,
        distance: Distance,
        known: Option<&str>,
        said: Option<&str>,
    ) -> (String, usize) {
        let conf: Vec<_> = said.map(|codec| (ARROW_CODEC.to_owned(), codec.into())).into_iter().collect();
        // What the user says is known as the server's own word, as far as the server knows the setting.
        let arrow_codec = known.map(|known| said.unwrap_or(known).to_owned());
        let features = Features { arrow_codec, ..Features::default() };
        let SessionSettings { pairs, notice } = settings(dialect, distance, &features, &conf);
        let set: Vec<_> = pairs.into_iter().filter(|(key, _)| key == ARROW_CODEC).collect();
        assert!(set.len() <= 1, "{set:?}");
        (set.iter().map(|(_, codec)| codec.shown()).collect(), usize::from(notice.is_some()))
    }

    #[test]
    fn results_are_compressed_where_that_pays() {
        use Distance::{Here, There};
        let spark = Dialect::spark();
        for (distance, known, said, set, notes) in [
            (There, Some("none"), None, "zstd", 0),
            (There, Some("zstd"), None, "", 0),
            (There, Some("none"), Some("none"), "none", 0),
            (There, Some("none"), Some("zstd"), "zstd", 0),
            (There, Some("none"), Some("lz4"), "zstd", 1),
            (There, Some("lz4"), None, "zstd", 1),
            (There, Some("lz4"), Some("none"), "none", 0),
            (There, None, None, "", 0),
            (Here, Some("none"), None, "", 0),
            (Here, Some("none"), Some("zstd"), "zstd", 0),
            (Here, Some("none"), Some("lz4"), "none", 1),
            (Here, Some("lz4"), None, "none", 1),
            (Here, None, Some("zstd"), "zstd", 0),
        ] {
            let found = codec(&spark, distance, known, said);
            assert_eq!(found, (set.to_owned(), notes), "{distance:?} {known:?} {said:?}");
        }
        for said in [None, Some("lz4")] {
            let found = codec(&Dialect::sail(), There, Some("none"), said);
            assert_eq!(found, (said.unwrap_or_default().to_owned(), 0));
        }
    }

    #[test]
    fn rows_travel_as_the_server_offers() {
        let features = |cached_from| Features { cached_from, ..Features::default() };
        let spark = Implementation::Spark;
        assert_eq!(local_rows(spark, &features(None)), LocalRows::Inline);
        assert_eq!(local_rows(spark, &features(Some(7))), LocalRows::Cached { from: 7 });
        assert_eq!(local_rows(Implementation::Sail, &features(Some(7))), LocalRows::Inline);
    }
}
