//! What writers were told and when, and what therefore must be there.
//!
//! Decides by cuts: a reset, a scenario, the end of a process. What began after the last one and was acknowledged is there;
//! what was refused is not; what nobody was told of is on both sides or on neither. What was answered before the last cut
//! of the whole lab is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use mocktenant_acceptance::oracle::Sides;

/// What is done to a customer, or to an account that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// An account in Dataverse alone.
    CreateAlone,
    Create,
    /// Another telephone number.
    Change(String),
    Delete,
}

/// Between which cuts something happened; none while one was being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Option<u64>);

/// What is known of one customer; `None` where nobody was told.
#[derive(Clone, Debug)]
struct Entry {
    /// In Dataverse alone.
    is_alone: bool,
    began: Moment,
    answered: Moment,
    is_there: Option<bool>,
    phone: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    cuts: u64,
    /// One is being made.
    is_cutting: bool,
    /// The last one that left nothing of either side.
    whole: u64,
    entries: BTreeMap<String, Entry>,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<State>);

/// A cut being made.
pub(crate) struct Cut<'l>(&'l Ledger);

impl Cut<'_> {
    /// It was made; `whole` if nothing of either side is left.
    pub(crate) fn done(self, whole: bool) {
        let mut state = self.0.0.lock().unwrap();
        state.is_cutting = false;
        if whole {
            state.whole = state.cuts;
        }
    }
}

impl Ledger {
    /// Begins a cut.
    pub(crate) fn cut(&self) -> Cut<'_> {
        let mut state = self.0.lock().unwrap();
        state.cuts += 1;
        state.is_cutting = true;
        Cut(self)
    }

    /// Now.
    pub(crate) fn moment(&self) -> Moment {
        self.0.lock().unwrap().now()
    }

    /// Whether a customer is known to be there.
    pub(crate) fn is_there(&self, account: &str) -> bool {
        let state = self.0.lock().unwrap();
        state
            .entries
            .get(account)
            .is_some_and(|entry| entry.is_there == Some(true) && state.is_current(entry))
    }

    /// What a writer was told; no status if it heard nothing.
    pub(crate) fn told(&self, account: &str, operation: &Operation, began: Moment, status: Option<u16>) {
        let mut state = self.0.lock().unwrap();
        let now = state.now();
        let is_alone = *operation == Operation::CreateAlone;
        let fresh = || Entry { is_alone, began, answered: Moment(None), is_there: Some(false), phone: None };
        let mut entry = state.entries.get(account).cloned().unwrap_or_else(fresh);
        let done = status.map(|status| status < 300);
        match operation {
            Operation::Create | Operation::CreateAlone => entry.is_there = done,
            Operation::Delete if done != Some(false) => entry.is_there = done.map(|done| !done),
            Operation::Change(phone) if done != Some(false) => entry.phone = done.map(|_| phone.clone()),
            Operation::Change(_) | Operation::Delete => {}
        }
        if entry.began != began {
            // What was there before a cut is nobody's to judge after it.
            entry.began = Moment(None);
        }
        entry.answered = status.map_or(Moment(None), |_| now);
        state.entries.insert(account.to_owned(), entry);
    }

    /// How many customers were judged one by one last.
    pub(crate) fn judged(&self) -> usize {
        let state = self.0.lock().unwrap();
        state.entries.values().filter(|entry| state.is_current(entry) && entry.is_there.is_some()).count()
    }

    /// Everything that is not as it must be, a sentence each. `alone` are the accounts that are no customers.
    pub(crate) fn differences(&self, sides: &Sides, alone: &BTreeSet<String>) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let mut found = Vec::new();
        // One of two sides alone was reset: what they had from before is no longer the same.
        if state.whole == state.cuts {
            found.extend(sides.differences());
        }
        for (account, entry) in &state.entries {
            let customer = sides.customers.get(account);
            let there = if entry.is_alone {
                (alone.contains(account), alone.contains(account))
            } else {
                (customer.is_some(), sides.accounts.contains_key(account))
            };
            let where_ = match there {
                (true, true) => "on both sides",
                (false, false) => "on neither side",
                (true, false) => "a customer alone",
                (false, true) => "an account alone",
            };
            let said = if state.is_current(entry) {
                let phone = customer.and_then(|row| row.get("PrimaryContactPhone")?.as_str());
                match (entry.is_there, there) {
                    (Some(true), (true, true)) => match &entry.phone {
                        Some(told) if phone != Some(told) => "has not the number it was given",
                        _ => continue,
                    },
                    (Some(true), _) => "was acknowledged and is lost",
                    (Some(false), (false, false)) | (None, (true, true) | (false, false)) => continue,
                    (Some(false), _) => "was refused or deleted and is there",
                    (None, _) => "is half there",
                }
            } else if entry.answered.0.is_some_and(|answered| answered < state.whole)
                && there != (false, false)
            {
                "was answered before a reset and is there"
            } else {
                continue;
            };
            found.push(format!("{account} {said}: {where_}"));
        }
        found
    }
}

impl State {
    fn now(&self) -> Moment {
        Moment((!self.is_cutting).then_some(self.cuts))
    }

    fn is_current(&self, entry: &Entry) -> bool {
        entry.began == Moment(Some(self.cuts))
    }
}
