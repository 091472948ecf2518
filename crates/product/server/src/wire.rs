//! One HTTP call to one address: connect, TLS, request, bounded answer.
//!
//! Decides how a call fails ([`CallError`]); never decides which address a name means. HTTP/1.1, one connection per call:
//! what is called is on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mocktenant_lab::outbound::{Call, CallError, Reply};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The largest answer, in bytes.
pub(crate) const REPLY_BYTES: usize = 8 * 1024 * 1024;

/// Where a URL points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Lower case, no final dot, no brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) secure: bool,
    /// `Host` as a client writes it: the port only where it is not the scheme's own.
    authority: String,
    path: PathAndQuery,
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, CallError> {
        let bad = |why: &str| CallError::BadUrl { url: url.to_owned(), why: why.to_owned() };
        let uri: Uri = url.parse().map_err(|why: http::uri::InvalidUri| bad(&why.to_string()))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) => return Err(bad("its scheme is neither http nor https")),
            None => return Err(bad("it has no scheme")),
        };
        let written = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("it names no host"))?;
        let host =
            mocktenant_lab::request::HostName::parse(written).ok_or_else(|| bad("its host is no name"))?.name;
        let own = if secure { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(own);
        let authority = if port == own { written.to_owned() } else { format!("{written}:{port}") };
        let path = match uri.path_and_query() {
            Some(path) if path.as_str().starts_with('/') => path.clone(),
            // `https://host?query`: the path is empty, and a request line needs one.
            Some(path) => {
                format!("/{}", path.as_str()).parse().map_err(|_| bad("its query cannot be sent"))?
            }
            None => PathAndQuery::from_static("/"),
        };
        Ok(Self { host, port, secure, authority, path })
    }

    /// Whether the URL names nothing below scheme, host and port.
    pub(crate) fn is_origin(&self) -> bool {
        self.path == "/"
    }
}

/// Makes one call to the first address that takes it.
pub(crate) async fn call(
    call: Call,
    target: &Target,
    addresses: &[SocketAddr],
    tls: &Arc<ClientConfig>,
    timeout: Duration,
) -> Result<Reply, CallError> {
    let whole = async {
        let stream = connect(target, addresses).await?;
        if target.secure {
            let tls_failed = |why: String| CallError::Tls { host: target.host.clone(), why };
            let name =
                ServerName::try_from(target.host.clone()).map_err(|error| tls_failed(error.to_string()))?;
            let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
            converse(call, target, stream.map_err(|error| tls_failed(error.to_string()))?).await
        } else {
            converse(call, target, stream).await
        }
    };
    match tokio::time::timeout(timeout, whole).await {
        Ok(outcome) => outcome,
        Err(_) => Err(CallError::Timeout { host: target.host.clone(), seconds: timeout.as_secs() }),
    }
}

async fn connect(target: &Target, addresses: &[SocketAddr]) -> Result<TcpStream, CallError> {
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Only a matter of speed.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => tracing::debug!(%address, %error, "cannot connect"),
        }
    }
    Err(CallError::Refused { host: target.host.clone(), port: target.port })
}

async fn converse<I>(call: Call, target: &Target, stream: I) -> Result<Reply, CallError>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |why: String| CallError::Broken { host: target.host.clone(), why };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(error.to_string()))?;
    let request = request(call, target).map_err(|error| broken(error.to_string()))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| broken(error.to_string()))?;
        let (head, body) = response.into_parts();
        let body =
            Limited::new(body, REPLY_BYTES).collect().await.map_err(|error| broken(error.to_string()))?;
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes() })
    };
    let mut connection = std::pin::pin!(connection);
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        biased;
        outcome = &mut exchange => outcome,
        // The connection may end before its answer was taken out of it.
        _ = &mut connection => exchange.await,
    }
}

fn request(call: Call, target: &Target) -> Result<http::Request<Full<bytes::Bytes>>, http::Error> {
    let mut request = http::Request::new(Full::new(call.body));
    *request.method_mut() = call.method;
    *request.uri_mut() = Uri::from(target.path.clone());
    *request.headers_mut() = call.headers;
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(&target.authority)?);
    }
    Ok(request)
}

/// A call without body.
pub(crate) fn bare(method: Method, url: &str) -> Call {
    Call { method, url: url.to_owned(), headers: HeaderMap::new(), body: bytes::Bytes::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_and_anything_else_is_refused() {
        let target = Target::parse("HTTPS://Login.Windows.NET./a?b").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.secure), ("login.windows.net", 443, true));
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/a?b", "Login.Windows.NET."));
        let target = Target::parse("http://u:p@[::1]:7443").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("::1", 7443, "/"));
        assert_eq!(target.authority, "[::1]:7443");
        assert_eq!(Target::parse("https://a?b=c").unwrap().path.as_str(), "/?b=c");
        for bad in [
            "",
            "/a",
            "a",
            "localhost:7443",
            "ftp://a/",
            "https://",
            "https:///a",
            "https://a b/",
            "https://é/",
        ] {
            assert!(matches!(Target::parse(bad), Err(CallError::BadUrl { .. })), "{bad}");
        }
    }
}
