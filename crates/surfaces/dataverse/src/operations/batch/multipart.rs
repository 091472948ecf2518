//! The answer to a batch, written: multipart/mixed, with change sets as multiparts in it.
//!
//! Decides the layout as captured answers have it: lines end with CRLF, parts have few header fields, a part with a refusal
//! begins with its request id. Clients take it apart with regular expressions, so nothing here is free to vary.

use http::StatusCode;
use mocktenant_lab::{Answer, Content, Exchange};

/// The content type of rows in a part.
const STREAMED: &str = "application/json; odata.metadata=minimal; odata.streaming=true";

/// Header fields of a part, in their order, beside its content type and version.
const FIELDS: [(&str, &str); 3] = [
    ("location", "Location"),
    ("odata-entityid", "OData-EntityId"),
    ("preference-applied", "Preference-Applied"),
];

/// A multipart that is being written.
pub(super) struct Multipart {
    boundary: String,
    /// The boundary of the change set that is open.
    set: Option<String>,
    text: Vec<u8>,
}

impl Multipart {
    /// Nothing yet, with a boundary of its own.
    pub(super) fn new(name: &str, exchange: &Exchange) -> Self {
        let boundary = format!("{name}_{}", exchange.context.random().guid());
        Self { boundary, set: None, text: Vec::new() }
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn content_type(&self) -> String {
        format!("multipart/mixed; boundary={}", self.boundary)
    }

    /// Begins a change set: what follows is in it.
    pub(super) fn begin_set(&mut self, exchange: &Exchange) {
        let set = format!("changesetresponse_{}", exchange.context.random().guid());
        let line = format!("--{}\r\nContent-Type: multipart/mixed; boundary={set}\r\n\r\n", self.boundary);
        self.text.extend_from_slice(line.as_bytes());
        self.set = Some(set);
    }

    pub(super) fn end_set(&mut self) {
        if let Some(set) = self.set.take() {
            self.text.extend_from_slice(format!("--{set}--\r\n").as_bytes());
        }
    }

    /// Adds the answer of a part.
    pub(super) fn push(&mut self, exchange: &Exchange, answer: Answer, content_id: Option<&str>) {
        let Answer { status, headers, content, .. } = answer;
        let boundary = self.set.as_ref().unwrap_or(&self.boundary);
        let mut head = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        );
        let line = |head: &mut String, name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        if let Some(id) = content_id {
            line(&mut head, "Content-ID", id);
        }
        let (code, reason) = (status.as_str(), status.canonical_reason().unwrap_or_default());
        head.extend(["\r\nHTTP/1.1 ", code, " ", reason, "\r\n"]);
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            line(&mut head, "REQ_ID", &exchange.context.random().guid().to_string());
        }
        match &content {
            Content::Json(..) if status.is_success() => line(&mut head, "Content-Type", STREAMED),
            Content::Json(_, kind) | Content::Text(_, kind) | Content::Xml(_, kind) => {
                line(&mut head, "Content-Type", kind);
            }
            _ => {}
        }
        line(&mut head, "OData-Version", "4.0");
        for (field, shown) in FIELDS {
            if let Some(value) = headers.get(field).and_then(|value| value.to_str().ok()) {
                line(&mut head, shown, value);
            }
        }
        head.push_str("\r\n");
        self.text.extend_from_slice(head.as_bytes());
        if let Content::Json(body, _) | Content::Text(body, _) | Content::Xml(body, _) = &content {
            self.text.extend_from_slice(body);
        }
        self.text.extend_from_slice(b"\r\n");
    }

    /// The whole.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.text.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        // What it grew beyond its need would stay as long as a reader is slow.
        self.text.shrink_to_fit();
        self.text
    }
}
