//! Engines that are kept warm: one of a test's own, or one that the tests of all processes share.
//!
//! The first user of a shared one starts it, each holds a lease, and `watch.py` ends it some seconds after the last lease is gone.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::case::{REPOSITORY, bare};
use super::install::{CACHE, install};
use super::lock::{alone, file, shared};

/// An engine that runs find in its folder.
pub(crate) struct Warm {
    pub(crate) kind: String,
    runtime: PathBuf,
    held: Held,
}

#[expect(dead_code, reason = "what is in it is held, and let go with it")]
enum Held {
    /// It ends with this value.
    Own(TempDir),
    /// A lease: it ends when nobody has one.
    Shared(File),
}

impl Warm {
    /// Starts one for this test alone.
    #[track_caller]
    pub(crate) fn start(kind: &str) -> Self {
        install(kind);
        let folder = TempDir::new().unwrap();
        let runtime = folder.path().to_path_buf();
        let warm = Self { kind: kind.to_owned(), runtime, held: Held::Own(folder) };
        warm.begin();
        warm
    }

    /// Takes part in the one that tests share, which serves others at the same time and is never killed.
    #[track_caller]
    pub(crate) fn shared(kind: &str) -> Self {
        install(kind);
        let (start, lease, watch) =
            (format!("{kind}-start"), format!("{kind}-lease"), format!("{kind}-watch"));
        let _alone = alone(&start);
        let held = file(&lease);
        held.lock_shared().unwrap();
        let runtime = shared(kind);
        fs::create_dir_all(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
        let warm = Self { kind: kind.to_owned(), runtime, held: Held::Shared(held) };
        if file(&watch).try_lock().is_ok() {
            let path = |name: &str| shared(&format!("{name}.lock"));
            let order = json!({
                "start": path(&start),
                "lease": path(&lease),
                "watch": path(&watch),
                "stop": [env!("CARGO_BIN_EXE_pipectl"), "engine", "stop", kind],
                "environment": { "XDG_RUNTIME_DIR": &warm.runtime, "PIPECTL_CACHE_DIR": CACHE },
            });
            let script = Path::new(REPOSITORY).join("tests/it/support/watch.py");
            // The shell ends at once, and what it has started belongs to nobody.
            let mut shell = Command::new("sh");
            shell.args(["-c", "\"$@\" &", "sh", "python3"]).arg(script).arg(order.to_string());
            shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            assert!(shell.status().unwrap().success());
        }
        warm.begin();
        warm
    }

    /// The folder in which runs find it.
    pub(crate) fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// Starts it, if it does not run.
    fn begin(&self) {
        let output = self.engine("start");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn engine(&self, what: &str) -> Output {
        bare().args(["engine", what, &self.kind]).env("XDG_RUNTIME_DIR", &self.runtime).output().unwrap()
    }
}

impl Drop for Warm {
    fn drop(&mut self) {
        if let Held::Own(_) = self.held {
            drop(self.engine("stop"));
        }
    }
}

/// The Spark that is asked for, as `--engine` names it; the newest one where none is.
pub(crate) fn version() -> String {
    let named = std::env::var_os("PIPECTL_TEST_SPARK").map(|name| name.into_string().unwrap());
    named.unwrap_or_else(|| "spark".to_owned())
}
