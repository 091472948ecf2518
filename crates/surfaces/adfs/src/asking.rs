//! What one token request is judged from.
//!
//! Decides nothing: the request as it was read, the service and the client it names, the clock. A question is answered from
//! this and from nothing else, so that asking has no effects.

use std::sync::Arc;

use http::HeaderMap;
use mocktenant_idp::form::Form;
use mocktenant_lab::Context;
use mocktenant_verdict::{Checklist, Text, foreign};
use mocktenant_world::Client;
use time::OffsetDateTime;

use crate::errors::AdfsError;
use crate::prepared::PreparedService;

/// The questions of one request.
pub(crate) type Checks<'s> = Checklist<'s, AdfsError>;

/// Something learnt of a request, by name.
pub(crate) type Fact = (&'static str, Text);

/// What one token request is judged from: `'r` is the request, `'p` the world.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'r, 'p> {
    pub(crate) prepared: &'p PreparedService,
    pub(crate) client: Option<&'p Arc<Client>>,
    /// The client id as sent, whether or not anybody has it.
    pub(crate) client_id: Option<&'r str>,
    pub(crate) sent: Sent<'r>,
    /// What sealed values are opened with.
    pub(crate) context: &'r Context,
    pub(crate) now: OffsetDateTime,
    /// Base URL that was called; none outside a request.
    pub(crate) called: Option<&'r str>,
}

/// What a token request holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent<'r> {
    pub(crate) form: &'r Form<'r>,
    pub(crate) headers: &'r HeaderMap,
}

impl<'r> Sent<'r> {
    /// A parameter of the form that is there and not empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&'r str> {
        self.form.get(name)
    }

    /// A header field that is a text.
    pub(crate) fn header(&self, name: &str) -> Option<&'r str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A text as a check, a fact or a pointer shows it, cut so that the journal stays small whatever was sent.
pub(crate) fn excerpt(text: &str) -> String {
    foreign::excerpt(text, 200).into_owned()
}
