//! Owns the graph of the steps: its order, what is needed for what, its dependency cycles.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use petgraph::Direction;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};

use crate::pipeline::{Pipeline, StepId};

/// The steps in an order in which each comes after all that it needs. It has no cycle.
#[derive(Debug)]
pub(crate) struct Graph {
    graph: DiGraph<StepId, ()>,
    order: Vec<StepId>,
}

impl Graph {
    /// The graph of a pipeline; that it has no cycle was checked when the pipeline was made.
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let graph = of(pipeline.steps.iter().map(|step| step.inputs.iter().chain(&step.after).copied()));
        let order = order(&graph);
        Self { graph, order }
    }

    /// The steps that are needed for these, themselves included, in order.
    pub(crate) fn needed_for(&self, steps: impl IntoIterator<Item = StepId>) -> Vec<StepId> {
        let reversed = Reversed(&self.graph);
        let mut search = Dfs::empty(reversed);
        for step in steps {
            search.move_to(NodeIndex::new(step.0));
            while search.next(reversed).is_some() {}
        }
        let is_needed = |id: &StepId| search.discovered.contains(id.0);
        self.order.iter().copied().filter(is_needed).collect()
    }

    /// These steps, in order.
    pub(crate) fn in_order(&self, steps: &HashSet<StepId>) -> Vec<StepId> {
        self.order.iter().copied().filter(|id| steps.contains(id)).collect()
    }

    /// All steps, in order.
    pub(crate) fn order(&self) -> &[StepId] {
        &self.order
    }
}

/// The dependency cycles; in each the steps stand in the order in which data would flow, the first of the
/// file first.
pub(crate) fn circles<I: IntoIterator<Item = StepId>>(
    needs: impl ExactSizeIterator<Item = I>,
) -> Vec<Vec<StepId>> {
    let graph = of(needs);
    let is_circle = |nodes: &Vec<NodeIndex>| nodes.len() > 1 || graph.contains_edge(nodes[0], nodes[0]);
    kosaraju_scc(&graph).into_iter().filter(is_circle).map(|nodes| way_around(&graph, &nodes)).collect()
}

/// Steps as nodes; an edge goes from what is needed to what needs it.
fn of<I: IntoIterator<Item = StepId>>(needs: impl ExactSizeIterator<Item = I>) -> DiGraph<StepId, ()> {
    let mut graph = DiGraph::with_capacity(needs.len(), needs.len());
    for at in 0..needs.len() {
        graph.add_node(StepId(at));
    }
    for (at, needed) in needs.enumerate() {
        for id in needed {
            graph.update_edge(NodeIndex::new(id.0), NodeIndex::new(at), ());
        }
    }
    graph
}

/// A topological order that prefers the file's, so that a file runs in the order in which one reads it.
fn order(graph: &DiGraph<StepId, ()>) -> Vec<StepId> {
    let needs = |node| graph.edges_directed(node, Direction::Incoming).count();
    let mut waiting: Vec<usize> = graph.node_indices().map(needs).collect();
    let starts = waiting.iter().enumerate().filter(|(_, count)| **count == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = starts.map(|(at, _)| Reverse(at)).collect();
    let mut order = Vec::with_capacity(waiting.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(StepId(at));
        for next in graph.neighbors(NodeIndex::new(at)) {
            waiting[next.index()] -= 1;
            if waiting[next.index()] == 0 {
                ready.push(Reverse(next.index()));
            }
        }
    }
    order
}

/// The shortest way through a cycle from its first step back to it, found breadth first.
fn way_around(graph: &DiGraph<StepId, ()>, nodes: &[NodeIndex]) -> Vec<StepId> {
    let first = nodes.iter().copied().min().unwrap_or_default();
    let inside: HashSet<NodeIndex> = nodes.iter().copied().collect();
    let mut before: HashMap<NodeIndex, NodeIndex> = HashMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(node) = queue.pop_front() {
        for next in graph.neighbors(node).filter(|next| inside.contains(next)) {
            if next == first {
                let mut way: Vec<StepId> = std::iter::successors(Some(node), |at| before.get(at).copied())
                    .map(|at| graph[at])
                    .collect();
                way.reverse();
                return way;
            }
            if let Entry::Vacant(entry) = before.entry(next) {
                entry.insert(node);
                queue.push_back(next);
            }
        }
    }
    nodes.iter().map(|node| graph[*node]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(all: &[&[usize]]) -> Vec<Vec<StepId>> {
        all.iter().map(|needs| needs.iter().copied().map(StepId).collect()).collect()
    }

    #[test]
    fn the_order_is_the_files_wherever_it_can_be() {
        for (all, expected) in [
            (vec![&[][..], &[], &[]], vec![0, 1, 2]),
            (vec![&[2][..], &[], &[1]], vec![1, 2, 0]),
            (vec![&[1, 2][..], &[3], &[3], &[]], vec![3, 1, 2, 0]),
        ] {
            let order: Vec<usize> = order(&of(needs(&all).into_iter())).into_iter().map(|id| id.0).collect();
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn every_circle_is_found_with_its_way() {
        let found = circles(needs(&[&[2], &[0], &[1], &[3], &[0]]).into_iter());
        let found: Vec<Vec<usize>> =
            found.into_iter().map(|way| way.into_iter().map(|id| id.0).collect()).collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&vec![0, 1, 2]), "{found:?}");
        assert!(found.contains(&vec![3]), "{found:?}");
    }
}
