//! Owns where the archive of loaded classes is that belongs to an installation and a Java.

use std::fs;
use std::path::{Path, PathBuf};

use super::fingerprint::fingerprint;
use super::installation::Installation;
use super::java::Java;

const NAME: &str = "classes-";

/// Where the archive is, or would be. Empty, it says that this Java can't make one.
pub(super) fn archive(installation: &Installation, java: &Java) -> PathBuf {
    installation.folder.join(format!("{}{}.jsa", prefix(java), java.version))
}

/// The same for all versions that have been at one place.
fn prefix(java: &Java) -> String {
    format!("{NAME}{:016x}-", fingerprint([&*java.program.to_string_lossy()].into_iter()))
}

/// Java has been brought up to date: what was made for the one before would only take space.
pub(super) fn remove_older(installation: &Installation, java: &Java, archive: &Path) {
    let prefix = prefix(java);
    for entry in fs::read_dir(&installation.folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&prefix)
            && Path::new(&name).extension().is_some_and(|end| end == "jsa")
            && path != archive
        {
            drop(fs::remove_file(path));
        }
    }
}
