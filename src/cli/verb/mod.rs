//! Owns the verbs, a file each.

mod check;
mod completions;
mod contract;
mod doctor;
mod engine;
mod help;
mod ls;
mod plan;
mod run;
mod schema;
mod show;
mod validate;

use std::process::ExitCode;

use clap::{Command, Subcommand};

use crate::report::Reporter;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Run(run::Run),
    Validate(validate::Validate),
    #[command(visible_alias = "dry-run")]
    Check(check::Check),
    Plan(plan::Plan),
    Show(show::Show),
    #[command(visible_alias = "list")]
    Ls(ls::Ls),
    Schema(schema::Schema),
    #[command(subcommand)]
    Contract(contract::Contract),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Engine(engine::Engine),
    Completions(completions::Completions),
    Help(help::Help),
}

impl Verb {
    /// Runs it. `command` makes the whole command line, for the verbs that describe it.
    pub(super) fn run(self, command: fn() -> Command, reporter: Reporter) -> ExitCode {
        let result = match self {
            Self::Run(run) => return ExitCode::from(run::run(&run, reporter)),
            Self::Validate(validate) => validate::validate(&validate, reporter),
            Self::Check(check) => check::check_pipeline(&check, reporter),
            Self::Plan(plan) => plan::plan(&plan, reporter),
            Self::Show(show) => show::show(show, reporter),
            Self::Ls(ls) => ls::ls(&ls, reporter),
            Self::Schema(schema) => schema::schema(&schema),
            Self::Contract(contract) => contract::contract(&contract, reporter),
            Self::Doctor(doctor) => doctor::doctor(&doctor, reporter),
            Self::Engine(engine) => engine::engine(&engine, reporter),
            Self::Completions(completions) => completions::completions(&completions, command),
            Self::Help(help) => help::help(&help, command),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                failure.report(reporter);
                ExitCode::from(failure.exit_code())
            }
        }
    }
}
