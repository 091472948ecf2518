//! What happened: every exchange with its checks and facts, bounded in bytes.
//!
//! Decides what is kept and for how long, and that secrets and tokens are masked before a record leaves memory. A
//! record is committed before its answer leaves. Never decides anything about an exchange.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use mocktenant_verdict::{Check, Setting};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::sync::broadcast;

use crate::clock::lock;
use crate::trail::{Fact, Facts};
use crate::{Context, Entrance, Machine, Trail, Tree};

pub use crate::document::{AnswerDocument, RecordDocument, RequestDocument};

/// Bodies longer than this are cut in the journal, in bytes.
pub const BODY_BUDGET: usize = 64 * 1024;

/// What kind of thing a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A request and its answer.
    Request,
    /// A start of an environment.
    Start,
    /// A call that reached nobody.
    Call,
}

/// One exchange as the journal keeps it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Position in the journal, from 1, never reused.
    pub sequence: u64,
    /// `x-01JD7P`; a child is `x-01JD7P.1`.
    pub id: Arc<str>,
    /// The exchange this was made because of.
    pub parent: Option<Arc<str>>,
    /// What it is.
    pub kind: Kind,
    /// Lab time of the answering machine.
    pub at: OffsetDateTime,
    /// Surface, or empty where no surface answered.
    pub surface: Cow<'static, str>,
    /// The port it came by; none for what began inside the lab.
    pub entrance: Option<Entrance>,
    /// The machine that answered, started or called; none where no machine was named.
    pub machine: Option<Machine>,
    /// Endpoint name, or empty.
    pub endpoint: Cow<'static, str>,
    /// Method.
    pub method: http::Method,
    /// `https` or `http`.
    pub scheme: Cow<'static, str>,
    /// Host as sent.
    pub host: Box<str>,
    /// Target as sent.
    pub target: Box<str>,
    /// Header lines of the request.
    pub request_headers: Box<str>,
    /// Body of the request, cut.
    pub request_body: Bytes,
    /// Status answered; 0 for what has none.
    pub status: u16,
    /// Header lines of the answer.
    pub response_headers: Box<str>,
    /// Body of the answer, cut.
    pub response_body: Bytes,
    /// Checks in the order asked.
    pub checks: Vec<Check>,
    /// Facts in the order learnt.
    pub facts: Facts,
    /// The product's identifier of the refusal, for instance `AADSTS700016`.
    pub error: Option<Cow<'static, str>>,
    /// Ids people paste: request id, correlation id, activity id.
    pub activities: Vec<(Cow<'static, str>, Box<str>)>,
    /// Microseconds from dispatch to commit.
    pub micros: u64,
    /// World generation it ran against.
    pub generation: u64,
}

impl Record {
    /// The first failed check: the one that decided.
    pub fn failed_check(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.failed())
    }

    /// Whether the answer was a refusal or a failure.
    pub fn refused(&self) -> bool {
        self.error.is_some() || self.status >= 400 || self.checks.iter().any(Check::failed)
    }

    /// The first fact of this name.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        self.facts.get(name)
    }

    /// A value of the request's or answer's header lines, if present.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.response_headers.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The record of what a context did and its trail says: the one place where a record is made. A request adds itself and
    /// its answer.
    pub(crate) fn of(kind: Kind, context: &Context, trail: Trail, began: Instant) -> Self {
        let Trail { checks, facts, error, activities, .. } = trail;
        Self {
            id: Arc::clone(&context.id),
            parent: context.parent.clone(),
            surface: Cow::Borrowed(context.surface_name()),
            entrance: context.entrance.clone(),
            machine: context.machine.clone(),
            checks,
            facts,
            error,
            activities,
            micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            generation: context.snapshot.world.generation(),
            ..Self::blank(kind, context.now)
        }
    }

    pub(crate) fn blank(kind: Kind, at: OffsetDateTime) -> Self {
        Self {
            sequence: 0,
            id: Arc::default(),
            parent: None,
            kind,
            at,
            surface: Cow::Borrowed(""),
            entrance: None,
            machine: None,
            endpoint: Cow::Borrowed(""),
            method: http::Method::GET,
            scheme: Cow::Borrowed("https"),
            host: Box::default(),
            target: Box::default(),
            request_headers: Box::default(),
            request_body: Bytes::new(),
            status: 0,
            response_headers: Box::default(),
            response_body: Bytes::new(),
            checks: Vec::new(),
            facts: Facts::default(),
            error: None,
            activities: Vec::new(),
            micros: 0,
            generation: 0,
        }
    }

    /// About what the record occupies, in bytes: all that a client, a world or a surface can make longer counts.
    fn weight(&self) -> usize {
        let settings = |settings: &[Setting]| -> usize {
            settings.iter().map(|setting| size_of::<Setting>() + setting.as_str().len()).sum()
        };
        let length = |text: &Option<Cow<'static, str>>| text.as_ref().map_or(0, |text| text.len());
        let checks: usize = self
            .checks
            .iter()
            .map(|check| {
                size_of::<Check>()
                    + check.name.len()
                    + check.expected.len()
                    + check.actual.len()
                    + settings(&check.settings)
                    + length(&check.error)
                    + length(&check.change)
            })
            .sum();
        let activities: usize = self
            .activities
            .iter()
            .map(|(_, value)| size_of::<(Cow<'static, str>, Box<str>)>() + value.len())
            .sum();
        size_of::<Self>()
            + self.id.len()
            + self.parent.as_ref().map_or(0, |parent| parent.len())
            + self.method.as_str().len()
            + self.host.len()
            + self.target.len()
            + self.request_headers.len()
            + self.request_body.len()
            + self.response_headers.len()
            + self.response_body.len()
            + checks
            + self.facts.weight()
            + length(&self.error)
            + activities
    }

    /// Whether it carries this request, correlation or activity id. Ids have no letter case.
    pub fn carries(&self, id: &str) -> bool {
        self.activities.iter().any(|(_, value)| value.eq_ignore_ascii_case(id))
    }

    /// The record as a document, secrets and tokens masked.
    pub fn document(&self) -> RecordDocument {
        RecordDocument::from(self)
    }
}

/// The journal of one lab.
#[derive(Debug)]
pub struct Journal {
    entries: Mutex<Entries>,
    next: AtomicU64,
    budget: usize,
    live: broadcast::Sender<Arc<Record>>,
}

/// A record and what it weighed when it was committed: it is weighed once, outside the lock.
#[derive(Debug)]
struct Entry {
    record: Arc<Record>,
    weight: usize,
}

#[derive(Debug, Default)]
struct Entries {
    records: VecDeque<Entry>,
    /// The sum of the weights.
    bytes: usize,
    dropped: u64,
}

impl Entries {
    fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.records.iter().map(|entry| &entry.record)
    }
}

impl Journal {
    pub(crate) fn new(budget: usize) -> Self {
        let (live, _) = broadcast::channel(256);
        Self { entries: Mutex::new(Entries::default()), next: AtomicU64::new(1), budget, live }
    }

    pub(crate) fn commit(&self, mut record: Record) -> Arc<Record> {
        record.sequence = self.next.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(record);
        let weight = record.weight();
        // What the budget pushes out is freed after the lock.
        let mut pushed_out: [Option<Entry>; 4] = [const { None }; 4];
        {
            let mut entries = lock(&self.entries);
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
        entries.iter().rev().find(|record| record.parent.is_none() && record.refused()).cloned()
    }

    /// The records still kept, by what caused what.
    pub fn tree(&self) -> Tree {
        Tree::of(self.records())
    }

    /// How many records the budget has pushed out.
    pub fn dropped(&self) -> u64 {
        lock(&self.entries).dropped
    }

    /// Records from now on. A receiver that lags is told how many it missed.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Record>> {
        self.live.subscribe()
    }

    pub(crate) fn clear(&self) {
        *lock(&self.entries) = Entries::default();
    }
}

/// Header lines as the journal keeps them: `name: value`, one per line. `Host` has a place of its own.
pub(crate) fn header_lines(headers: &http::HeaderMap) -> Box<str> {
    let length = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 3).sum();
    let mut lines = String::with_capacity(length);
    for (name, value) in headers {
        if name == http::header::HOST {
            continue;
        }
        lines.push_str(name.as_str());
        lines.push_str(": ");
        match value.to_str() {
            Ok(text) => lines.push_str(text),
            Err(_) => lines.push_str(&String::from_utf8_lossy(value.as_bytes())),
        }
        lines.push('\n');
    }
    lines.into_boxed_str()
}

/// A body cut to the journal's budget, in memory of its own (it must not pin a connection's buffer).
pub(crate) fn cut(body: &Bytes) -> Bytes {
    if body.is_empty() {
        return Bytes::new();
    }
    Bytes::copy_from_slice(&body[..body.len().min(BODY_BUDGET)])
}

#[cfg(test)]
mod tests {
    use mocktenant_verdict::{Outcome, Setting};
    use serde_json::{Value, json};

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
