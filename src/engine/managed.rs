//! Runs an engine for one run of pipectl, and ends it with everything it has left; or lets go of it, so that it stays.
//!
//! Between pipectl and the engine stands a launcher (`launch.py`), whose standard input is the engine's thread of life: when
//! this process lets go of it, by [`Managed::stop`], by a drop or by being killed, the launcher ends the engine and removes its
//! folder. Without it, that would take unsafe code and work on Linux alone. For an engine that stays, `keep.py` holds the other end.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::classes;
use super::error::Error;
use super::install::{self, Installation, Trust};
use super::java::Java;
use super::tail::{Tail, each_line};
use super::{Kind, Place, Progress, Report};
use crate::connect::{Endpoint, Token};
use crate::secret;

/// What the names of variables begin with by which an engine reaches object stores.
const STORES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

const LAUNCHER: &str = include_str!("launch.py");
const KEEPER: &str = include_str!("keep.py");
const MEMORY: &str = include_str!("memory.py");
/// How long the engine may take to end, and then its folder to vanish.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// How long the streams of a process that has ended may still have something to say.
const LAST_WORDS: Duration = Duration::from_millis(200);
const TIME_BETWEEN_CONNECTS: Duration = Duration::from_millis(10);

/// How an engine is to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// How long it may take until it accepts connections; what is usual for its kind if not given.
    pub ready_within: Option<Duration>,
    /// The bytes of memory it may use before it spills to disk; a share of the machine's if not given.
    pub memory: Option<u64>,
}

/// What a kind says of its server.
#[derive(Debug, Default)]
pub(super) struct Launch {
    /// Arguments of its script, after the folder of its packages.
    pub arguments: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    /// Variables of the user's environment that it does not get, by the beginning of their names.
    pub dropped: &'static [&'static str],
    /// Files in its private folder: name and content.
    pub files: Vec<(&'static str, String)>,
    /// What a caller has to show.
    pub token: Option<String>,
}

/// An engine that runs, and ends with this value.
#[derive(Debug)]
pub(crate) struct Managed {
    port: u16,
    running: Running,
}

impl Managed {
    /// Starts a private engine, and installs it first where that is needed. It accepts connections when this returns.
    pub(super) async fn start(
        kind: Kind,
        place: &Place,
        settings: &Settings,
        progress: &Report<'_>,
    ) -> Result<Self, Error> {
        Self::start_with(Start { kind, place, settings, record: None }, progress).await
    }

    /// Starts an engine that can be let go of, so that it stays. It has a process that keeps it, and removes `record` at the end.
    pub(super) async fn start_kept(
        kind: Kind,
        place: &Place,
        settings: &Settings,
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

/// What is to be started.
struct Start<'a> {
    kind: Kind,
    place: &'a Place,
    settings: &'a Settings,
    /// The file that says where a kept engine is; a private one has none.
    record: Option<&'a Path>,
}

/// What an engine runs with.
pub(super) struct Tools {
    pub installation: Installation,
    java: Option<Java>,
}

impl Tools {
    pub(super) async fn ensure(
        kind: Kind,
        place: &Place,
        trust: Trust,
        progress: &Report<'_>,
    ) -> Result<Self, Error> {
        let java = kind.java(place, trust, progress).await?;
        let installation = install::ensure(kind.packages(), place, trust, progress).await?;
        if let Some(java) = &java {
            classes::ensure(kind, place, &installation, java, progress).await;
        }
        Ok(Self { installation, java })
    }

    fn java(&self) -> Option<(&Installation, &Java)> {
        self.java.as_ref().map(|java| (&self.installation, java))
    }
}

/// An engine that has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub ending: Ending,
    pub last_lines: Vec<String>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Code(i32),
    Signal(i32),
    /// Nobody knows: its launcher ended first, and the engine goes with it.
    #[serde(skip)]
    Unknown,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "it exited with code {code}"),
            // The numbers that are the same on Linux and macOS.
            Self::Signal(6) => write!(f, "it aborted (SIGABRT)"),
            Self::Signal(9) => {
                write!(f, "it was killed (SIGKILL), perhaps because the machine ran out of memory")
            }
            Self::Signal(11) => {
                write!(
                    f,
                    "it crashed (SIGSEGV), perhaps because an expression or a plan is nested too deeply"
                )
            }
            Self::Signal(signal) => write!(f, "it was ended by signal {signal}"),
            Self::Unknown => write!(f, "its launcher ended without a word"),
        }
    }
}

/// The private folder of a run, removed by the launcher, or by a drop that comes first.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn create(kind: Kind, place: &Place) -> Result<Self, Error> {
        let name = format!("pipectl-{}-{}", kind.packages().name, uuid::Uuid::new_v4().simple());
        // The server gets another working directory, so a relative path would lead it astray.
        let path =
            std::path::absolute(place.temporary.join(&name)).unwrap_or_else(|_| place.temporary.join(name));
        let folder = Self { path };
        folder.fill(kind).map_err(|source| Error::Folder { path: folder.path.clone(), source })?;
        Ok(folder)
    }

    fn fill(&self, kind: Kind) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(&self.path)?;
        for folder in [self.work(), self.spill(), self.checkpoint()] {
            fs::create_dir(folder)?;
        }
        fs::write(self.launcher(), LAUNCHER)?;
        fs::write(self.keeper(), KEEPER)?;
        fs::write(self.path.join("memory.py"), MEMORY)?;
        fs::write(self.script(), kind.script())
    }

    /// Writes what is its owner's alone to read, as the folder is.
    pub(super) fn write(&self, files: &[(&'static str, String)]) -> Result<(), Error> {
        let written = files.iter().try_for_each(|(name, content)| {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            options.open(self.path.join(name))?.write_all(content.as_bytes())
        });
        written.map_err(|source| Error::Folder { path: self.path.clone(), source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's working directory.
    fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    pub(super) fn spill(&self) -> PathBuf {
        self.path.join("spill")
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    fn launcher(&self) -> PathBuf {
        self.path.join("launch.py")
    }

    fn keeper(&self) -> PathBuf {
        self.path.join("keep.py")
    }

    fn control(&self) -> PathBuf {
        self.path.join("control")
    }

    fn script(&self) -> PathBuf {
        self.path.join("serve.py")
    }

    pub(super) fn remove(&self) {
        drop(fs::remove_dir_all(&self.path));
    }
}

/// Why a start did not succeed.
enum Failure {
    /// The packages cannot be loaded: another installation may help.
    Broken(String),
    Final(Error),
}

async fn attempt(start: &Start<'_>, tools: &Tools) -> Result<Managed, Failure> {
    let running = Running::launch(start, tools).map_err(Failure::Final)?;
    let limit = start.settings.ready_within.unwrap_or_else(|| start.kind.ready_within());
    let failure = match timeout(limit, running.ready()).await {
        Ok(Ok(port)) => return Ok(Managed { port, running }),
        Ok(Err(failure)) => failure,
        Err(_) => Failure::Final(Error::Silent { limit, last_lines: running.tail.lines() }),
    };
    running.stop().await;
    Err(failure)
}

/// What is known about the engine's process.
#[derive(Clone, Debug)]
enum State {
    Starting,
    Listening(u16),
    Ended(Outcome),
    /// Ended, and its launcher too.
    Gone(Outcome),
}

#[derive(Clone, Debug)]
struct Outcome {
    ending: Ending,
    /// Why its packages could not be loaded.
    broken: Option<String>,
}

impl Outcome {
    const UNKNOWN: Self = Self { ending: Ending::Unknown, broken: None };
}

/// A launched process, whether ready or not.
#[derive(Debug)]
struct Running {
    /// Held open as long as the engine is to live.
    life: Option<ChildStdin>,
    kill: Option<oneshot::Sender<()>>,
    state: watch::Receiver<State>,
    tail: Tail,
    folder: Folder,
    token: Option<String>,
    pid: u32,
    /// Owns the task that watches the process.
    watch: JoinSet<()>,
}

/// What the launcher is told.
#[derive(Serialize)]
struct Order<'a> {
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
    fn launch(start: &Start<'_>, tools: &Tools) -> Result<Self, Error> {
        let &Start { kind, place, settings, record } = start;
        let folder = Folder::create(kind, place)?;
        let python = &tools.installation.python.executable;
        let launch = kind.launch(settings, &folder, tools.java());
        folder.write(&launch.files).inspect_err(|_| folder.remove())?;
        let (script, site) = (folder.script(), tools.installation.site());
        // Isolated, and without the packages that are installed for this Python: only the engine's own count.
        let mut command = vec![python.as_path(), Path::new("-I"), Path::new("-S")];
        command.extend([script.as_path(), site.as_path()]);
        command.extend(launch.arguments.iter().map(Path::new));
        let order = Order {
            folder: &folder.path,
            command,
            environment: launch.environment.into_iter().collect(),
            dropped: launch.dropped,
        };
        let encoded =
            |error: serde_json::Error| Error::Folder { path: folder.path.clone(), source: error.into() };
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
            // It makes a session of its own, which the leader of a group cannot.
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
    async fn ready(&self) -> Result<u16, Failure> {
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

    async fn outcome(&self) -> Outcome {
        let mut state = self.state.clone();
        let ended = state.wait_for(|state| matches!(state, State::Ended(_) | State::Gone(_))).await;
        match ended.map(|state| state.clone()) {
            Ok(State::Ended(outcome) | State::Gone(outcome)) => outcome,
            Ok(State::Starting | State::Listening(_)) | Err(_) => Outcome::UNKNOWN,
        }
    }

    async fn stop(mut self) {
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

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;
    use std::net;
    use std::process;
    use std::time::Instant;

    use super::super::{Downloads, default_cache};
    use super::*;

    /// The user's own cache, since it takes a download to fill one.
    fn place() -> Place {
        Place {
            cache: default_cache().unwrap(),
            temporary: std::env::temp_dir(),
            python: None,
            java: None,
            java_home: None,
            warm: std::env::temp_dir().join("none"),
            downloads: Downloads::Allowed,
        }
    }

    async fn start(place: &Place) -> Managed {
        Kind::Sail.start(place, &Settings::default(), &|_| {}).await.unwrap()
    }

    /// The processes that have the text in their command line: number and command.
    fn processes(text: &str) -> Vec<(u32, String)> {
        let output = process::Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().unwrap();
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = lines.lines().filter(|line| line.contains(text));
        let parts = lines.filter_map(|line| line.trim().split_once(' '));
        parts.map(|(pid, command)| (pid.parse().unwrap(), command.to_owned())).collect()
    }

    fn signal(name: &str, script: &str, folder: &Path) {
        let folder = folder.display().to_string();
        let script = format!("-S {folder}/{script}");
        let found = processes(&script);
        assert_eq!(found.len(), 1, "{found:?}");
        let status = process::Command::new("kill").args([name, &found[0].0.to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn accepts(port: u16) -> bool {
        net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    }

    /// Fails unless process, port and folder are gone within some seconds.
    fn assert_nothing_is_left(folder: &Path, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let left = processes(&folder.display().to_string());
            if left.is_empty() && !folder.exists() && !accepts(port) {
                return;
            }
            let folder = folder.exists();
            assert!(Instant::now() < deadline, "processes {left:?}, folder {folder}, port {}", accepts(port));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[tokio::test]
    async fn starts_and_stops() {
        let engine = start(&place()).await;
        let folder = engine.running.folder.path.clone();
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&folder).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
        assert!(accepts(engine.port));
        assert_eq!(processes(&folder.display().to_string()).len(), 2);
        let port = engine.port;
        engine.stop().await;
        assert!(!folder.exists());
        assert!(!accepts(port));
        assert!(processes(&folder.display().to_string()).is_empty());
    }

    #[tokio::test]
    async fn two_run_side_by_side() {
        let place = place();
        let (one, other) = tokio::join!(start(&place), start(&place));
        assert_ne!(one.port, other.port);
        one.stop().await;
        assert!(accepts(other.port));
        other.stop().await;
    }

    #[tokio::test]
    async fn a_drop_ends_it() {
        let engine = start(&place()).await;
        let (folder, port) = (engine.running.folder.path.clone(), engine.port);
        drop(engine);
        assert_nothing_is_left(&folder, port);
    }

    #[tokio::test]
    async fn says_how_it_ended_by_itself() {
        let engine = start(&place()).await;
        let (folder, port) = (engine.running.folder.path.clone(), engine.port);
        signal("-SEGV", "serve.py", &folder);
        let ended = engine.ended().await;
        assert_eq!(ended.ending, Ending::Signal(11));
        insta::assert_snapshot!(
            ended.ending,
            @"it crashed (SIGSEGV), perhaps because an expression or a plan is nested too deeply"
        );
        engine.stop().await;
        assert_nothing_is_left(&folder, port);
    }

    #[tokio::test]
    async fn ignores_what_is_meant_for_the_whole_group() {
        let engine = start(&place()).await;
        let (folder, port) = (engine.running.folder.path.clone(), engine.port);
        for script in ["launch.py", "serve.py"] {
            signal("-TERM", script, &folder);
            signal("-HUP", script, &folder);
        }
        assert!(timeout(Duration::from_millis(300), engine.ended()).await.is_err());
        assert!(accepts(port));
        engine.stop().await;
        assert_nothing_is_left(&folder, port);
    }

    #[tokio::test]
    async fn survives_no_launcher() {
        for name in ["-KILL", "-STOP"] {
            let engine = start(&place()).await;
            let (folder, port) = (engine.running.folder.path.clone(), engine.port);
            signal(name, "launch.py", &folder);
            if name == "-KILL" {
                assert_eq!(engine.ended().await.ending, Ending::Unknown);
            }
            engine.stop().await;
            assert_nothing_is_left(&folder, port);
        }
    }

    #[tokio::test]
    #[ignore = "the helper of the next test, which starts and kills it"]
    async fn holds_an_engine_until_it_is_killed() {
        let engine = start(&place()).await;
        fs::write(
            std::env::temp_dir().join(format!("pipectl-held-by-{}", process::id())),
            format!("{}\n{}\n", engine.port, engine.running.folder.path.display()),
        )
        .unwrap();
        sleep(Duration::from_secs(20)).await;
    }

    #[tokio::test]
    async fn nothing_outlives_a_killed_pipectl() {
        let name = "engine::managed::tests::holds_an_engine_until_it_is_killed";
        let mut holder = process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--ignored"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let file = std::env::temp_dir().join(format!("pipectl-held-by-{}", holder.id()));
        let lines = loop {
            let lines: Vec<_> = fs::read(&file).unwrap_or_default().lines().map_while(Result::ok).collect();
            if lines.len() == 2 {
                break lines;
            }
            assert!(holder.try_wait().unwrap().is_none(), "the holder has ended by itself");
            sleep(Duration::from_millis(20)).await;
        };
        fs::remove_file(&file).unwrap();
        let (port, folder) = (lines[0].parse().unwrap(), PathBuf::from(&lines[1]));
        assert!(accepts(port));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_nothing_is_left(&folder, port);
    }

    #[tokio::test]
    async fn a_start_that_takes_too_long_leaves_nothing() {
        let temporary = tempfile::tempdir().unwrap();
        let place = Place { temporary: temporary.path().to_owned(), ..place() };
        let settings = Settings { ready_within: Some(Duration::ZERO), memory: None };
        let error = Kind::Sail.start(&place, &settings, &|_| {}).await.unwrap_err();
        insta::assert_snapshot!(error, @"the engine did not start within 0 s");
        assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn says_where_it_cannot_work() {
        let place = Place { temporary: PathBuf::from("/nowhere"), ..place() };
        let error = Kind::Sail.start(&place, &Settings::default(), &|_| {}).await.unwrap_err();
        assert!(
            error.to_string().starts_with("cannot prepare the engine's private folder `/nowhere/"),
            "{error}"
        );
    }
}
