//! The wish to stop, and who had it.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use crate::record::StopReason;

/// A cancellation token that knows why it was cancelled. Clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
}

impl Stop {
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Stops for this reason; returns whether it is the first.
    pub(crate) fn stop(&self, reason: StopReason) -> bool {
        let is_first = self.reason.set(reason).is_ok();
        self.token.cancel();
        is_first
    }

    /// Returns the first reason, where there was one.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        self.reason.get().cloned()
    }
}
