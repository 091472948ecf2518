//! Refusals of the control API: RFC 9457 problem details.
//!
//! Decides that whatever is refused here, by a handler, the router or a layer, leaves as `application/problem+json`
//! with status, title, detail and, for settings, the pointers of RFC 6901 the caller used.

use std::any::Any;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode, Uri};
use mocktenant_lab::CommandError;
use mocktenant_verdict::Setting;
use mocktenant_world::EditError;
use serde::Serialize;
use serde_json::{Value, json};

/// Text of a layer's own answer that is kept as the detail, in bytes.
const KEPT: usize = 1024;

/// One problem (RFC 9457 section 3.1).
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<Located>,
}

/// One thing that is wrong, with the pointer it is about (RFC 9457 section 3, the example's `errors`).
#[derive(Debug, Serialize)]
pub(crate) struct Located {
    /// RFC 6901 pointer into the declaration; for a body that is no list of edits, into the body.
    pub(crate) pointer: String,
    /// What is wrong.
    pub(crate) detail: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), errors: Vec::new() }
    }

    pub(crate) fn error(mut self, located: Located) -> Self {
        self.errors.push(located);
        self
    }

    /// A value was asked for that is not there.
    pub(crate) fn missing(setting: &Setting, detail: String, hint: Option<String>) -> Self {
        let located = Located { pointer: setting.to_string(), detail: detail.clone(), hint };
        Self::new(StatusCode::NOT_FOUND, detail).error(located)
    }

    /// One of a few names was expected.
    pub(crate) fn unknown(status: StatusCode, detail: &str, known: &[String]) -> Self {
        Self::new(status, format!("{detail}; there are: {}", known.join(", ")))
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let (status, detail) = match &error {
            EditError::Refused { edit, .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("edit {} cannot be made; nothing was changed", edit + 1),
            ),
            EditError::OverBudget { edit, problem } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                format!("edit {} is over a budget: {}; nothing was changed", edit + 1, problem.message),
            ),
            EditError::TestFailed { edit, .. } => (
                StatusCode::CONFLICT,
                format!("the test in edit {} does not hold; nothing was changed", edit + 1),
            ),
            EditError::World(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                String::from("the declaration would be no world after these edits; nothing was changed"),
            ),
        };
        let located = |problem: &mocktenant_world::Problem| Located {
            pointer: problem.pointer.to_string(),
            detail: problem.message.clone(),
            hint: problem.hint.clone(),
        };
        Self { status, detail, errors: error.problems().iter().map(located).collect() }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = error.to_string();
        match error {
            CommandError::Edit(error) => error.into(),
            CommandError::UnknownScenario { known, .. } => {
                Self::unknown(StatusCode::UNPROCESSABLE_ENTITY, &detail, &known)
            }
            CommandError::UnknownEnvironment { known, .. }
            | CommandError::UnknownNode { known, .. }
            | CommandError::UnknownPlace { known, .. } => {
                Self::unknown(StatusCode::NOT_FOUND, &detail, &known)
            }
            CommandError::Stale { .. } => Self::new(StatusCode::PRECONDITION_FAILED, detail),
            CommandError::NoNextKey { .. } => Self::new(StatusCode::CONFLICT, detail),
            CommandError::Vacant(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            CommandError::Row(refused) => {
                let located = Located {
                    pointer: refused.setting().to_string(),
                    detail: refused.to_string(),
                    hint: None,
                };
                let detail = "rows are in use and cannot become this; nothing was changed";
                Self::new(StatusCode::CONFLICT, detail).error(located)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Problem"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if !self.errors.is_empty() {
            document["errors"] = json!(self.errors);
        }
        let mut response = answer(self.status, &document, "application/problem+json");
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A JSON answer of any status.
pub(crate) fn answer(status: StatusCode, document: &Value, content_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(document.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A plain success.
pub(crate) fn ok(document: &Value) -> Response {
    answer(StatusCode::OK, document, "application/json")
}

/// No such resource.
pub(crate) async fn not_found(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

/// A handler panicked: our own defect. What it said goes to the log by the panic hook, never to the caller.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "mocktenant failed; please report this").into_response()
}

/// Turns what a layer or the router refused in its own words into a problem.
pub(crate) async fn everywhere(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    let ours = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"json"));
    if ours || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, KEPT).await.unwrap_or_default();
    let detail = match status {
        StatusCode::METHOD_NOT_ALLOWED => format!("{path} does not take {method}"),
        StatusCode::PAYLOAD_TOO_LARGE => format!("a body has at most {} bytes", crate::BODY_BUDGET),
        StatusCode::SERVICE_UNAVAILABLE if text.is_empty() => String::from("it took too long"),
        _ => String::from_utf8_lossy(&text).into_owned(),
    };
    let (problem, body) = Problem::new(status, detail).into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(problem.headers);
    Response::from_parts(parts, body)
}
