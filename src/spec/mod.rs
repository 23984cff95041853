//! Owns the way from a file's text to a [`Pipeline`]: the document's shape, variables bound on nodes, every kind decoded,
//! names resolved. All mistakes are collected; a mistake ends its own item and never the reading.
//!
//! It is pure: files and environment come through [`Inputs`], which the caller hands in.

mod artifacts;
mod contract;
mod document;
mod elsewhere;
mod include;
mod moment;
mod project;
mod reference;
mod resolve;
mod schema;
mod secrets;
mod step;
mod vars;
mod warnings;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lowering::{Base, Root, normal};
use crate::pipeline::Pipeline;
use crate::target::Settings;
use crate::text::{FileId, Source, Sources, Span};
use crate::yaml;

use include::Texts;

pub(crate) use project::{LoadedProject, ProjectInputs, Token, load_project};
pub(crate) use schema::{Block, Doc, Family, KindSchema, described, json_schema, kinds, project_schema};
pub(crate) use vars::{Document, Documents};

/// What the outside world says to a pipeline.
pub(crate) struct Inputs<'a> {
    /// Variables of the command line, in its order.
    pub(crate) variables: &'a [(String, String)],
    /// Values of variables as YAML: `--vars`.
    pub(crate) documents: &'a Documents,
    pub(crate) environment: &'a dyn Fn(&str) -> Option<String>,
    /// Reads a file whose path is relative to the document's folder, or absolute.
    pub(crate) files: &'a dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// The one path of a file, whatever links lead there.
    pub(crate) canonical: &'a dyn Fn(&Path) -> io::Result<PathBuf>,
    pub(crate) run_id: &'a str,
    pub(crate) started_at: DateTime<Utc>,
    /// Where relative paths of the engine start; nothing for the file's own folder.
    pub(crate) root: Option<Root>,
    /// What the target says.
    pub(crate) target: &'a Settings,
}

/// What came of a file: the pipeline where nothing is wrong, and all that is.
pub(crate) struct Loaded {
    pub(crate) pipeline: Result<Pipeline, Sources>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a pipeline from the bytes of its file; `folder` is where its relative paths start.
pub(crate) fn load(path: &Path, folder: PathBuf, bytes: Vec<u8>, inputs: &Inputs<'_>) -> Loaded {
    let mut sources = Sources::default();
    let mut found = Diagnostics::default();
    let text = match text_of(bytes) {
        Ok(text) => text,
        Err((message, shown)) => {
            let at = shown.len();
            let file = sources.add(Source::new(path, shown));
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            found.push(Diagnostic::new(Code::Unreadable, Span { file, start: at, end: at }, message));
            return Loaded { pipeline: Err(sources), diagnostics: found.sorted() };
        }
    };
    let file = sources.add(Source::new(path, text));
    let root = inputs.root.clone().unwrap_or_else(|| Root::Folder(folder.clone()));
    let context = Context { base: Arc::new(Base { root, folder }), inputs, sources: &mut sources };
    let pipeline = document::read(file, &Texts::new(), context, &mut found);
    let pipeline = pipeline.filter(|_| !found.has_errors());
    let diagnostics = found.sorted();
    Loaded {
        pipeline: pipeline.map(|pipeline| pipeline.with_sources(sources.clone())).ok_or(sources),
        diagnostics,
    }
}

/// What the readers of a document share.
struct Context<'a, 'i> {
    /// Where the relative paths start of the file that is being read.
    base: Arc<Base>,
    inputs: &'a Inputs<'i>,
    sources: &'a mut Sources,
}

impl Context<'_, '_> {
    /// What a file holds that the pipeline names, which need not be text; or why it can't be read.
    fn bytes(&self, name: &str, span: Span) -> Result<Vec<u8>, Box<Diagnostic>> {
        (self.inputs.files)(&self.base.folder.join(name))
            .map_err(|error| unreadable(name, span, &reason(&error)))
    }

    /// The text of a file that the pipeline names, put beside its own; or what is wrong with it.
    fn file(&mut self, name: &str, span: Span) -> Result<(FileId, Arc<String>), Box<Diagnostic>> {
        let path = self.base.folder.join(name);
        let shown = normal(&self.sources.get(span.file).path().with_file_name(name));
        let wrong = |reason: String| unreadable(name, span, &reason);
        if self.sources.is_full() {
            return Err(wrong("a pipeline consists of at most 65,536 files".to_owned()));
        }
        let bytes = (self.inputs.files)(&path).map_err(|error| wrong(reason(&error)))?;
        let text = match text_of(bytes) {
            Ok(text) => text,
            Err((message, good)) if good.is_empty() => return Err(wrong(message)),
            Err((message, good)) => {
                let at = u32::try_from(good.len()).unwrap_or(u32::MAX);
                let file = self.sources.add(Source::new(shown, good));
                let place = Span { file, start: at, end: at };
                return Err(Box::new(
                    Diagnostic::new(Code::Unreadable, place, message).related(span, "the file is named here"),
                ));
            }
        };
        let file = self.sources.add(Source::new(shown, text));
        Ok((file, Arc::clone(self.sources.get(file).text())))
    }
}

fn unreadable(name: &str, span: Span, reason: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::new(Code::File, span, format!("the file `{name}` can't be read: {reason}")))
}

/// Why a file can't be read, in a few words.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is a file and no folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The text of a file, or why it can't be read and what of it can.
fn text_of(mut bytes: Vec<u8>) -> Result<String, (String, String)> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    if bytes.len() as u64 > yaml::LARGEST_FILE {
        return Err((format!("the file is larger than {} MB", yaml::LARGEST_FILE >> 20), String::new()));
    }
    if bytes.starts_with(MARK) {
        bytes.drain(..MARK.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let message = "the file is not UTF-8: the next byte begins none of its characters; save it as UTF-8";
        let shown = error.as_bytes().get(..good).map(String::from_utf8_lossy).unwrap_or_default();
        (message.to_owned(), shown.into_owned())
    })
}
