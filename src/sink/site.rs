//! What an output is told about the run and the machine that it is written in.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::store::Stores;

/// Where an output is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    /// Where relative paths start.
    pub(crate) folder: &'a Path,
    /// The way to object stores.
    pub(crate) stores: &'a Stores,
    /// Cancelled when the output is not wanted any more: nothing is waited for then.
    pub(crate) stop: &'a CancellationToken,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sink::store::StoreSettings;

    /// A site in `folder`, without stores, handed to `open`.
    pub(in crate::sink) fn with_site<T>(folder: &Path, open: impl FnOnce(&Site<'_>) -> T) -> T {
        let stores = Stores::new(StoreSettings::default());
        open(&Site { folder, stores: &stores, stop: &CancellationToken::new() })
    }
}
