//! Calls one surface makes to another, over real HTTP(S).
//!
//! Decides what such a call is and how it fails. The implementation lives in `server`: it dials by a table of the
//! world's names to this lab's listeners, never by DNS. Without a server every call answers "connection refused".

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

/// A boxed future, as object-safe traits need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One outgoing call.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Absolute URL as the caller's own configuration has it.
    pub url: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Header fields.
    pub headers: HeaderMap,
    /// Body, at most 8 MiB.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The text is no absolute http or https URL.
    #[error("{url:?} is not an absolute http or https URL: {why}")]
    BadUrl {
        /// As written.
        url: String,
        /// Parser's words.
        why: String,
    },
    /// The name and port are not the lab's: the lab never calls the outside.
    #[error("{host}:{port} is no host of this world")]
    UnknownHost {
        /// Host.
        host: String,
        /// Port.
        port: u16,
    },
    /// Nothing listens there.
    #[error("connection refused by {host}:{port}")]
    Refused {
        /// Host.
        host: String,
        /// Port.
        port: u16,
    },
    /// TLS could not be agreed.
    #[error("TLS to {host}: {why}")]
    Tls {
        /// Host.
        host: String,
        /// Why.
        why: String,
    },
    /// Nothing came in time.
    #[error("no answer from {host} in {seconds} s")]
    Timeout {
        /// Host.
        host: String,
        /// Seconds waited.
        seconds: u64,
    },
    /// The answer broke HTTP or the budget.
    #[error("broken answer from {host}: {why}")]
    Broken {
        /// Host.
        host: String,
        /// Why.
        why: String,
    },
    /// The lab was reset since the exchange began that wanted to call.
    #[error("the lab was reset meanwhile")]
    Reset,
    /// More than eight calls deep.
    #[error("more than {limit} calls deep")]
    TooManyHops {
        /// The limit.
        limit: u8,
    },
}

/// Makes calls.
pub trait Outbound: Send + Sync + 'static {
    /// Makes one call. The header that links it to its parent exchange is already among its headers.
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>>;
}

/// The outbound of a lab without sockets.
#[derive(Debug)]
pub struct NoSockets;

impl Outbound for NoSockets {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let uri: http::Uri = match call.url.parse() {
                Ok(uri) => uri,
                Err(why) => return Err(CallError::BadUrl { url: call.url, why: format!("{why}") }),
            };
            let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
            Err(CallError::Refused { host: uri.host().unwrap_or_default().to_owned(), port })
        })
    }
}
