//! Kinds of managed engine: servers that pipectl installs from `PyPI` and starts privately for one run.
//!
//! [`Managed`] runs one and ends it, [`install`] brings its packages; a kind says in its own file which packages those are,
//! with which settings its server starts, and which script runs it. Nothing here prints or reads the environment: what applies
//! is handed in with a [`Place`], what happens is told as [`Progress`].
//!
//! A server's working directory is a private folder that goes with it, so whoever sends it a path sends an absolute one.

mod error;
mod install;
mod managed;
mod python;
mod sail;
mod tail;

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

use crate::dialect::Dialect;

pub(crate) use error::Error;
pub(crate) use install::{Installation, Status};
pub(crate) use managed::{Managed, Settings};

/// The engines that pipectl can install and start by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sail,
}

impl Kind {
    /// What the user calls the engines.
    pub(crate) const NAMES: &[&str] = &["sail"];

    /// The engine of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Sail].into_iter().find(|kind| kind.name() == name)
    }

    /// What the user calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sail => "sail",
        }
    }

    /// What the engine can do, as far as that is known before it answers.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Sail => Dialect::sail(),
        }
    }

    /// The version of the engine that this version of pipectl installs.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Sail => sail::VERSION,
        }
    }

    /// Installs it where that has not been done, or where what is there cannot be loaded.
    pub(crate) async fn install(self, place: &Place, progress: &Report<'_>) -> Result<Installation, Error> {
        install::ensure(self, place, install::Trust::Verify, progress).await
    }

    /// Says what is installed, without changing anything.
    pub(crate) async fn status(self, place: &Place) -> Status {
        install::status(self, place).await
    }

    /// Starts a private engine, and installs it first where that is needed. It accepts connections when this returns.
    pub(crate) async fn start(
        self,
        place: &Place,
        settings: &Settings,
        progress: &Report<'_>,
    ) -> Result<Managed, Error> {
        Managed::start(self, place, settings, progress).await
    }

    fn packages(self) -> &'static Packages {
        match self {
            Self::Sail => &sail::PACKAGES,
        }
    }

    /// The script that runs the server, given the folder of its packages.
    fn script(self) -> &'static str {
        match self {
            Self::Sail => sail::SCRIPT,
        }
    }

    /// The server's settings, as variables of its environment.
    fn environment(self, settings: &Settings, folder: &managed::Folder) -> Vec<(&'static str, String)> {
        match self {
            Self::Sail => sail::environment(settings, folder),
        }
    }
}

/// Where engines live and with what they run: what `cli` found in flags and environment.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Engines are installed below it, in `engines`.
    pub cache: PathBuf,
    /// The parent of the private folder of a run.
    pub temporary: PathBuf,
    /// The Python to use (`PIPECTL_PYTHON`); the first fitting one of the search path if none is given.
    pub python: Option<PathBuf>,
    pub downloads: Downloads,
}

/// Whether an engine that is missing may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Downloads {
    Allowed,
    Off,
}

/// What takes long, told as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Another process installs the same engine; this one waits for it.
    Waiting,
    /// The named thing is being fetched.
    Fetching {
        what: String,
    },
    /// So many bytes have arrived.
    Fetched {
        bytes: u64,
    },
    Unpacking {
        what: String,
    },
    Installed,
    Starting,
}

/// Takes the progress; called from the task that installs or starts.
pub(crate) type Report<'a> = dyn Fn(Progress) + Send + Sync + 'a;

/// What an engine is made of.
struct Packages {
    /// In pip's format, every wheel with its hash.
    requirements: &'static str,
    /// Files written beside the packages: path and content.
    files: &'static [(&'static str, &'static str)],
    /// The Python statement that proves that the packages can be loaded.
    proof: &'static str,
}

/// The user's cache folder for pipectl: `$XDG_CACHE_HOME/pipectl`, or `~/.cache/pipectl`. `None` for a user without a home.
pub(crate) fn default_cache() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir().join("pipectl"))
}
