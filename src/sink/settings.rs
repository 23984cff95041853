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

/// Makes all that follows from the list of outputs, so that no part of it can be forgotten for one of them.
macro_rules! outputs {
    ($($key:literal => $kind:ident,)+) => {
        impl Sink {
            /// The keys, as the file writes them.
            pub(crate) const KEYS: &[&str] = &[$($key,)+];

            /// The kind of a key, its settings from `decoder`; nothing where the key is unknown.
            pub(crate) fn decode(key: &str, decoder: impl Decoder) -> Option<Option<Self>> {
                match key {
                    $($key => Some(decoder.settings::<Short<$kind>>().map(|settings| Self::$kind(settings.0))),)+
                    _ => None,
                }
            }

            /// The key that it is written with.
            pub(crate) fn key(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $key,)+
                }
            }

            /// The JSON Schema of each kind's settings.
            pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($key, Short::<$kind>::json_schema(generator)),)+]
            }
        }
    };
}

outputs! {
    "parquet" => Parquet,
    "csv" => Csv,
    "ndjson" => Ndjson,
    "arrow" => Arrow,
    "stdout" => Stdout,
}

impl Sink {
    /// What is wrong with its settings.
    pub(crate) fn check(&self, checking: &mut Checking<'_>) {
        let Some(file) = self.file() else { return };
        file.layout().check(file.refuses_more(), checking);
        file.check(checking);
    }
}
