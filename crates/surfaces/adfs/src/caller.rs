//! How the client of a world signs a user in at AD FS, or gets a token for itself.
//!
//! Decides the requests (client credentials by secret, authorization with PKCE or for an id token by form_post, and the redemption of a code) and what is typed
//! into which field of the page. Never decides what comes of it: provider, client, redirect URI and user are the world's
//! `caller`, wrong or not. Mirrors what MSAL and ASP.NET's OpenIdConnect send, and a person who signs in.
//!
//! `state`, `nonce` and the verifier are always the same: nobody else sees them, and a request of this client is known again
//! in the journal by its text.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::caller::encoded;
use mocktenant_lab::outbound::Reply;
use mocktenant_lab::{Ask, Entrance, OwnClient, SignInCall, TokenCall};
use mocktenant_world::declaration::Flow;
use mocktenant_world::{SecretText, World};
use serde_json::Value;

use crate::path;

const STATE: &str = "signing-in";
const NONCE: &str = "5f0c1f6e-5d4a-4b53-9b5e-0d5b6f8f7a10";
/// The verifier of RFC 7636, appendix B, and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Typed where the directory has no such user and the world says no password.
const ANY_PASSWORD: &str = "any-password";

/// How the caller of `world` signs its user in; `None` where its provider is no federation service.
pub(crate) fn sign_in(world: &World) -> Option<SignInCall> {
    let wanted = world.caller().sign_in.as_ref()?;
    let service = world.federation_service(&wanted.provider)?;
    let first = world.federation_services().next().is_some_and(|first| first.id == service.id);
    let (response, own): (&str, &[(&str, &str)]) = match wanted.flow {
        Flow::Code => ("code", &[("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]),
        Flow::IdToken => ("id_token", &[("response_mode", "form_post"), ("nonce", NONCE)]),
    };
    let resource = wanted.resource.as_deref().map(|resource| ("resource", resource));
    let asked = [
        ("client_id", wanted.client_id.as_str()),
        ("redirect_uri", wanted.redirect_uri.as_str()),
        ("response_type", response),
        ("scope", wanted.scope.as_str()),
        ("state", STATE),
    ];
    let asked = form(asked.into_iter().chain(resource).chain(own.iter().copied()));
    let secret = wanted.client_secret.as_ref().map(|secret| ("client_secret", secret.as_str()));
    let redeemed = [
        ("grant_type", "authorization_code"),
        ("client_id", wanted.client_id.as_str()),
        ("redirect_uri", wanted.redirect_uri.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    let redeem = Ask {
        by_name: !first,
        method: Method::POST,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        body: Bytes::from(form(redeemed.into_iter().chain(secret))),
        ..Ask::get(Entrance::Identity, &service.host, path::TOKEN.to_owned())
    };
    let opened = format!("{}?{asked}", path::AUTHORIZE);
    let own_password = || service.person(&wanted.user).map(|user| user.password.as_str());
    let password = wanted.password.as_ref().map(SecretText::as_str).or_else(own_password);
    let password = password.unwrap_or(ANY_PASSWORD).to_owned();
    Some(SignInCall {
        ask: Ask { by_name: !first, ..Ask::get(Entrance::Identity, &service.host, opened) },
        typed: vec![("UserName", wanted.user.clone()), ("Password", password)],
        client: Some(OwnClient { redirect_uri: wanted.redirect_uri.clone(), redeem }),
        loses: wanted.loses.clone(),
    })
}

/// How the caller of `world` asks for a token; `None` where the environment it calls stands behind no federation service.
pub(crate) fn token_call(world: &World, resource: &str) -> Option<TokenCall> {
    let caller = world.caller();
    let service = world.environment(&caller.environment)?.identity.federation_service()?;
    let service = world.federation_service(service)?;
    let first = world.federation_services().next().is_some_and(|first| first.id == service.id);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", caller.client_id.as_str()),
        ("client_secret", caller.client_secret.as_str()),
        ("resource", resource),
    ];
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    let ask = Ask {
        by_name: !first,
        method: Method::POST,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
        body: Bytes::from(form(fields.into_iter())),
        ..Ask::get(Entrance::Identity, &service.host, path::TOKEN.to_owned())
    };
    Some(TokenCall { ask, read: token })
}

fn token(reply: &Reply) -> Option<String> {
    let document: Value = serde_json::from_slice(&reply.body).ok()?;
    document["access_token"].as_str().map(str::to_owned)
}

fn form<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let pairs: Vec<String> = fields.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}
