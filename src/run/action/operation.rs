//! Operations at the engine: executed to their end, or interrupted and confirmed to have stopped.

use std::time::Duration;

use arrow_array::RecordBatch;
use tokio::time::{sleep, timeout};

use super::Task;
use crate::connect::{self, CommandResult, OperationId, ResponseStream};
use crate::proto::spark::{Command, Plan as Message, Relation};
use crate::record::{Event, Notice, Progress};
use crate::run::error::Error;

/// How long an interruption may take before it is given up.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long until an operation that the server did not know is interrupted once more: its execution may have been on its way.
const ONCE_MORE: Duration = Duration::from_millis(250);

impl Task {
    pub(super) async fn command(&self, command: Command) -> Result<Option<CommandResult>, Error> {
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
    pub(super) async fn row(&self, relation: Relation) -> Result<RecordBatch, Error> {
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
                    let progress = Progress { tasks: Some(progress.into()), ..Progress::default() };
                    self.events.send(Event::ActionProgress { action: self.action.clone(), progress });
                }
                Some(event) => take(event),
                None => return Ok(()),
            }
        }
    }

    /// The server is not left computing for nobody: it says that it has stopped, or the user is told that it has not.
    pub(super) async fn interrupt(&self, operation: OperationId, mut stream: ResponseStream) {
        if !stream.is_begun() {
            return;
        }
        let reason = match timeout(INTERRUPT_TIMEOUT, self.stopped(operation, &mut stream)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the engine has not confirmed it within {} s", INTERRUPT_TIMEOUT.as_secs()),
        };
        self.events.send(Event::Notice(Notice::OperationNotStopped {
            step: self.action.step.clone(),
            reason,
            operation_id: operation.to_string(),
            tag: self.tags.first().map(|tag| tag.as_str().to_owned()).unwrap_or_default(),
        }));
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
