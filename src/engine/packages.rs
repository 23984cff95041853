//! Owns the description of what is installed in one folder.

use serde::Serialize;

/// What is installed in one folder.
pub(super) struct Packages {
    /// With the version, the folder's name.
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// Both, for people.
    pub(super) title: &'static str,
    /// The command that installs it.
    pub(super) install: &'static str,
    /// The megabytes it takes.
    pub(super) megabytes: u64,
    /// Wheels in pip's format, every one with its hash.
    pub(super) requirements: &'static str,
    /// The bytes of the wheel that each machine gets: system and processor.
    pub(super) wheels: &'static [(&'static str, u64)],
    /// What is used instead where the program's own environment has it.
    pub(super) beside: Option<Beside>,
    pub(super) archives: &'static [Archive],
    /// Files written next to the packages: path and content.
    pub(super) files: &'static [(&'static str, &'static str)],
    /// The Python statement that proves that the packages can be loaded.
    pub(super) proof: &'static str,
}

impl Packages {
    /// The bytes that an installation on this machine downloads, where that is known.
    pub(super) fn download(&self) -> Option<u64> {
        if !self.archives.is_empty() {
            return Some(self.archives.iter().map(|archive| archive.bytes).sum());
        }
        let machine = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        self.wheels.iter().find(|(name, _)| *name == machine).map(|(_, bytes)| *bytes)
    }
}

/// A source distribution, of which nothing but some members is taken.
#[derive(Debug, Serialize)]
pub(super) struct Archive {
    pub(super) name: &'static str,
    /// The project that it belongs to in the index.
    pub(super) project: &'static str,
    pub(super) bytes: u64,
    pub(super) sha256: &'static str,
    /// Files, and folders (with a slash at the end) for the files right in them, each with its place among the packages.
    pub(super) members: &'static [(&'static str, &'static str)],
}

/// Which package of an environment is an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Beside {
    /// Its project, and the package that it brings.
    pub name: &'static str,
    /// The versions of modules that the engine asks for, whatever is installed.
    pub versions: &'static [(&'static str, &'static str)],
}
