//! `pipectl run`: runs a pipeline.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use crate::backend::Backend;
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::{Loaded, PipelineArguments};
use crate::cli::args::target::{Chosen, TargetArguments};
use crate::cli::env::store_settings;
use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::inputs::inputs_exist;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::duration::{Limit, NoLimit};
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan::Scope;
use crate::record::{Event, RunResults, Sender, save};
use crate::report::Reporter;
use crate::run::{self, OnFailure, Request};
use crate::sink::Stores;

/// How long threads that write may take to end after all else has.
pub(crate) const LAST_WRITES: Duration = Duration::from_secs(2);

/// How long uploads that are given up may take to be ended at their stores after all else has.
const LAST_UPLOADS: Duration = Duration::from_secs(10);

/// Run a pipeline: check it, let the engine analyse it, carry it out, and write its outputs.
#[derive(Debug, Args)]
pub(crate) struct Run {
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

pub(crate) fn limit(text: &str) -> Result<Limit, String> {
    text.parse().map_err(|NoLimit { reason, help }| format!("{reason}: {help}"))
}

impl Run {
    /// Returns the default for `--state-dir`: in the folder of the project file, else in that of the pipeline file.
    fn default_state(&self, chosen: &Chosen) -> Option<PathBuf> {
        let folder = chosen.project.clone().or_else(|| self.pipeline.folder().ok())?;
        Some(folder.join(".pipectl"))
    }

    fn on_failure(&self) -> OnFailure {
        match (self.keep_going, self.fail_fast) {
            (true, _) => OnFailure::KeepGoing,
            (_, true) => OnFailure::Stop,
            _ => OnFailure::Finish,
        }
    }
}

/// Runs the pipeline; whatever happens, the record of the run is written. Returns the exit code.
pub(crate) fn run(arguments: &Run, reporter: Reporter) -> u8 {
    let began = Instant::now();
    let identity = RunIdentity::new();
    let (events, listener) = identity.listen(&arguments.pipeline.file, reporter, began);
    let chosen = arguments.pipeline.folder().and_then(|folder| arguments.target.choose(&folder));
    let state = arguments.state_dir.clone().or_else(|| arguments.default_state(chosen.as_ref().ok()?));
    let result = chosen.and_then(|chosen| execute(arguments, &chosen, &identity, reporter, &events, began));
    let (mut results, exit_code, state) = match result {
        Ok(results) => {
            let exit_code = exit::of_run(&results);
            (results, exit_code, state)
        }
        Err(failure) => {
            // Of a file that can't be read there is no record: it may be the name of another command.
            let state = state.filter(|_| !matches!(failure, Failure::File { .. }));
            (failed(&failure, &events), failure.exit_code(), state)
        }
    };
    drop(events);
    listener.join();
    results.exit_code = exit_code;
    reporter.results(&results);
    if let Some(state) = state
        && let Err(error) = save(&results, &state)
    {
        reporter.note(&format!("the record of this run can't be written to `{}`: {error}", state.display()));
    }
    exit_code
}

/// The results of a run that could not even begin.
fn failed(failure: &Failure, events: &Sender) -> RunResults {
    if let Some((sources, diagnostics)) = failure.diagnostics() {
        events.diagnostics(sources, diagnostics.to_vec());
    }
    if let Failure::Interrupted(reason) = failure {
        return events.finish(Some(reason.clone()));
    }
    events.fail(failure.record());
    events.finish(None)
}

/// From the arguments to the results.
fn execute(
    arguments: &Run,
    chosen: &Chosen,
    identity: &RunIdentity,
    reporter: Reporter,
    events: &Sender,
    began: Instant,
) -> Result<RunResults, Failure> {
    let stores = Stores::new(store_settings());
    let runtime = runtime()?;
    let results = runtime.block_on(async {
        let interrupt = Interrupt::watch(arguments.timeout, began)?;
        chosen.events().into_iter().for_each(|event| events.send(event));
        let pipeline = Arc::new(load(arguments, chosen, identity, reporter, events)?);
        let graph = Graph::new(&pipeline);
        let ends = pipeline.ids().filter(|id| pipeline.step(*id).is_end());
        inputs_exist(&pipeline, &graph.needed_for(ends))?;
        let backend = Backend {
            location: &chosen.location,
            options: &arguments.engine.options(),
            tag: &run::tag(&identity.id),
            events,
            stop: interrupt.stop(),
        };
        let request = Request {
            run_id: &identity.id,
            pipeline: &pipeline,
            graph: &graph,
            scope: Scope::Outputs,
            threads: arguments.threads,
            on_failure: arguments.on_failure(),
            stores: &stores,
        };
        Ok(Box::pin(run::run(&request, &backend, events)).await)
    });
    // A write that nobody waits for any more cleans up after itself, but must not hold the process up.
    runtime.shutdown_timeout(LAST_WRITES);
    stores.close(LAST_UPLOADS);
    results
}

/// Loads the pipeline, and reports which files it was read from.
fn load(
    arguments: &Run,
    chosen: &Chosen,
    identity: &RunIdentity,
    reporter: Reporter,
    events: &Sender,
) -> Result<Pipeline, Failure> {
    let loaded = arguments.pipeline.load(identity, chosen);
    let sources = match &loaded {
        Ok(loaded) => Some(&loaded.pipeline.sources),
        Err(Failure::Pipeline { sources, .. }) => Some(sources),
        Err(_) => None,
    };
    if let Some(sources) = sources {
        let files = sources.paths().map(|path| path.display().to_string()).collect();
        events.send(Event::PipelineRead { files });
    }
    let Loaded { pipeline, warnings } = loaded?;
    reporter.diagnostics(&pipeline.sources, &warnings);
    Ok(pipeline)
}
