//! How an exchange makes an outgoing call, and how the call and the exchange it becomes find each other.
//!
//! Decides that a call is recorded once: by the lab's own dispatch if it arrived there, else here. A header links the two:
//! the id, which anybody can guess, and a token drawn for this one call, which nobody can. Dispatch takes the header off and
//! honours it only for a call that is expected. The call itself is made by an [`crate::outbound::Outbound`]. Mirrors no
//! product: the real ones have no such link.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http::{HeaderName, HeaderValue};

use crate::clock::lock;
use crate::outbound::{Call, CallError, Reply};
use crate::record::{Kind, Record};
use crate::rows::Lineage;
use crate::{Context, Trail, stopping};

/// Calls deeper than this are refused.
pub const HOP_LIMIT: u8 = 8;

/// The header that links an outgoing call to its exchange; taken off before the request is journaled.
pub const CALL_HEADER: HeaderName = HeaderName::from_static("x-mocktenant-call");

/// What tells a call from a stranger that knows its id. Drawn from the system also where the lab is seeded: no answer ever
/// shows it, and a sequence that could be foretold would let anybody in.
#[derive(Debug)]
pub(crate) struct Token([u8; 16]);

impl Token {
    fn draw() -> Self {
        let mut bytes = [0; 16];
        mocktenant_keys::fill_from_system(&mut bytes);
        Self(bytes)
    }

    /// As the header carries it.
    fn text(&self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Compares in constant time; only the length may show in the time taken.
    fn is(&self, sent: &str) -> bool {
        verify_slices_are_equal(self.text().as_bytes(), sent.as_bytes()).is_ok()
    }
}

/// An outgoing call that has not arrived yet.
pub(crate) struct Expected {
    token: Token,
    pub(crate) id: Arc<str>,
    pub(crate) parent: Arc<str>,
    pub(crate) hops: u8,
    pub(crate) lineage: Lineage,
}

/// The calls of one lab that are on their way.
#[derive(Default)]
pub(crate) struct ExpectedCalls(Mutex<HashMap<Arc<str>, Expected>>);

impl ExpectedCalls {
    fn expect(&self, expected: Expected) {
        lock(&self.0).insert(Arc::clone(&expected.id), expected);
    }

    /// Takes a call that did not arrive: then the caller records it.
    fn take_back(&self, id: &str) -> Option<Expected> {
        lock(&self.0).remove(id)
    }

    /// Takes the call a header names, if it carries that call's token: the one who gets it records it.
    pub(crate) fn take(&self, link: &str) -> Option<Expected> {
        let (id, token) = link.split_once(' ')?;
        let mut expected = lock(&self.0);
        if expected.get(id)?.token.is(token) { expected.remove(id) } else { None }
    }
}

/// An expected call whose caller waits. If he waits no longer it is no longer expected.
struct Waiting<'c> {
    calls: &'c ExpectedCalls,
    id: &'c str,
}

impl Waiting<'_> {
    /// Whether it has arrived; from here on it does not any more.
    fn arrived(self) -> bool {
        self.calls.take_back(self.id).is_none()
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.calls.take_back(self.id);
    }
}

impl Context {
    async fn until_void(&self) {
        self.lab.rows().until_reset(&self.lineage, self.scope().as_ref()).await;
    }

    /// From here on the exchange is brought to its end, whether its caller waits or not; so there are only so many at
    /// once, and the others wait for a place. Whoever was called by one of them has its place.
    async fn begin_outward(&self) -> Result<(), CallError> {
        if self.is_void() {
            return Err(CallError::Reset);
        }
        let Some(outward) = self.outward.as_ref().filter(|outward| !outward.begun()) else { return Ok(()) };
        let place = if self.hops == 0 {
            tokio::select! {
                biased;
                () = self.until_void() => return Err(CallError::Reset),
                // Never closed.
                place = self.lab.outward_place() => place,
            }
        } else {
            None
        };
        outward.begin(place);
        Ok(())
    }

    /// Makes one outgoing call over real HTTP(S). It becomes a child exchange, also where it reached nobody.
    pub async fn call(&self, trail: &mut Trail, mut call: Call) -> Result<Reply, CallError> {
        let began = Instant::now();
        trail.calls += 1;
        let id: Arc<str> = format!("{}.{}", self.id, trail.calls).into();
        let (method, url) = (call.method.clone(), call.url.clone());
        let outcome = if self.hops >= HOP_LIMIT {
            Err(CallError::TooManyHops { limit: HOP_LIMIT })
        } else if self.begin_outward().await.is_err() {
            Err(CallError::Reset)
        } else {
            let token = Token::draw();
            if let Ok(value) = HeaderValue::from_str(&format!("{id} {}", token.text())) {
                call.headers.insert(CALL_HEADER, value);
            }
            let calls = self.lab.expected_calls();
            calls.expect(Expected {
                token,
                id: Arc::clone(&id),
                parent: Arc::clone(&self.id),
                hops: self.hops + 1,
                lineage: self.lineage.below(self.scope()),
            });
            let waiting = Waiting { calls, id: &id };
            // A reset is waited for as well: what it made void waits for nobody.
            let outcome = tokio::select! {
                biased;
                () = self.until_void() => Err(CallError::Reset),
                outcome = self.lab.outbound().call(call) => outcome,
            };
            if waiting.arrived() {
                // It arrived, so it is on record there, whatever became of the answer on its way back.
                return outcome;
            }
            outcome
        };
        let uri: Option<http::Uri> = url.parse().ok();
        let host = uri.as_ref().and_then(|uri| uri.authority()).map_or_else(String::new, ToString::to_string);
        let mut unanswered = Trail::default();
        if let Err(error) = &outcome {
            unanswered.error = Some(Cow::Borrowed("no-answer"));
            unanswered.fact("call-error", error.to_string());
            if let CallError::Refused { host, .. } = error {
                unanswered.record_checks(stopping::refusing(&self.lab, host));
            }
        }
        let record = Record {
            id,
            parent: Some(Arc::clone(&self.id)),
            method,
            host: host.into(),
            target: url.into(),
            ..Record::of(Kind::Call, self, unanswered, began)
        };
        if self.is_forgotten() {
            return outcome;
        }
        // The caller's own surface is not the one that was called.
        self.lab.journal().commit(Record { surface: Cow::Borrowed(""), ..record });
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use mocktenant_world::World;

    use super::*;
    use crate::outbound::Outbound;
    use crate::{BoxFuture, Lab};

    struct Nobody;

    impl Outbound for Nobody {
        fn call(&self, _call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
            Box::pin(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_is_not_expected_for_ever() {
        let lab = Lab::builder(Arc::new(World::contoso().unwrap())).build();
        lab.set_outbound(Nobody);
        let (context, mut trail) = (lab.context(0, None), Trail::default());
        let url = String::from("https://elsewhere.example.com/");
        let call = Call { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
        let calling = context.call(&mut trail, call);
        assert!(tokio::time::timeout(Duration::from_millis(1), calling).await.is_err());
        assert!(lock(&lab.expected_calls().0).is_empty());
    }
    struct Refuses;

    impl Outbound for Refuses {
        fn call(&self, _call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
            Box::pin(std::future::ready(Err(CallError::UnknownHost { host: String::from("x"), port: 1 })))
        }
    }

    #[tokio::test]
    async fn calls_that_reach_nobody_are_on_record_each_under_its_own_id_with_where_it_was_to_go() {
        let lab = Lab::builder(Arc::new(World::contoso().unwrap())).build();
        lab.set_outbound(Refuses);
        let (context, mut trail) = (lab.context(0, None), Trail::default());
        for number in 1..=2 {
            let url = format!("https://elsewhere.example.com:8443/to/{number}?x");
            let call =
                Call { method: Method::PUT, url: url.clone(), headers: HeaderMap::new(), body: Bytes::new() };
            assert!(matches!(context.call(&mut trail, call).await, Err(CallError::UnknownHost { .. })));
            let record = lab.journal().find(&format!("{}.{number}", context.id())).unwrap();
            assert_eq!((&record.method, &*record.host), (&Method::PUT, "elsewhere.example.com:8443"));
            assert_eq!((&*record.target, &*record.surface), (&*url, ""));
        }
    }
}
