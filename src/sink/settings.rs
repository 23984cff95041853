//! How the kinds of output are written in the file.

use schemars::{JsonSchema as _, Schema, SchemaGenerator};

use super::{Parquet, Sink, Stdout};
use crate::lowering::Checking;
use crate::shape::{Decoder, Short, Shorthand};

impl Shorthand for Parquet {
    const NAME: &'static str = "$pipectl::short:path";
}

impl Shorthand for Stdout {
    const NAME: &'static str = "$pipectl::short:format";
}

impl Sink {
    /// The keys, as the file writes them.
    pub(crate) const KEYS: &[&str] = &["parquet", "stdout"];
    /// Kinds of the format that this version does not carry out.
    pub(crate) const PLANNED: &[&str] = &["csv", "ndjson", "arrow"];

    /// The kind of a key, its settings from `decoder`; nothing where the key is unknown.
    pub(crate) fn decode(key: &str, decoder: impl Decoder) -> Option<Option<Self>> {
        match key {
            "parquet" => Some(decoder.settings::<Short<Parquet>>().map(|settings| Self::Parquet(settings.0))),
            "stdout" => Some(decoder.settings::<Short<Stdout>>().map(|settings| Self::Stdout(settings.0))),
            _ => None,
        }
    }

    /// The JSON Schema of each kind's settings.
    pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![
            ("parquet", Short::<Parquet>::json_schema(generator)),
            ("stdout", Short::<Stdout>::json_schema(generator)),
        ]
    }

    /// What is wrong with its settings.
    pub(crate) fn check(&self, checking: &mut Checking<'_>) {
        match self {
            Self::Parquet(parquet) => parquet.check(checking),
            Self::Stdout(_) => {}
        }
    }
}
