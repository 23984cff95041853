//! Owns files that a document or the command line names: read as far as they can be of use, and their paths as messages show them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Bytes; a file beyond this is not even read.
pub(super) const LARGEST_READ: u64 = 64 * 1024 * 1024;

/// The bytes of a file that a document names, which need not end: beyond any use nothing is read.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of a file that the pipeline names, as far as they can be of use; what has no end is not read.
pub(super) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    read(path)
}

/// A path as it is shortest from here.
pub(super) fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf))
        .unwrap_or_else(|| path.to_path_buf())
}
