//! Owns the ways in which a setting may be written: one value where a list may stand, a short form of a mapping.
//!
//! Both are agreed with the decoder by name, and both say in the JSON Schema what they accept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, de};
use serde_json::Value;

use crate::text::Spanned;

/// The name under which a decoder recognises [`Many`].
pub(crate) const MANY: &str = "$pipectl::many";
/// What the names of [`Shorthand`]s begin with; the main key follows.
pub(crate) const SHORT: &str = "$pipectl::short:";

/// A list, or a single value that stands for a list of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Many<T>(Vec<T>);

impl<T> Deref for Many<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

#[cfg(test)]
impl<T> FromIterator<T> for Many<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(MANY, Wrapped(PhantomData::<Vec<T>>)).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Many_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item }] })
    }
}

/// Settings with one key that nearly always stands alone.
pub(crate) trait Shorthand {
    /// [`SHORT`] and the main key.
    const NAME: &'static str;
}

/// Settings, or the value of their main key alone: `limit: 10` for `limit: { rows: 10 }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Short<T>(pub(crate) T);

impl<'de, T: DeserializeOwned + Shorthand> Deserialize<'de> for Short<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(T::NAME, Wrapped(PhantomData::<T>)).map(Self)
    }
}

impl<T: JsonSchema + Shorthand> JsonSchema for Short<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Short_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut long = T::json_schema(generator);
        let description = long.remove("description");
        let key = T::NAME.trim_start_matches(SHORT);
        let short = long.get("properties").and_then(|properties| properties.get(key)).cloned();
        let mut short = short.unwrap_or_default();
        without_null(&mut short);
        let mut schema = json_schema!({ "anyOf": [short, long] });
        if let Some(description) = description {
            schema.insert("description".to_owned(), description);
        }
        schema
    }
}

/// Takes `null` away from what a schema lets stand.
pub(crate) fn without_null(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    if let Some(Value::Array(names)) = object.get_mut("type") {
        // What holds other things may be empty, its parts a comment for now.
        let holds = |name: &Value| name == "object" || name == "array";
        if !names.iter().any(holds) {
            names.retain(|name| name != "null");
            if let [only] = names.as_slice() {
                let only = only.clone();
                object.insert("type".to_owned(), only);
            }
        }
    }
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(_)] = choices.as_slice()
        && let Some(Value::Object(only)) = choices.pop()
    {
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

struct Wrapped<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Wrapped<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize(deserializer)
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Err(E::custom("a value is missing"))
    }
}

/// A mapping of free keys, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entries<V>(Vec<(Spanned<String>, V)>);

impl<V> Deref for Entries<V> {
    type Target = [(Spanned<String>, V)];
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<V> From<Vec<(Spanned<String>, V)>> for Entries<V> {
    fn from(entries: Vec<(Spanned<String>, V)>) -> Self {
        Self(entries)
    }
}

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
            type Value = Vec<(Spanned<String>, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData)).map(Self)
    }
}

impl<V: JsonSchema> JsonSchema for Entries<V> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Entries_{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<V>();
        json_schema!({ "type": "object", "additionalProperties": value })
    }
}

/// Whoever can turn what the user wrote into settings; kinds ask it for theirs.
pub(crate) trait Decoder {
    /// The settings, or nothing where they are wrong, which the decoder has then reported.
    fn settings<T: DeserializeOwned>(self) -> Option<T>;
}

/// The closed list of a room's kinds: the key in the file, and the settings that answer the room's questions.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident of $questions:path: $($key:literal => $variant:ident($settings:path),)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub(crate) enum $name { $($variant(Box<$settings>),)+ }

        impl $name {
            /// The keys, as the file writes them.
            pub(crate) const KEYS: &[&str] = &[$($key,)+];

            /// The kind of a key, its settings from `decoder`; nothing where the key is unknown.
            pub(crate) fn decode(key: &str, decoder: impl $crate::shape::Decoder) -> Option<Option<Self>> {
                match key {
                    $($key => Some(decoder.settings::<$settings>().map(|settings| Self::$variant(Box::new(settings)))),)+
                    _ => None,
                }
            }

            /// The key that it is written with.
            pub(crate) fn key(&self) -> &'static str {
                match self { $(Self::$variant(_) => $key,)+ }
            }

            /// The JSON Schema of each kind's settings.
            pub(crate) fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                use schemars::JsonSchema as _;
                vec![$(($key, <$settings>::json_schema(generator)),)+]
            }

            pub(crate) fn kind(&self) -> &dyn $questions {
                match self { $(Self::$variant(settings) => &**settings,)+ }
            }
        }
    };
}

pub(crate) use kinds;
