//! Owns execution: the engine's analysis before anything is done, then the actions of the plan in dependency order.
//!
//! The scheduler decides and the driver awaits. What happens is sent as events to whoever listens; nothing is printed here.

mod execute;
mod expectation;
mod schedule;
mod write;

use std::fmt;

use crate::connect;
use crate::duration::Limit;
use crate::record::Verdict;
use crate::sink;

pub(crate) use execute::{Settings, advice, execute, tag};
pub(crate) use schedule::OnFailure;

/// Why an action did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Engine(#[from] connect::Error),
    #[error(transparent)]
    Sink(#[from] sink::Error),
    #[error("{0}")]
    Expectation(Unmet),
    /// The task that wrote an output has ended in a way it should not.
    #[error("the output could not be written: {0}")]
    Writer(String),
    #[error("interrupted")]
    Interrupted,
    /// The step has a `timeout`, and it is over.
    #[error("took longer than its `timeout` of {0}")]
    Overdue(Limit),
}

impl Error {
    /// Whether it may be no more than what an interruption brings about.
    fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Engine(error) => {
                matches!(error, connect::Error::Cancelled | connect::Error::OperationLost { .. })
            }
            Self::Sink(_) | Self::Expectation(_) | Self::Writer(_) | Self::Overdue(_) => false,
        }
    }
}

/// Expectations that rows do not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmet(pub(crate) Vec<Verdict>);

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each was told for itself.
        match self.0.len() {
            1 => f.write_str("an expectation does not hold"),
            count => write!(f, "{count} expectations do not hold"),
        }
    }
}
