//! Owns the names in a folder of files: those of its parts, and those of its partitions.

use std::ffi::OsStr;

/// Whether a folder is one of a partitioned output: `column=value`.
pub(super) fn is_partition(name: &OsStr) -> bool {
    name.as_encoded_bytes().iter().position(|byte| *byte == b'=').is_some_and(|at| at > 0)
}

/// Whether a file is data of an output, or what Spark puts beside it.
pub(super) fn is_part(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let checked = name.strip_prefix('.').and_then(|it| it.strip_suffix(".crc"));
    let name = checked.unwrap_or(&name);
    name.starts_with("part-") || name == "_SUCCESS"
}
