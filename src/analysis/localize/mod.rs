//! Finds out which mistakes a pipeline has that an engine's analysis refuses: every one, each at its place, each once.
//!
//! Every step is analysed by itself, on empty inputs that have the columns of the steps it reads: [`step`] does so transform by
//! transform, and [`expression`] searches an expression that is refused. What is wrong is told and masked, and the search goes on behind it;
//! what a mistake makes unknowable is passed over in silence.

mod diagnosis;
mod engine_error;
mod expression;
mod known;
mod names;
mod scope;
mod step;
mod union;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::context::{CONCURRENT, Context};
use crate::connect::Error;
use crate::diagnostic::Diagnostics;
use crate::pipeline::StepId;
use crate::proto::spark::DataType;

pub(super) use diagnosis::refused;
pub(crate) use known::Known;

/// What a search has brought.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) found: Diagnostics,
    pub(crate) known: HashMap<StepId, Arc<Known>>,
}

/// The columns of a step's source as the engine finds them, or what is wrong with it or with the steps before it.
pub(super) async fn source(
    context: &Context<'_>,
    before: &[StepId],
    id: StepId,
) -> Result<Result<DataType, Diagnostics>, Error> {
    let Findings { found, known } = localize(context, before, &HashSet::new()).await?;
    if found.has_errors() {
        return Ok(Err(found));
    }
    step::source(context, id, known).await
}

/// Searches these steps, each of which comes after all that it needs; of those in `unknown` nothing can be known.
pub(super) async fn localize(
    context: &Context<'_>,
    steps: &[StepId],
    unknown: &HashSet<StepId>,
) -> Result<Findings, Error> {
    let mut waits_for: HashMap<StepId, usize> = HashMap::new();
    let mut readers: HashMap<StepId, Vec<StepId>> = HashMap::new();
    let mut ready = VecDeque::new();
    for id in steps {
        let inputs = &context.pipeline.step(*id).inputs;
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
        while running.len() < CONCURRENT
            && let Some(id) = ready.pop_front()
        {
            let inputs = context.pipeline.step(id).inputs.iter();
            let inputs: HashMap<StepId, Arc<Known>> =
                inputs.filter_map(|input| Some((*input, Arc::clone(findings.known.get(input)?)))).collect();
            let is_unknown = unknown.contains(&id);
            running.push(async move {
                let result = if is_unknown {
                    Ok((Known::default(), Diagnostics::default()))
                } else {
                    step::search(context, id, inputs).await
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
