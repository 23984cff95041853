//! Owns what all parts of the loader share, and the reading of files that a document names.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::inputs::Inputs;
use crate::diagnostic::{Code, Diagnostic};
use crate::lowering::{Base, normal};
use crate::pipeline::Contract;
use crate::text::{FileId, Source, Sources, Span};
use crate::yaml;

/// What the readers of a document share.
pub(super) struct Context<'a, 'i> {
    /// Where the relative paths start of the file that is being read.
    pub(super) base: Arc<Base>,
    pub(super) inputs: &'a Inputs<'i>,
    pub(super) sources: &'a mut Sources,
    /// Those that were read, by their paths; nothing for one that is wrong, which was reported.
    pub(super) contracts: HashMap<PathBuf, Option<Contract>>,
}

impl Context<'_, '_> {
    /// What a file holds that the pipeline names, which need not be text; or why it can't be read.
    pub(super) fn bytes(&self, name: &str, span: Span) -> Result<Vec<u8>, Box<Diagnostic>> {
        (self.inputs.files)(&self.base.folder.join(name))
            .map_err(|error| unreadable(name, span, &reason(&error)))
    }

    /// The text of a file that the pipeline names, put beside its own; or what is wrong with it.
    pub(super) fn file(&mut self, name: &str, span: Span) -> Result<(FileId, Arc<String>), Box<Diagnostic>> {
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
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is a file and no folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// The text of a file, or why it can't be read and what of it can.
pub(super) fn text_of(mut bytes: Vec<u8>) -> Result<String, (String, String)> {
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
