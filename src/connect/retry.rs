//! What is worth trying again, and when: numbers and a table, no clock and no sleeping.
//!
//! The numbers are those of Spark's own clients, under a total budget: how long one call (or one read of a stream) may go on
//! without an answer.

use std::error::Error as _;
use std::time::Duration;

use tonic::{Code, ConnectError, Status};
use tonic_types::StatusExt as _;

use crate::connect::error::status::{NO_TRAILER, web_status};

const FIRST: Duration = Duration::from_millis(50);
const MULTIPLIER: u32 = 4;
const LONGEST: Duration = Duration::from_secs(60);
const JITTER: Duration = Duration::from_millis(500);
const JITTER_FROM: Duration = Duration::from_secs(2);
const LONGEST_ORDER: Duration = Duration::from_secs(600);
const RETRIES: u32 = 15;

/// Another client of the session has taken the stream, or a server of the pool was in the way: a reattach gets it back.
const DISCONNECTED: &str = "INVALID_CURSOR.DISCONNECTED";
/// Sail is still ending the stream that broke, or that another attempt got.
const BUSY: [&str; 2] = ["internal error: task is being paused", "internal error: task is already running"];

/// Whether a failure may pass by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    Final,
    /// May be tried again, but not before the server's own delay.
    Passing(Option<Duration>),
}

/// The waits of one call.
#[derive(Clone, Debug)]
pub(super) struct Retry {
    budget: Duration,
    next: Duration,
    left: u32,
}

impl Retry {
    pub(super) fn new(budget: Duration) -> Self {
        Self { budget, next: FIRST, left: RETRIES }
    }

    /// How long to wait before the next attempt, where `elapsed` went by since the first failure; nothing once it is over.
    /// `jitter` is between 0 and 1.
    pub(super) fn wait(
        &mut self,
        ordered: Option<Duration>,
        elapsed: Duration,
        jitter: f64,
    ) -> Option<Duration> {
        let rest = self.budget.checked_sub(elapsed).filter(|rest| !rest.is_zero())?;
        self.left = self.left.checked_sub(1)?;
        let ordered = ordered.unwrap_or_default().min(LONGEST_ORDER);
        let own = self.next;
        self.next = (own * MULTIPLIER).min(LONGEST);
        let mut wait = own.max(ordered);
        if wait >= JITTER_FROM {
            wait += JITTER.mul_f64(jitter.clamp(0.0, 1.0));
        }
        // The last attempt comes as the budget ends, but never before the server wants it.
        Some(wait.min(rest)).filter(|wait| *wait >= ordered)
    }
}

pub(super) fn verdict(status: &Status) -> Verdict {
    let ordered = status.get_details_retry_info().and_then(|info| info.retry_delay);
    let passing = ordered.is_some()
        || status.code() == Code::Unavailable
        || (status.code() == Code::Internal
            && (status.message().contains(DISCONNECTED) || BUSY.contains(&status.message())))
        || is_broken_transport(status)
        // A proxy's page: without one, tonic says `Unavailable` of these.
        || matches!(web_status(status.message()), Some("429" | "502" | "503" | "504"));
    if passing { Verdict::Passing(ordered) } else { Verdict::Final }
}

/// Whether this is no server's word: the connection broke, and tonic has made up a status.
pub(super) fn is_broken_transport(status: &Status) -> bool {
    status.source().is_some() || (status.code() == Code::Unknown && status.message().contains(NO_TRAILER))
}

/// Whether the request has not left this machine.
pub(super) fn was_never_sent(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<ConnectError>() {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::{Retry, Verdict, verdict};

    fn waits(budget: u64, ordered: Option<u64>, jitter: f64) -> Vec<u128> {
        let mut retry = Retry::new(Duration::from_secs(budget));
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        while let Some(wait) = retry.wait(ordered.map(Duration::from_secs), elapsed, jitter) {
            elapsed += wait;
            waits.push(wait.as_millis());
        }
        waits
    }

    #[test]
    fn waits_grow_to_a_minute_and_end() {
        let mut expected = vec![50, 200, 800, 3200, 12_800, 51_200];
        expected.extend([60_000; 9]);
        assert_eq!(waits(3600, None, 0.0), expected);
        assert_eq!(waits(3600, None, 1.0)[..4], [50, 200, 800, 3700]);
    }

    #[test]
    fn the_budget_cuts_the_last_wait() {
        assert_eq!(waits(1, None, 0.0), [50, 200, 750]);
        assert_eq!(waits(120, None, 0.0), [50, 200, 800, 3200, 12_800, 51_200, 51_750]);
        assert!(waits(0, None, 0.0).is_empty());
    }

    #[test]
    fn the_servers_delay_is_a_minimum() {
        assert_eq!(waits(3, Some(1), 0.0), [1000, 1000, 1000]);
        assert_eq!(waits(3, Some(2), 0.0), [2000], "a second wait would end before the server wants it");
        assert!(waits(3, Some(4), 0.0).is_empty());
    }

    #[test]
    fn what_passes_by_itself() {
        let ordered = |delay: Option<u64>| {
            let mut details = ErrorDetails::new();
            details.set_retry_info(delay.map(Duration::from_secs));
            Status::with_error_details(Code::ResourceExhausted, "later", details)
        };
        let table = [
            (Status::unavailable("down"), Verdict::Passing(None)),
            (Status::internal("[INVALID_CURSOR.DISCONNECTED] taken"), Verdict::Passing(None)),
            (Status::internal("internal error: task is being paused"), Verdict::Passing(None)),
            (ordered(Some(7)), Verdict::Passing(Some(Duration::from_secs(7)))),
            (Status::unknown("protocol error: missing grpc-status trailer, cut"), Verdict::Passing(None)),
            (
                Status::internal("a page while receiving response with status: 502 Bad Gateway"),
                Verdict::Passing(None),
            ),
            (Status::internal("a page while receiving response with status: 404 Not Found"), Verdict::Final),
            (Status::internal("[TABLE_OR_VIEW_NOT_FOUND] no"), Verdict::Final),
            (Status::deadline_exceeded("late"), Verdict::Final),
            (Status::resource_exhausted("full"), Verdict::Final),
            (Status::aborted("no"), Verdict::Final),
            (Status::cancelled("no"), Verdict::Final),
            (Status::unimplemented("no"), Verdict::Final),
        ];
        for (status, expected) in table {
            assert_eq!(verdict(&status), expected, "{status:?}");
        }
    }
}
