//! `pipectl completions`: what a shell needs to complete pipectl's words.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::failure::Failure;
use crate::cli::output::print;

/// Print a script that lets a shell complete pipectl's words.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell.
    shell: Shell,
}

pub(crate) fn completions(arguments: &Completions, command: fn() -> Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command(), "pipectl", &mut script);
    print(&String::from_utf8_lossy(&script))
}
