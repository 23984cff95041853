//! Owns what is known of a step.

use crate::proto::spark::DataType;

/// What an analysis has found out about a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    /// Its columns; nothing where a mistake makes them unknowable.
    pub(crate) schema: Option<DataType>,
    /// Whether they may be others where the mistakes are mended.
    pub(super) is_doubtful: bool,
}
