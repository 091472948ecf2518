//! Lockout: so many wrong guesses, and nobody is asked any more for a while (RFC 8628 section 5.1 wants the same of codes
//! that people type).
//!
//! Decides how guesses are counted: a guess is counted *before* it is judged and taken back where it was right, so that
//! those who guess at once have no more guesses than those who guess one after the other. Never decides what is guessed,
//! how many guesses there are, or what a locked-out caller is told. Off wherever a surface hands in no policy.

use std::num::NonZeroU32;

use bytes::Bytes;
use mocktenant_lab::store::{Change, Full, Key};
use time::{Duration, OffsetDateTime};

use crate::{Ledger, moment};

/// A provider's policy: how many guesses, in what time, and for how long nobody is asked afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// What is guessed, kebab-case: guesses of different kinds are counted apart. No other entry of the store is called so.
    pub kind: &'static str,
    /// How many wrong guesses lock.
    pub attempts: NonZeroU32,
    /// In what time they are counted together.
    pub window: Window,
    /// For how long it is locked, from the guess that locked it; [`Duration::MAX`] is until somebody unlocks it.
    pub lasts: Duration,
}

/// The time in which wrong guesses are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// So long from the first of them.
    FromFirst(Duration),
    /// So long from the last of them: a slow guesser is counted for ever.
    FromLast(Duration),
}

/// Why nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTried {
    /// Too many guesses were wrong, or are being judged.
    #[error("locked until {until}")]
    Locked {
        /// When it is open again; that moment is no longer inside.
        until: OffsetDateTime,
    },
    /// Guesses cannot be counted, so none is judged.
    #[error(transparent)]
    Full(#[from] Full),
}

/// A guess that may be judged. It counts as a wrong one unless [`Ledger::succeeded`] is told otherwise.
#[derive(Debug)]
#[must_use = "a guess counts as a wrong one unless `succeeded` is told otherwise"]
pub struct Attempt {
    key: Option<Key>,
    /// Until when it locks, if it is the one that does.
    locks: Option<OffsetDateTime>,
    left: u32,
}

impl Attempt {
    /// How many more wrong guesses there may be after this one; 0 if this one locks.
    pub fn left(&self) -> u32 {
        self.left
    }
}

/// What is remembered of somebody's guesses.
#[derive(Clone, Copy)]
struct Guesses {
    count: u32,
    window_ends: OffsetDateTime,
    locked_until: Option<OffsetDateTime>,
}

impl Guesses {
    fn read(octets: &[u8]) -> Option<Self> {
        let (count, rest) = octets.split_first_chunk()?;
        let (window_ends, rest) = moment::read(rest)?;
        let locked_until = moment::read(rest).map(|(until, _)| until);
        Some(Self { count: u32::from_be_bytes(*count), window_ends, locked_until })
    }

    fn write(self) -> Bytes {
        let mut octets = Vec::with_capacity(4 + 2 * moment::OCTETS);
        octets.extend(self.count.to_be_bytes());
        octets.extend(moment::write(self.window_ends));
        octets.extend(self.locked_until.iter().flat_map(|until| moment::write(*until)));
        octets.into()
    }

    /// These guesses and one more, judged by a policy; until when it is locked, if it is. What the store still holds is
    /// locked, or within its window: it holds nothing longer.
    fn and_one(before: Option<Self>, policy: &Lockout, now: OffsetDateTime) -> Result<Self, OffsetDateTime> {
        if let Some(until) = before.and_then(|before| before.locked_until) {
            return Err(until);
        }
        let (Window::FromFirst(window) | Window::FromLast(window)) = policy.window;
        let ends = now.saturating_add(window);
        let mut guesses = before.unwrap_or(Self { count: 0, window_ends: ends, locked_until: None });
        guesses.count = guesses.count.saturating_add(1);
        if matches!(policy.window, Window::FromLast(_)) {
            guesses.window_ends = ends;
        }
        if guesses.count >= policy.attempts.get() {
            guesses.locked_until = Some(now.saturating_add(policy.lasts));
        }
        Ok(guesses)
    }

    fn expires(self) -> OffsetDateTime {
        self.locked_until.unwrap_or(self.window_ends)
    }
}

impl Ledger<'_> {
    /// Asks whether a guess of `who` may be judged, and counts it. Only for those who exist: a stranger can think of more
    /// names than a store holds. Without a policy every guess may be.
    pub fn attempt(&self, policy: Option<&Lockout>, who: &str) -> Result<Attempt, NotTried> {
        let Some(policy) = policy else {
            return Ok(Attempt { key: None, locks: None, left: u32::MAX });
        };
        let key = Key::new(policy.kind, who);
        let counted = self.store.update(self.owner, key.clone(), self.now, |octets| {
            let before = octets.and_then(|octets| Guesses::read(octets));
            match Guesses::and_one(before, policy, self.now) {
                Ok(guesses) => {
                    (Change::Put { value: guesses.write(), expires: guesses.expires() }, Ok(guesses))
                }
                Err(until) => (Change::Keep, Err(NotTried::Locked { until })),
            }
        });
        let guesses = counted??;
        let left = policy.attempts.get().saturating_sub(guesses.count);
        Ok(Attempt { key: Some(key), locks: guesses.locked_until, left })
    }

    /// The guess was right: the wrong ones before it are forgotten. What another guess has locked meanwhile stays locked.
    pub fn succeeded(&self, attempt: Attempt) {
        let Attempt { key: Some(key), locks, .. } = attempt else { return };
        let forgotten = self.store.update(self.owner, key, self.now, |octets| {
            // Of those that are judged at once one guess locks, the last that there was: it may take its own lock back.
            let found = octets.and_then(|octets| Guesses::read(octets)).and_then(|found| found.locked_until);
            let locked = found.is_some() && found != locks;
            (if locked { Change::Keep } else { Change::Remove }, ())
        });
        // Only what is put asks for room.
        let _ = forgotten;
    }

    /// The guess was right, and says nothing of the wrong ones before it: it alone is not counted. For guesses of many
    /// values, where who knows one of them could otherwise begin anew whenever he likes.
    pub fn take_back(&self, attempt: Attempt) {
        let Attempt { key: Some(key), locks, .. } = attempt else { return };
        let taken_back = self.store.update(self.owner, key, self.now, |octets| {
            let Some(mut found) = octets.and_then(|octets| Guesses::read(octets)) else {
                return (Change::Keep, ());
            };
            found.count = found.count.saturating_sub(1);
            if found.locked_until.is_some() && found.locked_until != locks {
                return (Change::Keep, ());
            }
            found.locked_until = None;
            if found.count == 0 || found.window_ends <= self.now {
                return (Change::Remove, ());
            }
            (Change::Put { value: found.write(), expires: found.window_ends }, ())
        });
        // What is put is no longer than what it had before.
        let _ = taken_back;
    }

    /// Until when nobody is asked for `who`; asking this counts nothing.
    pub fn locked_until(&self, kind: &'static str, who: &str) -> Option<OffsetDateTime> {
        let octets = self.store.get(self.owner, &Key::new(kind, who), self.now)?;
        Guesses::read(&octets)?.locked_until
    }

    /// Opens it again, as an administrator does, and forgets what was guessed.
    pub fn unlock(&self, kind: &'static str, who: &str) {
        let forgotten =
            self.store.update(self.owner, Key::new(kind, who), self.now, |_| (Change::Remove, ()));
        // Only what is put asks for room.
        let _ = forgotten;
    }
}
