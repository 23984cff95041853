//! The search for the project file, `pipectl.yaml`, and its reading.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::environment::variable;
use super::failure::Failure;
use crate::engine::Kind;
use crate::spec::{LoadedProject, ProjectInputs, load_project};
use crate::target::Project;

/// The name of a project file.
pub(super) const PROJECT_FILE: &str = "pipectl.yaml";

/// A project file that was found.
pub(super) struct Found {
    /// As the user would write it.
    pub(super) shown: PathBuf,
    pub(super) folder: PathBuf,
}

/// The nearest project file: in the folder or above it, up to the repository's root or the home folder.
pub(super) fn find_project(folder: &Path, notes: &mut Vec<String>) -> Option<Found> {
    let home = variable("HOME").map(PathBuf::from);
    for folder in folder.ancestors() {
        let path = folder.join(PROJECT_FILE);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {
                if is_trusted(metadata.uid()) {
                    return Some(Found { shown: shown(&path), folder: folder.to_path_buf() });
                }
                notes.push(format!("`{}` belongs to another user and is not used", shown(&path).display()));
            }
            _ => {}
        }
        if folder.join(".git").exists() || home.as_deref() == Some(folder) {
            return None;
        }
    }
    None
}

/// Whether a file of this owner may say where data goes and who gets tokens: one's own, and the administrator's.
fn is_trusted(owner: u32) -> bool {
    owner == rustix::process::geteuid().as_raw() || owner == 0
}

/// A path as it is shortest from here.
pub(super) fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf))
        .unwrap_or_else(|| path.to_path_buf())
}

/// Reads it, for the target that was asked for or else its default one.
pub(super) fn read_project(found: &Found, target: Option<&str>) -> Result<Project, Failure> {
    let path = found.folder.join(PROJECT_FILE);
    let bytes = fs::read(&path)
        .map_err(|error| Failure::File { path: found.shown.clone(), reason: error.to_string() })?;
    let inputs = ProjectInputs {
        target,
        engines: &Kind::NAMES,
        environment: &variable,
        files: &|path| fs::read(found.folder.join(path)),
    };
    let LoadedProject { project, diagnostics } = load_project(&found.shown, bytes, &inputs);
    project.map_err(|sources| Failure::Project { sources, diagnostics })
}
