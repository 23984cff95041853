//! One execution at the server, read through as many streams as it takes.
//!
//! The result is complete when the server says so, and never because a stream has ended: servers end streams on purpose, and
//! networks by accident. Then the stream is taken up again after the last response that was seen. An execution is sent again
//! only where the server says that it never knew it, under the same id, so that nothing runs twice.
//!
//! What was read is released in the background, the latest response at most twice a second: some servers end the sessions of
//! clients that only listen. What is not read to its end is interrupted and released when the [`Execution`] is dropped.
//!
//! Sail keeps no more than 128 responses for a reattach, whatever their size, forgets those that do not fit, and goes on with the
//! next one that it has. So there the response before the last one is named: what comes first has to be the last one again.
//!
//! [`Execution::next`] may be dropped at any point and called again: each call under way is kept here.

use std::convert::Infallible;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::connect::error::{Error, Handle};
use crate::connect::retry::{Retry, Verdict, verdict, was_never_sent};
use crate::connect::session::check;
use crate::connect::session::compression::{Packed, is_refusal};
use crate::connect::session::{Call, Interrupted, OperationId, Session, Tag, pause};
use crate::connect::transport::channel::Held;
use crate::proto::spark::execute_plan_request::{RequestOption, request_option};
use crate::proto::spark::execute_plan_response::ResponseType;
use crate::proto::spark::interrupt_request::{Interrupt, InterruptType};
use crate::proto::spark::plan::OpType;
use crate::proto::spark::plan::compressed_operation::OpType as Kind;
use crate::proto::spark::release_execute_request::{Release, ReleaseAll, ReleaseUntil};
use crate::proto::spark::{
    ExecutePlanRequest, ExecutePlanResponse, InterruptRequest, Plan, ReattachExecuteRequest, ReattachOptions,
    ReleaseExecuteRequest, ResultChunkingOptions,
};

/// A stream that ends this soon after it was opened, with nothing in it, was not ended for its age. Servers end them after two
/// minutes, unless they are set up otherwise.
const AGE: Duration = Duration::from_secs(2);
const RELEASE_PAUSE: Duration = Duration::from_millis(500);
const RELEASE_LIMIT: Duration = Duration::from_secs(10);
const RELEASE_BUDGET: Duration = Duration::from_secs(5);

type Opening = Pin<Box<dyn Future<Output = Result<Response<Streaming<ExecutePlanResponse>>, Status>> + Send>>;
type Packing = Pin<Box<dyn Future<Output = Result<Packed, Error>> + Send>>;
type Ending = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Failing = Pin<Box<dyn Future<Output = Error> + Send>>;

pub(crate) struct Execution {
    session: Arc<Session>,
    request: ExecutePlanRequest,
    /// The plan as it was before it was compressed, until the server has understood it.
    original: Option<Plan>,
    operation: OperationId,
    tags: Vec<Tag>,
    state: State,
    last_response: Option<String>,
    response_before: Option<String>,
    /// Whether the next response has to be the last one again.
    overlaps: bool,
    has_rows: bool,
    failures: Failures,
    interrupts_before: usize,
    done_with: watch::Sender<Done>,
}

enum State {
    Packing(Packing),
    Next(Attach),
    Opening(Attach, Opening, Held),
    Reading(Box<Streaming<ExecutePlanResponse>>, Held),
    Waiting(Attach, Pin<Box<Sleep>>),
    /// All of the result is here; whether it is one result is still to be found out.
    Ending(Ending),
    Failing(Failing),
    Over,
}

/// How a stream is had.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Attach {
    Execute,
    /// Once more, where the session is still the same.
    Again,
    Reattach,
}

/// What went wrong since the last response.
struct Failures {
    since: Option<Instant>,
    retry: Retry,
    /// When the last stream was asked for, and whether one has ended early and empty. A server that has nothing to say may
    /// keep even the beginning of its answer until the stream ends.
    opened: Instant,
    excused: bool,
}

/// What the server need not keep any longer.
#[derive(Clone, Debug, PartialEq)]
enum Done {
    Nothing,
    Until(String),
    All,
    /// All of it, and it may still be running.
    Abandoned,
}

impl Execution {
    pub(crate) fn new(session: Arc<Session>, plan: Plan, tags: &[Tag], operation: OperationId) -> Self {
        let (session_id, user_context, client_type) = session.identity();
        let option = |option| RequestOption { request_option: Some(option) };
        let request = ExecutePlanRequest {
            session_id,
            user_context,
            plan: None,
            client_type,
            request_options: vec![
                option(request_option::RequestOption::ReattachOptions(ReattachOptions {
                    reattachable: true,
                })),
                option(request_option::RequestOption::ResultChunkingOptions(ResultChunkingOptions {
                    allow_arrow_batch_chunking: true,
                    preferred_arrow_chunk_size: None,
                })),
            ],
            operation_id: Some(operation.to_string()),
            tags: tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
            client_observed_server_side_session_id: None,
        };
        Self {
            request,
            original: None,
            operation,
            tags: tags.to_vec(),
            state: packing(Arc::clone(&session), plan),
            last_response: None,
            response_before: None,
            overlaps: false,
            has_rows: false,
            failures: Failures::none(session.patience.budget),
            interrupts_before: session.interrupts_so_far(),
            done_with: watch::Sender::new(Done::Nothing),
            session,
        }
    }

    /// The next response, or nothing once the server has said that there are no more.
    pub(crate) async fn next(&mut self) -> Result<Option<ExecutePlanResponse>, Error> {
        let silence = self.session.patience.silence;
        loop {
            self.attach().await;
            match &mut self.state {
                State::Reading(stream, held) => {
                    let read = tokio::select! {
                        biased;
                        read = timeout(silence, stream.message()) => read,
                        status = held.replaced() => Ok(Err(status)),
                    };
                    match read {
                        Ok(Ok(Some(response))) => {
                            if let Some(response) = self.accept(response)? {
                                return Ok(Some(response));
                            }
                        }
                        Ok(Ok(None)) => self.ended(),
                        Ok(Err(status)) => self.failed(status, Attach::Reattach),
                        Err(_) => self.failed(silent(silence), Attach::Reattach),
                    }
                }
                State::Ending(ending) => {
                    let ending = ending.await;
                    self.state = State::Over;
                    ending?;
                }
                State::Failing(error) => {
                    let error = error.await;
                    self.state = State::Over;
                    return Err(error);
                }
                State::Over => return Ok(None),
                State::Packing(_) | State::Next(_) | State::Opening(..) | State::Waiting(..) => {}
            }
        }
    }

    /// Takes the plan as it is to be sent, unless the server would not take it.
    fn packed(&mut self, packed: Result<Packed, Error>) -> Result<(), Error> {
        let Packed { plan, original } = packed?;
        self.request.plan = Some(plan);
        self.request.client_observed_server_side_session_id = self.session.observed();
        self.session.packing.fits(self.request.encoded_len())?;
        self.original = original;
        Ok(())
    }

    /// Keeps the execution alive while nobody asks for the next response. Servers end a stream after two minutes, which is not
    /// seen before all on it is read, and abandon what no stream is attached to: so the stream is opened anew from time to time.
    pub(crate) async fn keep(&mut self) -> Infallible {
        loop {
            self.attach().await;
            // Sail abandons nothing as long as its session lives.
            if !matches!(self.state, State::Reading(..)) || self.session.is_namesake() {
                return std::future::pending().await;
            }
            sleep_until(self.failures.opened + self.session.patience.fresh).await;
            self.state = State::Next(Attach::Reattach);
        }
    }

    /// Has a stream, unless there is none to be had.
    async fn attach(&mut self) {
        let silence = self.session.patience.silence;
        loop {
            match &mut self.state {
                State::Packing(packing) => {
                    let packed = packing.await;
                    self.state = match self.packed(packed) {
                        Ok(()) => State::Next(Attach::Execute),
                        Err(error) => State::Failing(Box::pin(async move { error })),
                    };
                }
                State::Next(attach) => {
                    let attach = *attach;
                    self.state = self.open(attach);
                }
                State::Opening(attach, opening, held) => {
                    let attach = *attach;
                    let opened = tokio::select! {
                        biased;
                        opened = timeout(silence, opening) => opened,
                        status = held.replaced() => Ok(Err(status)),
                    };
                    match opened {
                        Ok(Ok(stream)) => self.opened(stream.into_inner()),
                        Ok(Err(status)) => self.failed(status, attach),
                        Err(_) => self.failed(silent(silence), attach),
                    }
                }
                State::Waiting(attach, pause) => {
                    pause.await;
                    self.state = State::Next(*attach);
                }
                State::Reading(..) | State::Ending(_) | State::Failing(_) | State::Over => return,
            }
        }
    }

    fn open(&mut self, attach: Attach) -> State {
        self.failures.opened = Instant::now();
        let held = self.session.line.hold();
        let mut stub = self.session.stub(&held);
        let opening: Opening = match attach {
            Attach::Execute | Attach::Again => {
                self.overlaps = false;
                self.request.client_observed_server_side_session_id = self.session.observed();
                let request = self.session.request(self.request.clone());
                if self.done_with.receiver_count() == 0 {
                    let releases =
                        release(Arc::clone(&self.session), self.operation, self.done_with.subscribe());
                    self.session.in_background(releases);
                }
                let session = Arc::clone(&self.session);
                Box::pin(async move {
                    if attach == Attach::Again {
                        check::hear(&session).await.map_err(|error| unheard(&error))?;
                    }
                    stub.execute_plan(request).await
                })
            }
            Attach::Reattach => {
                self.overlaps = self.session.is_namesake();
                let (session_id, user_context, client_type) = self.session.identity();
                let request: Request<_> = self.session.request(ReattachExecuteRequest {
                    session_id,
                    user_context,
                    operation_id: self.operation.to_string(),
                    client_type,
                    last_response_id: self.cursor().cloned(),
                    client_observed_server_side_session_id: self.session.observed(),
                });
                Box::pin(async move { stub.reattach_execute(request).await })
            }
        };
        State::Opening(attach, opening, held)
    }

    fn opened(&mut self, stream: Streaming<ExecutePlanResponse>) {
        let state = mem::replace(&mut self.state, State::Over);
        if let State::Opening(_, _, held) = state {
            self.state = State::Reading(Box::new(stream), held);
        }
    }

    /// Which response is the last one that the server need not send again.
    fn cursor(&self) -> Option<&String> {
        if self.session.is_namesake() { self.response_before.as_ref() } else { self.last_response.as_ref() }
    }

    /// Whether a stream that was taken up again goes on without a gap, by its first response.
    fn fits(&self, response: &ExecutePlanResponse) -> bool {
        match &self.last_response {
            Some(last) => *last == response.response_id,
            // Rows come after their schema.
            None => !matches!(response.response_type, Some(ResponseType::ArrowBatch(_))),
        }
    }

    /// Takes a response, unless it has been here before.
    fn accept(&mut self, response: ExecutePlanResponse) -> Result<Option<ExecutePlanResponse>, Error> {
        if let Err(error) = self.session.check(&response) {
            self.end(Done::Abandoned);
            return Err(error);
        }
        self.session.answers();
        if mem::take(&mut self.overlaps) {
            if !self.fits(&response) {
                self.end(Done::Abandoned);
                let reason = "it no longer has what was on its way when the connection broke".to_owned();
                return Err(Error::OperationLost { reason });
            }
            if self.last_response.is_some() {
                return Ok(None);
            }
        }
        self.failures = Failures::none(self.session.patience.budget);
        self.original = None;
        self.has_rows |= matches!(response.response_type, Some(ResponseType::ArrowBatch(_)));
        let complete = matches!(response.response_type, Some(ResponseType::ResultComplete(_)));
        if complete {
            self.end(Done::All);
            let session = Arc::clone(&self.session);
            self.state = State::Ending(Box::pin(async move { check::hear(&session).await }));
        } else if !response.response_id.is_empty() {
            self.response_before = self.last_response.replace(response.response_id.clone());
            if let Some(cursor) = self.cursor().cloned() {
                self.done_with.send_replace(Done::Until(cursor));
            }
        }
        Ok(Some(response))
    }

    /// A stream has ended without an error and without the word that the result is complete.
    fn ended(&mut self) {
        if self.was_interrupted() {
            return self.fail(Error::Cancelled);
        }
        if self.failures.opened.elapsed() >= AGE {
            self.failures = Failures::none(self.session.patience.budget);
            self.state = State::Next(Attach::Reattach);
            return;
        }
        if self.last_response.is_some() && !mem::replace(&mut self.failures.excused, true) {
            self.state = State::Next(Attach::Reattach);
            return;
        }
        // A server that keeps ending streams with nothing in them is one that fails.
        self.failed(Status::unavailable("its streams end without a result"), Attach::Reattach);
    }

    fn failed(&mut self, status: Status, attach: Attach) {
        if is_refusal(Some(status.code()), status.message())
            && let Some(plan) = self.original.take()
        {
            // Nothing was begun, so the same operation may begin now.
            self.session.packing.stop_compressing();
            self.state = packing(Arc::clone(&self.session), plan);
            return;
        }
        let started = self.last_response.is_some();
        let handle = Handle::read(&status);
        if handle != Handle::Other && handle != Handle::SessionGone && self.was_interrupted() {
            return self.fail(Error::Cancelled);
        }
        let since = *self.failures.since.get_or_insert_with(Instant::now);
        let (wait, next) = if handle == Handle::OperationUnknown && !started {
            // The request was lost on its way. Under its old id this server runs it once at most.
            (self.failures.retry.wait(None, since.elapsed(), 0.0), Attach::Execute)
        } else if self.may_begin_again(handle) {
            (self.last_response, self.response_before) = (None, None);
            (self.failures.retry.wait(None, since.elapsed(), 0.0), Attach::Again)
        } else {
            let unsent = attach != Attach::Reattach && was_never_sent(&status);
            let next = if unsent { attach } else { Attach::Reattach };
            (pause(&mut self.failures.retry, &status, since), next)
        };
        if let Some(wait) = wait {
            self.session.does_not_answer(&status);
            self.state = State::Waiting(next, Box::pin(sleep(wait)));
            return;
        }
        let session = Arc::clone(&self.session);
        let over = handle != Handle::SessionGone && verdict(&status) == Verdict::Final;
        self.end(if over { Done::All } else { Done::Abandoned });
        self.state = State::Failing(Box::pin(async move { session.explain(status).await }));
    }

    fn fail(&mut self, error: Error) {
        self.end(Done::All);
        self.state = State::Failing(Box::pin(async move { error }));
    }

    /// Whether Sail has lost the request, or the whole result, of a query.
    fn may_begin_again(&self, handle: Handle) -> bool {
        matches!(handle, Handle::OperationGone | Handle::OperationSent)
            && self.session.is_namesake()
            && self.reads()
            && !self.has_rows
    }

    /// Whether this is a query: nothing is different after one, so it may run twice.
    fn reads(&self) -> bool {
        match self.request.plan.as_ref().and_then(|plan| plan.op_type.as_ref()) {
            Some(OpType::Root(_)) => true,
            Some(OpType::CompressedOperation(operation)) => operation.op_type() == Kind::Relation,
            Some(OpType::Command(_)) | None => false,
        }
    }

    fn was_interrupted(&self) -> bool {
        self.session.was_interrupted(self.interrupts_before, self.operation, &self.tags)
    }

    fn end(&mut self, done: Done) {
        self.done_with.send_replace(done);
        self.state = State::Over;
    }
}

fn packing(session: Arc<Session>, plan: Plan) -> State {
    State::Packing(Box::pin(async move { session.packing.pack(plan).await }))
}

impl Drop for Execution {
    fn drop(&mut self) {
        if !matches!(
            mem::replace(&mut self.state, State::Over),
            State::Over | State::Ending(_) | State::Failing(_)
        ) {
            self.done_with.send_replace(Done::Abandoned);
        }
    }
}

impl Failures {
    fn none(budget: Duration) -> Self {
        Self { since: None, retry: Retry::new(budget), opened: Instant::now(), excused: false }
    }
}

/// Why the session was not found to be the same, as a server would put it.
fn unheard(error: &Error) -> Status {
    match error {
        Error::SessionLost { reason } => {
            Status::internal(format!("[INVALID_HANDLE.SESSION_CHANGED] {reason}"))
        }
        error => Status::unavailable(error.to_string()),
    }
}

/// Servers send something every few seconds, or end the stream every two minutes: this connection is dead.
fn silent(limit: Duration) -> Status {
    Status::new(Code::Unavailable, format!("it has said nothing for {} s", limit.as_secs()))
}

/// Tells the server what it need not keep, the latest only, until it need not keep anything.
async fn release(session: Arc<Session>, operation: OperationId, mut done_with: watch::Receiver<Done>) {
    while done_with.changed().await.is_ok() {
        let done = done_with.borrow_and_update().clone();
        let what = match done {
            Done::Nothing => continue,
            Done::Until(response_id) => Release::ReleaseUntil(ReleaseUntil { response_id }),
            Done::All => Release::ReleaseAll(ReleaseAll {}),
            Done::Abandoned => {
                // Not every server stops what is released.
                interrupt(&session, &Interrupted::Operation(operation)).await.ok();
                Release::ReleaseAll(ReleaseAll {})
            }
        };
        let last = matches!(what, Release::ReleaseAll(_));
        let (session_id, user_context, client_type) = session.identity();
        let question = ReleaseExecuteRequest {
            session_id,
            user_context,
            operation_id: operation.to_string(),
            client_type,
            client_observed_server_side_session_id: session.observed(),
            release: Some(what),
        };
        let call = Call { name: "ReleaseExecute", limit: RELEASE_LIMIT, budget: RELEASE_BUDGET };
        // What can not be released is released by the server itself, in time.
        session
            .call(call, question, async |mut stub, question| stub.release_execute(question).await)
            .await
            .ok();
        if last {
            return;
        }
        // The end of the result does not wait.
        let over = done_with.wait_for(|done| matches!(done, Done::All | Done::Abandoned));
        let over = timeout(RELEASE_PAUSE, over).await.is_ok_and(|over| over.is_ok());
        if over {
            done_with.mark_changed();
        }
    }
}

/// Asks the server to stop something, and has it known here before the streams can end.
pub(crate) async fn interrupt(session: &Session, what: &Interrupted) -> Result<Vec<String>, Error> {
    let (session_id, user_context, client_type) = session.identity();
    let (kind, interrupt) = match what {
        Interrupted::Tag(tag) => (InterruptType::Tag, Some(Interrupt::OperationTag(tag.as_str().to_owned()))),
        Interrupted::Operation(id) => {
            (InterruptType::OperationId, Some(Interrupt::OperationId(id.to_string())))
        }
    };
    let question = InterruptRequest {
        session_id,
        user_context,
        client_type,
        interrupt_type: kind.into(),
        client_observed_server_side_session_id: session.observed(),
        interrupt,
    };
    session.log_interrupt(what.clone());
    let call = Call { name: "Interrupt", limit: RELEASE_LIMIT, budget: RELEASE_BUDGET };
    let answer =
        session.call(call, question, async |mut stub, question| stub.interrupt(question).await).await?;
    Ok(answer.interrupted_ids)
}

#[cfg(test)]
mod tests;
