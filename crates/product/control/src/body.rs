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
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Unread;
use crate::problem::{Located, Problem};
use crate::strict_json::{self, Refused};

/// Largest body of a write, in bytes.
pub const BODY_BUDGET: usize = 4 * 1024 * 1024;

/// Values a body may hold. A value occupies twenty times the bytes it is written with at worst, so this is less than what
/// [`BODY_BUDGET`] would let through, and more than any declaration of that length has.
const VALUES: usize = 250_000;

/// Levels of lists and objects in a body: what is deeper is never read, since whoever reads it goes as deep.
const LEVELS: usize = 120;

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
    let (values, levels) = shape(&bytes);
    for (name, budget, had) in [("values", VALUES, values), ("depth", LEVELS, levels)] {
        if had > budget {
            let detail = format!("the budget `{name}` is {budget} for one body, and this one has {had}");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
        }
    }
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

/// Reads a whole body as the one JSON object a handler takes, or says in `expected` what that is. What was sent is not
/// repeated: it may be a secret.
pub(crate) fn object<T: DeserializeOwned>(body: Whole, expected: &str) -> Result<T, Problem> {
    let document = json(body)?;
    let read = if document.is_object() { T::deserialize(&document).ok() } else { None };
    read.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, format!("the body must be {expected}")))
}

/// About how many values a JSON text holds, and how deep its lists and objects are: seen from its punctuation, without
/// reading any. Of a text that is no JSON it says nothing of use, and takes no longer.
fn shape(text: &[u8]) -> (usize, usize) {
    let (mut values, mut depth, mut deepest) = (1_usize, 0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b',' => values += 1,
            b'[' | b'{' => {
                values += 1;
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    (values, deepest)
}
