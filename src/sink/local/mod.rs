//! Owns files and folders on this machine that are published at once, and the locks on them.

pub(super) mod lock;
pub(super) mod part;
pub(super) mod scratch;
pub(super) mod staged_file;
pub(super) mod staged_folder;
