//! Who may speak to the control API.
//!
//! Decides the browser and host rules: a web page anywhere must be unable to drive a developer's lab, neither by a
//! simple request, nor through a name that suddenly resolves to 127.0.0.1, nor from another machine. `Origin` and
//! `Sec-Fetch-Site` are those of the Fetch standard; there is no CORS to allow anything by.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Method, StatusCode, Uri};
use mocktenant_lab::request::HostName;
use subtle::ConstantTimeEq as _;

use crate::neighbour::{self, Neighbour};
use crate::problem::Problem;
use crate::{ControlState, Peer, body};

/// Rules for every path, free ones included.
pub(crate) async fn no_stranger(State(state): State<ControlState>, request: Request, next: Next) -> Response {
    let verdict = host(&state, &request)
        .and_then(|host| origin(request.headers(), &host))
        .and_then(|()| fetch_site(request.headers()))
        .and_then(|()| media_type(request.method(), request.headers()));
    match verdict {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Rules for everything but health, version and the CA.
pub(crate) async fn authorised(State(state): State<ControlState>, request: Request, next: Next) -> Response {
    let verdict = match &state.token {
        Some(token) => bearer(request.headers(), token),
        None if state.open => Ok(()),
        None => near(request.extensions().get::<Peer>().cloned().unwrap_or_default(), state.port).await,
    };
    match verdict {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// `Host` (or `:authority`) must be a name no stranger's DNS can point here.
fn host(state: &ControlState, request: &Request) -> Result<HostName, Problem> {
    let mut values = request.headers().get_all(HOST).iter();
    let sent = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::to_owned),
        (None, _) => request.uri().authority().map(|authority| authority.as_str().to_owned()),
        (Some(_), Some(_)) => None,
    };
    let refused = || {
        let shown: String = sent.as_deref().unwrap_or_default().escape_debug().take(80).collect();
        Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            format!(
                "host {shown:?} is no address, localhost, name of this machine or host of this world; call an address, \
                 or declare the name as a host or in a public URL"
            ),
        )
    };
    let host = sent.as_deref().and_then(HostName::parse).ok_or_else(refused)?;
    // A single label is no proof of nearness: a search domain, or the next router, may say where it leads.
    let undisputed = host.name == "localhost" || host.name.parse::<std::net::IpAddr>().is_ok();
    let own = || state.own_names.iter().any(|name| name.eq_ignore_ascii_case(&host.name));
    let declared = || state.lab.hosts().iter().any(|(name, _)| *name == host.name);
    if undisputed || own() || declared() { Ok(host) } else { Err(refused()) }
}

/// `Origin` absent, or the very host the request was sent to.
fn origin(headers: &HeaderMap, host: &HostName) -> Result<(), Problem> {
    let mut origins = headers.get_all(ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        return Ok(());
    }
    let own = origins.all(|origin| origin.to_str().is_ok_and(|origin| same_origin(origin, host)));
    if own {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "pages of another origin may not call this"))
    }
}

fn same_origin(origin: &str, host: &HostName) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let default = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    let Some(named) = origin.authority().and_then(|authority| HostName::parse(authority.as_str())) else {
        return false;
    };
    named.name == host.name && named.port.unwrap_or(default) == host.port.unwrap_or(default)
}

/// `Sec-Fetch-Site` absent, `none` (typed into the address bar) or `same-origin`.
fn fetch_site(headers: &HeaderMap) -> Result<(), Problem> {
    let ours = |value: &http::HeaderValue| matches!(value.as_bytes(), b"none" | b"same-origin");
    if headers.get_all("sec-fetch-site").iter().all(ours) {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "pages of another site may not call this"))
    }
}

/// Writes say that they are JSON, which no form and no simple request of a page can.
fn media_type(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || body::is_json(headers) {
        return Ok(());
    }
    let detail = "a write needs `Content-Type: application/json` (or application/json-patch+json), with or without a body";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

fn bearer(headers: &HeaderMap, token: &str) -> Result<(), Problem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let sent = match (values.next(), values.next()) {
        (Some(value), None) => value.as_bytes(),
        _ => b"",
    };
    let credentials = sent
        .split_at_checked(7)
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .map_or(&b""[..], |(_, credentials)| credentials);
    // Without stopping at the first difference: only the length may show in the time taken.
    let same = bool::from(credentials.trim_ascii().ct_eq(token.as_bytes()));
    if same && !token.is_empty() {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::UNAUTHORIZED, "this lab's control token is needed as a bearer token"))
    }
}

/// Without a token: only this machine, and there only whoever could read the state directory as well.
async fn near(peer: Peer, port: u16) -> Result<(), Problem> {
    let address = peer.address.filter(|address| address.ip().to_canonical().is_loopback());
    let Some(address) = address else {
        let detail = "without a control token only this machine may call; set MOCKTENANT_CONTROL_TOKEN, or start with --control open";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    };
    let neighbour = match peer.neighbour.get() {
        Some(known) => *known,
        None => {
            let found = neighbour::of(address, port).await;
            *peer.neighbour.get_or_init(|| found)
        }
    };
    match neighbour {
        Neighbour::Own | Neighbour::Unknown => Ok(()),
        Neighbour::Stranger => {
            let detail = "without a control token only the user who started the lab may call; set MOCKTENANT_CONTROL_TOKEN, or start with --control open";
            Err(Problem::new(StatusCode::FORBIDDEN, detail))
        }
    }
}
