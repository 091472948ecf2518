//! Shared secrets, in the form or in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
//!
//! Decides that any of the server application's secrets will do. Of a wrong one it is said what was done to the right one,
//! where that can be told, and never what either is.

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use mocktenant_idp::basic;
use mocktenant_idp::secret::{same, spoilt};
use mocktenant_verdict::{Finding, Question, Remedy, Role};

use crate::asking::{Asking, Checks};
use crate::client_auth::{Credential, Method, REGISTERED};
use crate::errors::AdfsError;

/// `authmethod` of a client that proved itself with a secret, as captured.
pub(crate) const AUTH_METHOD: &str =
    "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password";

static MATCHES: Question = Question::new("secret-matches", Role::Secret).needs(&[&REGISTERED]);

/// In the form.
pub(super) static POST: Method = Method {
    read: |sent| sent.parameter("client_secret").map(|secret| Credential::Text(Cow::Borrowed(secret))),
    ..SECRET
};

/// In the header.
pub(super) static BASIC: Method = Method {
    client_beside: |sent| {
        let (id, _) = sent.header(AUTHORIZATION.as_str()).and_then(basic::read)?;
        (!id.is_empty()).then_some(Cow::Owned(id))
    },
    read: |sent| match sent.header(AUTHORIZATION.as_str()).and_then(basic::read) {
        Some((_, secret)) if !secret.is_empty() => Some(Credential::Text(Cow::Owned(secret))),
        _ => None,
    },
    ..SECRET
};

/// What both have in common.
const SECRET: Method = Method {
    shown: "a secret",
    credential: "secret",
    authmethod: AUTH_METHOD,
    questions: &[&MATCHES],
    client_beside: |_| None,
    read: |_| None,
    ask,
    facts: |_, _, _| {},
};

fn ask(asking: &Asking<'_, '_>, credential: &Credential<'_>, list: &mut Checks<'_>) {
    let Credential::Text(presented) = credential else { return };
    let credentials = asking.client.and_then(|client| client.credentials.as_ref());
    let found = credentials.and_then(|one| one.secrets.iter().find(|(_, value)| same(value, presented)));
    let settings = || match (credentials, found) {
        (Some(credentials), Some((name, _))) => vec![credentials.pointer.secret(name)],
        (Some(credentials), None) => vec![credentials.pointer.secrets()],
        (None, _) => Vec::new(),
    };
    list.ask(&MATCHES, "a secret of the server application", settings, || {
        let Some(credentials) = credentials else {
            return match asking.client {
                None => Finding::skip(REGISTERED.name),
                Some(_) => Finding::not_applicable("a native application has no secret"),
            };
        };
        if found.is_some() {
            return Finding::pass("a secret of the application");
        }
        match credentials.secrets.iter().find_map(|(_, value)| spoilt(value, presented)) {
            Some((actual, advice)) => {
                Finding::fail(actual, AdfsError::ClientRefused).mended_by(|| Remedy::default().advice(advice))
            }
            None if credentials.secrets.is_empty() => {
                Finding::fail("the application has no secret", AdfsError::ClientRefused)
            }
            None => Finding::fail("another value", AdfsError::ClientRefused),
        }
    });
}
