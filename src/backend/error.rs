//! Why there is no engine, or none any more.

use std::borrow::Cow;

use crate::connect;
use crate::engine;
use crate::error::{Class, chain};
use crate::record::ErrorRecord;

/// Why work at an engine was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The managed engine can't be installed or started.
    #[error(transparent)]
    Engine(#[from] engine::Error),
    /// The engine can't be reached, or does not do as it should.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The managed engine has ended by itself.
    #[error("the engine ended unexpectedly: {reason}")]
    Ended { reason: String, last_lines: Vec<String> },
    /// The work was cancelled from outside.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Engine(_) | Self::Ended { .. } => Class::Transient,
            Self::Connect(error) => error.class(),
            Self::Interrupted => Class::Data,
        }
    }

    /// Records the error; `hints` knows what may help against one of the client.
    pub(crate) fn record(&self, hints: impl Fn(&connect::Error) -> Vec<String>) -> ErrorRecord {
        let record = ErrorRecord::new(self.class(), chain(self));
        match self {
            Self::Engine(error) => {
                record.hints(error.hint().map(Cow::into_owned)).hints(quoted(error.last_lines()))
            }
            Self::Connect(error) => record.hints(hints(error)).said(error.said()),
            Self::Ended { last_lines, .. } => record.hints(quoted(last_lines)),
            Self::Interrupted => record,
        }
    }
}

/// The last lines of an engine, as hints.
fn quoted(lines: &[String]) -> impl Iterator<Item = String> {
    lines.iter().map(|line| format!("the engine said: {line}"))
}
