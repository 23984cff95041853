//! Owns what people and machines are told: the only writer to stderr, and to the record of a run.

mod diagnostic;
mod download;
mod engine_error;
mod escape;
mod format;
mod github;
mod human;
mod json;
mod panic;
mod reporter;
mod stderr;
mod transfer;
mod units;
mod words;

#[cfg(feature = "fuzzing")]
pub(crate) use diagnostic::{Colour, render};
pub(crate) use download::Amount;
pub(crate) use escape::escaped;
pub(crate) use format::{Format, Verbosity};
pub(crate) use panic::tell_panics;
pub(crate) use reporter::{Listener, Reporter};
pub(crate) use stderr::{help, usage};
pub(crate) use transfer::Transfer;
pub(crate) use words::{notice, preparing};
