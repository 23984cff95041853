//! What can go wrong with a managed engine, and what the user can do about it.

use std::borrow::Cow;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::ending::Ending;

/// An engine that could not be installed or started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no Python 3 is found (looked for {looked_for})")]
    NoPython { looked_for: String },

    #[error("no Python fits the engine ({found}): it needs CPython 3.10 to 3.14")]
    UnfitPython { found: String },

    #[error("{engine} needs Java {} to {}, and none is found ({found}); {why}", versions.start(), versions.end())]
    NoJava { engine: &'static str, versions: RangeInclusive<u32>, found: String, why: String },

    #[error("{engine} needs Java {} to {}, which `PIPECTL_JAVA` does not name: {reason}", versions.start(), versions.end())]
    WrongJava { engine: &'static str, versions: RangeInclusive<u32>, reason: String },

    #[error("{what} is not installed and downloads are off{}", ignored.as_ref().map_or_else(String::new, |reason| format!("; {reason}")))]
    NotInstalled {
        what: &'static str,
        install: &'static str,
        /// Why an engine in the program's environment is not used.
        ignored: Option<String>,
    },

    #[error("the engine's installation in `{}` is damaged ({reason}) and downloads are off", folder.display())]
    Damaged { folder: PathBuf, reason: String, install: &'static str },

    #[error("cannot write the engine's folder `{}`", path.display())]
    Cache { path: PathBuf, source: io::Error },

    #[error("the disk is full: the engine needs about {megabytes} MB in `{}`", path.display())]
    DiskFull { path: PathBuf, megabytes: u64 },

    #[error("the engine could not be downloaded: {reason}")]
    Download { reason: String },

    #[error("what was downloaded is not what this version of pipectl expects: {reason}")]
    Hash { reason: String },

    #[error("there is no build of the engine for this machine ({platform}): {reason}")]
    NoBuild { platform: String, reason: String },

    #[error("the engine was installed but cannot be loaded: {reason}")]
    Unloadable { reason: String },

    #[error("the engine could not be installed: {reason}")]
    Install { reason: String },

    #[error("cannot prepare the engine's private folder `{}`", path.display())]
    Folder { path: PathBuf, source: io::Error },

    #[error("cannot start `{}`", program.display())]
    Spawn { program: PathBuf, source: io::Error },

    #[error("what says where a kept engine is cannot be trusted: `{}` {reason}", path.display())]
    Unsafe { path: PathBuf, reason: String },

    #[error("the engine does not end; its process is {pid}")]
    Unstoppable { pid: u32 },

    #[error("the engine did not start within {} s", limit.as_secs_f64())]
    Silent { limit: Duration, last_lines: Vec<String> },

    #[error("the engine ended while it was starting: {ending}")]
    EndedEarly { ending: Ending, last_lines: Vec<String> },
}

impl Error {
    /// What the user can do, where that is known: one sentence.
    pub(crate) fn hint(&self) -> Option<Cow<'static, str>> {
        let hint = match self {
            Self::NotInstalled { install, .. } | Self::Damaged { install, .. } => {
                return Some(format!("run `{install}`").into());
            }
            Self::NoJava { .. } => {
                "install one, or name it: `PIPECTL_JAVA=/path/to/java`; `pipectl engine install` brings one where PyPI has it"
            }
            Self::WrongJava { .. } => {
                "name one that fits, a program or a home, or unset `PIPECTL_JAVA`: pipectl then finds or installs one"
            }
            Self::NoPython { .. } => {
                "install Python 3.10 or newer, or name one: `PIPECTL_PYTHON=/path/to/python3`"
            }
            Self::UnfitPython { .. } => {
                "install one that fits, or name it: `PIPECTL_PYTHON=/path/to/python3`"
            }
            Self::Cache { .. } => "choose a folder that you may write to: `PIPECTL_CACHE_DIR=/path`",
            Self::DiskFull { .. } => "free some space, or choose another disk: `PIPECTL_CACHE_DIR=/path`",
            Self::Download { .. } => {
                "check the network; pip's settings apply (`PIP_INDEX_URL`, `PIP_PROXY`, `PIP_CERT`), then run \
                 `pipectl engine install`"
            }
            Self::Hash { .. } => {
                "a mirror or proxy may have changed it: check `PIP_INDEX_URL`, then run `pipectl engine install`"
            }
            Self::NoBuild { .. } => {
                "name the address of a Spark Connect server instead: `--remote sc://host:15002`"
            }
            Self::Folder { .. } => "choose another folder for temporary files: `TMPDIR=/path`",
            Self::Unloadable { .. } | Self::Silent { .. } | Self::EndedEarly { .. } => "run `pipectl doctor`",
            Self::Unsafe { .. } => "remove it, then try again",
            Self::Unstoppable { .. } => "end that process by hand",
            Self::Install { .. } | Self::Spawn { .. } => return None,
        };
        Some(hint.into())
    }

    /// The last lines that the engine wrote, where it got as far as that.
    pub(crate) fn last_lines(&self) -> &[String] {
        match self {
            Self::Silent { last_lines, .. } | Self::EndedEarly { last_lines, .. } => last_lines,
            Self::NoPython { .. }
            | Self::UnfitPython { .. }
            | Self::NoJava { .. }
            | Self::WrongJava { .. }
            | Self::NotInstalled { .. }
            | Self::Damaged { .. }
            | Self::Cache { .. }
            | Self::DiskFull { .. }
            | Self::Download { .. }
            | Self::Hash { .. }
            | Self::NoBuild { .. }
            | Self::Unloadable { .. }
            | Self::Install { .. }
            | Self::Folder { .. }
            | Self::Unsafe { .. }
            | Self::Unstoppable { .. }
            | Self::Spawn { .. } => &[],
        }
    }
}
