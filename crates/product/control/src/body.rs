//! Bodies of writes: JSON, within a budget.
//!
//! Decides which media types count as JSON and how a body that is none is refused. `guard` has already asked for the
//! media type, so that a browser's simple request never reaches a handler.

use axum::body::Bytes;
use axum::extract::Request;
use axum::extract::rejection::BytesRejection;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::request::{BodyError, media_type};
use serde_json::Value;

use crate::Unread;
use crate::problem::Problem;

/// Largest body of a write, in bytes.
pub const BODY_BUDGET: usize = 4 * 1024 * 1024;

/// Whether the one `Content-Type` is `application/json` or `application/json-patch+json`; parameters do not matter.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let kind = value.to_str().ok().and_then(media_type);
    kind.is_some_and(|kind| kind == mime::APPLICATION_JSON || kind == "application/json-patch+json")
}

/// Refuses what came without the body it announced.
pub(crate) async fn arrived(request: Request, next: Next) -> Response {
    let Some(Unread(why)) = request.extensions().get::<Unread>() else { return next.run(request).await };
    let problem = match why {
        BodyError::TooLarge { .. } => too_large(),
        BodyError::Timeout => Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        BodyError::Incomplete => incomplete(),
    };
    problem.into_response()
}

fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {BODY_BUDGET} bytes"))
}

fn incomplete() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "the body did not arrive whole")
}

/// A whole body, or why there is none.
pub(crate) type Whole = Result<Bytes, BytesRejection>;

/// Reads a whole body as JSON.
pub(crate) fn json(body: Whole) -> Result<Value, Problem> {
    let bytes = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => incomplete(),
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")))
}
