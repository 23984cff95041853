//! The Spark Connect protocol: the generated messages, and what makes them short to write.
//!
//! [`spark`] is generated from `proto/` and committed, so that a build needs no code generator; `tests/it/inner/generated.rs` generates it
//! again. Lowering builds plans with the functions of [`relation`], [`expression`] and
//! [`command`]; what these do not name is written as a message. No function here sets a plan id: who needs one numbers the
//! finished tree.

pub(crate) mod command;
pub(crate) mod ddl;
pub(crate) mod expression;
pub(crate) mod relation;
pub(crate) mod spark;
