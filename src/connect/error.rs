//! What can go wrong with a server, told apart as far as the server lets us.
//!
//! Spark sends an error class, a state and parameters, in up to three places; Sail sends a text and the name of a Java class.
//! Both end as a [`ServerError`]. Which exit code an error deserves is the caller's business; the questions below help it.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::time::Duration;

use arrow::error::ArrowError;
use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::connect::place::Place;
use crate::connect::reason::Reason;
use crate::connect::retry::NO_TRAILER;
use crate::connect::sail;
use crate::connect::tls;
use crate::connect::wording::{one_line, original, parts, shortened};
use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::query_context::ContextType;
use crate::proto::spark::fetch_error_details_response::{self as details, StackTraceElement};
use crate::secret::scrubbed;

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

/// The server's own words about a failure.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ServerError {
    /// Spark's name for the error, such as `TABLE_OR_VIEW_NOT_FOUND`.
    pub(crate) class: Option<String>,
    pub(crate) sql_state: Option<String>,
    /// What it says, on one line, without the class, the state, places and plans.
    pub(crate) message: String,
    /// The server's text where it says more than that.
    pub(crate) original: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
    /// Places in the query, outermost first.
    pub(crate) contexts: Vec<QueryContext>,
    /// Where in the text that was sent it is, as far as the server says.
    pub(crate) place: Option<Place>,
    /// The Java class and those above it, most specific first.
    pub(crate) hierarchy: Vec<String>,
    /// What brought it about, nearest first.
    pub(crate) causes: Vec<Cause>,
    /// The calls at the server that led to it, innermost first, where the server tells them.
    pub(crate) trace: Vec<String>,
    /// Whether the server itself has failed, and not what it was asked to do.
    pub(crate) is_internal: bool,
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

/// An error behind an error.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cause {
    /// Spark's name for it, or else its Java class.
    pub(crate) class: Option<String>,
    pub(crate) message: String,
}

/// Causes and calls that are kept of one error. Servers send some hundred calls at times.
const MOST_CAUSES: usize = 5;
const MOST_CALLS: usize = 60;
/// Characters of a cause's message, and of a call, that are kept.
const LONGEST: usize = 1_000;

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
    /// What a connection that fails or breaks stands for: TLS says exactly what is wrong with it.
    pub(super) fn broken(server: String, error: &(dyn StdError + 'static)) -> Self {
        match tls::reason_of(error) {
            Some(reason) => Self::Tls { server, reason },
            None => Self::Unreachable { server, reason: refusal(error) },
        }
    }

    /// What the status of a server that can not be reached stands for.
    pub(super) fn unavailable(server: String, status: &Status) -> Self {
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
    pub(super) fn refused(status: &Status, credentials: Credentials) -> Self {
        let message = match web_status(status.message()) {
            Some(code) => format!("HTTP status {code}"),
            None => status.message().to_owned(),
        };
        Self::Refused { message, credentials }
    }

    /// The same of a server that has never answered before: it may be none.
    pub(super) fn of_a_stranger(self, server: &str) -> Self {
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
        let info = status.get_details_error_info();
        let metadata = info.as_ref().map(|info| info.metadata.clone()).unwrap_or_default();
        let json = |key: &str| metadata.get(key).map(String::as_str).unwrap_or_default();
        // Before anything is cut, and a secret with it.
        let text = &*scrubbed(status.message());
        let said = parts(text);
        let mut error = Self {
            class: metadata.get("errorClass").cloned().or_else(|| said.class.clone()),
            sql_state: metadata.get("sqlState").cloned().or_else(|| said.state.clone()),
            original: original(text, &said),
            place: Place::said_by_spark(status.message()),
            message: said.message,
            parameters: serde_json::from_str(json("messageParameters")).unwrap_or_default(),
            hierarchy: serde_json::from_str(json("classes")).unwrap_or_default(),
            trace: json("stackTrace").lines().take(MOST_CALLS).map(one_line).collect(),
            code: Some(status.code()),
            ..Self::default()
        };
        // Spark says at least where more can be had.
        let is_sails = ["errorClass", "sqlState", "errorId"].iter().all(|key| !metadata.contains_key(*key));
        if is_sails && error.sql_state.is_none() {
            error.read_as_sails(text, info.as_ref().map(|info| info.reason.as_str()));
        }
        error.is_internal |= error.class.as_deref().is_some_and(|class| class.starts_with("INTERNAL_ERROR"));
        error
    }

    /// What Sail says of a plan that it can not make.
    pub(super) fn of_sails_plan(text: &str) -> Self {
        let mut error = Self { analysing: true, ..Self::default() };
        error.read_as_sails(text.lines().next().unwrap_or_default(), None);
        error
    }

    fn read_as_sails(&mut self, text: &str, java: Option<&str>) {
        let told = sail::told(text, java);
        let class = told.class.map(str::to_owned);
        if class.is_some() || self.class.is_none() {
            self.message = told.message;
        }
        self.class = class.or(self.class.take());
        self.sql_state = told.state.map(str::to_owned);
        self.is_internal = told.is_internal;
        self.place = Place::said_by_sail(text);
        self.parameters.extend(told.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let said = parts(text);
        self.original = if said.message == self.message {
            original(text, &said)
        } else {
            Some(shortened(text.trim(), LONGEST))
        };
    }

    /// The key under which the server keeps more about this error.
    pub(super) fn id(status: &Status) -> Option<String> {
        status.get_details_error_info()?.metadata.remove("errorId")
    }

    /// Adds what the server has kept.
    pub(super) fn enrich(&mut self, details: FetchErrorDetailsResponse) {
        let index = |index: Option<i32>| index.and_then(|index| usize::try_from(index).ok());
        let Some(root) = index(details.root_error_idx) else { return };
        let mut errors: Vec<Option<details::Error>> = details.errors.into_iter().map(Some).collect();
        // Each is taken once, so that a circle ends.
        let mut take = |at: usize| errors.get_mut(at).and_then(Option::take);
        let Some(error) = take(root) else { return };
        let mut cause = index(error.cause_idx).and_then(&mut take);
        while let Some(error) = cause.filter(|_| self.causes.len() < MOST_CAUSES) {
            cause = index(error.cause_idx).and_then(&mut take);
            self.causes.push(Cause::read(error));
        }
        let text = &*scrubbed(&error.message);
        let said = parts(text);
        if !said.message.is_empty() {
            self.place = Place::said_by_spark(&error.message).or(self.place.take());
            self.original = original(text, &said);
            self.message = said.message;
        }
        if !error.error_type_hierarchy.is_empty() {
            self.hierarchy = error.error_type_hierarchy;
        }
        if !error.stack_trace.is_empty() {
            self.trace = error.stack_trace.iter().take(MOST_CALLS).map(call).collect();
        }
        let Some(throwable) = error.spark_throwable else {
            return;
        };
        self.class = throwable.error_class.or(said.class).or(self.class.take());
        self.sql_state = throwable.sql_state.or(said.state).or(self.sql_state.take());
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
        // The innermost is the exact one.
        if let Some(range) = self.contexts.iter().rev().find_map(|context| context.range) {
            self.place = Some(Place::Characters(range.0..range.1));
        }
    }
}

impl Cause {
    fn read(error: details::Error) -> Self {
        let said = parts(&scrubbed(&error.message));
        let class = error.spark_throwable.and_then(|throwable| throwable.error_class).or(said.class);
        let class = class.or_else(|| error.error_type_hierarchy.into_iter().next());
        Self { class, message: shortened(&said.message, LONGEST) }
    }
}

/// A call as Java writes it.
fn call(call: &StackTraceElement) -> String {
    let (class, method) = (&call.declaring_class, &call.method_name);
    let text = match (call.file_name.as_deref(), call.line_number) {
        (Some(file), line) if line > 0 => format!("{class}.{method}({file}:{line})"),
        (Some(file), _) => format!("{class}.{method}({file})"),
        (None, _) => format!("{class}.{method}"),
    };
    shortened(&one_line(&text), LONGEST)
}

/// The server counts to the last character, we to the one after it; it says -1 where it does not know.
fn range(start: i32, stop: i32) -> Option<(usize, usize)> {
    let (start, stop) = (usize::try_from(start).ok()?, usize::try_from(stop).ok()?);
    (start <= stop).then_some((start, stop + 1))
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

/// The HTTP status of an answer that was none of gRPC's, out of the words that tonic makes of it: one without a body, and one
/// with a page in it.
pub(super) fn web_status(message: &str) -> Option<&str> {
    let words = ["mapped from HTTP status code ", "while receiving response with status: "];
    let (_, code) = words.iter().find_map(|words| message.split_once(words))?;
    code.split_whitespace().next()
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

    use super::{Error, Handle, QueryContext, ServerError, web_status};
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
