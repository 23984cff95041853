//! A folder of objects: what their names begin with.
//!
//! Stores have no folders and exchange nothing, so a folder is not replaced at once as it is on a disk. All objects of the
//! new generation are sent before any appears; then they are completed, some at a time; then those of the old generation
//! that were not replaced are deleted. Until the first is completed nothing has happened. Between that and the last
//! deletion a reader that lists the folder can see objects of both generations; one that fails in between, or is killed,
//! leaves it so, and the next run puts it right.
//!
//! Only an output is replaced: as on a disk, anything but data files in partitions is a reason to refuse.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use object_store::path::Path as Key;
use object_store::{Error as StoreError, ObjectStore};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::stores::{Stores, locked, object};
use super::upload::{Line, SIDE_BY_SIDE, Upload};
use crate::sink::Error;
use crate::sink::mode::Mode;
use crate::sink::part_name::{is_part, is_partition};

/// A folder in the making.
pub(in crate::sink) struct StoreFolder {
    /// Without a `/` at its end, for messages.
    url: String,
    prefix: Key,
    store: Arc<dyn ObjectStore>,
    line: Line,
    mode: Mode,
    is_appended: bool,
    sent: Sent,
}

/// Objects that are sent and not visible yet.
type Sent = Arc<Mutex<Vec<Upload>>>;

impl StoreFolder {
    /// Begins the folder at `url`.
    pub(in crate::sink) fn create(
        url: &str,
        mode: Mode,
        stores: &Stores,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        let object = object(url)?;
        let line = Line::new(url, stores, stop)?;
        let store = line.handle.block_on(stores.store(&object.container, url))?;
        let mut folder = Self {
            url: url.trim_end_matches('/').to_owned(),
            prefix: object.key,
            store,
            line,
            mode,
            is_appended: false,
            sent: Sent::default(),
        };
        folder.is_appended = !folder.replaceable()?.is_empty() && mode == Mode::Append;
        Ok(folder)
    }

    /// Whether there are objects that stay beside the new ones.
    pub(in crate::sink) fn is_appended(&self) -> bool {
        self.is_appended
    }

    /// Begins an object by its name in the folder.
    pub(in crate::sink) fn begin(&self, name: &str) -> Result<StorePart, Error> {
        let url = PathBuf::from(format!("{}/{name}", self.url));
        let key = Key::parse(format!("{}/{name}", self.prefix));
        let key = key.map_err(|error| Error::file("write", &url, io::Error::other(error)))?;
        let upload = Upload::beside_others(url, key, &self.store, &self.line);
        Ok(StorePart { upload, sent: Arc::clone(&self.sent) })
    }

    /// Where files may lie that belong to it.
    pub(in crate::sink) fn temporary(&self) -> PathBuf {
        self.line.temporary()
    }

    /// Makes the objects visible, and removes the old ones.
    pub(in crate::sink) fn commit(self) -> Result<(), Error> {
        // It may have changed while this one was written.
        let old = self.replaceable()?;
        let uploads = std::mem::take(&mut *locked(&self.sent));
        let new: HashSet<Key> = uploads.iter().map(|upload| upload.key().clone()).collect();
        self.complete(uploads)?;
        if self.mode == Mode::Overwrite {
            self.delete(old.into_iter().filter(|key| !new.contains(key)).collect())?;
        }
        Ok(())
    }

    /// What is there, if it may be replaced or added to.
    fn replaceable(&self) -> Result<Vec<Key>, Error> {
        let found = replaceable(&*self.store, &self.prefix, &self.url, self.mode);
        self.line.handle.block_on(found)
    }

    /// Completes all, some at a time. Where one fails the others are ended, but for those that are visible already.
    fn complete(&self, uploads: Vec<Upload>) -> Result<(), Error> {
        let mut waiting: Vec<_> = uploads.into_iter().filter_map(Upload::into_sending).collect();
        let failed = self.line.handle.block_on(async {
            let mut completing = JoinSet::new();
            let mut failed = Vec::new();
            let mut reason = None;
            loop {
                while reason.is_none() && completing.len() < SIDE_BY_SIDE {
                    let Some(mut upload) = waiting.pop() else { break };
                    completing.spawn(async move { (upload.complete().await, upload) });
                }
                match completing.join_next().await {
                    None => return reason.map(|reason| (reason, failed)),
                    Some(Ok((Ok(()), _))) => {}
                    Some(Ok((Err(error), upload))) => {
                        reason.get_or_insert(self.failed("write", &error));
                        failed.push(upload);
                    }
                    Some(Err(panic)) => {
                        let source = io::Error::other(panic);
                        reason.get_or_insert(Error::file("write", self.url.as_ref(), source));
                    }
                }
            }
        });
        let Some((reason, failed)) = failed else { return Ok(()) };
        waiting.extend(failed);
        self.line.abort(waiting);
        Err(reason)
    }

    fn delete(&self, old: Vec<Key>) -> Result<(), Error> {
        if old.is_empty() {
            return Ok(());
        }
        let deleted = self.line.handle.block_on(async {
            let mut deleting =
                self.store.delete_stream(Box::pin(tokio_stream::iter(old.into_iter().map(Ok))));
            while let Some(deleted) = deleting.next().await {
                match deleted {
                    Ok(_) | Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        deleted.map_err(|error| self.failed("remove the old objects of", &error))
    }

    fn failed(&self, action: &'static str, error: &StoreError) -> Error {
        Error::file(action, self.url.as_ref(), super::upload::failed(error))
    }
}

/// The objects of a folder, if they may be replaced or added to.
pub(super) async fn replaceable(
    store: &dyn ObjectStore,
    prefix: &Key,
    url: &str,
    mode: Mode,
) -> Result<Vec<Key>, Error> {
    let url = url.trim_end_matches('/');
    let mut found = Vec::new();
    let mut listing = store.list(Some(prefix));
    while let Some(object) = listing.next().await {
        let object = object.map_err(|error| {
            Error::file("list", url.as_ref(), io::Error::other(super::failure::reason(&error)))
        })?;
        found.push(object.location);
    }
    match mode {
        Mode::Error if !found.is_empty() => Err(Error::Exists { path: PathBuf::from(url) }),
        Mode::Error | Mode::Append => Ok(found),
        Mode::Overwrite => match found.iter().find(|key| !is_own(key, prefix)) {
            Some(key) => {
                let name = key.as_ref().strip_prefix(prefix.as_ref()).unwrap_or_default();
                Err(Error::Foreign { path: format!("{url}{name}").into(), folder: PathBuf::from(url) })
            }
            None => Ok(found),
        },
    }
}

/// Whether an object is part of an output.
fn is_own(key: &Key, prefix: &Key) -> bool {
    let Some(inside) = key.as_ref().strip_prefix(prefix.as_ref()) else { return false };
    let mut names = inside.trim_start_matches('/').split('/').rev().map(OsStr::new);
    names.next().is_some_and(is_part) && names.all(is_partition)
}

impl fmt::Debug for StoreFolder {
    /// Clients are not shown: they hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreFolder").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Drop for StoreFolder {
    fn drop(&mut self) {
        // All at once: one after the other takes long where there are many.
        let uploads = std::mem::take(&mut *locked(&self.sent));
        let sending: Vec<_> = uploads.into_iter().filter_map(Upload::into_sending).collect();
        if !sending.is_empty() {
            self.line.abort(sending);
        }
    }
}

/// An object of a folder, which becomes visible with the others.
#[derive(Debug)]
pub(in crate::sink) struct StorePart {
    upload: Upload,
    sent: Sent,
}

impl StorePart {
    /// The object's URL.
    pub(in crate::sink) fn target(&self) -> &Path {
        self.upload.target()
    }

    /// Where files may lie that belong to it.
    pub(in crate::sink) fn temporary(&self) -> PathBuf {
        self.upload.temporary()
    }

    /// Sends all of it.
    pub(in crate::sink) fn seal(&mut self) -> Result<(), Error> {
        self.upload.send_all()
    }

    /// Completes what is sent, and returns its length.
    pub(in crate::sink) fn commit(mut self) -> Result<u64, Error> {
        self.seal()?;
        let bytes = self.upload.bytes();
        locked(&self.sent).push(self.upload);
        Ok(bytes)
    }
}

impl io::Write for StorePart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.upload.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_output_has_is_its_own() {
        let is_own = |key: &str| is_own(&Key::parse(key).unwrap(), &Key::parse("lake/out").unwrap());
        for key in [
            "lake/out/part-0.csv",
            "lake/out/_SUCCESS",
            "lake/out/day=1/kind=a/part-0",
            "lake/out/day=1/.part-0.crc",
        ] {
            assert!(is_own(key), "{key}");
        }
        for key in
            ["lake/out/notes.txt", "lake/out/day=1/x", "lake/out/sub/part-0", "lake/out", "lake/other/part-0"]
        {
            assert!(!is_own(key), "{key}");
        }
    }
}
