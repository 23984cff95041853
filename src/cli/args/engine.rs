//! The flags that say how an engine is reached, for every verb that speaks with one.

use std::time::Duration;

use clap::Args;

use crate::backend::Options;
use crate::cli::env::{engine_place, user};
use crate::engine::Downloads;

#[derive(Debug, Args)]
pub(crate) struct EngineArguments {
    /// Seconds for which a call to the engine is tried again while nobody answers.
    #[arg(long, value_name = "SECONDS", env = "PIPECTL_RETRY_BUDGET", default_value_t = 120)]
    retry_budget: u64,
    /// Download nothing: use the engine that is installed, or fail.
    #[arg(long, env = "PIPECTL_OFFLINE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    offline: bool,
}

impl EngineArguments {
    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    /// Returns how the engine is reached.
    pub(crate) fn options(&self) -> Options {
        let downloads = if self.offline { Downloads::Off } else { Downloads::Allowed };
        self.options_with(downloads)
    }

    /// Returns how an engine is reached that is there already: nothing is downloaded.
    pub(crate) fn offline_options(&self) -> Options {
        self.options_with(Downloads::Off)
    }

    fn options_with(&self, downloads: Downloads) -> Options {
        Options {
            retry_budget: Duration::from_secs(self.retry_budget),
            installation: engine_place(downloads),
            user: user(),
        }
    }
}
