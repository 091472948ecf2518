//! The lab's clock: the only place that knows what time it is in a lab.
//!
//! Decides the time each machine sees: real time plus the lab's offset plus the machine's own, or a frozen instant.
//! Tokens, assertions, certificates of clients and `Date` live in lab time; TLS and timeouts live in real time and
//! never ask here.

use std::collections::HashMap;
use std::sync::Mutex;

use time::{Duration, OffsetDateTime};

use crate::Site;

/// Clock with an offset per machine.
#[derive(Debug)]
pub struct Clock {
    state: Mutex<ClockState>,
}

#[derive(Debug, Default)]
struct ClockState {
    frozen: Option<OffsetDateTime>,
    offset: Duration,
    machines: HashMap<Site, Duration>,
}

/// A change of the clock.
#[derive(Clone, Debug)]
pub enum ClockChange {
    /// Stops the lab's time at this instant (tests).
    Freeze(OffsetDateTime),
    /// Lets it run again.
    Run,
    /// Sets the offset of the whole lab from real time.
    Offset(Duration),
    /// Sets the offset of one machine from the lab's time.
    Machine(Site, Duration),
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(ClockState::default()) }
    }

    /// What the clock of `site`'s machine shows.
    pub fn now(&self, site: &Site) -> OffsetDateTime {
        let state = lock(&self.state);
        let base = state.frozen.unwrap_or_else(real_now).saturating_add(state.offset);
        match state.machines.get(site) {
            Some(offset) => base.saturating_add(*offset),
            None => base,
        }
    }

    pub(crate) fn apply(&self, change: ClockChange) {
        let mut state = lock(&self.state);
        match change {
            ClockChange::Freeze(at) => state.frozen = Some(at),
            ClockChange::Run => state.frozen = None,
            ClockChange::Offset(offset) => state.offset = offset,
            ClockChange::Machine(site, offset) => {
                state.machines.insert(site, offset);
            }
        }
    }

    /// Takes every offset away. What was frozen stays frozen: that is how a test began, not what happened in it.
    pub(crate) fn reset(&self) {
        let mut state = lock(&self.state);
        state.offset = Duration::ZERO;
        state.machines.clear();
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
