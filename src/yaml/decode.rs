//! Owns the way from nodes to settings: a `serde` deserializer that reports every mistake and goes on.
//!
//! A value of the wrong type is reported and replaced by a harmless one, so that its neighbours are still read; whoever
//! asked then gets nothing. Three names are agreed with the types that want more than serde's data model offers:
//! a value with its span, a scalar with its pieces, and settings that may be written in short form.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::{
    MapAccessDeserializer, SeqAccessDeserializer, SeqDeserializer, StrDeserializer, U32Deserializer,
};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer as _, MapAccess,
    SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Key, Kind, Node, Piece, Scalar, Style};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::shape::{MANY, SHORT};
use crate::text::{SPANNED, Span};

/// The name under which a scalar is asked for with its style and its bound variables.
const TEMPLATE: &str = "$pipectl::template";

/// Settings from a node; nothing where anything was wrong, all of which is then in `found`.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node<'_>, found: &mut Diagnostics) -> Option<T> {
    let collected = RefCell::new(Diagnostics::default());
    let decoder = NodeDeserializer { node, found: &collected };
    let value = decoder.refused(T::deserialize(decoder)).ok();
    let collected = collected.into_inner();
    let value = value.filter(|_| collected.is_empty());
    found.append(collected);
    value
}

/// What went wrong; `Recorded` has already been reported.
#[derive(Debug)]
enum Error {
    Recorded,
    Missing(&'static str),
    Custom(String),
}

impl Error {
    fn at(self, span: Span) -> Diagnostic {
        match self {
            Self::Missing(key) => {
                Diagnostic::new(Code::MissingKey, span, format!("the key `{key}` is missing"))
            }
            Self::Custom(message) => Diagnostic::new(Code::WrongType, span, message),
            Self::Recorded => Diagnostic::new(Code::WrongType, span, "this value can'de be used"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded => f.write_str("already reported"),
            Self::Missing(key) => write!(f, "the key `{key}` is missing"),
            Self::Custom(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de> {
    node: &'de Node<'de>,
    found: &'de RefCell<Diagnostics>,
}

impl<'de> NodeDeserializer<'de> {
    fn record(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    fn wrong(&self, expected: &str) -> Diagnostic {
        let message = format!("expected {expected}, found {}", self.node.describe());
        Diagnostic::new(Code::WrongType, self.node.span, message)
    }

    fn scalar(&self, expected: &str) -> Option<&'de Scalar<'de>> {
        match self.node.as_scalar() {
            Some(scalar) if !scalar.is_null() => Some(scalar),
            _ => {
                self.record(self.wrong(expected));
                None
            }
        }
    }

    /// Parses a scalar, or reports it and stands in the type's own default.
    fn parse<T: std::str::FromStr + Default>(&self, expected: &str) -> (T, bool) {
        let Some(scalar) = self.scalar(expected) else { return (T::default(), false) };
        let text = scalar.plain();
        if let Ok(value) = text.parse() {
            return (value, true);
        }
        let message = format!("expected {expected}, found `{text}`");
        self.record(Diagnostic::new(Code::WrongType, self.node.span, message));
        (T::default(), false)
    }

    /// Reports what a visitor refused at this node.
    fn refused<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::Recorded => Error::Recorded,
            error => {
                self.record(error.at(self.node.span));
                Error::Recorded
            }
        })
    }

    fn unknown_key(&self, key: &Key<'_>, fields: &[&'static str]) {
        let message = format!("unknown key `{}`", key.text);
        let diagnostic = Diagnostic::new(Code::UnknownKey, key.span, message);
        self.record(diagnostic.suggest(&key.text, fields.iter().copied()));
    }
}

macro_rules! numbers {
    ($($method:ident, $visit:ident, $type:ty, $expected:literal;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let (value, good) = self.parse::<$type>($expected);
            let result = visitor.$visit(value);
            if good { self.refused(result) } else { result.map_err(|_| Error::Recorded) }
        })+
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.kind {
            Kind::Scalar(_) => self.deserialize_string(visitor),
            Kind::Sequence(_) => self.deserialize_seq(visitor),
            Kind::Mapping(_) => self.deserialize_map(visitor),
        }
    }

    numbers! {
        deserialize_i8, visit_i8, i8, "a whole number from -128 to 127";
        deserialize_i16, visit_i16, i16, "a whole number from -32768 to 32767";
        deserialize_i32, visit_i32, i32, "a whole number from -2147483648 to 2147483647";
        deserialize_i64, visit_i64, i64, "a whole number";
        deserialize_u8, visit_u8, u8, "a whole number from 0 to 255";
        deserialize_u16, visit_u16, u16, "a whole number from 0 to 65535";
        deserialize_u32, visit_u32, u32, "a whole number from 0 to 4294967295";
        deserialize_u64, visit_u64, u64, "a whole number, 0 or more";
        deserialize_f32, visit_f32, f32, "a number";
        deserialize_f64, visit_f64, f64, "a number";
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.scalar("`true` or `false`").map(Scalar::plain);
        let value = match text.as_deref() {
            Some("true" | "True" | "TRUE") => true,
            Some("false" | "False" | "FALSE") | None => false,
            Some(text) => {
                let message = format!("expected `true` or `false`, found `{text}`");
                self.record(Diagnostic::new(Code::WrongType, self.node.span, message));
                false
            }
        };
        self.refused(visitor.visit_bool(value))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.scalar("a text") {
            None => visitor.visit_str("").map_err(|_: Error| Error::Recorded),
            Some(scalar) => self.refused(visitor.visit_str(&scalar.plain())),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.node.is_null() {
            self.record(self.wrong("nothing"));
        }
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name == MANY && !matches!(self.node.kind, Kind::Sequence(_)) {
            // A single value stands for a list of one.
            let items = std::slice::from_ref(self.node);
            return visitor
                .visit_newtype_struct(SeqAccessDeserializer::new(Items { items, found: self.found }));
        }
        if let Some(field) = name.strip_prefix(SHORT)
            && self.node.as_mapping().is_none()
        {
            let entry = ShortEntry { field: Some(field), value: self };
            return self.refused(visitor.visit_newtype_struct(MapAccessDeserializer::new(entry)));
        }
        let result = visitor.visit_newtype_struct(self);
        self.refused(result)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Kind::Sequence(items) = &self.node.kind else {
            self.record(self.wrong("a list").help("write one `- item` a line, or `[item, item]`"));
            return visitor.visit_seq(Items { items: &[], found: self.found }).map_err(|_| Error::Recorded);
        };
        self.refused(visitor.visit_seq(Items { items, found: self.found }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(entries) = self.node.as_mapping() else {
            self.record(self.wrong("a mapping").help("write one `key: value` a line"));
            let none = Entries { entries: &[], value: None, found: self.found };
            return visitor.visit_map(none).map_err(|_| Error::Recorded);
        };
        self.refused(visitor.visit_map(Entries { entries, value: None, found: self.found }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            SPANNED => return visitor.visit_seq(SpannedParts { of: self, given: 0 }),
            TEMPLATE => {
                let scalar = self.scalar("a text").ok_or(Error::Recorded)?;
                return visitor.visit_seq(TemplateParts { of: self, scalar, given: 0 });
            }
            _ => {}
        }
        let Some(entries) = self.node.as_mapping() else {
            let keys = fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
            self.record(self.wrong(&format!("a mapping with the keys {keys}")));
            return Err(Error::Recorded);
        };
        let known = Fields { entries, fields, value: None, of: self };
        self.refused(visitor.visit_map(known))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let list = || variants.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let text = self.scalar(&format!("one of {}", list())).map(Scalar::plain).unwrap_or_default();
        let lower = text.to_lowercase();
        let variant = variants.iter().find(|name| **name == lower);
        if variant.is_none() && !text.is_empty() {
            let message = format!("`{text}` is not one of {}", list());
            let mut diagnostic = Diagnostic::new(Code::WrongType, self.node.span, message);
            if let Some(near) = crate::diagnostic::nearest(&text, variants.iter().copied()) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            self.record(diagnostic);
        }
        let name = variant.or(variants.first()).copied().unwrap_or_default();
        visitor.visit_enum(Variant(name))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit_struct tuple tuple_struct identifier }
}

struct Items<'de> {
    items: &'de [Node<'de>],
    found: &'de RefCell<Diagnostics>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some((node, rest)) = self.items.split_first() else { return Ok(None) };
        self.items = rest;
        seed.deserialize(NodeDeserializer { node, found: self.found }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'de> {
    entries: &'de [(Key<'de>, Node<'de>)],
    value: Option<&'de Node<'de>>,
    found: &'de RefCell<Diagnostics>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some(((key, value), rest)) = self.entries.split_first() else { return Ok(None) };
        self.entries = rest;
        self.value = Some(value);
        seed.deserialize(KeyDeserializer { key, found: self.found }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().ok_or(Error::Recorded)?;
        seed.deserialize(NodeDeserializer { node, found: self.found })
    }
}

/// The entries of a mapping whose keys are known beforehand; unknown ones are reported and passed over.
struct Fields<'de> {
    entries: &'de [(Key<'de>, Node<'de>)],
    fields: &'static [&'static str],
    value: Option<&'de Node<'de>>,
    of: NodeDeserializer<'de>,
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(((key, value), rest)) = self.entries.split_first() {
            self.entries = rest;
            if self.fields.contains(&&*key.text) {
                self.value = Some(value);
                return seed.deserialize(StrDeserializer::new(&key.text)).map(Some);
            }
            self.of.unknown_key(key, self.fields);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let node = self.value.take().ok_or(Error::Recorded)?;
        seed.deserialize(NodeDeserializer { node, found: self.of.found })
    }
}

/// A key of a free mapping: a text, which may want its span.
struct KeyDeserializer<'de> {
    key: &'de Key<'de>,
    found: &'de RefCell<Diagnostics>,
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(&self.key.text).map_err(|error| {
            if !matches!(error, Error::Recorded) {
                self.found.borrow_mut().push(error.at(self.key.span));
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
        if name == SPANNED {
            return visitor.visit_seq(SpannedKey { key: Some(self), given_span: false });
        }
        self.deserialize_any(visitor)
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

struct SpannedKey<'de> {
    key: Option<KeyDeserializer<'de>>,
    given_span: bool,
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
fn span_parts(span: Span) -> SeqDeserializer<std::array::IntoIter<u32, 3>, Error> {
    SeqDeserializer::new([u32::from(span.file.0), span.start, span.end].into_iter())
}

/// A value as `(span, value)`.
struct SpannedParts<'de> {
    of: NodeDeserializer<'de>,
    given: u8,
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

/// A scalar as `(span, style, pieces)`, each piece as `(index + 1 or 0, at, text)`.
struct TemplateParts<'de> {
    of: NodeDeserializer<'de>,
    scalar: &'de Scalar<'de>,
    given: u8,
}

impl<'de> SeqAccess<'de> for TemplateParts<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.given += 1;
        match self.given {
            1 => seed.deserialize(span_parts(self.of.node.span)).map(Some),
            2 => seed.deserialize(U32Deserializer::<Error>::new(style_number(self.scalar.style))).map(Some),
            3 => match &self.scalar.pieces {
                Some(pieces) => seed.deserialize(SeqAccessDeserializer::new(Pieces(pieces.iter()))).map(Some),
                None => {
                    seed.deserialize(SeqAccessDeserializer::new(WholeText(Some(&self.scalar.text)))).map(Some)
                }
            },
            _ => Ok(None),
        }
    }
}

fn style_number(style: Style) -> u32 {
    match style {
        Style::Plain => 0,
        Style::SingleQuoted => 1,
        Style::DoubleQuoted => 2,
        Style::Literal => 3,
        Style::Folded => 4,
    }
}

struct Pieces<'de>(std::slice::Iter<'de, Piece>);

impl<'de> SeqAccess<'de> for Pieces<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(piece) = self.0.next() else { return Ok(None) };
        let (index, at, text) = match piece {
            Piece::Text { text, at } => (0, *at, text),
            Piece::Value { index, text, at } => (index + 1, *at, text),
        };
        seed.deserialize(SeqAccessDeserializer::new(PieceParts { numbers: [index, at], text, given: 0 }))
            .map(Some)
    }
}

/// A text without variables as its only piece.
struct WholeText<'de>(Option<&'de str>);

impl<'de> SeqAccess<'de> for WholeText<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(text) = self.0.take() else { return Ok(None) };
        seed.deserialize(SeqAccessDeserializer::new(PieceParts { numbers: [0, 0], text, given: 0 })).map(Some)
    }
}

struct PieceParts<'de> {
    numbers: [u32; 2],
    text: &'de str,
    given: usize,
}

impl<'de> SeqAccess<'de> for PieceParts<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.given += 1;
        match self.numbers.get(self.given - 1) {
            Some(number) => seed.deserialize((*number).into_deserializer()).map(Some),
            None if self.given == 3 => seed.deserialize(StrDeserializer::new(self.text)).map(Some),
            None => Ok(None),
        }
    }
}

/// A value where settings may stand: the value of their main key.
struct ShortEntry<'de> {
    field: Option<&'static str>,
    value: NodeDeserializer<'de>,
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
struct Variant(&'static str);

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
