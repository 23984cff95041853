//! The server's own words about a failure: put together from a status, from Spark's details, from Sail's text.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::connect::error::position::ErrorPosition;
use crate::connect::error::sail;
use crate::connect::error::text::{one_line, original, parts, shortened};
use crate::proto::spark::FetchErrorDetailsResponse;
use crate::proto::spark::fetch_error_details_response::query_context::ContextType;
use crate::proto::spark::fetch_error_details_response::{self as details, StackTraceElement};
use crate::secret::scrubbed;

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
    pub(crate) place: Option<ErrorPosition>,
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

impl ServerError {
    /// Only Spark's class names can be trusted: Sail calls errors of running queries analysis errors as well.
    pub(crate) fn is_about_the_plan(&self) -> bool {
        let plan =
            ["org.apache.spark.sql.AnalysisException", "org.apache.spark.sql.catalyst.parser.ParseException"];
        self.sql_state.is_some() && self.hierarchy.iter().any(|class| plan.contains(&class.as_str()))
    }

    /// Whether its SQL state says that the query is wrong, whatever the rows are.
    pub(crate) fn is_about_names_or_types(&self) -> bool {
        self.sql_state.as_deref().is_some_and(|state| state.starts_with("42"))
    }

    /// What a status says by itself.
    pub(in crate::connect) fn read(status: &Status) -> Self {
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
            place: ErrorPosition::said_by_spark(status.message()),
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
    pub(in crate::connect) fn of_sails_plan(text: &str) -> Self {
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
        self.place = ErrorPosition::said_by_sail(text);
        self.parameters.extend(told.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let said = parts(text);
        self.original = if said.message == self.message {
            original(text, &said)
        } else {
            Some(shortened(text.trim(), LONGEST))
        };
    }

    /// The key under which the server keeps more about this error.
    pub(in crate::connect) fn id(status: &Status) -> Option<String> {
        status.get_details_error_info()?.metadata.remove("errorId")
    }

    /// Adds what the server has kept.
    pub(in crate::connect) fn enrich(&mut self, details: FetchErrorDetailsResponse) {
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
            self.place = ErrorPosition::said_by_spark(&error.message).or(self.place.take());
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
            self.place = Some(ErrorPosition::Characters(range.0..range.1));
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
