//! Between formats and places: where the bytes of one file go.
//!
//! A format writes into a [`Destination`] and does not know what is behind it. The file becomes visible in two
//! steps, so that several outputs can become visible together: [`Destination::seal`] does all that may well
//! fail, and [`Destination::commit`] the little that is left. One that is dropped was never there.

use std::io;
use std::path::Path;

use super::error::Error;
use super::local::part::Part;
use super::local::scratch::Scratch;
use super::local::staged_file::StagedFile;
use super::location::Location;
use super::mode::Mode;
use super::site::Site;
use super::store::{StorePart, Upload};

/// A file in the making, wherever it will be.
#[derive(Debug)]
pub(super) enum Destination {
    /// A file where pipectl runs, staged beside its target.
    File(StagedFile),
    /// A file of a folder where pipectl runs, which becomes visible with the folder.
    Part(Part),
    /// An object of a store, to which its parts are sent while they come.
    Object(Upload),
    /// An object that becomes visible with others.
    ObjectPart(StorePart),
}

impl Destination {
    /// Begins the file at `location`.
    pub(super) fn create(location: &Location, mode: Mode, site: &Site<'_>) -> Result<Self, Error> {
        match location {
            Location::Local(path) => StagedFile::create(path, mode).map(Self::File),
            Location::Url(url) => Upload::create(url, mode, site.stores, site.stop).map(Self::Object),
        }
    }

    /// The file's name, for messages.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::File(staged) => staged.target(),
            Self::Part(part) => part.target(),
            Self::Object(upload) => upload.target(),
            Self::ObjectPart(part) => part.target(),
        }
    }

    /// Where scratch files of this one may be made.
    pub(super) fn scratch(&self) -> Scratch {
        match self {
            Self::File(staged) => Scratch::beside(staged.target()),
            Self::Part(part) => Scratch::beside(part.path()),
            Self::Object(upload) => Scratch::beside(&upload.temporary()),
            Self::ObjectPart(part) => Scratch::beside(&part.temporary()),
        }
    }

    /// Takes note that all bytes have come, and makes them durable.
    pub(super) fn seal(&mut self) -> Result<(), Error> {
        match self {
            Self::File(staged) => staged.seal(),
            // Its folder does that for all files at once.
            Self::Part(_) => Ok(()),
            Self::Object(upload) => upload.seal(),
            Self::ObjectPart(part) => part.seal(),
        }
    }

    /// Makes the file visible under its own name, and returns its length.
    pub(super) fn commit(self) -> Result<u64, Error> {
        match self {
            Self::File(staged) => staged.commit(),
            Self::Part(part) => part.commit(),
            Self::Object(upload) => upload.commit(),
            Self::ObjectPart(part) => part.commit(),
        }
    }
}

impl io::Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(staged) => staged.write(bytes),
            Self::Part(part) => part.write(bytes),
            Self::Object(upload) => upload.write(bytes),
            Self::ObjectPart(part) => part.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(staged) => staged.flush(),
            Self::Part(part) => part.flush(),
            Self::Object(upload) => upload.flush(),
            Self::ObjectPart(part) => part.flush(),
        }
    }
}
