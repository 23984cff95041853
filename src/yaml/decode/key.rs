//! Reads a key of a free mapping: a text, which may want its span.

use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Error;
use super::state::State;
use crate::scalar::{Layout, Segment, WRITTEN, Written};
use crate::text::{SPANNED, Span};
use crate::yaml::node::Key;

/// A key of a free mapping: a text, which may want its span.
pub(super) struct KeyDeserializer<'de> {
    pub(super) key: &'de Key<'de>,
    pub(super) state: &'de State<'de>,
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.key.text).map_err(|error| {
            if !matches!(error, Error::Recorded) {
                self.state.record(error.at(self.key.span));
            }
            Error::Recorded
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            SPANNED => visitor.visit_seq(SpannedKey { key: Some(self), given_span: false }),
            WRITTEN => {
                let Key { text, span, style, .. } = self.key;
                let segments = vec![Segment::Text { text: text.clone().into_owned(), at: 0 }];
                Written { span: *span, style: *style, layout: Layout::Runs(Box::default()), segments }
                    .hand_over();
                visitor.visit_unit()
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

pub(super) struct SpannedKey<'de> {
    pub(super) key: Option<KeyDeserializer<'de>>,
    pub(super) given_span: bool,
}

impl<'de> SeqAccess<'de> for SpannedKey<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(key) = self.key.as_ref() else { return Ok(None) };
        if !self.given_span {
            self.given_span = true;
            return seed.deserialize(span_parts(key.key.span)).map(Some);
        }
        self.key.take().map(|key| seed.deserialize(key)).transpose()
    }
}

/// A span as `(file, start, end)`.
pub(super) fn span_parts(span: Span) -> SeqDeserializer<std::array::IntoIter<u32, 3>, Error> {
    SeqDeserializer::new([u32::from(span.file.0), span.start, span.end].into_iter())
}
