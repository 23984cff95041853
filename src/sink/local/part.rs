//! A file of a folder in the making. Its folder puts it on the disk, with all others at the end.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::staged_file::parent;
use crate::sink::error::Error;

/// A file that becomes visible with its folder.
#[derive(Debug)]
pub(crate) struct Part {
    file: File,
    /// Where it will be seen.
    target: PathBuf,
    path: PathBuf,
}

impl Part {
    /// Begins the file at `path`, which is to be seen at `target`.
    pub(crate) fn create(path: &Path, target: &Path) -> Result<Self, Error> {
        let failed = |source| Error::file("create", target, source);
        fs::create_dir_all(parent(path)).map_err(failed)?;
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        Ok(Self { file, target: target.to_path_buf(), path: path.to_path_buf() })
    }

    /// Where it will be seen.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where it is now.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Completes the file, and returns its length.
    pub(crate) fn commit(self) -> Result<u64, Error> {
        let metadata = self.file.metadata().map_err(|source| Error::file("read", &self.target, source))?;
        Ok(metadata.len())
    }
}

impl io::Write for Part {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
