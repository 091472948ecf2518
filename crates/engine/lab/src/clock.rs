//! The lab's clock: the only place that knows what time it is in a lab.
//!
//! Decides the lab's time: real time plus an offset, or a frozen instant plus that offset. How far one machine's clock is
//! from it is a setting of the declaration ([`crate::Machine`]), not kept here. Tokens, assertions, certificates of clients
//! and `Date` live in lab time; TLS and timeouts live in real time and never ask here.

use std::sync::Mutex;

use time::{Duration, OffsetDateTime};

/// The time of one lab.
#[derive(Debug)]
pub struct Clock {
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    frozen: Option<OffsetDateTime>,
    offset: Duration,
}

/// A change of the clock.
#[derive(Clone, Copy, Debug)]
pub enum ClockChange {
    /// Stops the lab's time at this instant (tests). A reset leaves it stopped.
    Freeze(OffsetDateTime),
    /// Lets it run again.
    Run,
    /// Sets the offset of the whole lab from real time. A reset takes it back.
    Offset(Duration),
    /// Moves the whole lab on, from whatever it is now. A reset takes it back.
    Forward(Duration),
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(ClockState::default()) }
    }

    /// A clock that stands at this moment of a lab's time.
    pub(crate) fn stopped(at: OffsetDateTime) -> Self {
        Self { state: Mutex::new(ClockState { frozen: Some(at), offset: Duration::ZERO }) }
    }

    /// The lab's time, which every machine has that is not declared to be off.
    pub fn now(&self) -> OffsetDateTime {
        let state = lock(&self.state);
        state.frozen.unwrap_or_else(real_now).saturating_add(state.offset)
    }

    pub(crate) fn apply(&self, change: ClockChange) {
        let mut state = lock(&self.state);
        match change {
            ClockChange::Freeze(at) => state.frozen = Some(at),
            ClockChange::Run => state.frozen = None,
            ClockChange::Offset(offset) => state.offset = offset,
            ClockChange::Forward(by) => state.offset = state.offset.saturating_add(by),
        }
    }

    /// Takes every offset away. What was frozen stays frozen: that is how a test began, not what happened in it.
    pub(crate) fn reset(&self) {
        lock(&self.state).offset = Duration::ZERO;
    }
}

/// Locks a mutex whose guarded value is valid after any panic (plain data, replaced whole).
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Real time, for what lives in real time: durations of exchanges, TLS validity, the start of lab time.
pub fn real_now() -> OffsetDateTime {
    #[expect(clippy::disallowed_methods, reason = "this is the one place the ban points to")]
    OffsetDateTime::now_utc()
}
