//! The result of one execution as it comes: nothing is collected, and what is not asked for is not read.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::mem;

use arrow_array::RecordBatch;

use crate::connect::error::Error;
use crate::connect::execution::arrow::Assembler;
use crate::connect::execution::reattach::Execution;
use crate::proto::spark::ExecutePlanResponse;
use crate::proto::spark::execute_plan_response::execution_progress::StageInfo;
use crate::proto::spark::execute_plan_response::{ExecutionProgress, ResponseType};

/// A running execution. Dropping it before its end interrupts it at the server.
pub(crate) struct ResponseStream {
    execution: Execution,
    assembler: Assembler,
    ready: VecDeque<Event>,
    told_schema: bool,
    is_begun: bool,
}

/// Something that the server tells about an execution.
#[derive(Debug)]
pub(crate) enum Event {
    /// The columns are known, before any rows; each batch has them too.
    Schema,
    /// Rows. A result without rows has one batch without rows.
    Batch(RecordBatch),
    Progress(Progress),
    CommandResult(CommandResult),
}

/// What a command answers.
#[derive(Debug)]
pub(crate) enum CommandResult {
    /// The id of the relation that was kept.
    Checkpoint(String),
}

/// How far an execution is, over the stages that the server knows by now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) tasks: i64,
    pub(crate) completed: i64,
    pub(crate) running: i64,
    pub(crate) bytes_read: i64,
}

impl From<ExecutionProgress> for Progress {
    fn from(progress: ExecutionProgress) -> Self {
        let sum = |count: fn(&StageInfo) -> i64| progress.stages.iter().map(count).sum();
        Self {
            tasks: sum(|stage| stage.num_tasks),
            completed: sum(|stage| stage.num_completed_tasks),
            running: progress.num_inflight_tasks,
            bytes_read: sum(|stage| stage.input_bytes_read),
        }
    }
}

impl ResponseStream {
    pub(crate) fn new(execution: Execution) -> Self {
        Self {
            execution,
            assembler: Assembler::default(),
            ready: VecDeque::new(),
            told_schema: false,
            is_begun: false,
        }
    }

    /// The next event, or nothing once the server has told everything. May be dropped and called again without losing any.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Error> {
        self.is_begun = true;
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let Some(response) = self.execution.next().await? else {
                self.assembler.finish()?;
                return Ok(None);
            };
            self.take(response)?;
        }
    }

    /// Keeps the execution alive at the server while nobody asks for the next event. Never ends, and may be dropped at any point.
    pub(crate) async fn keep(&mut self) -> Infallible {
        self.execution.keep().await
    }

    /// Whether the server may know of it.
    pub(crate) fn is_begun(&self) -> bool {
        self.is_begun
    }

    /// A response can carry several things, and nothing at all.
    fn take(&mut self, response: ExecutePlanResponse) -> Result<(), Error> {
        // A stream that is taken up again may begin with the schema again.
        let schema = response.schema.filter(|_| !mem::replace(&mut self.told_schema, true));
        self.ready.extend(schema.map(|_| Event::Schema));
        match response.response_type {
            Some(ResponseType::ArrowBatch(piece)) => {
                self.ready.extend(self.assembler.push(piece)?.map(Event::Batch));
            }
            Some(ResponseType::ExecutionProgress(progress)) => {
                self.ready.push_back(Event::Progress(progress.into()));
            }
            Some(ResponseType::CheckpointCommandResult(result)) => {
                let id = result.relation.map(|relation| CommandResult::Checkpoint(relation.relation_id));
                self.ready.extend(id.map(Event::CommandResult));
            }
            // Streaming queries, Spark's own pipelines, extensions: nobody here asks for them.
            _ => {}
        }
        Ok(())
    }
}
