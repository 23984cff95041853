//! Decides how each step reaches its readers: put into the only one, as a view, or as stored rows.

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
        Self::among(pipeline, graph.needed_for(pipeline.ids().filter(|id| pipeline.step(*id).is_end())))
    }

    /// The same where steps that feed nothing are looked at too.
    pub(crate) fn of_all(pipeline: &Pipeline, graph: &Graph) -> Self {
        Self::among(pipeline, graph.needed_for(pipeline.ids()))
    }

    fn among(pipeline: &Pipeline, needed: Vec<StepId>) -> Self {
        let mut readers = vec![0_usize; pipeline.steps.len()];
        let mut queried = vec![false; pipeline.steps.len()];
        for id in &needed {
            let step = pipeline.step(*id);
            // Its source is read once more for what its contract promises of the rows.
            let is_promised = !step.promises().is_empty();
            let is_counted = !step.expectations.is_empty() || (is_promised && step.transforms.is_empty());
            readers[id.0] += usize::from(!step.sinks.is_empty()) + usize::from(is_counted);
            for input in &step.inputs {
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
            let inputs = step.inputs.iter().filter(|input| reach[input.0] != Reach::Stored);
            let work = inputs.map(|input| again[input.0]).fold(step.work(), Work::max);
            again[id.0] = work;
            let several = readers[id.0] > 1;
            reach[id.0] = match step.cache {
                Cache::True => Reach::Stored,
                Cache::Auto if several && work > Work::Light => Reach::Stored,
                Cache::Auto | Cache::False if several || queried[id.0] => Reach::View,
                Cache::Auto | Cache::False => Reach::Inlined,
            };
        }
        Self { needed, reach }
    }

    pub(crate) fn reach(&self, id: StepId) -> Reach {
        self.reach[id.0]
    }
}
