//! Owns a scalar as the user wrote it: its style, its text with variables apart, and where its bytes stand in the file.
//!
//! A reader of the file makes it, an expression or a path is made of it. On its way it passes through `serde`, whose data
//! model can't hold it, so it is handed over beside it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, de};

use crate::secret::{Plain, Secret};
use crate::text::Span;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Without quotes.
    Plain,
    /// Without quotes inside `[ ]` or `{ }`, where a comma ends it.
    PlainInFlow,
    /// Without quotes, and with a comment after it, which may have been meant as text.
    PlainBeforeComment,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

impl Style {
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Plain | Self::PlainInFlow | Self::PlainBeforeComment)
    }
}

/// A part of a scalar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Text of the file, from byte `at` of the scalar's text.
    Text { text: String, at: u32 },
    /// The value at `index` of the bindings, and its plain text.
    Variable { index: u32, text: Plain, at: u32 },
}

impl Segment {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Variable { text, .. } if text.is_secret())
    }

    /// The text, with the value in it as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Variable { text, .. } => text.shown(),
        }
    }

    /// The text of several, with the values themselves.
    pub(crate) fn plain(segments: &[Self]) -> Plain {
        let text: String = segments.iter().map(Self::expose).collect();
        if segments.iter().any(Self::is_secret) {
            Plain::Hidden(Secret::new(text))
        } else {
            Plain::Shown(text)
        }
    }

    /// The text with the value itself.
    fn expose(&self) -> &str {
        match self {
            Self::Text { text, .. } => text,
            Self::Variable { text, .. } => text.expose(),
        }
    }
}

/// Where the bytes of a scalar's text stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Layout {
    /// The text stands in the file as it is.
    #[default]
    Verbatim,
    /// Quotes, escapes, folding or indentation lie between: from each first offset, which is one of the text, both run
    /// side by side, beginning at the second, which is one of the scalar in the file. Nothing where this can't be told.
    Runs(Box<[(u32, u32)]>),
}

impl Layout {
    /// The span of a range of the text of the scalar at `span`; all of it where that can't be told.
    pub(crate) fn place(&self, span: Span, range: &Range<usize>) -> Span {
        let end = range.end.max(range.start);
        match self {
            Self::Verbatim => span.part(range.start, end),
            Self::Runs(runs) if runs.is_empty() => span,
            // The end is looked for at the last byte, since the next one may stand in another line.
            Self::Runs(runs) if end > range.start => {
                span.part(in_file(runs, range.start), in_file(runs, end - 1) + 1)
            }
            Self::Runs(runs) => span.part(in_file(runs, end), in_file(runs, end)),
        }
    }

    /// The span of a range of the text of the scalar at `span`, and the layout of that part by itself.
    pub(crate) fn part(&self, span: Span, range: &Range<usize>) -> (Span, Self) {
        let place = self.place(span, range);
        let layout = match self {
            Self::Verbatim => Self::Verbatim,
            Self::Runs(runs) if runs.is_empty() => self.clone(),
            Self::Runs(runs) => {
                let start = in_file(runs, range.start);
                let later =
                    runs.iter().filter(|(text, _)| (range.start + 1..range.end).contains(&(*text as usize)));
                let later = later.map(|(text, file)| (text - offset(range.start), file - offset(start)));
                Self::Runs(std::iter::once((0, 0)).chain(later).collect())
            }
        };
        (place, layout)
    }
}

/// An offset in a scalar, none of which is longer than this can say.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn in_file(runs: &[(u32, u32)], offset: usize) -> usize {
    let next = runs.partition_point(|(text, _)| *text as usize <= offset);
    let (text, file) = next.checked_sub(1).map_or((0, 0), |at| runs[at]);
    file as usize + offset - text as usize
}

/// A scalar with all that is known of how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) span: Span,
    pub(crate) style: Style,
    pub(crate) layout: Layout,
    pub(crate) segments: Vec<Segment>,
}

/// The name under which a deserializer is asked to hand a [`Written`] over.
pub(crate) const WRITTEN: &str = "$pipectl::written";

thread_local! {
    static HANDED_OVER: Cell<Option<Written>> = const { Cell::new(None) };
}

impl Written {
    /// Leaves it for the [`take`](Self::take) that follows.
    pub(crate) fn hand_over(self) {
        HANDED_OVER.set(Some(self));
    }

    fn take() -> Option<Self> {
        HANDED_OVER.take()
    }

    /// The text with its values in it.
    pub(crate) fn plain(&self) -> Plain {
        Segment::plain(&self.segments)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nothing;
        impl Visitor<'_> for Nothing {
            type Value = ();
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_unit<E>(self) -> Result<(), E> {
                Ok(())
            }
        }
        deserializer.deserialize_struct(WRITTEN, &[], Nothing)?;
        Self::take().ok_or_else(|| de::Error::custom("this reader hands no text over"))
    }
}

/// A value that may be secret stands in the file as any text does.
impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Written::deserialize(deserializer).map(|written| written.plain())
    }
}

impl JsonSchema for Plain {
    fn inline_schema() -> bool {
        String::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        String::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
