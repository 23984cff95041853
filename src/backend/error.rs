//! Why there is no engine, or none any more.

use crate::connect;
use crate::engine;

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
