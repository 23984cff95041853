//! `pipectl show`: the first rows of a step.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::run::{LAST_WRITES, limit};
use crate::analysis::{Columns, columns};
use crate::backend::{Backend, Session};
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::{Loaded, PipelineArguments};
use crate::cli::args::target::{Chosen, TargetArguments};
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::inputs::{inputs_exist, wrong};
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::diagnostic::nearest;
use crate::duration::Limit;
use crate::graph::Graph;
use crate::name::is_name;
use crate::pipeline::{Pipeline, StepId};
use crate::plan::{Look, Scope};
use crate::record::{Event, Notice, RunResults, RunStatus, Sender};
use crate::report::Reporter;
use crate::run::{self, OnFailure, Request};
use crate::sink::{self, Format, Stdout, StoreSettings, Stores};

/// Show the first rows of a step: they are worked out by the engine, and nothing is written.
///
/// Only what the step is made of is carried out: no outputs, no expectations, and nothing of the steps that merely read it. Pipelines
/// in the making may be looked at too, which have no output yet. A look is no run: it leaves no record, and keeps nobody off an output.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pipeline: PipelineArguments,
    /// The step.
    #[arg(value_name = "STEP")]
    step: Option<String>,
    /// The same as STEP.
    #[arg(short, long, visible_alias = "step", value_name = "STEP", conflicts_with = "step")]
    select: Option<String>,
    /// How many rows are shown at most: a number, or `all`. The engine is asked for no more; `0` shows the names of the columns.
    #[arg(long, value_name = "N", env = "PIPECTL_LIMIT", default_value = "20", allow_hyphen_values = true, value_parser = rows)]
    limit: u64,
    /// How the rows look.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: ShowFormat,
    /// Stop behind so many transforms of the step, and show the rows there; 0 for those with which it begins.
    #[arg(long, value_name = "N")]
    upto: Option<usize>,
    /// Show the columns with their types in place of rows. No data is read: the engine's analysis knows them.
    #[arg(long)]
    schema: bool,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    engine: EngineArguments,
    /// How long it may take, from its start on: `90s`, `5m`. Then it is interrupted, and fails.
    #[arg(long, value_name = "TIME", env = "PIPECTL_TIMEOUT", value_parser = limit)]
    timeout: Option<Limit>,
}

/// How rows look, as the command line says it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ShowFormat {
    /// Aligned columns.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// An Arrow IPC stream, for a program.
    Arrow,
}

impl From<ShowFormat> for Format {
    fn from(format: ShowFormat) -> Self {
        match format {
            ShowFormat::Table => Self::Table,
            ShowFormat::Csv => Self::Csv,
            ShowFormat::Ndjson => Self::Ndjson,
            ShowFormat::Arrow => Self::Arrow,
        }
    }
}

fn rows(text: &str) -> Result<u64, String> {
    match text {
        "all" => Ok(u64::MAX),
        text => text.parse().map_err(|_| "a number, or `all`".to_owned()),
    }
}

/// Shows rows or columns; whatever happens, nothing but these is left.
pub(crate) fn show(mut arguments: Show, reporter: Reporter) -> Result<(), Failure> {
    let began = Instant::now();
    arguments.untangle();
    if arguments.stdout().is_binary() && io::stdout().is_terminal() {
        return Err(Failure::Sink(sink::Error::Terminal));
    }
    let identity = RunIdentity::new();
    let chosen = arguments.pipeline.folder().and_then(|folder| arguments.target.choose(&folder))?;
    let (events, listener) = identity.listen(&arguments.pipeline.file, reporter, began);
    let runtime = runtime()?;
    let shown = runtime.block_on(execute(&arguments, &chosen, &identity, reporter, &events, began));
    // A reader that goes on reading, and a thread that goes on writing, must not hold the process up.
    runtime.shutdown_timeout(LAST_WRITES);
    drop(events);
    listener.join();
    match shown? {
        Shown::Schema(columns) => columns.print(arguments.format.into()).map_err(Failure::Sink),
        Shown::Rows(results) if results.status == RunStatus::Succeeded => Ok(()),
        Shown::Rows(results) => Err(Failure::Run(results)),
    }
}

/// What was shown.
enum Shown {
    Schema(Columns),
    /// Rows, by a run that ended so.
    Rows(Box<RunResults>),
}

impl Show {
    /// Puts the file and the step in their order: who writes the step first is understood.
    fn untangle(&mut self) {
        let file = self.pipeline.file.to_string_lossy().into_owned();
        if let Some(step) = &mut self.step
            && !is_name(step)
            && is_name(&file)
            && !self.pipeline.file.exists()
        {
            self.pipeline.file = PathBuf::from(std::mem::replace(step, file));
        }
    }

    /// How rows are printed.
    fn stdout(&self) -> Stdout {
        Stdout::new(self.format.into(), Some(self.limit))
    }

    /// What is to be looked at.
    fn look(&self, pipeline: &Pipeline) -> Result<Look, Failure> {
        let id = self.step(pipeline)?;
        let step = pipeline.step(id);
        let all = step.transforms.len();
        let transforms = self.upto.unwrap_or(all);
        if transforms > all {
            let count = match all {
                0 => "no transforms".to_owned(),
                1 => "1 transform".to_owned(),
                count => format!("{count} transforms"),
            };
            let message = format!("the step `{}` has {count}, and `--upto` is {transforms}", step.name);
            return Err(Failure::Usage { message, hints: Vec::new() });
        }
        Ok(Look { step: id, transforms, stdout: self.stdout() })
    }

    fn step(&self, pipeline: &Pipeline) -> Result<StepId, Failure> {
        let names = || pipeline.steps.iter().map(|step| step.name.value.as_str());
        let file = self.pipeline.file.display();
        let Some(name) = self.step.as_ref().or(self.select.as_ref()) else {
            let message = format!("no step is named: `pipectl show {file} STEP`");
            return Err(Failure::Usage { message, hints: vec![self.known(pipeline)] });
        };
        if let Some(id) = pipeline.find(name).filter(|id| pipeline.step(*id).name.value.as_str() == name) {
            return Ok(id);
        }
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => self.known(pipeline),
        };
        let message = format!("there is no step `{name}` in `{file}`");
        Err(Failure::Usage { message, hints: vec![hint] })
    }

    /// Which steps there are, or how one learns it.
    fn known(&self, pipeline: &Pipeline) -> String {
        const FEW: usize = 12;
        if pipeline.steps.len() > FEW {
            return format!("`pipectl ls {}` lists its steps", self.pipeline.file.display());
        }
        let names = pipeline.steps.iter().map(|step| format!("`{}`", step.name));
        format!("its steps are {}", names.collect::<Vec<_>>().join(", "))
    }
}

/// Runs the part of the pipeline that the rows are made of, or has it analysed where the schema is asked for.
async fn execute(
    arguments: &Show,
    chosen: &Chosen,
    identity: &RunIdentity,
    reporter: Reporter,
    events: &Sender,
    began: Instant,
) -> Result<Shown, Failure> {
    let interrupt = Interrupt::watch(arguments.timeout, began)?;
    let loaded = arguments.pipeline.load_unfinished(identity, chosen);
    let Loaded { pipeline, warnings } = loaded.map_err(|failure| arguments.advised(failure))?;
    let look = arguments.look(&pipeline)?;
    chosen.events().into_iter().for_each(|event| events.send(event));
    reporter.diagnostics(&pipeline.sources, &warnings);
    if let Some(notice) = inside(&look, &pipeline) {
        events.send(Event::Notice(notice));
    }
    let graph = Graph::new(&pipeline);
    inputs_exist(&pipeline, &look.steps(&pipeline, &graph))?;
    let pipeline = Arc::new(pipeline);
    let backend = Backend {
        location: &chosen.location,
        options: &arguments.engine.options(),
        tag: &run::tag(&identity.id),
        events,
        stop: interrupt.stop(),
    };
    let scope = Scope::Look(&look);
    if arguments.schema {
        let work = async |session: &Session| {
            let plan = run::checked_plan(session, &pipeline, &graph, scope, &backend).await?;
            Ok::<_, run::Failure>(Box::pin(backend.unless_stopped(columns(&session.client, &plan))).await?)
        };
        let columns = backend.in_session(&pipeline.conf, work).await;
        return columns.map(Shown::Schema).map_err(|failure| match failure {
            run::Failure::Refused(found) => wrong(&pipeline, found.sorted()),
            run::Failure::Backend(error) => interrupt.named(error.into()),
            run::Failure::Sink(error) => error.into(),
        });
    }
    let request = Request {
        run_id: &identity.id,
        pipeline: &pipeline,
        graph: &graph,
        scope,
        threads: CONCURRENT,
        on_failure: OnFailure::Stop,
        // Nothing is written there.
        stores: &Stores::new(StoreSettings::default()),
    };
    Ok(Shown::Rows(Box::new(Box::pin(run::run(&request, &backend, events)).await)))
}

/// Says so where it is not the step's own rows that are shown.
fn inside(look: &Look, pipeline: &Pipeline) -> Option<Notice> {
    let step = pipeline.step(look.step);
    let (transforms, of) = (look.transforms, step.transforms.len());
    if transforms == of {
        return None;
    }
    let last = transforms.checked_sub(1).and_then(|at| step.transforms.get(at));
    let last = last.map(|transform| transform.value.key().to_owned());
    Some(Notice::PartialPreview { step: step.name.to_string(), transforms, of, last })
}

/// How many shared steps are computed concurrently.
const CONCURRENT: usize = 4;

impl Show {
    /// A failure to read the file, with what may have been meant.
    fn advised(&self, failure: Failure) -> Failure {
        match failure {
            Failure::File { path, reason } if self.is_step(&path) => Failure::Usage {
                message: format!("`{}` can't be read: {reason}", path.display()),
                hints: vec![format!(
                    "the pipeline file comes before the step: `pipectl show FILE {}`",
                    path.display()
                )],
            },
            failure => failure,
        }
    }

    /// Whether what stands in the file's place is probably a step.
    fn is_step(&self, path: &Path) -> bool {
        let is_name = path.to_str().is_some_and(is_name);
        is_name && self.step.is_none() && path == self.pipeline.file && !path.exists()
    }
}
