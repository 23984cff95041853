//! Owns what identifies a run.

use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, SubsecRound as _, Utc};

use crate::record::{RunResults, Sender};
use crate::report::{Listener, Reporter};
use crate::secret::scrubbed;

/// What identifies a run.
#[derive(Debug, Clone)]
pub(super) struct RunIdentity {
    pub(super) id: String,
    pub(super) started_at: DateTime<Utc>,
}

impl RunIdentity {
    /// Ids sort by time.
    pub(super) fn new() -> Self {
        Self { id: uuid::Uuid::now_v7().to_string(), started_at: Utc::now().trunc_subsecs(6) }
    }

    /// Starts to report a verb's work with this file, which began at `clock`: where events go, and who reports them.
    pub(super) fn listen(&self, file: &Path, reporter: Reporter, clock: Instant) -> (Sender, Listener) {
        let file = scrubbed(&file.display().to_string()).into_owned();
        let results = RunResults::new(self.id.clone(), file, self.started_at);
        let (events, receiver) = Sender::new(results, clock);
        (events, reporter.listen(receiver))
    }
}
