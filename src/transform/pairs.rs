//! Pairs of values, as a mapping, or as a list of mappings where one of them can't be a key.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, de};

/// One of several pairs, as an item of a list.
pub(super) trait Pair: for<'de> Deserialize<'de> + JsonSchema {
    /// What stands as the key in a mapping.
    type Key: for<'de> Deserialize<'de>;
    type Value: for<'de> Deserialize<'de> + JsonSchema;
    /// How people are told to write them.
    const WRITTEN: &'static str;

    fn new(key: Self::Key, value: Self::Value) -> Self;
}

/// Pairs, in the order of the file.
#[derive(Debug, Clone)]
pub(super) struct Pairs<P>(pub(super) Vec<P>);

impl<'de, P: Pair> Deserialize<'de> for Pairs<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<P>(PhantomData<P>);
        impl<'de, P: Pair> Visitor<'de> for Either<P> {
            type Value = Vec<P>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(P::WRITTEN)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = map.next_entry()? {
                    pairs.push(P::new(key, value));
                }
                Ok(pairs)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = items.next_element()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Err(E::custom(format!("expected {}, found `{text}`", P::WRITTEN)))
            }
        }
        deserializer.deserialize_any(Either(PhantomData)).map(Self)
    }
}

impl<P: Pair> JsonSchema for Pairs<P> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Pairs_{}", P::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<P::Value>();
        let item = P::json_schema(generator);
        json_schema!({ "anyOf": [
            { "type": "object", "additionalProperties": value, "minProperties": 1 },
            { "type": "array", "items": item, "minItems": 1 },
        ] })
    }
}
