//! A typed answer and how it is delivered.
//!
//! Decides how content becomes bytes and a content type. Adds nothing to a body, and writes a redirect's target as it
//! was given.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What a surface answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Header fields beyond those the content brings.
    pub headers: HeaderMap,
    /// Content.
    pub content: Content,
    /// How it is delivered.
    pub delivery: Delivery,
}

/// The content of an answer.
#[derive(Clone, Debug)]
pub enum Content {
    /// No body.
    Empty,
    /// A JSON document with its content type.
    Json(Bytes, &'static str),
    /// An XML document.
    Xml(Bytes, &'static str),
    /// An HTML page.
    Page(Bytes),
    /// Plain text with its content type.
    Text(Bytes, &'static str),
    /// `Location`, as given: nothing translates it after the surface, which alone knows by which name it was called. No
    /// surface redirects yet.
    Redirect {
        /// Target.
        to: String,
    },
}

/// How an answer is delivered; anything but the default is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Whole and at once.
    #[default]
    Whole,
    /// The connection is reset instead.
    Reset,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Empty, delivery: Delivery::Whole }
    }

    /// JSON, `application/json; charset=utf-8`.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::typed(status, Content::Json(body.into(), "application/json; charset=utf-8"))
    }

    /// Any content.
    pub fn typed(status: StatusCode, content: Content) -> Self {
        Self { status, headers: HeaderMap::new(), content, delivery: Delivery::Whole }
    }

    /// With a header field whose value is fixed.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// With a header field whose value is made; a value that is no header text is left out (it came from a stranger).
    #[must_use]
    pub fn with_text(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    pub(crate) fn into_parts(self) -> (StatusCode, HeaderMap, Bytes, Delivery) {
        let Self { status, mut headers, content, delivery } = self;
        let (body, content_type) = match content {
            Content::Empty => (Bytes::new(), None),
            Content::Json(body, kind) | Content::Xml(body, kind) | Content::Text(body, kind) => {
                (body, Some(kind))
            }
            Content::Page(body) => (body, Some("text/html; charset=utf-8")),
            Content::Redirect { to } => {
                if let Ok(to) = HeaderValue::from_str(&to) {
                    headers.insert(LOCATION, to);
                }
                (Bytes::new(), None)
            }
        };
        if let Some(kind) = content_type {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        }
        (status, headers, body, delivery)
    }
}

/// An answer as bytes, ready for a connection.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// How it is delivered.
    pub delivery: Delivery,
    /// Lab time of the answering machine when it began: what its `Date` header says.
    pub at: time::OffsetDateTime,
}
