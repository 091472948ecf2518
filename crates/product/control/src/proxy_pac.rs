//! Proxy auto-configuration: the names of the world go to the lab's forward proxy, everything else where it went before.
//!
//! Decides nothing but the text; which names there are is the lab's. A browser asks for it without a token, and it tells no
//! more than the names.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HOST};
use mocktenant_lab::request::HostName;
use serde_json::json;

use crate::ControlState;

/// `GET /proxy.pac`. The proxy is named as it was reached.
pub(crate) async fn pac(State(state): State<ControlState>, headers: HeaderMap) -> Response {
    // The guard let through only what is an address or a name of this machine.
    let asked = headers.get(HOST).and_then(|host| HostName::parse(host.to_str().ok()?));
    let host = match asked {
        Some(host) if host.name.contains(':') => format!("[{}]", host.name),
        Some(host) => host.name,
        None => String::from("localhost"),
    };
    let names: Vec<String> = state.lab.hosts().iter().map(|(name, _)| name.clone()).collect();
    let text = format!(
        "// The names of this lab's world go to the lab; everything else goes where it went.\n\
         function FindProxyForURL(url, host) {{\n  \
         var world = {};\n  \
         return world.indexOf(host.toLowerCase()) >= 0 ? \"PROXY {host}:{}\" : \"DIRECT\";\n}}\n",
        json!(names),
        state.port
    );
    ([(CONTENT_TYPE, "application/x-ns-proxy-autoconfig")], text).into_response()
}
