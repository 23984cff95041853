//! A server for tests that does what it is told: each stream that is opened plays the next part of a script, and every call is
//! written down.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arrow::array::{Int32Array, RecordBatch};
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::connect::endpoint::Endpoint;
use crate::proto::spark::analyze_plan_response::{self, SparkVersion};
use crate::proto::spark::execute_plan_response::{ArrowBatch, ResponseType, ResultComplete};
use crate::proto::spark::release_execute_request::Release;
use crate::proto::spark::{
    AnalyzePlanRequest, AnalyzePlanResponse, ConfigRequest, ConfigResponse, DataType, ExecutePlanRequest,
    ExecutePlanResponse, FetchErrorDetailsRequest, FetchErrorDetailsResponse, InterruptRequest,
    InterruptResponse, ReattachExecuteRequest, ReleaseExecuteRequest, ReleaseExecuteResponse,
};

#[expect(
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::allow_attributes,
    clippy::clone_on_ref_ptr,
    reason = "generated code"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/server/spark.connect.rs"));
}

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

#[derive(Default)]
struct State {
    streams: VecDeque<Result<Vec<Step>, Status>>,
    failures: VecDeque<Status>,
    details: Option<FetchErrorDetailsResponse>,
    server_session: String,
    wrong_session: bool,
    executed: Vec<ExecutePlanRequest>,
    calls: Vec<String>,
}

/// A running server, gone when dropped.
pub(crate) struct Scripted {
    pub(crate) script: Script,
    pub(crate) endpoint: Endpoint,
    _server: JoinSet<()>,
}

/// A wire that can be cut.
pub(crate) struct Wire {
    pub(crate) endpoint: Endpoint,
    cuts: watch::Sender<u32>,
    _connections: JoinSet<()>,
}

/// Rows `from..to` as one response, under this id.
pub(crate) fn rows(id: &str, from: i32, to: i32) -> Step {
    Step::Send(Box::new(rows_response(id, from, to)))
}

/// The same in two responses, `ID-0` and `ID-1`.
pub(crate) fn halves(id: &str, from: i32, to: i32) -> [Step; 2] {
    let whole = rows_response(id, from, to);
    let Some(ResponseType::ArrowBatch(batch)) = whole.response_type.clone() else {
        panic!("rows are a batch");
    };
    let middle = batch.data.len() / 2;
    [(0, ..middle), (1, ..batch.data.len())].map(|(index, end)| {
        let start = if index == 0 { 0 } else { middle };
        let piece = ArrowBatch {
            data: batch.data.slice(start..end.end),
            chunk_index: Some(index),
            num_chunks_in_batch: Some(2),
            ..batch.clone()
        };
        Step::Send(Box::new(ExecutePlanResponse {
            response_id: format!("{id}-{index}"),
            response_type: Some(ResponseType::ArrowBatch(piece)),
            ..whole.clone()
        }))
    })
}

pub(crate) fn schema(id: &str) -> Step {
    send(id, ExecutePlanResponse { schema: Some(DataType::default()), ..ExecutePlanResponse::default() })
}

pub(crate) fn complete() -> Step {
    let response_type = Some(ResponseType::ResultComplete(ResultComplete {}));
    send("last", ExecutePlanResponse { response_type, ..ExecutePlanResponse::default() })
}

fn send(id: &str, response: ExecutePlanResponse) -> Step {
    Step::Send(Box::new(ExecutePlanResponse { response_id: id.to_owned(), ..response }))
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

fn rows_response(id: &str, from: i32, to: i32) -> ExecutePlanResponse {
    let numbers = Int32Array::from_iter_values(from..to);
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as _)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let piece = ArrowBatch {
        row_count: i64::from(to - from),
        data: Bytes::from(writer.into_inner().unwrap()),
        start_offset: Some(i64::from(from)),
        ..ArrowBatch::default()
    };
    ExecutePlanResponse {
        response_id: id.to_owned(),
        response_type: Some(ResponseType::ArrowBatch(piece)),
        ..ExecutePlanResponse::default()
    }
}

impl Script {
    /// Serves from now on; needs a runtime.
    pub(crate) async fn serve(self) -> Scripted {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let endpoint = Endpoint::loopback(listener.local_addr().unwrap().port(), None);
        let service = SparkConnectServiceServer::new(self.clone());
        let mut server = JoinSet::new();
        server.spawn(async move {
            Server::builder().serve_with_incoming(service, TcpIncoming::from(listener)).await.unwrap();
        });
        Scripted { script: self, endpoint, _server: server }
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

    /// Answers in another session than it is asked in.
    pub(crate) fn confuse_sessions(&self) {
        self.state().wrong_session = true;
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

    fn play(&self, session: &str) -> Result<Response<BoxStream>, Status> {
        let mut state = self.state();
        let steps =
            state.streams.pop_front().unwrap_or_else(|| Err(Status::internal("the script is over")))?;
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
        Ok(Response::new(Box::pin(tokio_stream::StreamExt::filter_map(stream, |item| item))))
    }
}

impl State {
    fn session(&self, asked: &str) -> String {
        if self.wrong_session { "another".to_owned() } else { asked.to_owned() }
    }
}

impl Scripted {
    /// A connection to this server that can be cut.
    pub(crate) async fn wire(&self) -> Wire {
        self.wire_at(0).await
    }

    /// The same from a port that another wire has had.
    pub(crate) async fn wire_at(&self, port: u16) -> Wire {
        let target = (Ipv4Addr::LOCALHOST, self.endpoint.port());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let endpoint = Endpoint::loopback(listener.local_addr().unwrap().port(), None);
        let cuts = watch::Sender::new(0);
        let cut = cuts.subscribe();
        let mut wire = JoinSet::new();
        wire.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = TcpStream::connect(target).await.unwrap();
                let mut cut = cut.clone();
                cut.mark_unchanged();
                connections.spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => (),
                        _ = cut.changed() => (),
                    }
                });
            }
        });
        Wire { endpoint, cuts, _connections: wire }
    }
}

impl Wire {
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
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
        self.state().executed.push(request);
        self.play(&session)
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
        self.state().calls.push("interrupt".to_owned());
        Ok(Response::new(InterruptResponse {
            session_id: request.session_id,
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
        Ok(Response::new(AnalyzePlanResponse {
            session_id: state.session(&request.into_inner().session_id),
            server_side_session_id: state.server_session.clone(),
            result: Some(analyze_plan_response::Result::SparkVersion(SparkVersion {
                version: "4.3.0".to_owned(),
            })),
        }))
    }

    async fn config(&self, request: Request<ConfigRequest>) -> Result<Response<ConfigResponse>, Status> {
        let mut state = self.state();
        state.calls.push("config".to_owned());
        if let Some(status) = state.failures.pop_front() {
            return Err(status);
        }
        Ok(Response::new(ConfigResponse {
            session_id: state.session(&request.into_inner().session_id),
            server_side_session_id: state.server_session.clone(),
            ..ConfigResponse::default()
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
