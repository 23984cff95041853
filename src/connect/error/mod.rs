//! What can go wrong with a server, told apart as far as the server lets us.
//!
//! Spark sends an error class, a state and parameters, in up to three places; Sail sends a text and the name of a Java class.
//! Both end as a [`ServerError`]. Which exit code an error deserves is the caller's business; the questions below help it.

mod handle;
pub(super) mod position;
mod sail;
mod server;
pub(super) mod status;
mod text;

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use arrow_schema::ArrowError;
use thiserror::Error;
use tonic::{Code, Status};

use crate::connect::error::status::{NO_TRAILER, web_status};
use crate::connect::reason::Reason;
use crate::connect::tls;
use crate::error::Class;

pub(crate) use self::handle::Handle;
pub(crate) use self::server::ServerError;

/// A call or a stream that did not bring what was asked for.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Nobody answers, or no longer.
    #[error("{server} can not be reached: {reason}")]
    Unreachable { server: String, reason: Reason },
    /// Somebody answers, but TLS fails or is missing.
    #[error("{server} can not be reached securely: {reason}")]
    Tls { server: String, reason: Reason },
    /// Somebody answers who is no Spark Connect server.
    #[error("{server} is not a Spark Connect server: {reason}")]
    NotSparkConnect { server: String, reason: Reason },
    /// The server is older than the protocol that plans are made of.
    #[error("{server} runs Spark {version}, and pipectl needs Spark 4.0 or newer")]
    TooOld { server: String, version: String },
    #[error("the server refuses this user: {message}")]
    Refused { message: String, credentials: Credentials },
    #[error(transparent)]
    Server(Box<ServerError>),
    #[error("the operation was cancelled")]
    Cancelled,
    /// The server has forgotten an operation before all of its result was here. What it did is not known.
    #[error("the server has lost the operation: {reason}")]
    OperationLost { reason: String },
    /// The session's settings, views and kept relations are gone.
    #[error("the server has lost the session: {reason}")]
    SessionLost { reason: String },
    #[error("the server did not answer `{call}` within {} s", .limit.as_secs())]
    Overdue { call: &'static str, limit: Duration },
    /// A request that the server would not take. Where that was known, it was not sent.
    #[error("a request of {} is more than the server takes at once: {}", mebibytes(*.size), mebibytes(*.limit))]
    TooLarge { size: u64, limit: u64 },
    /// A response that is larger than what this side takes.
    #[error("the server sends {} at once, and the limit is {}", mebibytes(*.size), mebibytes(*.limit))]
    AnswerTooLarge { size: u64, limit: u64 },
    /// A file or other bytes that do not get into the session.
    #[error("the artifact `{name}` {reason}")]
    Artifact { name: String, reason: String },
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    #[error("the server's rows can not be decoded")]
    Rows(#[source] ArrowError),
}

/// Whether a call had a token, or another `authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Sent,
    None,
}

impl Error {
    /// What a connection that fails or breaks stands for: TLS says exactly what is wrong with it.
    pub(crate) fn broken(server: String, error: &(dyn StdError + 'static)) -> Self {
        match tls::reason_of(error) {
            Some(reason) => Self::Tls { server, reason },
            None => Self::Unreachable { server, reason: refusal(error) },
        }
    }

    /// What the status of a server that can not be reached stands for.
    pub(crate) fn unavailable(server: String, status: &Status) -> Self {
        if let Some(error) = status.source() {
            return Self::broken(server, error);
        }
        let Some(code) = web_status(status.message()) else {
            return Self::Unreachable { server, reason: Reason::new(status.message()) };
        };
        let reason = Reason::new(format!("a web server or a proxy answers, with HTTP status {code}"));
        let reason = if code.starts_with('5') {
            reason.hint("look whether the server behind it runs")
        } else {
            reason.hint("look for a slip in the address; a proxy has to pass gRPC on")
        };
        Self::Unreachable { server, reason }
    }

    /// What a server stands for that lets nobody in.
    pub(crate) fn refused(status: &Status, credentials: Credentials) -> Self {
        let message = match web_status(status.message()) {
            Some(code) => format!("HTTP status {code}"),
            None => status.message().to_owned(),
        };
        Self::Refused { message, credentials }
    }

    /// The same of a server that has never answered before: it may be none.
    pub(crate) fn of_a_stranger(self, server: &str) -> Self {
        let not_spark = |reason: &str| {
            let reason = Reason::new(reason).hint("look for a slip in the address");
            Self::NotSparkConnect { server: server.to_owned(), reason }
        };
        match &self {
            Self::Server(error) if error.code == Some(Code::Unimplemented) => {
                not_spark("it does not know `AnalyzePlan`")
            }
            Self::Unreachable { reason, .. } if reason.to_string().contains(NO_TRAILER) => {
                not_spark("it answers in HTTP/2, and not in gRPC")
            }
            _ => self,
        }
    }

    /// What may help.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreachable { reason, .. }
            | Self::Tls { reason, .. }
            | Self::NotSparkConnect { reason, .. } => reason.help(),
            Self::Refused { credentials: Credentials::None, .. } => Some(
                "no token was sent: put it into SPARK_CONNECT_AUTHENTICATE_TOKEN, or into a target of `pipectl.yaml`: `token: ${secret:NAME}`",
            ),
            Self::Refused { credentials: Credentials::Sent, .. } => {
                Some("look whether the token is meant for this server, and whether it has expired")
            }
            Self::Overdue { .. } => Some("look whether the server is well"),
            Self::TooOld { .. }
            | Self::Server(_)
            | Self::Cancelled
            | Self::OperationLost { .. }
            | Self::SessionLost { .. }
            | Self::TooLarge { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Artifact { .. }
            | Self::Protocol(_)
            | Self::Rows(_) => None,
        }
    }

    /// Whether the server is not there, is not what it was, or no longer lets us in: trying the whole run again may help.
    pub(crate) fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::NotSparkConnect { .. }
            | Self::TooOld { .. }
            | Self::Refused { .. }
            | Self::OperationLost { .. }
            | Self::SessionLost { .. }
            | Self::Overdue { .. } => true,
            Self::Server(_)
            | Self::Cancelled
            | Self::TooLarge { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Artifact { .. }
            | Self::Protocol(_)
            | Self::Rows(_) => false,
        }
    }

    /// Whose fault it is.
    pub(crate) fn class(&self) -> Class {
        match self {
            _ if self.is_unreachable() => Class::Transient,
            _ if self.is_analysis() => Class::Pipeline,
            Self::Server(error) if error.is_internal => Class::Bug,
            Self::Protocol(_) | Self::Rows(_) => Class::Bug,
            _ => Class::Data,
        }
    }

    /// Returns all that the server said, where the reason is its.
    pub(crate) fn said(&self) -> Option<&ServerError> {
        match self {
            Self::Server(said) => Some(said),
            _ => None,
        }
    }

    /// Whether the server does not have rows that a plan names, so that they must be sent, perhaps again.
    pub(crate) fn is_missing_rows(&self) -> bool {
        let Self::Server(error) = self else {
            return false;
        };
        let classes = ["NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION", "CANNOT_FIND_CACHED_LOCAL_RELATION"];
        let class = error.class.as_deref().and_then(|class| class.strip_prefix("CONNECT_INVALID_PLAN."));
        class.is_some_and(|class| classes.contains(&class))
            // Spark 4.0 has no class for it.
            || error.message.starts_with("Not found any cached local relation with the hash")
    }

    /// Whether all that a session held at the server is gone, while the server is there: a new session may help.
    pub(crate) fn is_session_lost(&self) -> bool {
        matches!(self, Self::SessionLost { .. } | Self::OperationLost { .. })
    }

    /// Whether the server says that the plan itself is wrong: it will be wrong the next time too.
    pub(crate) fn is_analysis(&self) -> bool {
        let Self::Server(error) = self else {
            return false;
        };
        error.analysing || error.is_about_the_plan()
    }
}

/// A size for people. It is rounded up, so that what is too large is seen to be.
fn mebibytes(bytes: u64) -> String {
    let hundredths = (u128::from(bytes) * 100).div_ceil(1 << 20);
    match hundredths % 100 {
        0 => format!("{} MiB", hundredths / 100),
        rest => format!("{}.{rest:02} MiB", hundredths / 100),
    }
}

/// Why a connection failed or broke. That nobody is there has words of its own.
fn refusal(error: &(dyn StdError + 'static)) -> Reason {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    let mut of_system = chain.filter_map(|error| error.downcast_ref::<io::Error>());
    let nobody = of_system
        .find(|error| matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::TimedOut));
    nobody.map_or_else(|| Reason::new(innermost(error)), Reason::of)
}

/// The end of a chain of causes, which says the most in transport errors.
pub(crate) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt as _};

    use super::server::QueryContext;
    use super::{Error, Handle, ServerError, web_status};
    use crate::proto::spark::FetchErrorDetailsResponse;
    use crate::proto::spark::fetch_error_details_response::query_context::ContextType;
    use crate::proto::spark::fetch_error_details_response::{self as details, SparkThrowable};

    fn spark(message: &str, metadata: &[(&str, &str)]) -> Status {
        let mut details = ErrorDetails::new();
        let metadata: HashMap<_, _> =
            metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        details.set_error_info("java.lang.X", "org.apache.spark", metadata);
        Status::with_error_details(Code::Internal, message, details)
    }

    #[test]
    fn rows_that_the_server_has_lost() {
        for (message, missing) in [
            ("[CONNECT_INVALID_PLAN.NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION] Not found chunked", true),
            ("[CONNECT_INVALID_PLAN.CANNOT_FIND_CACHED_LOCAL_RELATION] Cannot find", true),
            ("Not found any cached local relation with the hash: aa in the session", true),
            ("[TABLE_OR_VIEW_NOT_FOUND] The table is not there", false),
            ("[CONNECT_INVALID_PLAN.CANNOT_PARSE] no", false),
        ] {
            let status = Status::internal(message);
            let error = Error::Server(Box::new(ServerError::read(&status)));
            assert_eq!(error.is_missing_rows(), missing, "{message}");
        }
    }

    #[test]
    fn sizes_are_rounded_up() {
        for (size, text) in [(128 << 20, "128 MiB"), ((128 << 20) + 1, "128.01 MiB"), (1 << 19, "0.50 MiB")] {
            assert_eq!(super::mebibytes(size), text);
        }
    }

    #[test]
    fn the_details_beat_the_text() {
        let error = ServerError::read(&spark(
            "[A] text SQLSTATE: 00001",
            &[
                ("errorClass", "B.C"),
                ("sqlState", "00002"),
                ("messageParameters", r#"{"name":"x"}"#),
                ("classes", r#"["org.apache.spark.sql.AnalysisException"]"#),
            ],
        ));
        assert_eq!((error.class.as_deref(), error.sql_state.as_deref()), (Some("B.C"), Some("00002")));
        assert_eq!(error.parameters["name"], "x");
        assert!(Error::Server(Box::new(error)).is_analysis());
    }

    #[test]
    fn what_is_fetched_beats_both() {
        let status = spark("[A] cut sho", &[("errorId", "7"), ("classes", "[]")]);
        assert_eq!(ServerError::id(&status).as_deref(), Some("7"));
        let mut error = ServerError::read(&status);
        let context = |start_index, stop_index| details::QueryContext {
            context_type: ContextType::Sql.into(),
            start_index,
            stop_index,
            fragment: "nope".to_owned(),
            ..details::QueryContext::default()
        };
        let throwable = SparkThrowable {
            error_class: Some("A.B".to_owned()),
            query_contexts: vec![context(7, 10), context(-1, -1)],
            sql_state: Some("42703".to_owned()),
            ..SparkThrowable::default()
        };
        error.enrich(FetchErrorDetailsResponse {
            root_error_idx: Some(0),
            errors: vec![details::Error {
                message: "[A.B] cut short no more. SQLSTATE: 42703".to_owned(),
                spark_throwable: Some(throwable),
                ..details::Error::default()
            }],
            ..FetchErrorDetailsResponse::default()
        });
        assert_eq!(error.to_string(), "cut short no more. [A.B]");
        let place = |range| QueryContext { fragment: "nope".to_owned(), range, summary: String::new() };
        assert_eq!(error.contexts, [place(Some((7, 11))), place(None)]);
    }

    #[test]
    fn an_error_that_was_forgotten_stays_as_it_is() {
        let mut error = ServerError::read(&Status::internal("[A] text"));
        let before = error.clone();
        error.enrich(FetchErrorDetailsResponse::default());
        assert_eq!(error, before);
    }

    #[test]
    fn sails_analysis_error_is_trusted_only_while_analysing() {
        let status = spark("boom", &[("classes", r#"["org.apache.spark.sql.AnalysisException"]"#)]);
        let error = ServerError::read(&status);
        assert!(!Error::Server(Box::new(error.clone())).is_analysis());
        assert!(Error::Server(Box::new(ServerError { analysing: true, ..error })).is_analysis());
    }

    #[test]
    fn pages_are_told_from_answers() {
        let table = [
            ("grpc-status header missing, mapped from HTTP status code 502", Some("502")),
            (
                "protocol error: received message with invalid compression flag: 60 (valid flags are 0 and 1) while receiving response with status: 404 Not Found",
                Some("404"),
            ),
            ("[TABLE_OR_VIEW_NOT_FOUND] HTTP status code 502", None),
            ("", None),
        ];
        for (message, status) in table {
            assert_eq!(web_status(message), status, "{message}");
        }
    }

    #[test]
    fn handles() {
        let table = [
            ("[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle", Handle::OperationUnknown),
            ("[INVALID_HANDLE.OPERATION_ABANDONED] The handle", Handle::OperationGone),
            ("[INVALID_CURSOR.POSITION_NOT_AVAILABLE] The cursor", Handle::OperationGone),
            ("[INVALID_HANDLE.SESSION_CHANGED] The handle", Handle::SessionGone),
            ("[OPERATION_CANCELED] Operation", Handle::Cancelled),
            ("invalid argument: operation not found: 1", Handle::OperationGone),
            ("internal error: task context not found for operation", Handle::OperationSent),
            ("invalid argument: session 1 is not running", Handle::SessionGone),
            ("[USER_RAISED_EXCEPTION] [OPERATION_CANCELED]", Handle::Other),
            ("Cannot call methods on a stopped SparkContext.\nThis stopped", Handle::ServerGone),
            ("boom", Handle::Other),
        ];
        for (message, handle) in table {
            assert_eq!(Handle::read(&Status::internal(message)), handle, "{message}");
        }
    }
}
