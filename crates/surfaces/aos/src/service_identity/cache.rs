//! Access tokens a node has got since its start.
//!
//! Decides when a token is still good enough to send: until five minutes before it expires. Two requests that both miss
//! both ask; the later answer stays. Holds at most one token per resource and client, of which a node has one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// How long before its end a token is no longer used, in seconds.
const MARGIN: i64 = 300;

/// Tokens by resource and client id.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<HashMap<(String, String), Kept>>);

#[derive(Clone)]
struct Kept {
    token: String,
    expires_on: i64,
    /// When it was got: a lab whose time stands earlier has not got it yet.
    since: OffsetDateTime,
}

impl TokenCache {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, String), Kept>> {
        // Entries are replaced whole, so what a panic leaves behind is still right.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same tokens in a cache of its own.
    pub(crate) fn fork(&self) -> Self {
        Self(Mutex::new(self.lock().clone()))
    }

    /// A token that is good for five minutes more.
    pub(super) fn get(&self, resource: &str, client: &str, now: OffsetDateTime) -> Option<String> {
        let kept = self.lock();
        let kept = kept.get(&(resource.to_owned(), client.to_owned()))?;
        let lasts = kept.expires_on.saturating_sub(MARGIN) > now.unix_timestamp();
        (lasts && kept.since <= now).then(|| kept.token.clone())
    }

    pub(super) fn put(
        &self,
        resource: &str,
        client: &str,
        token: &str,
        expires_on: i64,
        since: OffsetDateTime,
    ) {
        let kept = Kept { token: token.to_owned(), expires_on, since };
        self.lock().insert((resource.to_owned(), client.to_owned()), kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_five_minutes_before_its_end() {
        let cache = TokenCache::default();
        cache.put("r", "c", "t", 1000, OffsetDateTime::from_unix_timestamp(500).unwrap());
        let at = |seconds| cache.get("r", "c", OffsetDateTime::from_unix_timestamp(seconds).unwrap());
        assert_eq!(at(699), Some("t".to_owned()));
        assert_eq!(at(700), None);
        assert_eq!(at(499), None, "not got yet");
        assert_eq!(cache.get("r", "other", OffsetDateTime::UNIX_EPOCH), None);
    }
}
