//! Hands the parts of a node to serde, one after the other: items, entries, a value with its span, a value in short form.

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::NodeDeserializer;
use super::error::Error;
use super::key::{KeyDeserializer, span_parts};
use super::merge_key::{MERGE_KEY, NO_MERGE_KEYS};
use super::state::State;
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::node::{Key, Node};

pub(super) struct Items<'de> {
    pub(super) items: &'de [Node<'de>],
    pub(super) state: &'de State<'de>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        while let Some((node, rest)) = self.items.split_first() {
            self.items = rest;
            if !self.state.has_failed(node, None) {
                return NodeDeserializer { node, state: self.state }.descend(seed).map(Some);
            }
        }
        Ok(None)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

pub(super) struct Entries<'de> {
    pub(super) entries: &'de [(Key<'de>, Node<'de>)],
    pub(super) value: Option<&'de Node<'de>>,
    pub(super) state: &'de State<'de>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(((key, value), rest)) = self.entries.split_first() {
            self.entries = rest;
            if key.text == MERGE_KEY {
                let message = format!("unknown key `{MERGE_KEY}`");
                self.state.record(Diagnostic::new(Code::UnknownKey, key.span, message).help(NO_MERGE_KEYS));
            } else if !self.state.has_failed(value, None) {
                self.value = Some(value);
                return seed.deserialize(KeyDeserializer { key, state: self.state }).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().ok_or(Error::Recorded)?;
        NodeDeserializer { node, state: self.state }.descend(seed)
    }
}

/// The entries of a mapping whose keys are known beforehand; unknown ones are reported and ignored.
pub(super) struct Fields<'de> {
    pub(super) entries: &'de [(Key<'de>, Node<'de>)],
    pub(super) fields: &'static [&'static str],
    /// The keys of which it is not yet known whether something has to stand in for them.
    pub(super) further: &'static [&'static str],
    pub(super) value: Option<NodeDeserializer<'de>>,
    pub(super) of: NodeDeserializer<'de>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(((key, value), rest)) = self.entries.split_first() {
            self.entries = rest;
            if !self.fields.contains(&&*key.text) {
                self.of.unknown_key(key, self.fields);
            } else if !self.of.state.has_failed(value, None) {
                self.value = Some(NodeDeserializer { node: value, state: self.of.state });
                return seed.deserialize(StrDeserializer::new(&key.text)).map(Some);
            }
        }
        let state = self.of.state;
        let Some(nowhere) = state.nowhere.filter(|_| state.is_again.get()) else { return Ok(None) };
        while let Some((field, rest)) = self.further.split_first() {
            self.further = rest;
            if state.has_failed(self.of.node, Some(field)) {
                self.value = Some(NodeDeserializer { node: &state.nothing, state: nowhere });
                return seed.deserialize(StrDeserializer::new(field)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.value.take().ok_or(Error::Recorded)?.descend(seed)
    }
}

/// A value as `(span, value)`.
pub(super) struct SpannedParts<'de> {
    pub(super) of: NodeDeserializer<'de>,
    pub(super) given: u8,
}

impl<'de> SeqAccess<'de> for SpannedParts<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.given += 1;
        match self.given {
            1 => seed.deserialize(span_parts(self.of.node.span)).map(Some),
            2 => seed.deserialize(self.of).map(Some),
            _ => Ok(None),
        }
    }
}

/// A value where settings may stand: the value of their main key.
pub(super) struct ShortEntry<'de> {
    pub(super) field: Option<&'static str>,
    pub(super) value: NodeDeserializer<'de>,
}

impl<'de> MapAccess<'de> for ShortEntry<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.field.take() else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.value)
    }
}

/// A unit variant by its name.
pub(super) struct Variant(pub(super) &'static str);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = seed.deserialize(StrDeserializer::new(self.0))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Error> {
        Err(de::Error::custom("settings enums have plain names only"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Error> {
        Err(de::Error::custom("settings enums have plain names only"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        Err(de::Error::custom("settings enums have plain names only"))
    }
}
