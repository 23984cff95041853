//! Real engines, which start, serve, and end however they are ended.

use std::fs;
use std::io::BufRead as _;
use std::net;
use std::process::{self, Stdio};
use std::time::Duration;

use tokio::time::sleep;

use super::*;
use crate::engine::ending::Ending;
use crate::engine::{Downloads, default_cache, search_path};

/// The user's own cache, since it takes a download to fill one.
fn place() -> EnginePaths {
    EnginePaths {
        program: None,
        search_path: search_path(),
        cache: default_cache().unwrap(),
        temporary: std::env::temp_dir(),
        python: None,
        java: None,
        java_home: None,
        warm: std::env::temp_dir().join("none"),
        downloads: Downloads::Allowed,
    }
}

async fn start(place: &EnginePaths) -> Managed {
    EngineKind::Sail.start(place, &LaunchSettings::default(), &|_| {}).await.unwrap()
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
    let folder = engine.running.folder.path().to_owned();
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
    let (folder, port) = (engine.running.folder.path().to_owned(), engine.port);
    drop(engine);
    assert_nothing_is_left(&folder, port);
}

#[tokio::test]
async fn says_how_it_ended_by_itself() {
    let engine = start(&place()).await;
    let (folder, port) = (engine.running.folder.path().to_owned(), engine.port);
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
    let (folder, port) = (engine.running.folder.path().to_owned(), engine.port);
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
        let (folder, port) = (engine.running.folder.path().to_owned(), engine.port);
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
        format!("{}\n{}\n", engine.port, engine.running.folder.path().display()),
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
    let place = EnginePaths { temporary: temporary.path().to_owned(), ..place() };
    let settings = LaunchSettings { ready_within: Some(Duration::ZERO), memory: None };
    let error = EngineKind::Sail.start(&place, &settings, &|_| {}).await.unwrap_err();
    insta::assert_snapshot!(error, @"the engine did not start within 0 s");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn says_where_it_cannot_work() {
    let place = EnginePaths { temporary: PathBuf::from("/nowhere"), ..place() };
    let error = EngineKind::Sail.start(&place, &LaunchSettings::default(), &|_| {}).await.unwrap_err();
    assert!(
        error.to_string().starts_with("cannot prepare the engine's private folder `/nowhere/"),
        "{error}"
    );
}
