//! Client id and secret in an `Authorization: Basic` header (RFC 6749 section 2.3.1).
//!
//! Decides that both are form-encoded inside it, and that what is no base64 or names no client presents nothing. A secret
//! that was put there as it is may come out as another one, and is a wrong one then.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;

use crate::client_auth::{Credential, Method, Reading, secret};
use crate::form::decode_lossy;

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
        let (id, _) = sent.header(AUTHORIZATION.as_str()).and_then(basic)?;
        (!id.is_empty()).then_some(Cow::Owned(id))
    },
    read: |sent| match sent.header(AUTHORIZATION.as_str()).and_then(basic) {
        Some((_, secret)) if !secret.is_empty() => Reading::Found(Credential::Text(Cow::Owned(secret))),
        _ => Reading::Nothing,
    },
    ask_request: |_, _, _| {},
    ask_client: secret::ask,
    facts: |_, _, _| {},
};

fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim()).ok()?;
    let decoded = String::from_utf8_lossy(&decoded);
    let (id, secret) = decoded.split_once(':')?;
    Some((decode_lossy(id).into_owned(), decode_lossy(secret).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic(&header("id:a%3Ab+c")), Some(("id".into(), "a:b c".into())));
        assert_eq!(basic(&header("id:")), Some(("id".into(), String::new())));
        assert_eq!(basic(&header("id:50%")), Some(("id".into(), "50%".into())));
        assert_eq!(basic(&header("id:%zz%ff")), Some(("id".into(), "%zz\u{fffd}".into())));
        let latin = format!("Basic {}", STANDARD.encode([b'i', b':', 0xe4]));
        assert_eq!(basic(&latin), Some(("i".into(), "\u{fffd}".into())));
        for bad in ["", "Basic", "Basic !!!", "Bearer eA==", &header("nocolon")] {
            assert_eq!(basic(bad), None, "{bad}");
        }
    }
}
