//! What all verbs about a pipeline share: its file, its variables, where its paths start.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use chrono::{DateTime, SubsecRound as _, Utc};
use clap::Args;

use super::environment::{not_text, value, variable};
use super::failure::Failure;
use super::target::Chosen;
use super::warnings::WarningArguments;
use crate::diagnostic::Diagnostic;
use crate::lowering::normal;
use crate::pipeline::Pipeline;
use crate::record::{RunResults, Sender};
use crate::report::{Listener, Reporter};
use crate::secret::scrubbed;
use crate::spec::{self, Document, Documents, Inputs};

/// Bytes; a file beyond this is not even read.
const LARGEST_READ: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct PipelineArguments {
    /// The pipeline file.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Sets a variable; may be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(super) variables: Vec<(String, String)>,
    /// Sets variables: a YAML file with `name: value`, or the YAML itself, `{date: 2026-01-31, n: 3}`; may be given several times. A
    /// `--var` goes before it, and a later one before an earlier.
    #[arg(long = "vars", value_name = "FILE|YAML")]
    pub(super) documents: Vec<String>,
    #[command(flatten)]
    pub(super) warnings: WarningArguments,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// YAML, or the file that has it.
fn document(text: &str, from: &str) -> Result<Document, Failure> {
    let is_yaml = text.trim_start().starts_with('{') || text.contains(": ") || text.contains(":\n");
    if is_yaml {
        return Ok(Document { name: from.into(), bytes: text.as_bytes().to_vec() });
    }
    let path = PathBuf::from(text);
    let failure = |reason: String| Failure::File { path: path.clone(), reason };
    let metadata = fs::metadata(&path).map_err(|error| {
        failure(match error.kind() {
            io::ErrorKind::NotFound => {
                format!("there is no such file; `{from}` takes a file, or YAML as in `{{n: 3}}`")
            }
            _ => error.to_string(),
        })
    })?;
    if !metadata.is_dir() && metadata.len() > LARGEST_READ {
        return Err(failure("it is too large".to_owned()));
    }
    let bytes = read(&path).map_err(|error| failure(error.to_string()))?;
    if bytes.len() as u64 >= LARGEST_READ {
        return Err(failure("it is too large".to_owned()));
    }
    Ok(Document { name: path, bytes })
}

/// The bytes of a file that a document names, which need not end: beyond any use nothing is read.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What identifies a run.
#[derive(Debug, Clone)]
pub(super) struct RunIdentity {
    pub(super) id: String,
    pub(super) started_at: DateTime<Utc>,
}

impl RunIdentity {
    /// Ids sort by time.
    pub(super) fn new() -> Self {
        Self { id: uuid::Uuid::now_v7().to_string(), started_at: Utc::now().trunc_subsecs(6) }
    }

    /// Starts to report a verb's work with this file, which began at `clock`: where events go, and who reports them.
    pub(super) fn listen(&self, file: &Path, reporter: Reporter, clock: Instant) -> (Sender, Listener) {
        let file = scrubbed(&file.display().to_string()).into_owned();
        let results = RunResults::new(self.id.clone(), file, self.started_at);
        let (events, receiver) = Sender::new(results, clock);
        (events, reporter.listen(receiver))
    }
}

/// A pipeline without mistakes, and warnings about it.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) pipeline: Pipeline,
    pub(super) warnings: Vec<Diagnostic>,
}

impl PipelineArguments {
    /// A file, and nothing else said.
    pub(super) fn of(file: PathBuf) -> Self {
        Self { file, variables: Vec::new(), documents: Vec::new(), warnings: WarningArguments::default() }
    }

    /// The folder in which relative paths start, absolute: engines have working directories of their own.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let wrong = |error: &io::Error| Failure::File { path: self.file.clone(), reason: error.to_string() };
        let path = std::path::absolute(&self.file).map_err(|error| wrong(&error))?;
        Ok(normal(path.parent().unwrap_or(Path::new("/"))))
    }

    /// The pipeline, to be run or to be told whether it may be.
    pub(super) fn load(&self, identity: &RunIdentity, chosen: &Chosen) -> Result<Loaded, Failure> {
        self.load_by(spec::load, identity, chosen)
    }

    /// The same of one that may still be in the making.
    pub(super) fn load_unfinished(&self, identity: &RunIdentity, chosen: &Chosen) -> Result<Loaded, Failure> {
        self.load_by(spec::load_unfinished, identity, chosen)
    }

    fn load_by(
        &self,
        load: fn(&Path, PathBuf, Vec<u8>, &Inputs<'_>) -> spec::Loaded,
        identity: &RunIdentity,
        chosen: &Chosen,
    ) -> Result<Loaded, Failure> {
        let folder = self.folder()?;
        let bytes = self.read()?;
        let inputs = Inputs {
            variables: &self.variables,
            documents: &self.documents()?,
            environment: &value,
            files: &|path| read_file(&folder.join(path)),
            canonical: &|path| fs::canonicalize(path),
            run_id: &identity.id,
            started_at: identity.started_at,
            root: chosen.root.clone(),
            target: &chosen.settings,
        };
        let loaded = load(&self.file, folder.clone(), bytes, &inputs);
        match loaded.pipeline {
            Ok(pipeline) => {
                let warnings = self.warnings.judged(&pipeline.sources, loaded.diagnostics)?;
                Ok(Loaded { pipeline, warnings })
            }
            Err(sources) => {
                Err(Failure::Pipeline { sources, diagnostics: self.warnings.told(loaded.diagnostics) })
            }
        }
    }

    /// The values that are given as YAML.
    fn documents(&self) -> Result<Documents, Failure> {
        let flags = self.documents.iter().map(|text| document(text, "--vars")).collect::<Result<_, _>>()?;
        if let Some(name) = not_text("PIPECTL_VAR") {
            let message = format!("the value of `{name}` in the environment is not UTF-8, and is no value");
            return Err(Failure::Usage { message, hints: Vec::new() });
        }
        let environment = variable("PIPECTL_VARS").map(|text| document(&text, "PIPECTL_VARS")).transpose()?;
        Ok(Documents { flags, environment })
    }

    fn read(&self) -> Result<Vec<u8>, Failure> {
        let wrong = |reason: String| Failure::File { path: self.file.clone(), reason };
        let metadata = fs::metadata(&self.file).map_err(|error| {
            wrong(match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            })
        })?;
        if metadata.is_dir() {
            return Err(wrong("it is a folder; name a file in it".to_owned()));
        }
        if metadata.len() > LARGEST_READ {
            // The size alone is enough for `spec` to say what is wrong with it.
            return Ok(vec![b' '; usize::try_from(metadata.len().min(LARGEST_READ)).unwrap_or_default()]);
        }
        fs::read(&self.file).map_err(|error| wrong(error.to_string()))
    }
}

/// The bytes of a file that the pipeline names, as far as they can be of use; what has no end is not read.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    read(path)
}
