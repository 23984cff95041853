//! pipectl runs declarative data pipelines on Spark Connect.
//!
//! # Data flows one way
//!
//! ```text
//! text -> node -> pipeline -> graph -> plan -> results      events report progress on the side
//!        (yaml)  (spec)     (graph)  (plan)   (run)         (record, report)
//! ```
//!
//! Each arrow is one function and each word one type, which only its arrow builds. So nothing is validated twice:
//!
//! - a `Pipeline` proves that settings are valid, names resolve, variables have values, and there is no dependency cycle;
//! - a `Graph` that each step comes after its inputs;
//! - a `Plan` that every step is a relation that this engine supports;
//! - `RunResults` are what the runner returns, and what `run_results.json` holds.
//!
//! `pipeline` is the waist: modules before it know YAML, modules after it do not. Up to the plan everything is pure and
//! synchronous: no network, no clock, no printing; files and the environment come through functions that are passed in.
//! From the plan on, `backend` provides a session at an engine, `analysis` has the engine check the plan, `run` executes
//! it. Every event goes through `record`, which folds it into the results and passes it on to `report`.
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
//! | `bench` | what `benches/` call, behind a feature | `text`, `diagnostic`, `dialect`, `yaml`, `proto`, `sink`, `target`, `pipeline`, `graph`, `spec`, `plan`, `connect` |
//! | `fuzzing` | what `fuzz/` calls, behind a feature, and what must hold for it | words, `target`, `pipeline`, `graph`, `spec`, `plan`, `connect`, `report` |
//! | `lowered` | tests of the plan of every kind and every case | words, `target`, `lowering`, `proto`, kinds, `pipeline`, `graph`, `spec`, `plan` |
//! | `text` | a file's text, places in it | |
//! | `scalar` | a scalar as it was written: style, variables apart from text, where its bytes stand in the file | `text`, `secret` |
//! | `diagnostic` | errors and warnings about a user's file: place, label, notes, hints, edits; data, never printed here | `text` |
//! | `error` | the class of an error, and an error with its causes on one line | |
//! | `name` | names: of steps, variables, columns | `text` |
//! | `atomic` | small files that are published whole | |
//! | `secret` | secrets by type and by value, and texts without them | |
//! | `duration` | durations as users write them | |
//! | `dialect` | capabilities and divergences of engines and their versions: plain data | |
//! | `expr` | expressions: text and variables, tokens, the literals of values | `text`, `secret`, `scalar`, `diagnostic`, `name`, `dialect` |
//! | `shape` | how a setting may be written: one value for a list, a short form for a mapping | `text` |
//! | `yaml` | a tree with places from the parser's events, and a decoder over it that reports every error | `text`, `secret`, `scalar`, `diagnostic`, `shape` |
//! | `proto` | the Spark Connect messages, generated, and short constructors for them | `name` |
//! | `local` | rows that pipectl sends, also from files: in the plan, or in chunks of their own | `name`, `dialect`, `proto` |
//! | `lowering` | the context in which a kind is checked and lowered to a relation | words, `local`, `proto` |
//! | `source` | kinds of source, a file each: settings, inputs, checks, relation | words, `shape`, `local`, `lowering`, `proto` |
//! | `transform` | kinds of transform, a file each: the same | words, `shape`, `lowering`, `proto` |
//! | `expect` | kinds of expectation, a file each: settings, the condition of a violation | words, `shape`, `lowering` |
//! | `sink` | kinds of output where pipectl runs: their formats, a file each, and what publishes a file, a folder or an object at once | words, `shape`, `lowering` |
//! | `target` | where a pipeline runs, as a project file says it: plain data | `text`, `secret`, `shape` |
//! | `pipeline` | the validated steps | words, `duration`, `lowering`, kinds |
//! | `graph` | the order of steps, and what each of them needs | `pipeline` |
//! | `listing` | the list of a pipeline's steps, for people and for programs | words, kinds, `pipeline`, `graph` |
//! | `spec` | from the text of files to a `Pipeline` or a `Project`, all errors at once; the JSON Schemas of files | words, `secret`, `duration`, `target`, `yaml`, `shape`, `lowering`, kinds, `pipeline`, `graph` |
//! | `manual` | the pages of the reference, made of the schemas and their comments | `transform`, `spec` |
//! | `plan` | which relations the engine executes, in which order, for which output | words, `local`, `lowering`, `proto`, kinds, `pipeline`, `graph` |
//! | `connect` | a Spark Connect client that knows no pipelines | `secret`, `error`, `proto` |
//! | `engine` | kinds of managed engine: installation, start, readiness, stop; warm engines | words, `atomic`, `connect` |
//! | `record` | events and results of a run as typed data, and their JSON Schemas | words, `atomic`, `expect`, `connect` |
//! | `backend` | an engine that is ready: managed, warm or remote; sessions, their settings, a restart where one is lost | words, `local`, `pipeline`, `plan`, `connect`, `engine`, `record` |
//! | `analysis` | what an engine's analysis finds before anything is executed: diagnostics, schemas, divergences | words, `local`, `lowering`, `proto`, kinds, `pipeline`, `graph`, `plan`, `connect`, `record`, `backend` |
//! | `run` | one run, from a pipeline to its results: a pure schedule, a driver that awaits | words, `duration`, kinds, `proto`, `pipeline`, `graph`, `plan`, `connect`, `record`, `backend`, `analysis` |
//! | `report` | events and results for people and machines; the only writer to stderr | words, `expect`, `record` |
//! | `cli` | arguments in, exit code out: a file a verb; exit codes, signals, environment variables | words, `atomic`, `duration`, `target`, `lowering`, `sink`, `pipeline`, `spec`, `manual`, `graph`, `listing`, `plan`, `connect`, `engine`, `record`, `backend`, `analysis`, `run`, `report` |
//!
//! # To add something
//!
//! | To add | Touch |
//! | --- | --- |
//! | a transform, source or expectation | its file in the folder of its kind, its lines in that folder's `mod.rs`, a case in `tests/specs/kinds`; then `just bless` |
//! | an output format | `sink/format/<format>.rs`, its lines in `sink/format/mod.rs`, `sink/mod.rs` and `sink/settings.rs`; then `just bless` |
//! | a verb | `cli/verb/<verb>.rs` (arguments, whose doc comment is the help, and one function), its lines in `cli/verb/mod.rs`, a file in `tests/it` |
//! | an event, or a field of the record | `record/` with `record/scrub.rs`, the words for it in `report/words.rs`, `tests/records`, the changelog; then `just bless` |
//! | a format of reports | `report/<format>.rs`, its line in `report/format.rs` |
//! | an engine capability | a question of `Dialect`, answered for each engine, with a test that probes the engine |
//! | a crate | a reason in `Cargo.toml`, a home in the table below |
//!
//! `CONTRIBUTING.md` has the steps. Whatever belongs to one kind is in its file: settings, checks, what an engine lacks, the relation. The doc comment on its
//! settings is its page of the reference, with an example that tests run.
//!
//! # Crates
//!
//! Each has a home, which the same test enforces; those of the last line are at home everywhere.
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
//! - All errors of a file are reported at once, each once, at its place: an error ends its own item, never the whole file.
//! - A value enters SQL through one function, in `expr`, as a typed literal, or as an argument; never as raw text.
//! - An output is published at once, and all outputs of a step together; in an object store each object for itself. Memory
//!   does not grow with a result.
//! - stdout carries data only; everything else is written to stderr, by `report`.
//! - Every text of an event or a record passes through `record/scrub.rs`, which takes secrets out.
//! - Reporters decide nothing: status, skip reasons and exit codes follow from the record.
//! - The environment is read in `cli/env.rs` alone (and in `lowered`, which is test code). Only `cli/exit.rs` knows exit codes.

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
