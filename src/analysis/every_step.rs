//! The analysis of every step on one engine, and what several engines find together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::check::{check, search};
use super::context::Context;
use super::divergence::{There, differences};
use super::localize::Known;
use super::{inputs, trial};
use crate::backend::{Backend, Error, Session, upload};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::graph::Graph;
use crate::pipeline::{Pipeline, StepId};
use crate::plan::{self, Scope};

/// A pipeline as one target makes it: variables and paths may depend on the target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) graph: &'a Graph,
}

impl Subject<'_> {
    fn steps(&self) -> Vec<StepId> {
        self.graph.needed_for(self.pipeline.ids())
    }
}

/// What one engine finds.
#[derive(Debug)]
pub(crate) struct Analysis {
    pub(crate) dialect: Dialect,
    pub(crate) found: Diagnostics,
    /// The schemas of the steps, where these are wanted.
    known: HashMap<StepId, Arc<Known>>,
}

impl Analysis {
    fn columns(&self) -> There<'_> {
        There { dialect: &self.dialect, known: &self.known }
    }
}

/// What an analysis is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Errors,
    /// Also the schema of each step.
    Schemas,
}

/// Analyses every step in a session of the backend.
pub(crate) async fn analyse_all(
    backend: &Backend<'_>,
    session: &Session,
    subject: Subject<'_>,
    wanted: Wanted,
) -> Result<Analysis, Error> {
    let (Subject { pipeline, graph }, Session { client, dialect }) = (subject, session);
    let steps = subject.steps();
    let unreadable = inputs::read_uploads(pipeline, &steps);
    let compiled = plan::compile_scope(pipeline, graph, dialect, Scope::Everything);
    let lacking = compiled.as_ref().err().cloned().unwrap_or_default();
    // What the engine can't read need not be there.
    let lacks = without(pipeline, lacking.clone());
    let read: Vec<StepId> = steps.iter().copied().filter(|id| !lacks.contains(id)).collect();
    let mut found = inputs::missing(pipeline, &read);
    found.append(unreadable);
    let mut known = HashMap::new();
    found.append(lacking.clone());
    let unknown = without(pipeline, found.clone());
    if let Ok(plan) = &compiled {
        let refused = upload::everything(client, pipeline, plan, backend.events);
        let refused = backend.unless_stopped(refused).await?;
        if refused.has_errors() {
            return Ok(Analysis { dialect: dialect.clone(), found: refused, known });
        }
    }
    if wanted == Wanted::Schemas || found.has_errors() {
        let context = Context { client, pipeline, dialect };
        let search = Box::pin(search(&context, &steps, &unknown));
        match backend.unless_stopped(async { Ok::<_, Error>(search.await) }).await? {
            Ok(findings) => {
                found.append(findings.found);
                known = findings.known;
            }
            // Rows that travel beside plans were not sent, where there is no plan.
            Err(error) if error.is_missing_rows() && lacking.has_errors() => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(plan) = compiled.ok().filter(|_| !found.has_errors()) {
        let check = Box::pin(check(client, pipeline, &plan));
        found.append(backend.unless_stopped(check).await?);
    }
    let trial = Box::pin(trial::rows(client, pipeline, dialect, &steps));
    let tried = backend.unless_stopped(trial).await?;
    // A type that does not exist is known by now.
    let before = found.clone().sorted();
    let is_news = |one: &Diagnostic| before.iter().all(|known| known.span != one.span);
    tried.sorted().into_iter().filter(is_news).for_each(|one| found.push(one));
    Ok(Analysis { dialect: dialect.clone(), found, known })
}

/// The steps at which something is missing, or lacking: an engine's words about them would be the same once more.
fn without(pipeline: &Pipeline, found: Diagnostics) -> HashSet<StepId> {
    let found = found.sorted();
    let is_hit = |id: &StepId| {
        let step = pipeline.step(*id);
        let paths = inputs::places(step);
        let transforms = step.transforms.iter().map(|transform| transform.span);
        let mut spans = paths.into_iter().chain(transforms).chain([step.source.span]);
        spans.any(|span| found.iter().any(|one| one.span == span))
    };
    pipeline.ids().filter(is_hit).collect()
}

/// Returns what all engines find: an error of several once, then what differs from the first engine.
pub(crate) fn combined(analyses: &[(Subject<'_>, Analysis)]) -> Vec<Diagnostic> {
    let Some(((first, here), others)) = analyses.split_first() else { return Vec::new() };
    let mut found = here.found.clone();
    for (subject, there) in others {
        let known = found.clone().sorted();
        // With other values a mistake at one place may be another one.
        let has_same_values = subject.pipeline.bindings == first.pipeline.bindings;
        for mut diagnostic in there.found.clone().sorted() {
            let is_known = |one: &Diagnostic| {
                is_same(one, &diagnostic) && (has_same_values || one.message == diagnostic.message)
            };
            if known.iter().any(is_known) {
                continue;
            }
            // What an engine lacks names the engine.
            if diagnostic.code != Code::Gap {
                diagnostic.message = format!("on {}: {}", there.dialect, diagnostic.message);
            }
            found.push(diagnostic);
        }
        let steps = first.steps();
        let differing = differences(first.pipeline, &steps, here.columns(), there.columns());
        found.append(differing.into_iter().collect());
    }
    found.sorted()
}

/// Whether two engines mean the same, one of them perhaps more exactly.
fn is_same(one: &Diagnostic, other: &Diagnostic) -> bool {
    let (a, b) = (one.span, other.span);
    one.code == other.code && a.file == b.file && (a == b || (a.start < b.end && b.start < a.end))
}
