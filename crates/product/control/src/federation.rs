//! What an administrator of a federation service does and sees: application groups, and a rollover of keys.
//!
//! Decides the form in which the console's view is given. What a rollover changes is the world's to say, and a lab applies it
//! like any edit. Never shows a secret: of a credential its name.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::Command;
use mocktenant_world::{Client, EditedBy, FederationService, WebApi, World};
use serde_json::{Map, Value, json};

use crate::problem::{Problem, ok};
use crate::scenarios::apply;
use crate::{ControlState, body};

/// `GET /v1/application-groups`: by federation service and group, as the AD FS console shows them.
pub(crate) async fn application_groups(State(state): State<ControlState>) -> Response {
    let world = state.lab.world();
    let services = world.federation_services().map(|service| (service.id.to_string(), groups(service)));
    ok(&Value::Object(services.collect()))
}

fn groups(service: &FederationService) -> Value {
    let shown = service.application_groups.iter().map(|(name, group)| {
        let clients = group.native_applications.keys().chain(group.server_applications.keys());
        let clients = clients.filter_map(|id| service.client(id)).map(|client| application(client));
        let web_apis = service.web_apis.iter().filter(|web_api| *web_api.group == **name);
        let members = clients.chain(web_apis.map(|web_api| resource(service, web_api)));
        let group = json!({ "description": group.description, "applications": members.collect::<Vec<_>>() });
        (name.clone(), group)
    });
    Value::Object(shown.collect())
}

fn application(client: &Arc<Client>) -> Value {
    let mut shown = Map::new();
    let kind = if client.credentials.is_some() { "server application" } else { "native application" };
    shown.insert("kind".to_owned(), kind.into());
    shown.insert("name".to_owned(), client.name.clone().into());
    shown.insert("client_id".to_owned(), client.client_id.clone().into());
    shown.insert("redirect_uris".to_owned(), json!(client.redirect_uris));
    if let Some(credentials) = &client.credentials {
        let certificates = credentials.certificates.iter().map(|one| one.thumbprint().to_string());
        shown.insert("certificates".to_owned(), certificates.collect::<Value>());
        shown
            .insert("secrets".to_owned(), credentials.secrets.iter().map(|(name, _)| name.clone()).collect());
    }
    Value::Object(shown)
}

fn resource(service: &FederationService, web_api: &WebApi) -> Value {
    let identifiers: Vec<&str> = web_api.all_identifiers().map(|(identifier, _)| identifier).collect();
    let permissions: Vec<Value> = (web_api.permissions.iter())
        .map(|(client_id, scopes)| {
            let name = service.client(client_id).map(|client| client.name.clone());
            json!({ "client_id": client_id, "name": name, "scopes": scopes })
        })
        .collect();
    json!({
        "kind": "Web API",
        "name": web_api.name,
        "identifiers": identifiers,
        "client_permissions": permissions,
        "issued_claims": web_api.issued_claims,
        "token_lifetime": web_api.token_lifetime,
    })
}

/// `POST /v1/rollover` with `{"of": "..."}`: a federation service by name or host name, or a tenant by id or domain.
pub(crate) async fn rollover(
    State(state): State<ControlState>,
    body: body::Whole,
) -> Result<Response, Problem> {
    let document = body::json(body)?;
    let of = match &document {
        Value::Object(members) if members.len() == 1 => members.get("of").and_then(Value::as_str),
        _ => None,
    };
    let Some(of) = of else {
        let message = "the body must be {\"of\": \"<federation service or tenant>\"}";
        return Err(Problem::new(StatusCode::BAD_REQUEST, message));
    };
    let edits = state
        .lab
        .world()
        .rollover(of)
        .map_err(|problem| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, problem.to_string()))?;
    let applied = apply(&state, Command::Edit { edits, by: EditedBy::Control }).await?;
    Ok(ok(&json!({ "of": of, "published": published(&applied.world, of) })))
}

/// Thumbprints of the published keys, the one that signs first.
fn published(world: &World, of: &str) -> Vec<String> {
    let service = world.federation_service(of).map(|service| &service.signing);
    let signing = service.or_else(|| world.tenant(of).map(|tenant| &tenant.signing));
    let all = signing.into_iter().flatten();
    all.map(|identity| identity.certificate().thumbprint().to_string()).collect()
}
