//! `pipectl check`: lets engines analyse a pipeline; nothing is run and nothing is written.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::run::limit;
use crate::analysis::check::{check, search};
use crate::analysis::divergence::{There, differences};
use crate::analysis::{Context, Known, concurrent, inputs, trial};
use crate::backend::{Backend, Session, upload};
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::{Loaded, PipelineArguments};
use crate::cli::args::target::{Chosen, TargetArguments};
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::inputs::wrong;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::dialect::Dialect;
use crate::duration::Limit;
use crate::graph::Graph;
use crate::pipeline::{Pipeline, StepId};
use crate::plan::{self, Scope};
use crate::record::Sender;
use crate::report::Reporter;
use crate::run;

/// Check a pipeline: all that `validate` finds, then what the engine's analysis does. No data is read and nothing is written.
///
/// Columns, types, functions and tables are looked at in every step, also in those that feed no output.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pipeline: PipelineArguments,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    engine: EngineArguments,
    /// Analyse on this engine too, and tell what is wrong or other there: an engine as for `--engine`, a target of the project file, or
    /// a server, `sc://host:15002`. May be given several times.
    #[arg(long, value_name = "ENGINE")]
    also: Vec<String>,
    /// How long it may take, from its start on: `90s`, `5m`. Then it is interrupted, and fails.
    #[arg(long, value_name = "TIME", env = "PIPECTL_TIMEOUT", value_parser = limit)]
    timeout: Option<Limit>,
}

pub(crate) fn check_pipeline(arguments: &Check, reporter: Reporter) -> Result<(), Failure> {
    let began = Instant::now();
    let identity = RunIdentity::new();
    let (events, listener) = identity.listen(&arguments.pipeline.file, reporter, began);
    let runtime = runtime()?;
    let result = runtime.block_on(carry_out(arguments, &identity, reporter, &events, began));
    drop(events);
    listener.join();
    reporter.note(&result?);
    Ok(())
}

/// Where the pipeline is analysed, and what it is there: variables and paths may depend on the target.
struct Spot {
    chosen: Chosen,
    pipeline: Pipeline,
    graph: Graph,
}

impl Spot {
    fn steps(&self) -> Vec<StepId> {
        self.graph.needed_for(self.pipeline.ids())
    }
}

/// What an engine says.
struct Said {
    dialect: Dialect,
    found: Diagnostics,
    /// The columns of the steps, where these were asked for.
    known: HashMap<StepId, Arc<Known>>,
}

impl Said {
    fn columns(&self) -> There<'_> {
        There { dialect: &self.dialect, known: &self.known }
    }
}

/// Whether the columns of each step are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Mistakes,
    Columns,
}

/// Checks, and says what was checked.
async fn carry_out(
    arguments: &Check,
    identity: &RunIdentity,
    reporter: Reporter,
    events: &Sender,
    began: Instant,
) -> Result<String, Failure> {
    let interrupt = Interrupt::watch(arguments.timeout, began)?;
    let folder = arguments.pipeline.folder()?;
    let others = arguments.also.iter().map(|name| arguments.target.another(name).choose(&folder));
    let chosen = std::iter::once(arguments.target.choose(&folder)).chain(others);
    let mut spots: Vec<Spot> = Vec::new();
    for (number, chosen) in chosen.enumerate() {
        let chosen = chosen?;
        chosen.events().into_iter().for_each(|event| events.send(event));
        let Loaded { pipeline, warnings } = arguments.pipeline.load(identity, &chosen)?;
        if number == 0 {
            reporter.diagnostics(&pipeline.sources, &warnings);
        }
        if let Some(first) = spots.first()
            && !first.pipeline.sources.is_same(&pipeline.sources)
        {
            return Err(Failure::Usage {
                message: "the pipeline reads other files there, and one check is about one set of files"
                    .to_owned(),
                hints: vec!["check it there by itself: `--target`".to_owned()],
            });
        }
        let graph = Graph::new(&pipeline);
        spots.push(Spot { chosen, pipeline, graph });
    }
    let wanted = if spots.len() == 1 { Wanted::Mistakes } else { Wanted::Columns };
    let (options, tag) = (arguments.engine.options(), run::tag(&identity.id));
    let analyses = spots.iter().map(|spot| {
        let backend = Backend {
            location: &spot.chosen.location,
            options: &options,
            tag: &tag,
            events,
            stop: interrupt.stop(),
        };
        async move {
            let work = async |session: &Session| analyse(&backend, spot, session, wanted).await;
            backend.in_session(&spot.pipeline.conf, work).await
        }
    });
    let said = concurrent::all(analyses, spots.len()).await;
    let said = said.into_iter().collect::<Result<Vec<Said>, Failure>>();
    let said = said.map_err(|failure| interrupt.named(failure))?;
    let found = all_said(&spots, &said);
    let found = arguments.pipeline.warnings.told(found);
    let first = &spots[0];
    if found.iter().any(Diagnostic::is_error) {
        return Err(wrong(&first.pipeline, found));
    }
    let found = arguments.pipeline.warnings.judged(&first.pipeline.sources, found)?;
    reporter.diagnostics(&first.pipeline.sources, &found);
    let engines: Vec<String> = said.iter().map(|said| said.dialect.to_string()).collect();
    Ok(format!(
        "`{}` is right for {}: {} and {}, checked in {:.2} s",
        arguments.pipeline.file.display(),
        engines.join(" and "),
        count(first.pipeline.steps.len(), "step"),
        count(first.pipeline.steps.iter().map(|step| step.sinks.len()).sum(), "output"),
        began.elapsed().as_secs_f64()
    ))
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// What one engine says of the pipeline.
async fn analyse(
    backend: &Backend<'_>,
    spot: &Spot,
    session: &Session,
    wanted: Wanted,
) -> Result<Said, Failure> {
    let (Spot { pipeline, graph, .. }, Session { client, dialect }) = (spot, session);
    let steps = spot.steps();
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
            return Err(wrong(pipeline, refused.sorted()));
        }
    }
    if wanted == Wanted::Columns || found.has_errors() {
        let context = Context { client, pipeline, dialect };
        let search = Box::pin(search(&context, &steps, &unknown));
        match backend.unless_stopped(async { Ok::<_, crate::backend::Error>(search.await) }).await? {
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
    let told = found.clone().sorted();
    let is_news = |one: &Diagnostic| told.iter().all(|known| known.span != one.span);
    tried.sorted().into_iter().filter(is_news).for_each(|one| found.push(one));
    Ok(Said { dialect: dialect.clone(), found, known })
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

/// What all engines say: a mistake that several find once, then what is other on others than the first.
fn all_said(spots: &[Spot], said: &[Said]) -> Vec<Diagnostic> {
    let (Some(first), Some((here, others))) = (spots.first(), said.split_first()) else { return Vec::new() };
    let mut found = here.found.clone();
    for (spot, there) in spots.iter().skip(1).zip(others) {
        let known = found.clone().sorted();
        // With other values a mistake at one place may be another one.
        let has_same_values = spot.pipeline.bindings == first.pipeline.bindings;
        for mut diagnostic in there.found.clone().sorted() {
            let is_told = |one: &Diagnostic| {
                is_same(one, &diagnostic) && (has_same_values || one.message == diagnostic.message)
            };
            if known.iter().any(is_told) {
                continue;
            }
            // What an engine lacks names the engine.
            if diagnostic.code != Code::Gap {
                diagnostic.message = format!("on {}: {}", there.dialect, diagnostic.message);
            }
            found.push(diagnostic);
        }
        let steps = first.steps();
        let others = differences(&first.pipeline, &steps, here.columns(), there.columns());
        found.append(others.into_iter().collect());
    }
    found.sorted()
}

/// Whether two engines mean the same, one of them perhaps more exactly.
fn is_same(one: &Diagnostic, other: &Diagnostic) -> bool {
    let (a, b) = (one.span, other.span);
    one.code == other.code && a.file == b.file && (a == b || (a.start < b.end && b.start < a.end))
}
