//! A folder that appears whole or not at all: it is filled beside its target and changes places with it at the
//! end, in one call where the system has one.
//!
//! The staged folder is hidden, named after its target and locked while it is filled. What a killed run leaves:
//!
//! | Killed | Left | The next run |
//! | --- | --- | --- |
//! | while files are written | the old folder, a staged one | removes the staged one |
//! | after the exchange | the new folder, the old one under the staged one's name | removes the old one |
//! | between two renames, where there is no exchange | no folder, the old one as `.….old` | puts the old one back |
//! | while files are moved in (`append`) | some of the new files | leaves them, removes the rest |
//!
//! Only a folder that is an output is replaced: files called `part-…`, folders called `column=value`, and what
//! Spark puts beside them. Anything else in it belongs to somebody, and is a reason to refuse.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::part::Part;
use super::scratch::Scratch;
use super::staged_file::{Folders, hidden, is_at, is_random, parent, resolve, sync_folder, without_slash};
use crate::sink::error::Error;
use crate::sink::mode::Mode;
use crate::sink::part_name::{is_part, is_partition};

const STAGED: &str = ".partial";
const OLD: &str = ".old";

/// How often a folder that another process takes away is made again.
const ATTEMPTS: usize = 16;

/// More files are put on the disk with all else that waits for it: one by one each would wait for a write of its own.
const MANY_FILES: usize = 32;

/// A folder in the making.
#[derive(Debug)]
pub(crate) struct StagedFolder {
    /// Held for its lock; nothing on a file system without locks.
    lock: File,
    partial: PathBuf,
    target: PathBuf,
    mode: Mode,
    /// Whether the target has files that stay.
    is_appended: bool,
    is_gone: bool,
    /// After the folder itself, for the one around it is removed only where it is empty.
    _folders: Folders,
}

impl StagedFolder {
    /// Begins a folder that is to become `target`.
    pub(crate) fn create(target: &Path, mode: Mode) -> Result<Self, Error> {
        let target = resolve(&without_slash(target))?;
        let folders = Folders::create(parent(&target))?;
        settle(&target)?;
        let is_empty = match mode {
            Mode::Overwrite => replaceable(&target)?,
            // Nothing is removed, whoever it belongs to.
            Mode::Append | Mode::Error => is_empty(&target)?,
        };
        if mode == Mode::Error && !is_empty {
            return Err(Error::Exists { path: target });
        }
        let replaced = fs::metadata(&target).ok().map(|it| it.permissions().mode() & 0o7777);
        // Never more open than the folder that it replaces, not even at first.
        let (lock, partial) = create_partial(&target, replaced.map_or(0o777, |mode| mode | 0o700))?;
        let is_appended = mode == Mode::Append && !is_empty;
        let staged = Self { lock, partial, target, mode, is_appended, is_gone: false, _folders: folders };
        if let Some(mode) = replaced {
            fs::set_permissions(&staged.partial, fs::Permissions::from_mode(mode | 0o700))
                .map_err(|source| Error::file("set the permissions of", &staged.partial, source))?;
        }
        Ok(staged)
    }

    /// Whether the target has files that stay beside the new ones.
    pub(crate) fn is_appended(&self) -> bool {
        self.is_appended
    }

    /// Begins a file in the folder.
    pub(crate) fn begin(&self, name: &str) -> Result<Part, Error> {
        Part::create(&self.partial.join(name), &self.target.join(name))
    }

    /// Scratch files stand in the folder itself for the moment in which they have a name.
    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::beside(&self.partial.join("scratch"))
    }

    /// Puts the files and their folders on the disk.
    pub(crate) fn seal(&mut self) -> Result<(), Error> {
        let folders = folders_in(&self.partial)?;
        let mut files = Vec::new();
        for folder in &folders {
            files.extend(entries(folder)?.iter().map(fs::DirEntry::path).filter(|path| path.is_file()));
        }
        if files.len() > MANY_FILES && sync_all(&self.lock) {
            return Ok(());
        }
        for path in files {
            let seen = self.target.join(path.strip_prefix(&self.partial).unwrap_or(&path));
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(|source| Error::file("write", &seen, source))?;
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Makes the folder visible.
    pub(crate) fn commit(mut self) -> Result<(), Error> {
        match self.mode {
            Mode::Overwrite => self.replace()?,
            Mode::Error => self.claim()?,
            Mode::Append if self.is_appended => self.move_in()?,
            Mode::Append => self.claim().or_else(|_| self.move_in())?,
        }
        sync_folder(parent(&self.target))
    }

    /// Takes the name if there is nothing, or an empty folder: renaming refuses everything else.
    fn claim(&mut self) -> Result<(), Error> {
        fs::rename(&self.partial, &self.target).map_err(|source| match source.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
                Error::Exists { path: self.target.clone() }
            }
            _ => Error::file("create", &self.target, source),
        })?;
        self.is_gone = true;
        Ok(())
    }

    /// Changes places with the old folder and removes it.
    fn replace(&mut self) -> Result<(), Error> {
        if replaceable(&self.target)? {
            return self.claim();
        }
        match exchange(&self.partial, &self.target) {
            Ok(()) => {}
            Err(error) if is_unsupported(&error) => self.rename_both()?,
            Err(source) => return Err(Error::file("replace", &self.target, source)),
        }
        self.remove_old()
    }

    /// Changes places by two renames, between which there is nothing at the target.
    fn rename_both(&mut self) -> Result<(), Error> {
        let failed = |source| Error::file("replace", &self.target, source);
        let old = self.partial.with_extension(OLD.trim_start_matches('.'));
        fs::rename(&self.target, &old).map_err(failed)?;
        if let Err(source) = fs::rename(&self.partial, &self.target) {
            // Where that does not work either, the next run does it.
            let _ignored = fs::rename(&old, &self.target);
            return Err(failed(source));
        }
        self.partial = old;
        Ok(())
    }

    /// Removes the old folder, which stands where the new one was made.
    fn remove_old(&mut self) -> Result<(), Error> {
        sync_folder(parent(&self.target))?;
        // The new folder stands. What can not be removed of the old one is removed by the next run.
        let _ignored = fs::remove_dir_all(&self.partial);
        self.is_gone = true;
        Ok(())
    }

    /// Moves the files into the folder that is there; their names are no others'.
    fn move_in(&mut self) -> Result<(), Error> {
        let mut moved = Vec::new();
        let result = self.move_all(&mut moved);
        if result.is_err() {
            for path in moved.iter().rev() {
                let _ignored = fs::remove_file(path);
            }
        }
        result
    }

    fn move_all(&self, moved: &mut Vec<PathBuf>) -> Result<(), Error> {
        for folder in folders_in(&self.partial)? {
            let inside = folder.strip_prefix(&self.partial).unwrap_or(&folder);
            let target =
                if inside.as_os_str().is_empty() { self.target.clone() } else { self.target.join(inside) };
            fs::create_dir_all(&target).map_err(|source| Error::file("create", &target, source))?;
            for entry in entries(&folder)? {
                let to = target.join(entry.file_name());
                if entry.path().is_dir() {
                    continue;
                }
                fs::rename(entry.path(), &to).map_err(|source| Error::file("create", &to, source))?;
                moved.push(to);
            }
            sync_folder(&target)?;
        }
        Ok(())
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        if !self.is_gone {
            // What cannot be removed now is removed as stale by the next run.
            let _ignored = fs::remove_dir_all(&self.partial);
        }
        let _ignored = self.lock.unlock();
    }
}

/// Puts a whole file system on the disk, where that can be asked for and nothing goes wrong.
#[cfg(target_os = "linux")]
fn sync_all(folder: &File) -> bool {
    rustix::fs::syncfs(folder).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn sync_all(_folder: &File) -> bool {
    false
}

/// Lets two folders change places, so that there is no moment without one.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Whether a file system, or a system, does not know how to exchange.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::InvalidInput)
}

/// Whether there is nothing at `target`, or an empty folder.
fn is_empty(target: &Path) -> Result<bool, Error> {
    match fs::metadata(target) {
        Ok(metadata) if metadata.is_dir() => Ok(entries(target)?.is_empty()),
        Ok(_) => Err(Error::NoFolder { path: target.to_path_buf() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(source) => Err(Error::file("read", target, source)),
    }
}

/// The same, and an error where what is there may not be replaced.
fn replaceable(target: &Path) -> Result<bool, Error> {
    if is_empty(target)? {
        return Ok(true);
    }
    for folder in folders_in(target)? {
        for entry in entries(&folder)? {
            let kind = entry.file_type().map_err(|source| Error::file("read", &entry.path(), source))?;
            let name = entry.file_name();
            let known = (kind.is_dir() && is_partition(&name)) || (kind.is_file() && is_part(&name));
            if !known {
                return Err(Error::Foreign { path: entry.path(), folder: target.to_path_buf() });
            }
        }
    }
    Ok(false)
}

/// A folder and all that are in it, the outer ones first. Links are not followed.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = vec![folder.to_path_buf()];
    let mut next = 0;
    while next < found.len() {
        for entry in entries(&found[next])? {
            if entry.file_type().is_ok_and(|it| it.is_dir()) {
                found.push(entry.path());
            }
        }
        next += 1;
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect);
    entries.map_err(|source| Error::file("read", folder, source))
}

fn create_partial(target: &Path, permissions: u32) -> Result<(File, PathBuf), Error> {
    let failed = |source| Error::file("create a folder beside", target, source);
    for _ in 0..ATTEMPTS {
        let partial = parent(target).join(hidden(target, &format!(".{}{STAGED}", Uuid::new_v4().simple())));
        DirBuilder::new().mode(permissions).create(&partial).map_err(failed)?;
        let Ok(folder) = File::open(&partial) else { continue };
        match folder.try_lock() {
            // Between its creation and its lock another run may have taken it for stale.
            Ok(()) if is_at(&folder, &partial) => return Ok((folder, partial)),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks: nobody can lock the folder, so nobody takes it for stale.
            Err(TryLockError::Error(_)) => return Ok((folder, partial)),
        }
    }
    Err(failed(io::Error::other("another process removes it again and again")))
}

/// Removes what killed runs have left beside `target`, and puts an old folder back that has no successor.
fn settle(target: &Path) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(parent(target)) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_ok_and(|it| it.is_dir());
        if is_folder && is_random(&name, target, OLD) {
            if fs::symlink_metadata(target).is_ok() {
                let _ignored = fs::remove_dir_all(entry.path());
            } else {
                fs::rename(entry.path(), target).map_err(|source| Error::file("restore", target, source))?;
            }
        } else if is_folder && is_random(&name, target, STAGED) {
            let path = entry.path();
            let Ok(folder) = File::open(&path) else { continue };
            if folder.try_lock().is_ok() && is_at(&folder, &path) {
                let _ignored = fs::remove_dir_all(&path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// The files below a folder with their texts, hidden ones too.
    fn tree(folder: &Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for inner in folders_in(folder).unwrap() {
            for entry in entries(&inner).unwrap().into_iter().filter(|it| it.path().is_file()) {
                let name = entry.path().strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
        found.sort();
        found
    }

    fn fill(target: &Path, mode: Mode, files: &[(&str, &str)]) -> Result<StagedFolder, Error> {
        let mut staged = StagedFolder::create(target, mode)?;
        for (name, text) in files {
            let mut part = staged.begin(name)?;
            part.write_all(text.as_bytes()).unwrap();
            assert_eq!(part.commit()?, text.len() as u64);
        }
        staged.seal()?;
        Ok(staged)
    }

    fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("a/out");
        fill(&target, Mode::Overwrite, &[("d=1/part-0", "x"), ("d=2/part-0", "y")])
            .unwrap()
            .commit()
            .unwrap();
        assert_eq!(tree(&target), owned(&[("d=1/part-0", "x"), ("d=2/part-0", "y")]));
        fs::write(target.join("_SUCCESS"), "").unwrap();
        fs::write(target.join(".part-0.crc"), "").unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o750)).unwrap();

        let staged = fill(&target, Mode::Overwrite, &[("d=3/part-0", "z")]).unwrap();
        assert!(target.join("d=1").exists());
        staged.commit().unwrap();
        assert_eq!(tree(folder.path()), owned(&[("a/out/d=3/part-0", "z")]));
        assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o750);
        assert_eq!(entries(&folder.path().join("a")).unwrap().len(), 1);
    }

    #[test]
    fn two_renames_do_where_there_is_no_exchange() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        fill(&target, Mode::Overwrite, &[("part-0", "old")]).unwrap().commit().unwrap();
        let mut staged = fill(&target, Mode::Overwrite, &[("part-0", "new")]).unwrap();
        staged.rename_both().unwrap();
        assert_eq!(tree(&target), owned(&[("part-0", "new")]));
        assert_eq!(tree(&staged.partial), owned(&[("part-0", "old")]));
        staged.remove_old().unwrap();
        drop(staged);
        assert_eq!(tree(folder.path()), owned(&[("out/part-0", "new")]));

        let unsupported = [io::Error::from(ErrorKind::Unsupported), io::Error::from_raw_os_error(22)];
        assert!(unsupported.iter().all(is_unsupported));
    }

    #[test]
    fn dropped_means_nothing_happened() {
        let folder = TempDir::new().unwrap();
        drop(fill(&folder.path().join("a/out"), Mode::Overwrite, &[("part-0", "x")]).unwrap());
        assert!(entries(folder.path()).unwrap().is_empty());
    }

    #[test]
    fn appending_adds_files_and_an_error_leaves_none() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        fill(&target, Mode::Append, &[("d=1/part-a", "1")]).unwrap().commit().unwrap();
        let staged = fill(&target, Mode::Append, &[("d=1/part-b", "2"), ("d=2/part-b", "3")]).unwrap();
        assert!(staged.is_appended());
        staged.commit().unwrap();
        let both = [("out/d=1/part-a", "1"), ("out/d=1/part-b", "2"), ("out/d=2/part-b", "3")];
        assert_eq!(tree(folder.path()), owned(&both));

        let staged = fill(&target, Mode::Append, &[("d=1/part-c", "4"), ("d=3/part-c", "5")]).unwrap();
        fs::write(target.join("d=3"), "in the way").unwrap();
        assert!(staged.commit().is_err());
        fs::remove_file(target.join("d=3")).unwrap();
        assert_eq!(tree(folder.path()), owned(&both));
    }

    #[test]
    fn mode_error_takes_an_empty_folder_only() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        fs::create_dir(&target).unwrap();
        fill(&target, Mode::Error, &[("part-0", "x")]).unwrap().commit().unwrap();
        let again = fill(&target, Mode::Error, &[("part-0", "y")]);
        assert!(matches!(again, Err(Error::Exists { .. })));

        let late = folder.path().join("late");
        let staged = fill(&late, Mode::Error, &[("part-0", "x")]).unwrap();
        fs::create_dir(&late).unwrap();
        fs::write(late.join("theirs"), "t").unwrap();
        assert!(matches!(staged.commit(), Err(Error::Exists { .. })));
        assert_eq!(tree(folder.path()), owned(&[("late/theirs", "t"), ("out/part-0", "x")]));
    }

    #[test]
    fn what_somebody_else_put_there_is_never_removed() {
        for name in ["notes.txt", "d=1/notes.txt", ".git/config", "sub/part-0", "data.parquet", ".part-0"] {
            let folder = TempDir::new().unwrap();
            let target = folder.path().join("out");
            {
                let staged = fill(&target, Mode::Overwrite, &[("part-0", "x")]).unwrap();
                let theirs = target.join(name);
                fs::create_dir_all(theirs.parent().unwrap()).unwrap();
                fs::write(&theirs, "precious").unwrap();
                // It came while the run was on its way, or was there before.
                assert!(matches!(staged.commit(), Err(Error::Foreign { .. })), "{name}");
                assert!(matches!(fill(&target, Mode::Overwrite, &[]), Err(Error::Foreign { .. })), "{name}");
                assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
            }
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("out"), "a file").unwrap();
        let error = fill(&folder.path().join("out"), Mode::Overwrite, &[]).unwrap_err();
        assert!(matches!(error, Error::NoFolder { .. }));
    }

    #[test]
    fn a_link_stays_and_what_it_points_at_is_replaced() {
        let folder = TempDir::new().unwrap();
        let real = folder.path().join("real");
        fill(&real, Mode::Overwrite, &[("part-0", "x")]).unwrap().commit().unwrap();
        let link = folder.path().join("link");
        symlink("real", &link).unwrap();
        fill(&link.join(""), Mode::Overwrite, &[("part-0", "y")]).unwrap().commit().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(tree(&real), owned(&[("part-0", "y")]));
    }

    #[test]
    fn what_a_killed_run_left_is_settled_and_what_a_living_one_needs_is_kept() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        let left = |suffix: &str| {
            let path = folder.path().join(format!(".out.{}{suffix}", "0".repeat(32)));
            fs::create_dir(&path).unwrap();
            fs::write(path.join("part-0"), suffix).unwrap();
        };
        // Killed between two renames: the old folder comes back.
        left(OLD);
        left(STAGED);
        let staged = fill(&target, Mode::Overwrite, &[("part-0", "new")]).unwrap();
        assert_eq!(tree(&target), owned(&[("part-0", OLD)]));
        let living = fill(&target, Mode::Overwrite, &[]).unwrap();
        staged.commit().unwrap();
        drop(living);
        assert_eq!(tree(folder.path()), owned(&[("out/part-0", "new")]));
        // Killed after the second one: it goes.
        left(OLD);
        drop(fill(&target, Mode::Overwrite, &[]).unwrap());
        assert_eq!(tree(folder.path()), owned(&[("out/part-0", "new")]));
    }
}
