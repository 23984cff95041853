//! Owns outputs of several files in a folder: which folder a row belongs to, and how many files are open.

pub(super) mod folder_writer;
mod partition;
mod row_spill;
