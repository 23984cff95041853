//! Readers that are not pipectl's, in a Python of the tests' own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::case::REPOSITORY;
use super::install::CACHE;
use super::lock::once;
use super::tier::assert_is_not_inner;

/// The reader that outputs are read back with.
const PYARROW: &str = "pyarrow==26.0.1";

/// What YAML is read with, by version 1.2, and held to JSON Schemas. Both are written from their specifications alone, in Python: nothing
/// of pipectl's own reader is in them, and none of the tests' compile time.
const VALIDATOR: [&str; 2] = ["jsonschema==4.26.0", "ruamel.yaml==0.19.1"];

/// A Python that has these packages, in the tests' own cache; every test that needs it fails where it can not be had.
fn python(packages: &[&str]) -> PathBuf {
    let name = packages.join(" ");
    let folder = Path::new(CACHE).join("readers").join(&name);
    let python = folder.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    once(&name, "", || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:"];
        run(Command::new(&python).args(install).args(packages));
    });
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
#[track_caller]
pub(crate) fn read_back<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> String {
    assert_is_not_inner("pyarrow");
    let script = Path::new(REPOSITORY).join("tests/read_back.py");
    let output = Command::new(python(&[PYARROW])).arg(script).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}
