//! Rollover of token-signing keys.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::Command;
use mocktenant_world::{EditedBy, World};
use serde_json::{Value, json};

use crate::problem::{Problem, ok};
use crate::scenarios::apply;
use crate::{ControlState, body};

/// `POST /v1/rollover` with `{"of": "..."}`: the next token-signing key becomes the primary one.
pub(crate) async fn roll(State(state): State<ControlState>, body: body::Whole) -> Result<Response, Problem> {
    let document = body::json(body)?;
    let of = match &document {
        Value::Object(members) if members.len() == 1 => members.get("of").and_then(Value::as_str),
        _ => None,
    };
    let Some(of) = of else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the body must be {\"of\": \"<tenant or federation service>\"}",
        ));
    };
    let applied = apply(&state, Command::Rollover { of: of.to_owned(), by: EditedBy::Control }).await?;
    let (rolled, keys) = keys(&applied.world, of);
    Ok(ok(&json!({ "rolled": rolled, "generation": applied.world.generation(), "keys": keys })))
}

/// Who was meant, and the thumbprints of what is published from now on.
fn keys(world: &World, of: &str) -> (String, Vec<String>) {
    let name = of.strip_prefix("federation-service/").or_else(|| of.strip_prefix("tenant/")).unwrap_or(of);
    let service = world.federation_service(name).filter(|_| !of.starts_with("tenant/"));
    match (service, world.tenant(name)) {
        (Some(service), _) => {
            let keys = service.signing.iter().map(|key| key.certificate().thumbprint().to_string());
            (format!("federation-service/{}", service.id), keys.collect())
        }
        (None, Some(tenant)) => {
            let keys = tenant.signing.iter().map(|key| key.certificate().thumbprint().to_string());
            (format!("tenant/{}", tenant.id), keys.collect())
        }
        (None, None) => (of.to_owned(), Vec::new()),
    }
}
