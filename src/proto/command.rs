//! Commands: what is executed for its effect.

use crate::proto::spark::command::CommandType;
use crate::proto::spark::{
    CachedRemoteRelation, CheckpointCommand, Command, CreateDataFrameViewCommand, Plan, Relation,
    RemoveCachedRemoteRelationCommand, SqlCommand, StorageLevel, plan,
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

/// Computes a relation now and keeps its rows in the server's checkpoint folder.
pub(crate) fn checkpoint(input: Relation) -> Command {
    of(CommandType::CheckpointCommand(CheckpointCommand {
        relation: Some(input),
        local: false,
        eager: true,
        storage_level: None,
    }))
}

/// Frees what a checkpoint has kept. An unknown id is no error.
pub(crate) fn remove_cached(id: impl Into<String>) -> Command {
    let relation = Some(CachedRemoteRelation { relation_id: id.into() });
    of(CommandType::RemoveCachedRemoteRelationCommand(RemoveCachedRemoteRelationCommand { relation }))
}

/// Runs a SQL statement (a relation of `relation::sql`) now; a query comes back unexecuted.
pub(crate) fn sql(input: Relation) -> Command {
    of(CommandType::SqlCommand(SqlCommand { input: Some(input), ..SqlCommand::default() }))
}
