//! The answer to a batch, written: multipart/mixed, with change sets as multiparts in it.
//!
//! Decides the layout, which is that of the OData library (captures of 2019 have it): lines end with CRLF, a part has the header
//! fields its answer alone would have, and the content type of a refusal names its character set.

use mocktenant_lab::{Answer, Content, Exchange};

/// Header fields of a part, in their order, beside its content type and version.
const FIELDS: [(&str, &str); 3] = [("etag", "ETag"), ("location", "Location"), ("allow", "Allow")];

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
    pub(super) fn push(&mut self, answer: Answer, content_id: Option<&str>) {
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
        let (body, kind) = match &content {
            Content::Json(body, kind) | Content::Text(body, kind) | Content::Xml(body, kind) => {
                (Some(body), *kind)
            }
            _ => (None, ""),
        };
        if !kind.is_empty() {
            let charset =
                if status.is_success() || kind.contains("charset") { "" } else { "; charset=utf-8" };
            line(&mut head, "Content-Type", &format!("{kind}{charset}"));
        }
        line(&mut head, "OData-Version", "4.0");
        for (field, shown) in FIELDS {
            if let Some(value) = headers.get(field).and_then(|value| value.to_str().ok()) {
                line(&mut head, shown, value);
            }
        }
        head.push_str("\r\n");
        self.text.extend_from_slice(head.as_bytes());
        if let Some(body) = body {
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
