//! What tests share although each may have a process of its own: locks, and stamps of what is done once for all of them.
//!
//! A lock is a file, and it is let go with the value or with the process that holds it, however that ends.

use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::install::CACHE;

/// How long whoever waits for one of several places sleeps before it looks again.
const PAUSE: Duration = Duration::from_millis(100);

/// A file of this name beside what is shared.
pub(super) fn shared(name: &str) -> PathBuf {
    let folder = PathBuf::from(CACHE).join("shared");
    fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

pub(super) fn file(name: &str) -> File {
    let path = shared(&format!("{name}.lock"));
    File::options().create(true).truncate(false).write(true).open(path).unwrap()
}

/// Waits until nobody else holds the lock of this name.
pub(super) fn alone(name: &str) -> File {
    let file = file(name);
    file.lock().unwrap();
    file
}

/// Waits for one of so many places of this name.
pub(crate) fn place(name: &str, places: usize) -> File {
    loop {
        for number in 0..places {
            let file = file(&format!("{name}-{number}"));
            if file.try_lock().is_ok() {
                return file;
            }
        }
        thread::sleep(PAUSE);
    }
}

/// Does something once in this state, by whichever test is first, while the others that need it wait.
pub(super) fn once(name: &str, state: &str, make: impl FnOnce()) {
    let stamp = shared(&format!("{name}.done"));
    let is_done = || fs::read_to_string(&stamp).is_ok_and(|found| found == state);
    if is_done() {
        return;
    }
    let _alone = alone(name);
    if !is_done() {
        make();
        fs::write(stamp, state).unwrap();
    }
}
