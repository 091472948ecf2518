//! How many files the process may have open.
//!
//! Decides that a process which serves takes as many as the machine lets it have: a connection is one, and a call between
//! products two. How many connections fit into them is the server's to say. Mirrors no product.

/// Raises the soft limit to the hard one.
#[cfg(unix)]
pub(crate) fn raise() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // Refused, it stays as it is, and the server makes do with it.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn raise() {}
