//! Owns the check of an output in a store: whether it can be written, before anything is spent on its rows.

use std::path::PathBuf;

use object_store::ObjectStoreExt as _;
use tokio_stream::StreamExt as _;

use super::failure;
use super::folder;
use super::stores::{Stores, failed, object};
use super::url::Service;
use crate::sink::Error;
use crate::sink::mode::Mode;

/// An output in a store.
#[derive(Debug)]
pub(crate) struct InStore {
    pub(in crate::sink) url: String,
    pub(in crate::sink) mode: Mode,
    pub(in crate::sink) is_folder: bool,
}

impl Stores {
    /// Finds out, before anything is spent on the rows, whether an output can be written: with an upload that is begun and
    /// ended. Where a store begins none, its container is looked for.
    pub(crate) async fn check(&self, output: InStore) -> Result<(), Error> {
        let (this, url) = (self.clone(), output.url.clone());
        // In a task of its own, so that what was begun is also ended where nobody waits any more.
        let checking = self.handle(&url)?.spawn(async move { this.probe(&output).await });
        checking.await.unwrap_or_else(|panic| Err(failed(&url, panic.to_string())))
    }

    async fn probe(&self, output: &InStore) -> Result<(), Error> {
        let url = output.url.as_str();
        let _open = self.opened();
        let object = object(url)?;
        let store = self.store(&object.container, url).await?;
        if output.is_folder {
            folder::replaceable(&*store, &object.key, url, output.mode).await?;
        } else if output.mode == Mode::Error && store.head(&object.key).await.is_ok() {
            // Who may not look may still be allowed to write: the end will tell.
            return Err(Error::Exists { path: PathBuf::from(url) });
        }
        let failed = |error: &object_store::Error| failed(url, failure::reason(error));
        if object.container.service == Service::Azure {
            return match store.list(Some(&object.key)).next().await {
                Some(Err(error @ object_store::Error::NotFound { .. })) => Err(failed(&error)),
                _ => Ok(()),
            };
        }
        let mut upload = store.put_multipart(&object.key).await.map_err(|error| failed(&error))?;
        // It is empty, and what can not be ended now ends by the bucket's own rules.
        let _ignored = upload.abort().await;
        Ok(())
    }
}
