//! A request that stands within another: a part of a batch.
//!
//! Decides that a part is answered in place of the exchange's own request, from the same host and over the same connection, and with
//! a trail of its own. Never says what a part may ask, nor what becomes of the whole.

use http::{HeaderMap, Method};

use crate::{Exchange, Request, Trail};

/// A part that is being answered. Whatever ends it, the exchange has its request back.
pub struct Part<'x> {
    /// The exchange, with the part's request.
    pub exchange: &'x mut Exchange,
    whole: Option<(Request, Trail)>,
}

impl<'x> Part<'x> {
    /// Puts a request in place of the exchange's own.
    pub fn begin(exchange: &'x mut Exchange, request: Request) -> Self {
        let whole = (std::mem::replace(&mut exchange.request, request), std::mem::take(&mut exchange.trail));
        Self { exchange, whole: Some(whole) }
    }

    /// The part's own request, and what was written about it.
    pub fn end(mut self) -> (Request, Trail) {
        // it has not ended before
        self.restore().unwrap_or_else(|| unreachable!("a part ends once"))
    }

    fn restore(&mut self) -> Option<(Request, Trail)> {
        let (request, trail) = self.whole.take()?;
        let own = std::mem::replace(&mut self.exchange.request, request);
        Some((own, std::mem::replace(&mut self.exchange.trail, trail)))
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}

impl Exchange {
    /// A request within this one.
    pub fn within(&self, method: Method, target: String, headers: HeaderMap, body: &[u8]) -> Request {
        Request {
            method,
            target,
            host: self.request.host.clone(),
            headers,
            body: Ok(body.to_vec().into()),
            arrival: self.request.arrival.clone(),
        }
    }
}
