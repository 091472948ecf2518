//! How much may come with the rows of one answer.
//!
//! Decides where an expansion that multiplies ends: rows looked at, what is answered of them, and time, of all that comes with all
//! rows of an answer together. Never decides which rows those are. Mirrors that a database has a command timeout; the real
//! organisation's bounds are not documented.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Related rows that are looked at for one answer.
const LOOKED_AT: usize = 500_000;

/// About as many bytes come along in one answer.
const BYTES: usize = 32 * 1024 * 1024;

/// About as many bytes a column takes that holds nothing.
const COLUMN: usize = 32;

/// Rows after which the time is looked at.
const AT_ONCE: usize = 256;

/// What is left of it.
pub(crate) struct Budget {
    rows: AtomicUsize,
    bytes: AtomicUsize,
    until: Instant,
    late: AtomicBool,
}

impl Budget {
    /// All of it, for so long.
    pub(crate) fn of(time: Duration) -> Self {
        let until = Instant::now() + time;
        Self {
            rows: AtomicUsize::new(LOOKED_AT),
            bytes: AtomicUsize::new(BYTES),
            until,
            late: AtomicBool::new(false),
        }
    }

    /// Whether another row may be looked at.
    pub(crate) fn look(&self) -> bool {
        let left = take(&self.rows, 1);
        if left.is_some_and(|left| left.is_multiple_of(AT_ONCE)) && Instant::now() > self.until {
            self.rows.store(0, Ordering::Relaxed);
            self.late.store(true, Ordering::Relaxed);
        }
        left.is_some() && !self.is_spent()
    }

    /// Whether a row of so many bytes may come along with so many columns.
    pub(crate) fn carry(&self, bytes: usize, columns: usize) -> bool {
        take(&self.bytes, bytes.saturating_add(columns.saturating_mul(COLUMN))).is_some()
    }

    /// Whether it was the time that was over.
    pub(crate) fn is_late(&self) -> bool {
        self.late.load(Ordering::Relaxed)
    }

    /// Whether something was left out because there was no more of it.
    pub(crate) fn is_spent(&self) -> bool {
        self.rows.load(Ordering::Relaxed) == 0 || self.bytes.load(Ordering::Relaxed) == 0
    }
}

/// Takes so much; what is left. Nothing is left behind where it is not enough.
fn take(of: &AtomicUsize, much: usize) -> Option<usize> {
    let left = of.load(Ordering::Relaxed).checked_sub(much).filter(|left| *left > 0);
    of.store(left.unwrap_or_default(), Ordering::Relaxed);
    left
}
