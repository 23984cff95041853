//! Owns what stops a verb from outside: signals, of which the first one stops gracefully and the second one at once, and a limit of
//! time.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::exit;
use super::failure::Failure;
use crate::backend::Stop;
use crate::duration::Limit;
use crate::record::StopReason;

/// `timeout` and service managers signal a process and then its group: the same signal so soon is the same wish.
const ECHO: Duration = Duration::from_millis(300);

/// Watches for signals as long as it lives.
pub(super) struct Interrupt {
    stop: Stop,
    watching: JoinSet<()>,
}

impl Interrupt {
    /// Watches for signals, and with a limit until this time has passed since `began`.
    pub(super) fn watch(limit: Option<Limit>, began: Instant) -> Result<Self, Failure> {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
        let stop = Stop::default();
        let mut watching = JoinSet::new();
        let stopping = stop.clone();
        watching.spawn(async move {
            let mut last: Option<(StopReason, Instant)> = None;
            loop {
                let got = tokio::select! {
                    _ = interrupts.recv() => StopReason::Interrupted,
                    _ = terminations.recv() => StopReason::Terminated,
                };
                let is_echo = last.is_some_and(|(signal, at)| signal == got && at.elapsed() < ECHO);
                last = Some((got.clone(), Instant::now()));
                if !stopping.stop(got.clone()) && !is_echo {
                    exit_now(&got);
                }
            }
        });
        if let Some(limit) = limit {
            let stopping = stop.clone();
            let end = tokio::time::Instant::from_std(began + Duration::from(limit));
            watching.spawn(async move {
                sleep_until(end).await;
                stopping.stop(StopReason::TimedOut { limit: limit.to_string() });
            });
        }
        Ok(Self { stop, watching })
    }

    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Awaits something for as long as nobody wants to stop.
    pub(super) async fn or<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.stop.token().cancelled() => Err(self.named(Failure::Interrupted(StopReason::Interrupted))),
            result = work => result,
        }
    }

    /// Names what stopped the verb, in a failure that this has brought about.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        match (failure, self.stop.reason()) {
            (Failure::Interrupted(_), Some(reason)) => Failure::Interrupted(reason),
            (failure, _) => failure,
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.watching.abort_all();
    }
}

#[expect(clippy::exit, reason = "who asks twice does not want to wait; the engine ends when its pipe closes")]
fn exit_now(reason: &StopReason) {
    std::process::exit(i32::from(exit::of_stop(reason)));
}
