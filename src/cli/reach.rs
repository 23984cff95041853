//! The way to an engine: a server that is named, or a private one that is started for the run.

use std::time::{Duration, Instant};

use clap::Args;

use super::environment::{engine_place, variable};
use super::failure::Failure;
use super::target::At;
use crate::connect::{Client, Endpoint};
use crate::dialect::{Dialect, Implementation};
use crate::engine::{self, Downloads, Kind, Managed, Progress};
use crate::run::{Event, Sender};

#[derive(Debug, Args)]
pub(super) struct EngineArguments {
    /// Seconds for which a call to the engine is tried again while nobody answers.
    #[arg(long, value_name = "SECONDS", env = "PIPECTL_RETRY_BUDGET", default_value_t = 120)]
    retry_budget: u64,
    /// Download nothing: use the engine that is installed, or fail.
    #[arg(long, env = "PIPECTL_OFFLINE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    offline: bool,
}

/// A session at an engine, and the engine where it is pipectl's own.
pub(super) struct Reached {
    pub(super) client: Client,
    pub(super) dialect: Dialect,
    pub(super) managed: Option<Managed>,
}

impl EngineArguments {
    /// Reaches the engine and sets its session up.
    pub(super) async fn reach(
        &self,
        at: &At,
        conf: &[(String, String)],
        events: &Sender,
    ) -> Result<Reached, Failure> {
        let began = Instant::now();
        let budget = Duration::from_secs(self.retry_budget);
        let (client, dialect, managed) = match at {
            At::Remote(endpoint) => {
                let client = Client::connect(endpoint, budget).await?;
                let implementation =
                    if client.is_namesake() { Implementation::Sail } else { Implementation::Spark };
                let version = match implementation {
                    // What it says is the version of Spark that it stands in for.
                    Implementation::Sail => format!("as Spark {}", client.server_version()),
                    Implementation::Spark => client.server_version().to_owned(),
                };
                let dialect = Dialect::new(implementation, version);
                (client, dialect, None)
            }
            At::Managed(kind) => {
                let managed = self.start(*kind, events).await?;
                let user = variable("SPARK_USER").or_else(|| variable("USER"));
                let endpoint = Endpoint::loopback(managed.port(), None).or_user(user);
                let client = Client::connect(&endpoint, budget).await?;
                (client, Dialect::sail(), Some(managed))
            }
        };
        let settings = dialect.settings().into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        for warning in client.config_set(settings.chain(conf.iter().cloned())).await? {
            events.send(Event::Note(format!("the engine says of the session's settings: {warning}")));
        }
        let engine = format!("{dialect}{}", if managed.is_some() { ", private to this run" } else { "" });
        events.send(Event::EngineReady { engine, took: began.elapsed() });
        Ok(Reached { client, dialect, managed })
    }

    async fn start(&self, kind: Kind, events: &Sender) -> Result<Managed, Failure> {
        let downloads = if self.offline { Downloads::Off } else { Downloads::Allowed };
        let place = engine_place(downloads);
        let sender = std::sync::Mutex::new(events.clone());
        let progress = move |progress: Progress| {
            if let (Some(text), Ok(events)) = (progress_text(kind, &progress), sender.lock()) {
                events.send(Event::Preparing(text));
            }
        };
        Ok(kind.start(&place, &engine::Settings::default(), &progress).await?)
    }
}

/// What takes long, in words; what does not has none.
pub(super) fn progress_text(kind: Kind, progress: &Progress) -> Option<String> {
    let name = kind.name();
    match progress {
        Progress::Waiting => Some(format!("another process is installing {name}; waiting for it")),
        Progress::Fetching { what } => Some(format!("installing {name}, once: fetching {what}")),
        Progress::Unpacking { what } => Some(format!("unpacking {what}")),
        Progress::Installed => Some(format!("{name} {} is installed", kind.version())),
        Progress::Fetched { .. } | Progress::Starting => None,
    }
}
