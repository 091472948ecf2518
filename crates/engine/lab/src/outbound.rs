//! Calls one surface makes to another, over real HTTP(S).
//!
//! Decides what such a call is, where its URL points and how it fails. `server` dials by a table of the world's names to
//! this lab's listeners, never by DNS; [`crate::InProcess`] follows the same table without a socket. A lab with neither
//! has every call refused.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use crate::{Entrance, Lab};

pub use crate::target::Target;

/// The largest answer a call may get, in bytes.
pub const REPLY_BYTES: usize = 8 * 1024 * 1024;

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

impl Call {
    /// A GET without header fields.
    pub fn get(url: &str) -> Self {
        Self { method: Method::GET, url: url.to_owned(), headers: HeaderMap::new(), body: Bytes::new() }
    }
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

    /// The table it dials by, for whoever wants to follow the same rules without its sockets; `None` if it has none.
    fn dial(&self) -> Option<Arc<dyn Dial>> {
        None
    }
}

/// Which of a lab's own doors a name and a port mean; nobody else is ever called.
pub trait Dial: Send + Sync + 'static {
    /// The entrance behind a host (lower case, no brackets) and a port. The world names are those of `lab`, the one that
    /// calls.
    fn entrance(&self, lab: &Lab, host: &str, port: u16) -> Result<Entrance, CallError>;
}

/// The outbound of a lab without sockets.
#[derive(Debug)]
pub struct NoSockets;

impl Outbound for NoSockets {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(async move {
            let target = Target::parse(&call.url)?;
            Err(CallError::Refused { host: target.host, port: target.port })
        })
    }
}
