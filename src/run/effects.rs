//! Whether a run has changed anything outside of its session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set before anything is sent that changes the outside: rows to stdout, a commit of outputs, a statement at the engine. From then on no
/// other session can begin the run again.
#[derive(Debug, Clone, Default)]
pub(super) struct Effects(Arc<AtomicBool>);

impl Effects {
    /// Says that something is about to be sent that changes the outside.
    pub(super) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn have_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
