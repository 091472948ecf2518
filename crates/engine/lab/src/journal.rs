//! What happened: every exchange with its checks and facts, bounded in bytes.
//!
//! Decides what is kept and for how long. A record is committed before its answer leaves. Never decides anything about an
//! exchange.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::broadcast;

use crate::Tree;
use crate::clock::lock;

pub use crate::document::{AnswerDocument, RecordDocument, RequestDocument};
pub use crate::record::{BODY_BUDGET, Kind, Record};

/// The journal of one lab.
#[derive(Debug)]
pub struct Journal {
    entries: Arc<Mutex<Entries>>,
    budget: usize,
    live: broadcast::Sender<Arc<Record>>,
}

/// A record and what it weighed when it was committed: it is weighed once, outside the lock.
#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    weight: usize,
}

/// In the order of their sequence numbers.
#[derive(Debug, Default)]
struct Entries {
    records: VecDeque<Entry>,
    /// The number of the newest one, kept or not.
    newest: u64,
    /// The number of the newest one that was forgotten on purpose.
    cleared: u64,
    /// The sum of the weights.
    bytes: usize,
    dropped: u64,
    /// Whether nothing will come any more.
    ended: bool,
}

impl Entries {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.records.iter().map(|entry| &entry.record)
    }
}

/// Reads a journal at its own pace: a commit neither wakes it nor knows of it.
#[derive(Debug)]
pub struct Reader {
    entries: Arc<Mutex<Entries>>,
    seen: u64,
}

/// What was committed since a [`Reader`] last looked.
#[derive(Debug)]
pub struct Batch {
    /// The oldest of them, in order.
    pub records: Vec<Arc<Record>>,
    /// How many more there were.
    pub missed: u64,
    /// Whether nothing will come any more.
    pub ended: bool,
}

impl Reader {
    /// What was committed since the last time, `most` records of it; the rest is counted and passed over.
    pub fn read(&mut self, most: usize) -> Batch {
        let entries = lock(&self.entries);
        let since = self.seen.max(entries.cleared);
        let first = entries.records.partition_point(|entry| entry.record.sequence <= since);
        let records: Vec<_> =
            entries.records.iter().skip(first).take(most).map(|entry| Arc::clone(&entry.record)).collect();
        self.seen = entries.newest;
        let missed = (entries.newest - since).saturating_sub(records.len() as u64);
        Batch { records, missed, ended: entries.ended }
    }
}

impl Journal {
    pub(crate) fn new(budget: usize) -> Self {
        let (live, _) = broadcast::channel(256);
        Self { entries: Arc::default(), budget, live }
    }

    pub(crate) fn commit(&self, record: Record) -> Arc<Record> {
        let weight = record.weight();
        let mut record = Arc::new(record);
        // What the budget pushes out is freed after the lock.
        let mut pushed_out: [Option<Entry>; 4] = [const { None }; 4];
        {
            let mut entries = lock(&self.entries);
            entries.newest += 1;
            // Nobody else has it yet.
            if let Some(record) = Arc::get_mut(&mut record) {
                record.sequence = entries.newest;
            }
            entries.bytes += weight;
            entries.records.push_back(Entry { record: Arc::clone(&record), weight });
            let mut slots = pushed_out.iter_mut();
            while entries.bytes > self.budget && entries.records.len() > 1 {
                let Some(oldest) = entries.records.pop_front() else { break };
                entries.bytes -= oldest.weight;
                entries.dropped += 1;
                if let Some(slot) = slots.next() {
                    *slot = Some(oldest);
                }
            }
        }
        drop(pushed_out);
        if self.live.receiver_count() > 0 {
            // An error means that the last receiver has just gone: nobody listens, nothing is lost.
            let _ = self.live.send(Arc::clone(&record));
        }
        record
    }

    /// Takes over a record that another journal holds, as it is.
    pub(crate) fn adopt(&self, record: Arc<Record>) {
        let weight = record.weight();
        let mut entries = lock(&self.entries);
        entries.bytes += weight;
        entries.records.push_back(Entry { record, weight });
    }

    /// All records still kept, oldest first. Children stand before their parent: they were answered first.
    pub fn records(&self) -> Vec<Arc<Record>> {
        lock(&self.entries).iter().cloned().collect()
    }

    /// The record with this id.
    pub fn find(&self, id: &str) -> Option<Arc<Record>> {
        lock(&self.entries).iter().rev().find(|record| &*record.id == id).cloned()
    }

    /// The newest root that was refused.
    pub fn last_refusal(&self) -> Option<Arc<Record>> {
        let entries = lock(&self.entries);
        entries.iter().rev().find(|record| record.is_refusal()).cloned()
    }

    /// The records still kept, by what caused what.
    pub fn tree(&self) -> Tree {
        Tree::of(self.records())
    }

    /// How many records the budget has pushed out.
    pub fn dropped(&self) -> u64 {
        lock(&self.entries).dropped
    }

    /// Whatever is committed from now on, for somebody who looks now and then.
    pub fn reader(&self) -> Reader {
        Reader { entries: Arc::clone(&self.entries), seen: lock(&self.entries).newest }
    }

    /// Records from now on, at once. A receiver that lags is told how many it missed.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Record>> {
        self.live.subscribe()
    }

    /// The number of the newest record, kept or not.
    pub(crate) fn newest(&self) -> u64 {
        lock(&self.entries).newest
    }

    /// Drops the records up to this number, as if there were no room for them.
    pub(crate) fn forget_through(&self, sequence: u64) {
        let mut forgotten = Vec::new();
        let mut entries = lock(&self.entries);
        while entries.records.front().is_some_and(|entry| entry.record.sequence <= sequence)
            && let Some(oldest) = entries.records.pop_front()
        {
            entries.bytes -= oldest.weight;
            entries.dropped += 1;
            forgotten.push(oldest);
        }
        drop(entries);
        drop(forgotten);
    }

    pub(crate) fn clear(&self) {
        let mut entries = lock(&self.entries);
        let newest = entries.newest;
        let old = std::mem::replace(&mut *entries, Entries { newest, cleared: newest, ..Entries::default() });
        drop(entries);
        drop(old);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        lock(&self.entries).ended = true;
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_verdict::{Check, Outcome, Setting};
    use serde_json::{Value, json};
    use time::OffsetDateTime;

    use super::*;
    use crate::Fact;

    fn blank() -> Record {
        Record { id: "x-1".into(), ..Record::blank(Kind::Request, OffsetDateTime::UNIX_EPOCH) }
    }

    fn with(fact: Fact) -> Record {
        Record { facts: [fact].into_iter().collect(), ..blank() }
    }

    fn check() -> Check {
        Check {
            name: "c".into(),
            role: None,
            relays: false,
            remedy: None,
            expected: "e".into(),
            actual: "a".into(),
            outcome: Outcome::Passed,
            settings: Vec::new(),
            error: None,
            change: None,
        }
    }

    #[test]
    fn everything_that_can_grow_weighs() {
        let long = "x".repeat(10_000);
        let setting = || Setting::from_pointer(long.clone());
        let read = json!({"a": [{"b": long}]});
        let heavy: [(&str, Record); 8] = [
            ("host", Record { host: long.as_str().into(), ..blank() }),
            ("error", Record { error: Some(long.clone().into()), ..blank() }),
            ("activities", Record { activities: vec![("id".into(), long.as_str().into())], ..blank() }),
            ("setting", with(Fact::new("f", "v").from(setting()))),
            ("read", with(Fact::new("f", "v").read(Setting::fixed("/f"), read))),
            ("settings", Record { checks: vec![Check { settings: vec![setting()], ..check() }], ..blank() }),
            (
                "check",
                Record { checks: vec![Check { error: Some(long.clone().into()), ..check() }], ..blank() },
            ),
            ("parent", Record { parent: Some(long.as_str().into()), ..blank() }),
        ];
        for (name, record) in heavy {
            assert!(record.weight() >= 10_000, "{name}");
        }
    }

    #[test]
    fn a_reader_is_told_what_it_missed_and_nothing_of_what_was_cleared() {
        let journal = Journal::new(100_000);
        journal.commit(blank());
        let mut reader = journal.reader();
        let numbers = |batch: &Batch| batch.records.iter().map(|one| one.sequence).collect::<Vec<_>>();
        let batch = reader.read(9);
        assert!(batch.records.is_empty() && batch.missed == 0 && !batch.ended);
        for _ in 0..3 {
            journal.commit(blank());
        }
        let batch = reader.read(2);
        assert_eq!((numbers(&batch), batch.missed), (vec![2, 3], 1));
        journal.commit(blank());
        journal.clear();
        journal.commit(blank());
        let batch = reader.read(9);
        assert_eq!((numbers(&batch), batch.missed), (vec![6], 0));
        journal.commit(blank());
        drop(journal);
        let batch = reader.read(9);
        assert_eq!((numbers(&batch), batch.missed, batch.ended), (vec![7], 0, true));
    }

    #[test]
    fn values_read_at_start_push_older_records_out() {
        let journal = Journal::new(100_000);
        for _ in 0..50 {
            let read = Value::Array(vec![Value::String("x".repeat(1_000)); 20]);
            journal.commit(with(Fact::new("f", "v").read(Setting::fixed("/f"), read)));
        }
        assert_eq!(journal.records().len() as u64 + journal.dropped(), 50);
        assert!(journal.records().len() <= 5);
        let kept: usize = journal.records().iter().map(|record| record.weight()).sum();
        assert_eq!(lock(&journal.entries).bytes, kept);
    }
}
