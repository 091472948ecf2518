//! Who the AOS is towards Dataverse: its certificate, its assertion, its token.
//!
//! Decides the order in which that can fail: no thumbprint, no certificate, no key, no right to the key, no token. A token
//! is kept until five minutes before it expires in the AOS machine's own time, as ADAL does, and dropped by a restart.
//! Whatever fails, the product says one thing only: it could not get an access token.

mod assertion;
mod cache;
mod certificate;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mocktenant_lab::outbound::{Call, CallError, Reply};
use mocktenant_lab::{Context, Trail};
use mocktenant_verdict::{Checklist, Finding, Question, Remedy, Role, Setting};
use serde_json::Value;

pub(crate) use cache::TokenCache;
pub(crate) use certificate::{ACCOUNT, QUESTIONS as OF_CERTIFICATE};

use crate::advice;
use crate::dual_write::URL_CONFIGURED;
use crate::errors::DualWriteError;
use crate::onebox::State;

/// Entra gives a token.
pub(crate) static TOKEN_ISSUED: Question = Question::new("token-issued", Role::Address)
    .needs(&[&URL_CONFIGURED, &certificate::KEY_READABLE])
    .relays();

/// Realm, certificate, clock, tenant: an AOS cannot tell them apart, so naming one here would contradict the diagnosis,
/// which has read the call.
const NO_TOKEN: &str =
    "The AOS knows only that it got no token; what became of its call to Entra says why: mocktenant explain.";

/// The assertion type of RFC 7523 section 2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Gets an access token for the linked organisation, asking one check after the other. `refused` is what the product says
/// if there is none; without a `resource_known` there is nothing to ask for. Without a token the checklist holds the refusal (or a test turned that check off).
pub(crate) async fn access_token(
    context: &Context,
    trail: &mut Trail,
    node: &State,
    list: &mut Checklist<'_, DualWriteError>,
    refused: &DualWriteError,
    resource_known: bool,
) -> Option<String> {
    let configuration = &node.configuration;
    let certificate = certificate::ask(list, context, node, refused);
    let settings = || token_settings(context, node);
    let expected = &node.expected.token;
    let Some(signer) = certificate.filter(|_| resource_known) else {
        let needs = if resource_known { &certificate::KEY_READABLE } else { &URL_CONFIGURED };
        list.ask(&TOKEN_ISSUED, expected, settings, Finding::skip(needs.name));
        return None;
    };
    let resource = &configuration.dataverse_url.value;
    let client = configuration.client_id();
    if let Some(token) = node.tokens.get(resource, client, context.now()) {
        list.ask(&TOKEN_ISSUED, expected, settings, Finding::pass("kept from before"));
        return Some(token);
    }
    // Whoever answered was no identity provider: then the address is wrong. One that refuses says why itself.
    let failed = |actual: String, provider: bool| {
        Finding::fail(actual, refused.clone()).mended_by(|| {
            Remedy::from((!provider).then(|| advice::login_endpoint(configuration))).advice(NO_TOKEN)
        })
    };
    let Some(url) = configuration.token_url() else {
        let mut settings = settings();
        settings.insert(0, configuration.login_format.setting.clone());
        let finding = failed("Aad.AADLoginWsfedEndpointFormat is no URL".into(), false);
        list.ask(&TOKEN_ISSUED, expected, settings, finding);
        return None;
    };
    let guid = context.random().guid().to_string();
    let assertion = assertion::sign(&signer, client, &url, context.now(), &guid);
    let assertion = match assertion {
        Ok(assertion) => assertion,
        Err(error) => {
            list.ask(&TOKEN_ISSUED, expected, settings, failed(error.to_string(), true));
            return None;
        }
    };
    let call = token_request(context, trail, url, resource, client, &assertion);
    let answer = context.call(trail, call).await;
    let (finding, token) = match answer.as_ref().map(read_token) {
        Ok(Ok((token, expires_on))) => {
            node.tokens.put(resource, client, &token, expires_on, context.now());
            (Finding::pass("issued"), Some(token))
        }
        Ok(Err(error)) => (failed(error, answer.as_ref().is_ok_and(names_a_code)), None),
        // That nobody answered because of a reset says nothing about the address.
        Err(error) => (failed(error.to_string(), *error == CallError::Reset), None),
    };
    list.ask(&TOKEN_ISSUED, expected, settings, finding);
    token
}

/// What Entra's answer depends on, the likeliest to be wrong first: who asks, then with what, then where and for what.
fn token_settings(context: &Context, node: &State) -> Vec<Setting> {
    let configuration = &node.configuration;
    let mut settings = vec![configuration.client_id_setting().clone()];
    if *configuration.client_id_setting() != configuration.realm.setting {
        settings.push(configuration.realm.setting.clone());
    }
    if let Some(tenant) = context.world().tenant(&configuration.tenant_id.value) {
        settings.push(tenant.pointer.application(&configuration.client_id().to_ascii_lowercase()).setting());
    }
    settings.extend([
        configuration.thumbprint.setting.clone(),
        configuration.tenant_id.setting.clone(),
        configuration.login_format.setting.clone(),
        configuration.dataverse_url.setting.clone(),
    ]);
    settings
}

fn token_request(
    context: &Context,
    trail: &mut Trail,
    url: String,
    resource: &str,
    client: &str,
    assertion: &str,
) -> Call {
    let request_id = context.random().guid().to_string();
    trail.activity("client-request-id", request_id.as_str());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert(HeaderName::from_static("client-request-id"), value);
    }
    headers.insert(HeaderName::from_static("return-client-request-id"), HeaderValue::from_static("true"));
    let body = form_urlencoded::Serializer::new(String::with_capacity(2048))
        .append_pair("resource", resource)
        .append_pair("client_id", client)
        .append_pair("client_assertion_type", ASSERTION_TYPE)
        .append_pair("client_assertion", assertion)
        .append_pair("grant_type", "client_credentials")
        .finish();
    Call { method: Method::POST, url, headers, body: body.into() }
}

/// The token and its `expires_on`, or what was answered instead: the AADSTS code if there is one.
fn read_token(reply: &Reply) -> Result<(String, i64), String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    if reply.status == StatusCode::OK {
        let token = body.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let expires_on = body.get("expires_on").and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        });
        return match (token, expires_on) {
            (Some(token), Some(expires_on)) => Ok((token.to_owned(), expires_on)),
            _ => Err("200 without access_token and expires_on".to_owned()),
        };
    }
    Err(code(&body).unwrap_or_else(|| format!("HTTP {}", reply.status.as_u16())))
}

/// Whether an answer is an identity provider's refusal: it names an AADSTS code.
pub(crate) fn names_a_code(reply: &Reply) -> bool {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    code(&body).is_some()
}

fn code(body: &Value) -> Option<String> {
    let by_number = body
        .get("error_codes")
        .and_then(|codes| codes.get(0))
        .and_then(Value::as_u64)
        .map(|code| format!("AADSTS{code}"));
    let by_text = || {
        let text = body.get("error_description")?.as_str()?;
        let code = text.split(':').next().filter(|code| code.starts_with("AADSTS") && code.len() < 20)?;
        Some(code.to_owned())
    };
    by_number.or_else(by_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<(String, i64), String> {
        let status = StatusCode::from_u16(status).unwrap();
        read_token(&Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() })
    }

    #[test]
    fn a_token_answer_is_read_with_its_expiry_as_string_or_number() {
        let body = r#"{"access_token":"t","expires_on":"1543417370"}"#;
        assert_eq!(answered(200, body), Ok(("t".to_owned(), 1_543_417_370)));
        let body = r#"{"access_token":"t","expires_on":7}"#;
        assert_eq!(answered(200, body), Ok(("t".to_owned(), 7)));
        assert!(answered(200, "{}").is_err());
        assert!(answered(200, "<html>").is_err());
    }

    #[test]
    fn a_refusal_is_named_by_its_aadsts_code_where_there_is_one() {
        let body = r#"{"error":"unauthorized_client","error_codes":[700016]}"#;
        assert_eq!(answered(400, body).unwrap_err(), "AADSTS700016");
        let body = r#"{"error_description":"AADSTS90002: Tenant"}"#;
        assert_eq!(answered(400, body).unwrap_err(), "AADSTS90002");
        assert_eq!(answered(503, "").unwrap_err(), "HTTP 503");
        assert_eq!(answered(400, "[1]").unwrap_err(), "HTTP 400");
    }
}
