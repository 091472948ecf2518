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
use crate::{Context, Trail};

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

impl Context {
    /// Makes one outgoing call over real HTTP(S). It becomes a child exchange, also where it reached nobody.
    pub async fn call(&self, trail: &mut Trail, mut call: Call) -> Result<Reply, CallError> {
        let began = Instant::now();
        trail.calls += 1;
        let id: Arc<str> = format!("{}.{}", self.id, trail.calls).into();
        let (method, url) = (call.method.clone(), call.url.clone());
        let outcome = if self.hops >= HOP_LIMIT {
            Err(CallError::TooManyHops { limit: HOP_LIMIT })
        } else if self.lab.rows().was_reset(&self.lineage, self.scope().as_ref()) {
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
            let outcome = self.lab.outbound().call(call).await;
            if calls.take_back(&id).is_none() {
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
        }
        let record = Record {
            id,
            parent: Some(Arc::clone(&self.id)),
            method,
            host: host.into(),
            target: url.into(),
            ..Record::of(Kind::Call, self, unanswered, began)
        };
        // The caller's own surface is not the one that was called.
        self.lab.journal().commit(Record { surface: Cow::Borrowed(""), ..record });
        outcome
    }
}
