//! Pages of other origins, which may call an organisation from a browser.
//!
//! Decides that all may, and what they may read of an answer. Mirrors captured answers; that the headers and methods a preflight
//! asks for are echoed, and its status, are inferred.

use http::{Method, StatusCode};
use mocktenant_lab::{Answer, Exchange};

/// What every answer says to a browser.
pub(crate) const ALWAYS: [(&str, &str); 2] = [
    ("access-control-allow-origin", "*"),
    (
        "access-control-expose-headers",
        "Preference-Applied,OData-EntityId,Location,ETag,OData-Version,Content-Encoding,Transfer-Encoding,Content-Length,Retry-After,REQ_ID",
    ),
];

/// How long a browser may remember a preflight, in seconds.
const REMEMBERED: &str = "86400";

/// Longest list of a preflight that is echoed, in bytes.
const LONGEST: usize = 1024;

/// The answer to a preflight, which needs no token; `None` where the request is none.
pub(crate) fn preflight(exchange: &Exchange) -> Option<Answer> {
    let request = &exchange.request;
    if request.method != Method::OPTIONS || !exchange.folded_path().starts_with("/api/data/") {
        return None;
    }
    let asked = |name: &str| request.header(name).filter(|list| list.len() <= LONGEST);
    let mut answer = Answer::empty(StatusCode::OK).with("access-control-max-age", REMEMBERED);
    if let Some(method) = asked("access-control-request-method") {
        answer = answer.with_text("access-control-allow-methods", method);
    }
    if let Some(headers) = asked("access-control-request-headers") {
        answer = answer.with_text("access-control-allow-headers", headers);
    }
    Some(answer)
}
