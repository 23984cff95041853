//! Why an action, or a whole run, did not succeed.

use std::fmt;

use crate::backend::{self, SessionError};
use crate::connect;
use crate::diagnostic::{Code, Diagnostics, counted};
use crate::duration::Limit;
use crate::error::{Class, chain};
use crate::pipeline::Pipeline;
use crate::record::{ErrorRecord, ExpectationResult, Sender};
use crate::sink;

/// Why an action did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Engine(#[from] connect::Error),
    #[error(transparent)]
    Sink(#[from] sink::Error),
    #[error("{0}")]
    Expectation(Violated),
    /// The task that wrote an output has ended in a way it should not.
    #[error("the output could not be written: {0}")]
    Writer(String),
    #[error("interrupted")]
    Interrupted,
    /// The step has a `timeout`, and it is over.
    #[error("took longer than its `timeout` of {0}")]
    Overdue(Limit),
}

impl Error {
    /// Whether it may be no more than what an interruption brings about.
    pub(super) fn is_interruption(&self) -> bool {
        match self {
            Self::Interrupted => true,
            Self::Engine(error) => {
                matches!(error, connect::Error::Cancelled | connect::Error::OperationLost { .. })
            }
            Self::Sink(_) | Self::Expectation(_) | Self::Writer(_) | Self::Overdue(_) => false,
        }
    }

    pub(super) fn class(&self) -> Class {
        match self {
            // The plan was analysed before: what an engine calls an error of its analysis by now mostly is one of the rows.
            Self::Engine(error) => match (error.class(), error.said()) {
                (Class::Pipeline, Some(said)) if !said.is_about_names_or_types() => Class::Data,
                (class, _) => class,
            },
            Self::Sink(error) => error.class(),
            Self::Expectation(_) | Self::Interrupted | Self::Overdue(_) => Class::Data,
            Self::Writer(_) => Class::Bug,
        }
    }

    pub(super) fn record(&self) -> ErrorRecord {
        let record = ErrorRecord::new(self.class(), chain(self));
        match self {
            Self::Engine(error) => record.hints(hints(error)).said(error.said()),
            Self::Sink(_) | Self::Expectation(_) | Self::Writer(_) | Self::Interrupted | Self::Overdue(_) => {
                record
            }
        }
    }
}

/// Expectations that rows violate; each was reported for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Violated(pub(super) Vec<ExpectationResult>);

impl fmt::Display for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("an expectation does not hold"),
            count => write!(f, "{count} expectations do not hold"),
        }
    }
}

/// Returns what may help against an error of the engine.
pub(crate) fn hints(error: &connect::Error) -> Vec<String> {
    let by_pipeline = match error {
        connect::Error::TooLarge { .. } => {
            Some("put rows of `values` into a file that the engine reads (`read`), or write fewer of them")
        }
        connect::Error::AnswerTooLarge { .. } => Some(
            "raise `grpc_max_message_size` in the connection string, or use Spark 4.1 or newer, which sends large rows in pieces; where it is many rows together, lower `spark.connect.grpc.arrow.maxBatchSize` at the server",
        ),
        _ => None,
    };
    error.hint().or(by_pipeline).map(str::to_owned).into_iter().collect()
}

/// Why a run could not start or go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The pipeline is wrong, or an input is missing.
    #[error("the pipeline is refused")]
    Refused(Diagnostics),
    #[error(transparent)]
    Backend(#[from] backend::Error),
    #[error(transparent)]
    Sink(#[from] sink::Error),
}

impl Failure {
    /// Records the failure and reports what is wrong with the pipeline's files.
    pub(super) fn report(self, pipeline: &Pipeline, events: &Sender) {
        match self {
            Self::Refused(found) => {
                let found = found.sorted();
                let mut errors = found.iter().filter(|one| one.is_error());
                let record = if errors.all(|error| error.code == Code::NoInput) {
                    ErrorRecord::new(Class::Data, "an input is missing")
                } else {
                    ErrorRecord::new(Class::Pipeline, format!("the pipeline has {}", counted(&found)))
                };
                events.diagnostics(&pipeline.sources, found);
                events.fail(record);
            }
            Self::Backend(backend::Error::Interrupted) => {}
            Self::Backend(error) => events.fail(error.record(hints)),
            Self::Sink(error) => events.fail(sink_record(&error)),
        }
    }
}

/// Records an error of an output.
pub(crate) fn sink_record(error: &sink::Error) -> ErrorRecord {
    let mut record = ErrorRecord::new(error.class(), chain(error)).hints(error.help().map(str::to_owned));
    record.is_locked = matches!(error, sink::Error::Busy { .. });
    record
}

impl From<connect::Error> for Failure {
    fn from(error: connect::Error) -> Self {
        Self::Backend(error.into())
    }
}

impl SessionError for Failure {
    fn client_error(&self) -> Option<&connect::Error> {
        match self {
            Self::Backend(backend::Error::Connect(error)) => Some(error),
            Self::Backend(_) | Self::Refused(_) | Self::Sink(_) => None,
        }
    }
}
