//! pipectl runs declarative data pipelines on Spark Connect.

mod diagnostic;
mod dialect;
mod expr;
mod name;
mod proto;
mod shape;
mod sink;
mod text;
mod yaml;

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
