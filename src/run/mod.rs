//! Runs a pipeline: the one recipe from a pipeline to its results.
//!
//! The engine is reached, the pipeline lowered for it, everything analysed, the outputs locked, the plan executed. The [`schedule`]
//! decides and the [`driver`] awaits. The runner knows how a run ended and returns its record; events only report progress.

mod action;
mod driver;
mod effects;
mod error;
mod request;
mod schedule;

use std::sync::Arc;
use std::time::Instant;

use crate::analysis::prepare;
use crate::backend::{Backend, Session};
use crate::diagnostic::Diagnostics;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan::{self, Plan, Scope};
use crate::record::{Event, Notice, RunResults, Sender};
use crate::sink::{OutputLock, Stores};

pub(crate) use error::{Failure, hints, sink_record};
pub(crate) use request::{Request, tag};
pub(crate) use schedule::OnFailure;

/// Runs a pipeline at an engine and returns the record of the run, whatever happened. Cancelling the backend's `stop` interrupts it.
pub(crate) async fn run(request: &Request<'_>, backend: &Backend<'_>, events: &Sender) -> RunResults {
    let attempt = async |session: &Session| attempt(request, backend, session, events).await;
    let result = Box::pin(backend.in_session(&request.pipeline.conf, attempt)).await;
    if let Err(failure) = result {
        failure.report(request.pipeline, events);
    }
    events.finish(backend.stop.reason())
}

/// One attempt in one session.
async fn attempt(
    request: &Request<'_>,
    backend: &Backend<'_>,
    session: &Session,
    events: &Sender,
) -> Result<(), Failure> {
    let Request { pipeline, graph, stores, .. } = *request;
    let plan = checked_plan(session, pipeline, graph, request.scope, backend).await?;
    let _locks = if matches!(request.scope, Scope::Outputs) {
        let locks = lock_outputs(pipeline, request.run_id, stores)?;
        stores_accept(pipeline, stores, backend).await?;
        locks
    } else {
        Vec::new()
    };
    if let Some(sort) = plan.lost_order() {
        let line = pipeline.sources.get(sort.file).position(sort.start).line;
        events.send(Event::Notice(Notice::OrderLost { engine: session.dialect.to_string(), line }));
    }
    driver::execute(&session.client, request, &Arc::new(plan), events, backend.stop.token()).await?;
    Ok(())
}

/// Returns a plan that the engine's analysis has found nothing wrong with, in a session that has all that the plan needs.
pub(crate) async fn checked_plan(
    session: &Session,
    pipeline: &Pipeline,
    graph: &Graph,
    scope: Scope<'_>,
    backend: &Backend<'_>,
) -> Result<Plan, Failure> {
    let plan = plan::compile_scope(pipeline, graph, &session.dialect, scope).map_err(Failure::Refused)?;
    let began = Instant::now();
    let preparing = Box::pin(prepare(&session.client, pipeline, &plan, backend.events));
    let found: Diagnostics = backend.unless_stopped(preparing).await?;
    if found.has_errors() {
        return Err(Failure::Refused(found));
    }
    backend.events.send(Event::CheckPassed { seconds: began.elapsed().as_secs_f64() });
    Ok(plan)
}

/// Keeps other runs off the outputs for as long as the locks live.
fn lock_outputs(pipeline: &Pipeline, run_id: &str, stores: &Stores) -> Result<Vec<OutputLock>, Failure> {
    let sinks = pipeline.steps.iter().flat_map(|step| step.sinks.iter().map(move |sink| (step, sink)));
    let locks = sinks.map(|(step, sink)| {
        OutputLock::of(&sink.value.place(step.folder()), run_id, stores.settings()).transpose()
    });
    locks.flatten().map(|lock| lock.map_err(Failure::from)).collect()
}

/// Finds out, before the engine computes any rows, whether object stores accept what is to be written there.
async fn stores_accept(pipeline: &Pipeline, stores: &Stores, backend: &Backend<'_>) -> Result<(), Failure> {
    let sinks = pipeline.steps.iter().flat_map(|step| step.sinks.iter().map(move |sink| (step, sink)));
    for output in sinks.filter_map(|(step, sink)| sink.value.in_store(step.folder())) {
        tokio::select! {
            biased;
            () = backend.stop.token().cancelled() => return Err(crate::backend::Error::Interrupted.into()),
            result = stores.check(output) => result?,
        }
    }
    Ok(())
}
