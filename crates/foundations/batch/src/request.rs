//! The body of a batch, read.
//!
//! Decides which operations a body holds and which of them stand or fall together. Lines end with CRLF or LF. Every bound is
//! checked before what it bounds is kept: parts, operations of a change set, header fields of a part. An address is read as far as
//! to say from where it counts. Never reads a part's body, and has no product's words for a fault.

use http::{HeaderMap, HeaderName, HeaderValue};

/// Header fields of a part, and of the request in it.
const MAX_FIELDS: usize = 64;

/// The longest boundary (RFC 2046 section 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// A body of `$batch`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<'b> {
    /// What is to be done, in order.
    pub items: Vec<BatchItem<'b>>,
}

/// One part of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchItem<'b> {
    /// A request on its own.
    Operation(Operation<'b>),
    /// Requests that succeed or fail together.
    ChangeSet(Vec<Operation<'b>>),
}

/// One request of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<'b> {
    /// `Content-ID` of its part: later requests of its change set call what it made `$` and this.
    pub content_id: Option<String>,
    /// The method as written.
    pub method: String,
    /// The address as written: absolute, from the root of the host, or relative to the service root.
    pub target: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without the line end before the delimiter.
    pub body: &'b [u8],
}

impl Operation<'_> {
    /// Where its address begins with what another part made (`$1/name`): that part's `Content-ID`, and the rest.
    pub fn reference(&self) -> Option<(&str, &str)> {
        let rest = self.target.strip_prefix('$')?;
        Some(rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())))
    }

    /// Its header fields; what is none in HTTP is left out.
    pub fn header_map(&self) -> HeaderMap {
        let fields = self.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        });
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, value);
        }
        headers
    }
}

/// The path, with its query, of an address as written: absolute (whose host it is makes no difference), from the root of the host,
/// or below `service`, a path that does not end in a slash.
pub fn path_of(written: &str, service: &str) -> String {
    match written.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |at| rest.get(at..).unwrap_or("/")).to_owned()
        }
        _ if written.starts_with('/') => written.to_owned(),
        _ => format!("{service}/{written}"),
    }
}

/// Why a body is no batch. Foreign text in it is cut to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// The content type names no boundary that could be one.
    #[error("the content type names no boundary of 1 to 70 characters")]
    NoBoundary,
    /// The body ends before the closing delimiter.
    #[error("the body ends before its closing delimiter")]
    UnexpectedEnd,
    /// More operations than a batch may have.
    #[error("the batch has more than {limit} operations")]
    TooManyParts {
        /// The limit.
        limit: usize,
    },
    /// More operations than a change set may have.
    #[error("a change set has more than {limit} operations")]
    TooManyOperations {
        /// The limit.
        limit: usize,
    },
    /// A change set within a change set.
    #[error("a change set has a change set in it")]
    NestedChangeSet,
    /// A part without `Content-Type`.
    #[error("a part has no Content-Type")]
    MissingContentType,
    /// A part that is neither a request nor a change set.
    #[error("a part is of type '{value}'")]
    ContentType {
        /// Its type.
        value: String,
    },
    /// A part with a request that does not say it is binary.
    #[error("a part has no Content-Transfer-Encoding: binary")]
    TransferEncoding,
    /// A header line that is none.
    #[error("'{line}' is no header line")]
    HeaderLine {
        /// The line.
        line: String,
    },
    /// One header field twice in a part.
    #[error("the header '{name}' is given twice")]
    RepeatedHeader {
        /// Its name.
        name: String,
    },
    /// A request line that is none.
    #[error("'{line}' is no request line")]
    RequestLine {
        /// The line.
        line: String,
    },
    /// Another HTTP version than 1.1.
    #[error("'{version}' is not HTTP/1.1")]
    HttpVersion {
        /// What stands there.
        version: String,
    },
    /// A method that changes nothing in a change set.
    #[error("a change set has the method '{method}' in it")]
    Method {
        /// The method.
        method: String,
    },
    /// One `Content-ID` twice in a change set.
    #[error("the Content-ID '{id}' is given twice")]
    RepeatedContentId {
        /// The id.
        id: String,
    },
}

impl<'b> Batch<'b> {
    /// Reads a body whose content type is `content_type`, with at most `limit` operations.
    pub fn parse(content_type: &str, body: &'b [u8], limit: usize) -> Result<Self, BatchError> {
        let boundary = boundary(content_type).ok_or(BatchError::NoBoundary)?;
        let mut items = Vec::new();
        let mut operations = 0;
        let parts = sections(body, &boundary, limit)?.ok_or(BatchError::TooManyParts { limit })?;
        for part in parts {
            let item = item(part, limit)?;
            operations += match &item {
                BatchItem::Operation(_) => 1,
                BatchItem::ChangeSet(set) => set.len(),
            };
            if operations > limit {
                return Err(BatchError::TooManyParts { limit });
            }
            items.push(item);
        }
        Ok(Self { items })
    }
}

/// The boundary a content type names, quoted or not; `None` for none, several, or one that could be none.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let mut named = content_type.split(';').skip(1).filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim())
    });
    let value = named.next().filter(|_| named.next().is_none())?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let value = quoted.unwrap_or(value);
    let fits =
        (1..=MAX_BOUNDARY).contains(&value.len()) && value.bytes().all(|byte| (b' '..0x7f).contains(&byte));
    fits.then(|| value.to_owned())
}

pub(crate) fn is_multipart(content_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("multipart/mixed")
}

/// What stands between the delimiters; `None` for more of it than `limit`.
pub(crate) fn sections<'b>(
    body: &'b [u8],
    boundary: &str,
    limit: usize,
) -> Result<Option<Vec<&'b [u8]>>, BatchError> {
    let mut found = Vec::new();
    let mut begun: Option<usize> = None;
    let mut at = 0;
    while at < body.len() {
        let (line, next) = line_at(body, at);
        let delimiter = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()));
        let last = match delimiter.map(<[u8]>::trim_ascii_end) {
            Some(b"") => Some(false),
            Some(b"--") => Some(true),
            _ => None,
        };
        if let Some(last) = last {
            if let Some(begin) = begun {
                if found.len() >= limit {
                    return Ok(None);
                }
                // the line end before a delimiter is the delimiter's own
                let section = body.get(begin..at).unwrap_or_default();
                let section = section.strip_suffix(b"\n").unwrap_or(section);
                found.push(section.strip_suffix(b"\r").unwrap_or(section));
            }
            if last {
                return Ok(Some(found));
            }
            begun = Some(next);
        }
        at = next;
    }
    Err(BatchError::UnexpectedEnd)
}

/// The line that begins at `at`, without its end, and where the next one begins.
pub(crate) fn line_at(bytes: &[u8], at: usize) -> (&[u8], usize) {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = rest.get(..end).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), at + end + 1)
        }
        None => (rest, bytes.len()),
    }
}

/// One part: a request, or a change set.
fn item(part: &[u8], limit: usize) -> Result<BatchItem<'_>, BatchError> {
    let (headers, rest) = headers(part, 0)?;
    let content_type = field(&headers, "content-type").ok_or(BatchError::MissingContentType)?;
    if !is_multipart(content_type) {
        return operation(&headers, part, rest).map(BatchItem::Operation);
    }
    let boundary = boundary(content_type).ok_or(BatchError::NoBoundary)?;
    let inner = part.get(rest..).unwrap_or_default();
    let parts = sections(inner, &boundary, limit)?.ok_or(BatchError::TooManyOperations { limit })?;
    let mut set: Vec<Operation<'_>> = Vec::with_capacity(parts.len());
    let mut ids = std::collections::HashSet::new();
    for part in parts {
        let (headers, rest) = self::headers(part, 0)?;
        let content_type = field(&headers, "content-type").ok_or(BatchError::MissingContentType)?;
        if is_multipart(content_type) {
            return Err(BatchError::NestedChangeSet);
        }
        let one = operation(&headers, part, rest)?;
        if !["POST", "PUT", "DELETE", "PATCH"].contains(&one.method.as_str()) {
            return Err(BatchError::Method { method: excerpt(&one.method) });
        }
        if let Some(id) = one.content_id.clone()
            && !ids.insert(id.clone())
        {
            return Err(BatchError::RepeatedContentId { id: excerpt(&id) });
        }
        set.push(one);
    }
    Ok(BatchItem::ChangeSet(set))
}

/// The request in a part whose own header fields are read.
fn operation<'b>(
    part: &[(String, String)],
    bytes: &'b [u8],
    mut at: usize,
) -> Result<Operation<'b>, BatchError> {
    let content_type = field(part, "content-type").unwrap_or_default();
    if !content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/http") {
        return Err(BatchError::ContentType { value: excerpt(content_type) });
    }
    if !field(part, "content-transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("binary")) {
        return Err(BatchError::TransferEncoding);
    }
    // the first line that is not empty is the request line
    let line = loop {
        if at >= bytes.len() {
            return Err(BatchError::UnexpectedEnd);
        }
        let (line, next) = line_at(bytes, at);
        at = next;
        if !line.is_empty() {
            break text(line).ok_or_else(|| BatchError::RequestLine { line: lossy(line) })?;
        }
    };
    let fault = || BatchError::RequestLine { line: excerpt(line) };
    let (method, rest) = line.split_once(' ').ok_or_else(fault)?;
    // an address may have blanks in it, raw as some clients write filters
    let (target, version) = rest.rsplit_once(' ').ok_or_else(fault)?;
    if version != "HTTP/1.1" {
        return Err(BatchError::HttpVersion { version: excerpt(version) });
    }
    let target = target.trim();
    if method.is_empty() || target.is_empty() || !method.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(fault());
    }
    let (headers, body) = headers(bytes, at)?;
    Ok(Operation {
        content_id: field(part, "content-id").map(str::to_owned),
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: bytes.get(body..).unwrap_or_default(),
    })
}

/// Header fields from `at` up to an empty line or the end, and where what follows begins.
pub(crate) fn headers(bytes: &[u8], mut at: usize) -> Result<(Vec<(String, String)>, usize), BatchError> {
    let mut fields: Vec<(String, String)> = Vec::new();
    while at < bytes.len() {
        let (line, next) = line_at(bytes, at);
        at = next;
        if line.is_empty() {
            break;
        }
        let fault = || BatchError::HeaderLine { line: lossy(line) };
        let (name, value) = text(line).and_then(|line| line.split_once(':')).ok_or_else(fault)?;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) || fields.len() >= MAX_FIELDS {
            return Err(fault());
        }
        let name = name.to_ascii_lowercase();
        if field(&fields, &name).is_some() {
            return Err(BatchError::RepeatedHeader { name: excerpt(&name) });
        }
        fields.push((name, value.trim().to_owned()));
    }
    Ok((fields, at))
}

pub(crate) fn field<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

pub(crate) fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().filter(|line| !line.contains(char::is_control))
}

fn lossy(line: &[u8]) -> String {
    excerpt(&String::from_utf8_lossy(line))
}

/// Cuts text for a report, so that an error never carries a whole request.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().take(64).collect()
}
