//! Bodies of writes: JSON, within a budget.
//!
//! Decides which media types count as JSON and how a body that is none is refused. `guard` has already asked for the
//! media type, so that a browser's simple request never reaches a handler.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::request::media_type;
use serde_json::Value;

use crate::problem::{Located, Problem};
use crate::strict_json::{self, Refused};

/// Largest body of a write, in bytes.
pub const BODY_BUDGET: usize = 4 * 1024 * 1024;

/// Whether the one `Content-Type` is `application/json` or `application/json-patch+json`; parameters do not matter.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let kind = value.to_str().ok().and_then(media_type);
    kind.is_some_and(|kind| kind == mime::APPLICATION_JSON || kind == "application/json-patch+json")
}

/// A whole body, or why there is none.
pub(crate) type Whole = Result<Bytes, BytesRejection>;

/// Reads a whole body as JSON.
pub(crate) fn json(body: Whole) -> Result<Value, Problem> {
    let bytes = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {BODY_BUDGET} bytes"))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "the body did not arrive whole"),
    })?;
    strict_json::read(&bytes).map_err(|refused| match refused {
        Refused::Syntax(error) => {
            Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
        }
        Refused::Twice { name, pointer } => {
            let shown: String = name.chars().take(80).collect();
            let detail = format!("the member {shown:?} is there twice; only one of them can be meant");
            let located = Located { pointer, detail: detail.clone(), hint: None };
            Problem::new(StatusCode::BAD_REQUEST, detail).error(located)
        }
    })
}
