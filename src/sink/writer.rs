//! Owns what all writers of outputs have in common.

use arrow_array::RecordBatch;

use super::error::Error;
use super::finished::Finished;

/// Writes the batches of one result to one output.
pub(crate) trait Writer: Send {
    /// Takes the next rows.
    fn write(&mut self, batch: &RecordBatch) -> Result<Flow, Error>;

    /// Completes the output, which becomes visible at [`Finished::commit`].
    fn finish(self: Box<Self>) -> Result<Finished, Error>;
}

/// Whether a writer has a use for further rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    /// The limit is reached, or nobody reads any more: the rest of the result need not be computed.
    Enough,
}
