//! Owns which engines pipectl can install and start, and what they are called.

use std::time::Duration;

use super::program::Program;

/// The engines that pipectl can install and start by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineKind {
    Sail,
    Spark(Version),
}

/// The versions that are available: of each minor one the newest, as a cluster may run any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V4_0,
    V4_1,
    V4_2,
    V4_3,
}

impl EngineKind {
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

    /// Its name without a version, as folders and files bear it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sail => "sail",
            Self::Spark(_) => "spark",
        }
    }

    /// The timeout until it accepts connections.
    pub(super) fn ready_within(self) -> Duration {
        match self {
            Self::Sail => Duration::from_secs(30),
            // A JVM and hundreds of jars, perhaps from a slow disk.
            Self::Spark(_) => Duration::from_secs(120),
        }
    }

    /// The program that runs the server, given its packages.
    pub(super) fn program(self) -> Program {
        match self {
            Self::Sail => Program::Sail,
            Self::Spark(_) => Program::Spark,
        }
    }
}
