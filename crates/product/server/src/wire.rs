//! One HTTP call to one address: connect, TLS, request, bounded answer.
//!
//! Decides how a call fails ([`CallError`]); never decides which address a name means. HTTP/1.1, one connection per call:
//! what is called is on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Method, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use mocktenant_lab::outbound::{Call, CallError, REPLY_BYTES, Reply, Target};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

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
    *request.uri_mut() = Uri::from(target.path().clone());
    *request.headers_mut() = call.headers;
    if !request.headers().contains_key(HOST) {
        request.headers_mut().insert(HOST, HeaderValue::from_str(target.authority())?);
    }
    Ok(request)
}

/// A call without body.
pub(crate) fn bare(method: Method, url: &str) -> Call {
    Call { method, url: url.to_owned(), headers: HeaderMap::new(), body: bytes::Bytes::new() }
}
