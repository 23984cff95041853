//! Owns what went wrong in the reading of one value, on its way through serde.

use std::fmt;

use serde::de;

use crate::diagnostic::{Code, Diagnostic};
use crate::text::Span;

/// What went wrong; `Recorded` has already been reported.
#[derive(Debug)]
pub(super) enum Error {
    Recorded,
    Missing(&'static str),
    Custom(String),
}

impl Error {
    pub(super) fn at(self, span: Span) -> Diagnostic {
        match self {
            Self::Missing(key) => {
                Diagnostic::new(Code::MissingKey, span, format!("the key `{key}` is missing"))
            }
            Self::Custom(message) => Diagnostic::new(Code::WrongType, span, message),
            Self::Recorded => Diagnostic::new(Code::WrongType, span, "this value can't be used"),
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
