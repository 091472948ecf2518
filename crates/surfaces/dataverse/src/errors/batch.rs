//! What the OData reader inside Dataverse says about a `$batch` it cannot read.
//!
//! Decides only wording. The two sentences about too many requests are captured; the others are the library's own for the
//! same situations.

use std::fmt;

use mocktenant_batch::BatchError;

use super::{DataverseError, cut};

/// Why a body is no batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchDefect {
    /// What the reader found.
    pub error: BatchError,
    /// The content type of the request, which one of the sentences shows.
    pub content_type: String,
}

impl BatchDefect {
    pub(crate) fn new(error: BatchError, content_type: &str) -> Self {
        Self { error, content_type: cut(content_type) }
    }

    /// Whether the product's words for it were captured.
    pub(super) fn is_captured(&self) -> bool {
        matches!(self.error, BatchError::TooManyParts { .. } | BatchError::TooManyOperations { .. })
    }
}

impl DataverseError {
    /// A body that is no batch, in the row that is as sure of the words as we are.
    pub(crate) fn batch(inner: BatchDefect) -> Self {
        if inner.is_captured() { Self::BatchTooLong { inner } } else { Self::BatchUnreadable { inner } }
    }
}

impl fmt::Display for BatchDefect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            BatchError::NoBoundary => write!(
                formatter,
                "The content type '{}' specifies a batch payload; however, the payload either does not include a batch boundary or includes more than one boundary. In OData, batch payload content types must specify exactly one batch boundary in the 'boundary' parameter of the content type.",
                self.content_type
            ),
            BatchError::TooManyParts { limit } => write!(
                formatter,
                "The current batch message contains too many parts. Only batch messages with a maximum number of '{limit}' query operations, including changeset operations, are allowed."
            ),
            BatchError::TooManyOperations { limit } => write!(
                formatter,
                "The current change set contains too many operations. A maximum number of '{limit}' operations are allowed in a change set."
            ),
            BatchError::NestedChangeSet => {
                formatter.write_str("Nested change sets in a batch payload are not supported.")
            }
            BatchError::MissingContentType => formatter.write_str(
                "The 'Content-Type' header is missing. The 'Content-Type' header must be specified for each MIME part of a batch message.",
            ),
            BatchError::ContentType { value } => write!(
                formatter,
                "The 'Content-Type' header value '{value}' is invalid. When this is the start of the change set, the value must be 'multipart/mixed'; otherwise it must be 'application/http'."
            ),
            BatchError::TransferEncoding => formatter.write_str(
                "A missing or invalid 'Content-Transfer-Encoding' header was found. The 'Content-Transfer-Encoding' header must be specified for each batch operation, and its value must be 'binary'.",
            ),
            BatchError::HeaderLine { line } => write!(
                formatter,
                "The message header '{line}' is invalid. The header value must be of the format '<header name>: <header value>'."
            ),
            BatchError::RepeatedHeader { name } => write!(
                formatter,
                "The header '{name}' was specified multiple times. Each header must appear only once in a batch part."
            ),
            BatchError::RequestLine { line } => write!(
                formatter,
                "The request line '{line}' is invalid. The request line at the start of each operation must be of the format 'HttpMethod RequestUrl HttpVersion'."
            ),
            BatchError::HttpVersion { version } => write!(
                formatter,
                "The HTTP version '{version}' used in a batch operation request or response is not valid. The value must be 'HTTP/1.1'."
            ),
            BatchError::Method { method } => write!(
                formatter,
                "An invalid HTTP method '{method}' was detected for a request in a change set. Requests in change sets only support the HTTP methods 'POST', 'PUT', 'DELETE', and 'PATCH'."
            ),
            BatchError::RepeatedContentId { id } => write!(
                formatter,
                "The content ID '{id}' was found more than once in the same change set or same batch request. Content IDs have to be unique across all operations of a change set for OData V4.0 and have to be unique across all operations in the whole batch request for OData V4.01."
            ),
            // a body that ends too early, and whatever else its reader may come to tell apart
            _ => formatter.write_str("Encountered an unexpected end of input while reading the batch payload."),
        }
    }
}
