//! What to change, below the line of a refusal: the words of `explain`, found by the same diagnosis.
//!
//! Decides that a client's own call is told once, when all it caused is on record, and that no more are looked into than a
//! person reads: a crowd of refusals is sent to the command instead. It costs whoever prints, and no exchange waits for it.

use std::io;
use std::time::{Duration, Instant};

use mocktenant_lab::WeakLab;
use mocktenant_lab::journal::Record;
use tokio::runtime::{Builder, Runtime};

/// So many refusals are explained in a row ...
const IN_A_ROW: u32 = 5;
/// ... and one more each time this has passed.
const PAUSE: Duration = Duration::from_millis(200);

/// Explains refusals of one lab on the thread that prints.
pub(crate) struct Advisor {
    lab: WeakLab,
    runtime: Runtime,
    left: u32,
    filled: Instant,
}

impl Advisor {
    pub(crate) fn new(lab: WeakLab) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        Ok(Self { lab, runtime, left: IN_A_ROW, filled: Instant::now() })
    }

    /// The cause of a refusal as `explain` puts it on one line; `None` for what a client did not ask itself, for what was
    /// not refused, and where there are too many.
    pub(crate) fn cause(&mut self, record: &Record) -> Option<String> {
        if !record.is_refusal() || !self.may() {
            return None;
        }
        let lab = self.lab.upgrade()?;
        let explanation = self.runtime.block_on(mocktenant_diagnosis::explain(&lab, &record.id))?;
        explanation.cause.map(|cause| cause.to_line())
    }

    fn may(&mut self) -> bool {
        let since = self.filled.elapsed();
        let more = u32::try_from(since.as_millis() / PAUSE.as_millis()).unwrap_or(u32::MAX);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(IN_A_ROW);
            self.filled = Instant::now();
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}
