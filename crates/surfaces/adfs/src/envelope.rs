//! Ids and header fields around every answer.
//!
//! Decides the Activity ID of an exchange (the client's own `client-request-id` where it sent a GUID) and the header set of
//! AD FS's answers: from Windows Server 2019 on four security headers on answers of 200 and on no others, HSTS under names of
//! the world only, CORS for origins that the service trusts and for nobody where it trusts none. Never decides a status or a
//! text.

use std::sync::Arc;

use http::header::ORIGIN;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use mocktenant_lab::{Answer, Content, Exchange};
use mocktenant_world::declaration::Profile;
use mocktenant_world::is_guid;

use crate::errors::{self, AdfsError, Told};
use crate::prepared::PreparedService;
use crate::{page, service};

/// A header field that is the same in every answer.
type Fixed = (HeaderName, HeaderValue);

const fn fixed(name: &'static str, value: &'static str) -> Fixed {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

/// As captured: AD FS names the server, and so does what it stands on.
static SERVER: [Fixed; 1] = [fixed("server", "Microsoft-HTTPAPI/2.0 Microsoft-HTTPAPI/2.0")];
static NOT_STORED: [Fixed; 2] = [fixed("cache-control", "no-store"), fixed("pragma", "no-cache")];
/// From Windows Server 2019 on, on answers of 200.
static SECURITY: [Fixed; 3] = [
    fixed("x-frame-options", "DENY"),
    fixed("x-xss-protection", "1; mode=block"),
    fixed(
        "content-security-policy",
        "default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data:;",
    ),
];
/// The fourth of them: under names of the world only, a browser would refuse plain http to localhost for a year.
static WORLD: [Fixed; 1] = [fixed("strict-transport-security", "max-age=31536000")];

/// As captured, in this case and without a blank.
pub(crate) const JSON: &str = "application/json;charset=UTF-8";

fn add(answer: &mut Answer, fields: &'static [Fixed]) {
    for (name, value) in fields {
        answer.headers.append(name, value.clone());
    }
}

/// What the Activity ID is recorded as.
const ACTIVITY: &str = "activity-id";

/// The Activity ID of an exchange, the same however often it is asked for: what events, pages and redirects call it.
pub(crate) fn activity(exchange: &mut Exchange) -> String {
    if let Some(known) = exchange.trail.activity_called(ACTIVITY) {
        return known.to_owned();
    }
    let query = exchange.request.query();
    let by_query = query.split('&').find_map(|pair| pair.strip_prefix("client-request-id="));
    let headers = &exchange.request.headers;
    let by_header = headers.get("client-request-id").and_then(|value| value.to_str().ok());
    // In the query it wins over the header ([MS-OAPX] 3.2.5.2.1.3).
    let sent = by_query.or(by_header).filter(|sent| is_guid(sent)).map(str::to_ascii_lowercase);
    let id = sent.unwrap_or_else(|| made(exchange));
    exchange.trail.activity(ACTIVITY, id.clone());
    id
}

/// One of AD FS's own: its last group looks like `00800x0000xx`.
fn made(exchange: &Exchange) -> String {
    let mut id = exchange.context.random().guid().to_string();
    let own: String = id[24..].to_owned();
    id.truncate(24);
    id.push_str("0080");
    id.push_str(&own[..2]);
    id.push_str("0000");
    id.push_str(&own[2..4]);
    id
}

/// Whether an exchange's service answers as Windows Server 2019 or later does.
fn is_2019(service: Option<&Arc<PreparedService>>) -> bool {
    service.is_some_and(|prepared| prepared.service.profile >= Profile::Server2019)
}

/// What every answer has.
pub(crate) fn dressed(exchange: &mut Exchange, mut answer: Answer) -> Answer {
    let found = service::of(exchange).cloned();
    add(&mut answer, &SERVER);
    if answer.status == StatusCode::OK && is_2019(found.as_ref()) {
        if exchange.by_world_name() {
            add(&mut answer, &WORLD);
        }
        for (name, value) in &SECURITY {
            // A page of ours has a stricter policy.
            answer.headers.entry(name).or_insert(value.clone());
        }
    }
    if let Some(found) = found {
        cors(exchange, &found, &mut answer);
    }
    answer
}

/// Says to a browser that another origin may read the answer, if the service trusts that origin. What a browser will do with
/// an answer that says nothing is told to whoever reads the exchange.
fn cors(exchange: &mut Exchange, found: &PreparedService, answer: &mut Answer) {
    let Some(origin) = exchange.request.headers.get(ORIGIN).and_then(|value| value.to_str().ok()) else {
        return;
    };
    if origin.eq_ignore_ascii_case(&exchange.own_base_url()) {
        return;
    }
    let trusted = &found.service.cors_trusted_origins;
    if is_2019_service(found) && trusted.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
        if let Ok(origin) = HeaderValue::from_str(origin) {
            answer.headers.append("access-control-allow-origin", origin);
        }
        answer.headers.append("vary", HeaderValue::from_static("Origin"));
        return;
    }
    let origin = mocktenant_verdict::foreign::excerpt(origin, 200).into_owned();
    exchange.trail.fact_from(
        "origin-not-trusted",
        format!("{origin}: a browser app there cannot read this answer"),
        found.service.pointer.cors_trusted_origins(),
    );
}

fn is_2019_service(found: &PreparedService) -> bool {
    found.service.profile >= Profile::Server2019
}

/// What a browser is told before it asks from another origin. Fields beyond the origin are inferred.
pub(crate) fn preflight(exchange: &mut Exchange) -> Answer {
    let asked = exchange.request.headers.get("access-control-request-headers").cloned();
    let mut answer = dressed(exchange, Answer::empty(StatusCode::OK));
    if answer.headers.contains_key("access-control-allow-origin") {
        answer = answer.with("access-control-allow-methods", "GET, POST, OPTIONS");
        if let Some(asked) = asked {
            answer.headers.append("access-control-allow-headers", asked);
        }
    }
    answer
}

/// A token answer.
pub(crate) fn token(exchange: &mut Exchange, status: StatusCode, body: Vec<u8>) -> Answer {
    let mut answer = Answer::typed(status, Content::Json(body.into(), JSON));
    add(&mut answer, &NOT_STORED);
    dressed(exchange, answer)
}

/// A refusal in the shape of its row.
pub(crate) fn refusal(exchange: &mut Exchange, error: &AdfsError) -> Answer {
    let row = error.row();
    exchange.trail.record_error(row.id);
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    match row.class {
        Told::OAuth(oauth) => token(exchange, status, errors::body(oauth, &error.text())),
        Told::Bearer(code) => {
            let challenge = match (code, error.text()) {
                ("", _) => String::from("Bearer"),
                (code, text) if text.is_empty() => format!("Bearer error=\"{code}\""),
                (code, text) => format!("Bearer error=\"{code}\", error_description=\"{text}\""),
            };
            let answer = Answer::empty(status).with_text("www-authenticate", &challenge);
            dressed(exchange, answer)
        }
        Told::Page => page::error(exchange, error, None),
    }
}

/// Whether a request only asks whether it may ask.
pub(crate) fn is_preflight(exchange: &Exchange) -> bool {
    exchange.request.method == Method::OPTIONS
}
