//! Owns where plans are executed, and how that is reached.

use std::time::Duration;

use crate::connect::Endpoint;
use crate::dialect::Dialect;
use crate::engine::{EngineKind, EnginePaths};

/// Where plans are executed.
#[derive(Debug)]
pub(crate) enum Location {
    Managed(EngineKind),
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
    pub(crate) installation: EnginePaths,
    /// As whom a run acts, where the connection string does not say.
    pub(crate) user: Option<String>,
}
