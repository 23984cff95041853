//! Owns the command line: arguments in, exit code out. `verb` has a file for each verb, `args` the arguments that verbs share.

mod args;
mod env;
mod exit;
mod failure;
mod file;
mod identity;
mod inputs;
mod output;
mod project;
mod runtime;
mod secrets;
mod signal;
mod verb;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use crate::diagnostic::Extent;
use crate::report::{self, Format, Reporter, Verbosity, tell_panics};
use verb::Verb;

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
    /// Show every diagnostic, not only the first ten of a code and 100 in all.
    #[arg(long, global = true, env = "PIPECTL_ALL_DIAGNOSTICS", value_parser = clap::builder::FalseyValueParser::new())]
    all_diagnostics: bool,
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
    let extent = if arguments.all_diagnostics { Extent::All } else { Extent::Limited };
    let reporter = Reporter::new(arguments.log_format.into(), verbosity, extent);
    arguments.verb.run(Arguments::command, reporter)
}
