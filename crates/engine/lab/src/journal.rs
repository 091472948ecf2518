//! What happened: every exchange with its checks and facts, bounded in bytes.
//!
//! Decides what is kept and for how long, and that secrets and tokens are masked before a record leaves memory. A
//! record is committed before its answer leaves. Never decides anything about an exchange.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use mocktenant_verdict::{Check, Setting};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::broadcast;

use crate::Site;
use crate::clock::lock;
use crate::masking;

/// Bodies longer than this are cut in the journal, in bytes.
pub const BODY_BUDGET: usize = 64 * 1024;

/// What kind of thing a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A request and its answer.
    Request,
    /// A start of an environment.
    Start,
    /// A call that reached nobody.
    Call,
}

/// Something an exchange learnt or used, in the order it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fact {
    /// Stable name, kebab-case, for instance `client-id`.
    pub name: Cow<'static, str>,
    /// Its value as a person reads it.
    pub value: Cow<'static, str>,
    /// The setting it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    /// For a value read at the last start: the setting's value then (`null` when it was absent).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "masked")]
    pub read_at_start: Option<Value>,
}

/// Facts keep what was read, so that a later change can be told; what leaves memory is masked.
#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn masked<S: Serializer>(read: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    read.as_ref().map(masking::setting_value).serialize(serializer)
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
    pub surface: &'static str,
    /// Site, if any.
    pub site: Option<Site>,
    /// Endpoint name, or empty.
    pub endpoint: &'static str,
    /// Method.
    pub method: http::Method,
    /// `https` or `http`.
    pub scheme: &'static str,
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
    pub facts: Vec<Fact>,
    /// The product's identifier of the refusal, for instance `AADSTS700016`.
    pub error: Option<Cow<'static, str>>,
    /// Ids people paste: request id, correlation id, activity id.
    pub activities: Vec<(&'static str, Box<str>)>,
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
        self.facts.iter().find(|fact| fact.name == name)
    }

    /// A value of the request's or answer's header lines, if present.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.response_headers.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn blank(id: Arc<str>, kind: Kind, at: OffsetDateTime) -> Self {
        Self {
            sequence: 0,
            id,
            parent: None,
            kind,
            at,
            surface: "",
            site: None,
            endpoint: "",
            method: http::Method::GET,
            scheme: "https",
            host: Box::default(),
            target: Box::default(),
            request_headers: Box::default(),
            request_body: Bytes::new(),
            status: 0,
            response_headers: Box::default(),
            response_body: Bytes::new(),
            checks: Vec::new(),
            facts: Vec::new(),
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
        let facts: usize = self
            .facts
            .iter()
            .map(|fact| {
                size_of::<Fact>()
                    + fact.name.len()
                    + fact.value.len()
                    + fact.setting.as_ref().map_or(0, |setting| setting.as_str().len())
                    + fact.read_at_start.as_ref().map_or(0, heap_of)
            })
            .sum();
        let activities: usize = self
            .activities
            .iter()
            .map(|(_, value)| size_of::<(&'static str, Box<str>)>() + value.len())
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
            + facts
            + length(&self.error)
            + activities
    }

    /// The record as JSON, secrets and tokens masked.
    pub fn to_json(&self) -> Value {
        let site = self.site.as_ref().map(ToString::to_string);
        let activities: serde_json::Map<String, Value> =
            self.activities.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        let mut value = json!({
            "sequence": self.sequence,
            "id": self.id,
            "parent": self.parent,
            "kind": self.kind,
            "at": self.at.format(&Rfc3339).unwrap_or_default(),
            "surface": self.surface,
            "site": site,
            "endpoint": self.endpoint,
            "request": {
                "method": self.method.as_str(),
                "url": format!("{}://{}{}", self.scheme, self.host, masking::target(&self.target)),
                "headers": masking::header_lines(&self.request_headers),
                "body": masking::body(&self.request_headers, &self.request_body),
            },
            "answer": {
                "status": self.status,
                "headers": masking::header_lines(&self.response_headers),
                "body": masking::body(&self.response_headers, &self.response_body),
            },
            "error": self.error,
            "checks": self.checks,
            "facts": self.facts,
            "activities": activities,
            "micros": self.micros,
            "generation": self.generation,
        });
        if self.kind != Kind::Request
            && let Some(object) = value.as_object_mut()
        {
            object.remove("request");
            object.remove("answer");
        }
        value
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// About what a JSON value occupies besides itself, in bytes. It comes from a parsed declaration, so its depth is bounded
/// by the parser's.
fn heap_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(elements) => elements.iter().map(|element| size_of::<Value>() + heap_of(element)).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| size_of::<(String, Value)>() + name.len() + heap_of(member))
            .sum(),
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

    /// The records made because of `id`, in the order they were made.
    pub fn children(&self, id: &str) -> Vec<Arc<Record>> {
        lock(&self.entries).iter().filter(|record| record.parent.as_deref() == Some(id)).cloned().collect()
    }

    /// The newest root record that was refused, or whose children were.
    pub fn last_refusal(&self) -> Option<Arc<Record>> {
        let entries = lock(&self.entries);
        entries.iter().rev().find(|record| record.parent.is_none() && record.refused()).cloned()
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
    use mocktenant_verdict::Outcome;

    use super::*;

    fn blank() -> Record {
        Record::blank("x-1".into(), Kind::Request, OffsetDateTime::UNIX_EPOCH)
    }

    fn fact() -> Fact {
        Fact { name: "f".into(), value: "v".into(), setting: None, read_at_start: None }
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
            ("activities", Record { activities: vec![("id", long.as_str().into())], ..blank() }),
            ("setting", Record { facts: vec![Fact { setting: Some(setting()), ..fact() }], ..blank() }),
            ("read", Record { facts: vec![Fact { read_at_start: Some(read), ..fact() }], ..blank() }),
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
            journal.commit(Record { facts: vec![Fact { read_at_start: Some(read), ..fact() }], ..blank() });
        }
        assert_eq!(journal.records().len() as u64 + journal.dropped(), 50);
        assert!(journal.records().len() <= 5);
        let kept: usize = journal.records().iter().map(|record| record.weight()).sum();
        assert_eq!(lock(&journal.entries).bytes, kept);
    }
}
