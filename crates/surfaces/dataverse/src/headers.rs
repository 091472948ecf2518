//! The header fields every answer of an organisation carries.
//!
//! Decides names and values as captured answers show them: request and activity ids, affinity cookies, service protection
//! budget. Requests are counted by user and window, as documented; nobody is refused for having none left, which is a fault of its own,
//! and the time never runs down. Strict-Transport-Security only under the
//! organisation's own names: on localhost it would outlive the lab. Captured answers also carry compression and `Date`,
//! which are the connection's affair.

use std::fmt::Write as _;

use http::StatusCode;
use mocktenant_lab::store::Key;
use mocktenant_lab::{Answer, Exchange, Store};
use mocktenant_odata::Guid;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::cors;

/// Requests of a user in a window (Microsoft Learn: Service protection API limits).
const REQUESTS: u64 = 6_000;

/// How long a window is.
const WINDOW: Duration = Duration::minutes(5);

/// How long the cookies live: 50 years, as captured.
const COOKIE_LIFE: Duration = Duration::days(18_262);

/// Adds the fields, and records the ids that people paste.
pub(crate) fn dress(exchange: &mut Exchange, answer: Answer) -> Answer {
    let random = exchange.context.random();
    let (request, activity, client) =
        (random.guid().to_string(), random.guid().to_string(), random.guid().to_string());
    let organization = exchange.context.organization();
    let organization = organization.and_then(|name| exchange.context.world().organization(name));
    let organization = organization.map(|one| one.id.clone()).unwrap_or_default();
    let server = digits(&organization);
    let expires = expiry(exchange.context.now());

    let left = burst(exchange, &answer);

    let mut answer = answer
        .with("cache-control", "no-cache")
        .with("expires", "-1")
        .with_text("x-ms-service-request-id", &request)
        .with_text("req_id", &request)
        .with_text("authactivityid", &activity)
        .with("crm.serviceid", "framework")
        .with("odata-version", "4.0")
        .with("x-ms-dop-hint", "4")
        .with("x-ms-ratelimit-time-remaining-xrm-requests", "1,200.00")
        .with_text("x-ms-ratelimit-burst-remaining-xrm-requests", &left)
        .with_text("x-source", &server)
        .with("public", "OPTIONS,GET,HEAD,POST")
        .with_text(
            "set-cookie",
            &format!("ARRAffinity={}; path=/; secure; HttpOnly", affinity(&organization)),
        )
        .with_text(
            "set-cookie",
            &format!("ReqClientId={client}; expires={expires}; path=/; secure; HttpOnly"),
        )
        .with_text(
            "set-cookie",
            &format!("orgId={organization}; expires={expires}; path=/; secure; HttpOnly"),
        );
    for (name, value) in cors::ALWAYS {
        answer = answer.with(name, value);
    }
    if exchange.by_world_name() {
        answer = answer.with("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    exchange.trail.activity("request-id", request);
    exchange.trail.activity("activity-id", activity);
    let sent =
        exchange.request.header("x-ms-client-request-id").filter(|id| id.len() <= 64).map(str::to_owned);
    if let Some(sent) = sent {
        exchange.trail.activity("client-request-id", sent);
    }
    answer
}

/// How many requests the user has left in this window, this one counted. A stranger's are not counted.
fn burst(exchange: &Exchange, answer: &Answer) -> String {
    let user = exchange.trail.learnt("user").filter(|_| answer.status != StatusCode::UNAUTHORIZED);
    let counted = || {
        let (now, key) = (exchange.context.now(), Key::new("xrm-requests", &user?.value));
        let scope = exchange.context.scope()?;
        let add = |store: &Store| store.add(&scope, key, 1, now.saturating_add(WINDOW), now);
        exchange.context.remember(add).ok()?.ok()
    };
    REQUESTS.saturating_sub(counted().unwrap_or(0)).to_string()
}

/// One value per organisation: a lab has one server each.
fn affinity(organization: &str) -> String {
    format!(
        "{:032x}{:032x}",
        crate::store::digest(&["affinity", organization]),
        crate::store::digest(&[organization])
    )
}

/// 32 bytes in decimal without separators, as `X-Source` looks.
fn digits(organization: &str) -> String {
    let bytes = Guid::parse(organization).map_or([0; 16], |id| *id.as_bytes());
    bytes.iter().chain(bytes.iter().rev()).fold(String::with_capacity(96), |mut digits, byte| {
        // writing to a string cannot fail
        let _ = write!(digits, "{byte}");
        digits
    })
}

fn expiry(now: OffsetDateTime) -> String {
    let format = format_description!(
        "[weekday repr:short], [day]-[month repr:short]-[year] [hour]:[minute]:[second] GMT"
    );
    mocktenant_lab::written(now.saturating_add(COOKIE_LIFE), format)
}
