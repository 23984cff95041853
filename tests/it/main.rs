//! The integration tests, in one binary: a folder per tier, and in it a file per verb or subject.
//!
//! `cargo inner` runs the first tier, `cargo test --test it on_sail::` the second, and so on; `cargo test` runs all of them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where something is not as it should be")]

mod faults;
mod inner;
mod on_sail;
mod on_spark;
mod proto;
#[expect(dead_code, unused_imports, reason = "the client's own tests use the rest")]
#[path = "../scripted/mod.rs"]
mod scripted;
mod support;
