//! A text file that goes on after the bytes of an old one, which it replaces whole at the end.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::sink::destination::Destination;
use crate::sink::error::Error;
use crate::sink::local::staged_file::resolve;
use crate::sink::location::Location;
use crate::sink::mode::Mode;
use crate::sink::site::Site;

/// The beginning of such a file.
pub(crate) struct AppendFile {
    pub(crate) destination: Destination,
    /// Whether there were no bytes before.
    pub(crate) is_new: bool,
}

impl AppendFile {
    /// Copies what is at `location`, which must begin with `header`. Rows come on lines of their own.
    pub(crate) fn open(location: &Location, header: &[u8], site: &Site<'_>) -> Result<Self, Error> {
        let mut destination = Destination::create(location, Mode::Append, site)?;
        let target = resolve(location.path())?;
        let failed = |source| Error::file("read", &target, source);
        let mut old = match File::open(&target) {
            Ok(old) => old,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Self { destination, is_new: true });
            }
            Err(source) => return Err(failed(source)),
        };
        let length = old.metadata().map_err(failed)?.len();
        if length == 0 {
            return Ok(Self { destination, is_new: true });
        }
        if !begins_with(&mut old, header).map_err(failed)? {
            return Err(Error::OtherHeader { path: target });
        }
        let ended = ends_a_line(&mut old).map_err(failed)?;
        copy(&mut old, &mut destination, &target)?;
        if !ended {
            destination.write_all(b"\n").map_err(|source| Error::file("write", &target, source))?;
        }
        Ok(Self { destination, is_new: false })
    }
}

fn begins_with(file: &mut File, expected: &[u8]) -> io::Result<bool> {
    let mut found = Vec::new();
    file.take(expected.len() as u64).read_to_end(&mut found)?;
    // A header alone may have no line break after it.
    Ok(found == expected || expected.strip_suffix(b"\n").is_some_and(|line| found == line))
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    file.rewind()?;
    Ok(last == *b"\n")
}

fn copy(old: &mut File, destination: &mut Destination, target: &Path) -> Result<(), Error> {
    io::copy(old, destination).map(drop).map_err(|source| Error::file("write", target, source))
}
