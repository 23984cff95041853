//! Owns where engines live and with what they run: the caller found it in flags and environment.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// Where engines live and with what they run: what `cli` found in flags and environment.
#[derive(Clone, Debug)]
pub(crate) struct EnginePaths {
    /// The program that runs, without links: an engine may be installed in its environment.
    pub program: Option<PathBuf>,
    /// Engines are installed below it, in `engines`.
    pub cache: PathBuf,
    /// The parent of the private folder of a run.
    pub temporary: PathBuf,
    /// Where programs are looked for that are named without a path.
    pub search_path: Vec<PathBuf>,
    /// The Python to use (`PIPECTL_PYTHON`); the first fitting one of the search path if none is given.
    pub python: Option<PathBuf>,
    /// The Java to use (`PIPECTL_JAVA`), a program or a home, and no other.
    pub java: Option<PathBuf>,
    /// The home of the user's Java (`JAVA_HOME`), where that fits.
    pub java_home: Option<PathBuf>,
    /// The folder of the files that say where engines are that are kept.
    pub warm: PathBuf,
    pub downloads: Downloads,
}

/// Whether an engine that is missing may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Downloads {
    Allowed,
    Off,
}

/// The user's cache folder for pipectl: `$XDG_CACHE_HOME/pipectl`, or `~/.cache/pipectl`. `None` for a user without a home.
pub(crate) fn default_cache() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir().join("pipectl"))
}
