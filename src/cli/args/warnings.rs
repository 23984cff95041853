//! What becomes of warnings: told, not told, or taken for mistakes.

use clap::Args;

use crate::cli::failure::Failure;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::text::Sources;

#[derive(Debug, Default, Args)]
pub(crate) struct WarningArguments {
    /// Take warnings for mistakes: where there is one, nothing is run, and the exit code is 78.
    #[arg(long, env = "PIPECTL_DENY_WARNINGS", action = clap::ArgAction::SetTrue, value_parser = clap::builder::FalseyValueParser::new())]
    deny_warnings: bool,
    /// Say nothing of a kind of warning: `--allow W003`. May be given several times, or as a list with commas.
    #[arg(long = "allow", value_name = "CODE", env = "PIPECTL_ALLOW", value_delimiter = ',', value_parser = warning)]
    allowed: Vec<Code>,
}

fn warning(text: &str) -> Result<Code, String> {
    match Code::parse(text.trim()) {
        Some(code) if code.severity() == Severity::Warning => Ok(code),
        Some(code) => Err(format!("`{}` is a mistake, and can't be allowed", code.as_str())),
        None => {
            let warnings = Code::ALL.iter().filter(|code| code.severity() == Severity::Warning);
            let codes: Vec<&str> = warnings.map(|code| code.as_str()).collect();
            Err(format!("the warnings are {}", codes.join(", ")))
        }
    }
}

impl WarningArguments {
    /// Those of the diagnostics that are told.
    pub(crate) fn told(&self, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        found.retain(|one| !self.allowed.contains(&one.code));
        found
    }

    /// The warnings that are told, of diagnostics without a mistake; a failure where none may be.
    pub(crate) fn judged(
        &self,
        sources: &Sources,
        found: Vec<Diagnostic>,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let diagnostics = self.told(found);
        if self.deny_warnings && !diagnostics.is_empty() {
            return Err(Failure::Pipeline { sources: sources.clone(), diagnostics });
        }
        Ok(diagnostics)
    }
}
