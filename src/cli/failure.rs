//! Why a verb did not do what it was asked, and how that is reported.

use std::io;
use std::path::PathBuf;

use super::exit;
use crate::backend::{self, SessionError};
use crate::connect;
use crate::diagnostic::{Diagnostic, counted};
use crate::engine;
use crate::error::Class;
use crate::record::{ErrorRecord, RunResults, StopReason};
use crate::report::{Reporter, escaped};
use crate::run;
use crate::sink;
use crate::text::Sources;

/// Why a verb did not do what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line is wrong.
    Usage {
        message: String,
        hints: Vec<String>,
    },
    /// A file of the command line can't be read.
    File {
        path: PathBuf,
        reason: String,
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
    /// There is no engine, or none any more.
    Backend(backend::Error),
    /// Another run, or the state of an output, is in the way.
    Sink(sink::Error),
    /// What the verb prints can't be written.
    Output(io::Error),
    Interrupted(StopReason),
    Runtime(io::Error),
    /// Files can't be made in a folder.
    Folder {
        path: PathBuf,
        reason: String,
    },
    /// A run that did not succeed; what happened was reported.
    Run(Box<RunResults>),
    /// What `doctor` has found and told.
    Found(Box<Self>),
}

impl Failure {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::File { .. } => exit::USAGE,
            Self::Interrupted(reason) => exit::of_stop(reason),
            Self::Run(results) => exit::of_run(results),
            Self::Found(failure) => failure.exit_code(),
            _ => exit::of_error(&self.record()),
        }
    }

    /// Returns the failure as it is recorded.
    pub(super) fn record(&self) -> ErrorRecord {
        match self {
            Self::Usage { message, hints } => {
                ErrorRecord::new(Class::Pipeline, message).hints(hints.iter().cloned())
            }
            Self::File { path, reason } => {
                ErrorRecord::new(Class::Pipeline, format!("`{}` can't be read: {reason}", path.display()))
            }
            Self::Pipeline { diagnostics, .. } => {
                ErrorRecord::new(Class::Pipeline, format!("the pipeline has {}", counted(diagnostics)))
            }
            Self::Project { diagnostics, .. } => {
                ErrorRecord::new(Class::Pipeline, format!("the project file has {}", counted(diagnostics)))
            }
            Self::Input { .. } => ErrorRecord::new(Class::Data, "an input is missing"),
            Self::Backend(error) => error.record(run::hints),
            Self::Sink(error) => run::sink_record(error),
            Self::Output(error) => ErrorRecord::new(Class::Data, format!("stdout can't be written: {error}")),
            Self::Interrupted(reason) => reason.error(),
            Self::Runtime(error) => {
                ErrorRecord::new(Class::Data, format!("no threads can be started: {error}"))
            }
            Self::Folder { path, reason } => {
                let message = format!("files can't be made in `{}`: {reason}", path.display());
                ErrorRecord::new(Class::Data, message)
            }
            Self::Run(results) => results.failure(),
            Self::Found(_) => ErrorRecord::new(Class::Data, "not everything is as it should be"),
        }
    }

    /// Returns what is wrong with a file, where that is why.
    pub(super) fn diagnostics(&self) -> Option<(&Sources, &[Diagnostic])> {
        match self {
            Self::Pipeline { sources, diagnostics }
            | Self::Project { sources, diagnostics }
            | Self::Input { sources, diagnostics } => Some((sources, diagnostics)),
            _ => None,
        }
    }

    /// Reports it on stderr.
    pub(super) fn report(&self, reporter: Reporter) {
        if let Some((sources, diagnostics)) = self.diagnostics() {
            reporter.mistakes(sources, diagnostics);
        }
        let record = self.record();
        reporter.failure(ErrorRecord { message: escaped(&record.message).into_owned(), ..record });
    }
}

impl From<connect::Error> for Failure {
    fn from(error: connect::Error) -> Self {
        Self::Backend(error.into())
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        Self::Backend(error.into())
    }
}

impl From<backend::Error> for Failure {
    fn from(error: backend::Error) -> Self {
        match error {
            // What it was is known to whoever watches for signals.
            backend::Error::Interrupted => Self::Interrupted(StopReason::Interrupted),
            error => Self::Backend(error),
        }
    }
}

impl From<sink::Error> for Failure {
    fn from(error: sink::Error) -> Self {
        Self::Sink(error)
    }
}

impl SessionError for Failure {
    fn client_error(&self) -> Option<&connect::Error> {
        match self {
            Self::Backend(backend::Error::Connect(error)) => Some(error),
            _ => None,
        }
    }
}
