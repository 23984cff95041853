//! Finds out which mistakes a pipeline has that an engine's analysis refuses: every one, each at its place, each once.
//!
//! Every step is analysed by itself, on empty inputs that have the columns of the steps it reads: [`step`] does so transform by
//! transform, and [`inside`] searches an expression that is refused. What is wrong is told and masked, and the search goes on behind it;
//! what a mistake makes unknowable is passed over in silence.

mod complaint;
mod diagnosis;
mod inside;
mod names;
mod scope;
mod step;
mod union;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::connect::{Client, Error};
use crate::diagnostic::Diagnostics;
use crate::dialect::{Dialect, Implementation};
use crate::pipeline::{Pipeline, StepId};
use crate::proto::spark::{DataType, Relation};
use inside::Analysed;

pub(super) use diagnosis::refused;

/// Questions that are asked side by side.
pub(super) const SIDE_BY_SIDE: usize = 8;

/// What a search stands on.
pub(super) struct Ground<'a> {
    pub(super) client: &'a Client,
    pub(super) pipeline: &'a Pipeline,
    pub(super) dialect: &'a Dialect,
}

impl Ground<'_> {
    /// The columns of a relation, or why the engine refuses it.
    pub(super) async fn analyse(&self, relation: Relation) -> Analysed {
        analyse(self.client, self.dialect, relation).await
    }
}

/// The columns of a relation, or why the engine refuses it.
pub(super) async fn analyse(client: &Client, dialect: &Dialect, relation: Relation) -> Analysed {
    // Sail looks at some types only when it makes a plan of its own.
    let explained = (dialect.implementation() == Implementation::Sail).then(|| relation.clone());
    let schema = match client.analyze_schema(relation.into()).await {
        Ok(schema) => schema,
        Err(Error::Server(error)) => return Ok(Err(error)),
        Err(error) => return Err(error),
    };
    let Some(relation) = explained else { return Ok(Ok(schema)) };
    match client.explain(relation.into()).await {
        // What it has worked out by then may stand in its answer, and fill it: the plan is right, and too long to be told.
        Ok(()) | Err(Error::AnswerTooLarge { .. }) => Ok(Ok(schema)),
        Err(Error::Server(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

/// What is known of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Its columns; nothing where a mistake makes them unknowable.
    pub(crate) schema: Option<DataType>,
    /// Whether they may be others where the mistakes are mended.
    is_doubtful: bool,
}

/// What a search has brought.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) found: Diagnostics,
    pub(crate) known: HashMap<StepId, Arc<Known>>,
}

/// The columns of a step's source as the engine finds them, or what is wrong with it or with the steps before it.
pub(super) async fn source(
    ground: &Ground<'_>,
    before: &[StepId],
    id: StepId,
) -> Result<Result<DataType, Diagnostics>, Error> {
    let Findings { found, known } = narrow(ground, before, &HashSet::new()).await?;
    if found.has_errors() {
        return Ok(Err(found));
    }
    step::source(ground, id, known).await
}

/// Searches these steps, each of which comes after all that it needs; of those in `unknown` nothing can be known.
pub(super) async fn narrow(
    ground: &Ground<'_>,
    steps: &[StepId],
    unknown: &HashSet<StepId>,
) -> Result<Findings, Error> {
    let mut waits_for: HashMap<StepId, usize> = HashMap::new();
    let mut readers: HashMap<StepId, Vec<StepId>> = HashMap::new();
    let mut ready = VecDeque::new();
    for id in steps {
        let inputs = &ground.pipeline.step(*id).inputs;
        waits_for.insert(*id, inputs.len());
        for input in inputs {
            readers.entry(*input).or_default().push(*id);
        }
        if inputs.is_empty() {
            ready.push_back(*id);
        }
    }
    let mut findings = Findings::default();
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < SIDE_BY_SIDE
            && let Some(id) = ready.pop_front()
        {
            let inputs = ground.pipeline.step(id).inputs.iter();
            let inputs: HashMap<StepId, Arc<Known>> =
                inputs.filter_map(|input| Some((*input, Arc::clone(findings.known.get(input)?)))).collect();
            let is_unknown = unknown.contains(&id);
            running.push(async move {
                let result = if is_unknown {
                    Ok((Known::default(), Diagnostics::default()))
                } else {
                    step::search(ground, id, inputs).await
                };
                (id, result)
            });
        }
        let Some((id, result)) = running.next().await else { return Ok(findings) };
        let (known, found) = result?;
        findings.found.append(found);
        findings.known.insert(id, Arc::new(known));
        for reader in readers.get(&id).into_iter().flatten() {
            if let Some(left) = waits_for.get_mut(reader) {
                *left -= 1;
                if *left == 0 {
                    ready.push_back(*reader);
                }
            }
        }
    }
}
