//! The lock of an output: two runs never write one file at a time.
//!
//! It is the operating system's lock on a hidden file beside the target, so it ends with the process, however
//! that ends. The file says who holds it, for the message alone; a file that nobody has locked means nothing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;

use super::staged_file::{Folders, hidden, is_at, parent, resolve, without_slash};
use crate::sink::error::Error;
use crate::sink::location::Location;
use crate::sink::place::OutputPlace;
use crate::sink::store::StoreSettings;
use crate::sink::store::without_secrets;

/// How often a lock file that is removed by its last holder is tried again.
const ATTEMPTS: usize = 100;

/// No more of a lock file is read for a message.
const HOLDER_BYTES: u64 = 200;

/// Keeps other runs off one output until it is dropped.
#[derive(Debug)]
pub(crate) struct OutputLock {
    /// Held for its lock.
    _file: File,
    path: PathBuf,
    /// After the file itself, for its folder is removed only where it is empty.
    _folders: Folders,
}

impl OutputLock {
    /// Locks the output at `place` for the run named `run`, or says at once who has it. What is in a store is locked
    /// where `settings` say, and so against this machine's runs alone.
    pub(crate) fn of(
        place: &OutputPlace,
        run: &str,
        settings: &StoreSettings,
    ) -> Result<Option<Self>, Error> {
        match place {
            OutputPlace::File(Location::Local(path)) if path.is_dir() => {
                Err(Error::Folder { path: resolve(path)? })
            }
            OutputPlace::File(Location::Local(path)) => Self::acquire(path, run).map(Some),
            OutputPlace::Folder(Location::Local(path)) => Self::acquire(&without_slash(path), run).map(Some),
            OutputPlace::File(Location::Url(url)) | OutputPlace::Folder(Location::Url(url)) => {
                match Self::acquire(&settings.lock(url), run) {
                    Err(Error::Busy { holder, .. }) => {
                        Err(Error::Busy { path: without_secrets(url).into(), holder })
                    }
                    // Where nothing can be written on this machine, an object still can.
                    lock => Ok(lock.ok()),
                }
            }
            OutputPlace::Stdout => Ok(None),
        }
    }

    fn acquire(target: &Path, run: &str) -> Result<Self, Error> {
        let resolved = resolve(target)?;
        let folders = Folders::create(parent(&resolved))?;
        let path = parent(&resolved).join(hidden(&resolved, ".lock"));
        let failed = |source| Error::file("lock", &resolved, source);
        for _ in 0..ATTEMPTS {
            let Some(mut file) = open(&path).map_err(failed)? else { continue };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::Busy { path: resolved, holder: holder(file) });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            // Its last holder may have removed it after it was opened here; then this lock keeps nobody off.
            if !is_at(&file, &path) {
                continue;
            }
            file.set_len(0)
                .and_then(|()| write!(file, "process {}, run {run}", process::id()))
                .map_err(failed)?;
            return Ok(Self { _file: file, path, _folders: folders });
        }
        Err(failed(io::Error::other("its lock file keeps disappearing")))
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // Before the lock ends with the file: who waits for it finds the file gone, and begins again.
        let _ignored = fs::remove_file(&self.path);
    }
}

/// Opens the lock file, and makes it where there is none; nothing if it went in between.
///
/// It never creates through a symbolic link, and what a link points at is not locked either: it is not at
/// this path.
fn open(path: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.clone().create_new(true).open(path) {
        Ok(file) => return Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    match options.open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the holder has written about itself.
fn holder(file: File) -> Option<String> {
    let mut text = String::new();
    file.take(HOLDER_BYTES).read_to_string(&mut text).ok()?;
    let tidy = text.chars().filter(|it| !it.is_control()).collect::<String>();
    (!tidy.is_empty()).then_some(tidy)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_second_run_is_told_who_holds_the_lock() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        let lock = OutputLock::acquire(&target, "r1").unwrap();
        let error = OutputLock::acquire(&target, "r2").unwrap_err();
        let Error::Busy { path, holder } = error else { panic!("{error:?}") };
        assert_eq!(path, target);
        assert_eq!(holder.unwrap(), format!("process {}, run r1", process::id()));

        OutputLock::acquire(&folder.path().join("other"), "r2").unwrap();
        drop(lock);
        OutputLock::acquire(&target, "r2").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_object_is_locked_by_its_url() {
        let folder = TempDir::new().unwrap();
        let place = |url: &str| OutputPlace::File(Location::Url(url.to_owned()));
        let settings = StoreSettings::with_locks(folder.path().join("locks"));
        let lock = |url: &str| OutputLock::of(&place(url), "r", &settings);
        let _first = lock("s3://bucket/a b").unwrap().unwrap();
        let _second = lock("s3://bucket/a_b").unwrap().unwrap();
        let error = lock("s3://bucket/a b").unwrap_err();
        assert!(error.to_string().contains("`s3://bucket/a b`"), "{error}");
        fs::write(folder.path().join("file"), "").unwrap();
        let nowhere = StoreSettings::with_locks(folder.path().join("file/locks"));
        let nowhere = OutputLock::of(&place("s3://bucket/c"), "r", &nowhere);
        assert!(nowhere.unwrap().is_none());
    }

    #[test]
    fn a_link_and_its_target_are_one_output() {
        let folder = TempDir::new().unwrap();
        symlink("real", folder.path().join("link")).unwrap();
        let _lock = OutputLock::acquire(&folder.path().join("real"), "r1").unwrap();
        let error = OutputLock::acquire(&folder.path().join("link"), "r2").unwrap_err();
        assert!(matches!(error, Error::Busy { .. }), "{error}");
    }

    #[test]
    fn a_file_that_a_killed_run_left_locks_nothing() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(".out.lock"), "process 1, run of long ago, with a longer name").unwrap();
        let target = folder.path().join("out");
        let _lock = OutputLock::acquire(&target, "r").unwrap();
        let written = fs::read_to_string(folder.path().join(".out.lock")).unwrap();
        assert_eq!(written, format!("process {}, run r", process::id()));
    }

    #[test]
    fn a_folder_is_locked_however_it_is_written() {
        let home = TempDir::new().unwrap();
        let out = home.path().join("out");
        fs::create_dir(&out).unwrap();
        symlink("out", home.path().join("link")).unwrap();
        let folder = |path: &str| OutputPlace::Folder(Location::Local(home.path().join(path)));
        let lock = OutputLock::of(&folder("out"), "r1", &StoreSettings::default()).unwrap();
        assert!(lock.is_some());
        for path in ["out/", "./out", "link", "link/"] {
            let error = OutputLock::of(&folder(path), "r2", &StoreSettings::default()).unwrap_err();
            assert!(matches!(error, Error::Busy { .. }), "{path}: {error}");
        }
        let file = OutputPlace::File(Location::Local(out));
        assert!(matches!(OutputLock::of(&file, "r2", &StoreSettings::default()), Err(Error::Folder { .. })));
        assert!(OutputLock::of(&OutputPlace::Stdout, "r2", &StoreSettings::default()).unwrap().is_none());
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let folder = TempDir::new().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        symlink("victim", folder.path().join(".out.lock")).unwrap();
        OutputLock::acquire(&folder.path().join("out"), "r").unwrap_err();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }

    #[test]
    fn folders_made_for_the_lock_go_with_it() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("a/b/out");
        drop(OutputLock::acquire(&target, "r").unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let lock = OutputLock::acquire(&target, "r").unwrap();
        fs::write(&target, "kept").unwrap();
        drop(lock);
        assert!(target.exists());
    }

    #[test]
    fn there_is_never_more_than_one_holder() {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("out");
        let holders = AtomicUsize::new(0);
        let acquired = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        match OutputLock::acquire(&target, "r") {
                            Ok(_lock) => {
                                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                                acquired.fetch_add(1, Ordering::SeqCst);
                                holders.fetch_sub(1, Ordering::SeqCst);
                            }
                            Err(Error::Busy { .. }) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                });
            }
        });
        assert!(acquired.load(Ordering::SeqCst) > 0);
    }
}
