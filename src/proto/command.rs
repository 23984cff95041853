//! Commands: what is executed for its effect.

use crate::proto::spark::command::CommandType;
use crate::proto::spark::{
    CheckpointCommand, Command, CreateDataFrameViewCommand, Plan, Relation, StorageLevel, plan,
};

impl From<Command> for Plan {
    fn from(command: Command) -> Self {
        Self { op_type: Some(plan::OpType::Command(Box::new(command))) }
    }
}

/// Any command, for those without a function here.
pub(crate) fn of(command_type: CommandType) -> Command {
    Command { command_type: Some(command_type) }
}

/// Names a relation for the rest of the session, in place of an earlier one of that name.
pub(crate) fn create_view(input: Relation, name: impl Into<String>) -> Command {
    of(CommandType::CreateDataframeView(CreateDataFrameViewCommand {
        input: Some(input),
        name: name.into(),
        is_global: false,
        replace: true,
    }))
}

/// Computes a relation now and keeps its rows with the executors; the answer has the id by which to read them.
pub(crate) fn local_checkpoint(input: Relation, storage_level: Option<StorageLevel>) -> Command {
    of(CommandType::CheckpointCommand(CheckpointCommand {
        relation: Some(input),
        local: true,
        eager: true,
        storage_level,
    }))
}
