//! Looks whether the files are there that a run reads: an engine may take a path that does not exist for no rows.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::expr::Template;
use crate::pipeline::{Contract, Pipeline, Step, StepId};
use crate::source::Upload;
use crate::text::Span;

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
        missing_uploads(step, &mut found);
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

/// Where a step names the files that it reads.
pub(crate) fn places(step: &Step) -> Vec<Span> {
    let uploads = step.source.value.as_upload().into_iter().flat_map(Upload::files);
    step.source.value.kind().paths().iter().chain(uploads.map(|(path, _)| path)).map(Template::span).collect()
}

/// Files that are missing where pipectl runs, whatever the engine is.
pub(crate) fn missing_here(pipeline: &Pipeline) -> Diagnostics {
    let mut found = Diagnostics::default();
    pipeline.steps.iter().for_each(|step| missing_uploads(step, &mut found));
    found
}

fn missing_uploads(step: &Step, found: &mut Diagnostics) {
    for (template, path) in step.source.value.as_upload().into_iter().flat_map(Upload::files) {
        let reason = match path.metadata() {
            Err(_) => "does not exist",
            Ok(file) if file.is_dir() => "is a folder, and no file",
            Ok(_) => continue,
        };
        let message = format!("the input of `{}` is missing: `{}` {reason}", step.name, path.display());
        found.push(Diagnostic::new(Code::NoInput, template.span(), message));
    }
}

/// Reads the files that pipectl brings to the engine, where that does not read them itself.
pub(crate) fn read_uploads(pipeline: &Pipeline, steps: &[StepId]) -> Diagnostics {
    let mut found = Diagnostics::default();
    for id in steps {
        let step = pipeline.step(*id);
        let Some(upload) = step.source.value.as_upload() else { continue };
        let schema = step.contract.as_ref().map(Contract::ddl);
        found.append(upload.read(schema.as_deref(), &step.base.root, &|path| std::fs::read(path)));
    }
    found
}

fn missing_at(path: &Path) -> Option<&'static str> {
    let text = path.to_string_lossy();
    if text.contains(['*', '?', '[', '{']) && !path.exists() {
        let mut any = false;
        for pattern in alternatives(&text) {
            // What this can't read is the engine's own.
            any |= glob::glob(&pattern).ok()?.flatten().any(|path| is_data(&path));
        }
        return (!any).then_some("matches no file");
    }
    match path.metadata() {
        Err(_) => Some("does not exist"),
        Ok(found) if found.is_dir() && !has_data(path.to_path_buf()) => Some("is a folder without data"),
        Ok(_) => None,
    }
}

/// A pattern without braces for each choice of what stands in them.
fn alternatives(pattern: &str) -> Vec<String> {
    let whole = || vec![pattern.to_owned()];
    let Some((before, rest)) = pattern.split_once('{') else { return whole() };
    let mut depth = 0_usize;
    let mut from = 0;
    let mut choices = Vec::new();
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                choices.push(rest.get(from..at).unwrap_or_default());
                let after = rest.get(at + 1..).unwrap_or_default();
                let one = |choice: &str| alternatives(&format!("{before}{choice}{after}"));
                return choices.into_iter().flat_map(one).collect();
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                choices.push(rest.get(from..at).unwrap_or_default());
                from = at + 1;
            }
            _ => {}
        }
    }
    whole()
}

/// Whether engines find rows at a path that matches a pattern.
fn is_data(path: &Path) -> bool {
    let is_passed_over = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']));
    !is_passed_over && (!path.is_dir() || has_data(path.to_path_buf()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_choices() {
        for (pattern, choices) in [
            ("a/*.csv", vec!["a/*.csv"]),
            ("{a,b}/x", vec!["a/x", "b/x"]),
            ("{a,b{1,2}}-{x}", vec!["a-x", "b1-x", "b2-x"]),
            ("a{b", vec!["a{b"]),
            ("a{,b}", vec!["a", "ab"]),
        ] {
            assert_eq!(alternatives(pattern), choices, "{pattern}");
        }
    }
}
