//! How much a caller may take: time, bytes, connections.
//!
//! Decides the numbers and nothing else; they live in real time, never in the lab's, and are the same on every port.
//! hyper's own header timeout begins only once it reads a head and costs a timer for each, so all deadlines of a connection
//! are kept by `traffic`, from the accept on.

use std::time::Duration;

use mocktenant_control::BODY_BUDGET;
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
    /// Bytes of a surface's body that are kept; more is read away for a while and then refused.
    pub(crate) body_bytes: usize,
    /// The same on the tools port.
    pub(crate) tools_body_bytes: usize,
    /// A caller that takes nothing of what it is sent for this long is left.
    pub(crate) write: Duration,
    /// An answer that was not taken whole for this long, and up to twice as long, ends its connection.
    pub(crate) taken: Duration,
    /// Room on all surfaces' ports together.
    pub(crate) surfaces: Room,
    /// Room on the tools port.
    pub(crate) tools: Room,
    /// How long a request waits for room for its body, or an answer for its own, before it is refused.
    pub(crate) wait: Duration,
    /// While connections, file handles or bytes run short, one that has used its place for nothing this long makes room.
    pub(crate) spared: Duration,
    /// How often a connection is looked at.
    pub(crate) glance: Duration,
}

/// How much there is of what connections share.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// Connections at once, over all listeners.
    pub(crate) connections: usize,
    /// Bytes of bodies being read or answered, besides [`FREE_BYTES`] of each connection.
    pub(crate) bodies: usize,
    /// Bytes of answers not taken yet, small ones aside.
    pub(crate) answers: usize,
}

const MIB: usize = 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_head: Duration::from_secs(10),
            next_head: Duration::from_secs(14),
            idle: Duration::from_secs(120),
            body_idle: Duration::from_secs(10),
            body_total: Duration::from_secs(30),
            body_bytes: BODY_BYTES,
            tools_body_bytes: BODY_BUDGET,
            write: Duration::from_secs(30),
            taken: Duration::from_secs(60),
            surfaces: Room { connections: 4096, bodies: 64 * MIB, answers: 64 * MIB },
            tools: Room { connections: 256, bodies: 16 * MIB, answers: 32 * MIB },
            wait: Duration::from_secs(5),
            spared: Duration::from_secs(1),
            glance: Duration::from_millis(500),
        }
    }
}

/// Connections of the lab to itself, over all its doors: as many as there can be, so that none ever waits for a place that
/// whoever waits for it has taken.
pub(crate) const OWN_CONNECTIONS: usize = OUTWARD_AT_ONCE * HOP_LIMIT as usize;

/// Descriptors that are no connections: listeners, files, the runtime's own.
const OTHER_DESCRIPTORS: u64 = 64;

impl Limits {
    /// Limits that this process can keep.
    pub(crate) fn of_this_process() -> Self {
        let limits = Self::default();
        match open_files() {
            Some(descriptors) => limits.within(descriptors),
            None => limits,
        }
    }

    /// The same for the doors of the lab's own calls.
    pub(crate) fn of_own(&self) -> Self {
        let surfaces = Room { connections: OWN_CONNECTIONS, ..self.surfaces.clone() };
        Self { surfaces, ..self.clone() }
    }

    /// The same with no more connections than so many descriptors allow. A quarter stays for calls the lab makes itself.
    pub(crate) fn within(mut self, descriptors: u64) -> Self {
        let most = descriptors.saturating_sub(OTHER_DESCRIPTORS) / 4 * 3;
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(64);
        let tools = self.tools.connections.min((most / 8).max(16));
        let surfaces = self.surfaces.connections.min(most - tools);
        if surfaces < self.surfaces.connections {
            tracing::info!(
                "{descriptors} open files allow {surfaces} connections, and {tools} of the tools port"
            );
        }
        (self.tools.connections, self.surfaces.connections) = (tools, surfaces);
        self
    }
}

/// How many files this process may have open; `None` where there is no such limit.
#[cfg(unix)]
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}

/// hyper's read buffer for HTTP/1.1 heads, and the largest list of HTTP/2 header fields, in bytes.
pub(crate) const HEAD_BYTES: usize = 64 * 1024;

/// What budgets of bytes are counted in.
pub(crate) const UNIT: usize = 4 * 1024;

/// Bodies in flight on one connection, in bytes: one of the tools port, four of a surface.
pub(crate) const CONNECTION_BODIES: usize = 4 * MIB;

/// So much of them counts for no budget but the connection's: an ordinary request never waits for those of others.
pub(crate) const FREE_BYTES: usize = 64 * 1024;

/// Answers not taken yet on one connection, in bytes; a larger one goes alone.
pub(crate) const CONNECTION_ANSWERS: usize = 16 * MIB;

/// Answers up to this size are counted only by how many there can be.
pub(crate) const SMALL_ANSWER: usize = 16 * 1024;

/// HTTP/2: requests at once on a connection.
pub(crate) const STREAMS: u32 = 100;

/// HTTP/2: bytes a stream may send before they are read. Small, for all of them together are kept where nobody counts.
pub(crate) const STREAM_WINDOW: u32 = 32 * 1024;

/// HTTP/2: the same for a connection. As much as its streams may send: one that waits for room blocks no other.
pub(crate) const CONNECTION_WINDOW: u32 = STREAMS * STREAM_WINDOW;

/// HTTP/2: streams that were reset before anybody looked at them; more end the connection (CVE-2023-44487).
pub(crate) const RESETS: usize = 20;

/// HTTP/2: streams reset because of a caller's mistakes; more end the connection (CVE-2025-8671).
pub(crate) const MISTAKES: usize = 100;

/// HTTP/2: bytes of an answer that wait for a caller's window, for each stream.
pub(crate) const SEND_BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_into_the_descriptors_and_the_tools_port_has_few_of_them() {
        let counts = |descriptors| {
            let limits = Limits::default().within(descriptors);
            (limits.surfaces.connections, limits.tools.connections)
        };
        assert_eq!(counts(1_048_576), (4_096, 256));
        assert_eq!(counts(u64::MAX), (4_096, 256));
        assert_eq!(counts(1_024), (630, 90));
        assert_eq!(counts(256), (126, 18));
        assert_eq!(counts(0), (48, 16));
        for descriptors in 200..10_000 {
            let (surfaces, tools) = counts(descriptors);
            assert!((surfaces + tools) as u64 + OTHER_DESCRIPTORS < descriptors, "{descriptors}");
        }
    }
    #[test]
    fn the_budgets_are_those_that_the_architecture_page_promises() {
        let page = include_str!("../../../../ARCHITECTURE.md");
        let own = Limits::default().of_own();
        let all = Limits::default();
        let mib = |bytes: usize| format!("{} MiB", bytes / 1_048_576);
        let kib = |bytes: usize| format!("{} KiB", bytes / 1_024);
        for promised in [
            format!("| head | {};", kib(HEAD_BYTES)),
            format!("| body | {} on a surface, {} on", mib(all.body_bytes), mib(all.tools_body_bytes)),
            format!(
                "| bodies in flight | {} a connection; beyond {} of",
                mib(CONNECTION_BODIES),
                kib(FREE_BYTES)
            ),
            format!("{} on all surfaces, {} on", mib(all.surfaces.bodies), mib(all.tools.bodies)),
            format!("| answers in flight above {} | {} a", kib(SMALL_ANSWER), mib(CONNECTION_ANSWERS)),
            format!("{} on all surfaces, {} on", mib(all.surfaces.answers), mib(all.tools.answers)),
            format!("{} streams, windows of {},", STREAMS, kib(usize::try_from(STREAM_WINDOW).unwrap())),
            String::from("4,096 on surfaces, 256 on the tools port, 2,048 for calls between products"),
        ] {
            assert!(page.contains(&promised), "{promised}");
        }
        let connections = [&all.surfaces, &all.tools, &own.surfaces].map(|room| room.connections);
        assert_eq!(connections, [4_096, 256, 2_048]);
        assert_eq!((UNIT, SEND_BUFFER), (4_096, 65_536));
        assert_eq!(CONNECTION_WINDOW, 3_276_800, "as much as all of its streams");
        assert_eq!(
            (own.surfaces.bodies, own.tools.connections),
            (all.surfaces.bodies, all.tools.connections)
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_lab_has_no_more_connections_than_this_process_may_have_files_open() {
        let soft = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        assert_eq!(open_files(), soft);
        let ours = Limits::of_this_process();
        let expected = soft.map_or_else(Limits::default, |files| Limits::default().within(files));
        assert_eq!(ours.surfaces.connections, expected.surfaces.connections);
        assert_eq!(ours.tools.connections, expected.tools.connections);
    }
}
