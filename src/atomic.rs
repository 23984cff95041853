//! The one way to write a small file that others read: it is published whole, or not at all.
//!
//! Outputs have their own, in `sink::local`: they grow without a limit and leave traces that later runs understand.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::Builder;

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Replaced,
    /// It stays, and writing fails.
    Kept,
}

/// Who may read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    Owner,
    /// Those whom the process's umask allows.
    Umask,
}

/// Writes a file and publishes it when it is on the disk. A process that is killed meanwhile leaves a hidden file at most, whose name
/// begins with that of the file.
///
/// # Errors
///
/// Those of the file system; `AlreadyExists` where a file is there that is [`Existing::Kept`].
pub(crate) fn write(path: &Path, bytes: &[u8], existing: Existing, readers: Readers) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Umask => 0o666,
    };
    let mut staged = Builder::new()
        .prefix(&format!(".{name}."))
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    match existing {
        Existing::Replaced => staged.persist(path),
        Existing::Kept => staged.persist_noclobber(path),
    }
    .map(drop)
    .map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_or_kept_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, b"one", Existing::Kept, Readers::Owner).unwrap();
        let error = write(&path, b"two", Existing::Kept, Readers::Owner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write(&path, b"three", Existing::Replaced, Readers::Umask).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("no/a.json");
        assert_eq!(
            write(&nowhere, b"", Existing::Kept, Readers::Umask).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
