//! Work that goes on when whoever waited for it has gone.
//!
//! Decides when: once the work says that it has to be brought to its end, because somebody else was told of it. Before
//! that it ends with whoever waits, and nothing was begun. Costs a box, and a task only where it is left alone. Never
//! decides how long: what it waits for has limits of its own. Mirrors a server, which notices a caller that hung up only
//! when it wants to answer him.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::sync::OwnedSemaphorePermit;

use crate::BoxFuture;

/// What an exchange holds from its first call outside until it ends: nothing else says that one was begun. A call made
/// because of another one holds its own mark and no place.
#[derive(Debug, Default)]
pub(crate) struct Outward(OnceLock<Option<OwnedSemaphorePermit>>);

impl Outward {
    /// Whether somebody else was told of it.
    pub(crate) fn begun(&self) -> bool {
        self.0.get().is_some()
    }

    /// From here on it is brought to its end.
    pub(crate) fn begin(&self, place: Option<OwnedSemaphorePermit>) {
        // The first one stands; a second place goes back at once.
        let _ = self.0.set(place);
    }
}

/// Work, and whether it has to be brought to its end.
pub(crate) struct RunOn<T: Send + 'static> {
    work: Option<BoxFuture<'static, T>>,
    /// Always, if there is none.
    outward: Option<Arc<Outward>>,
}

impl<T: Send + 'static> RunOn<T> {
    /// Work that goes on once it has begun to call outside.
    pub(crate) fn once_begun(outward: Arc<Outward>, work: BoxFuture<'static, T>) -> Self {
        Self { work: Some(work), outward: Some(outward) }
    }

    /// Work that goes on in any case.
    pub(crate) fn always(work: BoxFuture<'static, T>) -> Self {
        Self { work: Some(work), outward: None }
    }
}

impl<T: Send + 'static> Future for RunOn<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let outcome = work.as_mut().poll(context);
        if outcome.is_ready() {
            self.work = None;
        }
        outcome
    }
}

impl<T: Send + 'static> Drop for RunOn<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        if self.outward.as_ref().is_none_or(|outward| outward.begun())
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // Nobody waits for its outcome any more.
            let rest: BoxFuture<'static, ()> = Box::pin(async move { drop(work.await) });
            runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    async fn left_alone(outward: Option<Arc<Outward>>) -> bool {
        let ended = Arc::new(AtomicBool::new(false));
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let work: BoxFuture<'static, ()> = Box::pin({
            let ended = Arc::clone(&ended);
            async move {
                let _ = gone.await;
                ended.store(true, Ordering::SeqCst);
            }
        });
        let work = match outward {
            Some(outward) => RunOn::once_begun(outward, work),
            None => RunOn::always(work),
        };
        assert!(tokio::time::timeout(Duration::from_millis(1), work).await.is_err());
        let _ = go.send(());
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        ended.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn what_was_begun_goes_on_and_what_was_not_ends() {
        let outward = Arc::new(Outward::default());
        assert!(!left_alone(Some(Arc::clone(&outward))).await);
        outward.begin(None);
        assert!(left_alone(Some(outward)).await);
        assert!(left_alone(None).await);
    }
}
