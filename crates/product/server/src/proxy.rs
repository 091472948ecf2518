//! The forward proxy on the tools port: Microsoft's own names for any client, without root, hosts file or port 443.
//!
//! Decides what a request to the tools port asks for: a tunnel to a name of the world (`CONNECT`, RFC 9110 section 9.3.6),
//! a page of such a name over http (absolute form, RFC 9112 section 3.2.2), or the tools themselves. Everything else is
//! refused in one line, and a line of the log says where it goes instead. Never opens a connection to anybody: a tunnel ends
//! in this process. A name whose machine is stopped refuses connections, which a forward proxy passes on as 502 (RFC 9209,
//! `connection_refused`). Mirrors no product; it is how a client gets to those that are played.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, TRANSFER_ENCODING};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use mocktenant_lab::Entrance;
use mocktenant_lab::request::HostName;

use crate::names::Names;

/// The ports a tunnel may be opened to.
const PORTS: [u16; 2] = [443, 80];

/// Fields that are for the proxy and nobody behind it.
const FOR_THE_PROXY: [HeaderName; 2] =
    [http::header::PROXY_AUTHORIZATION, HeaderName::from_static("proxy-connection")];

/// A name of the world, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) name: Arc<str>,
    pub(crate) entrance: Entrance,
}

/// What a request to the tools port asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The tools themselves.
    Tools,
    /// A tunnel.
    Tunnel(Way),
    /// A request to be handed on.
    Forward(Way),
    /// Nothing that is given.
    Refused(Response<Full<Bytes>>),
}

/// Reads the request's head. `port` is that of the tools.
pub(crate) fn asked<B>(request: &Request<B>, names: &Names, port: u16, peer: SocketAddr) -> Asked {
    let refused = |status, why: String| {
        tracing::warn!(%peer, "the proxy refuses: {why}");
        let mut response = Response::new(Full::from(format!("{why}\n")));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        Asked::Refused(response)
    };
    let uri = request.uri();
    let tunnel = request.method() == Method::CONNECT;
    if !tunnel && (uri.scheme().is_none() || request.version() > Version::HTTP_11) {
        // Origin form; and HTTP/2 writes every address whole.
        return Asked::Tools;
    }
    if tunnel && request.version() > Version::HTTP_11 {
        return refused(StatusCode::NOT_IMPLEMENTED, String::from("a tunnel is opened over HTTP/1.1"));
    }
    if tunnel && has_body(request.headers()) {
        return refused(StatusCode::BAD_REQUEST, String::from("CONNECT has no body"));
    }
    // Neither userinfo nor a zone is part of a host.
    let Some(host) = uri.authority().and_then(|authority| HostName::parse(authority.as_str())) else {
        return refused(StatusCode::BAD_REQUEST, String::from("no host name and port to go to"));
    };
    let port_asked = match (host.port, tunnel) {
        (Some(port), _) => port,
        (None, false) => 80,
        (None, true) => return refused(StatusCode::BAD_REQUEST, String::from("CONNECT needs a port")),
    };
    if !tunnel && is_at(&host, port) {
        return Asked::Tools;
    }
    let name = host.name;
    if !tunnel && uri.scheme() != Some(&Scheme::HTTP) {
        return refused(StatusCode::FORBIDDEN, format!("https to {name} goes through a tunnel (CONNECT)"));
    }
    let open = if tunnel { PORTS.contains(&port_asked) } else { port_asked == 80 };
    let entrance = names.entrance_of(&name).filter(|_| open);
    if let Some(stopped) = entrance.as_ref().and_then(|_| names.stopped_at(&name)) {
        let why = format!(
            "{name}:{port_asked} refuses connections: {stopped} is stopped; `mocktenant start {name}` starts it"
        );
        return refused(StatusCode::BAD_GATEWAY, why);
    }
    match entrance {
        Some(entrance) if tunnel => Asked::Tunnel(Way { name: name.into(), entrance }),
        Some(entrance) => Asked::Forward(Way { name: name.into(), entrance }),
        None => {
            let why = format!(
                "{name}:{port_asked} is not of this world; nothing leaves it: put {name} in NO_PROXY"
            );
            refused(StatusCode::FORBIDDEN, why)
        }
    }
}

/// Takes out what is meant for the proxy alone.
pub(crate) fn unwrapped<B>(mut request: Request<B>) -> Request<B> {
    for name in &FOR_THE_PROXY {
        request.headers_mut().remove(name);
    }
    request
}

/// Whether `host` is the proxy's own address: a client may write it inside a tunnel and mean the tunnel's name.
pub(crate) fn is_own(host: &str, port: u16) -> bool {
    HostName::parse(host).is_some_and(|host| is_at(&host, port))
}

fn is_at(host: &HostName, port: u16) -> bool {
    host.port == Some(port) && host.is_local()
}

fn has_body(headers: &HeaderMap) -> bool {
    let announced = headers.get_all(CONTENT_LENGTH).iter().any(|length| length.as_bytes() != b"0");
    announced || headers.contains_key(TRANSFER_ENCODING)
}
