//! What products have to remember for a while: used codes, counted failures, pending device codes.
//!
//! Decides how long and how much: every entry expires in the lab's time of whoever put it there, and a scope holds a
//! bounded number of bytes. A full shelf refuses rather than forget something early, because a forgotten mark would make
//! a used code good again. Reset with its scope. Never decides what an entry means; rows of tables do not belong here.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use time::OffsetDateTime;

use crate::Scope;
use crate::clock::lock;

/// Bytes one scope may hold, keys included.
pub const STORE_BUDGET: usize = 4 * 1024 * 1024;

/// What an entry costs beside its key and value, in bytes.
const OVERHEAD: usize = 160;

/// Which entry: what it is for, and its name there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What it is for, kebab-case, for instance `used-code`.
    pub kind: &'static str,
    /// Its name there: a code, a user.
    pub name: Arc<str>,
}

impl Key {
    /// The entry called `name` among those of a kind.
    pub fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.into() }
    }
}

/// What becomes of an entry that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// It is forgotten.
    Remove,
    /// It has this value until then, whatever it had before.
    Put {
        /// What it holds.
        value: Bytes,
        /// When it ends; that moment is no longer inside.
        expires: OffsetDateTime,
    },
}

/// The scope holds as much as it may, and nothing in it has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for another entry until one expires")]
pub struct Full;

#[derive(Clone, Debug)]
enum Held {
    Value(Bytes),
    Count(u64),
}

#[derive(Clone, Debug)]
struct Entry {
    held: Held,
    expires: OffsetDateTime,
    /// Tells entries apart that expire together.
    number: u64,
    weight: usize,
}

/// What one scope holds.
#[derive(Clone, Debug, Default)]
struct Shelf {
    entries: HashMap<Key, Entry>,
    /// Earliest end first.
    ends: BTreeMap<(OffsetDateTime, u64), Key>,
    next: u64,
    weight: usize,
}

impl Shelf {
    /// The entry, if it is still good.
    fn live(&mut self, key: &Key, now: OffsetDateTime) -> Option<&mut Entry> {
        self.entries.get_mut(key).filter(|entry| now < entry.expires)
    }

    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.remove(key)?;
        self.ends.remove(&(entry.expires, entry.number));
        self.weight -= entry.weight;
        Some(entry)
    }

    fn put(
        &mut self,
        key: Key,
        held: Held,
        expires: OffsetDateTime,
        now: OffsetDateTime,
        budget: usize,
    ) -> Result<(), Full> {
        let value = match &held {
            Held::Value(value) => value.len(),
            Held::Count(_) => 0,
        };
        let weight = OVERHEAD + key.name.len() + value;
        // What it had before goes only once there is room for what it is to have.
        while self.weight + weight > budget + self.entries.get(&key).map_or(0, |entry| entry.weight) {
            let first = self.ends.first_key_value().filter(|((end, _), _)| *end <= now);
            let expired = first.map(|(_, key)| key.clone()).ok_or(Full)?;
            self.remove(&expired);
        }
        self.remove(&key);
        let number = self.next;
        self.next += 1;
        self.ends.insert((expires, number), key.clone());
        self.weight += weight;
        self.entries.insert(key, Entry { held, expires, number, weight });
        Ok(())
    }
}

/// The store of one lab.
#[derive(Debug)]
pub struct Store {
    shelves: Mutex<HashMap<Scope, Shelf>>,
    budget: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self::new(STORE_BUDGET)
    }
}

impl Store {
    pub(crate) fn new(budget: usize) -> Self {
        Self { shelves: Mutex::default(), budget }
    }

    /// The same entries for a lab that nobody else sees.
    pub(crate) fn fork(&self) -> Self {
        Self { shelves: Mutex::new(lock(&self.shelves).clone()), budget: self.budget }
    }

    /// Puts a value where there is none: `false` if there is one that is still good.
    pub fn put_new(
        &self,
        scope: &Scope,
        key: Key,
        value: impl Into<Bytes>,
        expires: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<bool, Full> {
        let mut shelves = lock(&self.shelves);
        let shelf = shelves.entry(scope.clone()).or_default();
        if shelf.live(&key, now).is_some() {
            return Ok(false);
        }
        shelf.put(key, Held::Value(value.into()), expires, now, self.budget)?;
        Ok(true)
    }

    /// The value, left where it is.
    pub fn get(&self, scope: &Scope, key: &Key, now: OffsetDateTime) -> Option<Bytes> {
        match &lock(&self.shelves).get_mut(scope)?.live(key, now)?.held {
            Held::Value(value) => Some(value.clone()),
            Held::Count(_) => None,
        }
    }

    /// The value, for the first who asks: of two, one gets nothing.
    pub fn take(&self, scope: &Scope, key: &Key, now: OffsetDateTime) -> Option<Bytes> {
        let mut shelves = lock(&self.shelves);
        let shelf = shelves.get_mut(scope)?;
        match &shelf.live(key, now)?.held {
            Held::Value(_) => {}
            Held::Count(_) => return None,
        }
        match shelf.remove(key)?.held {
            Held::Value(value) => Some(value),
            Held::Count(_) => None,
        }
    }

    /// Looks at an entry and decides what becomes of it, with nobody in between. `decide` is given the value, if there is one
    /// that is still good, and works while the whole store waits.
    pub fn update<R>(
        &self,
        scope: &Scope,
        key: Key,
        now: OffsetDateTime,
        decide: impl FnOnce(Option<&Bytes>) -> (Change, R),
    ) -> Result<R, Full> {
        let mut shelves = lock(&self.shelves);
        let shelf = shelves.entry(scope.clone()).or_default();
        let value = shelf.live(&key, now).and_then(|entry| match &entry.held {
            Held::Value(value) => Some(value),
            Held::Count(_) => None,
        });
        let (change, result) = decide(value);
        match change {
            Change::Keep => {}
            Change::Remove => drop(shelf.remove(&key)),
            Change::Put { value, expires } => {
                shelf.put(key, Held::Value(value), expires, now, self.budget)?;
            }
        }
        Ok(result)
    }

    /// Adds to a counter, which begins at 0 and then ends at `expires`; gives the sum. A later addition leaves the end as
    /// it is: a window is counted from its first event.
    pub fn add(
        &self,
        scope: &Scope,
        key: Key,
        amount: u64,
        expires: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Result<u64, Full> {
        let mut shelves = lock(&self.shelves);
        let shelf = shelves.entry(scope.clone()).or_default();
        if let Some(Entry { held: Held::Count(count), .. }) = shelf.live(&key, now) {
            *count = count.saturating_add(amount);
            return Ok(*count);
        }
        shelf.put(key, Held::Count(amount), expires, now, self.budget)?;
        Ok(amount)
    }

    /// Forgets what one scope holds, or everything.
    pub(crate) fn reset(&self, scope: Option<&Scope>) {
        let mut shelves = lock(&self.shelves);
        match scope {
            Some(scope) => {
                shelves.remove(scope);
            }
            None => shelves.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;

    const BEGAN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn at(seconds: i64) -> OffsetDateTime {
        BEGAN + Duration::seconds(seconds)
    }

    fn key(name: &str) -> Key {
        Key::new("code", name)
    }

    #[test]
    fn a_value_is_put_once_taken_once_and_gone_when_it_expires() {
        let (store, scope) = (Store::new(STORE_BUDGET), Scope::environment("a"));
        assert!(store.put_new(&scope, key("x"), "one", at(10), at(0)).unwrap());
        assert!(!store.put_new(&scope, key("x"), "two", at(10), at(9)).unwrap(), "the first one stands");
        assert_eq!(store.get(&scope, &key("x"), at(9)).unwrap(), "one");
        assert_eq!(store.get(&scope, &key("x"), at(10)), None, "the end is no longer inside");
        assert!(store.put_new(&scope, key("x"), "two", at(20), at(10)).unwrap(), "what expired makes room");
        assert_eq!(store.take(&scope, &key("x"), at(11)).unwrap(), "two");
        assert_eq!(store.take(&scope, &key("x"), at(11)), None);
        assert_eq!(store.get(&Scope::environment("b"), &key("x"), at(0)), None);
    }

    #[test]
    fn of_many_takers_one_gets_it() {
        let (store, scope) = (Store::new(STORE_BUDGET), Scope::environment("a"));
        store.put_new(&scope, key("x"), "one", at(10), at(0)).unwrap();
        let taken: usize = std::thread::scope(|threads| {
            let takers: Vec<_> = (0..8)
                .map(|_| threads.spawn(|| usize::from(store.take(&scope, &key("x"), at(1)).is_some())))
                .collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).sum()
        });
        assert_eq!(taken, 1);
    }

    #[test]
    fn a_counter_counts_within_its_window_and_begins_again_after_it() {
        let (store, scope) = (Store::new(STORE_BUDGET), Scope::environment("a"));
        let add = |now| store.add(&scope, key("ada"), 1, now + Duration::seconds(60), now).unwrap();
        assert_eq!((add(at(0)), add(at(30)), add(at(59))), (1, 2, 3));
        assert_eq!(add(at(60)), 1, "the window is counted from its first event");
        assert_eq!(store.get(&scope, &key("ada"), at(61)), None, "a count is no value");
        assert_eq!(store.take(&scope, &key("ada"), at(61)), None);
    }

    #[test]
    fn an_entry_is_looked_at_and_changed_with_nobody_in_between() {
        let (store, scope) = (Store::new(STORE_BUDGET), Scope::environment("a"));
        let add = || {
            let changed = store.update(&scope, key("x"), at(0), |value| {
                let sum = value.map_or(0, |value| value[0]) + 1;
                (Change::Put { value: vec![sum].into(), expires: at(10) }, sum)
            });
            changed.unwrap()
        };
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| (0..10).for_each(|_| _ = add()));
            }
        });
        assert_eq!(add(), 81);
        let seen = |now, change| {
            store.update(&scope, key("x"), now, |value| (change, value.map(|value| value[0]))).unwrap()
        };
        assert_eq!(seen(at(10), Change::Keep), None, "the end is no longer inside");
        assert_eq!(seen(at(9), Change::Remove), Some(81));
        assert_eq!(seen(at(9), Change::Remove), None);
    }

    #[test]
    fn what_finds_no_room_for_a_larger_value_keeps_the_one_it_had() {
        let (store, scope) = (Store::new(OVERHEAD + 2), Scope::environment("a"));
        let put = |value: &'static str| {
            let value = Change::Put { value: value.into(), expires: at(10) };
            store.update(&scope, key("x"), at(0), |_| (value, ()))
        };
        put("1").unwrap();
        assert_eq!(put("12"), Err(Full));
        assert_eq!(store.get(&scope, &key("x"), at(0)).unwrap(), "1");
        put("2").unwrap();
        assert_eq!(store.get(&scope, &key("x"), at(0)).unwrap(), "2", "in the room it had");
    }

    #[test]
    fn a_full_shelf_refuses_until_something_expires_and_other_scopes_do_not_mind() {
        let store = Store::new(10 * (OVERHEAD + 2));
        let (one, other) = (Scope::environment("a"), Scope::environment("b"));
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            store.put_new(&one, key(name), "1", at(10), at(0)).unwrap();
        }
        store.put_new(&one, key("j"), "1", at(5), at(0)).unwrap();
        assert_eq!(store.put_new(&one, key("k"), "1", at(10), at(4)), Err(Full));
        assert_eq!(store.add(&one, key("k"), 1, at(10), at(4)), Err(Full));
        assert_eq!(store.get(&one, &key("a"), at(4)).unwrap(), "1", "nothing was forgotten early");
        assert!(store.put_new(&other, key("k"), "1", at(10), at(4)).unwrap());
        assert!(store.put_new(&one, key("k"), "1", at(10), at(5)).unwrap());
        assert_eq!(store.put_new(&one, key("large"), vec![0; 10_000], at(10), at(6)), Err(Full));
    }

    #[test]
    fn a_reset_forgets_one_scope_or_all() {
        let store = Store::new(STORE_BUDGET);
        let (one, other) = (Scope::environment("a"), Scope::organization("a"));
        for scope in [&one, &other] {
            store.put_new(scope, key("x"), "1", at(10), at(0)).unwrap();
        }
        store.reset(Some(&one));
        assert_eq!(store.get(&one, &key("x"), at(1)), None);
        assert!(store.get(&other, &key("x"), at(1)).is_some());
        store.reset(None);
        assert_eq!(store.get(&other, &key("x"), at(1)), None);
    }
}
