//! How an engine's process has ended.

use std::fmt;

use serde::Deserialize;

/// An engine that has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub ending: Ending,
    pub last_lines: Vec<String>,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    Code(i32),
    Signal(i32),
    /// Nobody knows: its launcher ended first, and the engine goes with it.
    #[serde(skip)]
    Unknown,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "it exited with code {code}"),
            // The numbers that are the same on Linux and macOS.
            Self::Signal(6) => write!(f, "it aborted (SIGABRT)"),
            Self::Signal(9) => {
                write!(f, "it was killed (SIGKILL), perhaps because the machine ran out of memory")
            }
            Self::Signal(11) => {
                write!(
                    f,
                    "it crashed (SIGSEGV), perhaps because an expression or a plan is nested too deeply"
                )
            }
            Self::Signal(signal) => write!(f, "it was ended by signal {signal}"),
            Self::Unknown => write!(f, "its launcher ended without a word"),
        }
    }
}
