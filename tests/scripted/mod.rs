//! A server for tests that does what it is told: each stream that is opened plays the next part of a script, and every call is
//! written down.
//!
//! The client's own tests and those of the whole program use it; whoever includes it has the messages as `crate::proto::spark`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::proto::spark::add_artifacts_request::{ArtifactChunk, Payload};
use crate::proto::spark::add_artifacts_response::ArtifactSummary;
use crate::proto::spark::analyze_plan_request::Analyze;
use crate::proto::spark::analyze_plan_response::{self, Schema, SparkVersion};
use crate::proto::spark::artifact_statuses_response::ArtifactStatus;
use crate::proto::spark::config_request::operation::OpType as Setting;
use crate::proto::spark::interrupt_request::Interrupt;
use crate::proto::spark::plan::OpType;
use crate::proto::spark::release_execute_request::Release;
use crate::proto::spark::{
    AddArtifactsRequest, AddArtifactsResponse, AnalyzePlanRequest, AnalyzePlanResponse,
    ArtifactStatusesRequest, ArtifactStatusesResponse, ConfigRequest, ConfigResponse, DataType,
    ExecutePlanRequest, ExecutePlanResponse, FetchErrorDetailsRequest, FetchErrorDetailsResponse,
    InterruptRequest, InterruptResponse, KeyValue, Plan, ReattachExecuteRequest, ReleaseExecuteRequest,
    ReleaseExecuteResponse,
};

mod generated;
mod responses;
mod wire;

pub(crate) use responses::{batch, complete, halves, pieces, progress, repeated, rows, schema};
pub(crate) use wire::Wire;

use generated::spark_connect_service_server::{SparkConnectService, SparkConnectServiceServer};

/// What a stream does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send(Box<ExecutePlanResponse>),
    Fail(Status),
    Pause(Duration),
    /// Says nothing more, and does not end.
    Hang,
}

/// The server's side of the story.
#[derive(Clone, Default)]
pub(crate) struct Script {
    state: Arc<Mutex<State>>,
}

struct State {
    streams: VecDeque<Result<Vec<Step>, Status>>,
    failures: VecDeque<Status>,
    details: Option<FetchErrorDetailsResponse>,
    version: String,
    columns: DataType,
    named_columns: Vec<(String, DataType)>,
    server_session: String,
    wrong_session: bool,
    executed: Vec<ExecutePlanRequest>,
    analysed: Vec<Plan>,
    settings: BTreeMap<String, String>,
    artifacts: BTreeMap<String, Vec<u8>>,
    damage: usize,
    forgets: bool,
    calls: Vec<String>,
    /// How many interrupts it passes over before it confirms one; nothing where it never does.
    deaf_for: Option<usize>,
}

/// A running server, gone when dropped.
pub(crate) struct Scripted {
    pub(crate) script: Script,
    /// It listens at this port of the loopback address.
    pub(crate) port: u16,
    _server: JoinSet<()>,
}

/// An error as Spark sends it.
pub(crate) fn spark_error(message: &str, metadata: &[(&str, &str)]) -> Status {
    let mut details = ErrorDetails::new();
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    details.set_error_info(
        "java.lang.X",
        "org.apache.spark",
        metadata.collect::<std::collections::HashMap<_, _>>(),
    );
    Status::with_error_details(tonic::Code::Internal, message, details)
}

/// What Spark says of a plan that names rows which it does not have.
pub(crate) fn missing_rows() -> Status {
    spark_error(
        "[CONNECT_INVALID_PLAN.NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION] Not found. SQLSTATE: 56K00",
        &[("errorClass", "CONNECT_INVALID_PLAN.NOT_FOUND_CHUNKED_CACHED_LOCAL_RELATION")],
    )
}

impl Script {
    /// Serves from now on; needs a runtime.
    pub(crate) async fn serve(self) -> Scripted {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = SparkConnectServiceServer::new(self.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            Server::builder().serve_with_incoming(service, TcpIncoming::from(listener)).await.unwrap();
        });
        Scripted { script: self, port, _server: server }
    }

    /// What the next stream does that is opened.
    pub(crate) fn stream(self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.state().streams.push_back(Ok(steps.into_iter().collect()));
        self
    }

    /// The next stream can not be opened.
    pub(crate) fn refuse(self, status: Status) -> Self {
        self.state().streams.push_back(Err(status));
        self
    }

    /// The next question about a plan or a setting fails.
    pub(crate) fn fail(self, status: Status) -> Self {
        self.state().failures.push_back(status);
        self
    }

    pub(crate) fn details(self, details: FetchErrorDetailsResponse) -> Self {
        self.state().details = Some(details);
        self
    }

    /// What the server calls the session from now on.
    pub(crate) fn server_session(&self, id: &str) {
        id.clone_into(&mut self.state().server_session);
    }

    /// The version of Spark that it says it has.
    pub(crate) fn version(self, version: &str) -> Self {
        version.clone_into(&mut self.state().version);
        self
    }

    /// The columns of every plan.
    pub(crate) fn columns(self, columns: DataType) -> Self {
        self.state().columns = columns;
        self
    }

    /// The columns of plans that mention this name; what was told first takes precedence, and all other plans come last.
    pub(crate) fn columns_of(self, name: &str, columns: DataType) -> Self {
        self.state().named_columns.push((name.to_owned(), columns));
        self
    }

    /// Knows this setting.
    pub(crate) fn setting(self, key: &str, value: &str) -> Self {
        self.state().settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The value of a setting by now.
    pub(crate) fn value(&self, key: &str) -> Option<String> {
        self.state().settings.get(key).cloned()
    }

    /// Takes the next so many artifacts for damaged.
    pub(crate) fn damage(&self, artifacts: usize) {
        self.state().damage = artifacts;
    }

    /// Loses all artifacts when the next plan is analysed, and says that it lacks the rows of that plan.
    pub(crate) fn forget(self) -> Self {
        self.state().forgets = true;
        self
    }

    /// The artifacts that have come, by their names.
    pub(crate) fn artifacts(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().artifacts.clone()
    }

    /// The plans that were to be analysed.
    pub(crate) fn analysed(&self) -> Vec<Plan> {
        self.state().analysed.clone()
    }

    /// Answers in another session than it is asked in.
    pub(crate) fn confuse_sessions(&self) {
        self.state().wrong_session = true;
    }

    /// Passes over so many interrupts; then it names what it has interrupted.
    pub(crate) fn confirms_interrupts_after(self, count: usize) -> Self {
        self.state().deaf_for = Some(count);
        self
    }

    /// The calls so far; what was released on the way only where `until` says so, for that depends on time.
    pub(crate) fn calls(&self) -> Vec<String> {
        let mut calls = self.state().calls.clone();
        calls.retain(|call| !call.starts_with("release until"));
        calls
    }

    pub(crate) fn released_on_the_way(&self) -> Vec<String> {
        let mut calls = self.state().calls.clone();
        calls.retain(|call| call.starts_with("release until"));
        calls
    }

    pub(crate) fn executed(&self) -> Vec<ExecutePlanRequest> {
        self.state().executed.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Plays the next part of the script.
    fn play(&self, session: &str) -> Result<Response<BoxStream>, Status> {
        let next = self.state().streams.pop_front();
        Ok(self.perform(session, next.unwrap_or_else(|| Err(Status::internal("the script is over")))?))
    }

    fn perform(&self, session: &str, steps: Vec<Step>) -> Response<BoxStream> {
        let state = self.state();
        let (session, server_session) = (state.session(session), state.server_session.clone());
        let stream = tokio_stream::StreamExt::then(tokio_stream::iter(steps), move |step| {
            let (session, server_session) = (session.clone(), server_session.clone());
            async move {
                match step {
                    Step::Send(response) => Some(Ok(ExecutePlanResponse {
                        session_id: session,
                        server_side_session_id: server_session,
                        ..*response
                    })),
                    Step::Fail(status) => Some(Err(status)),
                    Step::Pause(pause) => {
                        sleep(pause).await;
                        None
                    }
                    Step::Hang => std::future::pending().await,
                }
            }
        });
        Response::new(Box::pin(tokio_stream::StreamExt::filter_map(stream, |item| item)))
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            streams: VecDeque::new(),
            failures: VecDeque::new(),
            details: None,
            version: "4.3.0".to_owned(),
            columns: DataType::default(),
            named_columns: Vec::new(),
            server_session: String::new(),
            wrong_session: false,
            executed: Vec::new(),
            analysed: Vec::new(),
            settings: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            damage: 0,
            forgets: false,
            calls: Vec::new(),
            deaf_for: None,
        }
    }
}

impl State {
    fn session(&self, asked: &str) -> String {
        if self.wrong_session { "another".to_owned() } else { asked.to_owned() }
    }

    fn columns_of(&self, plan: Option<&Plan>) -> DataType {
        let text = if self.named_columns.is_empty() { String::new() } else { format!("{plan:?}") };
        let named = self.named_columns.iter().find(|(name, _)| text.contains(name));
        named.map_or(&self.columns, |(_, columns)| columns).clone()
    }
}

type BoxStream = tonic::codegen::BoxStream<ExecutePlanResponse>;

#[tonic::async_trait]
impl SparkConnectService for Script {
    async fn execute_plan(
        &self,
        request: Request<ExecutePlanRequest>,
    ) -> Result<Response<BoxStream>, Status> {
        let request = request.into_inner();
        let session = request.session_id.clone();
        self.state().calls.push("execute".to_owned());
        let is_command =
            matches!(request.plan.as_ref().and_then(|plan| plan.op_type.as_ref()), Some(OpType::Command(_)));
        self.state().executed.push(request);
        // What makes a view has nothing to say, and is no part of the script.
        if is_command { Ok(self.perform(&session, vec![complete()])) } else { self.play(&session) }
    }

    async fn reattach_execute(
        &self,
        request: Request<ReattachExecuteRequest>,
    ) -> Result<Response<BoxStream>, Status> {
        let request = request.into_inner();
        let after = request.last_response_id.map_or_else(String::new, |id| format!(" after {id}"));
        self.state().calls.push(format!("reattach{after}"));
        self.play(&request.session_id)
    }

    async fn release_execute(
        &self,
        request: Request<ReleaseExecuteRequest>,
    ) -> Result<Response<ReleaseExecuteResponse>, Status> {
        let request = request.into_inner();
        let call = match request.release {
            Some(Release::ReleaseUntil(until)) => format!("release until {}", until.response_id),
            Some(Release::ReleaseAll(_)) => "release all".to_owned(),
            None => "release nothing".to_owned(),
        };
        self.state().calls.push(call);
        Ok(Response::new(ReleaseExecuteResponse {
            session_id: request.session_id,
            ..ReleaseExecuteResponse::default()
        }))
    }

    async fn interrupt(
        &self,
        request: Request<InterruptRequest>,
    ) -> Result<Response<InterruptResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.calls.push("interrupt".to_owned());
        let is_heard = state.deaf_for == Some(0);
        state.deaf_for = state.deaf_for.map(|count| count.saturating_sub(1));
        let interrupted_ids = match request.interrupt {
            Some(Interrupt::OperationId(id)) if is_heard => vec![id],
            _ => Vec::new(),
        };
        Ok(Response::new(InterruptResponse {
            session_id: request.session_id,
            interrupted_ids,
            ..InterruptResponse::default()
        }))
    }

    async fn analyze_plan(
        &self,
        request: Request<AnalyzePlanRequest>,
    ) -> Result<Response<AnalyzePlanResponse>, Status> {
        let mut state = self.state();
        state.calls.push("analyze".to_owned());
        if let Some(status) = state.failures.pop_front() {
            return Err(status);
        }
        let request = request.into_inner();
        let result = match request.analyze {
            Some(Analyze::Schema(_)) if std::mem::take(&mut state.forgets) => {
                state.artifacts.clear();
                return Err(missing_rows());
            }
            Some(Analyze::Schema(question)) => {
                let columns = state.columns_of(question.plan.as_ref());
                state.analysed.extend(question.plan);
                analyze_plan_response::Result::Schema(Schema { schema: Some(columns) })
            }
            _ => analyze_plan_response::Result::SparkVersion(SparkVersion { version: state.version.clone() }),
        };
        Ok(Response::new(AnalyzePlanResponse {
            session_id: state.session(&request.session_id),
            server_side_session_id: state.server_session.clone(),
            result: Some(result),
        }))
    }

    async fn config(&self, request: Request<ConfigRequest>) -> Result<Response<ConfigResponse>, Status> {
        let mut state = self.state();
        state.calls.push("config".to_owned());
        if let Some(status) = state.failures.pop_front() {
            return Err(status);
        }
        let request = request.into_inner();
        let mut pairs = Vec::new();
        match request.operation.and_then(|operation| operation.op_type) {
            Some(Setting::GetOption(option)) => pairs.extend(
                option.keys.into_iter().map(|key| KeyValue { value: state.settings.get(&key).cloned(), key }),
            ),
            Some(Setting::Set(set)) => {
                state.settings.extend(set.pairs.into_iter().filter_map(|pair| Some((pair.key, pair.value?))));
            }
            _ => {}
        }
        Ok(Response::new(ConfigResponse {
            session_id: state.session(&request.session_id),
            server_side_session_id: state.server_session.clone(),
            pairs,
            ..ConfigResponse::default()
        }))
    }

    /// Puts artifacts together as the protocol says, and looks at every checksum.
    async fn add_artifacts(
        &self,
        request: Request<tonic::Streaming<AddArtifactsRequest>>,
    ) -> Result<Response<AddArtifactsResponse>, Status> {
        let mut requests = request.into_inner();
        let mut arrived: Vec<(String, Vec<u8>, bool)> = Vec::new();
        let mut session = String::new();
        let mut sizes = Vec::new();
        // Of the artifact that comes in chunks: how many are missing, and how many bytes it has in all.
        let mut open = (0_i64, 0_i64);
        let take = |chunk: Option<ArtifactChunk>| {
            let chunk = chunk.unwrap_or_default();
            (chunk.crc == i64::from(crc32fast::hash(&chunk.data)), chunk.data.to_vec())
        };
        while let Some(request) = requests.message().await? {
            session = request.session_id;
            match request.payload {
                Some(Payload::Chunk(chunk)) if open.0 > 0 => {
                    open.0 -= 1;
                    let (good, data) = take(Some(chunk));
                    sizes.push(data.len());
                    let last = arrived.last_mut().unwrap();
                    last.1.extend(data);
                    last.2 &= good;
                    if open.0 == 0 && i64::try_from(last.1.len()) != Ok(open.1) {
                        return Err(Status::internal("an artifact of another size than was told"));
                    }
                }
                Some(Payload::BeginChunk(begin)) if open.0 == 0 => {
                    open = (begin.num_chunks - 1, begin.total_bytes);
                    let (good, data) = take(begin.initial_chunk);
                    sizes.push(data.len());
                    arrived.push((begin.name, data, good));
                }
                Some(Payload::Batch(batch)) if open.0 == 0 => {
                    let mut size = 0;
                    for artifact in batch.artifacts {
                        let (good, data) = take(artifact.data);
                        size += data.len();
                        arrived.push((artifact.name, data, good));
                    }
                    sizes.push(size);
                }
                _ => return Err(Status::internal("a chunk where none was next")),
            }
        }
        if open.0 > 0 {
            return Err(Status::internal("an artifact with too few chunks"));
        }
        let mut state = self.state();
        state.calls.push(format!("add {} in {sizes:?}", arrived.len()));
        if let Some(status) = state.failures.pop_front() {
            return Err(status);
        }
        let mut artifacts = Vec::new();
        for (name, data, good) in arrived {
            let good = good && state.damage == 0;
            state.damage = state.damage.saturating_sub(1);
            if good {
                state.artifacts.insert(name.clone(), data);
            }
            artifacts.push(ArtifactSummary { name, is_crc_successful: good });
        }
        let session_id = state.session(&session);
        let server_side_session_id = state.server_session.clone();
        Ok(Response::new(AddArtifactsResponse { artifacts, session_id, server_side_session_id }))
    }

    async fn artifact_status(
        &self,
        request: Request<ArtifactStatusesRequest>,
    ) -> Result<Response<ArtifactStatusesResponse>, Status> {
        let request = request.into_inner();
        let mut state = self.state();
        state.calls.push("status".to_owned());
        let names: BTreeSet<String> = request.names.into_iter().collect();
        let status = |name: String| {
            let exists = state.artifacts.contains_key(&name);
            (name, ArtifactStatus { exists })
        };
        let statuses = names.into_iter().map(status).collect();
        Ok(Response::new(ArtifactStatusesResponse {
            statuses,
            session_id: state.session(&request.session_id),
            server_side_session_id: state.server_session.clone(),
        }))
    }

    async fn fetch_error_details(
        &self,
        _: Request<FetchErrorDetailsRequest>,
    ) -> Result<Response<FetchErrorDetailsResponse>, Status> {
        let mut state = self.state();
        state.calls.push("details".to_owned());
        state.details.take().map(Response::new).ok_or_else(|| Status::unimplemented("no details"))
    }
}
