//! Carries out work side by side in one task, so that what it borrows need not be shared.

use futures_util::stream::{self, StreamExt as _};

/// The results of all of it, in its order, at most so many side by side.
pub(crate) async fn all<T>(work: impl IntoIterator<Item = impl Future<Output = T>>, most: usize) -> Vec<T> {
    stream::iter(work).buffered(most).collect().await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn so_many_run_side_by_side_and_results_keep_their_order() {
        let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = (0..20_u64).map(|at| {
            let (running, most) = (&running, &most);
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(100 - at)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                at
            }
        });
        assert_eq!(all(work, 8).await, (0..20).collect::<Vec<_>>());
        assert_eq!(most.into_inner(), 8);
    }
}
