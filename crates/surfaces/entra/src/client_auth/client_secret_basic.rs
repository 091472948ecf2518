//! Client id and secret in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
//!
//! Decides that it names a client even where it holds no secret. How it is read is any provider's.

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use mocktenant_idp::basic;

use crate::client_auth::{Credential, Method, Reading, secret};

/// The method.
pub(super) static METHOD: Method = Method {
    name: "client_secret_basic",
    rank: 30,
    parameters: "",
    shown: secret::SHOWN,
    credential: secret::CREDENTIAL,
    context_class: secret::CONTEXT_CLASS,
    of_request: &[],
    of_client: &secret::QUESTIONS,
    client_beside: |sent| {
        let (id, _) = sent.header(AUTHORIZATION.as_str()).and_then(basic::read)?;
        (!id.is_empty()).then_some(Cow::Owned(id))
    },
    read: |sent| match sent.header(AUTHORIZATION.as_str()).and_then(basic::read) {
        Some((_, secret)) if !secret.is_empty() => Reading::Found(Credential::Text(Cow::Owned(secret))),
        _ => Reading::Nothing,
    },
    ask_request: |_, _, _| {},
    ask_client: secret::ask,
    facts: |_, _, _| {},
};
