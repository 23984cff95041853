//! Owns what a verb writes to stdout: its data.

use std::io::{self, Write as _};

use super::failure::Failure;
use crate::secret::scrubbed;

/// Writes a verb's data to stdout. A reader that has gone has what it wants.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(scrubbed(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}
