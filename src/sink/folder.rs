//! Between formats and places, for an output of several files: a folder that becomes visible as a whole.
//!
//! Files are begun by their names inside it; each is a [`Destination`], whose own commit completes the file and
//! shows it to nobody. The folder is sealed and committed as a file is.

use super::destination::Destination;
use super::error::Error;
use super::local::scratch::Scratch;
use super::local::staged_folder::StagedFolder;
use super::location::Location;
use super::mode::Mode;
use super::site::Site;
use super::store::StoreFolder;

/// A folder in the making, wherever it will be.
#[derive(Debug)]
pub(super) enum Folder {
    /// A folder where pipectl runs, staged beside its target.
    Local(StagedFolder),
    /// What the names of objects begin with.
    Store(StoreFolder),
}

impl Folder {
    /// Begins the folder at `location`.
    pub(super) fn create(location: &Location, mode: Mode, site: &Site<'_>) -> Result<Self, Error> {
        match location {
            Location::Local(path) => StagedFolder::create(path, mode).map(Self::Local),
            Location::Url(url) => StoreFolder::create(url, mode, site.stores, site.stop).map(Self::Store),
        }
    }

    /// Whether there are files already that stay beside those of this run.
    pub(super) fn is_appended(&self) -> bool {
        match self {
            Self::Local(staged) => staged.is_appended(),
            Self::Store(folder) => folder.is_appended(),
        }
    }

    /// Begins a file by its path inside the folder, which is no other file's: `day=1/part-00000.parquet`.
    pub(super) fn begin(&self, name: &str) -> Result<Destination, Error> {
        match self {
            Self::Local(staged) => staged.begin(name).map(Destination::Part),
            Self::Store(folder) => folder.begin(name).map(Destination::ObjectPart),
        }
    }

    /// Where scratch files of this one may be made.
    pub(super) fn scratch(&self) -> Scratch {
        match self {
            Self::Local(staged) => staged.scratch(),
            Self::Store(folder) => Scratch::beside(&folder.temporary()),
        }
    }

    /// Takes note that all files are complete, and makes them durable.
    pub(super) fn seal(&mut self) -> Result<(), Error> {
        match self {
            Self::Local(staged) => staged.seal(),
            // Each of its files is at the store when it is complete.
            Self::Store(_) => Ok(()),
        }
    }

    /// Makes the folder visible.
    pub(super) fn commit(self) -> Result<(), Error> {
        match self {
            Self::Local(staged) => staged.commit(),
            Self::Store(folder) => folder.commit(),
        }
    }
}
