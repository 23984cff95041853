//! Owns the execution of one plan: its streams, and the rows in them.

pub(super) mod arrow;
pub(super) mod reattach;
pub(super) mod stream;
