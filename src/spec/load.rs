//! Owns the way from the bytes of a pipeline's file to a [`Pipeline`].

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::{Context, text_of};
use super::document;
use super::include::Texts;
use super::inputs::Inputs;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lowering::{Base, Root};
use crate::pipeline::Pipeline;
use crate::text::{Source, Sources, Span};

/// What came of a file: the pipeline where nothing is wrong, and all that is.
pub(crate) struct Loaded {
    pub(crate) pipeline: Result<Pipeline, Sources>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads a pipeline from the bytes of its file; `folder` is where its relative paths start.
pub(crate) fn load(path: &Path, folder: PathBuf, bytes: Vec<u8>, inputs: &Inputs<'_>) -> Loaded {
    read(path, folder, bytes, inputs, &[])
}

/// The same of one that may still be in the making: it may have no output, and parts that nothing uses.
pub(crate) fn load_unfinished(path: &Path, folder: PathBuf, bytes: Vec<u8>, inputs: &Inputs<'_>) -> Loaded {
    let fine = [Code::NoOutput, Code::UnusedVariable, Code::UnusedStep, Code::SharedStdout];
    read(path, folder, bytes, inputs, &fine)
}

/// Reads a pipeline; what has one of the codes in `fine` is not told.
fn read(path: &Path, folder: PathBuf, bytes: Vec<u8>, inputs: &Inputs<'_>, fine: &[Code]) -> Loaded {
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
    let context = Context {
        base: Arc::new(Base { root, folder }),
        inputs,
        sources: &mut sources,
        contracts: HashMap::new(),
    };
    let pipeline = document::read(file, &Texts::new(), context, &mut found);
    let found = found.without(fine);
    let pipeline = pipeline.filter(|_| !found.has_errors());
    let diagnostics = found.sorted();
    Loaded {
        pipeline: pipeline.map(|pipeline| pipeline.with_sources(sources.clone())).ok_or(sources),
        diagnostics,
    }
}
