//! Decides what is done next: a state machine that knows neither time nor engine.

use std::collections::BTreeSet;

/// What becomes of the rest when an action fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// What runs is finished, and nothing else is begun.
    #[default]
    Finish,
    /// All that does not need the failed action goes on.
    KeepGoing,
    /// What runs is interrupted.
    Stop,
}

/// An action as the schedule sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    /// Must have succeeded.
    pub(crate) needs: Vec<usize>,
    /// Must have ended, in whatever way.
    pub(crate) after: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happened {
    Begin,
    Succeeded(usize),
    Failed(usize),
    /// The user wants to stop.
    Interrupt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Start(usize),
    /// It will not be begun, because of this one; nothing where the run is being stopped.
    Skip {
        action: usize,
        because: Option<usize>,
    },
    /// Everything that runs is to be interrupted.
    Interrupt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Running,
    Succeeded,
    Failed,
    Skipped,
}

/// The state of all actions.
#[derive(Debug)]
pub(crate) struct Schedule {
    nodes: Vec<Node>,
    states: Vec<State>,
    /// Who waits for an action, in either way.
    dependents: Vec<Vec<usize>>,
    /// How many an action still waits for.
    waits_for: Vec<usize>,
    ready: BTreeSet<usize>,
    running: usize,
    threads: usize,
    on_failure: OnFailure,
    stopped: bool,
}

impl Schedule {
    /// Actions by number; each needs only such as come before it.
    pub(crate) fn new(nodes: Vec<Node>, threads: usize, on_failure: OnFailure) -> Self {
        let mut dependents = vec![Vec::new(); nodes.len()];
        let mut waits_for = vec![0; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let all: BTreeSet<usize> = node.needs.iter().chain(&node.after).copied().collect();
            waits_for[at] = all.len();
            for other in all {
                dependents[other].push(at);
            }
        }
        let ready = (0..nodes.len()).filter(|at| waits_for[*at] == 0).collect();
        let states = vec![State::Waiting; nodes.len()];
        Self {
            nodes,
            states,
            dependents,
            waits_for,
            ready,
            running: 0,
            threads: threads.max(1),
            on_failure,
            stopped: false,
        }
    }

    /// Whether nothing runs and nothing will.
    pub(crate) fn is_over(&self) -> bool {
        self.running == 0 && self.ready.is_empty()
    }

    pub(crate) fn on(&mut self, happened: Happened) -> Vec<Decision> {
        let mut decisions = Vec::new();
        match happened {
            Happened::Begin => {}
            Happened::Succeeded(action) => {
                self.running -= 1;
                self.end(action, State::Succeeded, &mut decisions);
            }
            Happened::Failed(action) => {
                self.running -= 1;
                if self.on_failure != OnFailure::KeepGoing && !self.stopped {
                    self.stopped = true;
                    if self.on_failure == OnFailure::Stop && self.running > 0 {
                        decisions.push(Decision::Interrupt);
                    }
                }
                self.end(action, State::Failed, &mut decisions);
            }
            Happened::Interrupt => {
                self.stopped = true;
                if self.running > 0 {
                    decisions.push(Decision::Interrupt);
                }
            }
        }
        if self.stopped {
            self.skip_rest(&mut decisions);
        }
        while self.running < self.threads
            && let Some(action) = self.ready.pop_first()
        {
            self.states[action] = State::Running;
            self.running += 1;
            decisions.push(Decision::Start(action));
        }
        decisions
    }

    /// Ends an action, and with it all that can't be done without it.
    fn end(&mut self, action: usize, state: State, decisions: &mut Vec<Decision>) {
        self.states[action] = state;
        let mut ended = vec![action];
        while let Some(action) = ended.pop() {
            for dependent in self.dependents[action].clone() {
                self.waits_for[dependent] -= 1;
                if self.states[dependent] != State::Waiting {
                    continue;
                }
                let is_needed = self.nodes[dependent].needs.contains(&action);
                if is_needed && self.states[action] != State::Succeeded {
                    self.states[dependent] = State::Skipped;
                    self.ready.remove(&dependent);
                    decisions.push(Decision::Skip { action: dependent, because: Some(action) });
                    ended.push(dependent);
                } else if self.waits_for[dependent] == 0 {
                    self.ready.insert(dependent);
                }
            }
        }
    }

    fn skip_rest(&mut self, decisions: &mut Vec<Decision>) {
        self.ready.clear();
        for (action, state) in self.states.iter_mut().enumerate() {
            if *state == State::Waiting {
                *state = State::Skipped;
                decisions.push(Decision::Skip { action, because: None });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Decision::{Interrupt, Skip, Start};
    use super::*;

    /// A diamond: 0, then 1 and 2, then 3; 4 stands alone.
    fn diamond(threads: usize, on_failure: OnFailure) -> Schedule {
        let needs: [&[usize]; 5] = [&[], &[0], &[0], &[1, 2], &[]];
        let nodes = needs.iter().map(|needs| Node { needs: needs.to_vec(), after: Vec::new() }).collect();
        Schedule::new(nodes, threads, on_failure)
    }

    #[test]
    fn what_is_ready_starts_as_far_as_threads_go() {
        let mut schedule = diamond(2, OnFailure::Finish);
        for (happened, decisions) in [
            (Happened::Begin, vec![Start(0), Start(4)]),
            (Happened::Succeeded(0), vec![Start(1)]),
            (Happened::Succeeded(4), vec![Start(2)]),
            (Happened::Succeeded(2), vec![]),
            (Happened::Succeeded(1), vec![Start(3)]),
            (Happened::Succeeded(3), vec![]),
        ] {
            assert_eq!(schedule.on(happened), decisions, "{happened:?}");
        }
        assert!(schedule.is_over());
    }

    #[test]
    fn a_failure_ends_what_needs_it() {
        let skip = |action, because| Skip { action, because };
        for (on_failure, decisions) in [
            (OnFailure::KeepGoing, vec![skip(1, Some(0)), skip(3, Some(1)), skip(2, Some(0)), Start(4)]),
            (OnFailure::Finish, vec![skip(1, Some(0)), skip(3, Some(1)), skip(2, Some(0)), skip(4, None)]),
        ] {
            let mut schedule = diamond(1, on_failure);
            assert_eq!(schedule.on(Happened::Begin), vec![Start(0)]);
            let mut found = schedule.on(Happened::Failed(0));
            let mut expected = decisions.clone();
            let key = |decision: &Decision| format!("{decision:?}");
            found.sort_by_key(key);
            expected.sort_by_key(key);
            let whys = |decisions: &[Decision]| {
                decisions.iter().filter(|d| matches!(d, Skip { because: None, .. })).count()
            };
            assert_eq!(found.len(), expected.len(), "{on_failure:?} {found:?}");
            assert_eq!(whys(&found), whys(&expected), "{on_failure:?}");
            assert_eq!(found.contains(&Start(4)), expected.contains(&Start(4)), "{on_failure:?}");
        }
    }

    #[test]
    fn failing_fast_interrupts_what_runs() {
        let mut schedule = diamond(2, OnFailure::Stop);
        assert_eq!(schedule.on(Happened::Begin), vec![Start(0), Start(4)]);
        assert_eq!(schedule.on(Happened::Failed(0))[0], Interrupt);
        assert!(!schedule.is_over(), "4 still runs");
        assert_eq!(schedule.on(Happened::Failed(4)), vec![]);
        assert!(schedule.is_over());
    }

    #[test]
    fn an_interruption_starts_nothing_more() {
        let mut schedule = diamond(1, OnFailure::KeepGoing);
        assert_eq!(schedule.on(Happened::Begin), vec![Start(0)]);
        let decisions = schedule.on(Happened::Interrupt);
        assert_eq!(decisions[0], Interrupt);
        assert_eq!(decisions.len(), 5, "the four others are skipped");
        assert_eq!(schedule.on(Happened::Failed(0)), vec![]);
        assert!(schedule.is_over());
    }

    #[test]
    fn an_order_alone_is_no_dependency() {
        let nodes = vec![Node::default(), Node { needs: Vec::new(), after: vec![0] }];
        let mut schedule = Schedule::new(nodes, 4, OnFailure::KeepGoing);
        assert_eq!(schedule.on(Happened::Begin), vec![Start(0)]);
        assert_eq!(schedule.on(Happened::Failed(0)), vec![Start(1)]);
    }

    #[test]
    fn nothing_to_do_is_over_at_once() {
        let mut schedule = Schedule::new(Vec::new(), 1, OnFailure::Finish);
        assert_eq!(schedule.on(Happened::Begin), vec![]);
        assert!(schedule.is_over());
    }
}
