//! Owns what a run does: which relations the engine works out, in which order, for which output.
//!
//! A step that one other step reads is put into its reader, so that the engine optimises across both. A step that several
//! read becomes a named relation: a view where its work is small, stored rows where it is not. So plans grow linearly with
//! the file, and nothing is worked out twice that is worth keeping.

mod compile;
mod fitting;
mod look;

mod order;
mod sharing;
mod text;

use crate::dialect::Dialect;
use crate::expect::OnFail;
use crate::local::Blob;
use crate::pipeline::StepId;
use crate::proto::spark::Relation;
use crate::sink::Stdout;
use crate::text::Span;

pub(crate) use compile::{Scope, as_found, compile, compile_scope, input_view, prefix, views_of};
pub(crate) use fitting::Fitting;
pub(crate) use look::Look;
pub(crate) use text::describe;

/// An action's number, in an order in which each comes after those it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ActionId(pub(crate) usize);

/// Something that the engine is asked to do.
#[derive(Debug)]
pub(crate) struct Action {
    pub(crate) id: ActionId,
    pub(crate) step: StepId,
    pub(crate) work: Work,
    pub(crate) relation: Relation,
    /// Actions that must have succeeded.
    pub(crate) needs: Vec<ActionId>,
    /// Actions that must have ended, in whatever way.
    pub(crate) after: Vec<ActionId>,
}

/// What is done with an action's relation.
#[derive(Debug)]
pub(crate) enum Work {
    /// It gets a name; nothing is worked out.
    View { name: String },
    /// Its rows are worked out once and kept under a name.
    Store { name: String },
    /// Its one row counts the step's rows and, for each violation, those that are wrong.
    Expect { violations: Vec<Expected> },
    /// Its rows go to these outputs of the step, by their numbers.
    Write { sinks: Vec<usize> },
    /// Its rows are shown, whatever the outputs of the step are. The order of the sort `lost` they have no more: nobody relies on it.
    Show { stdout: Stdout, lost: Option<Span> },
}

/// What is expected of rows, and what happens where some do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) text: String,
    pub(crate) on_fail: OnFail,
}

/// Rows of a step that the engine has before its plans name them.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) step: StepId,
    pub(crate) blobs: Vec<Blob>,
}

/// A relation whose columns are looked at before any data is read.
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) step: StepId,
    pub(crate) relation: Relation,
    pub(crate) question: Question,
}

/// What is asked of a probe's columns.
#[derive(Debug)]
pub(crate) enum Question {
    /// Whether these are among them.
    Has(Vec<(String, Span)>),
    /// Whether these values fit them.
    Fit(Vec<Fitting>),
    /// The same, spelled so: outputs tell `Day` from `day`.
    Named(Vec<(String, Span)>),
    /// Whether no two have one name; the span is that of what made them.
    Distinct(Span),
    /// Whether there are any: engines read what is not there as nothing.
    Any(Span),
    /// Whether they are what the contract of the step's source says.
    Kept,
    /// Whether the contract with which the step's data is read fits the first line of that; whether it is a header.
    FirstLine { is_header: bool },
    /// Nothing but that it is right.
    Nothing,
}

/// All that a run does, for one engine.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) dialect: Dialect,
    /// The steps that it is about, in order.
    pub(crate) steps: Vec<StepId>,
    /// What is sent before anything else.
    pub(crate) uploads: Vec<Upload>,
    pub(crate) actions: Vec<Action>,
    pub(crate) probes: Vec<Probe>,
}

impl Plan {
    pub(crate) fn action(&self, id: ActionId) -> &Action {
        &self.actions[id.0]
    }

    /// What is looked at, where the plan is a look at a step.
    pub(crate) fn shown(&self) -> Option<&Action> {
        self.actions.last().filter(|action| matches!(action.work, Work::Show { .. }))
    }

    /// The sort whose order the rows that are looked at have no more.
    pub(crate) fn lost_order(&self) -> Option<Span> {
        match self.shown()?.work {
            Work::Show { lost, .. } => lost,
            Work::View { .. } | Work::Store { .. } | Work::Expect { .. } | Work::Write { .. } => None,
        }
    }
}
