//! Kinds of managed engine: servers that pipectl installs from `PyPI` and starts by itself.
//!
//! [`Managed`] runs one and ends it, [`install`] brings its packages unless they are [`beside`] the program, [`java`] finds what
//! runs Spark, [`warm`] keeps one between runs, [`program`] holds what runs in Python; a kind says in its own file which packages
//! those are, with which settings its server starts, and which program runs it. All listen on the loopback address alone. Nothing
//! here prints or reads the environment: what applies is handed in with a [`Place`], what happens is reported as [`Progress`].
//!
//! A server's working directory is a private folder that goes with it, so whoever sends it a path sends an absolute one.

mod beside;
mod classes;
mod error;
mod install;
mod java;
mod managed;
mod program;
mod python;
mod sail;
mod spark;
mod tail;
mod warm;

use std::path::PathBuf;
use std::time::Duration;

use etcetera::BaseStrategy as _;
use serde::Serialize;

use crate::dialect::{Dialect, Implementation};

pub(crate) use error::Error;
pub(crate) use install::{Installation, Status};
pub(crate) use java::Java;
pub(crate) use managed::{Managed, Settings};
pub(crate) use python::Interpreter;
pub(crate) use spark::Version;
pub(crate) use warm::{Age, Found, Warm};

/// The engines that pipectl can install and start by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sail,
    Spark(Version),
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Sail,
        Self::Spark(Version::V4_0),
        Self::Spark(Version::V4_1),
        Self::Spark(Version::V4_2),
        Self::Spark(Version::V4_3),
    ];

    /// What users may call them: on the command line, and in files.
    pub(crate) const NAMES: [&'static str; 6] =
        ["sail", "spark", "spark-4.0", "spark-4.1", "spark-4.2", "spark-4.3"];

    /// The kind with one of the [`Self::NAMES`]. Spark without a version is the newest.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sail" => Some(Self::Sail),
            "spark" | "spark-4.3" => Some(Self::Spark(Version::V4_3)),
            "spark-4.0" => Some(Self::Spark(Version::V4_0)),
            "spark-4.1" => Some(Self::Spark(Version::V4_1)),
            "spark-4.2" => Some(Self::Spark(Version::V4_2)),
            _ => None,
        }
    }

    /// What the engine can do, as far as that is known before it answers.
    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Sail => Dialect::sail(),
            Self::Spark(_) => Dialect::new(Implementation::Spark, self.packages().version),
        }
    }

    /// Its name and the version that this version of pipectl installs.
    pub(crate) fn title(self) -> &'static str {
        self.packages().title
    }

    /// The command that installs it, and the bytes that this downloads, where that is known.
    pub(crate) fn installation(self) -> (&'static str, Option<u64>) {
        (self.packages().install, self.packages().download())
    }

    /// Installs it where that has not been done, or where what is there cannot be loaded.
    pub(crate) async fn install(self, place: &Place, progress: &Report<'_>) -> Result<Installation, Error> {
        let tools = managed::Tools::ensure(self, place, install::Trust::Verify, progress).await?;
        Ok(tools.installation)
    }

    /// Says why an engine in the program's environment is not used, where there is one.
    pub(crate) async fn ignored(self, place: &Place) -> Option<String> {
        match beside::find(self.packages(), place, install::Trust::Verify).await {
            beside::Found::Ignored(reason) => Some(reason),
            beside::Found::Nothing | beside::Found::Whole(_) => None,
        }
    }

    /// Says what is installed, without changing anything.
    pub(crate) async fn status(self, place: &Place) -> Status {
        install::status(self.packages(), place).await
    }

    /// The Java with which it would run, without installing one: nothing where it needs none.
    pub(crate) async fn status_of_java(self, place: &Place) -> Result<Option<Java>, Error> {
        let place = Place { downloads: Downloads::Off, ..place.clone() };
        self.java(&place, install::Trust::Record, &|_| {}).await
    }

    /// Asks whether the index answers from which the engine is installed.
    pub(crate) async fn reach_index(self, python: &Interpreter) -> Result<(), Error> {
        install::reach_index(self.packages(), python).await
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

    /// Looks for an engine that is kept between runs.
    pub(crate) async fn find_warm(self, place: &Place) -> Found {
        warm::find(self, place).await
    }

    /// Starts an engine that is kept between runs, unless there is one.
    pub(crate) async fn keep(
        self,
        place: &Place,
        settings: &Settings,
        progress: &Report<'_>,
    ) -> Result<(Warm, Age), Error> {
        warm::keep(self, place, settings, progress).await
    }

    fn packages(self) -> &'static Packages {
        match self {
            Self::Sail => &sail::PACKAGES,
            Self::Spark(version) => &version.release().packages,
        }
    }

    /// The Java that it runs with, installed where the user has none that fits.
    async fn java(
        self,
        place: &Place,
        trust: install::Trust,
        progress: &Report<'_>,
    ) -> Result<Option<Java>, Error> {
        let Self::Spark(version) = self else { return Ok(None) };
        let versions = spark::OLDEST_JAVA..=version.release().newest_java;
        let need = java::Need { engine: self.title(), versions };
        java::find(&need, place, trust, progress).await.map(Some)
    }

    /// The timeout until it accepts connections.
    fn ready_within(self) -> Duration {
        match self {
            Self::Sail => Duration::from_secs(30),
            // A JVM and hundreds of jars, perhaps from a slow disk.
            Self::Spark(_) => Duration::from_secs(120),
        }
    }

    /// The program that runs the server, given its packages.
    fn program(self) -> program::Program {
        match self {
            Self::Sail => program::Program::Sail,
            Self::Spark(_) => program::Program::Spark,
        }
    }

    /// The server's settings.
    fn launch(
        self,
        settings: &Settings,
        folder: &managed::Folder,
        java: Option<(&Installation, &Java)>,
    ) -> managed::Launch {
        match (self, java) {
            (Self::Spark(_), Some((installation, java))) => {
                spark::launch(settings, folder, installation, java)
            }
            (Self::Sail | Self::Spark(_), _) => sail::launch(settings, folder),
        }
    }
}

/// Where engines live and with what they run: what `cli` found in flags and environment.
#[derive(Clone, Debug)]
pub(crate) struct Place {
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

/// What takes long, reported as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// An engine in the program's environment is not used, and why.
    Ignored {
        reason: String,
    },
    /// Another process installs the named thing; this one waits for it.
    Waiting {
        what: &'static str,
    },
    /// The named thing is being fetched.
    Fetching {
        what: String,
    },
    /// So many bytes of the named thing have arrived, of so many where that is known.
    Fetched {
        what: &'static str,
        bytes: u64,
        of: Option<u64>,
    },
    Unpacking {
        what: String,
    },
    /// The named thing is made ready to start sooner.
    Preparing {
        what: &'static str,
    },
    /// The named thing is installed.
    Installed {
        what: &'static str,
    },
    Starting,
}

/// Takes the progress; called from the task that installs or starts.
pub(crate) type Report<'a> = dyn Fn(Progress) + Send + Sync + 'a;

/// What is installed in one folder.
struct Packages {
    /// With the version, the folder's name.
    name: &'static str,
    version: &'static str,
    /// Both, for people.
    title: &'static str,
    /// The command that installs it.
    install: &'static str,
    /// The megabytes it takes.
    megabytes: u64,
    /// Wheels in pip's format, every one with its hash.
    requirements: &'static str,
    /// The bytes of the wheel that each machine gets: system and processor.
    wheels: &'static [(&'static str, u64)],
    /// What is used instead where the program's own environment has it.
    beside: Option<beside::Beside>,
    archives: &'static [Archive],
    /// Files written next to the packages: path and content.
    files: &'static [(&'static str, &'static str)],
    /// The Python statement that proves that the packages can be loaded.
    proof: &'static str,
}

impl Packages {
    /// The bytes that an installation on this machine downloads, where that is known.
    fn download(&self) -> Option<u64> {
        if !self.archives.is_empty() {
            return Some(self.archives.iter().map(|archive| archive.bytes).sum());
        }
        let machine = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        self.wheels.iter().find(|(name, _)| *name == machine).map(|(_, bytes)| *bytes)
    }
}

/// A source distribution, of which nothing but some members is taken.
#[derive(Debug, Serialize)]
struct Archive {
    name: &'static str,
    /// The project that it belongs to in the index.
    project: &'static str,
    bytes: u64,
    sha256: &'static str,
    /// Files, and folders (with a slash at the end) for the files right in them, each with its place among the packages.
    members: &'static [(&'static str, &'static str)],
}

/// The Python that engines run on.
pub(crate) async fn python(place: &Place) -> Result<Interpreter, Error> {
    python::find(place.python.as_deref(), &place.search_path).await
}

/// The user's cache folder for pipectl: `$XDG_CACHE_HOME/pipectl`, or `~/.cache/pipectl`. `None` for a user without a home.
pub(crate) fn default_cache() -> Option<PathBuf> {
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir().join("pipectl"))
}

/// The search path of the test process; the environment is read elsewhere.
#[cfg(test)]
fn search_path() -> Vec<PathBuf> {
    let output = std::process::Command::new("printenv").arg("PATH").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    std::env::split_paths(&text.unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_kind_and_every_kind_a_name() {
        let kinds: Vec<_> = Kind::NAMES.iter().map(|name| Kind::named(name).unwrap()).collect();
        assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind)));
        assert_eq!(Kind::named("Spark"), None);
    }

    #[test]
    fn plain_spark_is_the_newest() {
        assert_eq!(Kind::named("spark"), Kind::ALL.last().copied());
        let titles = Kind::ALL.map(Kind::title);
        insta::assert_snapshot!(titles.join(", "), @"Sail 0.7.2, Spark 4.0.5, Spark 4.1.4, Spark 4.2.1, Spark 4.3.0");
    }
}
