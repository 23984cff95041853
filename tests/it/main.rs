//! The integration tests, in one binary: a file per verb, and what else is only seen from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it should be")]

mod analysis;
mod chains;
mod engines;
mod expectations;
mod files;
mod inputs;
mod interrupts;
mod layers;
mod outputs;
mod pipelines;
mod protocol;
mod run;
mod schema;
mod semantics;
mod specs;
mod stores;
mod support;
