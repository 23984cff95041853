//! A file that appears whole or not at all: it is written beside its target, synced, and renamed at the end.
//!
//! The staged file is hidden, is named after its target and is locked while it is written, so that what a
//! killed run has left can be told from what a living one needs; it is removed when the same target is staged
//! next.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::sink::error::Error;
use crate::sink::mode::Mode;

const SUFFIX: &str = ".partial";

/// How many symbolic links are followed to a target; as many as Linux follows.
const LINKS: usize = 40;

/// How often a name or a folder that another process takes away is tried again.
const ATTEMPTS: usize = 16;

/// A file in the making.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: File,
    partial: PathBuf,
    target: PathBuf,
    mode: Mode,
    sealed: bool,
    renamed: bool,
    /// After the file itself, for its folder is removed only where it is empty.
    _folders: Folders,
}

impl StagedFile {
    /// Begins a file that is to become `target`.
    pub(crate) fn create(target: &Path, mode: Mode) -> Result<Self, Error> {
        let target = resolve(target)?;
        let replaced = replaceable(&target, mode)?;
        let folders = Folders::create(parent(&target))?;
        remove_stale(&target);
        let (file, partial) = create_partial(&target, replaced.as_ref())?;
        let staged = Self { file, partial, target, mode, sealed: false, renamed: false, _folders: folders };
        if let Some(replaced) = replaced {
            staged.take_after(&replaced)?;
        }
        Ok(staged)
    }

    /// The file that appears when this one is complete.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Puts all that was written on the disk.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        self.file.sync_all().map_err(|source| Error::file("write", &self.target, source))?;
        self.sealed = true;
        Ok(())
    }

    /// Makes the file visible under its own name, and returns its length.
    pub(crate) fn commit(mut self) -> Result<u64, Error> {
        if !self.sealed {
            self.seal()?;
        }
        let metadata = self.file.metadata().map_err(|source| Error::file("read", &self.target, source))?;
        match self.mode {
            Mode::Overwrite | Mode::Append => self.replace()?,
            Mode::Error => self.claim()?,
        }
        sync_folder(parent(&self.target))?;
        Ok(metadata.len())
    }

    /// Renames over what is there.
    fn replace(&mut self) -> Result<(), Error> {
        fs::rename(&self.partial, &self.target)
            .map_err(|source| Error::file("replace", &self.target, source))?;
        self.renamed = true;
        Ok(())
    }

    /// Takes the name only if nobody has it: a link fails where a rename would replace.
    fn claim(&mut self) -> Result<(), Error> {
        match fs::hard_link(&self.partial, &self.target) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Err(Error::Exists { path: self.target.clone() })
            }
            // Some file systems have no links. There an empty file claims the name first and is replaced at
            // once.
            Err(_) => match OpenOptions::new().write(true).create_new(true).open(&self.target) {
                Ok(_) => self.replace(),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    Err(Error::Exists { path: self.target.clone() })
                }
                Err(source) => Err(Error::file("create", &self.target, source)),
            },
        }
    }

    /// Takes permissions and, as far as it may, owner and group from the file that is replaced.
    fn take_after(&self, replaced: &Metadata) -> Result<(), Error> {
        let own = self.file.metadata().map_err(|source| Error::file("read", &self.partial, source))?;
        if (own.uid(), own.gid()) != (replaced.uid(), replaced.gid()) {
            // Only root may give a file away; a group of one's own is within anybody's rights.
            let both = fchown(&self.file, Some(replaced.uid()), Some(replaced.gid()));
            let _owner_stays = both.or_else(|_| fchown(&self.file, None, Some(replaced.gid())));
        }
        self.file
            .set_permissions(replaced.permissions())
            .map_err(|source| Error::file("set the permissions of", &self.partial, source))
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.renamed {
            // What cannot be removed now is removed as stale by the next run.
            let _ignored = fs::remove_file(&self.partial);
        }
    }
}

/// The folders that had to be made for a file; those that are still empty at the end go again.
#[derive(Debug)]
pub(crate) struct Folders {
    /// From the outermost to the innermost.
    made: Vec<PathBuf>,
}

impl Folders {
    /// Makes `folder` and what is missing above it.
    pub(crate) fn create(folder: &Path) -> Result<Self, Error> {
        let mut made = folder
            .ancestors()
            .take_while(|it| !it.as_os_str().is_empty() && !it.exists())
            .map(Path::to_path_buf)
            .collect::<Vec<_>>();
        made.reverse();
        fs::create_dir_all(folder).map_err(|source| Error::File {
            action: "create the folder",
            path: folder.to_path_buf(),
            source,
        })?;
        Ok(Self { made })
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        for folder in self.made.iter().rev() {
            // It fails where the folder is not empty, which is what is wanted.
            let _ignored = fs::remove_dir(folder);
        }
    }
}

/// The file that a path names, with symbolic links followed, also one that points nowhere yet.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, Error> {
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(Error::Folder { path: path.to_path_buf() });
    }
    let mut resolved = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&resolved) {
            Ok(link) => resolved = parent(&resolved).join(link),
            Err(_) => return Ok(resolved),
        }
    }
    Err(Error::file("follow", path, io::Error::other("too many levels of symbolic links")))
}

/// The path of a folder without the `/` that may be written at its end.
pub(crate) fn without_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

/// The folder of a file.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The name of a hidden file that belongs to `path`.
pub(crate) fn hidden(path: &Path, suffix: &str) -> OsString {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(suffix);
    name
}

/// Whether a file and a path are still one and the same.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(file), Ok(path)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (file.dev(), file.ino()) == (path.dev(), path.ino())
}

/// What is there now, if it may be replaced.
fn replaceable(target: &Path, mode: Mode) -> Result<Option<Metadata>, Error> {
    let metadata = match fs::metadata(target) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::file("read", target, source)),
    };
    let path = || target.to_path_buf();
    if metadata.is_dir() {
        return Err(Error::Folder { path: path() });
    }
    if !metadata.is_file() {
        return Err(Error::Special { path: path() });
    }
    if mode == Mode::Error {
        return Err(Error::Exists { path: path() });
    }
    // A rename would replace a file that may not be written, so the question is asked here.
    OpenOptions::new().write(true).open(target).map_err(|source| Error::file("write", target, source))?;
    Ok(Some(metadata))
}

fn create_partial(target: &Path, replaced: Option<&Metadata>) -> Result<(File, PathBuf), Error> {
    let failed = |source| Error::file("create a file beside", target, source);
    // Never more open than the file that it replaces, not even at first.
    let permissions = replaced.map_or(0o666, |it| it.permissions().mode() & 0o666);
    for _ in 0..ATTEMPTS {
        let partial = parent(target).join(partial_name(target));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(permissions)
            .open(&partial)
            .map_err(failed)?;
        match file.try_lock() {
            // Between its creation and its lock another run may have taken it for stale.
            Ok(()) if is_at(&file, &partial) => return Ok((file, partial)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks: nobody can lock the file, so nobody takes it for stale.
            Err(TryLockError::Error(_)) => return Ok((file, partial)),
        }
    }
    Err(failed(io::Error::other("another process removes it again and again")))
}

/// Removes what killed runs have left beside `target`. It is a courtesy: what does not work is left alone.
fn remove_stale(target: &Path) {
    let Ok(entries) = fs::read_dir(parent(target)) else { return };
    for entry in entries.flatten() {
        let regular = entry.file_type().is_ok_and(|it| it.is_file());
        if !regular || !is_random(&entry.file_name(), target, SUFFIX) {
            continue;
        }
        let path = entry.path();
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &path) {
            let _ignored = fs::remove_file(&path);
        }
    }
}

fn partial_name(target: &Path) -> OsString {
    hidden(target, &format!(".{}{SUFFIX}", Uuid::new_v4().simple()))
}

/// Whether a name is that of a hidden file of `target` with something random in it.
pub(crate) fn is_random(name: &OsStr, target: &Path, suffix: &str) -> bool {
    let prefix = hidden(target, ".");
    name.as_encoded_bytes()
        .strip_prefix(prefix.as_encoded_bytes())
        .and_then(|it| it.strip_suffix(suffix.as_bytes()))
        .is_some_and(|random| random.len() == 32 && random.iter().all(u8::is_ascii_hexdigit))
}

/// Makes a rename durable. Not every file system can sync a folder, and then there is nothing more to do.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        Err(source)
            if !matches!(
                source.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Err(Error::file("sync the folder", folder, source))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    fn write(target: &Path, mode: Mode, text: &str) -> Result<u64, Error> {
        let mut staged = StagedFile::create(target, mode)?;
        staged.write_all(text.as_bytes()).unwrap();
        staged.commit()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
        let mut names = entries.collect::<Vec<_>>();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_at_commit_and_replaces_the_old_one() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("a/b/out");
        for text in ["first", "second one"] {
            let mut staged = StagedFile::create(&target, Mode::Overwrite).unwrap();
            let before = fs::read_to_string(&target).ok();
            staged.write_all(text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&target).ok(), before);
            assert_eq!(staged.commit().unwrap(), text.len() as u64);
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            assert_eq!(names(target.parent().unwrap()), ["out"]);
        }
    }

    #[test]
    fn dropped_means_nothing_happened() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("a/b/out");
        let mut staged = StagedFile::create(&target, Mode::Overwrite).unwrap();
        staged.write_all(b"half").unwrap();
        drop(staged);
        assert!(names(folder.path()).is_empty());

        let target = folder.path().join("out");
        fs::write(&target, "old").unwrap();
        drop(StagedFile::create(&target, Mode::Overwrite).unwrap());
        assert_eq!(names(folder.path()), ["out"]);
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    }

    #[test]
    fn mode_error_keeps_a_file_that_is_there_or_comes_meanwhile() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        assert_eq!(write(&target, Mode::Error, "new").unwrap(), 3);
        assert!(matches!(write(&target, Mode::Error, "newer"), Err(Error::Exists { .. })));

        let late = folder.path().join("late");
        let staged = StagedFile::create(&late, Mode::Error).unwrap();
        fs::write(&late, "theirs").unwrap();
        assert!(matches!(staged.commit(), Err(Error::Exists { .. })));
        assert_eq!(fs::read_to_string(&late).unwrap(), "theirs");
        assert_eq!(names(folder.path()), ["late", "out"]);
    }

    #[test]
    fn permissions_of_a_replaced_file_are_kept() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        fs::write(&target, "old").unwrap();
        for mode in [0o600, 0o640, 0o666] {
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
            write(&target, Mode::Overwrite, "new").unwrap();
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn a_link_stays_and_what_it_points_at_is_replaced() {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        let link = folder.path().join("link");
        symlink("hop", &link).unwrap();
        symlink("real/out", folder.path().join("hop")).unwrap();
        for text in ["through a dangling link", "again"] {
            write(&link, Mode::Overwrite, text).unwrap();
            assert!(link.is_symlink());
            assert_eq!(fs::read_to_string(folder.path().join("real/out")).unwrap(), text);
        }
        symlink("round", folder.path().join("round")).unwrap();
        let error = write(&folder.path().join("round"), Mode::Overwrite, "").unwrap_err();
        assert!(error.to_string().contains("round"), "{error}");
    }

    #[test]
    fn what_a_killed_run_left_goes_and_what_a_living_one_needs_stays() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        let living = StagedFile::create(&target, Mode::Overwrite).unwrap();
        let left = folder.path().join(format!(".out.{}.partial", "0".repeat(32)));
        let others = [".out.partial", ".other.00000000000000000000000000000000.partial", ".out.x.partial"];
        for name in others {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::write(&left, "half").unwrap();
        write(&target, Mode::Overwrite, "new").unwrap();
        assert!(!left.exists());
        assert!(living.partial.exists());
        assert!(others.iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn targets_that_cannot_be_files_are_refused_by_name() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let cases = [
            (folder.path().to_path_buf(), "is a folder"),
            (folder.path().join("new/"), "is a folder"),
            (folder.path().join(".."), "is a folder"),
            (folder.path().join("file/out"), "file"),
            (PathBuf::from("/dev/null"), "not a regular file"),
            (folder.path().join("x".repeat(300)), "xxx"),
        ];
        for (target, expected) in cases {
            let error = StagedFile::create(&target, Mode::Overwrite).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(names(folder.path()), ["file"]);
    }
}
