//! Which state of the world a caller has seen: `ETag` and `If-Match` (RFC 9110 section 13.1.1).
//!
//! Decides that a tag names one state of one start of the lab and never comes back, not even with a reset to the same
//! world; and that weak tags match nothing, because a write needs a strong one.

use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::ControlState;
use crate::problem::Problem;

/// The tag of a state of the world.
pub(crate) fn of(state: &ControlState, revision: u64) -> String {
    format!("\"{}.{revision}\"", state.instance)
}

/// Says the tag in an answer.
pub(crate) fn put(state: &ControlState, revision: u64, headers: &mut HeaderMap) {
    if let Ok(tag) = HeaderValue::try_from(of(state, revision)) {
        headers.insert(ETAG, tag);
    }
}

/// What `If-Match` asks for.
#[derive(Debug)]
pub(crate) enum Condition {
    /// Nothing, or any state.
    Any,
    /// One of these tags.
    One(Vec<String>),
}

impl Condition {
    /// Reads the field; a value that is no text matches nothing.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let mut tags = Vec::new();
        let mut values = headers.get_all(IF_MATCH).iter().peekable();
        if values.peek().is_none() {
            return Self::Any;
        }
        for value in values {
            // No tag of ours holds a comma, so one within quotes parts what matches nothing anyway.
            let listed = value.to_str().unwrap_or_default().split(',').map(str::trim);
            tags.extend(listed.map(str::to_owned));
        }
        if tags.iter().any(|tag| tag == "*") { Self::Any } else { Self::One(tags) }
    }

    /// Whether a state with this tag is meant.
    pub(crate) fn holds(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::One(tags) => tags.iter().any(|one| one == tag),
        }
    }
}

/// The refusal of a write that was made for another state.
pub(crate) fn stale(current: &str) -> Problem {
    let detail = format!(
        "the world is at {current}, which `If-Match` does not name; nothing was changed: read it again and send its ETag"
    );
    Problem::new(StatusCode::PRECONDITION_FAILED, detail)
}
