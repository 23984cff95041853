//! Runs the binary in a folder of its own and compares what it prints and returns with what was expected.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assert_cmd::Command;
use insta::Settings;
use insta::internals::SettingsBindDropGuard;
use tempfile::TempDir;

const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");
/// Where the engine is installed, once for all tests and all test runs.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

/// One run of pipectl.
pub(crate) struct Case {
    folder: TempDir,
    command: Command,
    code: i32,
    stdout: Option<String>,
    messages: Messages,
}

/// Whether stderr may have text.
enum Messages {
    None,
    Some,
}

/// What it left behind.
pub(crate) struct Outcome {
    folder: TempDir,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    _redacted: SettingsBindDropGuard,
}

impl Case {
    /// Runs in an empty folder with these arguments. It is expected to succeed, and to print nothing.
    pub(crate) fn new<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = bare();
        command
            .current_dir(folder.path())
            .env("PIPECTL_STATE_DIR", folder.path().join("state"))
            .args(arguments);
        Self { folder, command, code: 0, stdout: Some(String::new()), messages: Messages::None }
    }

    /// With a file in the folder.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
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

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Expects this exit code.
    pub(crate) fn code(self, code: i32) -> Self {
        Self { code, ..self }
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

    /// Runs it. In snapshots made while the outcome is there, durations and the folder are redacted.
    pub(crate) fn run(mut self) -> Outcome {
        let output = self.command.output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let all = format!("{}\nstdout:\n{stdout}\nstderr:\n{stderr}", output.status);
        assert_eq!(output.status.code(), Some(self.code), "{all}");
        if let Some(expected) = self.stdout {
            assert_eq!(stdout, expected, "{all}");
        }
        if let Messages::None = self.messages {
            assert_eq!(stderr, "", "{all}");
        }
        let mut settings = Settings::clone_current();
        settings.add_filter(&self.folder.path().to_string_lossy(), "[folder]");
        settings.add_filter(r"\d+\.\d+ s\b", "[time]");
        Outcome { folder: self.folder, stdout, stderr, _redacted: settings.bind_to_scope() }
    }
}

impl Outcome {
    /// A path in the folder.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

/// Installs the engine as users do; every test that needs it fails where that fails.
static ENGINE: LazyLock<()> = LazyLock::new(|| {
    let output = bare().args(["engine", "install"]).output().unwrap();
    assert!(
        output.status.success(),
        "the engine could not be installed: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
});

/// The binary, untouched by settings of whoever runs the tests.
fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipectl"));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_string_lossy().starts_with("PIPECTL_") && name != "PIPECTL_PYTHON";
        if ours || name == "SPARK_REMOTE" {
            command.env_remove(name);
        }
    }
    command.env("PIPECTL_CACHE_DIR", CACHE);
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
