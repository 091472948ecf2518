//! The application groups of every federation service, as its console shows them.
//!
//! Decides the shape of the view only: groups with their members, each with its kind, what it is found by and what it may.
//! Credentials are told by name and never by value.

use axum::extract::State;
use axum::response::Response;
use mocktenant_world::{FederationService, declaration};
use serde_json::{Value, json};

use crate::ControlState;
use crate::problem::ok;

/// `GET /v1/application-groups`.
pub(crate) async fn list(State(state): State<ControlState>) -> Response {
    let world = state.lab.world();
    let groups = world.federation_services().flat_map(|service| {
        service.declared.application_groups.iter().map(|(name, written)| group(service, name, written))
    });
    let all: Vec<Value> = groups.collect();
    ok(&state.lab.mask().all(&Value::Array(all)))
}

fn group(service: &FederationService, name: &str, written: &declaration::ApplicationGroup) -> Value {
    let at = service.pointer.application_group(name);
    let natives = written.native_applications.iter().map(|(client_id, native)| {
        json!({
            "kind": "Native application",
            "name": native.name,
            "client_id": client_id,
            "redirect_uris": native.redirect_uris,
            "logout_uri": native.logout_uri,
            "pointer": at.native_application(client_id).setting(),
        })
    });
    let servers = written.server_applications.iter().map(|(client_id, server)| {
        json!({
            "kind": "Server application",
            "name": server.name,
            "client_id": client_id,
            "redirect_uris": server.redirect_uris,
            "logout_uri": server.logout_uri,
            "secrets": server.secrets.keys().collect::<Vec<_>>(),
            "certificates": server.certificates.keys().collect::<Vec<_>>(),
            "pointer": at.server_application(client_id).setting(),
        })
    });
    let web_apis = written.web_apis.iter().map(|(identifier, web_api)| {
        let identifiers: Vec<&String> = std::iter::once(identifier).chain(&web_api.identifiers).collect();
        let permissions = web_api.permissions.iter().map(|(client_id, scopes)| {
            let name = service.client(client_id).map(|client| client.name.as_str());
            json!({ "client_id": client_id, "name": name, "scopes": scopes })
        });
        json!({
            "kind": "Web API",
            "name": web_api.name,
            "identifiers": identifiers,
            "permissions": permissions.collect::<Vec<_>>(),
            "issued_claims": web_api.issued_claims.iter().map(|claim| &claim.claim_type).collect::<Vec<_>>(),
            "token_lifetime": web_api.token_lifetime,
            "pointer": at.web_api(identifier).setting(),
        })
    });
    json!({
        "federation_service": &*service.id,
        "host_name": service.host_name,
        "name": name,
        "description": written.description,
        "pointer": at.setting(),
        "applications": natives.chain(servers).chain(web_apis).collect::<Vec<_>>(),
    })
}
