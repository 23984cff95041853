//! Files for what does not fit in memory while an output is written; they have no name and go when closed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::staged_file::{hidden, parent};

/// A folder for scratch files.
#[derive(Debug, Clone)]
pub(crate) struct Scratch {
    /// The path that they are named after, for the moment in which they have a name.
    target: PathBuf,
}

impl Scratch {
    /// In the folder of `target`, and so on the device that must hold the output anyway.
    pub(crate) fn beside(target: &Path) -> Self {
        Self { target: target.to_path_buf() }
    }

    /// A new file, to be written and read.
    pub(crate) fn file(&self) -> io::Result<File> {
        let name = hidden(&self.target, &format!(".{}.partial", Uuid::new_v4().simple()));
        let path = parent(&self.target).join(name);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        fs::remove_file(path)?;
        Ok(file)
    }
}
