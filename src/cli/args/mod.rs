//! Owns the arguments that verbs share: flags, the environment variables beside them, and which takes precedence.

pub(super) mod connection;
pub(super) mod engine;
pub(super) mod kind;
pub(super) mod pipeline;
pub(super) mod target;
pub(super) mod warnings;
