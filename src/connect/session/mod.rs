//! One session at one server: who speaks, over which channel, and the one way in which every call with a single answer is made.
//!
//! Each answer is checked against the session it was asked in: a server that was replaced behind its address has lost settings
//! and views, and going on would compute something else.

pub(super) mod artifacts;
pub(super) mod check;
pub(super) mod compression;
pub(super) mod features;
pub(super) mod keepalive;

use std::fmt::{self, Display, Formatter};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::connect::endpoint::{Endpoint, Header};
use crate::connect::error::status::web_status;
use crate::connect::error::{Credentials, Error, Handle, ServerError};
use crate::connect::reason::Reason;
use crate::connect::retry::{Retry, Verdict, is_broken_transport, verdict};
use crate::connect::session::compression::Packing;
use crate::connect::transport::channel::{Held, Line};
use crate::proto::spark::config_request::Operation;
use crate::proto::spark::config_request::operation::OpType;
use crate::proto::spark::spark_connect_service_client::SparkConnectServiceClient;
use crate::proto::spark::{
    AddArtifactsResponse, AnalyzePlanResponse, ArtifactStatusesResponse, ConfigRequest, ConfigResponse,
    ExecutePlanResponse, FetchErrorDetailsRequest, InterruptResponse, ReleaseExecuteResponse,
    ReleaseSessionResponse, UserContext,
};

pub(crate) type Stub = SparkConnectServiceClient<Channel>;

/// The version of the protocol that `proto/` describes.
const PROTOCOL: &str = "4.3";
/// One try, and an error is told without its details rather than late.
const DETAILS_LIMIT: Duration = Duration::from_secs(10);
/// Spark ends a stream after two minutes on purpose, Sail says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(180);
/// Seldom enough to cost nothing, often enough for servers whose sessions live for some seconds only.
const BEAT: Duration = Duration::from_secs(3);
const DEAD: Duration = Duration::from_secs(10);
/// Servers abandon what no stream is attached to for five minutes; some are set to less.
const FRESH: Duration = Duration::from_secs(15);

/// What the client calls an execution; the server calls it the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct OperationId(Uuid);

/// A word by which executions can be interrupted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(String);

/// What this client has asked the server to stop. Some servers end a stream without a word then.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Interrupted {
    Tag(Tag),
    Operation(OperationId),
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) server: String,
    pub(crate) id: String,
    pub(crate) user: UserContext,
    pub(crate) client_type: String,
    pub(crate) patience: Patience,
    pub(crate) packing: Packing,
    pub(crate) line: Line,
    /// The task that asks whether anybody is there; it ends with this value.
    pub(crate) keepalive: Mutex<JoinSet<()>>,
    /// What is in the way while calls are tried again and again.
    pub(crate) outage: watch::Sender<Option<String>>,
    message_limit: usize,
    headers: Vec<Header>,
    observed: OnceLock<String>,
    /// Whether the server was told the witness of this session.
    witnessed: AtomicBool,
    interrupts: Mutex<Vec<Interrupted>>,
    background: Mutex<JoinSet<()>>,
}

/// How long a server may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For an answer, with all attempts.
    pub(crate) budget: Duration,
    /// Between two responses of a stream.
    pub(crate) silence: Duration,
    /// For a stream that nobody reads, before it is opened anew.
    pub(crate) fresh: Duration,
    /// Between two questions that only find out whether anybody is there.
    pub(crate) beat: Duration,
    /// Without a byte in either direction while such a question waits: then nobody is.
    pub(crate) dead: Duration,
}

/// A call with one answer, as its messages name it.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) limit: Duration,
    pub(crate) budget: Duration,
}

/// An answer that says which session it belongs to.
pub(crate) trait Answer {
    fn session_id(&self) -> &str;
    fn server_side_session_id(&self) -> &str;
}

macro_rules! answers {
    ($($message:ty),*) => {
        $(impl Answer for $message {
            fn session_id(&self) -> &str {
                &self.session_id
            }

            fn server_side_session_id(&self) -> &str {
                &self.server_side_session_id
            }
        })*
    };
}

answers!(
    AddArtifactsResponse,
    AnalyzePlanResponse,
    ArtifactStatusesResponse,
    ConfigResponse,
    ExecutePlanResponse,
    InterruptResponse,
    ReleaseExecuteResponse,
    ReleaseSessionResponse
);

impl OperationId {
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4())
    }
}

impl Display for OperationId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl Tag {
    /// A tag of this text. A comma parts tags on the wire, so it becomes an underscore.
    pub(crate) fn new(text: &str) -> Self {
        if text.is_empty() { Self("_".to_owned()) } else { Self(text.replace(',', "_")) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Session {
    pub(crate) fn new(endpoint: &Endpoint, line: Line, budget: Duration) -> Self {
        let user = endpoint.user_id().unwrap_or_default().to_owned();
        let agent = endpoint
            .user_agent()
            .map_or_else(|| format!("pipectl/{}", env!("CARGO_PKG_VERSION")), str::to_owned);
        let mut headers = endpoint.headers().to_vec();
        if let Some(value) = endpoint.token().and_then(super::Token::bearer) {
            headers.push(Header { name: tonic::metadata::MetadataKey::from_static("authorization"), value });
        }
        Self {
            server: endpoint.to_string(),
            id: endpoint.session_id().unwrap_or_else(Uuid::new_v4).to_string(),
            user: UserContext { user_id: user.clone(), user_name: user, extensions: Vec::new() },
            client_type: format!(
                "{agent} spark/{PROTOCOL} os/{} rust/{}",
                std::env::consts::OS,
                env!("CARGO_PKG_RUST_VERSION")
            ),
            patience: Patience { budget, silence: SILENCE, fresh: FRESH, beat: BEAT, dead: DEAD },
            packing: Packing::new(endpoint.message_limit()),
            line,
            keepalive: Mutex::default(),
            outage: watch::Sender::new(None),
            message_limit: endpoint.message_limit(),
            headers,
            observed: OnceLock::new(),
            witnessed: AtomicBool::new(false),
            interrupts: Mutex::new(Vec::new()),
            background: Mutex::default(),
        }
    }

    pub(crate) fn stub(&self, held: &Held) -> Stub {
        Stub::new(held.channel())
            .max_decoding_message_size(self.message_limit)
            .max_encoding_message_size(self.message_limit)
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        for Header { name, value } in &self.headers {
            request.metadata_mut().insert(name, value.clone());
        }
        request
    }

    /// The server's own name for this session, once it has said one; servers before 4.0 never do.
    pub(crate) fn observed(&self) -> Option<String> {
        self.observed.get().cloned()
    }

    /// Whether the server calls the session as the client does. Sail does; a JVM server has a name of its own for it.
    pub(crate) fn is_namesake(&self) -> bool {
        self.observed.get() == Some(&self.id)
    }

    /// The server knows the witness from now on.
    pub(crate) fn now_has_witness(&self) {
        self.witnessed.store(true, Ordering::Relaxed);
    }

    /// Whether only its witness can tell this session from one that was made anew.
    pub(crate) fn needs_witness(&self) -> bool {
        self.witnessed.load(Ordering::Relaxed)
    }

    /// A question about settings, or a change of them.
    pub(crate) fn config(&self, operation: OpType) -> ConfigRequest {
        let (session_id, user_context, client_type) = self.identity();
        ConfigRequest {
            session_id,
            user_context,
            operation: Some(Operation { op_type: Some(operation) }),
            client_type,
            client_observed_server_side_session_id: self.observed(),
        }
    }

    /// Asks about settings, or changes them.
    pub(crate) async fn configure(
        &self,
        operation: OpType,
        limit: Duration,
    ) -> Result<ConfigResponse, Error> {
        let call = Call { name: "Config", limit, budget: self.patience.budget };
        let question = self.config(operation);
        self.call(call, question, async |mut stub, question| stub.config(question).await).await
    }

    pub(crate) fn identity(&self) -> (String, Option<UserContext>, Option<String>) {
        (self.id.clone(), Some(self.user.clone()), Some(self.client_type.clone()))
    }

    pub(crate) fn check(&self, answer: &impl Answer) -> Result<(), Error> {
        if answer.session_id() != self.id {
            return Err(Error::Protocol(format!(
                "an answer in the session `{}` to a question in the session `{}`",
                answer.session_id(),
                self.id
            )));
        }
        let server_side = answer.server_side_session_id();
        if server_side.is_empty() || self.observed.get_or_init(|| server_side.to_owned()) == server_side {
            return Ok(());
        }
        Err(Error::SessionLost {
            reason: "another server, or the same one after a restart, answers now".to_owned(),
        })
    }

    /// Makes a call and waits for its answer, as often as that may help.
    pub(crate) async fn call<Q, A, F, R>(&self, call: Call, question: Q, rpc: F) -> Result<A, Error>
    where
        Q: Clone,
        A: Answer,
        F: Fn(Stub, Request<Q>) -> R,
        R: Future<Output = Result<Response<A>, Status>>,
    {
        let mut retry = Retry::new(call.budget);
        let mut failing_since = None;
        loop {
            let held = self.line.hold();
            // On the heap, or every caller's future is as large as the largest question.
            let attempt = Box::pin(rpc(self.stub(&held), self.request(question.clone())));
            let answer = tokio::select! {
                biased;
                answer = timeout(call.limit, attempt) => answer,
                status = held.replaced() => Ok(Err(status)),
            };
            let Ok(answer) = answer else {
                return Err(Error::Overdue { call: call.name, limit: call.limit });
            };
            let status = match answer {
                Ok(answer) => {
                    self.answers();
                    let answer = answer.into_inner();
                    self.check(&answer)?;
                    return Ok(answer);
                }
                Err(status) => status,
            };
            let since = *failing_since.get_or_insert_with(Instant::now);
            match pause(&mut retry, &status, since) {
                Some(wait) => {
                    self.does_not_answer(&status);
                    sleep(wait).await;
                }
                None => return Err(self.explain(status).await),
            }
        }
    }

    /// The error that a final status stands for, with all that the server tells about it.
    pub(crate) async fn explain(&self, status: Status) -> Error {
        if let Some(error) = self.packing.judge(&status) {
            return error;
        }
        match (Handle::read(&status), status.code()) {
            (Handle::Cancelled, _) => return Error::Cancelled,
            (Handle::SessionGone, _) => {
                return Error::SessionLost { reason: ServerError::read(&status).message };
            }
            (Handle::OperationGone | Handle::OperationSent | Handle::OperationUnknown, _) => {
                if let Some(lost) = check::glance(self).await {
                    return lost;
                }
                return Error::OperationLost { reason: ServerError::read(&status).message };
            }
            (Handle::ServerGone, _) => {
                let reason = Reason::new("it has stopped its Spark: out of memory, or told to end");
                return Error::Unreachable { server: self.server.clone(), reason };
            }
            (Handle::Other, _) if matches!(web_status(status.message()), Some("401" | "403")) => {
                return Error::refused(&status, self.credentials());
            }
            (Handle::Other, Code::Unavailable) => return Error::unavailable(self.server.clone(), &status),
            (Handle::Other, Code::Unauthenticated | Code::PermissionDenied) => {
                return Error::refused(&status, self.credentials());
            }
            (Handle::Other, _) if is_broken_transport(&status) || web_status(status.message()).is_some() => {
                return Error::unavailable(self.server.clone(), &status);
            }
            (Handle::Other, _) => {}
        }
        if let Some(lost) = check::glance(self).await {
            return lost;
        }
        let mut error = ServerError::read(&status);
        if let Some(id) = ServerError::id(&status)
            && let Some(details) = self.details(id).await
        {
            error.enrich(details);
        }
        Error::Server(Box::new(error))
    }

    /// A call is going to be tried again.
    pub(crate) fn does_not_answer(&self, status: &Status) {
        let why = match Error::unavailable(self.server.clone(), status) {
            Error::Unreachable { reason, .. } | Error::Tls { reason, .. } => reason.to_string(),
            other => other.to_string(),
        };
        self.outage.send_if_modified(|outage| outage.replace(why.clone()).is_none());
    }

    pub(crate) fn answers(&self) {
        self.outage.send_if_modified(|outage| outage.take().is_some());
    }

    fn credentials(&self) -> Credentials {
        if self.headers.iter().any(Header::opens_doors) { Credentials::Sent } else { Credentials::None }
    }

    /// One try: the server forgets the details once it has sent them, and the error is worth telling without.
    async fn details(&self, error_id: String) -> Option<crate::proto::spark::FetchErrorDetailsResponse> {
        let (session_id, user_context, client_type) = self.identity();
        let question = FetchErrorDetailsRequest {
            session_id,
            user_context,
            error_id,
            client_type,
            client_observed_server_side_session_id: self.observed(),
        };
        let mut stub = self.stub(&self.line.hold());
        let answer = timeout(DETAILS_LIMIT, stub.fetch_error_details(self.request(question))).await.ok()?;
        answer.ok().map(Response::into_inner)
    }

    /// Where the log of interrupts ends: what was interrupted before an execution began does not concern it.
    pub(crate) fn interrupts_so_far(&self) -> usize {
        self.log().len()
    }

    pub(crate) fn log_interrupt(&self, interrupted: Interrupted) {
        self.log().push(interrupted);
    }

    pub(crate) fn was_interrupted(&self, since: usize, operation: OperationId, tags: &[Tag]) -> bool {
        self.log().iter().skip(since).any(|interrupted| match interrupted {
            Interrupted::Tag(tag) => tags.contains(tag),
            Interrupted::Operation(id) => *id == operation,
        })
    }

    /// Runs something that nobody waits for now, and `finish_background` does.
    pub(crate) fn in_background(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) async fn finish_background(&self) {
        let mut tasks = mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }

    fn log(&self) -> MutexGuard<'_, Vec<Interrupted>> {
        self.interrupts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait before another attempt, if one may help.
pub(crate) fn pause(retry: &mut Retry, status: &Status, since: Instant) -> Option<Duration> {
    match verdict(status) {
        Verdict::Final => None,
        Verdict::Passing(ordered) => retry.wait(ordered, since.elapsed(), jitter()),
    }
}

/// Spreads the attempts of many clients; between 0 and 1.
fn jitter() -> f64 {
    let (_, bits) = Uuid::new_v4().as_u64_pair();
    f64::from(u32::try_from(bits & u64::from(u32::MAX)).unwrap_or_default()) / f64::from(u32::MAX)
}
