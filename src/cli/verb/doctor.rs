//! `pipectl doctor`: finds out what is missing, and says what applies and from where it came.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use crate::analysis::inputs;
use crate::backend::{Connected, Location, connect};
use crate::cli::args::engine::EngineArguments;
use crate::cli::args::pipeline::PipelineArguments;
use crate::cli::args::target::{Chosen, TargetArguments};
use crate::cli::env::engine_place;
use crate::cli::failure::Failure;
use crate::cli::identity::RunIdentity;
use crate::cli::output::print;
use crate::cli::runtime::runtime;
use crate::cli::signal::Interrupt;
use crate::engine::{self, Downloads, EngineKind, EnginePaths, Interpreter, Status};
use crate::graph::Graph;
use crate::pipeline::Pipeline;
use crate::record::{Event, Message, RunResults, Sender};
use crate::report::{Reporter, notice};

/// Below so many bytes of free space an engine that spills soon has none.
const LITTLE_SPACE: u64 = 2_000_000_000;

/// Find out what is missing: the engine, its versions, rights, the network; say what applies, and from where it came.
///
/// Nothing is downloaded: where the engine is not installed, it says what would be, and how.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
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
        let record = failure.record();
        self.tell("problem", subject, &record.message)?;
        for hint in record.hints {
            self.tell("", "", &format!("help: {hint}"))?;
        }
        self.failure.get_or_insert(failure);
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "what is told belongs to what is found")]
    fn tell(&self, state: &str, subject: &str, text: &str) -> Result<(), Failure> {
        print(&format!("{state:>8}  {subject:<9}  {}\n", crate::report::escaped(text)))
    }
}

pub(crate) fn doctor(arguments: &Doctor, reporter: Reporter) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let interrupt = Interrupt::watch(None, Instant::now())?;
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
    let is_there = match chosen.location {
        Location::Managed(kind) => prepare(kind, &arguments.engine, &mut findings).await?,
        Location::Remote(_) => Readiness::Ready,
    };
    match is_there {
        Readiness::Ready if findings.failure.is_none() => ask(arguments, &chosen, &mut findings).await?,
        Readiness::Ready => {}
        Readiness::NotInstalled => {
            findings.doubtful("rows", "no engine was asked for rows, since none is installed")?;
        }
    }
    findings.failure.map_or(Ok(()), |failure| Err(Failure::Found(Box::new(failure))))
}

/// Whether an engine can be started without a download.
enum Readiness {
    Ready,
    NotInstalled,
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
    findings.good("pipeline", &format!("`{}` has no mistakes that show without an engine", loaded.name))?;
    outputs(&loaded, findings)
}

/// Looks at the folders that a pipeline's outputs appear in, as far as they are on this machine.
fn outputs(pipeline: &Pipeline, findings: &mut Findings) -> Result<(), Failure> {
    let places =
        pipeline.steps.iter().flat_map(|step| step.sinks.iter().map(|sink| sink.value.place(step.folder())));
    let folders: BTreeSet<PathBuf> = places.filter_map(|place| place.folder()).collect();
    for folder in folders {
        writable("output", &folder, findings)?;
        space("output", &folder, findings)?;
    }
    Ok(())
}

/// Looks at all that an engine of pipectl's own needs before it starts.
async fn prepare(
    kind: EngineKind,
    engine: &EngineArguments,
    findings: &mut Findings,
) -> Result<Readiness, Failure> {
    let place = engine_place(Downloads::Off);
    space("temporary", &place.temporary, findings)?;
    writable("temporary", &place.temporary, findings)?;
    if let Some(reason) = kind.ignored(&place).await {
        findings.doubtful("engine", &reason)?;
    }
    let status = kind.status(&place).await;
    let python = match &status {
        Status::Installed(installation) => installation.python.clone(),
        Status::Damaged { .. } | Status::Missing { .. } => match engine::python(&place).await {
            Ok(python) => python,
            Err(error) => {
                findings.bad("python", error.into())?;
                return Ok(Readiness::NotInstalled);
            }
        },
    };
    findings.good("python", &python.to_string())?;
    let java = kind.status_of_java(&place).await;
    match &java {
        Ok(None) => {}
        Ok(Some(java)) => findings.good("java", &java.to_string())?,
        Err(error) => {
            let (command, _) = kind.installation();
            findings.doubtful("java", &format!("{error}; the first run, or `{command}`, downloads one"))?;
        }
    }
    let title = kind.title();
    let missing = match status {
        Status::Installed(installation) => {
            let how = if installation.is_beside() { "beside pipectl," } else { "installed" };
            findings.good("engine", &format!("{title} is {how} in `{}`", installation.folder.display()))?;
            if java.is_ok() {
                return Ok(Readiness::Ready);
            }
            None
        }
        Status::Damaged { folder, reason } => {
            Some(format!("{title} in `{}` is damaged: {reason}", folder.display()))
        }
        Status::Missing { folder } => {
            Some(format!("{title} is not installed; it will be in `{}`", folder.display()))
        }
    };
    if let Some(missing) = missing {
        findings.doubtful("engine", &format!("{missing}; {}", how_to_install(kind)))?;
    }
    if engine.is_offline() {
        // As a run would find it that may download nothing.
        if let Err(error) = kind.install(&place, &|_| {}).await {
            findings.bad("engine", error.into())?;
        }
    } else {
        reach_index(kind, &place, &python, findings).await?;
    }
    Ok(Readiness::NotInstalled)
}

/// What a run would download before it begins, and how that is done ahead.
fn how_to_install(kind: EngineKind) -> String {
    let (command, bytes) = kind.installation();
    let size = bytes.map_or_else(String::new, |bytes| format!(" {} MB", bytes.div_ceil(1_000_000)));
    format!("the first run, or `{command}`, downloads{size} from PyPI")
}

/// Looks whether an engine could be installed now.
async fn reach_index(
    kind: EngineKind,
    place: &EnginePaths,
    python: &Interpreter,
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
    let results = RunResults::new(String::new(), String::new(), chrono::DateTime::default());
    let (sender, events) = Sender::new(results, Instant::now());
    let options = arguments.engine.offline_options();
    let connected = Box::pin(connect(&chosen.location, &options, &chosen.settings.conf, &sender)).await;
    let Connected { session, managed } = match connected {
        Ok(connected) => connected,
        Err(error) => return findings.bad("engine", error.into()),
    };
    for message in events.try_iter() {
        match message {
            Message::Event(Event::EngineReady { engine, seconds }) => {
                findings.good("engine", &format!("{engine}, ready in {seconds:.2} s"))?;
            }
            Message::Event(Event::Notice(found)) => findings.doubtful("engine", &notice(&found))?,
            Message::Event(_) | Message::Diagnostics(..) => {}
        }
    }
    let began = Instant::now();
    match session.client.probe().await {
        Ok(()) => {
            let text = format!("a first row came in {:.2} s", began.elapsed().as_secs_f64());
            findings.good("rows", &text)?;
        }
        Err(error) => findings.bad("rows", error.into())?,
    }
    match managed {
        Some(engine) => engine.stop().await,
        // A session that can't be released expires by itself.
        None => drop(session.client.release_session().await),
    }
    Ok(())
}

/// Looks whether files can be made in a folder, or in the nearest one above it that is there.
fn writable(subject: &str, folder: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let nearest = nearest(folder);
    let file = nearest.join(format!(".pipectl-doctor-{}", uuid::Uuid::new_v4().simple()));
    match fs::write(&file, "").and_then(|()| fs::remove_file(&file)) {
        Ok(()) if nearest == folder => {
            findings.good(subject, &format!("`{}` can be written", folder.display()))
        }
        Ok(()) => findings.good(
            subject,
            &format!("`{}` does not exist yet and can be made in `{}`", folder.display(), nearest.display()),
        ),
        Err(error) => {
            let failure = Failure::Folder { path: folder.to_path_buf(), reason: error.to_string() };
            findings.bad(subject, failure)
        }
    }
}

/// A folder, or what is nearest above it: a file too, in which no folder can be made.
fn nearest(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    if folder.is_dir() {
        return folder.to_owned();
    }
    let found = absolute.ancestors().find(|folder| folder.symlink_metadata().is_ok());
    found.map_or_else(|| absolute.clone(), Path::to_owned)
}

/// Looks whether a disk is nearly full.
fn space(subject: &str, folder: &Path, findings: &mut Findings) -> Result<(), Failure> {
    let Ok(found) = rustix::fs::statvfs(nearest(folder)) else { return Ok(()) };
    let free = found.f_bavail * found.f_frsize;
    if free >= LITTLE_SPACE {
        return Ok(());
    }
    findings
        .doubtful(subject, &format!("the disk of `{}` has {} MB left", folder.display(), free / 1_000_000))
}
