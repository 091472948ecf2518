//! What is free of the token: whether the lab answers and is well, and its version. (Its CA is in `authority`.)

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::ControlState;
use crate::problem::{answer, ok};

/// `GET /health`: 200 once every listener answers, else 503; also 503 while the lab's certificates are not valid, since
/// nothing then works over https. `instance` tells a stale settings file from a live one.
pub(crate) async fn health(State(state): State<ControlState>) -> Response {
    let ca = state.ca.health().await;
    let ready = state.ready.load(Ordering::Acquire);
    let (status, word) = match (ready, ca.valid, &ca.trouble) {
        (false, _, _) => (StatusCode::SERVICE_UNAVAILABLE, "starting"),
        (true, false, _) => (StatusCode::SERVICE_UNAVAILABLE, "unwell"),
        (true, true, Some(_)) => (StatusCode::OK, "unwell"),
        (true, true, None) => (StatusCode::OK, "ok"),
    };
    let document =
        json!({ "status": word, "instance": state.instance, "version": state.version, "ca": ca.document() });
    answer(status, &document, "application/json")
}

/// `GET /version`.
pub(crate) async fn version(State(state): State<ControlState>) -> Response {
    ok(&json!({ "name": "mocktenant", "version": state.version }))
}
