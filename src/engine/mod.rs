//! Kinds of managed engine: servers that pipectl installs from `PyPI` and starts by itself.
//!
//! [`Managed`] runs one and ends it, [`install`] brings its packages unless they are [`beside`] the program, [`java`] finds what
//! runs Spark, [`warm`] keeps one between runs, [`program`] holds what runs in Python; a kind says in its own file which packages
//! those are, with which settings its server starts, and which program runs it. All listen on the loopback address alone. Nothing
//! here prints or reads the environment: what applies is handed in with a [`EnginePaths`], what happens is reported as [`Progress`].
//!
//! A server's working directory is a private folder that goes with it, so whoever sends it a path sends an absolute one.

mod beside;
mod catalog;
mod class_data;
mod classes;
mod ending;
mod error;
mod fingerprint;
mod folder;
mod install;
mod installation;
mod java;
mod kind;
mod launch;
mod leftover;
mod managed;
mod packages;
mod paths;
mod program;
mod progress;
mod python;
mod sail;
mod spark;
mod tail;
mod warm;

use installation::Trust;
use managed::Tools;
use progress::Report;

pub(crate) use error::Error;
pub(crate) use install::Status;
pub(crate) use installation::Installation;
pub(crate) use java::Java;
pub(crate) use kind::EngineKind;
pub(crate) use launch::LaunchSettings;
pub(crate) use managed::Managed;
pub(crate) use paths::{Downloads, EnginePaths, default_cache};
pub(crate) use progress::Progress;
pub(crate) use python::Interpreter;
pub(crate) use warm::{Age, Found, Warm};

impl EngineKind {
    /// Installs it where that has not been done, or where what is there cannot be loaded.
    pub(crate) async fn install(
        self,
        place: &EnginePaths,
        progress: &Report<'_>,
    ) -> Result<Installation, Error> {
        let tools = Tools::ensure(self, place, Trust::Verify, progress).await?;
        Ok(tools.installation)
    }

    /// Says why an engine in the program's environment is not used, where there is one.
    pub(crate) async fn ignored(self, place: &EnginePaths) -> Option<String> {
        match beside::find(self.packages(), place, Trust::Verify).await {
            beside::Found::Ignored(reason) => Some(reason),
            beside::Found::Nothing | beside::Found::Whole(_) => None,
        }
    }

    /// Says what is installed, without changing anything.
    pub(crate) async fn status(self, place: &EnginePaths) -> Status {
        install::status(self.packages(), place).await
    }

    /// The Java with which it would run, without installing one: nothing where it needs none.
    pub(crate) async fn status_of_java(self, place: &EnginePaths) -> Result<Option<Java>, Error> {
        let place = EnginePaths { downloads: Downloads::Off, ..place.clone() };
        self.java(&place, Trust::Record, &|_| {}).await
    }

    /// Asks whether the index answers from which the engine is installed.
    pub(crate) async fn reach_index(self, python: &Interpreter) -> Result<(), Error> {
        install::reach_index(self.packages(), python).await
    }

    /// Starts a private engine, and installs it first where that is needed. It accepts connections when this returns.
    pub(crate) async fn start(
        self,
        place: &EnginePaths,
        settings: &LaunchSettings,
        progress: &Report<'_>,
    ) -> Result<Managed, Error> {
        Managed::start(self, place, settings, progress).await
    }

    /// Looks for an engine that is kept between runs.
    pub(crate) async fn find_warm(self, place: &EnginePaths) -> Found {
        warm::find(self, place).await
    }

    /// Starts an engine that is kept between runs, unless there is one.
    pub(crate) async fn keep(
        self,
        place: &EnginePaths,
        settings: &LaunchSettings,
        progress: &Report<'_>,
    ) -> Result<(Warm, Age), Error> {
        warm::keep(self, place, settings, progress).await
    }
}

/// The Python that engines run on.
pub(crate) async fn python(place: &EnginePaths) -> Result<Interpreter, Error> {
    python::find(place.python.as_deref(), &place.search_path).await
}

/// The search path of the test process; the environment is read elsewhere.
#[cfg(test)]
fn search_path() -> Vec<std::path::PathBuf> {
    let output = std::process::Command::new("printenv").arg("PATH").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    std::env::split_paths(&text.unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_kind_and_every_kind_a_name() {
        let kinds: Vec<_> = EngineKind::NAMES.iter().map(|name| EngineKind::named(name).unwrap()).collect();
        assert!(EngineKind::ALL.iter().all(|kind| kinds.contains(kind)));
        assert_eq!(EngineKind::named("Spark"), None);
        assert!(EngineKind::ALL.iter().all(|kind| kind.name() == kind.packages().name));
    }

    #[test]
    fn plain_spark_is_the_newest() {
        assert_eq!(EngineKind::named("spark"), EngineKind::ALL.last().copied());
        let titles = EngineKind::ALL.map(EngineKind::title);
        insta::assert_snapshot!(titles.join(", "), @"Sail 0.7.2, Spark 4.0.5, Spark 4.1.4, Spark 4.2.1, Spark 4.3.0");
    }
}
