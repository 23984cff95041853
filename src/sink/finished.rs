//! An output whose rows have all come: what is left is to make it visible.

use std::fmt;

use super::destination::Destination;
use super::error::Error;
use super::folder::Folder;
use super::location::Location;
use super::place::OutputPlace;

/// A complete output that nobody sees yet; dropped, it never was.
#[derive(Debug)]
pub(crate) struct Finished {
    rows: u64,
    place: OutputPlace,
    note: Option<Note>,
    pending: Pending,
}

/// What is to become visible.
#[derive(Debug)]
enum Pending {
    File(Destination),
    /// Files of so many bytes.
    Folder(Folder, u64),
    /// Nothing: so many bytes have been printed.
    Printed(u64),
}

impl Finished {
    /// One file, which is put on the disk now.
    pub(super) fn file(mut destination: Destination, place: OutputPlace, rows: u64) -> Result<Self, Error> {
        destination.seal()?;
        Ok(Self { rows, place, note: None, pending: Pending::File(destination) })
    }

    /// A folder of complete files, which is put on the disk now.
    pub(super) fn folder(
        mut folder: Folder,
        place: OutputPlace,
        rows: u64,
        bytes: u64,
    ) -> Result<Self, Error> {
        folder.seal()?;
        Ok(Self { rows, place, note: None, pending: Pending::Folder(folder, bytes) })
    }

    /// Rows on stdout.
    pub(super) fn stdout(rows: u64, bytes: u64, note: Option<Note>) -> Self {
        Self { rows, place: OutputPlace::Stdout, note, pending: Pending::Printed(bytes) }
    }

    /// Whether becoming visible may well fail: it is a store's, which answers over a network.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self.place.location(), Some(Location::Url(_)))
    }

    /// Makes the output visible.
    pub(crate) fn commit(self) -> Result<Written, Error> {
        let bytes = match self.pending {
            Pending::File(destination) => destination.commit()?,
            Pending::Folder(folder, bytes) => {
                folder.commit()?;
                bytes
            }
            Pending::Printed(bytes) => bytes,
        };
        Ok(Written { rows: self.rows, bytes, place: self.place, note: self.note })
    }
}

/// What a completed output holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) place: OutputPlace,
    pub(crate) note: Option<Note>,
}

/// What the user should know about a completed output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// The result has more rows than the limit lets through.
    Cut { rows: u64 },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { rows: 1 } => f.write_str("only the first row is shown"),
            Self::Cut { rows } => write!(f, "only the first {rows} rows are shown"),
        }
    }
}
