//! Between formats and places, for an output of several files: a folder that becomes visible as a whole.
//!
//! Files are begun by their names inside it; each is a [`Destination`], whose own commit completes the file and
//! shows it to nobody. The folder is sealed and committed as a file is.

use super::Error;
use super::destination::Destination;
use super::location::Location;
use super::scratch::Scratch;
use super::stage::Mode;
use super::swap::StagedFolder;

/// A folder in the making, wherever it will be.
#[derive(Debug)]
pub(super) enum Folder {
    /// A folder where pipectl runs, staged beside its target.
    Local(StagedFolder),
}

impl Folder {
    /// Begins the folder at `location`.
    pub(super) fn create(location: &Location, mode: Mode) -> Result<Self, Error> {
        match location {
            Location::Local(path) => StagedFolder::create(path, mode).map(Self::Local),
            Location::Url(url) => Err(Error::NoStore { url: url.clone() }),
        }
    }

    /// Whether there are files already that stay beside those of this run.
    pub(super) fn is_continued(&self) -> bool {
        match self {
            Self::Local(staged) => staged.is_continued(),
        }
    }

    /// Begins a file by its path inside the folder, which is no other file's: `day=1/part-00000.parquet`.
    pub(super) fn begin(&self, name: &str) -> Result<Destination, Error> {
        match self {
            Self::Local(staged) => staged.begin(name).map(Destination::Part),
        }
    }

    /// Where scratch files of this one may be made.
    pub(super) fn scratch(&self) -> Scratch {
        match self {
            Self::Local(staged) => staged.scratch(),
        }
    }

    /// Takes note that all files are complete, and makes them durable.
    pub(super) fn seal(&mut self) -> Result<(), Error> {
        match self {
            Self::Local(staged) => staged.seal(),
        }
    }

    /// Makes the folder visible.
    pub(super) fn commit(self) -> Result<(), Error> {
        match self {
            Self::Local(staged) => staged.commit(),
        }
    }
}
