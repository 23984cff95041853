//! Owns the command line: a file for each verb, and what verbs share.

mod check;
mod completions;
mod connection;
mod contract;
mod doctor;
mod engine;
mod engine_arguments;
mod environment;
mod exit;
mod failure;
mod help;
mod inputs;
mod interrupt;
mod load;
mod ls;
mod plan;
mod project;
mod run;
mod schema;
mod secrets;
mod show;
mod target;
mod validate;
mod warnings;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::{self, Format, Reporter, Verbosity, tell_panics};
use crate::secret::scrubbed;
use failure::Failure;

/// Runs declarative data pipelines on Spark Connect.
#[derive(Debug, Parser)]
#[command(
    name = "pipectl",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Tell failures alone: no progress, no notes, no warnings of the file.
    #[arg(short, long, global = true, conflicts_with = "verbose", env = "PIPECTL_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    quiet: bool,
    /// Tell more of what is done, and all that an engine says of its errors.
    #[arg(short, long, global = true)]
    verbose: bool,
    /// How progress and messages are written to stderr.
    #[arg(long, global = true, value_name = "FORMAT", env = "PIPECTL_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// How progress and messages are written, as the command line says it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum LogFormat {
    /// For people: lines, and on a terminal moving ones.
    Text,
    /// For machines: one JSON object a line.
    Json,
    /// For people, and each mistake as an annotation of GitHub Actions beside its line.
    Github,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Text => Self::Text,
            LogFormat::Json => Self::Json,
            LogFormat::Github => Self::Github,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Validate(validate::Validate),
    #[command(visible_alias = "dry-run")]
    Check(check::Check),
    Plan(plan::Plan),
    Show(show::Show),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Schema(schema::Schema),
    #[command(subcommand)]
    Contract(contract::Contract),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Engine(engine::Engine),
    Completions(completions::Completions),
    Help(help::Help),
}

/// Runs the command line of this process.
pub(crate) fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    tell_panics();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    secrets::learn(&arguments);
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // What was written wrongly is quoted, and what the environment says stands in the help.
            let text = error.render().ansi().to_string();
            if error.use_stderr() {
                report::usage(&text);
            } else {
                report::help(&text);
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    let verbosity = match (arguments.quiet, arguments.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let reporter = Reporter::new(arguments.log_format.into(), verbosity);
    let result = match arguments.verb {
        Verb::Run(run) => return ExitCode::from(run::run(&run, reporter)),
        Verb::Validate(validate) => validate::validate(&validate, reporter),
        Verb::Check(check) => check::check_pipeline(&check, reporter),
        Verb::Plan(plan) => plan::plan(&plan, reporter),
        Verb::Show(show) => show::show(show, reporter),
        Verb::Ls(ls) => ls::ls(&ls, reporter),
        Verb::Schema(schema) => schema::schema(&schema),
        Verb::Contract(contract) => contract::contract(&contract, reporter),
        Verb::Doctor(doctor) => doctor::doctor(&doctor, reporter),
        Verb::Engine(engine) => engine::engine(&engine, reporter),
        Verb::Completions(completions) => completions::completions(&completions),
        Verb::Help(help) => help::help(&help),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(reporter);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Writes a verb's data to stdout. A reader that has gone has what it wants.
fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(scrubbed(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// The runtime of verbs that speak with an engine.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)
}
