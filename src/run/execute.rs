//! Drives the actions of a plan: asks the schedule what is next, awaits what it started, tells what happened.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::schedule::{Decision, Happened, Node, OnFailure, Schedule};
use super::write::{self, Target};
use super::{Error, Unmet, expectation};
use crate::backend::upload;
use crate::connect::{self, Client, CommandResult, OperationId, ResponseStream, Tag};
use crate::duration::Limit;
use crate::expect::OnFail;
use crate::pipeline::Pipeline;
use crate::plan::{Action, ActionId, Plan, Work};
use crate::proto::command;
use crate::proto::relation::cached_remote_relation;
use crate::proto::spark::{Command, Plan as Message, Relation};
use crate::record::{Event, Failed, Label, Outcome, Sender, chain};
use crate::sink::{Sink, Stores};

/// How a run goes about it.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) run_id: String,
    pub(crate) threads: usize,
    pub(crate) on_failure: OnFailure,
    /// The way to outputs in object stores.
    pub(crate) stores: Stores,
}

/// How long an interruption may take before it is given up.
const INTERRUPT_LIMIT: Duration = Duration::from_secs(5);
/// How long until what the server did not know of is interrupted once more: its execution may have been on its way.
const ONCE_MORE: Duration = Duration::from_millis(250);

/// Carries out the plan; cancelling `stop` interrupts it. An error where the session was lost before anything was received or
/// written: then nothing has happened, and all may begin again in another session.
pub(crate) async fn execute(
    client: &Client,
    pipeline: &Arc<Pipeline>,
    plan: &Arc<Plan>,
    settings: &Settings,
    events: &Sender,
    stop: &CancellationToken,
) -> Result<(), connect::Error> {
    events.send(Event::Began { pipeline: pipeline.name.clone(), actions: plan.actions.len() });
    for step in without_effect(pipeline, plan) {
        events.send(Event::Note(format!(
            "the `timeout` of `{step}` has no effect: it is worked out in the queries of the steps that read it; give them one"
        )));
    }
    let nodes = plan.actions.iter().map(node).collect();
    let mut schedule = Schedule::new(nodes, settings.threads, settings.on_failure);
    let stop_running = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let mut started: HashMap<usize, Instant> = HashMap::new();
    let mut decisions = schedule.on(Happened::Begin);
    let mut interrupted = false;
    let received = Received::default();
    loop {
        for decision in decisions.drain(..) {
            match decision {
                Decision::Start(at) => {
                    let label = label(pipeline, plan, at);
                    started.insert(at, Instant::now());
                    events.send(Event::Started(label.clone()));
                    let task = Task {
                        client: client.clone(),
                        pipeline: Arc::clone(pipeline),
                        plan: Arc::clone(plan),
                        events: events.clone(),
                        stop: stop_running.child_token(),
                        stores: settings.stores.clone(),
                        received: received.clone(),
                        tags: vec![tag(&settings.run_id), Tag::new(&format!("pipectl-step-{}", label.step))],
                        label,
                    };
                    tasks.spawn(task.perform(ActionId(at)));
                }
                Decision::Skip { action, because } => {
                    let because = because.map(|id| label(pipeline, plan, id));
                    let because = because.map_or_else(
                        || "the run was stopped".to_owned(),
                        |other| match other.action {
                            "expect" => format!("`{}` does not meet its expectations", other.step),
                            _ => format!("`{}` did not succeed", other.step),
                        },
                    );
                    let action = label(pipeline, plan, action);
                    let outcome = Outcome::Skipped { because };
                    events.send(Event::Ended { action, outcome, took: Duration::ZERO });
                }
                Decision::Interrupt => stop_running.cancel(),
            }
        }
        if schedule.is_over() {
            return Ok(());
        }
        let ended = tokio::select! {
            () = stop.cancelled(), if !interrupted => {
                interrupted = true;
                decisions = schedule.on(Happened::Interrupt);
                continue;
            }
            ended = tasks.join_next() => ended,
        };
        let Some(ended) = ended else { return Ok(()) };
        let (ActionId(at), ended) = joined(ended);
        let outcome = match ended {
            Ended::As(outcome) => outcome,
            Ended::Lost(error) if interrupted || received.is_anything() => failed(error.into()),
            Ended::Lost(error) => {
                // Nobody is told of the rest: as far as anybody knows it was never begun.
                stop_running.cancel();
                while tasks.join_next().await.map(joined).is_some() {}
                return Err(error);
            }
        };
        let succeeded = matches!(outcome, Outcome::Succeeded { .. });
        let took = started.get(&at).map(Instant::elapsed).unwrap_or_default();
        events.send(Event::Ended { action: label(pipeline, plan, at), outcome, took });
        decisions = schedule.on(if succeeded { Happened::Succeeded(at) } else { Happened::Failed(at) });
    }
}

fn joined(ended: Result<(ActionId, Ended), JoinError>) -> (ActionId, Ended) {
    // A panic of a task is a bug of pipectl's; let it be seen as one.
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn failed(error: Error) -> Outcome {
    let message = chain(&error);
    let hint = match &error {
        Error::Engine(engine) => engine.hint().or_else(|| advice(engine)).map(str::to_owned),
        _ => None,
    };
    let engine_lost = matches!(&error, Error::Engine(error) if error.is_unreachable());
    let said = match error {
        Error::Engine(connect::Error::Server(said)) => Some(said),
        _ => None,
    };
    Outcome::Failed(Failed { message, said, hint, engine_lost })
}

/// The steps whose `timeout` nothing keeps, since they have no query of their own.
fn without_effect<'p>(pipeline: &'p Pipeline, plan: &Plan) -> impl Iterator<Item = &'p str> {
    // Who looks at a step is not told how others are worked out.
    let is_run = plan.shown().is_none();
    let works = |id| plan.actions.iter().any(|it| it.step == id && !matches!(it.work, Work::View { .. }));
    let steps = plan.steps.iter().filter(move |id| is_run && !works(**id)).map(|id| pipeline.step(*id));
    steps.filter(|step| step.timeout.is_some()).map(|step| step.name.value.as_str())
}

/// The word by which all executions of a run can be interrupted.
pub(crate) fn tag(run_id: &str) -> Tag {
    Tag::new(&format!("pipectl-run-{run_id}"))
}

fn node(action: &Action) -> Node {
    let numbers = |ids: &[ActionId]| ids.iter().map(|id| id.0).collect();
    Node { needs: numbers(&action.needs), after: numbers(&action.after) }
}

fn label(pipeline: &Pipeline, plan: &Plan, at: usize) -> Label {
    let action = plan.action(ActionId(at));
    let name = match action.work {
        Work::View { .. } => "view",
        Work::Store { .. } => "store",
        Work::Expect { .. } => "expect",
        Work::Write { .. } => "write",
        Work::Show { .. } => "show",
    };
    Label { id: at, step: pipeline.step(action.step).name.to_string(), action: name }
}

/// Whether anything of a result has come, in any action of a run: from then on no other session can go on in its place.
#[derive(Debug, Clone, Default)]
pub(super) struct Received(Arc<AtomicBool>);

impl Received {
    pub(super) fn something(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_anything(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a task ended.
enum Ended {
    As(Outcome),
    /// With its session.
    Lost(connect::Error),
}

/// One action on its way.
struct Task {
    client: Client,
    pipeline: Arc<Pipeline>,
    plan: Arc<Plan>,
    events: Sender,
    stop: CancellationToken,
    stores: Stores,
    received: Received,
    tags: Vec<Tag>,
    label: Label,
}

impl Task {
    async fn perform(self, id: ActionId) -> (ActionId, Ended) {
        let plan = Arc::clone(&self.plan);
        let action = plan.action(id);
        let limit = self.pipeline.step(action.step).timeout;
        let mut result = self.within(limit, action).await;
        if matches!(&result, Err(Error::Engine(error)) if error.is_missing_rows()) {
            // Nothing was begun: a plan without its rows is none.
            result = match upload::rows(&self.client, &plan).await {
                Ok(_) => self.within(limit, action).await,
                Err(error) => Err(error.into()),
            };
        }
        (id, how(result, self.stop.is_cancelled()))
    }

    /// Carries an action out for as long as its step may take, and stops it then.
    async fn within(&self, limit: Option<Limit>, action: &Action) -> Result<Outcome, Error> {
        let Some(limit) = limit else { return self.carry_out(action).await };
        let mut work = Box::pin(self.carry_out(action));
        tokio::select! {
            biased;
            result = &mut work => return result,
            () = sleep(limit.into()) => {}
        }
        // The run itself may be stopping; then this is no matter of the step's.
        let is_first = !self.stop.is_cancelled();
        self.stop.cancel();
        match work.await {
            Err(error) if is_first && error.is_interruption() => Err(Error::Overdue(limit)),
            result => result,
        }
    }

    async fn carry_out(&self, action: &Action) -> Result<Outcome, Error> {
        let relation = action.relation.clone();
        let done = Outcome::Succeeded { rows: None, outputs: Vec::new() };
        match &action.work {
            Work::View { name } => {
                self.command(command::create_view(relation, name.clone())).await?;
                Ok(done)
            }
            Work::Store { name } => {
                self.store(relation, name).await?;
                Ok(done)
            }
            Work::Expect { violations } => {
                let row = self.row(relation).await?;
                self.received.something();
                let unmet = expectation::verdicts(&row, violations);
                for verdict in &unmet {
                    self.events.send(Event::Unmet { action: self.label.clone(), verdict: verdict.clone() });
                }
                let (failed, _): (Vec<_>, Vec<_>) =
                    unmet.into_iter().partition(|one| one.on_fail == OnFail::Fail);
                if failed.is_empty() { Ok(done) } else { Err(Error::Expectation(Unmet(failed))) }
            }
            Work::Write { sinks } => {
                let step = self.pipeline.step(action.step);
                let sinks = sinks.iter().map(|at| step.sinks[*at].value.clone());
                self.write(relation, sinks.collect(), step.folder()).await
            }
            Work::Show { stdout, .. } => {
                let folder = self.pipeline.step(action.step).folder();
                self.write(relation, vec![Sink::Stdout(stdout.clone())], folder).await
            }
        }
    }

    /// Streams the rows of a relation into these outputs.
    async fn write(&self, relation: Relation, sinks: Vec<Sink>, folder: &Path) -> Result<Outcome, Error> {
        let target = Target {
            sinks,
            folder: folder.to_path_buf(),
            stores: self.stores.clone(),
            received: self.received.clone(),
        };
        let operation = OperationId::new();
        let mut stream = self.client.execute(Message::from(relation), &self.tags, operation);
        let result = write::stream(&mut stream, target, &self.label, &self.events, &self.stop).await;
        if matches!(result, Err(Error::Interrupted)) {
            self.interrupt(operation, stream).await;
        }
        result
    }

    /// Works rows out once and gives them a name. An engine that keeps none works them out for each reader.
    async fn store(&self, relation: Relation, name: &str) -> Result<(), Error> {
        let kept = match self.command(command::local_checkpoint(relation.clone(), None)).await {
            Ok(Some(CommandResult::Checkpoint(id))) => cached_remote_relation(id),
            Ok(_) => relation,
            Err(Error::Engine(connect::Error::Server(error)))
                if error.message.to_lowercase().contains("checkpoint") =>
            {
                self.events.send(Event::Note(format!(
                    "the engine keeps no rows ({}), so `{}` is worked out for each of its readers",
                    error.message, self.label.step
                )));
                relation
            }
            Err(error) => return Err(error),
        };
        self.command(command::create_view(kept, name.to_owned())).await.map(drop)
    }

    async fn command(&self, command: Command) -> Result<Option<CommandResult>, Error> {
        let mut result = None;
        self.each(Message::from(command), |event| {
            if let connect::Event::CommandResult(answer) = event {
                result = Some(answer);
            }
        })
        .await?;
        Ok(result)
    }

    /// The rows of a relation that has few.
    async fn row(&self, relation: Relation) -> Result<RecordBatch, Error> {
        let mut row = None;
        self.each(Message::from(relation), |event| {
            if let connect::Event::Batch(batch) = event
                && batch.num_rows() > 0
            {
                row = Some(batch);
            }
        })
        .await?;
        row.ok_or_else(|| connect::Error::Protocol("an aggregate without keys has no row".to_owned()).into())
    }

    async fn each(&self, message: Message, mut take: impl FnMut(connect::Event)) -> Result<(), Error> {
        let operation = OperationId::new();
        let mut stream = self.client.execute(message, &self.tags, operation);
        loop {
            let event = tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    self.interrupt(operation, stream).await;
                    return Err(Error::Interrupted);
                }
                event = stream.next() => event?,
            };
            match event {
                Some(connect::Event::Progress(progress)) => {
                    self.events.send(Event::Tasks { action: self.label.clone(), tasks: progress.into() });
                }
                Some(event) => take(event),
                None => return Ok(()),
            }
        }
    }

    /// The server is not left computing for nobody: it says that it has stopped, or the user is told that it has not.
    async fn interrupt(&self, operation: OperationId, mut stream: ResponseStream) {
        if !stream.is_begun() {
            return;
        }
        let why = match timeout(INTERRUPT_LIMIT, self.stopped(operation, &mut stream)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the engine has not confirmed it within {} s", INTERRUPT_LIMIT.as_secs()),
        };
        let tag = self.tags.first().map(Tag::as_str).unwrap_or_default();
        self.events.send(Event::Note(format!(
            "the query of `{}` may still be running at the engine: {why}; look there for the operation {operation} with the tag \
             `{tag}`",
            self.label.step
        )));
    }

    /// Stops an execution and waits until it has stopped: until the engine names it, or its stream ends.
    async fn stopped(
        &self,
        operation: OperationId,
        stream: &mut ResponseStream,
    ) -> Result<(), connect::Error> {
        let name = operation.to_string();
        loop {
            let interrupt = async {
                let stopped = self.client.interrupt_operation(operation).await?;
                if !stopped.contains(&name) {
                    sleep(ONCE_MORE).await;
                }
                Ok(stopped.contains(&name))
            };
            tokio::select! {
                biased;
                answer = interrupt => {
                    if answer? {
                        return Ok(());
                    }
                }
                () = ended(stream) => return Ok(()),
            }
        }
    }
}

/// The way round a limit that something was too large for.
pub(crate) fn advice(error: &connect::Error) -> Option<&'static str> {
    match error {
        connect::Error::TooLarge { .. } => {
            Some("put rows of `values` into a file that the engine reads (`read`), or write fewer of them")
        }
        connect::Error::AnswerTooLarge { .. } => Some(
            "raise `grpc_max_message_size` in the connection string, or use Spark 4.1 or newer, which sends large rows in pieces; where it is many rows together, lower `spark.connect.grpc.arrow.maxBatchSize` at the server",
        ),
        _ => None,
    }
}

/// Waits for the end of a stream whose rows nobody wants any more. One that is lost does not say whether the work has ended.
async fn ended(stream: &mut ResponseStream) {
    loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            Err(error)
                if error.is_unreachable() && !matches!(error, connect::Error::OperationLost { .. }) =>
            {
                std::future::pending::<()>().await;
            }
            Ok(None) | Err(_) => return,
        }
    }
}

/// How an action ended. What goes wrong while a run is stopped may have a reason of its own.
fn how(result: Result<Outcome, Error>, is_stopped: bool) -> Ended {
    match result {
        Ok(outcome) => Ended::As(outcome),
        Err(error) if is_stopped && error.is_interruption() => Ended::As(Outcome::Interrupted),
        Err(Error::Engine(error)) if error.is_session_lost() => Ended::Lost(error),
        Err(error) => Ended::As(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::ServerError;

    #[test]
    fn a_reason_of_its_own_is_not_lost_in_an_interruption() {
        let server = || {
            let said = ServerError { message: "Division by zero.".to_owned(), ..ServerError::default() };
            Error::Engine(connect::Error::Server(Box::new(said)))
        };
        let gone = || Error::Engine(connect::Error::OperationLost { reason: "not found".to_owned() });
        // Each with how it is told while the run is stopped, and else.
        let table: [(&dyn Fn() -> Error, &str, &str); 6] = [
            (&|| Error::Interrupted, "interrupted", "failed: interrupted"),
            (
                &|| Error::Engine(connect::Error::Cancelled),
                "interrupted",
                "failed: the operation was cancelled",
            ),
            (&gone, "interrupted", "lost: the server has lost the operation: not found"),
            (&server, "failed: Division by zero.", "failed: Division by zero."),
            (
                &|| Error::Writer("full".to_owned()),
                "failed: the output could not be written: full",
                "failed: the output could not be written: full",
            ),
            (
                &|| Error::Overdue("90s".parse().unwrap()),
                "failed: took longer than its `timeout` of 90 s",
                "failed: took longer than its `timeout` of 90 s",
            ),
        ];
        let told = |ended: Ended| match ended {
            Ended::Lost(error) => format!("lost: {error}"),
            Ended::As(Outcome::Interrupted) => "interrupted".to_owned(),
            Ended::As(Outcome::Failed(failed)) => format!("failed: {}", failed.message),
            Ended::As(Outcome::Succeeded { .. } | Outcome::Skipped { .. }) => "something else".to_owned(),
        };
        for (error, stopped, otherwise) in table {
            assert_eq!(told(how(Err(error()), true)), stopped);
            assert_eq!(told(how(Err(error()), false)), otherwise);
        }
    }
}
