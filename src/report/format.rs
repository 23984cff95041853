//! How reports look, and how much they say.

/// How progress and messages are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people: lines, and on a terminal moving ones.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
    /// For people, and annotations for GitHub Actions.
    Github,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Failures alone.
    Quiet,
    Normal,
    /// Also what is done at the engine besides outputs.
    Verbose,
}
