//! What the connections of one kind of port share: places, and bytes in flight.
//!
//! Decides who waits for room and for how long, and when those who hold it without using it are to make way. Surfaces and
//! the tools port have a share each, so that neither can starve the other. Never decides what is answered. Mirrors no
//! product: the real ones have a load balancer for this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use crate::limits::{Room, UNIT};

/// How long is waited for a place before more callers are asked to make room.
const PAUSE: Duration = Duration::from_millis(200);

/// Idle connections that are asked to go at once.
const BATCH: usize = 32;

/// Places and budgets of one kind of port.
pub(crate) struct Share {
    places: Arc<Semaphore>,
    total: usize,
    /// Rung while places or file handles run short.
    pressure: Notify,
    /// How many connections that only wait may still be closed to make room.
    tickets: AtomicUsize,
    /// Bodies of requests that are being read or answered.
    pub(crate) bodies: Budget,
    /// Answers that were not yet taken.
    pub(crate) answers: Budget,
}

impl Share {
    pub(crate) fn new(room: &Room, patience: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(room.connections)),
            total: room.connections,
            pressure: Notify::new(),
            tickets: AtomicUsize::new(0),
            bodies: Budget::new(room.bodies, patience),
            answers: Budget::new(room.answers, patience),
        }
    }

    /// Waits for a place among the connections; while there is none, those that only hold one are asked to leave.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        loop {
            self.press();
            tokio::select! {
                place = Arc::clone(&self.places).acquire_owned() => {
                    self.relax();
                    return place.ok();
                }
                () = sleep(PAUSE) => {}
            }
        }
    }

    /// Asks callers that only hold a place to make room.
    pub(crate) fn press(&self) {
        self.tickets.store(BATCH, Ordering::Relaxed);
        self.pressure.notify_waiters();
    }

    /// There is room again.
    pub(crate) fn relax(&self) {
        self.tickets.store(0, Ordering::Relaxed);
    }

    /// Resolves when silent callers are asked to make room.
    pub(crate) async fn pressed(&self) {
        self.pressure.notified().await;
    }

    /// Whether places run short.
    pub(crate) fn crowded(&self) -> bool {
        self.tickets.load(Ordering::Relaxed) > 0
    }

    /// Takes one of the leaves there are to give; who gets one goes.
    pub(crate) fn may_go(&self) -> bool {
        self.tickets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// Resolves once every place is free and nobody is accepted any more.
    pub(crate) async fn empty(&self) {
        let all = u32::try_from(self.total).unwrap_or(u32::MAX);
        // An error would say that there are no places at all, which is as empty as it gets.
        let _ = self.places.acquire_many(all).await;
    }
}

/// Bytes that may be in flight at once, counted in units.
pub(crate) struct Budget {
    units: Arc<Semaphore>,
    total: usize,
    patience: Duration,
    waiting: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(bytes: usize, patience: Duration) -> Self {
        let total = bytes.div_ceil(UNIT).max(1);
        Self { units: Arc::new(Semaphore::new(total)), total, patience, waiting: AtomicUsize::new(0) }
    }

    /// Room for so many bytes. Waits for a while, and not at all where as much as the budget is waited for already: what waits
    /// occupies memory too. What is larger than the budget goes alone.
    pub(crate) async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let units = bytes.div_ceil(UNIT).min(self.total);
        let wanted = u32::try_from(units).unwrap_or(u32::MAX);
        if let Ok(taken) = Arc::clone(&self.units).try_acquire_many_owned(wanted) {
            return Some(taken);
        }
        let waiting = Waiting::begin(self, units);
        if waiting.before > 0 && waiting.before + units > self.total {
            return None;
        }
        timeout(self.patience, Arc::clone(&self.units).acquire_many_owned(wanted)).await.ok()?.ok()
    }

    /// Whether somebody waits for room.
    pub(crate) fn is_short(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Bytes in flight.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        (self.total - self.units.available_permits()) * UNIT
    }
}

/// One who waits for room.
struct Waiting<'b> {
    budget: &'b Budget,
    units: usize,
    before: usize,
}

impl<'b> Waiting<'b> {
    fn begin(budget: &'b Budget, units: usize) -> Self {
        let before = budget.waiting.fetch_add(units, Ordering::Relaxed);
        Self { budget, units, before }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.budget.waiting.fetch_sub(self.units, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: usize) -> Budget {
        Budget::new(bytes, Duration::from_millis(50))
    }

    #[tokio::test]
    async fn what_is_taken_is_given_back_and_what_finds_no_room_is_refused_in_time() {
        let budget = budget(16 * UNIT);
        let held = budget.take(15 * UNIT).await.unwrap();
        assert_eq!(budget.used(), 15 * UNIT);
        let began = std::time::Instant::now();
        assert!(budget.take(2 * UNIT).await.is_none());
        assert!(began.elapsed() < Duration::from_secs(2) && !budget.is_short());
        drop(held);
        assert!(budget.take(usize::MAX / 2).await.is_some(), "what is larger than the budget goes alone");
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn who_waits_is_counted_and_never_is_more_than_the_budget_waited_for() {
        let budget = Arc::new(Budget::new(16 * UNIT, Duration::from_secs(30)));
        let held = budget.take(16 * UNIT).await.unwrap();
        let waits = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move { budget.take(3 * UNIT).await.is_some() }
        });
        while !budget.is_short() {
            tokio::task::yield_now().await;
        }
        assert!(budget.take(14 * UNIT).await.is_none(), "refused at once");
        drop(held);
        assert!(waits.await.unwrap());
        assert!(!budget.is_short());
    }

    #[tokio::test]
    async fn only_so_many_are_asked_to_go() {
        let room = Room { connections: 1, bodies: UNIT, answers: UNIT };
        let share = Share::new(&room, Duration::ZERO);
        assert!(!share.crowded() && !share.may_go());
        share.press();
        assert!(share.crowded());
        assert_eq!((0..100).filter(|_| share.may_go()).count(), BATCH);
        share.press();
        share.relax();
        assert!(!share.may_go());
    }
}
