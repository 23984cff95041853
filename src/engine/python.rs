//! Finds a Python interpreter that fits the engines. They bring everything else along, so nothing but its standard library
//! is looked for.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::time::timeout;

use super::error::Error;
use super::program::Program;

const PROBE_LIMIT: Duration = Duration::from_secs(20);
const OLDEST: (u32, u32) = (3, 10);
const NEWEST: (u32, u32) = (3, 14);
/// The names under which it is looked for. Where `python3` is an old one, a newer one is often installed next to it.
const NAMES: [&str; 7] =
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// A Python interpreter, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Interpreter {
    pub executable: PathBuf,
    version: (u32, u32, u32),
    implementation: String,
    free_threaded: bool,
    /// Operating system and processor, in Python's words.
    pub platform: String,
}

impl Interpreter {
    /// Whether the engines' wheels can be loaded: they are built for `CPython`'s stable interface.
    fn fits(&self) -> bool {
        let (major, minor, _) = self.version;
        self.implementation == "CPython" && !self.free_threaded && (OLDEST..=NEWEST).contains(&(major, minor))
    }
}

impl fmt::Display for Interpreter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        let kind = if self.free_threaded { " (free-threaded)" } else { "" };
        write!(f, "{} {major}.{minor}.{patch}{kind} at `{}`", self.implementation, self.executable.display())
    }
}

/// The given Python, or else the first of the search path that fits.
pub(super) async fn find(given: Option<&Path>, search_path: &[PathBuf]) -> Result<Interpreter, Error> {
    match given {
        Some(python) => first_fitting(&[python.as_os_str()], search_path).await,
        None => first_fitting(&NAMES.map(OsStr::new), search_path).await,
    }
}

async fn first_fitting(names: &[&OsStr], search_path: &[PathBuf]) -> Result<Interpreter, Error> {
    let mut unfit = Vec::new();
    for name in names {
        let Some(program) = located(Path::new(name), search_path) else { continue };
        match probe(&program).await {
            Probed::Missing => {}
            Probed::Broken(reason) => unfit.push(format!("`{}` {reason}", name.display())),
            Probed::Works(interpreter) if interpreter.fits() => return Ok(interpreter),
            Probed::Works(interpreter) => unfit.push(interpreter.to_string()),
        }
    }
    if unfit.is_empty() {
        let looked_for: Vec<_> = names.iter().take(2).map(|name| format!("`{}`", name.display())).collect();
        return Err(Error::NoPython { looked_for: looked_for.join(", ") });
    }
    unfit.dedup();
    Err(Error::UnfitPython { found: unfit.join("; ") })
}

enum Probed {
    Missing,
    Broken(String),
    Works(Interpreter),
}

/// The program that a name means. Started by its whole path it knows its own, also where no search path is set.
fn located(name: &Path, search_path: &[PathBuf]) -> Option<PathBuf> {
    if name.components().count() > 1 || name.is_absolute() {
        return Some(name.to_owned());
    }
    let is_program = |path: &PathBuf| {
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    search_path.iter().map(|folder| folder.join(name)).find(is_program)
}

async fn probe(program: &Path) -> Probed {
    let mut command = Command::new(program);
    // Isolated: neither the user's variables nor the installed packages can break what is said.
    command.args(["-I", "-S", "-c", &Program::Probe.text()]).stdin(Stdio::null()).kill_on_drop(true);
    let output = match timeout(PROBE_LIMIT, command.output()).await {
        Err(_) => return Probed::Broken("does not answer".to_owned()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => return Probed::Missing,
        Ok(Err(error)) => return Probed::Broken(format!("cannot be started: {error}")),
        Ok(Ok(output)) => output,
    };
    if let Ok(interpreter) = serde_json::from_slice(&output.stdout) {
        return Probed::Works(interpreter);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Probed::Broken(format!("is no Python 3: {}", stderr.lines().last().unwrap_or("it says nothing")))
}

#[cfg(test)]
mod tests {
    use super::super::search_path;
    use super::*;
    use std::fs;

    fn fake(folder: &Path, name: &str, script: &str) {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn saying(version: &str, free_threaded: &str) -> String {
        format!(
            r#"echo '{{"executable": "/x/python", "version": {version}, "implementation": "CPython",
            "free_threaded": {free_threaded}, "platform": "linux-x86_64"}}'"#
        )
    }

    async fn found_in(folder: &Path) -> String {
        match first_fitting(&NAMES.map(OsStr::new), &[folder.to_owned()]).await {
            Ok(interpreter) => interpreter.to_string(),
            Err(error) => format!("{error}. Hint: {}", error.hint().unwrap()),
        }
    }

    #[tokio::test]
    async fn finds_one_on_this_machine() {
        let interpreter = find(None, &search_path()).await.unwrap();
        assert!(interpreter.fits(), "{interpreter}");
        assert!(interpreter.executable.is_absolute());
    }

    #[tokio::test]
    async fn says_that_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        insta::assert_snapshot!(found_in(folder.path()).await, @"no Python 3 is found (looked for `python3`, `python`). Hint: install Python 3.10 or newer, or name one: `PIPECTL_PYTHON=/path/to/python3`");
    }

    #[tokio::test]
    async fn says_what_does_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), "python3", &saying("[3, 9, 2]", "false"));
        fake(folder.path(), "python", "echo 'Unknown option: -I' >&2; exit 2");
        fake(folder.path(), "python3.14", &saying("[3, 14, 0]", "true"));
        insta::assert_snapshot!(found_in(folder.path()).await, @"no Python fits the engine (CPython 3.9.2 at `/x/python`; `python` is no Python 3: Unknown option: -I; CPython 3.14.0 (free-threaded) at `/x/python`): it needs CPython 3.10 to 3.14. Hint: install one that fits, or name it: `PIPECTL_PYTHON=/path/to/python3`");
    }

    #[tokio::test]
    async fn finds_a_newer_one_beside_an_old_one() {
        let folder = tempfile::tempdir().unwrap();
        fake(folder.path(), "python3", &saying("[3, 6, 8]", "false"));
        fake(folder.path(), "python3.12", &saying("[3, 12, 1]", "false"));
        insta::assert_snapshot!(found_in(folder.path()).await, @"CPython 3.12.1 at `/x/python`");
    }

    #[tokio::test]
    async fn a_given_one_is_the_only_one() {
        let error = find(Some(Path::new("/nowhere/python3")), &search_path()).await.unwrap_err();
        insta::assert_snapshot!(error, @"no Python 3 is found (looked for `/nowhere/python3`)");
    }

    #[test]
    fn a_name_is_looked_for_and_a_path_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [PathBuf::from("/nowhere"), folder.path().to_owned()];
        fs::write(folder.path().join("python3"), "").unwrap();
        assert_eq!(located(Path::new("python3"), &folders), None, "it is no program");
        fake(folder.path(), "python3", "");
        assert_eq!(located(Path::new("python3"), &folders), Some(folder.path().join("python3")));
        assert_eq!(located(Path::new("./python3"), &[]), Some(PathBuf::from("./python3")));
    }
}
