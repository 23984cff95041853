//! A look at one step: its first rows, or those behind some of its transforms, and nothing else.

use std::borrow::Cow;
use std::collections::HashSet;
use std::iter::repeat_n;

use crate::graph::Graph;
use crate::pipeline::{Pipeline, Step, StepId};
use crate::sink::Stdout;
use crate::text::Spanned;
use crate::transform::Transform;

/// What is looked at, and how it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) step: StepId,
    /// How many of the step's transforms are carried out.
    pub(crate) transforms: usize,
    pub(crate) stdout: Stdout,
}

impl Look {
    /// The steps whose rows it takes, in order, the one that is looked at last.
    pub(crate) fn steps(&self, pipeline: &Pipeline, graph: &Graph) -> Vec<StepId> {
        let mut read = HashSet::new();
        let mut further = vec![self.step];
        while let Some(id) = further.pop() {
            if read.insert(id) {
                further.extend(self.inputs(pipeline, id).iter());
            }
        }
        graph.in_order(&read)
    }

    /// The look at all of the step.
    pub(super) fn whole(&self) -> Self {
        Self { transforms: usize::MAX, ..self.clone() }
    }

    /// The transforms of a step that are carried out.
    pub(super) fn transforms<'p>(&self, step: &'p Step, id: StepId) -> &'p [Spanned<Transform>] {
        let all = step.transforms.as_slice();
        if id == self.step { all.get(..self.transforms).unwrap_or(all) } else { all }
    }

    /// The steps that a step reads, once for each time it reads them.
    pub(super) fn inputs<'p>(&self, pipeline: &'p Pipeline, id: StepId) -> Cow<'p, [StepId]> {
        let step = pipeline.step(id);
        let transforms = self.transforms(step, id);
        if transforms.len() == step.transforms.len() {
            return Cow::Borrowed(&step.inputs);
        }
        let read = transforms.iter().flat_map(|transform| {
            let kind = transform.value.kind();
            repeat_n(kind.inputs(), 1 + usize::from(kind.reads_twice())).flatten()
        });
        let read = step.source.value.kind().inputs().into_iter().chain(read);
        let mut inputs: Vec<StepId> = read.filter_map(|name| pipeline.find(name.as_str())).collect();
        for (_, id) in &step.queried {
            if !inputs.contains(id) {
                inputs.push(*id);
            }
        }
        Cow::Owned(inputs)
    }
}
