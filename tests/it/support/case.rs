//! Runs the binary in a folder of its own and compares what it prints and returns with what was expected.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use insta::Settings;
use tempfile::TempDir;

use super::elsewhere::ELSEWHERE;
use super::install::{CACHE, install};
use super::outcome::{Outcome, files};
use super::process::assert_no_engine_is_left;
use super::running::{Running, Started};
use super::tier::take_place;

pub(super) const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
/// No run of a test takes longer, unless it hangs or has said so.
pub(super) const LONGEST_RUN: Duration = Duration::from_secs(120);

/// A pipeline whose query takes longer than any test.
pub(crate) const ENDLESS: &str = "\
version: 1
steps:
  sum:
    range: 100000000000
    transform: [aggregate: { columns: { s: sum(id % 7) } }]
    write: { parquet: out/sum.parquet }
";

/// One run of pipectl.
pub(crate) struct Case {
    pub(super) folder: TempDir,
    command: Command,
    code: Option<i32>,
    stdout: Option<String>,
    messages: Messages,
    leftovers: Leftovers,
    pub(super) longest: Duration,
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

/// Set where an engine is available, since these tests compare all that it finds.
const ALL_DIAGNOSTICS: &str = "PIPECTL_ALL_DIAGNOSTICS";

impl Case {
    /// Runs in an empty folder with these arguments. It is expected to succeed, and to print nothing.
    pub(crate) fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        take_place();
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
    #[track_caller]
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
    #[track_caller]
    pub(crate) fn engine(self) -> Self {
        install("sail");
        self.env(ALL_DIAGNOSTICS, "1")
    }

    /// With Spark at hand.
    #[track_caller]
    pub(crate) fn spark(self) -> Self {
        install("spark");
        self.env(ALL_DIAGNOSTICS, "1")
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

    pub(super) fn judge(self, status: ExitStatus, stdout: String, stderr: String) -> Outcome {
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
