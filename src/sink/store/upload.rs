//! An object in the making: its bytes are sent in parts while they come, and it appears when it is complete.
//!
//! A small object is sent as a whole at the end. Of a larger one a few parts are on their way at a time, so memory does not
//! grow with it. An upload that does not come to its end is ended at the store, which would keep, and bill, its parts.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path as Key;
use object_store::{
    Error as StoreError, MultipartUpload, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::stores::{Open, Stores, object};
use crate::sink::error::{Error, Stopped};
use crate::sink::mode::Mode;

/// How many parts are on their way at a time; beside them in memory is the part that is being filled.
const AT_A_TIME: usize = 3;
/// The size of most parts, the smallest that stores take. All are of one size where there are not very many: some stores
/// want it so.
const PART: usize = 5 << 20;
/// How many parts have this size. After these every 500 have twice the size, since no store takes more than 10,000.
const PARTS_OF_ONE_SIZE: usize = 5_000;
const PARTS_BETWEEN_SIZES: usize = 500;
const LARGEST_PART: usize = 256 << 20;
const MOST_PARTS: usize = 10_000;
/// How long an upload that is given up may take to end at the store.
const ABORT_LIMIT: Duration = Duration::from_secs(10);
/// And how much longer each of several.
const ABORT_LIMIT_EACH: Duration = Duration::from_millis(20);
/// How many uploads are completed or ended at a time.
pub(super) const SIDE_BY_SIDE: usize = 16;

/// An object that nobody sees yet; dropped, it never was.
pub(in crate::sink) struct Upload {
    /// Its URL, for messages.
    url: PathBuf,
    key: Key,
    store: Arc<dyn ObjectStore>,
    line: Line,
    mode: Mode,
    /// What is not sent yet.
    part: Vec<u8>,
    bytes: u64,
    /// Nothing while the object is small.
    sending: Option<Sending>,
}

/// An upload that the store knows of.
pub(super) struct Sending {
    upload: Box<dyn MultipartUpload>,
    parts: JoinSet<object_store::Result<()>>,
    begun: usize,
    open: Open,
}

/// How a thread that blocks waits for a store.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) stores: Stores,
    pub(super) handle: Handle,
    stop: CancellationToken,
    /// For parts on their way, also of several objects.
    room: Arc<Semaphore>,
}

impl Upload {
    /// Begins the object at `url`.
    pub(in crate::sink) fn create(
        url: &str,
        mode: Mode,
        stores: &Stores,
        stop: &CancellationToken,
    ) -> Result<Self, Error> {
        if url.ends_with('/') {
            return Err(Error::Folder { path: PathBuf::from(url) });
        }
        let object = object(url)?;
        let line = Line::new(url, stores, stop)?;
        let store = line.handle.block_on(stores.store(&object.container, url))?;
        let mut upload = Self::beside_others(PathBuf::from(url), object.key, &store, &line);
        upload.mode = mode;
        upload.is_free()?;
        Ok(upload)
    }

    /// Begins one of several objects that belong together.
    pub(super) fn beside_others(url: PathBuf, key: Key, store: &Arc<dyn ObjectStore>, line: &Line) -> Self {
        Self {
            url,
            key,
            store: Arc::clone(store),
            line: line.clone(),
            mode: Mode::Overwrite,
            part: Vec::new(),
            bytes: 0,
            sending: None,
        }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Sends all that has come, also of a small object: it may have to wait for many others.
    pub(super) fn send_all(&mut self) -> Result<(), Error> {
        let sent = match self.sending {
            None => self.send(),
            Some(_) => Ok(()),
        };
        sent.and_then(|()| self.send_rest()).map_err(|source| Error::file("write", &self.url, source))
    }

    /// What the store knows of it, to be completed or ended by somebody else.
    pub(super) fn into_sending(mut self) -> Option<Sending> {
        self.sending.take()
    }

    /// The object's URL.
    pub(in crate::sink) fn target(&self) -> &Path {
        &self.url
    }

    /// Where files may lie that belong to it.
    pub(in crate::sink) fn temporary(&self) -> PathBuf {
        self.line.temporary()
    }

    /// Takes note that all bytes have come. The parts of a large object are all at the store then.
    pub(in crate::sink) fn seal(&mut self) -> Result<(), Error> {
        if self.sending.is_some() {
            self.send_rest().map_err(|source| Error::file("write", &self.url, source))?;
        }
        Ok(())
    }

    /// Makes the object visible, and returns its length.
    pub(in crate::sink) fn commit(mut self) -> Result<u64, Error> {
        self.seal()?;
        match &mut self.sending {
            None => self.put()?,
            Some(_) => {
                // No store makes the end of a large upload depend on whether there is an object, so it is asked right before.
                self.is_free()?;
                self.complete()?;
            }
        }
        Ok(self.bytes)
    }

    /// Fails where an object is there that must not be replaced.
    fn is_free(&self) -> Result<(), Error> {
        if self.mode != Mode::Error {
            return Ok(());
        }
        match self.line.handle.block_on(self.store.head(&self.key)) {
            Ok(_) => Err(Error::Exists { path: self.url.clone() }),
            Err(StoreError::NotFound { .. }) => Ok(()),
            // Who may not ask can not know, and must not replace.
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Sends a small object as a whole.
    fn put(&mut self) -> Result<(), Error> {
        let payload = PutPayload::from(Bytes::from(std::mem::take(&mut self.part)));
        let put = |mode: PutMode| {
            self.line.handle.block_on(self.store.put_opts(&self.key, payload.clone(), mode.into()))
        };
        let result = match self.mode {
            // Nothing is added to objects, which is said when the pipeline is checked.
            Mode::Overwrite | Mode::Append => put(PutMode::Overwrite),
            Mode::Error => match put(PutMode::Create) {
                Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                    return Err(Error::Exists { path: self.url.clone() });
                }
                Err(StoreError::NotImplemented { .. } | StoreError::NotSupported { .. }) => {
                    self.is_free()?;
                    put(PutMode::Overwrite)
                }
                result => result,
            },
        };
        result.map(drop).map_err(|error| self.failed(&error))
    }

    /// Puts the parts together. It is not interrupted: nobody would know whether the object is there.
    fn complete(&mut self) -> Result<(), Error> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        let result = match self.line.handle.block_on(sending.upload.complete()) {
            // An answer may be lost, and the upload is gone when it is asked for again.
            Err(error @ StoreError::NotFound { .. }) => {
                let found = self.line.handle.block_on(self.store.head(&self.key));
                if found.is_ok_and(|found| found.size == self.bytes) { Ok(()) } else { Err(error) }
            }
            result => result.map(drop),
        };
        result.map_err(|error| self.failed(&error))?;
        // There is nothing to be ended any more.
        self.sending = None;
        Ok(())
    }

    fn failed(&self, error: &StoreError) -> Error {
        Error::file("write", &self.url, failed(error))
    }

    fn send_rest(&mut self) -> io::Result<()> {
        if !self.part.is_empty() {
            self.send()?;
        }
        let Some(sending) = &mut self.sending else { return Ok(()) };
        while !sending.parts.is_empty() {
            self.line.take_one(&mut sending.parts)?;
        }
        Ok(())
    }

    /// Sends what is filled.
    fn send(&mut self) -> io::Result<()> {
        let mut sending = match self.sending.take() {
            Some(sending) => sending,
            None => self.line.begin(&self.store, &self.key)?,
        };
        let full = std::mem::take(&mut self.part);
        let sent = self.line.send(&mut sending, full);
        self.sending = Some(sending);
        sent
    }

    /// How long the part is that is being filled.
    fn room(&self) -> io::Result<usize> {
        let begun = self.sending.as_ref().map_or(0, |sending| sending.begun);
        part_size(begun).ok_or_else(|| {
            io::Error::other("it is too large for one object; write a folder: `max_rows_per_file`")
        })
    }
}

/// The size of a part by its number; nothing where there are too many.
fn part_size(number: usize) -> Option<usize> {
    let Some(later) = number.checked_sub(PARTS_OF_ONE_SIZE) else { return Some(PART) };
    let doubled = u32::try_from(later / PARTS_BETWEEN_SIZES + 1).unwrap_or(u32::MAX).min(8);
    (number < MOST_PARTS).then_some((PART << doubled).min(LARGEST_PART))
}

impl io::Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.room()?;
        if self.part.is_empty() && self.sending.is_some() {
            self.part.reserve_exact(size);
        }
        let taken = bytes.len().min(size - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        self.bytes += taken as u64;
        if self.part.len() == size {
            self.send()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Upload {
    /// Clients are not shown: they hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("url", &self.url).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(sending) = self.sending.take() {
            self.line.abort(vec![sending]);
        }
    }
}

impl Sending {
    /// Makes the object visible.
    pub(super) async fn complete(&mut self) -> object_store::Result<()> {
        self.upload.complete().await.map(drop)
    }

    /// Ends the upload without an object: first the parts on their way, since one that comes later would be kept.
    async fn abort(mut self) {
        self.parts.shutdown().await;
        let _ignored = self.upload.abort().await;
        drop(self.open);
    }
}

impl Line {
    /// Where files may lie that belong to what is written.
    pub(super) fn temporary(&self) -> PathBuf {
        self.stores.settings().temporary().join("pipectl-object")
    }

    pub(super) fn new(url: &str, stores: &Stores, stop: &CancellationToken) -> Result<Self, Error> {
        Ok(Self {
            stores: stores.clone(),
            handle: stores.handle(url)?,
            stop: stop.clone(),
            room: Arc::new(Semaphore::new(AT_A_TIME)),
        })
    }

    /// Tells the store that an object comes in parts.
    fn begin(&self, store: &Arc<dyn ObjectStore>, key: &Key) -> io::Result<Sending> {
        let open = self.stores.opened();
        let (store, key) = (Arc::clone(store), key.clone());
        let mut creating = JoinSet::new();
        creating.spawn_on(async move { store.put_multipart(&key).await }, &self.handle);
        let created = self.unless_stopped(creating.join_next()).ok().flatten();
        match created {
            Some(Ok(Ok(upload))) => Ok(Sending { upload, parts: JoinSet::new(), begun: 0, open }),
            Some(Ok(Err(error))) => Err(failed(&error)),
            Some(Err(panic)) => Err(io::Error::other(panic)),
            None => {
                // The store may know of it already.
                self.last(ABORT_LIMIT, async move {
                    if let Some(Ok(Ok(mut upload))) = creating.join_next().await {
                        let _ignored = upload.abort().await;
                    }
                    drop(open);
                });
                Err(Stopped.into())
            }
        }
    }

    /// Lets a part go on its way, as soon as few enough are.
    fn send(&self, sending: &mut Sending, part: Vec<u8>) -> io::Result<()> {
        let room = self.unless_stopped(Arc::clone(&self.room).acquire_owned())?.map_err(io::Error::other)?;
        let putting = sending.upload.put_part(PutPayload::from(Bytes::from(part)));
        sending.begun += 1;
        sending.parts.spawn_on(
            async move {
                let put = putting.await;
                drop(room);
                put
            },
            &self.handle,
        );
        // One that has failed meanwhile is not found out only at the end.
        while let Some(ended) = sending.parts.try_join_next() {
            outcome(ended)?;
        }
        Ok(())
    }

    /// Waits until one part is there.
    fn take_one(&self, parts: &mut JoinSet<object_store::Result<()>>) -> io::Result<()> {
        let ended = self.unless_stopped(parts.join_next())?;
        ended.map_or(Ok(()), outcome)
    }

    /// Waits for as long as the object is wanted.
    fn unless_stopped<T>(&self, what: impl Future<Output = T>) -> io::Result<T> {
        self.handle.block_on(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => Err(Stopped.into()),
                done = what => Ok(done),
            }
        })
    }

    /// Ends uploads without their objects, not for long.
    pub(super) fn abort(&self, uploads: Vec<Sending>) {
        let limit = ABORT_LIMIT + ABORT_LIMIT_EACH * u32::try_from(uploads.len()).unwrap_or(u32::MAX);
        self.last(limit, async move {
            let mut ending = JoinSet::new();
            for upload in uploads {
                if ending.len() >= SIDE_BY_SIDE {
                    ending.join_next().await;
                }
                ending.spawn(upload.abort());
            }
            while ending.join_next().await.is_some() {}
        });
    }

    /// Waits for the last word to a store, not for long. It may be said in any thread.
    fn last(&self, limit: Duration, word: impl Future<Output = ()> + Send + 'static) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let mut saying = JoinSet::new();
        saying.spawn_on(
            async move {
                word.await;
                let _nobody_waits = sender.send(());
            },
            &self.handle,
        );
        let _too_late = receiver.recv_timeout(limit);
    }
}

fn outcome(ended: Result<object_store::Result<()>, tokio::task::JoinError>) -> io::Result<()> {
    ended.map_err(io::Error::other)?.map_err(|error| failed(&error))
}

pub(super) fn failed(error: &StoreError) -> io::Error {
    io::Error::other(super::failure::reason(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_so_that_there_are_enough_of_them() {
        for (number, size) in [
            (0, Some(PART)),
            (4_999, Some(PART)),
            (5_000, Some(2 * PART)),
            (5_500, Some(4 * PART)),
            (7_500, Some(LARGEST_PART)),
            (9_999, Some(LARGEST_PART)),
            (10_000, None),
        ] {
            assert_eq!(part_size(number), size, "{number}");
        }
        let total: u64 = (0..MOST_PARTS).filter_map(part_size).map(|size| size as u64).sum();
        assert!(total > 750 << 30, "{total}");
    }
}
