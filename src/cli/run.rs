//! `pipectl run`: runs a pipeline.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::time::timeout;

use super::environment::store_settings;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::load::{Loaded, PipelineArguments, RunIdentity};
use super::reach::{EngineArguments, Reached};
use super::target::{Chosen, TargetArguments};
use crate::connect::{Client, Tag};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Dialect;
use crate::duration::{Limit, NoLimit};
use crate::engine::Managed;
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::plan;
use crate::report::{Ending, Reporter, RunFacts};
use crate::run::{self, Event, OnFailure, Sender, Settings, check, inputs, upload};
use crate::sink::{OutputLock, Stores};

/// How long threads that write may take to end after all else has.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// How long uploads that are given up may take to be ended at their stores after all else has.
const LAST_UPLOADS: Duration = Duration::from_secs(10);

/// How long a server may take to be told that its session has ended: one that is lost is not waited for.
const LAST_WORD: Duration = Duration::from_secs(3);

/// How many more sessions a run may begin in, where one is lost before anything was received.
const MOST_SESSIONS: usize = 3;

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

fn limit(text: &str) -> Result<Limit, String> {
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
    let facts = RunFacts {
        run_id: identity.id.clone(),
        file: arguments.pipeline.file.clone(),
        started_at: identity.started_at,
        clock: began,
    };
    let (events, listener) = reporter.listen(facts);
    let chosen = arguments.pipeline.folder().and_then(|folder| arguments.target.choose(&folder));
    let project = chosen.as_ref().ok().and_then(|chosen| chosen.project.clone());
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
    let beside = || project.map_or_else(|| arguments.pipeline.folder(), Ok);
    let state =
        arguments.state_dir.clone().map_or_else(|| beside().map(|folder| folder.join(".pipectl")), Ok);
    if let Ok(state) = state
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
    inputs_exist(&pipeline, &graph)?;
    let pipeline = Arc::new(pipeline);
    let attempt = Attempt { arguments, chosen, identity, stores, events, interrupt, pipeline, graph };
    let mut again = MOST_SESSIONS;
    loop {
        match attempt.make().await {
            Err(Failure::Connect(error)) if error.is_session_lost() && again > 0 => {
                again -= 1;
                events.send(Event::Again { reason: run::chain(&error) });
            }
            result => return result,
        }
    }
}

/// One session's attempt at the whole run.
struct Attempt<'a> {
    arguments: &'a Run,
    chosen: &'a Chosen,
    identity: &'a RunIdentity,
    stores: &'a Stores,
    events: &'a Sender,
    interrupt: Interrupt,
    pipeline: Arc<Pipeline>,
    graph: Graph,
}

impl Attempt<'_> {
    /// Does all that needs a session. That it was lost is an error only where nothing was received or written.
    async fn make(&self) -> Result<(), Failure> {
        let engine = &self.arguments.engine;
        let reached = engine.reach(&self.chosen.at, &self.pipeline.conf, self.events);
        let Reached { client, dialect, managed } = self.interrupt.or(reached).await?;
        let work = async {
            tokio::select! {
                biased;
                result = self.work(&client, &dialect) => result,
                never = engine.tell_outages(&client, self.events) => match never {},
            }
        };
        let result = match &managed {
            Some(engine) => Box::pin(unless_it_ends(engine, work)).await,
            None => Box::pin(work).await,
        };
        // What comes from here on comes too late to stop anything.
        let signal = self.interrupt.signal();
        match managed {
            // It takes its session along.
            Some(engine) => engine.stop().await,
            None => goodbye(&client, &run::tag(&self.identity.id), signal.is_some(), self.events).await,
        }
        match signal {
            Some(signal) => Err(Failure::Interrupted(signal)),
            None => result,
        }
    }

    async fn work(&self, client: &Client, dialect: &Dialect) -> Result<(), Failure> {
        let Self { pipeline, interrupt, stores, .. } = self;
        let plan =
            plan::compile(pipeline, &self.graph, dialect).map_err(|gaps| wrong(pipeline, gaps.sorted()))?;
        let sent = async { Ok(upload::everything(client, pipeline, &plan, self.events).await?) };
        let refused = interrupt.or(sent).await?;
        if refused.has_errors() {
            return Err(wrong(pipeline, refused.sorted()));
        }
        let began = Instant::now();
        let check = Box::pin(check::check(client, pipeline, &plan));
        let found = interrupt.or(async { Ok(check.await?) }).await?;
        if found.has_errors() {
            return Err(wrong(pipeline, found.sorted()));
        }
        self.events.send(Event::Checked { took: began.elapsed() });
        let _locks = lock_outputs(pipeline, &self.identity.id, stores)?;
        stores_take(pipeline, stores, interrupt).await?;
        let settings = Settings {
            run_id: self.identity.id.clone(),
            threads: self.arguments.threads,
            on_failure: self.arguments.on_failure(),
            stores: Stores::clone(stores),
        };
        let plan = Arc::new(plan);
        run::execute(client, pipeline, &plan, &settings, self.events, interrupt.token()).await?;
        Ok(())
    }
}

/// Ends the session. Where the run was stopped, the user is told if the engine may not have noticed.
async fn goodbye(client: &Client, tag: &Tag, is_stopped: bool, events: &Sender) {
    let goodbye = async {
        if is_stopped {
            // What was begun and not yet known of when the interruption came.
            client.interrupt_tag(tag).await?;
        }
        client.release_session().await
    };
    let why = match timeout(LAST_WORD, goodbye).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("it does not answer within {} s", LAST_WORD.as_secs()),
    };
    // Else nothing runs there any more, and the session expires by itself.
    if is_stopped {
        events.send(Event::Note(format!(
            "the engine has not confirmed that this run's work there has ended: {why}; look for operations with the tag `{}` in the \
             session `{}` there, and stop them, or they end with that session",
            tag.as_str(),
            client.session_id()
        )));
    }
}

/// Awaits work for as long as the private engine lives.
async fn unless_it_ends(
    engine: &Managed,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    tokio::select! {
        biased;
        result = work => result,
        ended = engine.ended() => Err(Failure::EngineEnded {
            reason: ended.ending.to_string(),
            last_lines: ended.last_lines,
        }),
    }
}

fn wrong(pipeline: &Pipeline, diagnostics: Vec<Diagnostic>) -> Failure {
    let sources = pipeline.sources.clone();
    let mut errors = diagnostics.iter().filter(|one| one.is_error());
    if errors.all(|error| error.code == Code::NoInput) {
        return Failure::Input { sources, diagnostics };
    }
    Failure::Pipeline { sources, diagnostics }
}

fn inputs_exist(pipeline: &Pipeline, graph: &Graph) -> Result<(), Failure> {
    let ends = pipeline.ids().filter(|id| pipeline.step(*id).is_end());
    let missing = inputs::missing(pipeline, &graph.needed_for(ends));
    if missing.has_errors() {
        return Err(Failure::Input { sources: pipeline.sources.clone(), diagnostics: missing.sorted() });
    }
    Ok(())
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
