//! The private folder of an engine: its programs, where it works and spills, what is its owner's alone to read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::kind::EngineKind;
use super::leftover;
use super::paths::EnginePaths;
use super::program::Program;

/// The private folder of a run, removed by the launcher, or by a drop that comes first.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Says that it is used, as the processes that work in it say it too.
    _lock: File,
}

impl Folder {
    pub(super) fn create(kind: EngineKind, place: &EnginePaths) -> Result<Self, Error> {
        // The server gets another working directory, so a relative path would lead it astray.
        let temporary = std::path::absolute(&place.temporary).unwrap_or_else(|_| place.temporary.clone());
        let name = leftover::name(kind);
        let path = temporary.join(&name);
        let failed = |source| Error::Folder { path: path.clone(), source };
        // Nobody takes it for left over before it is locked: until then it has another name.
        let staged = temporary.join(format!(".{name}"));
        fs::DirBuilder::new().mode(0o700).create(&staged).map_err(failed)?;
        let renamed = leftover::lock(&staged).and_then(|lock| fs::rename(&staged, &path).map(|()| lock));
        let lock = renamed.inspect_err(|_| drop(fs::remove_dir_all(&staged))).map_err(failed)?;
        let folder = Self { path: path.clone(), _lock: lock };
        folder.fill(kind).inspect_err(|_| folder.remove()).map_err(failed)?;
        Ok(folder)
    }

    fn fill(&self, kind: EngineKind) -> io::Result<()> {
        for folder in [self.work(), self.spill(), self.checkpoint()] {
            fs::create_dir(folder)?;
        }
        fs::write(self.launcher(), Program::Launch.text())?;
        fs::write(self.keeper(), Program::Keep.text())?;
        fs::write(self.server(), kind.program().text())
    }

    /// Writes what is its owner's alone to read, as the folder is.
    pub(super) fn write(&self, files: &[(&'static str, String)]) -> Result<(), Error> {
        let written = files.iter().try_for_each(|(name, content)| {
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true).mode(0o600);
            options.open(self.path.join(name))?.write_all(content.as_bytes())
        });
        written.map_err(|source| Error::Folder { path: self.path.clone(), source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The server's working directory.
    pub(super) fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    pub(super) fn spill(&self) -> PathBuf {
        self.path.join("spill")
    }

    pub(super) fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    pub(super) fn launcher(&self) -> PathBuf {
        self.path.join("launch.py")
    }

    pub(super) fn keeper(&self) -> PathBuf {
        self.path.join("keep.py")
    }

    pub(super) fn control(&self) -> PathBuf {
        self.path.join("control")
    }

    pub(super) fn server(&self) -> PathBuf {
        self.path.join("serve.py")
    }

    pub(super) fn remove(&self) {
        drop(fs::remove_dir_all(&self.path));
    }
}
