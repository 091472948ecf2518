//! Polling limits: how often a client may ask whether something has happened yet (RFC 8628 section 3.5).
//!
//! Decides how polls are timed: the first is always in time, the others from the poll before, and whoever was too early has to
//! wait longer from then on. Never decides what is polled for, how long the interval is, or what a client is told.
//! Off wherever a surface hands in no policy.

use bytes::Bytes;
use mocktenant_lab::store::{Change, Full, Key};
use time::{Duration, OffsetDateTime};

use crate::{Ledger, moment};

/// A provider's policy: how long a client waits between two polls, and how much longer after one that came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polling {
    /// What is polled for, kebab-case: no other entry of the store is called so.
    pub kind: &'static str,
    /// The time between two polls, as the client was told (`interval` of RFC 8628 section 3.2: 5 seconds where it was not).
    pub interval: Duration,
    /// What every poll that comes too early adds to it (`slow_down` of RFC 8628 section 3.5: 5 seconds); zero is not at all.
    pub slow_down: Duration,
}

/// What a poll is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// In time: it may be answered.
    InTime,
    /// Too early.
    TooEarly {
        /// What the client has to wait for from now on.
        interval: Duration,
    },
}

/// What is remembered of somebody's polls.
struct Polls {
    last: OffsetDateTime,
    /// How much longer than the policy's interval.
    longer: Duration,
}

impl Polls {
    fn read(octets: &[u8]) -> Option<Self> {
        let (last, rest) = moment::read(octets)?;
        let (seconds, rest) = rest.split_first_chunk()?;
        let nanoseconds = rest.first_chunk()?;
        let longer = Duration::new(i64::from_be_bytes(*seconds), i32::from_be_bytes(*nanoseconds));
        Some(Self { last, longer })
    }

    fn write(&self) -> Bytes {
        let mut octets = Vec::with_capacity(moment::OCTETS + 12);
        octets.extend(moment::write(self.last));
        octets.extend(self.longer.whole_seconds().to_be_bytes());
        octets.extend(self.longer.subsec_nanoseconds().to_be_bytes());
        octets.into()
    }
}

impl Ledger<'_> {
    /// Times a poll for the thing called `name`, which ends at `expires`; its polls are forgotten then. Time that runs
    /// backwards, as that of a lab can, makes nobody too early. Without a policy every poll is in time.
    pub fn poll(&self, policy: Option<&Polling>, name: &str, expires: OffsetDateTime) -> Result<Poll, Full> {
        let Some(policy) = policy else { return Ok(Poll::InTime) };
        self.store.update(self.owner, Key::new(policy.kind, name), self.now, |octets| {
            let mut longer = Duration::ZERO;
            let mut poll = Poll::InTime;
            if let Some(before) = octets.and_then(|octets| Polls::read(octets)) {
                longer = before.longer;
                let waited = self.now - before.last;
                if !waited.is_negative() && waited < policy.interval.saturating_add(longer) {
                    longer = longer.saturating_add(policy.slow_down);
                    poll = Poll::TooEarly { interval: policy.interval.saturating_add(longer) };
                }
            }
            let value = Polls { last: self.now, longer }.write();
            (Change::Put { value, expires }, poll)
        })
    }
}
