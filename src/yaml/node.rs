//! Owns the tree: what was written, where.

use std::borrow::Cow;

use crate::text::Span;

/// How a scalar was written, which decides how its text maps to the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// A part of a scalar in which variables were bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text of the file; `at` is its byte offset in the scalar's text.
    Text { text: String, at: u32 },
    /// A value, by its index in the table of bound values, and its plain text.
    Value { index: u32, text: String, at: u32 },
}

#[derive(Debug, Clone)]
pub(crate) struct Scalar<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) style: Style,
    /// Set where the text had variables.
    pub(crate) pieces: Option<Box<[Piece]>>,
}

impl Scalar<'_> {
    /// The text with the values in it.
    pub(crate) fn plain(&self) -> Cow<'_, str> {
        match &self.pieces {
            None => Cow::Borrowed(&self.text),
            Some(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Text { text, .. } | Piece::Value { text, .. } => text.as_str(),
                })
                .collect::<String>()
                .into(),
        }
    }

    /// Whether YAML reads it as nothing.
    pub(crate) fn is_null(&self) -> bool {
        self.style == Style::Plain
            && self.pieces.is_none()
            && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Key<'t> {
    pub(crate) text: Cow<'t, str>,
    pub(crate) span: Span,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind<'t> {
    Scalar(Scalar<'t>),
    Sequence(Vec<Node<'t>>),
    Mapping(Vec<(Key<'t>, Node<'t>)>),
}

#[derive(Debug, Clone)]
pub(crate) struct Node<'t> {
    pub(crate) span: Span,
    pub(crate) kind: Kind<'t>,
}

impl<'t> Node<'t> {
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.is_null())
    }

    pub(crate) fn as_scalar(&self) -> Option<&Scalar<'t>> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    pub(crate) fn as_mapping(&self) -> Option<&[(Key<'t>, Self)]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    /// What it is, in words for a message.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(scalar) if scalar.is_null() => "nothing",
            Kind::Scalar(_) => "a single value",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }
}
