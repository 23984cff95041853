//! Engines, installed as users do it, once for all tests and all test runs.

use std::fs;
use std::path::{Path, PathBuf};

use super::case::bare;
use super::lock::once;
use super::tier::{assert_is_not_inner, take_place};

/// Where the engine is installed, once for all tests and all test runs.
pub(crate) const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

/// Installs an engine as users do, by the test that is first; every test that needs it fails where that fails.
#[track_caller]
pub(super) fn install(kind: &str) {
    assert_is_not_inner("an engine");
    take_place();
    // Another build may bring another version.
    let built = fs::metadata(env!("CARGO_BIN_EXE_pipectl")).unwrap().modified().unwrap();
    once(&format!("{kind}-installed"), &format!("{built:?}"), || {
        let output = bare().args(["engine", "install", kind]).output().unwrap();
        assert!(
            output.status.success(),
            "the engine could not be installed: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr),
        );
    });
}

/// The Python of the installed engine, and the folder of its packages.
#[track_caller]
pub(crate) fn installed() -> (PathBuf, PathBuf) {
    install("sail");
    let output = bare().args(["engine", "status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("Sail")).unwrap();
    let python = line.split('`').nth(1).unwrap();
    let (_, folder) = line.trim_end().trim_end_matches(')').rsplit_once('(').unwrap();
    (python.into(), Path::new(folder).join("site"))
}

/// The Java that Spark runs on here, and the folder that is Spark's home, with its jars.
#[track_caller]
pub(crate) fn installed_spark() -> (PathBuf, PathBuf) {
    install("spark");
    let output = bare().args(["engine", "status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("Spark 4.3")).unwrap();
    let java = line.split("  Java ").nth(1).and_then(|rest| rest.split('`').nth(1)).unwrap();
    let (_, folder) = line.trim_end().trim_end_matches(')').rsplit_once('(').unwrap();
    (java.into(), Path::new(folder).join("site/spark"))
}
