//! Owns the declaration of a variable, as it stands in the file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::shape::{Many, Shorthand};
use crate::text::Spanned;

/// A variable of the pipeline, `${name}` in its values. In short: `name: default`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub(in crate::spec) struct Declaration {
    /// A Spark SQL type that has a literal, `array<TYPE>`, or `identifier`; by the default's look where not given, else `string`.
    pub(super) r#type: Option<Spanned<TypeName>>,
    /// The value where none is given; without it the variable must be given. It may hold `${env:NAME}`, `${run.date - 1d}` and other
    /// variables.
    #[expect(dead_code, reason = "what is read is the node itself, which knows more")]
    default: Option<Many<Spanned<String>>>,
    /// The only values that it may have; those of a list's items.
    pub(super) allowed: Option<Spanned<Many<Spanned<String>>>>,
    /// The least value: of a number, a date, a timestamp, a time or an interval.
    pub(super) min: Option<Spanned<String>>,
    /// The greatest value: of a number, a date, a timestamp, a time or an interval.
    pub(super) max: Option<Spanned<String>>,
    /// A regular expression that has to match the whole text of a string or identifier: `[A-Z]{3}`.
    pub(super) pattern: Option<Spanned<String>>,
    /// What it is for.
    #[expect(dead_code, reason = "for readers of the file and of its schema")]
    description: Option<String>,
}

impl Shorthand for Declaration {
    const NAME: &'static str = "$pipectl::short:default";
}

/// The name of a type, which an editor completes.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct TypeName(pub(super) String);

impl JsonSchema for TypeName {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Type".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let plain = crate::expr::TYPE_NAMES.iter().filter(|name| !name.contains(['(', '<']));
        let names: Vec<String> = plain
            .flat_map(|name| match *name {
                "identifier" => vec![(*name).to_owned()],
                name => vec![name.to_owned(), format!("array<{name}>")],
            })
            .collect();
        json_schema!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^[A-Za-z]" }] })
    }
}
