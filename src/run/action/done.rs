//! The result of an action that succeeded.

use crate::record::OutputRecord;

/// What an action has brought about.
#[derive(Debug, Default)]
pub(in crate::run) struct Done {
    /// The rows that its outputs hold.
    pub(in crate::run) rows: Option<u64>,
    pub(in crate::run) outputs: Vec<OutputRecord>,
}
