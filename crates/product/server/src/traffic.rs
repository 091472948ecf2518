//! What happens on one connection, and when it has taken too long.
//!
//! Decides how long a caller may be silent, take nothing, or hold a place that others wait for; never what is answered. One
//! alarm keeps all of it: whoever serves the connection asks [`Traffic::judge`] when it rings. The times are the same on
//! every port and for both versions of HTTP. Mirrors no product.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::time::Instant;

use crate::limits::Limits;
use crate::share::Share;

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on, and is looked at again then.
    Stays(Instant),
    /// It is asked to leave: nothing is under way on it.
    Leaves(&'static str),
    /// The same where others wait for its place, so it may not take its time.
    MakesRoom(&'static str),
    /// It ends now, whatever is under way.
    Ends(&'static str),
}

/// What happens on one connection.
pub(crate) struct Traffic {
    began: Instant,
    seen: AtomicBool,
    http2: AtomicBool,
    /// Requests from their head to their answer, and those of them whose body is still coming.
    answering: AtomicUsize,
    reading: AtomicUsize,
    /// Whether the caller does not take what it is sent.
    blocked: AtomicBool,
    /// When something was last begun, answered or taken.
    last: Mutex<Instant>,
    /// Answers that were not taken whole, by the turn in which they were given: this one and the one before.
    waiting: [AtomicUsize; 2],
    turn: AtomicUsize,
    turned: Mutex<Instant>,
}

impl Traffic {
    pub(crate) fn new(began: Instant) -> Self {
        Self {
            began,
            seen: AtomicBool::new(false),
            http2: AtomicBool::new(false),
            answering: AtomicUsize::new(0),
            reading: AtomicUsize::new(0),
            blocked: AtomicBool::new(false),
            last: Mutex::new(began),
            waiting: [AtomicUsize::new(0), AtomicUsize::new(0)],
            turn: AtomicUsize::new(0),
            turned: Mutex::new(began),
        }
    }

    /// When it is looked at first.
    pub(crate) fn first_look(&self, limits: &Limits) -> Instant {
        self.began + limits.first_head.min(limits.glance)
    }

    /// Whether its requests are HTTP/2.
    pub(crate) fn http2(&self) -> bool {
        self.http2.load(Ordering::Relaxed)
    }

    /// What is to become of it.
    pub(crate) fn judge(&self, now: Instant, limits: &Limits, share: &Share) -> Verdict {
        let crowded = share.crowded();
        let glance = now + limits.glance;
        if !self.seen.load(Ordering::Relaxed) {
            let end = self.began + limits.first_head;
            if end <= now {
                return Verdict::Ends("no request came in time");
            }
            if crowded && self.began + limits.spared <= now {
                return Verdict::Ends("it sent no request yet and makes room");
            }
            return Verdict::Stays(end.min(glance));
        }
        if self.overdue(now, limits) {
            return Verdict::Ends("an answer was not taken in time");
        }
        let rests = now.saturating_duration_since(*lock(&self.last));
        let long = rests >= limits.spared;
        let answering = self.answering.load(Ordering::Relaxed);
        if self.blocked.load(Ordering::Relaxed) {
            if rests >= limits.write {
                return Verdict::Ends("nothing of an answer was taken in time");
            }
            if long && (share.answers.is_short() || crowded && share.may_go()) {
                return Verdict::Ends("it takes nothing of its answer and makes room");
            }
        } else if answering == 0 {
            let patience = if self.http2() { limits.idle } else { limits.next_head.min(limits.idle) };
            if rests >= patience {
                return Verdict::Leaves("no further request came in time");
            }
            let untaken = self.waiting.iter().any(|waiting| waiting.load(Ordering::Relaxed) > 0);
            if long && untaken && share.answers.is_short() {
                return Verdict::Ends("it takes nothing of its answer and makes room");
            }
            if crowded && long && share.may_go() {
                return Verdict::MakesRoom("nothing is asked on it and it makes room");
            }
            return Verdict::Stays((now + patience.saturating_sub(rests)).min(glance));
        } else if self.reading.load(Ordering::Relaxed) >= answering && long {
            // Every request on it is one whose body does not come.
            if share.bodies.is_short() || crowded && share.may_go() {
                return Verdict::Ends("a body is long in coming and makes room");
            }
        }
        Verdict::Stays(glance)
    }

    /// Whether an answer of the turn before this one still waits, now that this one is over.
    fn overdue(&self, now: Instant, limits: &Limits) -> bool {
        let mut turned = lock(&self.turned);
        if now.saturating_duration_since(*turned) < limits.taken {
            return false;
        }
        *turned = now;
        let next = 1 - self.turn.load(Ordering::Relaxed);
        self.turn.store(next, Ordering::Relaxed);
        self.waiting[next].load(Ordering::Relaxed) > 0
    }

    /// What a write came to. A caller that has taken the rest is as one that was just answered.
    pub(crate) fn wrote<T>(&self, written: &Poll<T>) {
        let waits = written.is_pending();
        if waits != self.blocked.load(Ordering::Relaxed) {
            self.touch();
            self.blocked.store(waits, Ordering::Relaxed);
        }
    }

    fn touch(&self) {
        *lock(&self.last) = Instant::now();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request being answered, by whatever holds the traffic.
pub(crate) struct Answering<T: AsRef<Traffic>>(pub(crate) Arc<T>);

impl<T: AsRef<Traffic>> Answering<T> {
    pub(crate) fn begin(holder: &Arc<T>, version: http::Version) -> Self {
        let traffic = (**holder).as_ref();
        if !traffic.seen.load(Ordering::Relaxed) {
            traffic.http2.store(version == http::Version::HTTP_2, Ordering::Relaxed);
            traffic.seen.store(true, Ordering::Relaxed);
        }
        traffic.answering.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(holder))
    }
}

impl<T: AsRef<Traffic>> Drop for Answering<T> {
    fn drop(&mut self) {
        let traffic = (*self.0).as_ref();
        traffic.touch();
        traffic.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that is coming.
pub(crate) struct Reading<'t>(&'t Traffic);

impl<'t> Reading<'t> {
    pub(crate) fn begin(traffic: &'t Traffic) -> Self {
        traffic.touch();
        traffic.reading.fetch_add(1, Ordering::Relaxed);
        Self(traffic)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.reading.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body that could come, if there were room for it: not its caller's fault.
pub(crate) struct HeldBack<'t>(&'t Traffic);

impl<'t> HeldBack<'t> {
    pub(crate) fn begin(traffic: &'t Traffic) -> Self {
        traffic.reading.fetch_sub(1, Ordering::Relaxed);
        Self(traffic)
    }
}

impl Drop for HeldBack<'_> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.reading.fetch_add(1, Ordering::Relaxed);
    }
}

/// An answer that was not taken whole yet.
pub(crate) struct Untaken<T: AsRef<Traffic>> {
    holder: Arc<T>,
    turn: usize,
}

impl<T: AsRef<Traffic>> Untaken<T> {
    pub(crate) fn begin(holder: &Arc<T>) -> Self {
        let traffic = (**holder).as_ref();
        let turn = traffic.turn.load(Ordering::Relaxed);
        traffic.waiting[turn].fetch_add(1, Ordering::Relaxed);
        Self { holder: Arc::clone(holder), turn }
    }
}

impl<T: AsRef<Traffic>> Drop for Untaken<T> {
    fn drop(&mut self) {
        let traffic = (*self.holder).as_ref();
        traffic.waiting[self.turn].fetch_sub(1, Ordering::Relaxed);
    }
}
