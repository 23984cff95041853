//! What is true on Spark, and on both engines.

mod check;
mod cluster;
mod injection;
mod kinds;
pub(crate) mod large;
pub(crate) mod managed;
mod reference;
mod secrets;
pub(crate) mod spark;
mod tokens;
mod tpch;
mod variables;
