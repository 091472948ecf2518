//! The error catalogues of all surfaces: product texts with their fidelity, our cause and our change.

use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::ControlState;
use crate::problem::ok;

/// `GET /v1/errors`: surface name to rows.
pub(crate) async fn get(State(state): State<ControlState>) -> Response {
    let catalogues: Map<String, Value> =
        state.lab.catalogues().into_iter().map(|(surface, rows)| (surface.to_owned(), json!(rows))).collect();
    ok(&Value::Object(catalogues))
}
