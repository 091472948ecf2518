//! The page at the tools port's `/`: for whoever opened it in a browser and is lost.
//!
//! Decides what such a person needs at a glance: where everything answers, what happened last and why it was refused, which
//! worlds there are, where to read on. All of it is data that the other endpoints give. One page, no scripts, no secrets;
//! whoever may not use the control API does not see it either.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use http::header::CONTENT_SECURITY_POLICY;
use mocktenant_lab::escaped;
use mocktenant_lab::journal::Record;
use mocktenant_scenario as scenario;
use mocktenant_verdict::foreign::{excerpt, harmless};

use crate::ControlState;

/// Exchanges shown: what fits on a screen.
const SHOWN: usize = 25;
/// Longest text of a stranger in a cell.
const LONGEST: usize = 120;
/// Nothing is loaded and nothing runs; the style is the page's own.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

const HEAD: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>mocktenant</title>\
<meta name=\"viewport\" content=\"width=device-width\"><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}\
td{border-top:1px solid #8884}code{font-size:.9em}.bad{color:#c33;font-weight:600}.good{color:#383}\
</style></head><body>\n";

/// `GET /`.
pub(crate) async fn page(State(state): State<ControlState>) -> Response {
    let mut page = String::with_capacity(16 * 1024);
    page.push_str(HEAD);
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        page,
        "<h1>mocktenant {}</h1>\n<p>A Microsoft tenant on localhost, for tests. Not Microsoft's, and not affiliated with \
         Microsoft.</p>\n",
        cell(state.version)
    );
    places(&mut page, &state);
    exchanges(&mut page, &state);
    scenarios(&mut page);
    page.push_str(
        "<h2>Read on</h2>\n<p><a href=\"/v1/openapi.json\">The control API</a> · <a href=\"/v1/journal\">journal</a> · \
         <a href=\"/v1/explain?format=text\">why the last call was refused</a> · <a href=\"/v1/world?masked=true\">world</a> \
         · <a href=\"/v1/errors\">every error text</a> · <a href=\"/ca.pem\">ca.pem</a></p>\n\
         <p>On a command line: <code>mocktenant --help</code></p>\n</body></html>\n",
    );
    let mut response = Html(page).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, http::HeaderValue::from_static(POLICY));
    response
}

/// Where everything answers.
fn places(page: &mut String, state: &ControlState) {
    let Some(settings) = state.settings.get() else {
        page.push_str("<p>The lab is still starting.</p>\n");
        return;
    };
    page.push_str("<h2>Where to point a client</h2>\n<table>\n");
    let mut row = |name: &str, url: &str, note: &str| {
        if !url.is_empty() {
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
                cell(name),
                cell(url),
                cell(note)
            );
        }
    };
    row("Entra ID", &settings.entra.authority, &settings.entra.tenant_domain);
    for (name, aos) in &settings.aos {
        row("AOS", &aos.url, name);
    }
    row("Dataverse", &settings.dataverse.url, "");
    row("This page and the control API", &settings.control_url, "");
    row("CA to trust", &settings.ca_pem.to_string_lossy(), "local and declared names, never Microsoft's");
    page.push_str("</table>\n<p>Ids, secrets and files: <code>mocktenant settings</code></p>\n");
}

/// What happened last, newest first, each with its verdict.
fn exchanges(page: &mut String, state: &ControlState) {
    let records = state.lab.journal().records();
    page.push_str("<h2>What happened last</h2>\n");
    if records.is_empty() {
        page.push_str("<p>Nothing yet: <code>mocktenant try</code> creates a customer.</p>\n");
        return;
    }
    page.push_str(
        "<table>\n<tr><th>UTC</th><th>product</th><th>request</th><th>verdict</th><th></th></tr>\n",
    );
    for record in records.iter().rev().take(SHOWN) {
        let at = record.at;
        let request = match record.kind.word() {
            Some(word) => String::from(word),
            None => format!("{} {}", record.method, record.shown_target()),
        };
        let (class, verdict) = verdict(record);
        let _ = writeln!(
            page,
            "<tr><td>{:02}:{:02}:{:02}</td><td>{}</td><td><code>{}</code></td><td class=\"{class}\">{}</td>\
             <td><a href=\"/v1/explain?format=text&amp;what={id}\">{id}</a></td></tr>",
            at.hour(),
            at.minute(),
            at.second(),
            cell(state.lab.title(&record.surface)),
            cell(&request),
            cell(&verdict),
            id = cell(&record.id),
        );
    }
    page.push_str("</table>\n");
}

fn verdict(record: &Record) -> (&'static str, String) {
    let status = if record.status == 0 { String::new() } else { format!("{} ", record.status) };
    if !record.refused() {
        return ("good", format!("{status}accepted"));
    }
    let mask = record.mask();
    let why = match (record.fact(mocktenant_lab::NOT_BUILT), record.failed_check()) {
        (Some(missing), _) => format!("not built in this lab: {}", mask.text(&missing.value)),
        (None, Some(check)) => format!(
            "{}: expected {}, got {}",
            check.name,
            mask.text(&check.expected),
            mask.text(&check.actual)
        ),
        (None, None) => record.error.as_deref().unwrap_or("refused").to_owned(),
    };
    ("bad", format!("{status}{why}"))
}

/// The broken worlds there are.
fn scenarios(page: &mut String) {
    page.push_str("<h2>Broken worlds</h2>\n<table>\n");
    for scenario in scenario::all() {
        let _ = writeln!(
            page,
            "<tr><td><code>mocktenant scenarios --use {}</code></td><td>{}</td></tr>",
            cell(&scenario.name),
            cell(&scenario.title)
        );
    }
    page.push_str("</table>\n<p>Back to the healthy one: <code>mocktenant scenarios --reset</code></p>\n");
}

/// A text in the page: visible, not too long, and text.
fn cell(text: &str) -> String {
    escaped(&harmless(&excerpt(text, LONGEST))).into_owned()
}
