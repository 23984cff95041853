//! A launched process: what is known of it, what it says, and how it ends.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::start::{Start, Tools};
use crate::engine::ending::Ending;
use crate::engine::error::Error;
use crate::engine::folder::Folder;
use crate::engine::tail::{Tail, each_line};
use crate::secret;

/// What the names of variables begin with by which an engine reaches object stores.
const STORES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];
/// The timeout for the engine to end, and then for its folder to vanish.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// How long the streams of a process that has ended may still have something to say.
const LAST_WORDS: Duration = Duration::from_millis(200);
const TIME_BETWEEN_CONNECTS: Duration = Duration::from_millis(10);

/// Why a start did not succeed.
pub(super) enum Failure {
    /// The packages cannot be loaded: another installation may help.
    Broken(String),
    Final(Error),
}

/// What is known about the engine's process.
#[derive(Clone, Debug)]
pub(super) enum State {
    Starting,
    Listening(u16),
    Ended(Outcome),
    /// Ended, and its launcher too.
    Gone(Outcome),
}

#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) ending: Ending,
    /// Why its packages could not be loaded.
    pub(super) broken: Option<String>,
}

impl Outcome {
    const UNKNOWN: Self = Self { ending: Ending::Unknown, broken: None };
}

/// A launched process, whether ready or not.
#[derive(Debug)]
pub(super) struct Running {
    /// Held open as long as the engine is to live.
    pub(super) life: Option<ChildStdin>,
    pub(super) kill: Option<oneshot::Sender<()>>,
    pub(super) state: watch::Receiver<State>,
    pub(super) tail: Tail,
    pub(super) folder: Folder,
    pub(super) token: Option<String>,
    pub(super) pid: u32,
    /// Owns the task that watches the process.
    pub(super) watch: JoinSet<()>,
}

/// The launcher's arguments.
#[derive(Serialize)]
struct LaunchInput<'a> {
    folder: &'a Path,
    command: Vec<&'a Path>,
    environment: BTreeMap<&'static str, String>,
    dropped: &'static [&'static str],
}

/// What the process is told that keeps an engine.
#[derive(Serialize)]
struct KeepOrder<'a> {
    command: Vec<&'a Path>,
    control: &'a Path,
    record: &'a Path,
}

/// What launcher and server say on their standard output.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    Listening(u16),
    Broken(String),
    Ended(Ending),
}

impl Running {
    pub(super) fn launch(start: &Start<'_>, tools: &Tools) -> Result<Self, Error> {
        let &Start { kind, place, settings, record } = start;
        let folder = Folder::create(kind, place)?;
        let python = &tools.installation.python.executable;
        let launch = kind.launch(settings, &folder, tools.java());
        folder.write(&launch.files).inspect_err(|_| folder.remove())?;
        let (server, packages) = (folder.server(), tools.installation.packages());
        // Isolated, and without the packages that are installed for this Python: only the engine's own count.
        let mut command = vec![python.as_path(), Path::new("-I"), Path::new("-S")];
        command.extend([server.as_path(), Path::new(&packages)]);
        command.extend(launch.arguments.iter().map(Path::new));
        let order = LaunchInput {
            folder: folder.path(),
            command,
            environment: launch.environment.into_iter().collect(),
            dropped: launch.dropped,
        };
        let encoded =
            |error: serde_json::Error| Error::Folder { path: folder.path().to_owned(), source: error.into() };
        let order = serde_json::to_string(&order).map_err(encoded)?;
        let launcher = folder.launcher();
        let mut spawn = Command::new(python);
        spawn.args(["-I", "-S"]);
        // SQL can read the server's environment; what a pipeline has as a secret it gets by the pipeline.
        let of_stores = |name: &String| STORES.iter().any(|prefix| name.starts_with(prefix));
        for name in secret::variables().iter().filter(|name| !of_stores(name)) {
            spawn.env_remove(name);
        }
        match record {
            // An interrupt from the terminal is for pipectl, which still needs the engine to interrupt its operations.
            None => spawn.arg(&launcher).arg(order).process_group(0),
            // It makes a new process session, which the leader of a group cannot.
            Some(record) => {
                let command =
                    vec![python.as_path(), Path::new("-I"), Path::new("-S"), &launcher, Path::new(&order)];
                let keep = KeepOrder { command, control: &folder.control(), record };
                spawn.arg(folder.keeper()).arg(serde_json::to_string(&keep).map_err(encoded)?)
            }
        };
        let spawned = spawn.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let spawned = spawned.and_then(|mut child| {
            let pipes = child.stdin.take().zip(child.stdout.take()).zip(child.stderr.take());
            pipes.map(|pipes| (child, pipes)).ok_or_else(|| io::Error::other("its pipes are missing"))
        });
        let (child, ((life, stdout), stderr)) = spawned.map_err(|source| {
            folder.remove();
            Error::Spawn { program: python.clone(), source }
        })?;

        let tail = Tail::default();
        let pid = child.id().unwrap_or_default();
        let (sender, state) = watch::channel(State::Starting);
        let (kill, killed) = oneshot::channel();
        let mut watch = JoinSet::new();
        watch.spawn(follow(Watched { child, stdout, stderr, killed }, tail.clone(), sender));
        Ok(Self { life: Some(life), kill: Some(kill), state, tail, folder, token: launch.token, pid, watch })
    }

    /// Waits until the engine accepts connections, and gives its port.
    pub(super) async fn ready(&self) -> Result<u16, Failure> {
        let mut state = self.state.clone();
        let known = state.wait_for(|state| !matches!(state, State::Starting)).await;
        let port = match known.map(|state| state.clone()) {
            Ok(State::Listening(port)) => port,
            Ok(State::Ended(outcome) | State::Gone(outcome)) => return Err(self.failure(outcome)),
            Ok(State::Starting) | Err(_) => return Err(self.failure(Outcome::UNKNOWN)),
        };
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::select! {
                outcome = self.outcome() => return Err(self.failure(outcome)),
                () = sleep(TIME_BETWEEN_CONNECTS) => {}
            }
        }
        Ok(port)
    }

    fn failure(&self, outcome: Outcome) -> Failure {
        match outcome.broken {
            Some(reason) => Failure::Broken(reason),
            None => {
                Failure::Final(Error::EndedEarly { ending: outcome.ending, last_lines: self.tail.lines() })
            }
        }
    }

    pub(super) async fn outcome(&self) -> Outcome {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| matches!(state, State::Ended(_) | State::Gone(_))).await;
        match ended.map(|state| state.clone()) {
            Ok(State::Ended(outcome) | State::Gone(outcome)) => outcome,
            Ok(State::Starting | State::Listening(_)) | Err(_) => Outcome::UNKNOWN,
        }
    }

    pub(super) async fn stop(mut self) {
        drop(self.life.take());
        let has_ended = timeout(STOP_LIMIT, self.outcome()).await.is_ok();
        if !has_ended && let Some(kill) = self.kill.take() {
            // The engine reads the same pipe, so it ends by itself where its launcher is stuck.
            let _ = kill.send(());
        }
        let mut state = self.state.clone();
        let gone = timeout(STOP_LIMIT, state.wait_for(|state| matches!(state, State::Gone(_)))).await;
        // Beyond the limit a living launcher goes on removing the folder by itself: it may be large.
        if gone.is_ok() {
            self.folder.remove();
        }
        drop(self.watch);
    }
}

/// A process and what it writes.
struct Watched {
    child: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
    killed: oneshot::Receiver<()>,
}

/// Follows a launched process until it is gone.
async fn follow(watched: Watched, tail: Tail, state: watch::Sender<State>) {
    let Watched { mut child, stdout, stderr, mut killed } = watched;
    let streams = async {
        let mut outcome = Outcome::UNKNOWN;
        let hear = |line: &[u8]| match serde_json::from_slice(line) {
            Ok(Message::Listening(port)) => drop(state.send_replace(State::Listening(port))),
            Ok(Message::Broken(reason)) => outcome.broken = Some(reason),
            Ok(Message::Ended(ending)) => outcome.ending = ending,
            Err(_) => tail.push(line),
        };
        tokio::join!(each_line(stdout, hear), each_line(stderr, |line| tail.push(line)));
        outcome
    };
    let mut streams = std::pin::pin!(streams);
    let outcome = tokio::select! {
        // The launcher lets go of both when the engine has ended, so the last lines are complete.
        outcome = &mut streams => outcome,
        _ = child.wait() => timeout(LAST_WORDS, streams).await.unwrap_or(Outcome::UNKNOWN),
        Ok(()) = &mut killed => {
            drop(child.start_kill());
            Outcome::UNKNOWN
        }
    };
    state.send_replace(State::Ended(outcome.clone()));
    tokio::select! {
        _ = child.wait() => {}
        Ok(()) = &mut killed, if !killed.is_terminated() => drop(child.kill().await),
    }
    state.send_replace(State::Gone(outcome));
}
