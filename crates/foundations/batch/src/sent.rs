//! A batch that is sent: one change set, and what is answered to it.
//!
//! Decides the layout of what is sent, and reads answers as leniently as it takes to find status, body and `Content-ID` of each part.
//! Operations are numbered from 1, in the order they are added: `$2` is what the second one makes. Never decides what an answer means.

use crate::BatchError;
use crate::request::{boundary, excerpt, field, headers, is_multipart, line_at, sections, text};

/// A change set that is being written.
#[derive(Debug)]
pub struct ChangeSet {
    batch: String,
    set: String,
    text: String,
    operations: usize,
}

/// The answer to one part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered<'b> {
    /// `Content-ID` of the operation, where it is said.
    pub content_id: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// The body, without the line end before the delimiter.
    pub body: &'b [u8],
}

impl ChangeSet {
    /// Nothing yet. The boundaries, of the batch and of the set in it, must stand in no part.
    pub fn new(batch: String, set: String) -> Self {
        let text = format!("--{batch}\r\nContent-Type: multipart/mixed; boundary={set}\r\n\r\n");
        Self { batch, set, text, operations: 0 }
    }

    /// Adds an operation; a body is JSON. The address is absolute, or relative to the service root.
    pub fn push(&mut self, method: &str, target: &str, body: Option<&str>) {
        self.operations += 1;
        let id = self.operations.to_string();
        self.text.extend(["--", &self.set, "\r\nContent-Type: application/http\r\n"]);
        self.text.extend(["Content-Transfer-Encoding: binary\r\nContent-ID: ", &id, "\r\n\r\n"]);
        self.text.extend([method, " ", target, " HTTP/1.1\r\n"]);
        match body {
            Some(body) => {
                self.text.extend(["Content-Type: application/json; charset=utf-8\r\n\r\n", body, "\r\n"]);
            }
            None => self.text.push_str("\r\n\r\n"),
        }
    }

    /// The content type of the whole.
    pub fn content_type(&self) -> String {
        format!("multipart/mixed; boundary={}", self.batch)
    }

    /// The whole.
    pub fn finish(self) -> Vec<u8> {
        let Self { batch, set, mut text, .. } = self;
        text.extend(["--", &set, "--\r\n--", &batch, "--\r\n"]);
        text.into_bytes()
    }
}

/// The answers of a batch, those in change sets among them, at most `limit` of each.
///
/// # Errors
/// What is no answer to a batch, or more of it.
pub fn answers<'b>(
    content_type: &str,
    body: &'b [u8],
    limit: usize,
) -> Result<Vec<Answered<'b>>, BatchError> {
    let mut all = Vec::new();
    for (kind, fields, part, rest) in parts(content_type, body, limit)? {
        if !is_multipart(&kind) {
            all.push(answer(&fields, part, rest)?);
            continue;
        }
        for (kind, fields, part, rest) in parts(&kind, part.get(rest..).unwrap_or_default(), limit)? {
            if is_multipart(&kind) {
                return Err(BatchError::NestedChangeSet);
            }
            all.push(answer(&fields, part, rest)?);
        }
    }
    Ok(all)
}

/// A part: its type, its header fields, all of it, and where what follows them begins.
type Part<'b> = (String, Vec<(String, String)>, &'b [u8], usize);

fn parts<'b>(content_type: &str, body: &'b [u8], limit: usize) -> Result<Vec<Part<'b>>, BatchError> {
    let boundary = boundary(content_type).ok_or(BatchError::NoBoundary)?;
    let all = sections(body, &boundary, limit)?.ok_or(BatchError::TooManyParts { limit })?;
    let read = |part: &'b [u8]| {
        let (fields, rest) = headers(part, 0)?;
        let kind = field(&fields, "content-type").ok_or(BatchError::MissingContentType)?.to_owned();
        Ok((kind, fields, part, rest))
    };
    all.into_iter().map(read).collect()
}

/// The answer in a part with these header fields, which end at `at`.
fn answer<'b>(fields: &[(String, String)], bytes: &'b [u8], at: usize) -> Result<Answered<'b>, BatchError> {
    let (line, next) = line_at(bytes, at);
    let line = text(line).unwrap_or_default();
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| BatchError::RequestLine { line: excerpt(line) })?;
    let (_, body) = headers(bytes, next)?;
    let content_id = field(fields, "content-id").map(str::to_owned);
    Ok(Answered { content_id, status, body: bytes.get(body..).unwrap_or_default() })
}
