//! `pipectl engine`: the managed local engines.

use clap::{Args, Subcommand};

use super::environment::engine_place;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::reach::progress_text;
use crate::engine::{Downloads, Kind, Status};
use crate::report::Reporter;

/// Manage the engines that pipectl installs and starts by itself.
#[derive(Debug, Subcommand)]
pub(super) enum Engine {
    Install(Install),
    Status(StatusArguments),
}

/// Install an engine ahead of time: for images, and for machines that will have no network.
#[derive(Debug, Args)]
pub(super) struct Install {
    /// The engine.
    #[arg(default_value = "sail")]
    kind: KindName,
}

/// Say which engines are installed, and where.
#[derive(Debug, Args)]
pub(super) struct StatusArguments {}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum KindName {
    Sail,
}

pub(super) fn engine(arguments: &Engine, reporter: Reporter) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let interrupt = Interrupt::watch()?;
        match arguments {
            Engine::Install(install) => interrupt.or(install_engine(install, reporter)).await,
            Engine::Status(_) => interrupt.or(status()).await,
        }
    })
}

async fn install_engine(arguments: &Install, reporter: Reporter) -> Result<(), Failure> {
    let kind = match arguments.kind {
        KindName::Sail => Kind::Sail,
    };
    let place = engine_place(Downloads::Allowed);
    let progress = move |progress| {
        if let Some(text) = progress_text(kind, &progress) {
            reporter.note(&text);
        }
    };
    let installation = kind.install(&place, &progress).await?;
    reporter.note(&format!(
        "{} {} is installed in `{}`",
        kind.name(),
        kind.version(),
        installation.folder.display()
    ));
    Ok(())
}

async fn status() -> Result<(), Failure> {
    let kind = Kind::Sail;
    let name = format!("{} {}", kind.name(), kind.version());
    let line = match kind.status(&engine_place(Downloads::Off)).await {
        Status::Missing { folder } => format!("{name}  not installed  ({})\n", folder.display()),
        Status::Damaged { folder, reason } => format!("{name}  damaged: {reason}  ({})\n", folder.display()),
        Status::Installed(installation) => format!(
            "{name}  installed  {} MB  {}  ({})\n",
            installation.bytes / 1_000_000,
            installation.python,
            installation.folder.display()
        ),
    };
    super::print(&line)
}
