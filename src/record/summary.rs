//! A run in numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActionResult, Status};

/// How a run came out, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct RunSummary {
    /// Steps of which every action succeeded.
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    pub(crate) interrupted: usize,
    /// Outputs that were written.
    pub(crate) outputs: usize,
    pub(crate) seconds: f64,
}

impl RunSummary {
    /// Counts the steps by the worst that happened to any of their actions, and the outputs.
    pub(super) fn of(actions: &[ActionResult], seconds: f64) -> Self {
        let mut steps: BTreeMap<&str, Status> = BTreeMap::new();
        for result in actions {
            let worst = steps.entry(&result.action.step).or_insert(Status::Succeeded);
            *worst = (*worst).max(result.status);
        }
        let count = |status| steps.values().filter(|ended| **ended == status).count();
        Self {
            succeeded: count(Status::Succeeded),
            failed: count(Status::Failed),
            skipped: count(Status::Skipped),
            interrupted: count(Status::Interrupted),
            outputs: actions.iter().map(|result| result.outputs.len()).sum(),
            seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ActionKind, ActionRef, OutputKind, OutputRecord};

    fn ended(step: &str, action: ActionKind, status: Status) -> ActionResult {
        ActionResult::new(ActionRef { id: 1, step: step.to_owned(), action }, status, 0.5)
    }

    #[test]
    fn a_step_counts_once_by_its_worst_action() {
        let output = || OutputRecord { kind: OutputKind::Stdout, path: None, rows: 3, bytes: 9 };
        let mut written = ended("a", ActionKind::Write, Status::Succeeded);
        written.outputs = vec![output(), output()];
        let actions = [
            ended("a", ActionKind::View, Status::Succeeded),
            written,
            ended("b", ActionKind::Materialize, Status::Succeeded),
            ended("b", ActionKind::Expect, Status::Failed),
            ended("b", ActionKind::Write, Status::Skipped),
            ended("c", ActionKind::Write, Status::Skipped),
        ];
        let found = RunSummary::of(&actions, 2.0);
        let counts = (found.succeeded, found.failed, found.skipped, found.interrupted, found.outputs);
        assert_eq!(counts, (1, 1, 1, 0, 2));
    }
}
