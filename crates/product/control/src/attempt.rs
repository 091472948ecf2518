//! The declared caller, let go once: what `mocktenant try` asks for.

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use mocktenant_lab::caller::{DriveError, try_once};
use serde_json::json;

use crate::ControlState;
use crate::problem::{Problem, ok};

/// `POST /v1/try`: `{did, exchange, token_exchange, status, refused, body}` of the answer that ended it, by the lab's public addresses as for
/// any client; `shown` where that is a page, or an error that a browser brought: the lines a person reads. Refused is no failure of this API.
pub(crate) async fn once(State(state): State<ControlState>) -> Result<Response, Problem> {
    let did = state.lab.world().caller().does;
    match try_once(&state.lab, &*state.caller).await {
        Ok(attempt) => {
            let mask = state.lab.mask();
            let mut document = json!({
                "did": did,
                "exchange": attempt.exchange,
                "token_exchange": attempt.token_exchange,
                "status": attempt.status.as_u16(),
                "refused": attempt.refused(),
                "body": mask.sent(&String::from_utf8_lossy(&attempt.body)),
            });
            let shown = attempt.shown();
            if !shown.is_empty() {
                document["shown"] = shown.iter().map(|line| mask.sent(line).into_owned()).collect();
            }
            Ok(ok(&document))
        }
        Err(error @ DriveError::Call(_)) => Err(Problem::new(StatusCode::BAD_GATEWAY, error.to_string())),
        Err(error) => Err(Problem::new(StatusCode::CONFLICT, error.to_string())),
    }
}
