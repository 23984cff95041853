//! Owns what each kind of engine is made of: its packages, the Java that it needs, the settings of its server.

use super::error::Error;
use super::folder::Folder;
use super::installation::{Installation, Trust};
use super::java::{self, Java};
use super::kind::EngineKind;
use super::launch::{Launch, LaunchSettings};
use super::packages::Packages;
use super::paths::EnginePaths;
use super::progress::Report;
use super::{sail, spark};
use crate::dialect::{Dialect, Implementation};

impl EngineKind {
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

    pub(super) fn packages(self) -> &'static Packages {
        match self {
            Self::Sail => &sail::PACKAGES,
            Self::Spark(version) => &version.release().packages,
        }
    }

    /// The Java that it runs with, installed where the user has none that fits.
    pub(super) async fn java(
        self,
        place: &EnginePaths,
        trust: Trust,
        progress: &Report<'_>,
    ) -> Result<Option<Java>, Error> {
        let Self::Spark(version) = self else { return Ok(None) };
        let versions = spark::OLDEST_JAVA..=version.release().newest_java;
        let need = java::Need { engine: self.title(), versions };
        java::find(&need, place, trust, progress).await.map(Some)
    }

    /// The server's settings.
    pub(super) fn launch(
        self,
        settings: &LaunchSettings,
        folder: &Folder,
        java: Option<(&Installation, &Java)>,
    ) -> Launch {
        match (self, java) {
            (Self::Spark(_), Some((installation, java))) => {
                spark::launch(settings, folder, installation, java)
            }
            (Self::Sail | Self::Spark(_), _) => sail::launch(settings, folder),
        }
    }
}
