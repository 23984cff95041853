//! Object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.
//!
//! [`url`] says which object is meant, [`settings`] what the environment says, [`s3`], [`google`] and [`azure`] turn both
//! into a client, [`upload`] writes one object and
//! [`folder`] several. All requests run on a runtime of their own: an upload must be ended at the
//! store also where the run around it is already gone, and outputs are written from threads that block.

mod azure;
mod failure;
mod folder;
mod google;
mod http;
mod profile;
mod s3;
mod settings;
mod upload;
mod url;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::{BackoffConfig, ObjectStore, ObjectStoreExt as _, RetryConfig};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::timeout;
use tokio_stream::StreamExt as _;

pub(super) use self::folder::{StoreFolder, StorePart};
use self::http::Http;
pub(crate) use self::settings::StoreSettings;
pub(super) use self::upload::Upload;
use self::url::{Container, Service};
pub(super) use self::url::{Object, canonical, without_secrets};
use super::Error;
use super::stage::Mode;

/// How long whoever gives credentials may take.
const CREDENTIALS_LIMIT: Duration = Duration::from_secs(20);
/// How often a request is tried again, and how long.
const RETRIES: usize = 8;
const RETRY_LIMIT: Duration = Duration::from_secs(3 * 60);

/// The way to object stores; clones share connections and credentials.
#[derive(Clone)]
pub(crate) struct Stores(Arc<Shared>);

/// An output in a store.
#[derive(Debug)]
pub(crate) struct InStore {
    pub(super) url: String,
    pub(super) mode: Mode,
    pub(super) is_folder: bool,
}

struct Shared {
    settings: StoreSettings,
    runtime: Mutex<Option<Runtime>>,
    http: Mutex<Option<Http>>,
    known: tokio::sync::Mutex<HashMap<Container, Arc<dyn ObjectStore>>>,
    /// How many uploads are begun and neither complete nor ended.
    open: Mutex<usize>,
    closed: Condvar,
}

impl Stores {
    pub(crate) fn new(settings: StoreSettings) -> Self {
        Self(Arc::new(Shared {
            settings,
            runtime: Mutex::default(),
            http: Mutex::default(),
            known: tokio::sync::Mutex::default(),
            open: Mutex::default(),
            closed: Condvar::new(),
        }))
    }

    pub(crate) fn settings(&self) -> &StoreSettings {
        &self.0.settings
    }

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

    /// Waits until no upload is left open, or the time is up.
    pub(crate) fn close(&self, limit: Duration) {
        let open = self.open_count();
        let _left = self.0.closed.wait_timeout_while(open, limit, |open| *open > 0);
    }

    /// The client of a container.
    async fn store(&self, container: &Container, url: &str) -> Result<Arc<dyn ObjectStore>, Error> {
        let mut known = self.0.known.lock().await;
        if let Some(store) = known.get(container) {
            return Ok(Arc::clone(store));
        }
        let store = self.connect(container).await.map_err(|missing| {
            let reason = match missing {
                Missing::Nothing => None,
                Missing::Setting(reason) => return failed(url, reason),
                Missing::Wrong(reason) => Some(reason),
            };
            let help = match container.service {
                Service::S3 => s3::HELP,
                Service::Google => google::HELP,
                Service::Azure => azure::HELP,
            };
            Error::Credentials { url: without_secrets(url), reason, help }
        })?;
        known.insert(container.clone(), Arc::clone(&store));
        Ok(store)
    }

    async fn connect(&self, container: &Container) -> Result<Arc<dyn ObjectStore>, Missing> {
        let settings = &self.0.settings;
        let http = self.http().map_err(|error| Missing::Setting(format!("no TLS: {error}")))?;
        let (quick, retry) = (retries(1, CREDENTIALS_LIMIT), retries(tries(settings), RETRY_LIMIT));
        Ok(match container.service {
            Service::S3 => {
                let builder = s3::builder(&container.name, settings, &http)?;
                Arc::new(s3::connect(builder, settings, quick, retry).await?)
            }
            Service::Google => {
                let builder = google::builder(&container.name, settings, &http)?;
                Arc::new(google::connect(builder, quick, retry).await?)
            }
            Service::Azure => {
                let builder = azure::builder(container, settings, &http)?;
                Arc::new(azure::connect(builder, settings, quick, retry).await?)
            }
        })
    }

    fn http(&self) -> io::Result<Http> {
        let mut http = locked(&self.0.http);
        match &*http {
            Some(http) => Ok(http.clone()),
            None => Ok(http.insert(Http::new()?).clone()),
        }
    }

    fn handle(&self, url: &str) -> Result<Handle, Error> {
        let mut runtime = locked(&self.0.runtime);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let made = Builder::new_multi_thread().worker_threads(1).thread_name("stores").enable_all().build();
        let made = made.map_err(|error| failed(url, error.to_string()))?;
        Ok(runtime.insert(made).handle().clone())
    }

    fn open_count(&self) -> MutexGuard<'_, usize> {
        locked(&self.0.open)
    }

    /// Takes note of an upload that is begun, until what comes back is dropped.
    fn opened(&self) -> Open {
        *self.open_count() += 1;
        Open(self.clone())
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stores").field(&self.0.settings).finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The last one may be dropped where a runtime may not be waited for.
        if let Some(runtime) = locked(&self.runtime).take() {
            runtime.shutdown_background();
        }
    }
}

/// An upload that is begun.
#[derive(Debug)]
struct Open(Stores);

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.open_count() -= 1;
        self.0.0.closed.notify_all();
    }
}

/// Why there is no client.
#[derive(Debug, PartialEq, Eq)]
enum Missing {
    /// Nothing says who we are.
    Nothing,
    /// What is said of us can not be used.
    Wrong(String),
    /// Something else that is set can not be used.
    Setting(String),
}

impl Missing {
    fn half(given: &str, other: &str) -> Self {
        Self::Wrong(format!("`{given}` is set and `{other}` is not"))
    }

    fn unusable(error: &object_store::Error) -> Self {
        Self::Wrong(failure::reason(error))
    }
}

/// Awaits credentials, not for long.
async fn bounded<T>(credentials: impl Future<Output = object_store::Result<T>>) -> Result<(), Missing> {
    match timeout(CREDENTIALS_LIMIT, credentials).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            let reason = failure::reason(&error);
            // A machine that no cloud knows.
            let is_nowhere = http::METADATA.iter().any(|host| reason.contains(host));
            Err(if is_nowhere { Missing::Nothing } else { Missing::Wrong(reason) })
        }
        Err(_) => Err(Missing::Nothing),
    }
}

/// How often a request is tried again; AWS's own tools are told how often they may try in all.
fn tries(settings: &StoreSettings) -> usize {
    let told = settings.first(&["AWS_MAX_ATTEMPTS"]).and_then(|text| text.parse::<usize>().ok());
    told.map_or(RETRIES, |attempts| attempts.saturating_sub(1))
}

fn retries(max_retries: usize, retry_timeout: Duration) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(200),
        max_backoff: Duration::from_secs(15),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries, retry_timeout }
}

/// What a URL means that was checked when the pipeline was.
fn object(url: &str) -> Result<Object, Error> {
    Object::parse(url).map_err(|mistake| failed(url, mistake.help().to_owned()))
}

fn failed(url: &str, reason: String) -> Error {
    Error::file("write", without_secrets(url).as_ref(), io::Error::other(reason))
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
