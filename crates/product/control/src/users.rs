//! The users of every identity provider.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::ControlState;
use crate::problem::ok;

/// `GET /v1/users`: who can sign in, and where. Never a password.
pub(crate) async fn list(State(state): State<ControlState>) -> Response {
    let world = state.lab.world();
    let tenants = world.tenants().flat_map(|tenant| {
        tenant.declared.users.iter().map(|(name, user)| {
            json!({
                "of": format!("tenant/{}", tenant.id),
                "name": name,
                "display_name": user.name,
                "pointer": tenant.pointer.user(name).setting(),
            })
        })
    });
    let services = world.federation_services().flat_map(|service| {
        service.declared.users.iter().map(|(name, user)| {
            json!({
                "of": format!("federation-service/{}", service.id),
                "name": name,
                "display_name": user.name,
                "account": user.account,
                "groups": user.groups,
                "enabled": user.enabled,
                "locked": user.locked,
                "expired": user.expired,
                "pointer": service.pointer.user(name).setting(),
            })
        })
    });
    let all: Vec<Value> = tenants.chain(services).collect();
    ok(&state.lab.mask().all(&Value::Array(all)))
}
