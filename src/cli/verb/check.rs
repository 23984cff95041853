//! `pipectl check`: lets engines analyse a pipeline; nothing is run and nothing is written.

use std::time::Instant;

use clap::Args;

use super::run::limit;
use crate::analysis::{Analysis, Subject, Wanted, analyse_all, combined, concurrent};
use crate::backend::{Backend, Session};
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::{Loaded, PipelineArguments};
use crate::cli::args::target::{Chosen, TargetArguments};
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::inputs::wrong;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::diagnostic::Diagnostic;
use crate::duration::Limit;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
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
    fn subject(&self) -> Subject<'_> {
        Subject { pipeline: &self.pipeline, graph: &self.graph }
    }
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
    let wanted = if spots.len() == 1 { Wanted::Errors } else { Wanted::Schemas };
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
            let work = async |session: &Session| {
                Ok::<_, Failure>(analyse_all(&backend, session, spot.subject(), wanted).await?)
            };
            backend.in_session(&spot.pipeline.conf, work).await
        }
    });
    let analyses = concurrent::all(analyses, spots.len()).await;
    let analyses = analyses.into_iter().collect::<Result<Vec<Analysis>, Failure>>();
    let analyses = analyses.map_err(|failure| interrupt.named(failure))?;
    let analyses: Vec<_> = spots.iter().map(Spot::subject).zip(analyses).collect();
    let found = combined(&analyses);
    let found = arguments.pipeline.warnings.told(found);
    let first = &spots[0];
    if found.iter().any(Diagnostic::is_error) {
        return Err(wrong(&first.pipeline, found));
    }
    let found = arguments.pipeline.warnings.judged(&first.pipeline.sources, found)?;
    reporter.diagnostics(&first.pipeline.sources, &found);
    let engines: Vec<String> = analyses.iter().map(|(_, one)| one.dialect.to_string()).collect();
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
