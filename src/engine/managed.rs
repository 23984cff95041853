//! Runs an engine for one run of pipectl, and ends it with everything it has left; or lets go of it, so that it stays.
//!
//! Between pipectl and the engine stands a launcher (`launch` of the Python part), whose standard input is the engine's thread of life: when
//! this process lets go of it, by [`Managed::stop`], by a drop or by being killed, the launcher ends the engine and removes its
//! folder. Without it, that would take unsafe code and work on Linux alone. For an engine that stays, `keep` holds the other end.

mod running;
mod start;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::timeout;

use self::running::{Failure, Running};
use self::start::Start;
use super::ending::Ended;
use super::error::Error;
use super::installation::Trust;
use super::kind::EngineKind;
use super::launch::LaunchSettings;
use super::leftover;
use super::paths::EnginePaths;
use super::progress::{Progress, Report};
use crate::connect::{Endpoint, Token};

pub(super) use self::start::Tools;

/// An engine that runs, and ends with this value.
#[derive(Debug)]
pub(crate) struct Managed {
    port: u16,
    running: Running,
    is_beside: bool,
}

impl Managed {
    /// Starts a private engine, and installs it first where that is needed. It accepts connections when this returns.
    pub(super) async fn start(
        kind: EngineKind,
        place: &EnginePaths,
        settings: &LaunchSettings,
        progress: &Report<'_>,
    ) -> Result<Self, Error> {
        Self::start_with(Start { kind, place, settings, record: None }, progress).await
    }

    /// Starts an engine that can be let go of, so that it stays. It has a process that keeps it, and removes `record` at the end.
    pub(super) async fn start_kept(
        kind: EngineKind,
        place: &EnginePaths,
        settings: &LaunchSettings,
        record: &Path,
        progress: &Report<'_>,
    ) -> Result<Self, Error> {
        Self::start_with(Start { kind, place, settings, record: Some(record) }, progress).await
    }

    async fn start_with(start: Start<'_>, progress: &Report<'_>) -> Result<Self, Error> {
        let tools = Tools::ensure(start.kind, start.place, Trust::Record, progress).await?;
        progress(Progress::Starting);
        let reason = match attempt(&start, &tools).await {
            Err(Failure::Broken(reason)) => reason,
            Err(Failure::Final(error)) => return Err(error),
            Ok(managed) => return Ok(managed),
        };
        let tools = Tools::ensure(start.kind, start.place, Trust::Verify, progress).await?;
        progress(Progress::Starting);
        attempt(&start, &tools).await.map_err(|failure| match failure {
            Failure::Broken(_) => Error::Unloadable { reason },
            Failure::Final(error) => error,
        })
    }

    /// Where it listens, with what it takes to be let in.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::loopback(self.port, self.running.token.clone().and_then(Token::new))
    }

    /// Whether it is the engine in the program's environment.
    pub(crate) fn is_beside(&self) -> bool {
        self.is_beside
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn token(&self) -> Option<String> {
        self.running.token.clone()
    }

    /// The process that pipectl has started.
    pub(super) fn pid(&self) -> u32 {
        self.running.pid
    }

    /// The named pipe of a kept engine.
    pub(super) fn control(&self) -> PathBuf {
        self.running.folder.control()
    }

    /// Lets a kept engine live on when this process ends.
    pub(super) async fn let_go(mut self) -> io::Result<()> {
        match &mut self.running.life {
            Some(life) => {
                life.write_all(b"keep\n").await?;
                life.flush().await
            }
            None => Ok(()),
        }
    }

    /// Waits until it has ended, which it should not do by itself.
    pub(crate) async fn ended(&self) -> Ended {
        let ending = self.running.outcome().await.ending;
        Ended { ending, last_lines: self.last_lines() }
    }

    /// The last lines that it has written to its standard error.
    pub(crate) fn last_lines(&self) -> Vec<String> {
        self.running.tail.lines()
    }

    /// Ends it, and waits until it and its folder are gone. A drop ends it too, but does not wait.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

async fn attempt(start: &Start<'_>, tools: &Tools) -> Result<Managed, Failure> {
    let running = Running::launch(start, tools).map_err(Failure::Final)?;
    let limit = start.settings.ready_within.unwrap_or_else(|| start.kind.ready_within());
    let temporary = start.place.temporary.clone();
    let mut sweep = JoinSet::new();
    sweep.spawn_blocking(move || leftover::remove_all(&temporary, Instant::now() + leftover::LIMIT));
    let ready = timeout(limit, running.ready()).await;
    drop(sweep.join_next().await);
    let failure = match ready {
        Ok(Ok(port)) => {
            return Ok(Managed { port, running, is_beside: tools.installation.is_beside() });
        }
        Ok(Err(failure)) => failure,
        Err(_) => Failure::Final(Error::Silent { limit, last_lines: running.tail.lines() }),
    };
    running.stop().await;
    Err(failure)
}
