//! One action on its way: what it does at the engine, and how it ends.

mod done;
mod expect;
mod operation;
mod write;

use std::path::Path;
use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::effects::Effects;
use super::error::{Error, Violated};
use crate::backend::upload;
use crate::connect::{self, Client, CommandResult, OperationId, Tag};
use crate::duration::Limit;
use crate::expect::OnFail;
use crate::pipeline::Pipeline;
use crate::plan::{Action, ActionId, Plan, Work};
use crate::proto::command;
use crate::proto::relation::cached_remote_relation;
use crate::proto::spark::{Plan as Message, Relation};
use crate::record::{ActionRef, ErrorRecord, Event, Notice, Sender};
use crate::sink::{Sink, Stores};
use done::Done;
use write::{Destinations, Reading};

/// How an action ended.
pub(super) enum Ended {
    Succeeded(Done),
    Failed {
        error: Box<ErrorRecord>,
        /// Whether it evaluated expectations, and rows violate them.
        is_violated: bool,
    },
    Interrupted,
    /// It was lost with its session.
    Lost(connect::Error),
}

impl Ended {
    pub(super) fn failed(error: &Error) -> Self {
        Self::Failed { error: Box::new(error.record()), is_violated: matches!(error, Error::Expectation(_)) }
    }

    /// How an action ended with this result. What goes wrong while a run is stopped may have a reason of its own.
    fn of(result: Result<Done, Error>, is_stopped: bool) -> Self {
        match result {
            Ok(done) => Self::Succeeded(done),
            Err(error) if is_stopped && error.is_interruption() => Self::Interrupted,
            Err(Error::Engine(error)) if error.is_session_lost() => Self::Lost(error),
            Err(error) => Self::failed(&error),
        }
    }
}

/// One action on its way.
pub(super) struct Task {
    pub(super) client: Client,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) plan: Arc<Plan>,
    pub(super) events: Sender,
    pub(super) stop: CancellationToken,
    pub(super) stores: Stores,
    pub(super) effects: Effects,
    pub(super) tags: Vec<Tag>,
    pub(super) action: ActionRef,
}

impl Task {
    pub(super) async fn perform(self, id: ActionId) -> (ActionId, Ended) {
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
        (id, Ended::of(result, self.stop.is_cancelled()))
    }

    /// Executes an action within its step's `timeout`, and stops it then.
    async fn within(&self, limit: Option<Limit>, action: &Action) -> Result<Done, Error> {
        let Some(limit) = limit else { return self.execute(action).await };
        let mut work = Box::pin(self.execute(action));
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

    async fn execute(&self, action: &Action) -> Result<Done, Error> {
        let relation = action.relation.clone();
        match &action.work {
            Work::View { name } => {
                self.command(command::create_view(relation, name.clone())).await?;
                Ok(Done::default())
            }
            Work::Store { name } => {
                self.materialize(relation, name).await?;
                Ok(Done::default())
            }
            Work::Expect { violations } => {
                let row = self.row(relation).await?;
                let mut violated = expect::violated(&self.action, &row, violations);
                for result in &violated {
                    self.events.send(Event::ExpectationFailed(result.clone()));
                }
                violated.retain(|result| result.on_fail == OnFail::Fail);
                if violated.is_empty() {
                    Ok(Done::default())
                } else {
                    Err(Error::Expectation(Violated(violated)))
                }
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
    async fn write(&self, relation: Relation, sinks: Vec<Sink>, folder: &Path) -> Result<Done, Error> {
        let destinations = Destinations {
            sinks,
            folder: folder.to_path_buf(),
            stores: self.stores.clone(),
            effects: self.effects.clone(),
        };
        let operation = OperationId::new();
        let mut stream = self.client.execute(Message::from(relation), &self.tags, operation);
        let reading = Reading { action: &self.action, events: &self.events, stop: &self.stop };
        let result = write::stream(&mut stream, destinations, &reading).await;
        if matches!(result, Err(Error::Interrupted)) {
            self.interrupt(operation, stream).await;
        }
        result
    }

    /// Computes rows once and gives them a name. An engine that keeps none recomputes them for each consumer.
    async fn materialize(&self, relation: Relation, name: &str) -> Result<(), Error> {
        let kept = match self.command(command::local_checkpoint(relation.clone(), None)).await {
            Ok(Some(CommandResult::Checkpoint(id))) => cached_remote_relation(id),
            Ok(_) => relation,
            Err(Error::Engine(connect::Error::Server(error)))
                if error.message.to_lowercase().contains("checkpoint") =>
            {
                self.events.send(Event::Notice(Notice::NotMaterialized {
                    step: self.action.step.clone(),
                    reason: error.message.clone(),
                }));
                relation
            }
            Err(error) => return Err(error),
        };
        self.command(command::create_view(kept, name.to_owned())).await.map(drop)
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
            Ended::Interrupted => "interrupted".to_owned(),
            Ended::Failed { error, .. } => format!("failed: {}", error.message),
            Ended::Succeeded(_) => "something else".to_owned(),
        };
        for (error, stopped, otherwise) in table {
            assert_eq!(told(Ended::of(Err(error()), true)), stopped);
            assert_eq!(told(Ended::of(Err(error()), false)), otherwise);
        }
    }
}
