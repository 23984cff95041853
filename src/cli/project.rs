//! The search for the project file, `pipectl.yaml`, and its reading.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::env::variable;
use super::failure::Failure;
use super::file::{read, shown};
use crate::diagnostic::Diagnostic;
use crate::engine::EngineKind;
use crate::spec::{LoadedProject, ProjectInputs, Token, load_project};
use crate::target::{Project, Target};
use crate::text::Sources;

/// The name of a project file.
pub(super) const PROJECT_FILE: &str = "pipectl.yaml";

/// A project file that was found.
pub(super) struct Found {
    /// As the user would write it.
    pub(super) shown: PathBuf,
    pub(super) folder: PathBuf,
    file: File,
}

/// The nearest project file: in the folder or above it, up to the repository's root or the home folder.
pub(super) fn find_project(folder: &Path, notes: &mut Vec<String>) -> Option<Found> {
    let home = variable("HOME").map(PathBuf::from);
    for folder in folder.ancestors() {
        let path = folder.join(PROJECT_FILE);
        match open_trusted(&path) {
            Ok(Some(file)) => return Some(Found { shown: shown(&path), folder: folder.to_path_buf(), file }),
            Ok(None) => {
                notes.push(format!("`{}` belongs to another user and is not used", shown(&path).display()));
            }
            Err(_) => {}
        }
        if folder.join(".git").exists() || home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

/// Opens a file of an owner who is trusted, and whose name is that owner's too; nothing where it is somebody else's.
fn open_trusted(path: &Path) -> io::Result<Option<File>> {
    // A folder is none, and a pipe would be waited for.
    if !fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let link = fs::symlink_metadata(path)?;
    let file = File::open(path)?;
    // What was opened is asked: the name may stand for another file by now.
    let is_theirs = !is_trusted(link.uid()) || !is_trusted(file.metadata()?.uid());
    Ok((!is_theirs).then_some(file))
}

/// Whether a file of this owner may say where data goes and who gets tokens: one's own, and the administrator's.
fn is_trusted(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw() || owner == 0
}

/// Reads it, for the target that was asked for or else its default one.
pub(super) fn read_project(found: &Found, target: Option<&str>, token: Token) -> Result<Project, Failure> {
    let mut bytes = Vec::new();
    (&found.file)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::File { path: found.shown.clone(), reason: error.to_string() })?;
    let inputs = ProjectInputs {
        target,
        token,
        engines: &EngineKind::NAMES,
        environment: &variable,
        files: &|path| read(&found.folder.join(path)),
    };
    let LoadedProject { project, diagnostics } = load_project(&found.shown, bytes, &inputs);
    project.map_err(|sources| Failure::Project { sources, diagnostics })
}

/// A target that applies, and the file that has it.
pub(super) struct InFile<'f> {
    pub(super) target: Target,
    pub(super) sources: Sources,
    pub(super) file: &'f Found,
}

impl InFile<'_> {
    pub(super) fn wrong(&self, diagnostic: Diagnostic) -> Failure {
        Failure::Project { sources: self.sources.clone(), diagnostics: vec![diagnostic] }
    }
}
