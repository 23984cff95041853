//! Owns the kinds of expectation: what must hold for every row of a step before anything is made of it.

mod not_null;
mod that;

use std::fmt::Debug;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::expr::Expr;
use crate::lowering::{Checking, Lowering};
use crate::shape::Decoder;
use crate::text::{Span, Spanned};

/// What happens where rows do not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFail {
    /// The step fails, and nothing that needs it is done.
    #[default]
    Fail,
    /// It is reported, and the run goes on.
    Warn,
}

/// A condition, true for the rows that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// What was expected, for the report.
    pub(crate) expected: String,
    /// SQL, for one engine.
    pub(crate) condition: String,
}

/// The questions that every kind of expectation answers.
pub(crate) trait Kind: Debug {
    /// What is wrong with its settings.
    fn check(&self, checking: &mut Checking<'_>);

    fn expressions(&self) -> Vec<&Expr> {
        Vec::new()
    }

    /// Columns that it names by themselves.
    fn columns_needed(&self) -> Vec<&Spanned<String>> {
        Vec::new()
    }

    /// What makes a row wrong; one or more.
    fn violations(&self, lowering: &Lowering<'_>) -> Vec<Violation>;
}

/// The closed list of kinds: the key in the file and the settings.
macro_rules! checks {
    ($($key:literal => $variant:ident($settings:path),)+) => {
        #[derive(Debug, Clone)]
        pub(crate) enum Check { $($variant($settings),)+ }

        impl Check {
            /// The keys, as the file writes them.
            pub(crate) const KEYS: &[&str] = &[$($key,)+];

            /// The kind of a key, its settings from `decoder`; nothing where the key is unknown.
            pub(crate) fn decode(key: &str, decoder: impl Decoder) -> Option<Option<Self>> {
                match key {
                    $($key => Some(decoder.settings::<$settings>().map(Self::$variant)),)+
                    _ => None,
                }
            }

            /// The JSON Schema of each kind's settings.
            pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
                vec![$(($key, <$settings>::json_schema(generator)),)+]
            }

            pub(crate) fn kind(&self) -> &dyn Kind {
                match self { $(Self::$variant(settings) => settings,)+ }
            }
        }
    };
}

checks! {
    "not_null" => NotNull(not_null::NotNull),
    "that" => That(that::That),
}

impl Check {
    /// Kinds of the format that this version does not carry out.
    pub(crate) const PLANNED: &[&str] = &["unique", "accepted_values", "between", "row_count", "references"];
}

/// One expectation of a step.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) check: Check,
    pub(crate) on_fail: OnFail,
    pub(crate) span: Span,
}
