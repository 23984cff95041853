//! `pipectl contract`: what is promised of the sources of steps.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, Subcommand};

use super::run::limit;
use crate::analysis::check::source_columns;
use crate::analysis::{Context, inputs};
use crate::atomic::{self, Existing, Readers};
use crate::backend::{Backend, Session, upload};
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::{Loaded, PipelineArguments};
use crate::cli::args::target::TargetArguments;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::inputs::wrong;
use crate::cli::output::print;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, nearest};
use crate::duration::Limit;
use crate::graph::Graph;
use crate::pipeline::{FoundColumn, Pipeline, StepId};
use crate::plan::{self, Scope};
use crate::record::Sender;
use crate::report::Reporter;
use crate::run;
use crate::secret::scrubbed;
use crate::spec;

/// Write the contracts of sources. `pipectl help contract` explains what a contract is.
#[derive(Debug, Subcommand)]
pub(crate) enum Contract {
    Infer(Infer),
}

/// Write the contract of a step's source, as the source is now: the names and types of its columns, by the engine's analysis.
///
/// It is about the source alone, and not about the step's transforms. For CSV and JSON without a `schema` the engine reads the data to find
/// out the types: Sail takes whole numbers for `bigint`, Spark for `int` where they fit. A contract that the step has already is
/// passed over. What is written is a file for the step's key `contract`.
#[derive(Debug, Args)]
pub(crate) struct Infer {
    #[command(flatten)]
    pipeline: PipelineArguments,
    /// The step whose source it is about.
    #[arg(value_name = "STEP")]
    step: String,
    /// The file to write; without it the contract is printed.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    engine: EngineArguments,
    /// How long it may take, from its start on: `90s`, `5m`. Then it is interrupted, and fails.
    #[arg(long, value_name = "TIME", env = "PIPECTL_TIMEOUT", value_parser = limit)]
    timeout: Option<Limit>,
}

pub(crate) fn contract(arguments: &Contract, reporter: Reporter) -> Result<(), Failure> {
    match arguments {
        Contract::Infer(infer) => infer.carry_out(reporter),
    }
}

impl Infer {
    fn carry_out(&self, reporter: Reporter) -> Result<(), Failure> {
        let began = Instant::now();
        // Before an engine is asked for what could not be written.
        if let Some(path) = &self.output {
            self.is_free(path)?;
        }
        let identity = RunIdentity::new();
        let (events, listener) = identity.listen(&self.pipeline.file, reporter, began);
        let runtime = runtime()?;
        let result = runtime.block_on(self.columns(&identity, reporter, &events, began));
        drop(events);
        listener.join();
        let columns = result?;
        if let Some(unknown) = columns.iter().find(|column| !column.data_type.is_known()) {
            let message = format!(
                "the column `{}` has a type that no contract can hold: `{}`",
                unknown.name, unknown.data_type
            );
            return Err(Failure::Usage { message, hints: Vec::new() });
        }
        let text = spec::contract_text(&columns);
        let Some(path) = &self.output else { return print(&text) };
        self.write(path, &text)?;
        let count =
            if columns.len() == 1 { "1 column".to_owned() } else { format!("{} columns", columns.len()) };
        reporter.note(&format!(
            "`{}` has the {count} of the source of `{}`; the step names it with the key `contract`",
            path.display(),
            self.step
        ));
        Ok(())
    }

    fn is_free(&self, path: &Path) -> Result<(), Failure> {
        if path.is_dir() {
            return Err(Failure::Usage {
                message: format!("`{}` is a folder", path.display()),
                hints: Vec::new(),
            });
        }
        if path.symlink_metadata().is_ok() && !self.force {
            return Err(exists(path));
        }
        Ok(())
    }

    /// The file appears whole.
    fn write(&self, path: &Path, text: &str) -> Result<(), Failure> {
        let failure = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(path),
            io::ErrorKind::NotFound => Failure::Folder {
                path: path.parent().unwrap_or(Path::new("")).to_path_buf(),
                reason: "there is no such folder".to_owned(),
            },
            _ => Failure::Folder { path: path.to_path_buf(), reason: error.to_string() },
        };
        let existing = if self.force { Existing::Replaced } else { Existing::Kept };
        // One that has come in the meantime is not replaced either.
        atomic::write(path, scrubbed(text).as_bytes(), existing, Readers::Umask).map_err(failure)
    }

    /// The columns of the step's source.
    async fn columns(
        &self,
        identity: &RunIdentity,
        reporter: Reporter,
        events: &Sender,
        began: Instant,
    ) -> Result<Vec<FoundColumn>, Failure> {
        let interrupt = Interrupt::watch(self.timeout, began)?;
        let chosen = self.target.choose(&self.pipeline.folder()?)?;
        self.has_order()?;
        let Loaded { pipeline, warnings } = self.pipeline.load_unfinished(identity, &chosen)?;
        let id = self.step_of(&pipeline)?;
        reporter.diagnostics(&pipeline.sources, &warnings);
        chosen.events().into_iter().for_each(|event| events.send(event));
        let graph = Graph::new(&pipeline);
        let steps = graph.needed_for([id]);
        let missing = inputs::missing(&pipeline, &steps);
        if missing.has_errors() {
            return Err(wrong(&pipeline, missing.sorted()));
        }
        let options = self.engine.options();
        let tag = run::tag(&identity.id);
        let backend = Backend {
            location: &chosen.location,
            options: &options,
            tag: &tag,
            events,
            stop: interrupt.stop(),
        };
        let work = async |Session { client, dialect }: &Session| {
            let of_steps = |found: Diagnostics| {
                let is_needed = |span| steps.iter().any(|id| pipeline.step(*id).source.span == span);
                found.sorted().into_iter().filter(|one| is_needed(one.span)).collect::<Diagnostics>()
            };
            match plan::compile_scope(&pipeline, &graph, dialect, Scope::Everything) {
                Ok(plan) => {
                    let sending = upload::everything(client, &pipeline, &plan, events);
                    let refused = backend.unless_stopped(sending).await?;
                    if refused.has_errors() {
                        return Err(wrong(&pipeline, refused.sorted()));
                    }
                }
                Err(lacking) => {
                    let lacking = of_steps(lacking);
                    if lacking.has_errors() {
                        return Err(wrong(&pipeline, lacking.sorted()));
                    }
                }
            }
            let before: Vec<StepId> = steps.iter().copied().filter(|step| *step != id).collect();
            let context = Context { client, pipeline: &pipeline, dialect };
            let columns = Box::pin(source_columns(&context, &before, id));
            let columns = backend.unless_stopped(columns).await?;
            columns.map_err(|found| wrong(&pipeline, found.sorted()))
        };
        let columns = backend.in_session(&pipeline.conf, work).await;
        let columns = columns.map_err(|failure| interrupt.named(failure))?;
        if columns.is_empty() {
            let message = format!("the source of `{}` has no columns: is there any data?", self.step);
            let span = pipeline.step(id).source.span;
            return Err(wrong(&pipeline, vec![Diagnostic::new(Code::NoInput, span, message)]));
        }
        Ok(columns)
    }

    /// Reports a file and a step that stand in the other order.
    fn has_order(&self) -> Result<(), Failure> {
        let file = &self.pipeline.file;
        if !file.exists() && Path::new(&self.step).is_file() {
            let message = format!("`{}` is a file, and no step", self.step);
            let hint =
                format!("the file comes first: `pipectl contract infer {} {}`", self.step, file.display());
            return Err(Failure::Usage { message, hints: vec![hint] });
        }
        Ok(())
    }

    fn step_of(&self, pipeline: &Pipeline) -> Result<StepId, Failure> {
        if let Some(id) = pipeline.find(&self.step) {
            return Ok(id);
        }
        let names = pipeline.steps.iter().map(|step| step.name.value.as_str());
        let hint = match nearest(&self.step, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "its steps are {}",
                names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            ),
        };
        let message = format!("there is no step `{}` in `{}`", self.step, self.pipeline.file.display());
        Err(Failure::Usage { message, hints: vec![hint] })
    }
}

fn exists(path: &Path) -> Failure {
    Failure::Usage {
        message: format!("`{}` exists already", path.display()),
        hints: vec!["`--force` replaces it".to_owned()],
    }
}
