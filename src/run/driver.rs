//! Drives the actions of a plan: asks the schedule what is next, awaits what it started, reports what happened.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::action::{Ended, Task};
use super::effects::Effects;
use super::error::Error;
use super::request::{Request, tag};
use super::schedule::{Decision, Happened, Node, Schedule};
use crate::connect::{self, Client, Tag};
use crate::pipeline::Pipeline;
use crate::plan::{Action, ActionId, Plan, Work};
use crate::record::{ActionKind, ActionRef, ActionResult, Event, Notice, Sender, SkipReason, Status};

/// Executes the plan; cancelling `stop` interrupts it. An error where the session was lost before anything outside was changed: then
/// nothing has happened, and the run may restart in another session.
pub(super) async fn execute(
    client: &Client,
    request: &Request<'_>,
    plan: &Arc<Plan>,
    events: &Sender,
    stop: &CancellationToken,
) -> Result<(), connect::Error> {
    let pipeline = request.pipeline;
    events.send(Event::RunStarted {
        run_id: request.run_id.to_owned(),
        pipeline: pipeline.name.clone(),
        steps: plan.steps.len(),
        actions: plan.actions.len(),
    });
    for step in timeouts_without_effect(pipeline, plan) {
        events.send(Event::Notice(Notice::TimeoutWithoutEffect { step: step.to_owned() }));
    }
    let mut driver = Driver::new(client, request, plan, events);
    let mut decisions = driver.schedule.on(Happened::Begin);
    let mut interrupted = false;
    loop {
        for decision in decisions.drain(..) {
            driver.act(decision);
        }
        if driver.schedule.is_over() {
            return Ok(());
        }
        let ended = tokio::select! {
            () = stop.cancelled(), if !interrupted => {
                interrupted = true;
                decisions = driver.schedule.on(Happened::Interrupt);
                continue;
            }
            ended = driver.tasks.join_next() => ended,
        };
        let Some(ended) = ended else { return Ok(()) };
        let (ActionId(at), ended) = joined(ended);
        let ended = match ended {
            Ended::Lost(error) if interrupted || driver.effects.have_begun() => Ended::failed(&error.into()),
            ended => ended,
        };
        let happened = match ended {
            Ended::Lost(error) => {
                driver.abandon().await;
                return Err(error);
            }
            ended => driver.finish(at, ended),
        };
        decisions = driver.schedule.on(happened);
    }
}

/// What the execution of one plan knows.
struct Driver<'a> {
    client: &'a Client,
    request: &'a Request<'a>,
    plan: &'a Arc<Plan>,
    events: &'a Sender,
    schedule: Schedule,
    tasks: JoinSet<(ActionId, Ended)>,
    /// Cancelled to interrupt what runs.
    stop_running: CancellationToken,
    effects: Effects,
    started: HashMap<usize, Instant>,
    /// Actions that evaluated expectations which rows violate.
    violated: Vec<usize>,
    /// Why actions were skipped: those that need them are for the same reason.
    skipped: HashMap<usize, SkipReason>,
}

impl<'a> Driver<'a> {
    fn new(client: &'a Client, request: &'a Request<'a>, plan: &'a Arc<Plan>, events: &'a Sender) -> Self {
        let nodes = plan.actions.iter().map(node).collect();
        let effects = Effects::default();
        let statements = plan.steps.iter().map(|id| &request.pipeline.step(*id).source.value);
        if statements.into_iter().any(crate::source::Source::may_change_data) {
            effects.begin();
        }
        Self {
            client,
            request,
            plan,
            events,
            schedule: Schedule::new(nodes, request.threads, request.on_failure),
            tasks: JoinSet::new(),
            stop_running: CancellationToken::new(),
            effects,
            started: HashMap::new(),
            violated: Vec::new(),
            skipped: HashMap::new(),
        }
    }

    fn act(&mut self, decision: Decision) {
        match decision {
            Decision::Start(at) => self.start(at),
            Decision::Skip { action, because } => {
                let reason = self.skip_reason(because);
                self.skipped.insert(action, reason.clone());
                let result = ActionResult::new(self.reference(action), Status::Skipped, 0.0);
                self.events.send(Event::ActionFinished(ActionResult { skipped: Some(reason), ..result }));
            }
            Decision::Interrupt => self.stop_running.cancel(),
        }
    }

    fn start(&mut self, at: usize) {
        let action = self.reference(at);
        self.started.insert(at, Instant::now());
        self.events.send(Event::ActionStarted(action.clone()));
        let task = Task {
            client: self.client.clone(),
            pipeline: Arc::clone(self.request.pipeline),
            plan: Arc::clone(self.plan),
            events: self.events.clone(),
            stop: self.stop_running.child_token(),
            stores: self.request.stores.clone(),
            effects: self.effects.clone(),
            tags: vec![tag(self.request.run_id), Tag::new(&format!("pipectl-step-{}", action.step))],
            action,
        };
        self.tasks.spawn(task.perform(ActionId(at)));
    }

    /// Reports how an action ended.
    fn finish(&mut self, at: usize, ended: Ended) -> Happened {
        let seconds = self.started.get(&at).map(|began| began.elapsed().as_secs_f64()).unwrap_or_default();
        let result = |status| ActionResult::new(self.reference(at), status, seconds);
        let (result, happened) = match ended {
            Ended::Succeeded(done) => {
                let result =
                    ActionResult { rows: done.rows, outputs: done.outputs, ..result(Status::Succeeded) };
                (result, Happened::Succeeded(at))
            }
            Ended::Interrupted => (result(Status::Interrupted), Happened::Failed(at)),
            Ended::Failed { error, is_violated } => {
                let result = ActionResult { error: Some(*error), ..result(Status::Failed) };
                if is_violated {
                    self.violated.push(at);
                }
                (result, Happened::Failed(at))
            }
            Ended::Lost(error) => {
                let error = Some(Error::from(error).record());
                (ActionResult { error, ..result(Status::Failed) }, Happened::Failed(at))
            }
        };
        self.events.send(Event::ActionFinished(result));
        happened
    }

    /// Stops what runs and reports nothing of it: as far as anybody knows it was never begun.
    async fn abandon(&mut self) {
        self.stop_running.cancel();
        while self.tasks.join_next().await.map(joined).is_some() {}
    }

    fn skip_reason(&self, because: Option<usize>) -> SkipReason {
        let Some(cause) = because else { return SkipReason::RunStopped };
        if let Some(reason) = self.skipped.get(&cause) {
            return reason.clone();
        }
        let ActionRef { step, action, .. } = self.reference(cause);
        match action {
            ActionKind::Expect if self.violated.contains(&cause) => SkipReason::ExpectationFailed { step },
            ActionKind::Expect => SkipReason::ExpectationNotEvaluated { step },
            ActionKind::View | ActionKind::Materialize | ActionKind::Write | ActionKind::Preview => {
                SkipReason::UpstreamFailed { step }
            }
        }
    }

    fn reference(&self, at: usize) -> ActionRef {
        let action = self.plan.action(ActionId(at));
        let kind = match action.work {
            Work::View { .. } => ActionKind::View,
            Work::Store { .. } => ActionKind::Materialize,
            Work::Expect { .. } => ActionKind::Expect,
            Work::Write { .. } => ActionKind::Write,
            Work::Show { .. } => ActionKind::Preview,
        };
        let step = self.request.pipeline.step(action.step).name.to_string();
        ActionRef { id: at + 1, step, action: kind }
    }
}

fn joined(ended: Result<(ActionId, Ended), JoinError>) -> (ActionId, Ended) {
    // A panic of a task is a bug of pipectl's; let it be seen as one.
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Returns the steps whose `timeout` has no effect, since they have no query of their own.
fn timeouts_without_effect<'p>(pipeline: &'p Pipeline, plan: &Plan) -> impl Iterator<Item = &'p str> {
    // A preview says nothing about how other steps are executed.
    let is_run = plan.shown().is_none();
    let has_query = |id| plan.actions.iter().any(|it| it.step == id && !matches!(it.work, Work::View { .. }));
    let steps = plan.steps.iter().filter(move |id| is_run && !has_query(**id)).map(|id| pipeline.step(*id));
    steps.filter(|step| step.timeout.is_some()).map(|step| step.name.value.as_str())
}

fn node(action: &Action) -> Node {
    let numbers = |ids: &[ActionId]| ids.iter().map(|id| id.0).collect();
    Node { needs: numbers(&action.needs), after: numbers(&action.after) }
}
