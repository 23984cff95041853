//! The way to an engine: a server that is named, or a private one that is started for the run.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::time::timeout;

use super::environment::{engine_place, variable};
use super::failure::Failure;
use super::settings::{Distance, local_rows, settings};
use super::target::At;
use crate::connect::{Client, Endpoint};
use crate::dialect::{Dialect, Implementation, PARALLELISM};
use crate::engine::{self, Downloads, Found, Kind, Managed, Progress};
use crate::run::{Event, Sender};
use crate::secret::Plain;

/// How long an engine that is kept between runs may take to answer.
const WARM_LIMIT: Duration = Duration::from_secs(20);

/// An outage that is shorter is not worth a line.
const PASSING: Duration = Duration::from_secs(2);

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

/// Whose engine it is.
#[derive(Clone, Copy)]
enum Whose {
    Others,
    /// Started by pipectl, and how, in words.
    Ours(&'static str),
}

impl EngineArguments {
    pub(super) fn is_offline(&self) -> bool {
        self.offline
    }

    /// The same, but nothing is downloaded.
    pub(super) fn offline(&self) -> Self {
        Self { offline: true, ..*self }
    }

    /// Reaches the engine and sets its session up.
    pub(super) async fn reach(
        &self,
        at: &At,
        conf: &[(String, Plain)],
        events: &Sender,
    ) -> Result<Reached, Failure> {
        let began = Instant::now();
        let budget = Duration::from_secs(self.retry_budget);
        let mut distance = Distance::Here;
        let (client, managed, whose) = match at {
            At::Remote(endpoint) => {
                if !endpoint.is_loopback() {
                    distance = Distance::There;
                }
                (Client::connect(endpoint, budget).await?, None, Whose::Others)
            }
            At::Managed(kind) => match warm(*kind, events).await? {
                Some(client) => (client, None, Whose::Ours("kept warm by `pipectl engine start`")),
                None => {
                    let managed = self.start(*kind, events).await?;
                    let client = connect(&managed, managed.endpoint().or_user(user()), budget).await?;
                    let how = if managed.is_beside() {
                        "beside pipectl, private to this run"
                    } else {
                        "private to this run"
                    };
                    (client, Some(managed), Whose::Ours(how))
                }
            },
        };
        let dialect = dialect_of(&client, whose);
        let features = client.features(&[PARALLELISM], conf).await?;
        let settings = settings(&dialect, distance, &features, conf);
        for note in &settings.notes {
            events.send(Event::Note(note.clone()));
        }
        for warning in client.config_set(settings.exposed()).await? {
            events.send(Event::Note(format!("the engine says of the session's settings: {warning}")));
        }
        let parallelism = features.setting(PARALLELISM).and_then(|count| count.parse().ok());
        let local_rows = local_rows(dialect.implementation(), &features);
        let dialect = dialect.with_parallelism(parallelism).with_local_rows(local_rows);
        let engine = match whose {
            Whose::Others => dialect.to_string(),
            Whose::Ours(how) => format!("{dialect}, {how}"),
        };
        events.send(Event::EngineReady { engine, took: began.elapsed() });
        Ok(Reached { client, dialect, managed })
    }

    /// Tells when calls are tried again and again, and when somebody answers again. Never ends.
    pub(super) async fn tell_outages(&self, client: &Client, events: &Sender) -> Infallible {
        let mut outage = client.outages();
        loop {
            let Ok(reason) = outage.wait_for(Option::is_some).await.map(|reason| reason.clone()) else {
                return std::future::pending().await;
            };
            if timeout(PASSING, outage.wait_for(Option::is_none)).await.is_ok() {
                continue;
            }
            let (server, reason, budget) = (client.server(), reason.unwrap_or_default(), self.retry_budget);
            events.send(Event::Note(format!(
                "{server} does not answer ({reason}); it is tried again for up to {budget} s"
            )));
            if outage.wait_for(Option::is_none).await.is_ok() {
                events.send(Event::Note(format!("{server} answers again")));
            }
        }
    }

    async fn start(&self, kind: Kind, events: &Sender) -> Result<Managed, Failure> {
        let downloads = if self.offline { Downloads::Off } else { Downloads::Allowed };
        let place = engine_place(downloads);
        let sender = std::sync::Mutex::new(events.clone());
        let progress = move |progress: Progress| {
            let Ok(events) = sender.lock() else { return };
            match progress {
                Progress::Ignored { reason } => events.send(Event::Note(reason)),
                Progress::Fetched { what, bytes, of } => {
                    events.send(Event::Fetched { what: what.to_owned(), bytes, of });
                }
                progress => {
                    if let Some(text) = progress_text(&progress) {
                        events.send(Event::Preparing(text));
                    }
                }
            }
        };
        Ok(kind.start(&place, &engine::Settings::default(), &progress).await?)
    }
}

/// Connects to an engine that is kept between runs, if there is one that answers.
async fn warm(kind: Kind, events: &Sender) -> Result<Option<Client>, Failure> {
    let why = match kind.find_warm(&engine_place(Downloads::Off)).await {
        Found::Nothing => return Ok(None),
        Found::Gone => "has ended".to_owned(),
        Found::Refused(reason) => format!("is not used: {reason}"),
        Found::Warm(warm) => {
            let endpoint = warm.endpoint().or_user(user());
            // It may only be busy, with somebody else's run: it is for `engine stop` to end it.
            match timeout(WARM_LIMIT, Client::connect(&endpoint, Duration::ZERO)).await {
                Ok(Ok(client)) => return Ok(Some(client)),
                Ok(Err(error)) => format!("does not answer as it should ({error})"),
                Err(_) => "does not answer".to_owned(),
            }
        }
    };
    let title = kind.title();
    events.send(Event::Note(format!("the {title} of `pipectl engine start` {why}; this run starts its own")));
    Ok(None)
}

/// As whom a run acts, where the connection string does not say.
pub(super) fn user() -> Option<String> {
    variable("SPARK_USER").or_else(|| variable("USER"))
}

/// Connects for as long as the engine lives.
async fn connect(managed: &Managed, endpoint: Endpoint, budget: Duration) -> Result<Client, Failure> {
    tokio::select! {
        biased;
        client = Client::connect(&endpoint, budget) => Ok(client?),
        ended = managed.ended() => Err(Failure::EngineEnded {
            reason: ended.ending.to_string(),
            last_lines: ended.last_lines,
        }),
    }
}

/// What a server is, by its own word.
fn dialect_of(client: &Client, whose: Whose) -> Dialect {
    match (client.is_namesake(), whose) {
        (true, Whose::Ours(_)) => Dialect::sail(),
        // What it says is the version of Spark that it stands in for.
        (true, Whose::Others) => {
            Dialect::new(Implementation::Sail, format!("as Spark {}", client.server_version()))
        }
        (false, _) => Dialect::new(Implementation::Spark, client.server_version()),
    }
}

/// What takes long, in words; what does not has none.
pub(super) fn progress_text(progress: &Progress) -> Option<String> {
    match progress {
        Progress::Ignored { reason } => Some(reason.clone()),
        Progress::Waiting { what } => Some(format!("another process is installing {what}; waiting for it")),
        Progress::Fetching { what } => Some(format!("installing, once: fetching {what}")),
        Progress::Unpacking { what } => Some(format!("unpacking {what}")),
        Progress::Preparing { what } => Some(format!("preparing {what}, once, so that it starts sooner")),
        Progress::Installed { what } => Some(format!("{what} is installed")),
        Progress::Fetched { .. } | Progress::Starting => None,
    }
}
