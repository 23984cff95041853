//! What happens during a run, as data: the runner makes it, reporters consume it.

mod error;
mod event;

pub(crate) use error::chain;
pub(crate) use event::{Event, Failed, Label, Outcome, Output, Preparation, Sender, Tasks, Verdict};
