//! A client secret in the form (RFC 6749 section 2.3.1).

use std::borrow::Cow;

use crate::client_auth::{Credential, Method, Reading, secret};

/// The method.
pub(super) static METHOD: Method = Method {
    name: "client_secret_post",
    rank: 10,
    parameters: "client_secret",
    shown: secret::SHOWN,
    credential: secret::CREDENTIAL,
    context_class: secret::CONTEXT_CLASS,
    of_request: &[],
    of_client: &secret::QUESTIONS,
    client_beside: |_| None,
    read: |sent| match sent.parameter("client_secret") {
        Some(secret) => Reading::Found(Credential::Text(Cow::Borrowed(secret))),
        None => Reading::Nothing,
    },
    ask_request: |_, _, _| {},
    ask_client: secret::ask,
    facts: |_, _, _| {},
};
