//! pipectl runs declarative data pipelines on Spark Connect.
//!
//! # One way
//!
//! ```text
//! text -> node -> pipeline -> graph -> plan -> events -> report
//!        (yaml)   (spec)     (graph)  (plan)   (run)    (report)
//! ```
//!
//! Each arrow is one function, each word one type, and only its arrow makes it. So whoever holds one need not check again:
//!
//! - a `Pipeline` proves that settings are right, names resolve, variables have values, and steps need each other in no
//!   circle;
//! - a `Graph` that each step has a place after all that it needs;
//! - a `Plan` that every step is a relation which this engine has.
//!
//! `pipeline` is the waist: everything before it knows YAML, nothing after it does. Up to the plan the way is pure and
//! synchronous: no network, no clock, no printing; files and the environment come through readers that are handed in.
//!
//! # Modules
//!
//! A file or folder in `src` is a module. `tests/it/inner/layers.rs` reads this table, and fails where a module uses one
//! that it may not, or where the modules of one folder use each other in a cycle that it does not list. In the last
//! column *words* are `text`, `secret`, `scalar`, `error`, `diagnostic`, `name`, `expr` and `dialect`; *kinds* are
//! `source`, `transform`, `expect` and `sink`. A module may use itself.
//!
//! | Module | The one thing it owns | May use |
//! | --- | --- | --- |
//! | `main` | arguments in, exit code out | |
//! | `lib` | this page, and [`run()`] | `cli` |
//! | `bench` | what `benches/` reach, with a feature of its own | `text`, `diagnostic`, `dialect`, `yaml`, `proto`, `sink`, `target`, `pipeline`, `graph`, `spec`, `plan`, `connect` |
//! | `fuzzing` | what `fuzz/` reaches, with a feature of its own, and what must be true of it | words, `target`, `pipeline`, `graph`, `spec`, `plan`, `connect`, `report` |
//! | `lowered` | the tests of what every kind and every case is lowered to; in no program | words, `target`, `lowering`, `proto`, kinds, `pipeline`, `graph`, `spec`, `plan` |
//! | `text` | a file's text, places in it | |
//! | `scalar` | a scalar as it was written: style, variables apart from text, where its bytes stand in the file | `text`, `secret` |
//! | `diagnostic` | what is wrong with the user's file: where, why, how to mend it; data, never printed here | `text` |
//! | `error` | what all errors have in common: a class, a line that says it all | |
//! | `name` | names: of steps, variables, columns | `text` |
//! | `atomic` | small files that are published whole | |
//! | `secret` | texts that nothing prints; what is known to be one, and texts without it | |
//! | `duration` | lengths of time as users write them | |
//! | `dialect` | what an engine and its version can do and does otherwise: plain data | |
//! | `expr` | expressions: text and variables, tokens, the literals of values | `text`, `secret`, `scalar`, `diagnostic`, `name`, `dialect` |
//! | `shape` | how a setting may be written: one value for a list, a short form for a mapping | `text` |
//! | `yaml` | a tree with places from the parser's events, and a decoder over it that reports every mistake | `text`, `secret`, `scalar`, `diagnostic`, `shape` |
//! | `proto` | the Spark Connect messages, generated, and short constructors for them | `name` |
//! | `local` | rows that pipectl brings along, also from files: in the plan, or cut into chunks beside it | `name`, `dialect`, `proto` |
//! | `lowering` | what a kind is told when it is checked and when it becomes a relation | words, `local`, `proto` |
//! | `source` | kinds of source, a file each: settings, inputs, what is wrong with them, relation | words, `shape`, `local`, `lowering`, `proto` |
//! | `transform` | kinds of transform, a file each: the same | words, `shape`, `lowering`, `proto` |
//! | `expect` | kinds of expectation, a file each: settings, what makes a row wrong | words, `shape`, `lowering` |
//! | `sink` | kinds of output where pipectl runs: their formats, a file each, and what publishes a file, a folder or an object at once | words, `shape`, `lowering` |
//! | `target` | where a pipeline runs, as a project file says it: plain data | `text`, `secret`, `shape` |
//! | `pipeline` | the validated steps | words, `duration`, `lowering`, kinds |
//! | `graph` | order, what is needed for what, circles | `pipeline` |
//! | `listing` | the list of a pipeline's steps, for people and for programs | words, kinds, `pipeline`, `graph` |
//! | `spec` | from the text of files to a `Pipeline` or a `Project`, all mistakes at once; the JSON Schemas | words, `secret`, `duration`, `target`, `yaml`, `shape`, `lowering`, kinds, `pipeline`, `graph` |
//! | `manual` | the pages of the reference, made of the schemas and their comments | `transform`, `spec` |
//! | `plan` | which relations the engine works out, in which order, for which output | words, `local`, `lowering`, `proto`, kinds, `pipeline`, `graph` |
//! | `connect` | a Spark Connect client that has never heard of pipelines | `secret`, `error`, `proto` |
//! | `engine` | kinds of engine: installation, start, readiness, stop; those that stay | words, `atomic`, `connect` |
//! | `record` | what happens during a run, as data | words, `atomic`, `expect`, `connect` |
//! | `backend` | an engine that is ready: managed, warm or remote; sessions, their settings, a restart where one is lost | words, `local`, `pipeline`, `plan`, `connect`, `engine`, `record` |
//! | `analysis` | what an engine says of a pipeline before anything is executed: diagnostics, schemas, divergences | words, `local`, `lowering`, `proto`, kinds, `pipeline`, `graph`, `plan`, `connect`, `record`, `backend` |
//! | `run` | one run, from a pipeline to its results: a pure schedule, a driver that awaits | words, `duration`, kinds, `proto`, `pipeline`, `graph`, `plan`, `connect`, `record`, `backend`, `analysis` |
//! | `report` | events and results for people and machines; the only writer to stderr | words, `expect`, `record` |
//! | `cli` | one file a verb; exit codes, signals, environment variables | words, `atomic`, `duration`, `target`, `lowering`, `sink`, `pipeline`, `spec`, `manual`, `graph`, `listing`, `plan`, `connect`, `engine`, `record`, `backend`, `analysis`, `run`, `report` |
//!
//! What belongs to one kind is in its file: settings with their documentation, what is wrong with them, what an engine
//! lacks for them, the relation. The comment on its settings is its page of the reference, with an example that tests run.
//! Adding one touches its file and its line in the folder's `mod.rs`; then the schema and the reference are written again.
//!
//! # Crates
//!
//! Each has a home, which the same test knows; those of the last line are at home everywhere.
//!
//! | Crate | Modules |
//! | --- | --- |
//! | `tonic` | `connect`, `proto` |
//! | `tonic_prost` | `proto` |
//! | `tonic_types` | `connect` |
//! | `prost` | `proto`, `local`, `plan`, `connect`, `bench`, `lowered` |
//! | `prost_types` | `proto`, `source` |
//! | `bytes` | `connect`, `proto`, `local`, `sink`, `bench` |
//! | `object_store` | `sink` |
//! | `http_body_util` | `sink` |
//! | `hyper_rustls` | `sink` |
//! | `hyper_util` | `connect`, `sink` |
//! | `tokio` | `connect`, `engine`, `sink`, `backend`, `analysis`, `run`, `cli` |
//! | `tokio_rustls` | `connect` |
//! | `rustls_native_certs` | `connect` |
//! | `x509_cert` | `connect` |
//! | `tokio_util` | `sink`, `backend`, `run`, `cli`, `bench` |
//! | `tokio_stream` | `connect`, `sink` |
//! | `futures_util` | `analysis` |
//! | `arrow_array` | `connect`, `local`, `lowering`, `analysis`, `run`, `sink`, `bench` |
//! | `arrow_buffer` | `connect`, `sink` |
//! | `arrow_cast` | `analysis`, `run`, `sink` |
//! | `arrow_ipc` | `connect`, `local`, `sink`, `bench` |
//! | `arrow_json` | `sink` |
//! | `arrow_schema` | `connect`, `local`, `lowering`, `analysis`, `run`, `sink`, `bench` |
//! | `arrow_select` | `sink` |
//! | `parquet` | `sink`, `local` |
//! | `flate2` | `sink` |
//! | `zstd` | `sink`, `connect` |
//! | `crc32fast` | `connect` |
//! | `ring` | `local`, `connect`, `lowered` |
//! | `rustix` | `engine`, `sink`, `cli` |
//! | `serde_yaml` | `yaml` |
//! | `serde_json` | `shape`, `local`, `spec`, `manual`, `listing`, `connect`, `engine`, `sink`, `record`, `report`, `fuzzing` |
//! | `chrono` | `expr`, `lowering`, `spec`, `sink`, `record`, `cli`, `bench`, `fuzzing`, `lowered` |
//! | `chrono_tz` | `spec` |
//! | `petgraph` | `graph` |
//! | `aho_corasick` | `secret` |
//! | `strsim` | `diagnostic` |
//! | `glob` | `analysis` |
//! | `regex` | `spec` |
//! | `clap` | `cli` |
//! | `clap_complete` | `cli` |
//! | `annotate_snippets` | `report` |
//! | `anstream` | `report` |
//! | `anstyle` | `report` |
//! | `indicatif` | `report` |
//! | `unicode_width` | `sink` |
//! | `uuid` | `connect`, `engine`, `sink`, `cli` |
//! | `etcetera` | `engine` |
//! | `serde`, `schemars`, `tempfile`, `thiserror` | everywhere |
//!
//! # Protocol
//!
//! The documentation of `connect` says which calls and options of Spark Connect are used, on which versions, and which are not.
//!
//! # Invariants
//!
//! - All mistakes are reported at once: one ends its own item, never the reading. Each is told once, where it stands.
//! - A value enters SQL through one function, in `expr`, as a typed literal, or as an argument; never as raw text.
//! - A file or a folder appears whole or not at all, and all outputs of a step together; of a folder in an object store each
//!   object does. Memory does not grow with a result.
//! - Standard output carries data only, and everything else is said by `report`, on standard error.
//! - The process's environment is read in `cli/env.rs` alone, and in `lowered`, which is in no program.
//! - Only `cli/exit.rs` knows exit codes.

mod analysis;
mod atomic;
mod backend;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod cli;
mod connect;
mod diagnostic;
mod dialect;
mod duration;
mod engine;
mod error;
mod expect;
mod expr;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod graph;
mod listing;
mod local;
#[cfg(test)]
mod lowered;
mod lowering;
mod manual;
mod name;
mod pipeline;
mod plan;
mod proto;
mod record;
mod report;
mod run;
mod scalar;
mod secret;
mod shape;
mod sink;
mod source;
mod spec;
mod target;
mod text;
mod transform;
mod yaml;

use std::process::ExitCode;

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    cli::main(std::env::args_os())
}
