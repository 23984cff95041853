//! Engines, installed as users do it, once for all tests and all test runs.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::case::bare;
use super::tier::assert_is_not_inner;

/// Where the engine is installed, once for all tests and all test runs.
pub(crate) const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/cache");

/// Installs an engine as users do; every test that needs it fails where that fails.
pub(super) static ENGINE: LazyLock<()> = LazyLock::new(|| install("sail"));
pub(super) static SPARK: LazyLock<()> = LazyLock::new(|| install("spark"));

#[track_caller]
pub(crate) fn install(kind: &str) {
    assert_is_not_inner("an engine");
    let output = bare().args(["engine", "install", kind]).output().unwrap();
    assert!(
        output.status.success(),
        "the engine could not be installed: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
}

/// The Python of the installed engine, and the folder of its packages.
#[track_caller]
pub(crate) fn installed() -> (PathBuf, PathBuf) {
    assert_is_not_inner("Sail");
    LazyLock::force(&ENGINE);
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
    assert_is_not_inner("Spark");
    LazyLock::force(&SPARK);
    let output = bare().args(["engine", "status"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("Spark 4.3")).unwrap();
    let java = line.split("  Java ").nth(1).and_then(|rest| rest.split('`').nth(1)).unwrap();
    let (_, folder) = line.trim_end().trim_end_matches(')').rsplit_once('(').unwrap();
    (java.into(), Path::new(folder).join("site/spark"))
}
