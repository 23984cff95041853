//! An engine that is kept warm for tests.

use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::support::{bare, install};

/// An engine that is kept for the tests of one process, and ends with this value.
pub(crate) struct Warm {
    pub(crate) kind: String,
    pub(crate) folder: TempDir,
}

impl Warm {
    #[track_caller]
    pub(crate) fn start(kind: String) -> Self {
        install(&kind);
        let warm = Self { kind, folder: TempDir::new().unwrap() };
        let output = warm.engine("start");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        warm
    }

    /// The folder in which runs find it.
    pub(crate) fn runtime(&self) -> &Path {
        self.folder.path()
    }

    fn engine(&self, what: &str) -> Output {
        bare().args(["engine", what, &self.kind]).env("XDG_RUNTIME_DIR", self.folder.path()).output().unwrap()
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        drop(self.engine("stop"));
    }
}

/// The Spark that is asked for, as `--engine` names it; the newest one where none is.
pub(crate) fn version() -> String {
    let named = std::env::var_os("PIPECTL_TEST_SPARK").map(|name| name.into_string().unwrap());
    named.unwrap_or_else(|| "spark".to_owned())
}
