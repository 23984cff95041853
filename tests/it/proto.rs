//! The generated messages, for the server that tests script.

#[path = "../../src/proto/spark.rs"]
pub(crate) mod spark;
