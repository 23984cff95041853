//! The integration tests, in one binary: a file per verb, and what else is only seen from outside.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it should be")]

mod analysis;
mod archives;
mod chains;
mod check;
mod cluster;
mod connections;
mod contracts;
mod conversations;
mod daemon;
mod diagnostics;
mod doctor;
mod engines;
mod errors;
mod expectations;
mod files;
mod fitting;
mod fronts;
mod generated;
mod history;
mod hostile;
mod includes;
mod injection;
mod inputs;
mod interrupts;
mod kinds;
mod large;
mod layers;
mod ls;
mod managed;
mod network;
mod otherwise;
mod outputs;
mod pipelines;
mod proto;
mod protocol;
mod proxy;
mod readme;
mod reference;
mod run;
mod schema;
#[expect(dead_code, unused_imports, reason = "the client's own tests use the rest")]
#[path = "../scripted/mod.rs"]
mod scripted;
mod secrets;
mod semantics;
mod show;
mod spark;
mod specs;
mod stores;
mod support;
mod targets;
mod timeouts;
mod tokens;
mod tpch;
mod variables;
