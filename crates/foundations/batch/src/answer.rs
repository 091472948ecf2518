//! The answer to a batch, written: multipart/mixed, with change sets as multiparts in it.
//!
//! Decides the layout as captured answers of both services and Microsoft's library have it: lines end with CRLF, each part names
//! its transfer encoding and has `OData-Version`, a `Content-ID` stands with the part and not with the answer in it. Clients take it
//! apart with regular expressions, so nothing here is free to vary. Never decides what is answered: the header fields beside the
//! version are handed in.

use http::{HeaderMap, StatusCode};

/// Header fields of an answer that its part has too, in their order: as they are looked up, and as they are shown.
pub type Fields = &'static [(&'static str, &'static str)];

/// The answer of a part.
#[derive(Debug, Clone, Copy)]
pub struct PartAnswer<'a> {
    /// Its status.
    pub status: StatusCode,
    /// `Content-ID` of the request, where the product repeats it.
    pub content_id: Option<&'a str>,
    /// Header fields before `OData-Version`, as they are shown.
    pub first: &'a [(&'a str, &'a str)],
    /// Header fields of the answer, of which the part has those that its product shows.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// A multipart that is being written.
#[derive(Debug)]
pub struct Multipart {
    boundary: String,
    /// The boundary of the change set that is open.
    set: Option<String>,
    fields: Fields,
    text: Vec<u8>,
}

impl Multipart {
    /// Nothing yet. The boundary must stand in no part.
    pub fn new(boundary: String, fields: Fields) -> Self {
        Self { boundary, set: None, fields, text: Vec::new() }
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The content type of the whole.
    pub fn content_type(&self) -> String {
        content_type(&self.boundary)
    }

    /// Begins a change set: what follows is in it.
    pub fn begin_set(&mut self, boundary: String) {
        let line = format!("--{}\r\nContent-Type: {}\r\n\r\n", self.boundary, content_type(&boundary));
        self.text.extend_from_slice(line.as_bytes());
        self.set = Some(boundary);
    }

    /// Ends the change set that is open.
    pub fn end_set(&mut self) {
        if let Some(set) = self.set.take() {
            self.text.extend_from_slice(format!("--{set}--\r\n").as_bytes());
        }
    }

    /// Adds the answer of a part.
    pub fn push(&mut self, part: PartAnswer<'_>) {
        let boundary = self.set.as_ref().unwrap_or(&self.boundary);
        let mut head = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        );
        let line = |head: &mut String, name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
        if let Some(id) = part.content_id {
            line(&mut head, "Content-ID", id);
        }
        let (code, reason) = (part.status.as_str(), part.status.canonical_reason().unwrap_or_default());
        head.extend(["\r\nHTTP/1.1 ", code, " ", reason, "\r\n"]);
        for (name, value) in part.first {
            line(&mut head, name, value);
        }
        line(&mut head, "OData-Version", "4.0");
        for (field, shown) in self.fields {
            if let Some(value) = part.headers.get(*field).and_then(|value| value.to_str().ok()) {
                line(&mut head, shown, value);
            }
        }
        head.push_str("\r\n");
        self.text.extend_from_slice(head.as_bytes());
        self.text.extend_from_slice(part.body);
        self.text.extend_from_slice(b"\r\n");
    }

    /// The whole.
    pub fn finish(mut self) -> Vec<u8> {
        self.text.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        // What it grew beyond its need would stay as long as a reader is slow.
        self.text.shrink_to_fit();
        self.text
    }
}

fn content_type(boundary: &str) -> String {
    format!("multipart/mixed; boundary={boundary}")
}
