//! `pipectl run`: runs a pipeline.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use super::engine_arguments::EngineArguments;
use super::environment::store_settings;
use super::failure::Failure;
use super::inputs::{inputs_exist, wrong};
use super::interrupt::Interrupt;
use super::load::{Loaded, PipelineArguments, RunIdentity};
use super::target::{Chosen, TargetArguments};
use crate::analysis::prepare;
use crate::backend::Backend;
use crate::connect::Client;
use crate::dialect::Dialect;
use crate::duration::{Limit, NoLimit};
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan;
use crate::record::{Event, Sender};
use crate::report::{Ending, Reporter};
use crate::run::{self, OnFailure, Settings};
use crate::sink::{OutputLock, Stores};

/// How long threads that write may take to end after all else has.
pub(super) const LAST_WRITES: Duration = Duration::from_secs(2);

/// How long uploads that are given up may take to be ended at their stores after all else has.
const LAST_UPLOADS: Duration = Duration::from_secs(10);

/// Run a pipeline: check it, let the engine analyse it, carry it out, and write its outputs.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pipeline: PipelineArguments,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    engine: EngineArguments,
    /// How many actions run side by side.
    #[arg(short = 'j', long, value_name = "N", env = "PIPECTL_THREADS", default_value_t = 4, value_parser = threads)]
    threads: usize,
    /// When a step fails, go on with all that does not need it.
    #[arg(short, long, env = "PIPECTL_KEEP_GOING", conflicts_with = "fail_fast", action = clap::ArgAction::SetTrue, value_parser = clap::builder::FalseyValueParser::new())]
    keep_going: bool,
    /// When a step fails, interrupt what runs beside it.
    #[arg(short = 'x', long, env = "PIPECTL_FAIL_FAST", action = clap::ArgAction::SetTrue, value_parser = clap::builder::FalseyValueParser::new())]
    fail_fast: bool,
    /// How long the run may take, from its start on and with all that belongs to it: `90s`, `5m`, `1h30m`. Then it is interrupted, and
    /// fails.
    #[arg(long, value_name = "TIME", env = "PIPECTL_TIMEOUT", value_parser = limit)]
    timeout: Option<Limit>,
    /// Where records of runs are kept; where not given, `.pipectl` beside the project file, else beside the pipeline file.
    #[arg(long, value_name = "FOLDER", env = "PIPECTL_STATE_DIR")]
    state_dir: Option<PathBuf>,
}

fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=256) => Ok(count),
        _ => Err("a number from 1 to 256".to_owned()),
    }
}

pub(super) fn limit(text: &str) -> Result<Limit, String> {
    text.parse().map_err(|NoLimit { reason, help }| format!("{reason}: {help}"))
}

impl Run {
    fn on_failure(&self) -> OnFailure {
        match (self.keep_going, self.fail_fast) {
            (true, _) => OnFailure::KeepGoing,
            (_, true) => OnFailure::Stop,
            _ => OnFailure::Finish,
        }
    }
}

/// Runs the pipeline; whatever happens, the record of the run is written. The exit code comes back.
pub(super) fn run(arguments: &Run, reporter: Reporter) -> u8 {
    let began = Instant::now();
    let identity = RunIdentity::new();
    let (events, listener) = reporter.listen(identity.facts(&arguments.pipeline.file, began));
    let chosen = arguments.pipeline.folder().and_then(|folder| arguments.target.choose(&folder));
    let beside = match &chosen {
        Ok(Chosen { project: Some(project), .. }) => Some(project.clone()),
        Ok(_) => arguments.pipeline.folder().ok(),
        // Where records belong is not known: the project file says it, and can't be read.
        Err(_) => None,
    };
    let stores = Stores::new(store_settings());
    let result = chosen.and_then(|chosen| {
        let runtime = super::runtime()?;
        let result =
            runtime.block_on(carry_out(arguments, &chosen, &identity, &stores, reporter, &events, began));
        // A write that nobody waits for any more cleans up after itself, but must not hold the process up.
        runtime.shutdown_timeout(LAST_WRITES);
        stores.close(LAST_UPLOADS);
        result
    });
    drop(events);
    let mut results = listener.results();
    let result = result.and_then(|()| match results.ending() {
        Ending::Succeeded => Ok(()),
        ending => Err(Failure::Steps(ending)),
    });
    let exit_code = result.as_ref().map_or_else(Failure::exit_code, |()| 0);
    if let Err(failure) = &result {
        if let Failure::Pipeline { sources, diagnostics }
        | Failure::Project { sources, diagnostics }
        | Failure::Input { sources, diagnostics } = failure
        {
            results.add_diagnostics(sources, diagnostics);
        }
        results.add_failure(failure.message(), failure.said());
    }
    match &result {
        Ok(()) | Err(Failure::Steps(_) | Failure::Interrupted(_)) => reporter.summary(&results),
        Err(_) => {}
    }
    if let Err(failure) = &result {
        failure.report(reporter);
    }
    let state = arguments.state_dir.clone().or_else(|| Some(beside?.join(".pipectl")));
    if let Some(state) = state
        && !matches!(result, Err(Failure::File { .. }))
        && let Err(error) = results.save(&state, exit_code)
    {
        reporter.note(&format!("the record of this run can't be written to `{}`: {error}", state.display()));
    }
    exit_code
}

/// Reads like the way of a run: load, reach the engine, lower for it, send what it must have, check, lock the outputs, execute.
async fn carry_out(
    arguments: &Run,
    chosen: &Chosen,
    identity: &RunIdentity,
    stores: &Stores,
    reporter: Reporter,
    events: &Sender,
    began: Instant,
) -> Result<(), Failure> {
    let mut interrupt = Interrupt::watch()?;
    if let Some(limit) = arguments.timeout {
        interrupt.after(limit, began);
    }
    for event in chosen.events() {
        events.send(event);
    }
    let loaded = arguments.pipeline.load(identity, chosen);
    let sources = match &loaded {
        Ok(loaded) => Some(&loaded.pipeline.sources),
        Err(Failure::Pipeline { sources, .. }) => Some(sources),
        Err(_) => None,
    };
    if let Some(sources) = sources {
        events.send(Event::Read(sources.paths().map(Path::to_path_buf).collect()));
    }
    let Loaded { pipeline, warnings } = loaded?;
    reporter.diagnostics(&pipeline.sources, &warnings);
    let graph = Graph::new(&pipeline);
    let ends = pipeline.ids().filter(|id| pipeline.step(*id).is_end());
    inputs_exist(&pipeline, &graph.needed_for(ends))?;
    let pipeline = Arc::new(pipeline);
    let options = arguments.engine.options();
    let tag = run::tag(&identity.id);
    let backend =
        Backend { location: &chosen.location, options: &options, tag: &tag, events, stop: interrupt.token() };
    let work = async |client: &Client, dialect: &Dialect| {
        let plan =
            plan::compile(&pipeline, &graph, dialect).map_err(|gaps| wrong(&pipeline, gaps.sorted()))?;
        let began = Instant::now();
        let preparing = Box::pin(prepare(client, &pipeline, &plan, events));
        let found = backend.unless_stopped(preparing).await?;
        if found.has_errors() {
            return Err(wrong(&pipeline, found.sorted()));
        }
        events.send(Event::Checked { took: began.elapsed() });
        let _locks = lock_outputs(&pipeline, &identity.id, stores)?;
        stores_take(&pipeline, stores, &interrupt).await?;
        let settings = Settings {
            run_id: identity.id.clone(),
            threads: arguments.threads,
            on_failure: arguments.on_failure(),
            stores: Stores::clone(stores),
        };
        let plan = Arc::new(plan);
        run::execute(client, &pipeline, &plan, &settings, events, interrupt.token()).await?;
        Ok(())
    };
    backend.in_session(&pipeline.conf, work).await.map_err(|failure| interrupt.named(failure))
}

/// Keeps other runs off the outputs for as long as the locks live.
fn lock_outputs(pipeline: &Pipeline, run_id: &str, stores: &Stores) -> Result<Vec<OutputLock>, Failure> {
    let sinks = pipeline.steps.iter().flat_map(|step| step.sinks.iter().map(move |sink| (step, sink)));
    let locks = sinks.map(|(step, sink)| {
        OutputLock::of(&sink.value.place(step.folder()), run_id, stores.settings()).transpose()
    });
    locks.flatten().map(|lock| lock.map_err(Failure::from)).collect()
}

/// Finds out, before the engine works on any rows, whether object stores take what is to be written there.
async fn stores_take(pipeline: &Pipeline, stores: &Stores, interrupt: &Interrupt) -> Result<(), Failure> {
    let sinks = pipeline.steps.iter().flat_map(|step| step.sinks.iter().map(move |sink| (step, sink)));
    for output in sinks.filter_map(|(step, sink)| sink.value.in_store(step.folder())) {
        interrupt.or(async { Ok(stores.check(output).await?) }).await?;
    }
    Ok(())
}
