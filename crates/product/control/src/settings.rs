//! The settings document outside tests rely on.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::ControlState;
use crate::problem::{Problem, ok};

/// `GET /v1/settings`: exactly the document in `settings.json`.
pub(crate) async fn get(State(state): State<ControlState>) -> Result<Response, Problem> {
    match state.settings.get() {
        Some(settings) => Ok(ok(settings)),
        None => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the lab is still starting")),
    }
}
