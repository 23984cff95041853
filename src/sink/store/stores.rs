//! Owns the way to object stores: their clients, made once, and the runtime on which all requests run.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use tokio::runtime::{Builder, Handle, Runtime};

use super::credentials::{CREDENTIALS_LIMIT, Missing};
use super::http::Http;
use super::settings::StoreSettings;
use super::url::{Container, Object, Service, without_secrets};
use super::{azure, google, s3};
use crate::sink::Error;

/// How often a request is tried again, and how long.
const RETRIES: usize = 8;
const RETRY_LIMIT: Duration = Duration::from_secs(3 * 60);

/// The way to object stores; clones share connections and credentials.
#[derive(Clone)]
pub(crate) struct Stores(Arc<Shared>);

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

    /// Waits until no upload is left open, or the time is up.
    pub(crate) fn close(&self, limit: Duration) {
        let open = self.open_count();
        let _left = self.0.closed.wait_timeout_while(open, limit, |open| *open > 0);
    }

    /// The client of a container.
    pub(super) async fn store(
        &self,
        container: &Container,
        url: &str,
    ) -> Result<Arc<dyn ObjectStore>, Error> {
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

    pub(super) fn handle(&self, url: &str) -> Result<Handle, Error> {
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
    pub(super) fn opened(&self) -> Open {
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
pub(super) struct Open(Stores);

impl Drop for Open {
    fn drop(&mut self) {
        *self.0.open_count() -= 1;
        self.0.0.closed.notify_all();
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
pub(super) fn object(url: &str) -> Result<Object, Error> {
    Object::parse(url).map_err(|mistake| failed(url, mistake.help().to_owned()))
}

pub(super) fn failed(url: &str, reason: String) -> Error {
    Error::file("write", without_secrets(url).as_ref(), io::Error::other(reason))
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
