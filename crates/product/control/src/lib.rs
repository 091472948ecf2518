//! The control API on the tools port: reads and changes one running lab.
//!
//! Decides who may speak to it ([`Peer`] and the rules in `guard`), the shape of its documents, and that every refusal
//! is an RFC 9457 problem. Never decides anything about an emulated product and never appears on a surface's port: its
//! answers are the project's own, so ordinary HTTP layers are at home here and nowhere else. Mirrors no real product.

mod application_groups;
mod attempt;
pub mod authority;
mod body;
mod endpoint;
pub mod endpoints;
mod environments;
mod errors;
mod events;
mod explain;
mod front;
mod guard;
mod health;
mod journal;
mod neighbour;
mod network;
mod openapi;
mod problem;
mod proxy_pac;
mod rollover;
mod scenarios;
pub mod settings;
mod stopping;
mod strict_json;
mod tag;
mod tokens;
mod users;
mod world;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use mocktenant_lab::Lab;
use mocktenant_lab::outbound::Outbound;
use mocktenant_lab::request::BodyError;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

pub use body::BODY_BUDGET;
pub use journal::LONGEST_WAIT;

/// Everything the control API works on.
#[derive(Clone)]
pub struct ControlState {
    /// The lab.
    pub lab: Lab,
    /// The lab's instance id, the same as in `settings.json`.
    pub instance: String,
    /// The program's version.
    pub version: &'static str,
    /// Set once every listener answers and every environment was started.
    pub ready: Arc<AtomicBool>,
    /// The lab's settings document, once it is known.
    pub settings: Arc<settings::Published>,
    /// How the declared caller's own requests travel: as those of any client of the lab.
    pub caller: Arc<dyn Outbound>,
    /// The lab's certificate authority.
    pub ca: Arc<dyn authority::Authority>,
    /// The tools port.
    pub port: u16,
    /// Names besides localhost that lead to this machine and to nothing else: its own, those of the public URLs.
    pub own_names: Arc<[String]>,
    /// What this machine calls itself.
    pub machine: String,
    /// The folder in which others find the roots, if there is one.
    pub ca_directory: Option<PathBuf>,
    /// Bearer token every call but the free ones must carry, if there is one.
    pub token: Option<String>,
    /// Without a token: whether callers from beyond the loopback interface, and other users of this machine, are let in.
    pub open: bool,
}

/// The caller of a connection. Whoever owns the socket inserts it as a request extension, the same for all requests of the
/// connection; a request without it, or without an address in it, counts as not coming from this machine.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    address: Option<SocketAddr>,
    /// Whose process it is: asked once, for a connection does not change hands.
    neighbour: Arc<OnceLock<neighbour::Neighbour>>,
}

impl Peer {
    /// The caller at this address.
    pub fn at(address: SocketAddr) -> Self {
        Self { address: Some(address), neighbour: Arc::default() }
    }
}

/// Why the body of a request could not be had. Whoever owns the socket reads bodies, within their budgets of bytes and
/// time, and inserts this as a request extension in place of one.
#[derive(Clone, Copy, Debug)]
pub struct Unread(pub BodyError);

/// Longer than the longest wait and the longest outgoing call of a restart.
const DEADLINE: Duration = Duration::from_secs(120);

/// The control API as one service.
pub fn router(state: ControlState) -> Router {
    let mount = |free: bool| {
        let table = endpoints::ALL.iter().filter(move |endpoint| endpoint.free == free);
        table.fold(Router::new(), |router, endpoint| router.route(endpoint.path, (endpoint.handler)()))
    };
    let guarded = mount(false)
        .fallback(problem::not_found)
        .route_layer(from_fn(body::arrived))
        .route_layer(from_fn_with_state(state.clone(), guard::authorised));
    let layers = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ))
        .layer(from_fn(problem::everywhere))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE))
        .layer(from_fn_with_state(state.clone(), guard::no_stranger))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_BUDGET));
    mount(true).merge(guarded).layer(layers).with_state(state)
}

#[cfg(test)]
mod tests;
