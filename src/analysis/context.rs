//! What every question of the analysis needs: the session, the pipeline, what the engine can do.

use crate::connect::{Client, Error, OperationId, ServerError};
use crate::dialect::{Dialect, Implementation};
use crate::pipeline::Pipeline;
use crate::proto::command;
use crate::proto::spark::{DataType, Relation};

/// Questions that are asked concurrently.
pub(super) const CONCURRENT: usize = 8;

/// The schema of a relation, or why the engine refuses it; an error where the engine itself does not answer.
pub(super) type Analysed = Result<Result<DataType, Box<ServerError>>, Error>;

/// A pipeline in the session that analyses it.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) client: &'a Client,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) dialect: &'a Dialect,
}

impl Context<'_> {
    /// Returns the schema of a relation, or why the engine refuses it.
    pub(super) async fn analyse(&self, relation: Relation) -> Analysed {
        // Sail looks at some types only when it makes a plan of its own.
        let explained = (self.dialect.implementation() == Implementation::Sail).then(|| relation.clone());
        let schema = match self.client.analyze_schema(relation.into()).await {
            Ok(schema) => schema,
            Err(Error::Server(error)) => return Ok(Err(error)),
            Err(error) => return Err(error),
        };
        let Some(relation) = explained else { return Ok(Ok(schema)) };
        match self.client.explain(relation.into()).await {
            // Rows that it evaluated while it planned may stand in its answer and fill it: the plan is valid, and too long to return.
            Ok(()) | Err(Error::AnswerTooLarge { .. }) => Ok(Ok(schema)),
            Err(Error::Server(error)) => Ok(Err(error)),
            Err(error) => Err(error),
        }
    }

    /// Gives a relation a name in this session.
    pub(super) async fn create_view(&self, relation: Relation, name: &str) -> Result<(), Error> {
        let command = command::create_view(relation, name.to_owned());
        let mut stream = self.client.execute(command.into(), &[], OperationId::new());
        while stream.next().await?.is_some() {}
        Ok(())
    }
}
