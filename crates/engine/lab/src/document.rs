//! A record as it leaves memory: control API, journal file, command line and tests all read and write this one shape.
//!
//! Decides member names and order, and that secrets and tokens are masked on the way out. What is read back is what was
//! written: a record made from a document gives the same document again, so a journal file can be explained when the lab
//! is gone. `children` is where a tree of exchanges stands; a single record has none.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use mocktenant_verdict::Check;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::record::{Kind, Record};
use crate::trail::Facts;
use crate::{Entrance, Machine};

/// One exchange, masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordDocument {
    /// Position in the journal, from 1.
    pub sequence: u64,
    /// `x-01JD7P`; a child is `x-01JD7P.1`.
    pub id: Arc<str>,
    /// The exchange this was made because of.
    pub parent: Option<Arc<str>>,
    /// What it is.
    pub kind: Kind,
    /// Lab time of the answering machine.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Surface, or empty.
    pub surface: Cow<'static, str>,
    /// The port it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrance: Option<Entrance>,
    /// The machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<Machine>,
    /// Endpoint name, or empty.
    pub endpoint: Cow<'static, str>,
    /// The request; a start has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<RequestDocument>,
    /// The answer; a start and a call that reached nobody have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerDocument>,
    /// The product's identifier of the refusal.
    pub error: Option<Cow<'static, str>>,
    /// Checks in the order asked.
    pub checks: Vec<Check>,
    /// Facts in the order learnt.
    pub facts: Facts,
    /// Ids people paste, by name.
    pub activities: Map<String, Value>,
    /// Microseconds from dispatch to commit.
    pub micros: u64,
    /// World generation it ran against.
    pub generation: u64,
    /// What was made because of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<RecordDocument>>,
}

/// A request, masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestDocument {
    /// Method.
    pub method: Cow<'static, str>,
    /// Absolute URL.
    pub url: String,
    /// Header fields by name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// Body: JSON where it is JSON, else text; `null` if there was none.
    #[serde(default)]
    pub body: Value,
}

/// An answer, masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AnswerDocument {
    /// Status; 0 if the caller went away before it was made.
    pub status: u16,
    /// Header fields by name.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Body: JSON where it is JSON, else text; `null` if there was none.
    #[serde(default)]
    pub body: Value,
}

impl Record {
    /// The record as a document, secrets and tokens masked.
    pub fn document(&self) -> RecordDocument {
        RecordDocument::from(self)
    }
}

impl From<&Record> for RecordDocument {
    fn from(record: &Record) -> Self {
        let method: Cow<'static, str> = match record.method {
            http::Method::GET => "GET".into(),
            http::Method::POST => "POST".into(),
            ref other => other.as_str().to_owned().into(),
        };
        let mask = record.mask();
        let shown = |text: &str| mask.text(text).into_owned();
        let target = mask.target(&record.target);
        let request = match record.kind {
            Kind::Start | Kind::Forged | Kind::Judged => None,
            Kind::Call => Some((target, Map::new(), Value::Null)),
            Kind::Request => Some((
                format!("{}://{}{target}", record.scheme, mask.text(&record.host)),
                mask.header_lines(&record.request_headers),
                mask.body(&record.request_headers, &record.request_body),
            )),
        };
        let answer = (record.kind == Kind::Request).then(|| AnswerDocument {
            status: record.status,
            headers: mask.header_lines(&record.response_headers),
            body: mask.body(&record.response_headers, &record.response_body),
        });
        let activities = record.activities.iter();
        Self {
            sequence: record.sequence,
            id: Arc::clone(&record.id),
            parent: record.parent.clone(),
            kind: record.kind,
            at: record.at,
            surface: record.surface.clone(),
            entrance: record.entrance.clone(),
            machine: record.machine.clone(),
            endpoint: record.endpoint.clone(),
            request: request.map(|(url, headers, body)| RequestDocument { method, url, headers, body }),
            answer,
            error: record.error.as_deref().map(|error| Cow::Owned(shown(error))),
            checks: mask.all(&record.checks),
            facts: mask.all(&record.facts),
            activities: activities
                .map(|(name, value)| (name.clone().into_owned(), Value::from(shown(value))))
                .collect(),
            micros: record.micros,
            generation: record.generation,
            children: None,
        }
    }
}

impl From<RecordDocument> for Record {
    fn from(document: RecordDocument) -> Self {
        let activities = document.activities.into_iter();
        let mut record = Self {
            sequence: document.sequence,
            id: document.id,
            parent: document.parent,
            surface: document.surface,
            entrance: document.entrance,
            machine: document.machine,
            endpoint: document.endpoint,
            error: document.error,
            checks: document.checks,
            facts: document.facts,
            activities: activities
                .map(|(name, value)| (Cow::Owned(name), text(&value).into_owned().into()))
                .collect(),
            micros: document.micros,
            generation: document.generation,
            ..Self::blank(document.kind, document.at)
        };
        if let Some(request) = document.request {
            record.method = request.method.parse().unwrap_or_default();
            let (scheme, rest) = request.url.split_once("://").unwrap_or(("", &request.url));
            let (host, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            record.host = host.into();
            if document.kind == Kind::Call {
                record.target = request.url.into();
            } else {
                record.scheme = Cow::Owned(scheme.to_owned());
                record.target = target.into();
            }
            record.request_headers = lines(&request.headers);
            record.request_body = bytes(&request.body);
        }
        if let Some(answer) = document.answer {
            record.status = answer.status;
            record.response_headers = lines(&answer.headers);
            record.response_body = bytes(&answer.body);
        }
        record
    }
}

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn lines(headers: &Map<String, Value>) -> Box<str> {
    let mut lines = String::new();
    for (name, value) in headers {
        lines.extend([name, ": ", &text(value), "\n"]);
    }
    lines.into_boxed_str()
}

fn bytes(body: &Value) -> Bytes {
    match body {
        Value::Null => Bytes::new(),
        other => text(other).into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_verdict::{Outcome, Setting};
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::Fact;

    fn record() -> Record {
        let fact = Fact::new("thumbprint", "absent").read(Setting::fixed("/environments/a"), Value::Null);
        Record {
            sequence: 7,
            id: "x-1.1".into(),
            parent: Some("x-1".into()),
            surface: "entra".into(),
            entrance: Some(Entrance::Identity),
            machine: Some(Machine::tenant("c01")),
            endpoint: "token".into(),
            method: http::Method::POST,
            host: "login.windows.net".into(),
            target: "/c01/oauth2/token?code=secret".into(),
            status: 401,
            error: Some("AADSTS700027".into()),
            checks: vec![Check {
                name: "certificate-registered".into(),
                role: None,
                relays: false,
                remedy: None,
                expected: "a certificate".into(),
                actual: "none".into(),
                outcome: Outcome::Skipped { needs: "tenant".into() },
                settings: vec![Setting::fixed("/tenants/c01")],
                error: None,
                change: Some("upload it".into()),
            }],
            facts: [fact].into_iter().collect(),
            activities: vec![("request-id".into(), "abc".into())],
            ..Record::blank(Kind::Request, datetime!(2026-11-22 12:00:01.5 UTC))
        }
    }

    fn read_back(record: &Record) {
        let written = serde_json::to_string(&record.document()).unwrap();
        let read: RecordDocument = serde_json::from_str(&written).unwrap();
        assert_eq!(read, record.document(), "{written}");
        let again = Record::from(read).document();
        assert_eq!(again, record.document(), "{written}");
    }

    #[test]
    fn a_record_reads_back_what_it_wrote() {
        let bodies: [(&str, &[u8]); 10] = [
            ("content-type: application/json\n", br#"{"access_token":"eyJ.eyJ.sig","n":1}"#),
            ("content-type: application/json\n", br#""text""#),
            ("content-type: application/x-www-form-urlencoded\n", b"client_secret=abc&client_id=x"),
            ("content-type: multipart/form-data; boundary=x\n", b"--x\r\n\r\nsecret\r\n--x--"),
            ("content-type: text/html\n", b"<html>a=b</html>"),
            (
                "content-type: text/html; charset=utf-8\n",
                b"<input type=\"hidden\" name=\"id_token\" value=\"eyJ.eyJ.sig\" /><input type=\"hidden\" name=\"wresult\" value=\"&lt;t",
            ),
            ("content-type: application/octet-stream\n", b"\x00\xff\x01"),
            ("content-type: application/json\n", br#"{"client_secret":"abc""#),
            ("set-cookie: a=b\nset-cookie: c=d\nauthorization: Bearer eyJ.eyJ.sig\n", b""),
            ("authorization: Basic abc\nlocation: https://a/?code=x#id_token=eyJ.eyJ.x\n", b"[1,2]"),
        ];
        for (headers, body) in bodies {
            let body = Bytes::copy_from_slice(body);
            read_back(&Record {
                request_headers: headers.into(),
                request_body: body.clone(),
                response_headers: headers.into(),
                response_body: body,
                ..record()
            });
        }
    }

    #[test]
    fn a_start_has_no_request_and_a_call_that_reached_nobody_no_answer() {
        let start = Record { kind: Kind::Start, machine: Some(Machine::node("a", "aos1")), ..record() };
        assert!(start.document().request.is_none() && start.document().answer.is_none());
        read_back(&start);
        let call = Record { kind: Kind::Call, target: "https://nowhere.example/x?code=1".into(), ..record() };
        let document = serde_json::to_value(call.document()).unwrap();
        assert_eq!(document["request"]["url"], json!("https://nowhere.example/x?code=***"));
        assert!(document.get("answer").is_none());
        read_back(&call);
    }
}
