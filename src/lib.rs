//! pipectl runs declarative data pipelines on Spark Connect.

mod cli;
mod connect;
mod diagnostic;
mod dialect;
mod engine;
mod expect;
mod expr;
mod graph;
mod lowering;
mod name;
mod pipeline;
mod plan;
mod proto;
mod report;
mod run;
mod scalar;
mod shape;
mod sink;
mod source;
mod spec;
mod text;
mod transform;
mod yaml;

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    cli::main(std::env::args_os())
}
