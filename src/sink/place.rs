//! Where the rows of an output go, as reports, locks and plans name it.

use std::fmt;
use std::path::PathBuf;

use super::location::Location;
use crate::lowering::normal;

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum OutputPlace {
    File(Location),
    /// A folder of files, which belongs to the output as a whole.
    Folder(Location),
    Stdout,
}

impl OutputPlace {
    /// The same for two outputs that go to one place, and the beginning of what is in it up to a `/`; nothing for
    /// stdout.
    pub(crate) fn key(&self) -> Option<String> {
        Some(match self.location()? {
            Location::Local(path) => normal(path).to_string_lossy().into_owned(),
            Location::Url(url) => url.trim_end_matches('/').to_owned(),
        })
    }

    /// The folder of this machine that it is made in.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self.location()? {
            Location::Local(path) => path.parent().map(normal),
            Location::Url(_) => None,
        }
    }

    /// Where it is, but for stdout.
    pub(crate) fn location(&self) -> Option<&Location> {
        match self {
            Self::File(location) | Self::Folder(location) => Some(location),
            Self::Stdout => None,
        }
    }
}

impl fmt::Display for OutputPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(location) => write!(f, "`{location}`"),
            Self::Folder(location) => {
                write!(f, "`{}/`", location.path().display().to_string().trim_end_matches('/'))
            }
            Self::Stdout => f.write_str("stdout"),
        }
    }
}
