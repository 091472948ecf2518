//! What is free of the token: whether the lab answers, its version, its CA.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, answer, ok};

/// `GET /health`: 200 once every listener answers, else 503. `instance` tells a stale settings file from a live one.
pub(crate) async fn health(State(state): State<ControlState>) -> Response {
    let ready = state.ready.load(Ordering::Acquire);
    let (status, word) =
        if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting") };
    let document = json!({ "status": word, "instance": state.instance, "version": state.version });
    answer(status, &document, "application/json")
}

/// `GET /version`.
pub(crate) async fn version(State(state): State<ControlState>) -> Response {
    ok(&json!({ "name": "mocktenant", "version": state.version }))
}

/// `GET /ca.pem`: both roots of the lab.
pub(crate) async fn ca_pem(State(state): State<ControlState>) -> Result<Response, Problem> {
    Response::builder()
        .header(CONTENT_TYPE, "application/x-pem-file")
        .body(state.ca_pem.clone().into())
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the CA cannot be sent"))
}
