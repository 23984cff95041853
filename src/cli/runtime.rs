//! Owns the runtime of verbs that connect to an engine.

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;

/// Starts its threads.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)
}
