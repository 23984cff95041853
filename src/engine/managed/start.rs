//! Owns what a start needs: which engine where, and the installations it runs with.

use std::path::Path;

use crate::engine::classes;
use crate::engine::error::Error;
use crate::engine::install;
use crate::engine::installation::{Installation, Trust};
use crate::engine::java::Java;
use crate::engine::kind::EngineKind;
use crate::engine::launch::LaunchSettings;
use crate::engine::paths::EnginePaths;
use crate::engine::progress::Report;

/// What is to be started.
pub(super) struct Start<'a> {
    pub(super) kind: EngineKind,
    pub(super) place: &'a EnginePaths,
    pub(super) settings: &'a LaunchSettings,
    /// The file that says where a kept engine is; a private one has none.
    pub(super) record: Option<&'a Path>,
}

/// What an engine runs with.
pub(in crate::engine) struct Tools {
    pub(in crate::engine) installation: Installation,
    pub(super) java: Option<Java>,
}

impl Tools {
    pub(in crate::engine) async fn ensure(
        kind: EngineKind,
        place: &EnginePaths,
        trust: Trust,
        progress: &Report<'_>,
    ) -> Result<Self, Error> {
        let java = kind.java(place, trust, progress).await?;
        let installation = install::ensure(kind.packages(), place, trust, progress).await?;
        if let Some(java) = &java {
            classes::ensure(kind, place, &installation, java, progress).await;
        }
        Ok(Self { installation, java })
    }

    pub(super) fn java(&self) -> Option<(&Installation, &Java)> {
        self.java.as_ref().map(|java| (&self.installation, java))
    }
}
