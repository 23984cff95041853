//! How the kinds of output are written in the file.

use schemars::{JsonSchema as _, Schema, SchemaGenerator};

use super::Sink;
use super::format::arrow::Arrow;
use super::format::csv::Csv;
use super::format::ndjson::Ndjson;
use super::format::parquet::Parquet;
use super::stdout::Stdout;
use crate::lowering::Checking;
use crate::shape::{Decoder, Short, Shorthand};

/// The name of settings whose path nearly always stands alone.
const PATH: &str = "$pipectl::short:path";

impl Shorthand for Parquet {
    const NAME: &'static str = PATH;
}

impl Shorthand for Csv {
    const NAME: &'static str = PATH;
}

impl Shorthand for Ndjson {
    const NAME: &'static str = PATH;
}

impl Shorthand for Arrow {
    const NAME: &'static str = PATH;
}

impl Shorthand for Stdout {
    const NAME: &'static str = "$pipectl::short:format";
}

impl Sink {
    /// The keys, as the file writes them.
    pub(crate) const KEYS: &[&str] = &["parquet", "csv", "ndjson", "arrow", "stdout"];

    /// The kind of a key, its settings from `decoder`; nothing where the key is unknown.
    pub(crate) fn decode(key: &str, decoder: impl Decoder) -> Option<Option<Self>> {
        match key {
            "parquet" => Some(decoder.settings::<Short<Parquet>>().map(|settings| Self::Parquet(settings.0))),
            "csv" => Some(decoder.settings::<Short<Csv>>().map(|settings| Self::Csv(settings.0))),
            "ndjson" => Some(decoder.settings::<Short<Ndjson>>().map(|settings| Self::Ndjson(settings.0))),
            "arrow" => Some(decoder.settings::<Short<Arrow>>().map(|settings| Self::Arrow(settings.0))),
            "stdout" => Some(decoder.settings::<Short<Stdout>>().map(|settings| Self::Stdout(settings.0))),
            _ => None,
        }
    }

    /// The key that it is written with.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Self::Parquet(_) => "parquet",
            Self::Csv(_) => "csv",
            Self::Ndjson(_) => "ndjson",
            Self::Arrow(_) => "arrow",
            Self::Stdout(_) => "stdout",
        }
    }

    /// The JSON Schema of each kind's settings.
    pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        vec![
            ("parquet", Short::<Parquet>::json_schema(generator)),
            ("csv", Short::<Csv>::json_schema(generator)),
            ("ndjson", Short::<Ndjson>::json_schema(generator)),
            ("arrow", Short::<Arrow>::json_schema(generator)),
            ("stdout", Short::<Stdout>::json_schema(generator)),
        ]
    }

    /// What is wrong with its settings.
    pub(crate) fn check(&self, checking: &mut Checking<'_>) {
        let Some(file) = self.file() else { return };
        file.layout().check(file.refuses_more(), checking);
        file.check(checking);
    }
}
