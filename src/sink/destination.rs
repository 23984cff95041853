//! Between formats and places: where the bytes of one file go.
//!
//! A format writes into a [`Destination`] and does not know what is behind it. The file becomes visible in two
//! steps, so that several outputs can become visible together: [`Destination::seal`] does all that may well
//! fail, and [`Destination::commit`] the little that is left. One that is dropped was never there.

use std::io;
use std::path::Path;

use super::Error;
use super::location::Location;
use super::part::Part;
use super::scratch::Scratch;
use super::stage::{Mode, Staged};

/// A file in the making, wherever it will be.
#[derive(Debug)]
pub(super) enum Destination {
    /// A file where pipectl runs, staged beside its target.
    File(Staged),
    /// A file of a folder where pipectl runs, which becomes visible with the folder.
    Part(Part),
}

impl Destination {
    /// Begins the file at `location`.
    pub(super) fn create(location: &Location, mode: Mode) -> Result<Self, Error> {
        match location {
            Location::Local(path) => Staged::create(path, mode).map(Self::File),
            Location::Url(url) => Err(Error::NoStore { url: url.clone() }),
        }
    }

    /// The file's name, for messages.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::File(staged) => staged.target(),
            Self::Part(part) => part.target(),
        }
    }

    /// Where scratch files of this one may be made.
    pub(super) fn scratch(&self) -> Scratch {
        match self {
            Self::File(staged) => Scratch::beside(staged.target()),
            Self::Part(part) => Scratch::beside(part.path()),
        }
    }

    /// Takes note that all bytes have come, and makes them durable.
    pub(super) fn seal(&mut self) -> Result<(), Error> {
        match self {
            Self::File(staged) => staged.seal(),
            // Its folder does that for all files at once.
            Self::Part(_) => Ok(()),
        }
    }

    /// Makes the file visible under its own name, and returns its length.
    pub(super) fn commit(self) -> Result<u64, Error> {
        match self {
            Self::File(staged) => staged.commit(),
            Self::Part(part) => part.commit(),
        }
    }
}

impl io::Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(staged) => staged.write(bytes),
            Self::Part(part) => part.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(staged) => staged.flush(),
            Self::Part(part) => part.flush(),
        }
    }
}
