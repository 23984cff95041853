//! Owns how an engine is to run: what the caller asks for, and what a kind makes of it.

use std::time::Duration;

/// How an engine is to run.
#[derive(Clone, Debug, Default)]
pub(crate) struct LaunchSettings {
    /// The timeout until it accepts connections; what is usual for its kind if not given.
    pub ready_within: Option<Duration>,
    /// The bytes of memory it may use before it spills to disk; a share of the machine's if not given.
    pub memory: Option<u64>,
}

/// What a kind says of its server.
#[derive(Debug, Default)]
pub(super) struct Launch {
    /// Arguments of its program, after its packages.
    pub arguments: Vec<String>,
    pub environment: Vec<(&'static str, String)>,
    /// Variables of the user's environment that it does not get, by the beginning of their names.
    pub dropped: &'static [&'static str],
    /// Files in its private folder: name and content.
    pub files: Vec<(&'static str, String)>,
    /// What a caller has to show.
    pub token: Option<String>,
}
