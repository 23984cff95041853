//! Private folders that killed runs have left, with all that their engines had spilled: the next start removes them.
//!
//! A launcher removes the folder of its engine however pipectl ends, but where it is killed too, as everything in a container
//! is, nobody does. Whoever works in a folder holds a shared lock on a file in it, which the kernel releases at the end of the
//! last process. So a folder whose lock can be had by one alone is nobody's any more.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::kind::EngineKind;

const LOCK: &str = "lock";
const PREFIX: &str = "pipectl-";
const DIGITS: usize = 32;
/// How long a start may be held up; what is left then is for the next one.
pub(super) const LIMIT: Duration = Duration::from_secs(2);

/// The name of a new folder.
pub(super) fn name(kind: EngineKind) -> String {
    format!("{PREFIX}{}-{}", kind.name(), uuid::Uuid::new_v4().simple())
}

/// Whether a name is one of those.
fn is_name(name: &str) -> bool {
    let Some((kind, digits)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('-')) else {
        return false;
    };
    EngineKind::ALL.iter().any(|known| known.name() == kind)
        && digits.len() == DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes the lock of a new folder and holds it. Where the file system has no locks, nothing is removed there.
pub(super) fn lock(folder: &Path) -> io::Result<File> {
    let file = File::create_new(folder.join(LOCK))?;
    let _without_locks = file.try_lock_shared();
    Ok(file)
}

/// Removes what is no longer used, as far as that goes until the deadline.
pub(super) fn remove_all(temporary: &Path, deadline: Instant) {
    for entry in fs::read_dir(temporary).into_iter().flatten().flatten() {
        if Instant::now() >= deadline {
            return;
        }
        let path = entry.path();
        if is_name(&entry.file_name().to_string_lossy()) && is_own(&path) {
            // What can't be removed stays, and prevents no start.
            drop(remove(&path, deadline));
        }
    }
}

/// Whether it is a folder of this user that no other user may enter: neither a link, nor what another user has put there.
fn is_own(folder: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|found| {
        let is_open = found.mode() & 0o077 != 0;
        found.is_dir() && found.uid() == user && !is_open
    })
}

fn remove(folder: &Path, deadline: Instant) -> io::Result<()> {
    let path = folder.join(LOCK);
    if !fs::symlink_metadata(&path)?.is_file() {
        return Ok(());
    }
    let lock = File::options().read(true).write(true).open(&path)?;
    if lock.try_lock().is_err() {
        return Ok(());
    }
    // The lock goes last: what is left at the deadline is found by it again.
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name != LOCK) && !remove_within(&path, deadline)? {
            return Ok(());
        }
    }
    fs::remove_file(&path)?;
    fs::remove_dir(folder)
}

/// Removes a file, a link, or a folder with all that is in it; says whether that was possible before the deadline.
fn remove_within(path: &Path, deadline: Instant) -> io::Result<bool> {
    if Instant::now() >= deadline {
        return Ok(false);
    }
    if !fs::symlink_metadata(path)?.is_dir() {
        return fs::remove_file(path).map(|()| true);
    }
    for entry in fs::read_dir(path)? {
        if !remove_within(&entry?.path(), deadline)? {
            return Ok(false);
        }
    }
    fs::remove_dir(path).map(|()| true)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    /// A folder as a killed run leaves it.
    fn left(temporary: &Path) -> PathBuf {
        let folder = temporary.join(name(EngineKind::Sail));
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        drop(lock(&folder).unwrap());
        fs::create_dir_all(folder.join("spill/deep")).unwrap();
        fs::write(folder.join("spill/deep/rows"), [0; 1000]).unwrap();
        folder
    }

    #[test]
    fn what_nobody_uses_is_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let kept = temporary.path().join("data");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("file"), "").unwrap();
        let folder = left(temporary.path());
        symlink(&kept, folder.join("spill/link")).unwrap();
        remove_all(temporary.path(), later());
        assert!(!folder.exists());
        assert!(kept.join("file").exists(), "a link was followed");
    }

    #[test]
    fn what_somebody_uses_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = left(temporary.path());
        let users = [1, 2].map(|_| File::open(folder.join(LOCK)).unwrap());
        for user in &users {
            user.try_lock_shared().unwrap();
        }
        let [one, other] = users;
        remove_all(temporary.path(), later());
        drop(one);
        remove_all(temporary.path(), later());
        assert!(folder.join("spill/deep/rows").exists());
        drop(other);
        remove_all(temporary.path(), later());
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_not_certainly_its_own_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path();
        let open = left(path);
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let without_lock = left(path);
        fs::remove_file(without_lock.join(LOCK)).unwrap();
        let linked_lock = left(path);
        fs::remove_file(linked_lock.join(LOCK)).unwrap();
        symlink(open.join(LOCK), linked_lock.join(LOCK)).unwrap();
        let target = path.join("target");
        fs::rename(left(path), &target).unwrap();
        let link = path.join(name(EngineKind::Sail));
        symlink(&target, &link).unwrap();
        let file = path.join(name(EngineKind::Sail));
        fs::write(&file, "").unwrap();
        let others = ["pipectl-sail-1", "pipectl-duck-0123456789abcdef0123456789abcdef", "pipectl-sail"];
        let others = others.map(|name| {
            fs::rename(left(path), path.join(name)).unwrap();
            path.join(name)
        });
        remove_all(path, later());
        for folder in [open, without_lock, linked_lock, target, link].iter().chain(&others) {
            assert!(folder.join("spill/deep/rows").exists(), "{}", folder.display());
        }
        assert!(file.exists());
    }

    #[test]
    fn a_deadline_leaves_the_rest_for_the_next() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = left(temporary.path());
        remove(&folder, Instant::now()).unwrap();
        assert!(folder.join(LOCK).exists());
        remove_all(temporary.path(), Instant::now());
        assert!(folder.join("spill/deep/rows").exists());
        remove_all(temporary.path(), later());
        assert!(!folder.exists());
    }
}
