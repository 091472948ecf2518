//! What a provider remembers of one owner, as of one moment: the place from which the store is written.
//!
//! Decides nothing itself: [`Ledger::spend`], [`Ledger::attempt`] and [`Ledger::poll`] stand in files of their own. Every one
//! of them looks and writes in one step of the store, so that of many who come at once each finds what the one before left.

use mocktenant_lab::{Scope, Store};
use time::OffsetDateTime;

/// What is remembered of one owner, at one moment. Its reset forgets all of it.
///
/// An exchange makes one inside [`mocktenant_lab::Context::remember`], so that what began before a reset counts nothing after
/// it.
#[derive(Debug)]
pub struct Ledger<'s> {
    pub(crate) store: &'s Store,
    pub(crate) owner: &'s Scope,
    pub(crate) now: OffsetDateTime,
}

impl<'s> Ledger<'s> {
    /// The ledger of `owner` in this store, read and written at this moment of the lab's time.
    pub fn new(store: &'s Store, owner: &'s Scope, now: OffsetDateTime) -> Self {
        Self { store, owner, now }
    }
}
