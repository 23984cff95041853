//! Looks whether the files are there that a run reads: an engine may take a path that does not exist for no rows.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pipeline::{Pipeline, StepId};

/// Files that are missing, as far as this machine can tell.
pub(crate) fn missing(pipeline: &Pipeline, steps: &[StepId]) -> Diagnostics {
    let mut found = Diagnostics::default();
    for artifact in &pipeline.artifacts {
        let reason = match artifact.path.metadata() {
            Err(_) => "does not exist",
            Ok(found) if found.is_dir() => "is a folder; pack it into an archive",
            Ok(_) => continue,
        };
        let message = format!("the artifact `{}` {reason}", artifact.path.display());
        found.push(Diagnostic::new(Code::NoInput, artifact.span, message));
    }
    for id in steps {
        let step = pipeline.step(*id);
        for template in step.source.value.kind().paths() {
            let Some(path) = step.base.root.shared(&template.plain()) else { continue };
            if let Some(reason) = missing_at(&path) {
                let message =
                    format!("the input of `{}` is missing: `{}` {reason}", step.name, path.display());
                found.push(Diagnostic::new(Code::NoInput, template.span(), message));
            }
        }
    }
    found
}

fn missing_at(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    // Braces are the engine's own.
    if text.contains('{') && !path.exists() {
        return None;
    }
    if text.contains(['*', '?', '[']) && !path.exists() {
        let mut matches = glob::glob(&text).ok()?.flatten();
        return matches.next().is_none().then_some("matches no file");
    }
    match path.metadata() {
        Err(_) => Some("does not exist"),
        Ok(found) if found.is_dir() && !has_data(path.to_path_buf()) => Some("is a folder without data"),
        Ok(_) => None,
    }
}

/// Whether a folder holds a file, at any depth, that engines do not pass over.
fn has_data(folder: PathBuf) -> bool {
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(['.', '_']) {
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) => return true,
                Err(_) => {}
            }
        }
    }
    false
}
