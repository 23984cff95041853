//! Turns what went wrong into heading, hints and exit code; nobody else knows exit codes.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use crate::backend::{self, SessionError};
use crate::connect;
use crate::diagnostic::Diagnostic;
use crate::engine;
use crate::record::chain;
use crate::report::{Ending, Reporter, escaped};
use crate::run;
use crate::sink;
use crate::text::Sources;

use super::interrupt::Signal;

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line is wrong.
    Usage {
        message: String,
        hints: Vec<String>,
    },
    /// The pipeline's files are wrong.
    Pipeline {
        sources: Sources,
        diagnostics: Vec<Diagnostic>,
    },
    /// The project file is wrong.
    Project {
        sources: Sources,
        diagnostics: Vec<Diagnostic>,
    },
    /// Files that a run reads are missing.
    Input {
        sources: Sources,
        diagnostics: Vec<Diagnostic>,
    },
    /// Another run, or the state of an output, is in the way.
    Output(io::Error),
    Sink(sink::Error),
    /// The managed engine can't be installed or started.
    Engine(engine::Error),
    /// The engine can't be reached or does not do as it should.
    Connect(connect::Error),
    /// The engine has ended by itself.
    EngineEnded {
        reason: String,
        last_lines: Vec<String>,
    },
    /// Steps failed; they were told as it happened.
    Steps(Ending),
    Interrupted(Signal),
    Runtime(io::Error),
    /// Files can't be made in a folder.
    Folder {
        path: PathBuf,
        reason: String,
    },
    /// What `doctor` has found and told.
    Found(Box<Self>),
    /// A file of the command line can't be read.
    File {
        path: PathBuf,
        reason: String,
    },
}

impl Failure {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::File { .. } => 2,
            Self::Pipeline { .. } | Self::Project { .. } => 78,
            Self::Sink(sink::Error::Busy { .. }) => 75,
            Self::Engine(_) | Self::EngineEnded { .. } | Self::Steps(Ending::EngineLost) => 69,
            Self::Connect(error) if error.is_unreachable() => 69,
            Self::Connect(error) if error.is_analysis() => 78,
            Self::Input { .. }
            | Self::Output(_)
            | Self::Sink(_)
            | Self::Connect(_)
            | Self::Steps(_)
            | Self::Folder { .. }
            | Self::Runtime(_) => 1,
            Self::Found(failure) => failure.exit_code(),
            Self::Interrupted(signal) => signal.exit_code(),
        }
    }

    /// One line, for the record of a run.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Usage { message, .. } => message.clone(),
            Self::Pipeline { diagnostics, .. } => format!("the pipeline has {}", mistakes(diagnostics)),
            Self::Project { diagnostics, .. } => format!("the project file has {}", mistakes(diagnostics)),
            Self::Input { .. } => "an input is missing".to_owned(),
            Self::Output(error) => format!("stdout can't be written: {error}"),
            Self::Sink(error) => chain(error),
            Self::Engine(error) => chain(error),
            Self::Connect(error) => chain(error),
            Self::EngineEnded { reason, .. } => format!("the engine ended unexpectedly: {reason}"),
            Self::Steps(Ending::EngineLost) => "the engine was lost".to_owned(),
            Self::Steps(_) => "a step failed".to_owned(),
            Self::Interrupted(signal) => format!("{signal}"),
            Self::Folder { path, reason } => {
                format!("files can't be made in `{}`: {reason}", path.display())
            }
            Self::Found(_) => "not everything is as it should be".to_owned(),
            Self::Runtime(error) => format!("no threads can be started: {error}"),
            Self::File { path, reason } => format!("`{}` can't be read: {reason}", path.display()),
        }
    }

    /// All that the engine has said, where the reason is its.
    pub(super) fn said(&self) -> Option<&connect::ServerError> {
        match self {
            Self::Connect(connect::Error::Server(said)) => Some(said),
            _ => None,
        }
    }

    pub(super) fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hints, .. } => hints.clone(),
            Self::Engine(error) => {
                let lines = error.last_lines().iter().map(|line| format!("the engine said: {line}"));
                error.hint().map(Cow::into_owned).into_iter().chain(lines).collect()
            }
            Self::EngineEnded { last_lines, .. } => {
                last_lines.iter().map(|line| format!("the engine said: {line}")).collect()
            }
            Self::Connect(error) => {
                let hint = error.hint().or_else(|| run::advice(error));
                hint.map(str::to_owned).into_iter().collect()
            }
            Self::Sink(error) => error.help().map(str::to_owned).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Tells it on stderr.
    pub(super) fn report(&self, reporter: Reporter) {
        match self {
            Self::Pipeline { sources, diagnostics }
            | Self::Project { sources, diagnostics }
            | Self::Input { sources, diagnostics } => {
                reporter.mistakes(sources, diagnostics);
                reporter.failure(&self.message(), &[]);
            }
            _ => reporter.refusal(&escaped(&self.message()), &self.hints(), self.said()),
        }
    }
}

/// How many there are, in words.
fn mistakes(diagnostics: &[Diagnostic]) -> String {
    match diagnostics.iter().filter(|one| one.is_error()).count() {
        0 if diagnostics.len() == 1 => "1 warning, and `--deny-warnings` takes it for a mistake".to_owned(),
        0 => format!("{} warnings, and `--deny-warnings` takes them for mistakes", diagnostics.len()),
        1 => "1 mistake".to_owned(),
        errors => format!("{errors} mistakes"),
    }
}

impl From<connect::Error> for Failure {
    fn from(error: connect::Error) -> Self {
        Self::Connect(error)
    }
}

impl From<backend::Error> for Failure {
    fn from(error: backend::Error) -> Self {
        match error {
            backend::Error::Engine(error) => Self::Engine(error),
            backend::Error::Connect(error) => Self::Connect(error),
            backend::Error::Ended { reason, last_lines } => Self::EngineEnded { reason, last_lines },
            // Which signal it was is known to whoever watches for signals.
            backend::Error::Interrupted => Self::Interrupted(Signal::Interrupt),
        }
    }
}

impl SessionError for Failure {
    fn client_error(&self) -> Option<&connect::Error> {
        match self {
            Self::Connect(error) => Some(error),
            _ => None,
        }
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<sink::Error> for Failure {
    fn from(error: sink::Error) -> Self {
        Self::Sink(error)
    }
}
