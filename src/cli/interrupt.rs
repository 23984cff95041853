//! Owns what stops a verb from outside: signals, of which the first one stops gracefully and the second one at once, and a limit of
//! time.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use crate::duration::Limit;

/// What the user, or whoever runs pipectl, wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Interrupt,
    Terminate,
    /// It takes longer than it was given.
    Overdue(Limit),
}

impl Signal {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            // The pipeline or its data are at fault: it would have to do less, or be given more time.
            Self::Overdue(_) => 1,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupt => f.write_str("interrupted"),
            Self::Terminate => f.write_str("terminated"),
            Self::Overdue(limit) => write!(f, "the run took longer than its `--timeout` of {limit}"),
        }
    }
}

/// `timeout` and service managers signal a process and then its group: the same signal so soon is the same wish.
const ECHO: Duration = Duration::from_millis(300);

/// Watches for signals as long as it lives.
pub(super) struct Interrupt {
    token: CancellationToken,
    which: Arc<OnceLock<Signal>>,
    watching: JoinSet<()>,
}

impl Interrupt {
    pub(super) fn watch() -> Result<Self, Failure> {
        let mut interrupts = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
        let mut terminations = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
        let token = CancellationToken::new();
        let which = Arc::new(OnceLock::new());
        let mut watching = JoinSet::new();
        let (cancel, first) = (token.clone(), Arc::clone(&which));
        watching.spawn(async move {
            let mut last: Option<(Signal, Instant)> = None;
            loop {
                let got = tokio::select! {
                    _ = interrupts.recv() => Signal::Interrupt,
                    _ = terminations.recv() => Signal::Terminate,
                };
                let is_echo = last.is_some_and(|(signal, at)| signal == got && at.elapsed() < ECHO);
                last = Some((got, Instant::now()));
                if first.set(got).is_err() && !is_echo {
                    exit(got);
                }
                cancel.cancel();
            }
        });
        Ok(Self { token, which, watching })
    }

    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Stops when this time has passed since `began`.
    pub(super) fn after(&mut self, limit: Limit, began: Instant) {
        let (cancel, first) = (self.token.clone(), Arc::clone(&self.which));
        let end = tokio::time::Instant::from_std(began + Duration::from(limit));
        self.watching.spawn(async move {
            sleep_until(end).await;
            if first.set(Signal::Overdue(limit)).is_ok() {
                cancel.cancel();
            }
        });
    }

    /// Names the signal in a failure that it has brought about.
    pub(super) fn named(&self, failure: Failure) -> Failure {
        match (failure, self.signal()) {
            (Failure::Interrupted(_), Some(signal)) => Failure::Interrupted(signal),
            (failure, _) => failure,
        }
    }

    /// The first signal, where there was one.
    fn signal(&self) -> Option<Signal> {
        self.which.get().copied()
    }

    /// Awaits something for as long as nobody wants to stop.
    pub(super) async fn or<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => Err(Failure::Interrupted(self.signal().unwrap_or(Signal::Interrupt))),
            result = work => result,
        }
    }
}

#[expect(clippy::exit, reason = "who asks twice does not want to wait; the engine ends when its pipe closes")]
fn exit(signal: Signal) {
    std::process::exit(i32::from(signal.exit_code()));
}
