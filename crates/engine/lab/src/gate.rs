//! Where requests come in, and where they wait while the lab is changed.
//!
//! Decides that a command is one cut: from when the gate closes nobody new begins, whoever had begun ends first, and the
//! calls he makes meanwhile pass, since he waits for them. How long that may take is the command's to say. Never decides
//! what becomes of those who take longer. Mirrors nothing of a product: a real one has no reset.
//!
//! Paid for by every request: two additions, and no lock. Only a closed gate is waited at.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Set while the gate is closed; the other bits count who is inside.
const CLOSED: usize = 1 << (usize::BITS - 1);

/// The gate of one lab.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: AtomicUsize,
    opened: Notify,
    emptied: Notify,
}

/// Somebody who is inside. Leaves when dropped.
#[derive(Debug)]
pub(crate) struct Inside<'g>(&'g Gate);

impl Inside<'_> {
    /// Stays inside until [`Gate::leave`].
    pub(crate) fn stay(self) {
        std::mem::forget(self);
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// The gate is closed until this is dropped.
#[derive(Debug)]
pub(crate) struct Closed<'g>(&'g Gate);

impl Gate {
    /// Comes in if the gate is open.
    pub(crate) fn try_enter(&self) -> Option<Inside<'_>> {
        let before = self.state.fetch_add(1, Ordering::AcqRel);
        let inside = Inside(self);
        (before & CLOSED == 0).then_some(inside)
    }

    /// Comes in, when it is open.
    pub(crate) async fn enter(&self) -> Inside<'_> {
        loop {
            let mut opened = std::pin::pin!(self.opened.notified());
            // Heard from here on, so that an opening between the look and the wait is not missed.
            opened.as_mut().enable();
            if let Some(inside) = self.try_enter() {
                return inside;
            }
            opened.await;
        }
    }

    /// Comes in whether it is open or not: somebody inside waits for it.
    pub(crate) fn pass(&self) -> Inside<'_> {
        self.state.fetch_add(1, Ordering::AcqRel);
        Inside(self)
    }

    /// Ends what [`Inside::stay`] began.
    pub(crate) fn leave(&self) {
        let before = self.state.fetch_sub(1, Ordering::AcqRel);
        if before == CLOSED + 1 {
            self.emptied.notify_waiters();
        }
    }

    /// Closes. One command is applied at a time, so nobody else has closed it.
    pub(crate) fn close(&self) -> Closed<'_> {
        self.state.fetch_or(CLOSED, Ordering::AcqRel);
        Closed(self)
    }

    fn is_empty(&self) -> bool {
        self.state.load(Ordering::Acquire) & !CLOSED == 0
    }
}

impl Closed<'_> {
    /// Whether everybody has left within that time. Without a runtime nobody is inside for longer than a moment, and
    /// nobody is waited for.
    pub(crate) async fn empty_within(&self, time: Duration) -> bool {
        if self.0.is_empty() {
            return true;
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return false;
        }
        let empty = async {
            loop {
                let mut emptied = std::pin::pin!(self.0.emptied.notified());
                emptied.as_mut().enable();
                if self.0.is_empty() {
                    return;
                }
                emptied.await;
            }
        };
        tokio::time::timeout(time, empty).await.is_ok()
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_and(!CLOSED, Ordering::AcqRel);
        self.0.opened.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn who_is_inside_ends_first_his_calls_pass_and_everybody_else_waits() {
        let gate = Arc::new(Gate::default());
        let inside = gate.try_enter().unwrap();
        let closed = gate.close();
        assert!(gate.try_enter().is_none(), "closed");
        assert!(!closed.empty_within(Duration::from_millis(5)).await, "somebody is inside");
        let call = gate.pass();
        drop(inside);
        assert!(!closed.empty_within(Duration::from_millis(5)).await, "and so is the call he made");
        let waiting = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.stay() }
        });
        tokio::task::yield_now().await;
        drop(call);
        assert!(closed.empty_within(Duration::from_secs(5)).await);
        assert!(!waiting.is_finished());
        drop(closed);
        waiting.await.unwrap();
        assert!(!gate.is_empty(), "it came in");
        gate.leave();
        assert!(gate.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nobody_is_inside_while_it_is_closed_and_empty_and_nobody_is_left_waiting() {
        let (gate, inside) = (Arc::new(Gate::default()), Arc::new(AtomicUsize::new(0)));
        let guests: Vec<_> = (0..8)
            .map(|_| {
                let (gate, inside) = (Arc::clone(&gate), Arc::clone(&inside));
                tokio::spawn(async move {
                    for _ in 0..2_000 {
                        let entered = gate.enter().await;
                        inside.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                        drop(entered);
                    }
                })
            })
            .collect();
        for _ in 0..500 {
            let closed = gate.close();
            assert!(closed.empty_within(Duration::from_secs(10)).await);
            assert_eq!(inside.load(Ordering::SeqCst), 0);
            drop(closed);
            tokio::task::yield_now().await;
        }
        for guest in guests {
            guest.await.unwrap();
        }
        assert!(gate.is_empty());
    }
}
