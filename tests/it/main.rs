//! The integration tests, in one binary: a file per verb, and what else is only seen from outside.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps nothing")]

mod analysis;
mod chains;
mod expectations;
mod pipelines;
mod protocol;
mod run;
mod semantics;
mod support;
