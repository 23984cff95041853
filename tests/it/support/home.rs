//! A user's place, in which engines stay.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::on_spark::managed::{RESULT, ROWS};
use crate::support::{bare, processes};

/// A user's place, in which engines stay until it goes.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["tmp", "run"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("p.yaml"), ROWS).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn pipectl(&self, arguments: &[&str]) -> Output {
        let mut command = bare();
        command
            .current_dir(self.0.path())
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("PIPECTL_STATE_DIR", self.path("state"));
        command.args(arguments).output().unwrap()
    }

    /// Runs it, which must succeed, and gives what it says.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.pipectl(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        text
    }

    pub(crate) fn runs(&self, kind: &str) -> String {
        let output = self.pipectl(&["run", "p.yaml", "--engine", kind]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), RESULT);
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn record(&self, name: &str) -> PathBuf {
        self.path("run/pipectl").join(name)
    }

    /// Fails unless all is gone within some seconds.
    pub(crate) fn assert_nothing_is_left(&self) {
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
