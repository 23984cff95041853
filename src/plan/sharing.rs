//! Decides how each step reaches its readers: put into the only one, as a view, or as stored rows.

use std::borrow::Cow;

use super::look::Look;
use crate::graph::Graph;
use crate::pipeline::{Cache, Pipeline, StepId};
use crate::transform::Work;

/// How a step reaches its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is part of its only reader.
    Inlined,
    /// It has a name at the engine, and is worked out by each reader.
    View,
    /// It is worked out once.
    Stored,
}

/// The steps that a run needs, in order, and how each reaches its readers.
pub(crate) struct Sharing {
    pub(crate) needed: Vec<StepId>,
    reach: Vec<Reach>,
}

impl Sharing {
    pub(crate) fn new(pipeline: &Pipeline, graph: &Graph) -> Self {
        Self::among(pipeline, graph.needed_for(pipeline.ids().filter(|id| pipeline.step(*id).is_end())), None)
    }

    /// The same where steps that feed nothing are checked too.
    pub(crate) fn of_all(pipeline: &Pipeline, graph: &Graph) -> Self {
        Self::among(pipeline, graph.needed_for(pipeline.ids()), None)
    }

    /// The same for a look at one step. Only what is read several times for it is worked out by itself, so that the engine may stop
    /// as soon as it has the first rows.
    pub(crate) fn of_look(pipeline: &Pipeline, graph: &Graph, look: &Look) -> Self {
        Self::among(pipeline, look.steps(pipeline, graph), Some(look))
    }

    fn among(pipeline: &Pipeline, needed: Vec<StepId>, look: Option<&Look>) -> Self {
        let inputs = |id: StepId| match look {
            Some(look) => look.inputs(pipeline, id),
            None => Cow::Borrowed(pipeline.step(id).inputs.as_slice()),
        };
        let mut readers = vec![0_usize; pipeline.steps.len()];
        let mut queried = vec![false; pipeline.steps.len()];
        for id in &needed {
            let step = pipeline.step(*id);
            // Its source is read once more for what its contract promises of the rows; who looks at rows counts none.
            let is_promised = look.is_none() && !step.promises().is_empty();
            let is_counted = !step.expectations.is_empty() || (is_promised && step.transforms.is_empty());
            readers[id.0] += match look {
                Some(look) => usize::from(look.step == *id),
                None => usize::from(!step.sinks.is_empty()) + usize::from(is_counted),
            };
            for input in inputs(*id).iter() {
                readers[input.0] += 1;
            }
            if is_promised && !step.transforms.is_empty() {
                // Those that its transforms read too: to tell them apart would win nothing.
                step.inputs.iter().for_each(|input| readers[input.0] += 1);
            }
            for (_, input) in &step.queried {
                queried[input.0] = true;
            }
        }
        let mut reach = vec![Reach::Inlined; pipeline.steps.len()];
        // The work that reading a step once more would mean, its inputs included.
        let mut again = vec![Work::Light; pipeline.steps.len()];
        for id in &needed {
            let step = pipeline.step(*id);
            let inputs = inputs(*id);
            let inputs = inputs.iter().filter(|input| reach[input.0] != Reach::Stored);
            let work = inputs.map(|input| again[input.0]).fold(step.work(), Work::max);
            again[id.0] = work;
            let several = readers[id.0] > 1;
            reach[id.0] = match step.cache {
                Cache::True if several || look.is_none() => Reach::Stored,
                Cache::Auto if several && work > Work::Light => Reach::Stored,
                Cache::Auto | Cache::True | Cache::False if several || queried[id.0] => Reach::View,
                Cache::Auto | Cache::True | Cache::False => Reach::Inlined,
            };
        }
        Self { needed, reach }
    }

    pub(crate) fn reach(&self, id: StepId) -> Reach {
        self.reach[id.0]
    }
}
