//! Owns the way from nodes to settings: a `serde` deserializer that reports every error and goes on.
//!
//! A value of the wrong type is reported and replaced by a harmless one, so that its neighbours are still read; whoever
//! asked then gets nothing. Where there is no harmless one `serde` gives up the whole mapping: then the same node is read
//! once more without what failed, until nothing new is found. Three names are agreed with the types that want more than
//! serde's data model offers: a value with its span, a scalar as it was written, and settings in short form.

mod access;
mod error;
mod key;
mod merge_key;
mod state;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use self::access::{Entries, Fields, Items, ShortEntry, SpannedParts, Variant};
use self::error::Error;
use self::merge_key::MERGE_KEY;
use self::state::State;
use super::node::{Key, Node, NodeKind, Scalar};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Suggestion, nearest};
use crate::scalar::{Segment, WRITTEN, Written};
use crate::shape::{MANY, SHORT};
use crate::text::SPANNED;

pub(crate) use self::merge_key::NO_MERGE_KEYS;

/// Settings from a node; nothing where anything was wrong, all of which is then in `found`.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node<'_>, found: &mut Diagnostics) -> Option<T> {
    let nowhere = State::new(node.span, None);
    let state = State::new(node.span, Some(&nowhere));
    let decoder = NodeDeserializer { node, state: &state };
    let value = decoder.refused(T::deserialize(decoder)).ok();
    if state.progress() == 0 {
        return value;
    }
    let mut before = 0;
    while state.progress() > before && !state.failed.borrow().is_empty() {
        before = state.progress();
        state.is_again.set(true);
        let _known_to_fail = decoder.refused(T::deserialize(decoder));
    }
    found.append(state.found.take());
    None
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de> {
    node: &'de Node<'de>,
    state: &'de State<'de>,
}

impl<'de> NodeDeserializer<'de> {
    fn record(&self, diagnostic: Diagnostic) {
        if self.node.is_misread() {
            self.state.is_unknown.set(true);
        } else {
            self.state.record(diagnostic);
        }
    }

    fn wrong(&self, expected: &str) -> Diagnostic {
        let message = if self.node.is_null() {
            format!("a value is missing here: expected {expected}")
        } else {
            format!("expected {expected}, found {}", self.node.describe())
        };
        let diagnostic = Diagnostic::new(Code::WrongType, self.node.span, message);
        let bound = self.node.as_scalar().and_then(Scalar::bound);
        let says = bound.and_then(|bound| bound.says.clone());
        says.into_iter().fold(diagnostic, Diagnostic::help)
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

    /// A scalar whose values are all known.
    fn known_scalar(&self, expected: &str) -> Option<&'de Scalar<'de>> {
        let scalar = self.scalar(expected)?;
        if scalar.is_misread() || scalar.bound().is_some_and(|bound| !bound.is_complete) {
            self.state.is_unknown.set(true);
            return None;
        }
        if scalar.has_secret() {
            self.record(Diagnostic::secret(self.node.span));
            return None;
        }
        Some(scalar)
    }

    /// Parses a scalar, or reports it and stands in the type's own default.
    fn parse<T: std::str::FromStr + Default>(&self, expected: &str) -> (T, bool) {
        let Some(scalar) = self.known_scalar(expected) else { return (T::default(), false) };
        let text = scalar.plain();
        if let Ok(value) = text.parse() {
            return (value, true);
        }
        let diagnostic = self.wrong(expected);
        let digits = text.replace(['_', ',', ' '], "");
        self.record(match digits.parse::<T>() {
            Ok(_) => diagnostic
                .help(format!("write `{digits}`, with nothing between the digits"))
                .suggestion(Suggestion::machine_applicable(self.node.span, digits)),
            Err(_) => diagnostic,
        });
        (T::default(), false)
    }

    /// Reads a value; where that fails it is known next time, and reported unless what lies in it was.
    fn descend<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let (before, failed) = (self.state.progress(), self.state.failed.borrow().len());
        seed.deserialize(self).map_err(|error| {
            if self.state.progress() == before {
                let _recorded: Result<(), Error> = self.refused(Err(error));
            }
            // Where something inside has failed, all else inside is worth another reading.
            if self.state.failed.borrow().len() == failed {
                self.state.fail(self.node, None);
            }
            Error::Recorded
        })
    }

    /// Reports what a visitor refused at this node.
    fn refused<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error {
            Error::Recorded => Error::Recorded,
            Error::Missing(key) => {
                // A key that is there failed, and one that is nearly there was reported as unknown.
                let unknown = self.state.unknown.borrow();
                let is_meant = |there: &Key<'_>| {
                    there.text == key
                        || unknown.contains(&there.span) && nearest(&there.text, [key]).is_some()
                };
                let is_there =
                    self.node.as_mapping().is_some_and(|all| all.iter().any(|(key, _)| is_meant(key)));
                if !is_there {
                    self.record(error.at(self.node.span));
                }
                self.state.fail(self.node, Some(key));
                Error::Recorded
            }
            error @ Error::Custom(_) => {
                self.record(error.at(self.node.span));
                Error::Recorded
            }
        })
    }

    fn written(&self) -> Option<Written> {
        if self.node.as_mapping().is_some() {
            self.record(self.wrong("a text").help("write one text, in quotes where it holds `: `"));
            return None;
        }
        let scalar = self.scalar("a text")?;
        if scalar.is_misread() {
            self.state.is_unknown.set(true);
            return None;
        }
        let segments = match scalar.bound() {
            Some(bound) => bound.segments.clone(),
            None => vec![Segment::Text { text: scalar.text.clone().into_owned(), at: 0 }],
        };
        Some(Written { span: self.node.span, style: scalar.style, layout: scalar.layout().clone(), segments })
    }

    fn unknown_key(&self, key: &Key<'_>, fields: &[&'static str]) {
        self.state.unknown.borrow_mut().insert(key.span);
        let message = format!("unknown key `{}`", key.text);
        let diagnostic = Diagnostic::new(Code::UnknownKey, key.span, message);
        self.record(match &*key.text {
            MERGE_KEY => diagnostic.help(NO_MERGE_KEYS),
            text => diagnostic.suggest(text, fields.iter().copied()),
        });
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
            NodeKind::Scalar(_) => self.deserialize_string(visitor),
            NodeKind::Sequence(_) => self.deserialize_seq(visitor),
            NodeKind::Mapping(_) => self.deserialize_map(visitor),
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
        let text = self.known_scalar("`true` or `false`").map(Scalar::plain);
        let value = match text.as_deref() {
            Some("true" | "True" | "TRUE") => true,
            Some("false" | "False" | "FALSE") | None => false,
            Some(text) => {
                let diagnostic = self.wrong("`true` or `false`");
                self.record(match &*text.to_lowercase() {
                    "yes" | "on" | "y" | "1" => diagnostic.write("true"),
                    "no" | "off" | "n" | "0" => diagnostic.write("false"),
                    _ => diagnostic,
                });
                false
            }
        };
        self.refused(visitor.visit_bool(value))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.known_scalar("a text") {
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
        if name == MANY && !matches!(self.node.kind, NodeKind::Sequence(_)) {
            // A single value stands for a list of one.
            let items = std::slice::from_ref(self.node);
            return visitor
                .visit_newtype_struct(SeqAccessDeserializer::new(Items { items, state: self.state }));
        }
        if let Some(field) = name.strip_prefix(SHORT)
            && self.node.as_mapping().is_none()
            && !self.node.is_null()
        {
            let entry = ShortEntry { field: Some(field), value: self };
            return self.refused(visitor.visit_newtype_struct(MapAccessDeserializer::new(entry)));
        }
        let result = visitor.visit_newtype_struct(self);
        self.refused(result)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let NodeKind::Sequence(items) = &self.node.kind else {
            self.record(self.wrong("a list").help("write one `- item` a line, or `[item, item]`"));
            return visitor.visit_seq(Items { items: &[], state: self.state }).map_err(|_| Error::Recorded);
        };
        self.refused(visitor.visit_seq(Items { items, state: self.state }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let Some(entries) = self.node.as_mapping() else {
            self.record(self.wrong("a mapping").help("write one `key: value` a line"));
            let none = Entries { entries: &[], value: None, state: self.state };
            return visitor.visit_map(none).map_err(|_| Error::Recorded);
        };
        self.refused(visitor.visit_map(Entries { entries, value: None, state: self.state }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            SPANNED => return visitor.visit_seq(SpannedParts { of: self, given: 0 }),
            WRITTEN => {
                self.written().ok_or(Error::Recorded)?.hand_over();
                return visitor.visit_unit();
            }
            _ => {}
        }
        let entries = match self.node.as_mapping() {
            Some(entries) => entries,
            // A kind's key alone: all of its settings are missing.
            None if self.node.is_null() => &[],
            None => {
                let keys = fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
                self.record(match fields {
                    [] => self.wrong("nothing").help("it has no settings"),
                    _ => self.wrong(&format!("a mapping with the keys {keys}")),
                });
                return Err(Error::Recorded);
            }
        };
        let known = Fields { entries, fields, further: fields, value: None, of: self };
        self.refused(visitor.visit_map(known))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let list = || variants.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let text = self.known_scalar(&format!("one of {}", list())).map(Scalar::plain);
        let lower = text.as_deref().unwrap_or_default().to_lowercase();
        let variant = variants.iter().find(|name| **name == lower);
        if let (None, Some(text)) = (variant, text) {
            let message = format!("`{text}` is not one of {}", list());
            let mut diagnostic = Diagnostic::new(Code::WrongType, self.node.span, message);
            let truth = match &*lower {
                "yes" | "on" => Some("true"),
                "no" | "off" => Some("false"),
                _ => None,
            };
            if let Some(truth) = truth.filter(|truth| variants.contains(truth)) {
                diagnostic = diagnostic.write(truth);
            } else if let Some(near) = nearest(&text, variants.iter().copied()) {
                let suggestion = Suggestion::maybe_incorrect(self.node.span, near);
                diagnostic = diagnostic.help(format!("did you mean `{near}`?")).suggestion(suggestion);
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
