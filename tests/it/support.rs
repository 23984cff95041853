//! Runs the binary in a folder of its own and compares what it prints and returns with what was expected.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::ops::{Deref, DerefMut};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use insta::Settings;
use insta::internals::SettingsBindDropGuard;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use tempfile::TempDir;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
/// Where the engine is installed, once for all tests and all test runs.
pub(crate) const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");
/// No run of a test takes longer, unless it hangs or has said so.
const LONGEST_RUN: Duration = Duration::from_secs(120);
/// How long what a run has started may take to be gone after it.
const LONGEST_END: Duration = Duration::from_secs(5);

/// A pipeline whose query takes longer than any test.
pub(crate) const ENDLESS: &str = "\
version: 1
steps:
  sum:
    range: 100000000000
    transform: [aggregate: { columns: { s: sum(id % 7) } }]
    write: { parquet: out/sum.parquet }
";

/// Where runs go that do not say it themselves: a project file, and the folder in which engines are found that are kept.
struct Elsewhere {
    project: String,
    runtime: PathBuf,
}

thread_local! {
    /// Nothing for a private engine.
    static ELSEWHERE: RefCell<Option<Elsewhere>> = const { RefCell::new(None) };
}

/// Carries out tests whose runs go where the only target of a project file says; gives the names of those that fail.
pub(crate) fn elsewhere(target: &str, runtime: &Path, tests: &[(&'static str, fn())]) -> Vec<&'static str> {
    let project = format!("default_target: here\ntargets: {{ here: {{ {target} }} }}\n");
    ELSEWHERE.set(Some(Elsewhere { project, runtime: runtime.to_path_buf() }));
    let failed =
        tests.iter().filter(|(_, test)| catch_unwind(test).is_err()).map(|(name, _)| *name).collect();
    ELSEWHERE.set(None);
    failed
}

/// One run of pipectl.
pub(crate) struct Case {
    folder: TempDir,
    command: Command,
    code: Option<i32>,
    stdout: Option<String>,
    messages: Messages,
    leftovers: Leftovers,
    longest: Duration,
}

/// Whether stderr may have text.
enum Messages {
    None,
    Some,
}

/// Whether staged files and locks may stay behind.
enum Leftovers {
    None,
    Files,
}

/// What it left behind.
pub(crate) struct Outcome {
    folder: TempDir,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How it ended; nothing where a signal ended it.
    pub(crate) code: Option<i32>,
    _redacted: SettingsBindDropGuard,
}

/// A run on its way.
pub(crate) struct Running {
    case: Case,
    child: Started,
    stdout: JoinHandle<String>,
    lines: Receiver<String>,
    stderr: String,
}

/// A process that ends with this value, also where a test fails before it has ended by itself.
struct Started(Child);

impl Deref for Started {
    type Target = Child;
    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Started {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Case {
    /// Runs in an empty folder with these arguments. It is expected to succeed, and to print nothing.
    pub(crate) fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let folder = TempDir::new().unwrap();
        // The private engines of its runs are here, so that they can be told from those of others.
        fs::create_dir(folder.path().join("tmp")).unwrap();
        // The root of a repository, so that no project file applies that lies above.
        fs::create_dir(folder.path().join(".git")).unwrap();
        let mut command = bare();
        command
            .current_dir(folder.path())
            .env("PIPECTL_STATE_DIR", folder.path().join("state"))
            .env("TMPDIR", folder.path().join("tmp"))
            // Where engines are found that are kept: by the runs of this test alone.
            .env("XDG_RUNTIME_DIR", folder.path())
            .args(arguments);
        ELSEWHERE.with_borrow(|elsewhere| {
            if let Some(elsewhere) = elsewhere {
                fs::write(folder.path().join("pipectl.yaml"), &elsewhere.project).unwrap();
                command.env("XDG_RUNTIME_DIR", &elsewhere.runtime);
            }
        });
        Self {
            folder,
            command,
            code: Some(0),
            stdout: Some(String::new()),
            messages: Messages::None,
            leftovers: Leftovers::None,
            longest: LONGEST_RUN,
        }
    }

    /// Runs a pipeline on the private engine, and tells failures alone.
    pub(crate) fn pipeline(text: &str) -> Self {
        Self::new(["run", "-q", "p.yaml"]).file("p.yaml", text).engine()
    }

    /// With a file in the folder.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let file = self.folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
        self
    }

    /// With the example pipelines, their data and their contracts.
    pub(crate) fn examples(self) -> Self {
        for name in ["pipelines", "schemas"] {
            copy(&Path::new(REPOSITORY).join(name), &self.folder.path().join(name));
        }
        self
    }

    /// With the engine at hand.
    pub(crate) fn engine(self) -> Self {
        LazyLock::force(&ENGINE);
        self
    }

    /// With Spark at hand.
    pub(crate) fn spark(self) -> Self {
        LazyLock::force(&SPARK);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// A path in the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Expects this exit code.
    pub(crate) fn code(self, code: i32) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Leaves open how it ends.
    pub(crate) fn any_code(self) -> Self {
        Self { code: None, ..self }
    }

    /// Expects this on stdout.
    pub(crate) fn stdout(self, text: &str) -> Self {
        Self { stdout: Some(text.to_owned()), ..self }
    }

    /// Leaves what is on stdout to the caller.
    pub(crate) fn any_stdout(self) -> Self {
        Self { stdout: None, ..self }
    }

    /// Leaves what is on stderr to the caller.
    pub(crate) fn any_stderr(self) -> Self {
        Self { messages: Messages::Some, ..self }
    }

    /// Lets files stay that a killed run could not remove.
    pub(crate) fn any_leftovers(self) -> Self {
        Self { leftovers: Leftovers::Files, ..self }
    }

    /// Lets it take so long.
    pub(crate) fn at_most(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Runs it. In snapshots made while the outcome is there, durations and the folder are redacted.
    pub(crate) fn run(mut self) -> Outcome {
        let command = std::mem::replace(&mut self.command, Command::new("true"));
        let output = assert_cmd::Command::from_std(command).timeout(self.longest).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        self.judge(output.status, stdout, stderr)
    }

    /// Runs it by a shell's script, in which it is `"$@"`.
    pub(crate) fn run_in_shell(mut self, script: &str) -> Outcome {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(self.command.get_program()).args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.current_dir(self.folder.path());
        self.command = shell;
        self.run()
    }

    /// Starts it, so that something can happen to it on its way.
    pub(crate) fn start(mut self) -> Running {
        let mut child =
            self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let stdout = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        });
        let pipe = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || pipe.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running { case: self, child: Started(child), stdout, lines, stderr: String::new() }
    }

    fn judge(self, status: ExitStatus, stdout: String, stderr: String) -> Outcome {
        let all = format!("{status}\nstdout:\n{stdout}\nstderr:\n{stderr}");
        if let Some(expected) = self.code {
            assert_eq!(status.code(), Some(expected), "{all}");
        }
        if let Some(expected) = self.stdout {
            assert_eq!(stdout, expected, "{all}");
        }
        if let Messages::None = self.messages {
            assert_eq!(stderr, "", "{all}");
        }
        assert_no_engine_is_left(self.folder.path());
        if let Leftovers::None = self.leftovers {
            let mut files = files(self.folder.path());
            files.retain(|path| path.rsplit('/').next().is_some_and(|name| name.starts_with('.')));
            assert_eq!(files, Vec::<String>::new(), "{all}");
        }
        let mut settings = Settings::clone_current();
        settings.add_filter(&self.folder.path().to_string_lossy(), "[folder]");
        settings.add_filter(r"\d+\.\d+ s\b", "[time]");
        settings.add_filter(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[id]");
        settings.add_filter(r"process \d+", "process [number]");
        settings.add_filter(r"127\.0\.0\.1:\d{2,}", "127.0.0.1:[port]");
        Outcome {
            folder: self.folder,
            stdout,
            stderr,
            code: status.code(),
            _redacted: settings.bind_to_scope(),
        }
    }
}

impl Running {
    /// Waits for a line of stderr that holds this text.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + LONGEST_RUN;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.stderr.push_str(&format!("{line}\n"));
                    if line.contains(text) {
                        return;
                    }
                }
                Err(error) => {
                    drop(self.child.kill());
                    panic!("`{text}` did not come: {error}\n{}", self.stderr);
                }
            }
        }
    }

    /// Waits for a file in this folder that has so many bytes.
    pub(crate) fn wait_for_file(&self, folder: &str, bytes: u64) {
        let deadline = Instant::now() + LONGEST_RUN;
        let folder = self.path(folder);
        let files = || fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_there = || files().any(|file| file.metadata().is_ok_and(|found| found.len() >= bytes));
        while !is_there() {
            assert!(Instant::now() < deadline, "there is no file in `{}`", folder.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a signal to pipectl alone, by its name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// The private engine: its process.
    pub(crate) fn engine(&self) -> u32 {
        let deadline = Instant::now() + LONGEST_RUN;
        while Instant::now() < deadline {
            let found = processes(self.case.folder.path());
            if let Some((number, _)) = found.iter().find(|(_, command)| !command.contains("launch.py")) {
                return *number;
            }
        }
        panic!("no engine was started");
    }

    /// A path in its folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.case.path(path)
    }

    /// Waits until it has ended.
    pub(crate) fn end(mut self) -> Outcome {
        let deadline = Instant::now() + self.case.longest;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                drop(self.child.kill());
                self.stderr.extend(self.lines.iter());
                panic!("it does not end\n{}", self.stderr);
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.stderr.extend(self.lines.iter().map(|line| line + "\n"));
        self.case.judge(status, self.stdout.join().unwrap(), self.stderr)
    }

    /// Ends it as nothing can be done against, and looks that its engine goes with it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        assert_no_engine_is_left(self.case.folder.path());
    }
}

impl Outcome {
    /// A path in the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The record of the only run.
    pub(crate) fn record(&self) -> Value {
        let runs: Vec<_> = fs::read_dir(self.path("state/runs")).unwrap().map(Result::unwrap).collect();
        assert_eq!(runs.len(), 1, "one run has one record");
        serde_json::from_slice(&fs::read(runs[0].path().join("run_results.json")).unwrap()).unwrap()
    }

    /// What there is in the folder besides the pipeline and the record.
    pub(crate) fn files(&self) -> Vec<String> {
        let own = |path: &String| {
            !["p.yaml", "pipectl.yaml"].contains(&path.as_str()) && !path.starts_with("state/")
        };
        files(self.folder.path()).into_iter().filter(own).collect()
    }

    /// A Parquet file as CSV.
    pub(crate) fn parquet(&self, path: &str) -> String {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(self.path(path)).unwrap()).unwrap();
        let schema = SchemaRef::clone(reader.schema());
        let mut text = Vec::new();
        let mut writer = arrow_csv::Writer::new(&mut text);
        writer.write(&arrow_array::RecordBatch::new_empty(schema)).unwrap();
        for batch in reader.build().unwrap() {
            writer.write(&batch.unwrap()).unwrap();
        }
        drop(writer);
        String::from_utf8(text).unwrap()
    }
}

/// The processes that have this folder in their command line.
pub(crate) fn processes(folder: &Path) -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,args="]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let folder = folder.join("tmp");
    let lines = text.lines().filter(|line| line.contains(&*folder.to_string_lossy()));
    let parts = lines.filter_map(|line| line.trim().split_once(' '));
    parts.map(|(number, command)| (number.parse().unwrap(), command.to_owned())).collect()
}

/// Sends a signal by its name.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap();
    assert!(status.success(), "the process {process} is gone");
}

/// Fails unless the private engine and its folder are gone within some seconds.
fn assert_no_engine_is_left(folder: &Path) {
    let deadline = Instant::now() + LONGEST_END;
    loop {
        let left = processes(folder);
        let files = fs::read_dir(folder.join("tmp")).unwrap().count();
        if left.is_empty() && files == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{left:?} and {files} files are left");
        thread::sleep(Duration::from_millis(50));
    }
}

/// The files below a folder, by their paths in it.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Installs an engine as users do; every test that needs it fails where that fails.
static ENGINE: LazyLock<()> = LazyLock::new(|| install("sail"));
static SPARK: LazyLock<()> = LazyLock::new(|| install("spark"));

pub(crate) fn install(kind: &str) {
    let output = bare().args(["engine", "install", kind]).output().unwrap();
    assert!(
        output.status.success(),
        "the engine could not be installed: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
}

/// The reader that outputs are read back with.
const PYARROW: &str = "pyarrow==26.0.1";

/// What YAML is read with, by version 1.2, and held to JSON Schemas. Both are written from their specifications alone, in Python: nothing
/// of pipectl's own reader is in them, and none of the tests' compile time.
const VALIDATOR: [&str; 2] = ["jsonschema==4.26.0", "ruamel.yaml==0.19.1"];

static READER: LazyLock<PathBuf> = LazyLock::new(|| python(&[PYARROW]));

/// A Python that has these packages, in the tests' own cache; every test that needs it fails where it can not be had.
fn python(packages: &[&str]) -> PathBuf {
    let folder = Path::new(CACHE).join(format!("readers/{}", packages.join(" ")));
    let python = folder.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    if !folder.join("complete").exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:"];
        run(Command::new(&python).args(install).args(packages));
        fs::write(folder.join("complete"), "").unwrap();
    }
    python
}

/// What an independent validator says of YAML files, by their paths; see `tests/schema.py`.
pub(crate) fn validated<A: AsRef<OsStr>>(schema: &Path, files: impl IntoIterator<Item = A>) -> Value {
    let script = Path::new(REPOSITORY).join("tests/schema.py");
    let output = Command::new(python(&VALIDATOR)).arg(script).arg(schema).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Reads outputs back with readers that are not pipectl's, and compares them with what they must hold; what
/// was compared comes back.
pub(crate) fn read_back<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    let script = Path::new(REPOSITORY).join("tests/read_back.py");
    let output = Command::new(&*READER).arg(script).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// The protocol's files as the newest `PySpark` carries them, a set of descriptors. They are taken out of its source distribution by
/// the script that takes the engine's jars out of it.
pub(crate) fn pyspark_descriptors() -> Vec<u8> {
    const INSTALLER: &str = include_str!("../../src/engine/install.py");
    let folder = Path::new(CACHE).join("readers/pyspark-4.3.0");
    let run = |arguments: &[&OsStr]| {
        let output = Command::new(&*READER).args(arguments).stdin(Stdio::piped()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    if !folder.join("site/proto").exists() {
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let order = serde_json::json!({
            "folder": folder,
            "requirements": "",
            "files": {},
            "proof": "pass",
            "archives": [{
                "name": "pyspark-4.3.0.tar.gz",
                "project": "pyspark",
                "bytes": 455_910_862,
                "sha256": "e8c517948eff7088a7aa07449aa8eafa4a15a8d50319de2525a6fd26622476c6",
                "members": [["pyspark-4.3.0/pyspark/sql/connect/proto/", "proto/"]],
            }],
        });
        // It ends when its standard input does, so that stays open.
        let mut command = Command::new(&*READER);
        command
            .args(["-I", "-c", INSTALLER, &order.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let open = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(open);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("\"done\""), "{text}");
    }
    let script = Path::new(REPOSITORY).join("tests/descriptors.py");
    run(&[script.as_os_str(), folder.join("site/proto").as_os_str()])
}

/// The Python of the installed engine, and the folder of its packages.
pub(crate) fn installed() -> (PathBuf, PathBuf) {
    LazyLock::force(&ENGINE);
    let output = bare().args(["engine", "status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("Sail")).unwrap();
    let python = line.split('`').nth(1).unwrap();
    let (_, folder) = line.trim_end().trim_end_matches(')').rsplit_once('(').unwrap();
    (python.into(), Path::new(folder).join("site"))
}

/// The Java that Spark runs on here, and the folder that is Spark's home, with its jars.
pub(crate) fn installed_spark() -> (PathBuf, PathBuf) {
    LazyLock::force(&SPARK);
    let output = bare().args(["engine", "status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("Spark 4.3")).unwrap();
    let java = line.split("  Java ").nth(1).and_then(|rest| rest.split('`').nth(1)).unwrap();
    let (_, folder) = line.trim_end().trim_end_matches(')').rsplit_once('(').unwrap();
    (java.into(), Path::new(folder).join("site/spark"))
}

/// The binary, untouched by settings of whoever runs the tests.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipectl"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = text.starts_with("PIPECTL_") && name != "PIPECTL_PYTHON";
        if ours || ["SPARK_", "AWS_", "AZURE_", "GOOGLE_"].iter().any(|it| text.starts_with(it)) {
            command.env_remove(name);
        }
    }
    command.env("PIPECTL_CACHE_DIR", CACHE).env_remove("XDG_RUNTIME_DIR");
    // Nor by their profiles.
    command.env("AWS_CONFIG_FILE", "/nowhere").env("AWS_SHARED_CREDENTIALS_FILE", "/nowhere");
    command
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), target).unwrap();
        } else if !["out", ".pipectl"].iter().any(|made| entry.file_name() == *made) {
            copy(&entry.path(), &target);
        }
    }
}
