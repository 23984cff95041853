//! `pipectl completions`: what a shell needs to complete pipectl's words.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Arguments;
use super::failure::Failure;

/// Print a script that lets a shell complete pipectl's words.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell.
    shell: Shell,
}

pub(super) fn completions(arguments: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "pipectl", &mut script);
    super::print(&String::from_utf8_lossy(&script))
}
