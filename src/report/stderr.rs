//! The only way to stderr.

use std::io::Write as _;

use crate::secret::scrubbed;

/// Tells what is wrong with the command line, in the words of its parser.
pub(crate) fn usage(text: &str) {
    let _nobody_reads = write!(anstream::stderr().lock(), "{}", scrubbed(text));
}

/// Tells what was asked for, to whom it was promised: help, the version.
pub(crate) fn help(text: &str) {
    let _nobody_reads = write!(anstream::stdout().lock(), "{}", scrubbed(text));
}

/// One line on stderr. Nobody can be told that it failed.
pub(super) fn write_line(line: &str) {
    let mut stderr = anstream::stderr().lock();
    let _nobody_reads = writeln!(stderr, "{line}");
}
