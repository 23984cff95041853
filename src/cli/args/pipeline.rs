//! What all verbs about a pipeline share: its file, its variables, where its paths start.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::target::Chosen;
use super::warnings::WarningArguments;
use crate::cli::env::{not_text, value, variable};
use crate::cli::failure::Failure;
use crate::cli::file::{LARGEST_READ, read, read_file};
use crate::cli::identity::RunIdentity;
use crate::diagnostic::Diagnostic;
use crate::lowering::normal;
use crate::pipeline::Pipeline;
use crate::spec::{self, Document, Documents, Inputs};

#[derive(Debug, Args)]
pub(crate) struct PipelineArguments {
    /// The pipeline file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Sets a variable; may be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) variables: Vec<(String, String)>,
    /// Sets variables: a YAML file with `name: value`, or the YAML itself, `{date: 2026-01-31, n: 3}`; may be given several times. A
    /// `--var` goes before it, and a later one before an earlier.
    #[arg(long = "vars", value_name = "FILE|YAML")]
    pub(crate) documents: Vec<String>,
    #[command(flatten)]
    pub(crate) warnings: WarningArguments,
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

/// A pipeline without mistakes, and warnings about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) pipeline: Pipeline,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl PipelineArguments {
    /// A file, and nothing else said.
    pub(crate) fn of(file: PathBuf) -> Self {
        Self { file, variables: Vec::new(), documents: Vec::new(), warnings: WarningArguments::default() }
    }

    /// The folder in which relative paths start, absolute: engines have working directories of their own.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        let wrong = |error: &io::Error| Failure::File { path: self.file.clone(), reason: error.to_string() };
        let path = std::path::absolute(&self.file).map_err(|error| wrong(&error))?;
        Ok(normal(path.parent().unwrap_or(Path::new("/"))))
    }

    /// The pipeline, to be run or to be told whether it may be.
    pub(crate) fn load(&self, identity: &RunIdentity, chosen: &Chosen) -> Result<Loaded, Failure> {
        self.load_by(spec::load, identity, chosen)
    }

    /// The same of one that may still be in the making.
    pub(crate) fn load_unfinished(&self, identity: &RunIdentity, chosen: &Chosen) -> Result<Loaded, Failure> {
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
