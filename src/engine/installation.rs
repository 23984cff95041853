//! Owns an engine that is installed: where its packages are, and whether they can be loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::packages::{Beside, Packages};
use super::program::Program;
use super::python::Interpreter;

/// An engine that is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    pub folder: PathBuf,
    pub bytes: u64,
    pub python: Interpreter,
    origin: Origin,
}

/// Where an installation comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// pipectl has installed it, and nothing else is there.
    Own,
    /// It was installed into the program's environment, which has this folder of packages.
    Beside { site: PathBuf, package: &'static Beside },
}

impl Installation {
    pub(super) fn own(folder: PathBuf, bytes: u64, python: Interpreter) -> Self {
        Self { folder, bytes, python, origin: Origin::Own }
    }

    pub(super) fn beside(
        folder: PathBuf,
        site: PathBuf,
        bytes: u64,
        python: Interpreter,
        package: &'static Beside,
    ) -> Self {
        Self { folder, bytes, python, origin: Origin::Beside { site, package } }
    }

    /// Whether it is one in the program's environment, where others install too.
    pub(crate) fn is_beside(&self) -> bool {
        matches!(self.origin, Origin::Beside { .. })
    }

    /// The folder of its packages.
    pub(super) fn site(&self) -> PathBuf {
        match &self.origin {
            Origin::Own => self.folder.join("site"),
            Origin::Beside { site, .. } => site.clone(),
        }
    }

    /// Its packages, as the Python programs are told of them.
    pub(super) fn packages(&self) -> String {
        match &self.origin {
            Origin::Own => entry(&self.site()),
            Origin::Beside { site, package } => {
                let versions: BTreeMap<_, _> = package.versions.iter().copied().collect();
                serde_json::json!({ "site": site, "only": [package.name], "versions": versions }).to_string()
            }
        }
    }

    /// Imports the engine in a separate process, as the server does. Says why that fails.
    pub(super) async fn prove(&self, packages: &Packages) -> Result<(), String> {
        prove(packages, &self.python, &self.packages()).await
    }
}

/// How far an existing installation is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its record is enough: starting the server will show whether it works.
    Record,
    /// It is imported first.
    Verify,
}

pub(super) fn entry(site: &Path) -> String {
    serde_json::json!({ "site": site }).to_string()
}

pub(super) async fn prove(packages: &Packages, python: &Interpreter, entry: &str) -> Result<(), String> {
    let output = Command::new(&python.executable)
        .args(["-I", "-S", "-c", &Program::Prove.text(), entry, packages.proof])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(stderr.lines().last().map_or_else(|| output.status.to_string(), str::to_owned))
}
