//! Environments: restarting one, as IISRESET would.

use axum::extract::{Path, State};
use axum::response::Response;
use mocktenant_lab::Command;
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, ok};
use crate::scenarios::apply;

/// `POST /v1/environments/{id}/restart`: 200 once it read its configuration again.
pub(crate) async fn restart(
    State(state): State<ControlState>,
    Path(environment): Path<String>,
) -> Result<Response, Problem> {
    let restarted = environment.clone();
    apply(&state, Command::Restart { environment }).await?;
    Ok(ok(&json!({ "restarted": restarted })))
}
