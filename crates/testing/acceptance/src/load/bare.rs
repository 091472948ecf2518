//! The honest limit: a server that signs the same bytes with the same key, sends the same answer, and nothing else.
//!
//! hyper and rustls as the measured server has them, but no routes, no world, no checks, no journal, no deadlines. What it
//! is told to send is an answer that the measured server gave: of it only the signature is made anew. Of a request it looks
//! for an assertion and verifies its signature, once. It runs as a child of the load test, in the same rounds, so that both
//! are counted by the CPU time of a process.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use mocktenant_keys::{Algorithm, CaFiles, LabCa, PublicKey, shipped};
use mocktenant_lab::real_now;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::Failure;

/// The answer to give, under the child's state directory.
pub(crate) const ANSWER_FILE: &str = "bare-answer.http";

/// Before the assertion in a form; it is compact and needs no decoding.
const ASSERTION: &[u8] = b"&client_assertion=";

/// Serves on two free ports, http and https, and prints them as `HTTP HTTPS`. Ends when its standard input does: with its
/// parent at the latest. `state` is that of the measured server: both speak for `localhost` with leaves of one CA.
pub(crate) fn serve(state: &Path) -> Result<(), Failure> {
    let answer = Arc::new(Answer::read(&std::fs::read(state.join(ANSWER_FILE))?)?);
    let acceptor = TlsAcceptor::from(tls(state)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (plain, secure) = runtime.block_on(async {
        let port = (Ipv4Addr::LOCALHOST, 0);
        Ok::<_, Failure>((TcpListener::bind(port).await?, TcpListener::bind(port).await?))
    })?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{} {}", plain.local_addr()?.port(), secure.local_addr()?.port())?;
    stdout.flush()?;
    runtime.spawn(accept(plain, None, Arc::clone(&answer)));
    runtime.spawn(accept(secure, Some(acceptor), answer));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    runtime.shutdown_background();
    Ok(())
}

fn tls(state: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let files = CaFiles::from_bundle(&std::fs::read_to_string(state.join("ca-keys.pem"))?);
    let leaf = LabCa::from_files(&files.ok_or("ca-keys.pem is no CA")?)?.leaf("localhost", real_now())?;
    let chain = leaf.chain_der.into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key_pkcs8_der));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, answer: Arc<Answer>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        let (tls, answer) = (tls.clone(), Arc::clone(&answer));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, answer).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, answer).await;
                    }
                }
            }
        });
    }
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send>(stream: S, answer: Arc<Answer>) {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            let body = request.into_body().collect().await.map(Collected::to_bytes).unwrap_or_default();
            Ok::<_, Infallible>(answer.to(&body))
        }
    });
    // A connection that breaks is its caller's to report.
    let _ =
        http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service).await;
}

/// An answer with a token in it, ready to be signed and sent.
struct Answer {
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The body up to the signature, and from its end on.
    around: (Vec<u8>, Vec<u8>),
    /// Header, dot and claims.
    signed: std::ops::Range<usize>,
    client: PublicKey,
}

impl Answer {
    /// Takes an answer of the measured server apart.
    fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(bytes)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("an answer without a body")?;
        let mut headers = Vec::new();
        for line in head.split("\r\n").skip(1) {
            let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
            if !name.eq_ignore_ascii_case("content-length") {
                headers.push((name.parse()?, value.trim().parse()?));
            }
        }
        let member = "\"access_token\":\"";
        let token = body.find(member).ok_or("an answer without a token")? + member.len();
        let end = token + body[token..].find('"').ok_or("a token without an end")?;
        let signature = token + body[token..end].rfind('.').ok_or("a token without a signature")? + 1;
        let client = shipped::sample_client().certificate().public_key();
        Ok(Self {
            headers,
            around: (body[..signature].into(), body[end..].into()),
            signed: token..signature - 1,
            client: client.map_err(Clone::clone)?.clone(),
        })
    }

    fn to(&self, request: &[u8]) -> Response<Full<Bytes>> {
        let verified = request
            .windows(ASSERTION.len())
            .position(|window| window == ASSERTION)
            .is_none_or(|at| self.verify(&request[at + ASSERTION.len()..]));
        let body = self.body().filter(|_| verified);
        let mut response = Response::new(Full::default());
        // Anything but 200 ends the measurement: an answer without a signature must not count.
        match body {
            Some(body) => *response.body_mut() = Full::new(body),
            None => *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR,
        }
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }

    fn verify(&self, rest: &[u8]) -> bool {
        let assertion = rest.split(|byte| *byte == b'&').next().unwrap_or_default();
        let Some(dot) = assertion.iter().rposition(|byte| *byte == b'.') else { return false };
        let signature = URL_SAFE_NO_PAD.decode(&assertion[dot + 1..]).unwrap_or_default();
        self.client.verify(Algorithm::Rs256, &assertion[..dot], &signature)
    }

    fn body(&self) -> Option<Bytes> {
        let (before, after) = &self.around;
        let key = shipped::token_signing().key();
        let signature = key.sign(Algorithm::Rs256, &before[self.signed.clone()]).ok()?;
        let mut body = String::with_capacity(before.len() + 344 + after.len());
        body.push_str(std::str::from_utf8(before).ok()?);
        URL_SAFE_NO_PAD.encode_string(signature, &mut body);
        body.push_str(std::str::from_utf8(after).ok()?);
        Some(body.into())
    }
}
