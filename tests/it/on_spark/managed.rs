//! `run --engine` and `engine`: Spark as pipectl starts it, engines that stay, and what keeps them from starting.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::Home;
use crate::support::{Case, ENDLESS, bare, installed, processes, signal};

pub(crate) const ROWS: &str = "\
version: 1
steps:
  people:
    values: { columns: { name: string, age: int }, rows: [[Ann, 31], [Bob, 42], [Zoë, 5]] }
  grown:
    from: people
    transform: [filter: age > 6, sort: age DESC]
    write: { stdout: csv }
  ages:
    sql: SELECT count(*) AS n, sum(age) AS s FROM people
    write: { stdout: csv }
";
pub(crate) const RESULT: &str = "name,age\nBob,42\nAnn,31\nn,s\n3,78\n";
/// How the command line of the server begins, and no other's.
const JAVA: &str = "bin/java -Xmx";
/// How soon a run must be over whose engine is, on a machine that does other things beside.
const SOON: Duration = Duration::from_secs(8);

pub(crate) fn run(text: &str, kind: &str) -> Case {
    Case::new(["run", "p.yaml", "--engine", kind, "--allow", "W005"]).file("p.yaml", text).any_stderr()
}

/// The Python that runs the engines, which must be found where the search path is empty.
fn python() -> PathBuf {
    installed().0
}

#[test]
fn spark_gives_the_rows_that_sail_gives() {
    for (kind, case) in [("sail", run(ROWS, "sail").engine()), ("spark", run(ROWS, "spark").spark())] {
        let outcome = case.stdout(RESULT).run();
        let first = outcome.stderr.lines().find(|line| line.contains("engine")).unwrap().to_owned();
        let version = if kind == "sail" { "Sail 0.7.2" } else { "Spark 4.3.0" };
        assert!(first.contains(&format!("{version}, private to this run, ready in")), "{first}");
    }
}

#[test]
fn spark_runs_side_by_side_and_outlives_no_killed_pipectl() {
    let mut long = run(ENDLESS, "spark").spark().start();
    long.wait_for("checked");
    run(ROWS, "spark").stdout(RESULT).run();
    let of_java = |folder: &Path| processes(folder).into_iter().find(|(_, line)| line.contains(JAVA));
    let (java, line) = of_java(&long.path("")).unwrap();
    assert_listens_on_loopback_alone(java);
    let folder = line.split('@').nth(1).unwrap().split("/java.options").next().unwrap().to_owned();
    let token = fs::read_to_string(Path::new(&folder).join("token")).unwrap();
    assert_eq!(fs::metadata(Path::new(&folder).join("token")).unwrap().mode() & 0o777, 0o600);
    for (_, line) in processes(&long.path("")) {
        assert!(!line.contains(&token), "{line}");
    }
    // What is meant for all processes of a service is no reason to end.
    signal(java, "TERM");
    signal(java, "HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert!(of_java(&long.path("")).is_some());
    long.kill();
}

#[test]
fn spark_that_is_killed_ends_the_run() {
    let mut long = run(ENDLESS, "spark").spark().code(69).start();
    long.wait_for("checked");
    let (java, _) = processes(&long.path("")).into_iter().find(|(_, line)| line.contains(JAVA)).unwrap();
    let since = Instant::now();
    signal(java, "KILL");
    let outcome = long.end();
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    assert_eq!(outcome.files(), Vec::<String>::new());
    assert_eq!(outcome.record()["actions"][0]["status"], "failed");
    assert_eq!(outcome.record()["exit_code"], 69);
    assert!(
        outcome.stderr.contains("the engine ended unexpectedly: it was killed (SIGKILL)"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_machine_without_java_gets_one() {
    let case = run(ROWS, "spark").spark();
    // Takes longer than a run may.
    let mut install = bare();
    install.args(["engine", "install", "spark"]).env("PATH", "/nowhere").env_remove("JAVA_HOME");
    let output = install.env("PIPECTL_PYTHON", python()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let case = case.env("PATH", "/nowhere").without_env("JAVA_HOME");
    case.env("PIPECTL_PYTHON", python()).stdout(RESULT).run();
}

/// Fails where a process listens on anything but the loopback address. Linux says which socket is whose in two places.
#[cfg(target_os = "linux")]
fn assert_listens_on_loopback_alone(process: u32) {
    let sockets: BTreeSet<String> = fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    let mut listening = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in fs::read_to_string(format!("/proc/{process}/net/{table}")).unwrap().lines().skip(1) {
            let parts: Vec<_> = line.split_whitespace().collect();
            if parts[3] == "0A" && sockets.contains(parts[9]) {
                listening.push(parts[1].split(':').next().unwrap().to_owned());
            }
        }
    }
    assert!(!listening.is_empty());
    // 127.0.0.1, and the same as IPv6 writes it.
    let loopback = ["0100007F", "0000000000000000FFFF00000100007F"];
    assert!(listening.iter().all(|address| loopback.contains(&&**address)), "{listening:?}");
}

#[cfg(not(target_os = "linux"))]
fn assert_listens_on_loopback_alone(_process: u32) {}

#[test]
fn spark_that_stays_serves_runs_until_it_is_stopped() {
    let home = Home::new();
    run(ROWS, "spark").spark();
    assert!(home.says(&["engine", "start", "spark"]).contains("Spark 4.3.0 runs in the background"));
    assert!(home.says(&["engine", "start", "spark-4.3"]).contains("Spark 4.3.0 is already running"));
    let record = home.record("spark-4.3.0.json");
    assert_eq!(fs::metadata(&record).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(record.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    let found: Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    let status = String::from_utf8(home.pipectl(&["engine", "status"]).stdout).unwrap();
    assert!(
        status.contains(&format!("runs on port {} (process {})", found["port"], found["pid"])),
        "{status}"
    );

    let (said, beside) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| home.runs("spark"));
        (home.runs("spark"), beside.join().unwrap())
    });
    for said in [said, beside] {
        assert!(said.contains("Spark 4.3.0, kept warm by `pipectl engine start`, ready in"), "{said}");
    }

    // Who knows the port but not the token is not let in.
    let address = format!("sc://127.0.0.1:{}", found["port"]);
    let token = found["token"].as_str().unwrap();
    for (token, code) in [("", 69), ("/;use_ssl=false;token=guessed", 69), (token, 0)] {
        let address = match code {
            0 => format!("{address}/;use_ssl=false;token={token}"),
            _ => format!("{address}{token}"),
        };
        let output = home.pipectl(&["run", "-q", "p.yaml", "--remote", &address, "--retry-budget", "1"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
    }

    assert!(home.says(&["engine", "stop", "spark"]).contains("Spark 4.3.0 was ended"));
    home.assert_nothing_is_left();
    assert!(home.says(&["engine", "stop"]).contains("no engine runs in the background"));
}

/// A Java that describes itself with this version, and then does what the script says.
pub(crate) fn java(case: &Case, version: &str, script: &str) -> PathBuf {
    let home = case.path("java");
    fs::create_dir_all(home.join("bin")).unwrap();
    let program = home.join("bin/java");
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -XshowSettings:properties ]; then\necho ' java.home = {}\n java.version = {version}\n java.specification.version = {version}' >&2\nexit\nfi\n{script}\n",
        home.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    home
}

#[test]
fn a_server_that_dies_at_its_start_is_quoted() {
    let case = run(ROWS, "spark").spark();
    let home = java(&case, "21", "echo 'Error: Could not reserve enough space for object heap' >&2; exit 1");
    let outcome = case.args(["-q"]).env("PIPECTL_JAVA", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: the engine ended while it was starting: it exited with code 1
      help: run `pipectl doctor`
      help: the engine said: Error: Could not reserve enough space for object heap
    ");
}
