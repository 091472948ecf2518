//! What writers were told and when, and what therefore must be there.
//!
//! Decides by cuts: a reset, a scenario, the end of a process. What began after the last one and was acknowledged is there;
//! what was refused is not; what nobody was told of is on both sides or on neither. What was answered before the last cut
//! of the whole lab is gone.

use std::collections::BTreeMap;
use std::sync::Mutex;

use mocktenant_acceptance::oracle::Sides;

/// What is done to a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
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
        let fresh = || Entry { began, answered: Moment(None), is_there: Some(false), phone: None };
        let mut entry = state.entries.get(account).cloned().unwrap_or_else(fresh);
        let done = status.map(|status| status < 300);
        match operation {
            Operation::Create => entry.is_there = done,
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

    /// Everything that is not as it must be, a sentence each.
    pub(crate) fn differences(&self, sides: &Sides) -> Vec<String> {
        let state = self.0.lock().unwrap();
        let mut found = Vec::new();
        // One of two sides alone was reset: what they had from before is no longer the same.
        if state.whole == state.cuts {
            found.extend(sides.differences());
        }
        for (account, entry) in &state.entries {
            let there = (sides.customers.get(account), sides.accounts.get(account));
            if state.is_current(entry) {
                let said = match (entry.is_there, there) {
                    (Some(true), (Some(customer), Some(_))) => {
                        let phone = customer.get("PrimaryContactPhone").and_then(|phone| phone.as_str());
                        match &entry.phone {
                            Some(told) if phone != Some(told) => "has not the number it was given",
                            _ => continue,
                        }
                    }
                    (Some(true), _) => "was acknowledged and is lost",
                    (Some(false), (None, None)) | (None, (Some(_), Some(_)) | (None, None)) => continue,
                    (Some(false), _) => "was refused or deleted and is there",
                    (None, _) => "is on one side alone",
                };
                found.push(format!("{account} {said}: {}", shown(there.0.is_some(), there.1.is_some())));
            } else if entry.answered.0.is_some_and(|answered| answered < state.whole)
                && (there.0.is_some() || there.1.is_some())
            {
                let where_ = shown(there.0.is_some(), there.1.is_some());
                found.push(format!("{account} was answered before a reset and is there: {where_}"));
            }
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

fn shown(customer: bool, account: bool) -> String {
    format!(
        "customer {}, account {}",
        if customer { "yes" } else { "no" },
        if account { "yes" } else { "no" }
    )
}
