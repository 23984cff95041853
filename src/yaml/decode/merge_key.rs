//! Owns the errors about the merge keys of YAML 1.1.

/// The key that put one mapping into another in YAML 1.1.
pub(super) const MERGE_KEY: &str = "<<";
/// What is said of it.
pub(crate) const NO_MERGE_KEYS: &str = "YAML has no merge keys any more; write the keys out";
