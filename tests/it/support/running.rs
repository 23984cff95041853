//! A run on its way.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::process::Child;
use std::sync::mpsc::Receiver;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::case::{Case, LONGEST_RUN};
use super::outcome::Outcome;
use super::process::{assert_no_engine_is_left, processes, signal};

/// A run on its way.
pub(crate) struct Running {
    pub(super) case: Case,
    pub(super) child: Started,
    pub(super) stdout: JoinHandle<String>,
    pub(super) lines: Receiver<String>,
    pub(super) stderr: String,
}

/// A process that ends with this value, also where a test fails before it has ended by itself.
pub(super) struct Started(pub(super) Child);

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
