//! Processes: those that a run has started, and signals for them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long what a run has started may take to be gone after it.
const LONGEST_END: Duration = Duration::from_secs(5);

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
pub(super) fn assert_no_engine_is_left(folder: &Path) {
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
