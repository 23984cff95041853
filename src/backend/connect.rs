//! The way to an engine: a server that is named, one that is kept warm, or a private one that is started for the run.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::error::Error;
use super::location::{Location, Options};
use super::settings::{Distance, local_rows, settings};
use crate::connect::{Client, Endpoint};
use crate::dialect::{Dialect, Implementation, PARALLELISM};
use crate::engine::{self, Downloads, EngineKind, EnginePaths, Found, Managed, Progress};
use crate::record::{Event, Notice, Preparation, Sender, WarmProblem};
use crate::secret::Plain;

/// How long a warm engine may take to answer.
const WARM_TIMEOUT: Duration = Duration::from_secs(20);

/// An outage that is shorter is not worth a line.
const SHORT_OUTAGE: Duration = Duration::from_secs(2);

/// A session at an engine, and what the engine can do.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) dialect: Dialect,
}

/// A session, and the engine where it was started for this run.
pub(crate) struct Connected {
    pub(crate) session: Session,
    pub(crate) managed: Option<Managed>,
}

/// Whose engine it is.
#[derive(Clone, Copy)]
enum Whose {
    Others,
    /// Started by pipectl, and how, in words.
    Ours(&'static str),
}

/// Reaches the engine and sets its session up.
pub(crate) async fn connect(
    location: &Location,
    options: &Options,
    conf: &[(String, Plain)],
    events: &Sender,
) -> Result<Connected, Error> {
    let began = Instant::now();
    let budget = options.retry_budget;
    let mut distance = Distance::Here;
    let (client, managed, whose) = match location {
        Location::Remote(endpoint) => {
            if !endpoint.is_loopback() {
                distance = Distance::There;
            }
            (Client::connect(endpoint, budget).await?, None, Whose::Others)
        }
        Location::Managed(kind) => match warm(*kind, options, events).await? {
            Some(client) => (client, None, Whose::Ours("kept warm by `pipectl engine start`")),
            None => {
                let managed = start(*kind, options, events).await?;
                let client = connect_managed(&managed, options).await?;
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
    if let Some(notice) = settings.notice.clone() {
        events.send(Event::Notice(notice));
    }
    for warning in client.config_set(settings.exposed()).await? {
        events.send(Event::Notice(Notice::EngineWarning { message: warning.clone() }));
    }
    let parallelism = features.setting(PARALLELISM).and_then(|count| count.parse().ok());
    let local_rows = local_rows(dialect.implementation(), &features);
    let dialect = dialect.with_parallelism(parallelism).with_local_rows(local_rows);
    let engine = match whose {
        Whose::Others => dialect.to_string(),
        Whose::Ours(how) => format!("{dialect}, {how}"),
    };
    events.send(Event::EngineReady { engine, seconds: began.elapsed().as_secs_f64() });
    Ok(Connected { session: Session { client, dialect }, managed })
}

/// Tells when calls are tried again and again, and when somebody answers again. Never ends.
pub(super) async fn tell_outages(client: &Client, options: &Options, events: &Sender) -> Infallible {
    let mut outage = client.outages();
    loop {
        let Ok(reason) = outage.wait_for(Option::is_some).await.map(|reason| reason.clone()) else {
            return std::future::pending().await;
        };
        if timeout(SHORT_OUTAGE, outage.wait_for(Option::is_none)).await.is_ok() {
            continue;
        }
        let (server, reason) = (client.server(), reason.unwrap_or_default());
        events.send(Event::Notice(Notice::ServerSilent {
            server: server.to_string(),
            reason,
            retry_budget_seconds: options.retry_budget.as_secs(),
        }));
        if outage.wait_for(Option::is_none).await.is_ok() {
            events.send(Event::Notice(Notice::ServerAnswers { server: server.to_string() }));
        }
    }
}

async fn start(kind: EngineKind, options: &Options, events: &Sender) -> Result<Managed, Error> {
    let sender = std::sync::Mutex::new(events.clone());
    let progress = move |progress: Progress| {
        let Ok(events) = sender.lock() else { return };
        if let Progress::Fetched { what, bytes, of } = progress {
            events.send(Event::DownloadProgress { what: what.to_owned(), bytes, total_bytes: of });
        } else if let Progress::Ignored { reason } = progress {
            events.send(Event::Notice(Notice::EngineIgnored { reason }));
        } else if let Some(preparation) = preparation(&progress) {
            events.send(Event::Preparing(preparation));
        }
    };
    Ok(kind.start(&options.installation, &engine::LaunchSettings::default(), &progress).await?)
}

/// Returns what takes long, of what an engine's installation and start tell.
pub(crate) fn preparation(progress: &Progress) -> Option<Preparation> {
    Some(match progress {
        Progress::Waiting { what } => Preparation::Waiting { what: (*what).to_owned() },
        Progress::Fetching { what } => Preparation::Fetching { what: what.clone() },
        Progress::Unpacking { what } => Preparation::Unpacking { what: what.clone() },
        Progress::Preparing { what } => Preparation::Compiling { what: (*what).to_owned() },
        Progress::Installed { what } => Preparation::Installed { what: (*what).to_owned() },
        Progress::Ignored { .. } | Progress::Fetched { .. } | Progress::Starting => return None,
    })
}

/// Connects to an engine that is kept between runs, if there is one that answers.
async fn warm(kind: EngineKind, options: &Options, events: &Sender) -> Result<Option<Client>, Error> {
    let place = EnginePaths { downloads: Downloads::Off, ..options.installation.clone() };
    let problem = match kind.find_warm(&place).await {
        Found::Nothing => return Ok(None),
        Found::Gone => WarmProblem::Ended,
        Found::Refused(reason) => WarmProblem::Refused { reason },
        Found::Warm(warm) => {
            let endpoint = warm.endpoint().or_user(options.user.clone());
            // It may only be busy, with somebody else's run: it is for `engine stop` to end it.
            match timeout(WARM_TIMEOUT, Client::connect(&endpoint, Duration::ZERO)).await {
                Ok(Ok(client)) => return Ok(Some(client)),
                Ok(Err(error)) => WarmProblem::Broken { reason: error.to_string() },
                Err(_) => WarmProblem::Unresponsive,
            }
        }
    };
    let engine = kind.title().to_owned();
    events.send(Event::Notice(Notice::WarmEngineUnused { engine, problem }));
    Ok(None)
}

/// Connects for as long as the engine lives.
async fn connect_managed(managed: &Managed, options: &Options) -> Result<Client, Error> {
    let endpoint: Endpoint = managed.endpoint().or_user(options.user.clone());
    tokio::select! {
        biased;
        client = Client::connect(&endpoint, options.retry_budget) => Ok(client?),
        ended = managed.ended() => Err(Error::Ended {
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
