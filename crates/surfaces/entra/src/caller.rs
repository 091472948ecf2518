//! How the client of a world asks Entra for a token: client credentials by secret, at the v2 endpoint.
//!
//! Decides nothing about the answer: tenant, client, secret and resource are the world's `caller`, wrong or not. Mirrors
//! what any application does that was registered by the book.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::caller::encoded;
use mocktenant_lab::outbound::Reply;
use mocktenant_lab::{Ask, Entrance, TokenCall};
use mocktenant_world::World;
use serde_json::Value;

use crate::authority::WORLD_HOSTS;
use crate::path;

/// How the caller of `world` asks for a token; `None` where the environment it calls stands behind a federation service.
pub(crate) fn token_call(world: &World, resource: &str) -> Option<TokenCall> {
    let caller = world.caller();
    let environment = world.environment(&caller.environment);
    if environment.is_some_and(|environment| environment.identity.tenant().is_none()) {
        return None;
    }
    let scope = format!("{resource}/.default");
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", caller.client_id.as_str()),
        ("client_secret", caller.client_secret.as_str()),
        ("scope", scope.as_str()),
    ];
    let form = fields.map(|(name, value)| format!("{name}={}", encoded(value))).join("&");
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    Some(TokenCall {
        ask: Ask {
            entrance: Entrance::Identity,
            host: WORLD_HOSTS[0].to_owned(),
            by_name: false,
            method: Method::POST,
            target: path::TOKEN_V2.replace("{tenant}", &encoded(&caller.tenant).to_string()),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            body: Bytes::from(form),
        },
        read: token,
    })
}

fn token(reply: &Reply) -> Option<String> {
    let document: Value = serde_json::from_slice(&reply.body).ok()?;
    document["access_token"].as_str().map(str::to_owned)
}
