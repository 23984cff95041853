//! `pipectl doctor`: finds out what is missing, and says what applies and from where it came.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::environment::engine_place;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::load::{PipelineArguments, RunIdentity};
use super::reach::{EngineArguments, Reached};
use super::target::{At, Chosen, TargetArguments};
use crate::engine::{self, Downloads, Kind, Place, Status};
use crate::graph::Graph;
use crate::report::Reporter;
use crate::run::{Event, inputs};

/// Below so many bytes of free space an engine that spills soon has none.
const LITTLE_SPACE: u64 = 2_000_000_000;

/// Find out what is missing: the engine, its versions, rights, the network; say what applies, and from where it came.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// A pipeline file, to look at what it needs as well; without it, what holds in this folder.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArguments,
    #[command(flatten)]
    engine: EngineArguments,
}

/// What was found out, told as it comes. The first failure decides the exit code.
struct Findings {
    failure: Option<Failure>,
}

impl Findings {
    fn good(&self, subject: &str, text: &str) -> Result<(), Failure> {
        self.tell("ok", subject, text)
    }

    fn doubtful(&self, subject: &str, text: &str) -> Result<(), Failure> {
        self.tell("note", subject, text)
    }

    fn bad(&mut self, subject: &str, failure: Failure) -> Result<(), Failure> {
        self.tell("problem", subject, &failure.message())?;
        for hint in failure.hints() {
            self.tell("", "", &format!("help: {hint}"))?;
        }
        self.failure.get_or_insert(failure);
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "what is told belongs to what is found")]
    fn tell(&self, state: &str, subject: &str, text: &str) -> Result<(), Failure> {
        super::print(&format!("{state:>8}  {subject:<9}  {}\n", crate::report::escaped(text)))
    }
}

pub(super) fn doctor(arguments: &Doctor, reporter: Reporter) -> Result<(), Failure> {
    super::runtime()?.block_on(async {
        let interrupt = Interrupt::watch()?;
        interrupt.or(examine(arguments, reporter)).await
    })
}

async fn examine(arguments: &Doctor, reporter: Reporter) -> Result<(), Failure> {
    let mut findings = Findings { failure: None };
    let system =
        format!("{} on {} {}", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    findings.good("pipectl", &system)?;
    // What is wrong with a file was told, with its places, by whoever reads it.
    let file = arguments.file.clone().unwrap_or_else(|| PathBuf::from("pipeline.yaml"));
    let pipeline = PipelineArguments::of(file);
    let folder = pipeline.folder()?;
    let chosen = match arguments.target.choose(&folder) {
        Ok(chosen) => chosen,
        Err(failure) => {
            failure.report(reporter);
            findings.bad("target", failure)?;
            return findings.failure.map_or(Ok(()), |failure| Err(Failure::Found(Box::new(failure))));
        }
    };
    match &chosen.project {
        Some(folder) => {
            findings.good("project", &format!("the project file is in `{}`", folder.display()))?;
        }
        None => findings.good("project", "no project file applies")?,
    }
    for note in &chosen.notes {
        findings.doubtful("project", note)?;
    }
    findings.good("target", &chosen.origin.to_string())?;
    if arguments.file.is_some() {
        read(&pipeline, &chosen, reporter, &mut findings)?;
    }
    let state = chosen.project.as_ref().unwrap_or(&folder);
    writable("records", state, &mut findings)?;
    if let At::Managed(kind) = chosen.at {
        prepare(kind, &mut findings).await?;
    }
    if findings.failure.is_none() {
        ask(arguments, &chosen, &mut findings).await?;
    }
    findings.failure.map_or(Ok(()), |failure| Err(Failure::Found(Box::new(failure))))
}

/// Reads the pipeline as a run there would.
fn read(
    pipeline: &PipelineArguments,
    chosen: &Chosen,
    reporter: Reporter,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let loaded = match pipeline.load(&RunIdentity::new(), chosen) {
        Ok(loaded) => loaded.pipeline,
        Err(failure) => {
            failure.report(reporter);
            return findings.bad("pipeline", failure);
        }
    };
    let graph = Graph::new(&loaded);
    let ends = loaded.ids().filter(|id| loaded.step(*id).is_end());
    let missing = inputs::missing(&loaded, &graph.needed_for(ends));
    if missing.has_errors() {
        let failure = Failure::Input { sources: loaded.sources.clone(), diagnostics: missing.sorted() };
        failure.report(reporter);
        return findings.bad("pipeline", failure);
    }
    findings.good("pipeline", &format!("`{}` has no mistakes that show without an engine", loaded.name))
}

/// Looks at all that an engine of pipectl's own needs before it starts.
async fn prepare(kind: Kind, findings: &mut Findings) -> Result<(), Failure> {
    let place = engine_place(Downloads::Off);
    space("temporary", &place.temporary, findings)?;
    writable("temporary", &place.temporary, findings)?;
    let python = match engine::python(&place).await {
        Ok(python) => python,
        Err(error) => return findings.bad("python", error.into()),
    };
    findings.good("python", &python.to_string())?;
    match kind.status_of_java(&place).await {
        Ok(None) => {}
        Ok(Some(java)) => findings.good("java", &java.to_string())?,
        // Installing the engine brings one.
        Err(error) => findings.doubtful("java", &error.to_string())?,
    }
    let title = kind.title();
    match kind.status(&place).await {
        Status::Installed(installation) => {
            let text = format!("{title} is installed in `{}`", installation.folder.display());
            findings.good("engine", &text)
        }
        Status::Damaged { folder, reason } => {
            let text =
                format!("{title} in `{}` is damaged and will be installed anew: {reason}", folder.display());
            findings.doubtful("engine", &text)?;
            reach_index(kind, &place, &python, findings).await
        }
        Status::Missing { folder } => {
            let text = format!("{title} is not installed; that will be in `{}`", folder.display());
            findings.doubtful("engine", &text)?;
            reach_index(kind, &place, &python, findings).await
        }
    }
}

/// Looks whether an engine could be installed now.
async fn reach_index(
    kind: Kind,
    place: &Place,
    python: &engine::Interpreter,
    findings: &mut Findings,
) -> Result<(), Failure> {
    space("cache", &place.cache, findings)?;
    writable("cache", &place.cache, findings)?;
    match kind.reach_index(python).await {
        Ok(()) => findings.good("network", "the package index answers"),
        Err(error) => findings.bad("network", error.into()),
    }
}

/// Reaches the engine as a run would, and lets it do the least that an engine does.
async fn ask(arguments: &Doctor, chosen: &Chosen, findings: &mut Findings) -> Result<(), Failure> {
    let (sender, events) = std::sync::mpsc::channel();
    let reached =
        arguments.engine.reach(&chosen.at, &chosen.settings.conf, &crate::run::Sender::new(sender)).await;
    let Reached { client, managed, .. } = match reached {
        Ok(reached) => reached,
        Err(failure) => return findings.bad("engine", failure),
    };
    for event in events.try_iter() {
        match event {
            Event::EngineReady { engine, took } => {
                findings.good("engine", &format!("{engine}, ready in {:.2} s", took.as_secs_f64()))?;
            }
            Event::Note(note) => findings.doubtful("engine", &note)?,
            _ => {}
        }
    }
    let began = std::time::Instant::now();
    match client.probe().await {
        Ok(()) => {
            let text = format!("a first row came in {:.2} s", began.elapsed().as_secs_f64());
            findings.good("rows", &text)?;
        }
        Err(error) => findings.bad("rows", error.into())?,
    }
    match managed {
        Some(engine) => engine.stop().await,
        // A session that can't be released expires by itself.
        None => drop(client.release_session().await),
    }
    Ok(())
}

/// Looks whether files can be made in a folder, or in the nearest one above it that is there.
fn writable(subject: &str, folder: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    let file = there.join(format!(".pipectl-doctor-{}", uuid::Uuid::new_v4().simple()));
    match fs::write(&file, "").and_then(|()| fs::remove_file(&file)) {
        Ok(()) => findings.good(subject, &format!("`{}` can be written", folder.display())),
        Err(error) => {
            let failure = Failure::Folder { path: folder.to_path_buf(), reason: error.to_string() };
            findings.bad(subject, failure)
        }
    }
}

/// Looks whether a disk is nearly full.
fn space(subject: &str, folder: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    let Ok(found) = rustix::fs::statvfs(there) else { return Ok(()) };
    let free = found.f_bavail * found.f_frsize;
    if free >= LITTLE_SPACE {
        return Ok(());
    }
    findings
        .doubtful(subject, &format!("the disk of `{}` has {} MB left", folder.display(), free / 1_000_000))
}
