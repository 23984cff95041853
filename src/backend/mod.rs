//! An engine that is ready, however it came to be: managed for one run, kept warm between runs, or a server that runs already.
//!
//! [`connect`] reaches it, [`settings`] sets its session up, [`Backend`] supervises the work in a session and begins it again in another
//! one where that is lost, [`upload`] sends what a session must have. Nothing here reads the environment or prints.

mod connect;
mod error;
mod session;
mod settings;
mod stop;
pub(crate) mod upload;

use std::time::Duration;

pub(crate) use connect::{Connected, connect, preparation};
pub(crate) use error::Error;
pub(crate) use session::{Backend, SessionError};
pub(crate) use stop::Stop;

use crate::connect::Endpoint;
use crate::dialect::Dialect;
use crate::engine::{Kind, Place};

/// Where plans are executed.
#[derive(Debug)]
pub(crate) enum Location {
    Managed(Kind),
    Remote(Box<Endpoint>),
}

impl Location {
    /// Returns what an engine that has not been asked can probably do.
    pub(crate) fn likely_dialect(&self) -> Dialect {
        match self {
            Self::Managed(kind) => kind.dialect(),
            Self::Remote(_) => Dialect::spark(),
        }
    }
}

/// How an engine is reached.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// For how long a call is retried while nobody answers.
    pub(crate) retry_budget: Duration,
    /// Where managed engines are installed, and whether one may be downloaded.
    pub(crate) installation: Place,
    /// As whom a run acts, where the connection string does not say.
    pub(crate) user: Option<String>,
}
