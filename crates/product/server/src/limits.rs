//! How much a caller may take: time, bytes, connections.
//!
//! Decides the numbers and nothing else; they live in real time, never in the lab's. hyper's own header timeout begins
//! only once it reads a head and costs a timer for each, so the deadlines of heads are kept by `connection`, from the accept
//! on; on the tools port hyper keeps those after the first.

use std::time::Duration;

use mocktenant_lab::request::BODY_BYTES;
use mocktenant_lab::{HOP_LIMIT, OUTWARD_AT_ONCE};

/// The budgets of one lab's listeners.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// From accept to the first complete head, TLS handshake and protocol preface included.
    pub(crate) first_head: Duration,
    /// From the end of one answer to the next complete head (HTTP/1.1).
    pub(crate) next_head: Duration,
    /// A connection on which no request is being answered for this long is asked to leave.
    pub(crate) idle: Duration,
    /// Longest silence inside a body.
    pub(crate) body_idle: Duration,
    /// Longest time a whole body may take.
    pub(crate) body_total: Duration,
    /// Bytes of a body that are kept; more is read away for a while and then refused.
    pub(crate) body_bytes: usize,
    /// Connections at once, over all listeners.
    pub(crate) connections: usize,
    /// While connections or file handles run short, one that has not sent a head by this age is dropped.
    pub(crate) spared: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_head: Duration::from_secs(10),
            next_head: Duration::from_secs(14),
            idle: Duration::from_secs(120),
            body_idle: Duration::from_secs(10),
            body_total: Duration::from_secs(30),
            body_bytes: BODY_BYTES,
            connections: 4096,
            spared: Duration::from_secs(1),
        }
    }
}

/// Connections of the lab to itself, over all its doors: as many as there can be, so that none ever waits for a place that
/// whoever waits for it has taken.
pub(crate) const OWN_CONNECTIONS: usize = OUTWARD_AT_ONCE * HOP_LIMIT as usize;

/// hyper's read buffer for HTTP/1.1 heads, and the largest list of HTTP/2 header fields, in bytes.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;
