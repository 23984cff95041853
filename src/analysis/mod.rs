//! What an engine's analysis says of a pipeline before anything is executed: diagnostics, schemas, and what differs between engines.
//!
//! [`check`] has the engine analyse a whole plan. Where it refuses one, [`localize`] finds every error, each at its place. No data is read
//! and nothing is written, but by [`trial`], which has the engine read the rows of `values`.

pub(crate) mod check;
mod columns;
pub(crate) mod concurrent;
mod context;
mod contract;
mod divergence;
mod every_step;
pub(crate) mod inputs;
mod localize;
mod prepare;
mod schema;
mod trial;
mod values;

pub(crate) use context::Context;
pub(crate) use every_step::{Analysis, Subject, Wanted, analyse_all, combined};
pub(crate) use prepare::prepare;
pub(crate) use schema::{Columns, columns};
