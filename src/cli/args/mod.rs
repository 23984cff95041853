//! Arguments that several verbs share. Each of them also checks its own values.

pub(super) mod connection;
pub(super) mod engine;
pub(super) mod kind;
pub(super) mod pipeline;
pub(super) mod target;
pub(super) mod warnings;
