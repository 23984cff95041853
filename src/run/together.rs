//! Carries out work side by side in one task, so that what it borrows need not be shared.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

type Work<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Work under way.
pub(crate) struct Together<'a, T>(Vec<Work<'a, T>>);

impl<'a, T> Together<'a, T> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, work: impl Future<Output = T> + 'a) {
        self.0.push(Box::pin(work));
    }

    /// The result of what ends next; nothing where nothing is under way.
    pub(crate) async fn next(&mut self) -> Option<T> {
        if self.0.is_empty() {
            return None;
        }
        let (at, result) = poll_fn(|context| {
            for (at, work) in self.0.iter_mut().enumerate() {
                if let Poll::Ready(result) = work.as_mut().poll(context) {
                    return Poll::Ready((at, result));
                }
            }
            Poll::Pending
        })
        .await;
        drop(self.0.swap_remove(at));
        Some(result)
    }
}

/// The results of all of it, in its order, at most so many side by side.
pub(crate) async fn all<'a, T: 'a>(
    work: impl IntoIterator<Item = impl Future<Output = T> + 'a>,
    most: usize,
) -> Vec<T> {
    let mut waiting = work.into_iter().enumerate();
    let mut running = Together::new();
    let mut results: Vec<(usize, T)> = Vec::new();
    loop {
        while running.len() < most
            && let Some((at, work)) = waiting.next()
        {
            running.push(async move { (at, work.await) });
        }
        match running.next().await {
            Some(result) => results.push(result),
            None => break,
        }
    }
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
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
        assert_eq!(Together::<()>::new().next().await, None);
    }
}
