//! Queries that take long, away from the threads that answer.
//!
//! Decides which queries are long (those that are not done after a few thousand comparisons where they are asked; they
//! begin anew elsewhere), how many of them run at a time, and when one is given up: at its deadline, counted from its
//! arrival, or as soon as nobody waits for its answer. Never decides what is answered then: that is the surface's. Mirrors that a database
//! has its own threads and a command timeout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mocktenant_tables::{Page, Query, Snapshot};
use tokio::sync::Semaphore;

use crate::Context;

/// Comparisons of a query that runs where it is asked: about a millisecond.
const SHORT: usize = 20_000;

/// Long queries that run at a time; others wait for their turn, in the order they came.
const PLACES: usize = 2;

/// How long a query may take, with its wait.
pub(crate) const QUERY_TIME: Duration = Duration::from_secs(10);

/// A query was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the query took longer than it may")]
pub struct TookTooLong;

/// Places for long queries. A copy of a lab shares those of the lab it was made from.
pub(crate) struct Patience {
    places: Semaphore,
    time: Duration,
}

impl Patience {
    pub(crate) fn new(time: Duration) -> Arc<Self> {
        Arc::new(Self { places: Semaphore::new(PLACES), time })
    }
}

/// Says, when it is dropped, that nobody waits any more.
struct Asker(Arc<AtomicBool>);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Context {
    /// How long a query may take, with its wait; what is asked row by row goes by it too.
    pub fn query_time(&self) -> Duration {
        self.lab.patience().time
    }

    /// The rows a query asks for. A long one leaves the thread it is asked on.
    pub async fn query(&self, rows: &Snapshot, query: Query<'_>) -> Result<Page, TookTooLong> {
        let patience = Arc::clone(self.lab.patience());
        let until = Instant::now() + patience.time;
        // Without a runtime there is nobody to be kept waiting.
        let Ok(threads) = tokio::runtime::Handle::try_current() else {
            return rows.query_while(&query, |_| Instant::now() < until).ok_or(TookTooLong);
        };
        let mut left = SHORT;
        let short = |comparisons| {
            left = left.saturating_sub(comparisons);
            left > 0
        };
        if let Some(page) = rows.query_while(&query, short) {
            return Ok(page);
        }
        let gone = Arc::new(AtomicBool::new(false));
        let asker = Asker(Arc::clone(&gone));
        // Whoever came before gives up before this one has to, so the wait needs no alarm of its own. Nobody closes it.
        let Ok(_place) = patience.places.acquire().await else { return Err(TookTooLong) };
        if Instant::now() >= until {
            return Err(TookTooLong);
        }
        let (rows, filter, order) = (rows.clone(), query.filter.cloned(), query.order.to_vec());
        let after = query.after.cloned();
        let Query { skip, top, count, page_size, .. } = query;
        let position = query.table.position();
        let work = threads.spawn_blocking(move || {
            let (filter, order, after) = (filter.as_ref(), order.as_slice(), after.as_ref());
            // a snapshot keeps its schema
            let table = rows.schema().at(position)?;
            let query = Query { table, filter, order, skip, after, top, count, page_size };
            rows.query_while(&query, |_| !gone.load(Ordering::Relaxed) && Instant::now() < until)
        });
        let found = work.await;
        drop(asker);
        match found {
            Ok(found) => found.ok_or(TookTooLong),
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime ends, and with it whoever asked.
                Err(_) => Err(TookTooLong),
            },
        }
    }

    /// Does work that may take long where it stands. Whoever else would wait for this thread gets another one meanwhile.
    pub fn aside<R>(&self, work: impl FnOnce() -> R) -> R {
        use tokio::runtime::{Handle, RuntimeFlavor};
        // One thread has no other to take its place.
        match Handle::try_current().map(|threads| threads.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
            _ => work(),
        }
    }

    /// Lets others have the thread for a moment: between the parts of something that is long as a whole.
    pub async fn breathe(&self) {
        if tokio::runtime::Handle::try_current().is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
