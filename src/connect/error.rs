//! What can go wrong with a server, told apart as far as the server lets us.
//!
//! Spark sends an error class, a state and parameters, in up to three places; Sail sends a text and the name of a Java class.
//! Both end as a [`ServerError`]. Which exit code an error deserves is the caller's business; the questions below help it.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use arrow::error::ArrowError;
use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::query_context::ContextType;

/// A call or a stream that did not bring what was asked for.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// Nobody answers, or no longer.
    #[error("{server} can not be reached: {reason}")]
    Unreachable { server: String, reason: String },
    /// Somebody answers, but TLS fails or is missing.
    #[error("{server} can not be reached securely: {reason}")]
    Tls { server: String, reason: String },
    /// Somebody answers who is no Spark Connect server.
    #[error("{server} is not a Spark Connect server: {reason}")]
    NotSparkConnect { server: String, reason: String },
    /// The server is older than the protocol that plans are made of.
    #[error("{server} runs Spark {version}, and pipectl needs Spark 4.0 or newer")]
    TooOld { server: String, version: String },
    #[error("the server refuses this user: {message}")]
    Refused { message: String },
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

/// The server's own words about a failure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ServerError {
    /// Spark's name for the error, such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
    /// The text without the class and the state.
    pub(crate) message: String,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Places in the query, outermost first.
    pub(crate) contexts: Vec<QueryContext>,
    /// The Java class and those above it, most specific first.
    pub(crate) hierarchy: Vec<String>,
    pub(crate) code: Option<Code>,
    /// Whether it came while a plan was analysed and not run.
    pub(crate) analysing: bool,
}

/// A place that an error is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct QueryContext {
    /// The text of the query, or the name of the `DataFrame` call, at this place.
    pub(crate) fragment: String,
    /// Characters from the text's start: the first, and the one after the last. Only SQL has them.
    pub(crate) range: Option<(usize, usize)>,
    pub(crate) summary: String,
}

impl StdError for ServerError {}

impl Display for ServerError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.class {
            Some(class) => write!(f, "{} [{class}]", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl Error {
    /// Whether the server is not there, or is not what it was: trying the whole run again may help.
    pub(crate) fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::NotSparkConnect { .. }
            | Self::TooOld { .. }
            | Self::OperationLost { .. }
            | Self::SessionLost { .. }
            | Self::Overdue { .. } => true,
            Self::Refused { .. }
            | Self::Server(_)
            | Self::Cancelled
            | Self::TooLarge { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Artifact { .. }
            | Self::Protocol(_)
            | Self::Rows(_) => false,
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

impl ServerError {
    /// Only Spark's class names can be trusted: Sail calls errors of running queries analysis errors as well.
    fn is_about_the_plan(&self) -> bool {
        let plan =
            ["org.apache.spark.sql.AnalysisException", "org.apache.spark.sql.catalyst.parser.ParseException"];
        self.sql_state.is_some() && self.hierarchy.iter().any(|class| plan.contains(&class.as_str()))
    }

    /// What a status says by itself.
    pub(super) fn read(status: &Status) -> Self {
        let metadata = status.get_details_error_info().map(|info| info.metadata).unwrap_or_default();
        let json = |key: &str| metadata.get(key).map(String::as_str).unwrap_or_default();
        let (class, message, state) = parts(status.message());
        Self {
            class: metadata.get("errorClass").cloned().or(class),
            sql_state: metadata.get("sqlState").cloned().or(state),
            message,
            parameters: serde_json::from_str(json("messageParameters")).unwrap_or_default(),
            contexts: Vec::new(),
            hierarchy: serde_json::from_str(json("classes")).unwrap_or_default(),
            code: Some(status.code()),
            analysing: false,
        }
    }

    /// The key under which the server keeps more about this error.
    pub(super) fn id(status: &Status) -> Option<String> {
        status.get_details_error_info()?.metadata.remove("errorId")
    }

    /// Adds what the server has kept.
    pub(super) fn enrich(&mut self, details: FetchErrorDetailsResponse) {
        let root = details.root_error_idx.and_then(|index| usize::try_from(index).ok());
        let Some(error) = root.and_then(|index| details.errors.into_iter().nth(index)) else {
            return;
        };
        let (class, message, state) = parts(&error.message);
        if !message.is_empty() {
            self.message = message;
        }
        if !error.error_type_hierarchy.is_empty() {
            self.hierarchy = error.error_type_hierarchy;
        }
        let Some(throwable) = error.spark_throwable else {
            return;
        };
        self.class = throwable.error_class.or(class).or(self.class.take());
        self.sql_state = throwable.sql_state.or(state).or(self.sql_state.take());
        if !throwable.message_parameters.is_empty() {
            self.parameters = throwable.message_parameters;
        }
        self.contexts = throwable
            .query_contexts
            .into_iter()
            .map(|context| QueryContext {
                range: (context.context_type() == ContextType::Sql)
                    .then(|| range(context.start_index, context.stop_index))
                    .flatten(),
                fragment: context.fragment,
                summary: context.summary,
            })
            .collect();
    }
}

/// The server counts to the last character, we to the one after it; it says -1 where it does not know.
fn range(start: i32, stop: i32) -> Option<(usize, usize)> {
    let (start, stop) = (usize::try_from(start).ok()?, usize::try_from(stop).ok()?);
    (start <= stop).then_some((start, stop + 1))
}

/// Takes a message apart: `[CLASS] text SQLSTATE: 42P01`.
fn parts(message: &str) -> (Option<String>, String, Option<String>) {
    let text = message.trim();
    let (text, state) = match text.rsplit_once("SQLSTATE: ") {
        Some((text, state)) if is_state(first_word(state)) => {
            let (state, rest) = state.split_at(first_word(state).len());
            (format!("{}{rest}", text.trim_end()), Some(state.to_owned()))
        }
        _ => (text.to_owned(), None),
    };
    let (class, text) = bracketed(&text).map_or((None, text.clone()), |(class, rest)| (Some(class), rest));
    (class, readable(&text), state)
}

fn first_word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default()
}

fn is_state(word: &str) -> bool {
    word.len() == 5 && word.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The class in brackets at the start, where Spark puts it, or after a prefix, where Sail does.
fn bracketed(text: &str) -> Option<(String, String)> {
    let (before, rest) = text.split_once('[')?;
    let (class, rest) = rest.split_once(']')?;
    let named = class.len() > 2
        && class.starts_with(|letter: char| letter.is_ascii_uppercase())
        && class
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.'));
    let at_start = before.is_empty() || before.ends_with(": ");
    (named && at_start).then(|| (class.to_owned(), rest.trim_start().to_owned()))
}

/// Takes out what only Sail's authors can read.
fn readable(text: &str) -> String {
    let mut text = text;
    for noise in ["invalid argument: ", "Execution error: ", "External error: ", "Internal error: "] {
        text = text.strip_prefix(noise).unwrap_or(text);
    }
    let mut clean = String::with_capacity(text.len());
    while let Some((before, rest)) = text.split_once("ObjectName([") {
        let Some((names, after)) = rest.split_once("])") else { break };
        let names =
            names.split("Identifier(\"").filter_map(|name| name.split_once("\")")).map(|(name, _)| name);
        clean.push_str(before);
        clean.push('`');
        clean.push_str(&names.collect::<Vec<_>>().join("."));
        clean.push('`');
        text = after;
    }
    clean + text
}

const STOPPED: &str = "Cannot call methods on a stopped SparkContext";

/// What a status means before anything is known about the call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Handle {
    OperationUnknown,
    /// The same from a server that may run an operation twice if it is sent twice.
    OperationGone,
    /// Sail has sent the result to its end, whether or not it has arrived.
    OperationSent,
    SessionGone,
    Cancelled,
    /// The server is shutting down, or does not know yet that it is dead.
    ServerGone,
    Other,
}

impl Handle {
    /// Reads the errors about operations and sessions, which servers tell by their text.
    pub(super) fn read(status: &Status) -> Self {
        let message = status.message();
        let table = [
            ("INVALID_HANDLE.OPERATION_NOT_FOUND", Self::OperationUnknown),
            ("INVALID_HANDLE.OPERATION_ABANDONED", Self::OperationGone),
            ("INVALID_CURSOR.POSITION_NOT_AVAILABLE", Self::OperationGone),
            ("INVALID_CURSOR.POSITION_NOT_FOUND", Self::OperationGone),
            ("INVALID_CURSOR.NOT_REATTACHABLE", Self::OperationGone),
            ("INVALID_HANDLE.SESSION_", Self::SessionGone),
            ("OPERATION_CANCELED", Self::Cancelled),
        ];
        // Spark names the class first; a class further on may be part of a user's text.
        let named = table.iter().find(|(class, _)| {
            message.starts_with('[') && message.trim_start_matches('[').starts_with(class)
        });
        if let Some((_, handle)) = named {
            return *handle;
        }
        // A JVM that has run out of memory, or was told to end, answers for some seconds more.
        if message.contains(STOPPED) {
            return Self::ServerGone;
        }
        // These are Sail's.
        if message == "internal error: task context not found for operation" {
            return Self::OperationSent;
        }
        let text = message.strip_prefix("invalid argument: ").unwrap_or_default();
        if text.starts_with("operation not found: ") {
            Self::OperationGone
        } else if text.starts_with("session ") && text.ends_with(" is not running") {
            Self::SessionGone
        } else {
            Self::Other
        }
    }
}

/// The end of a chain of causes, which says the most in transport errors.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
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

    use super::{Error, Handle, QueryContext, ServerError};
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
    fn texts_are_taken_apart() {
        let table = [
            (
                "[TABLE_OR_VIEW_NOT_FOUND] The table `a` cannot be found. SQLSTATE: 42P01",
                (Some("TABLE_OR_VIEW_NOT_FOUND"), "The table `a` cannot be found.", Some("42P01")),
            ),
            (
                "[PARSE_SYNTAX_ERROR] Syntax error at 'x'. SQLSTATE: 42601 (line 1, pos 2)\n\n== SQL ==",
                (
                    Some("PARSE_SYNTAX_ERROR"),
                    "Syntax error at 'x'. (line 1, pos 2)\n\n== SQL ==",
                    Some("42601"),
                ),
            ),
            (
                "Table not found: [TABLE_OR_VIEW_NOT_FOUND] Table or view not found: nope",
                (Some("TABLE_OR_VIEW_NOT_FOUND"), "Table or view not found: nope", None),
            ),
            (
                r#"attribute ObjectName([Identifier("a"), Identifier("b")]) is missing from the schema: cannot resolve attribute"#,
                (None, "attribute `a.b` is missing from the schema: cannot resolve attribute", None),
            ),
            (
                "invalid argument: found selec at 0:5 expected something else",
                (None, "found selec at 0:5 expected something else", None),
            ),
            ("boom [LOUD] SQLSTATE: is no state", (None, "boom [LOUD] SQLSTATE: is no state", None)),
            ("ObjectName([ never ends", (None, "ObjectName([ never ends", None)),
            ("", (None, "", None)),
        ];
        for (message, (class, text, state)) in table {
            let error = ServerError::read(&Status::internal(message));
            assert_eq!(
                (error.class.as_deref(), error.message.as_str(), error.sql_state.as_deref()),
                (class, text, state)
            );
        }
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
