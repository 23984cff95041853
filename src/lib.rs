//! pipectl runs declarative data pipelines on Spark Connect.

mod proto;
mod sink;

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
