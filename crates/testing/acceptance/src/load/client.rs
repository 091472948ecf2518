//! The callers: keep-alive HTTP/1.1 on blocking sockets, one request at a time on each connection.
//!
//! Written by hand so that the caller costs little beside the server it shares the machine with. Every answer is read
//! whole and must be 200.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::real_now;
use mocktenant_token::{HeaderSegment, mint};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

use crate::Failure;
use crate::server::{Bare, Server};

/// In bytes, with its head.
const LARGEST_ANSWER: usize = 32 * 1024;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A token by secret over http.
    Secret,
    /// A token by certificate assertion over http.
    Certificate,
    /// A token by secret over https.
    SecureSecret,
    /// The discovery document over http.
    Discovery,
    /// The signing keys over http.
    Keys,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Secret, Self::Certificate, Self::SecureSecret, Self::Discovery, Self::Keys];

    /// As the report names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Secret => "token by secret, http",
            Self::Certificate => "token by certificate, http",
            Self::SecureSecret => "token by secret, https",
            Self::Discovery => "discovery document, http",
            Self::Keys => "keys (JWKS), http",
        }
    }

    /// Whether the answer is a token.
    pub(crate) fn is_token(self) -> bool {
        !matches!(self, Self::Discovery | Self::Keys)
    }
}

/// Whom to ask, and the requests ready to be sent.
pub(crate) struct Target {
    http: String,
    https: String,
    requests: Vec<(Kind, Arc<[u8]>)>,
    tls: Arc<ClientConfig>,
}

impl Target {
    /// Reads the server's settings and makes the requests.
    pub(crate) fn of(server: &Server) -> Result<Self, Failure> {
        let base = server.setting("/entra/base_url")?;
        let port = base.rsplit_once(':').map_or("443", |(_, port)| port);
        let host = format!("localhost:{port}");
        let tenant = server.setting("/entra/tenant_id")?;
        let client = server.setting("/entra/client_id")?;
        let secret = server.setting("/entra/client_secret")?;
        let resource = server.setting("/dataverse/resource")?;
        let endpoint = format!("/{tenant}/oauth2/v2.0/token");
        let scope = encoded(&format!("{resource}/.default"));
        let common = format!("grant_type=client_credentials&client_id={client}&scope={scope}");
        let by_secret = post(&host, &endpoint, &format!("{common}&client_secret={}", encoded(secret)));
        let by_certificate = format!(
            "{common}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={}",
            assertion(tenant, client)?
        );
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(server.setting("/ca_pem")?)? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let requests = vec![
            (Kind::Secret, Arc::clone(&by_secret)),
            (Kind::Certificate, post(&host, &endpoint, &by_certificate)),
            (Kind::SecureSecret, by_secret),
            (Kind::Discovery, get(&host, &format!("/{tenant}/v2.0/.well-known/openid-configuration"))),
            (Kind::Keys, get(&host, &format!("/{tenant}/discovery/v2.0/keys"))),
        ];
        let address = format!("127.0.0.1:{port}");
        Ok(Self { http: address.clone(), https: address, requests, tls: Arc::new(tls) })
    }

    /// The same requests to the bare server.
    pub(crate) fn bare(&self, bare: &Bare) -> Self {
        let [http, https] = [bare.http, bare.https].map(|port| format!("127.0.0.1:{port}"));
        Self { http, https, requests: self.requests.clone(), tls: Arc::clone(&self.tls) }
    }

    /// One answer, as it came.
    pub(crate) fn answer(&self, kind: Kind) -> Result<Vec<u8>, Failure> {
        let mut stream = self.connect(kind)?;
        stream.write_all(&self.request(kind)?)?;
        read_answer(&mut *stream, &mut vec![0; LARGEST_ANSWER]).map(<[u8]>::to_vec)
    }

    fn connect(&self, kind: Kind) -> Result<Box<dyn ReadWrite>, Failure> {
        let secure = kind == Kind::SecureSecret;
        let stream = TcpStream::connect(if secure { &self.https } else { &self.http })?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let connection = ClientConnection::new(Arc::clone(&self.tls), ServerName::try_from("localhost")?)?;
        Ok(Box::new(StreamOwned::new(connection, stream)))
    }

    fn request(&self, kind: Kind) -> Result<Arc<[u8]>, Failure> {
        let found = self.requests.iter().find(|(known, _)| *known == kind);
        found.map(|(_, request)| Arc::clone(request)).ok_or_else(|| "no request of this kind".into())
    }
}

fn post(host: &str, target: &str, body: &str) -> Arc<[u8]> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    head.into_bytes().into()
}

fn get(host: &str, target: &str) -> Arc<[u8]> {
    format!("GET {target} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\n\r\n").into_bytes().into()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// An assertion as an SDK would reuse it for minutes, signed with the published key of the sample client.
fn assertion(tenant: &str, client: &str) -> Result<String, Failure> {
    let identity = shipped::sample_client();
    let header =
        json!({"alg": "RS256", "typ": "JWT", "x5t": identity.certificate().thumbprint().base64url()});
    let header = HeaderSegment::new(header.as_object().ok_or("a header is an object")?)?;
    let now = real_now().unix_timestamp();
    let claims = json!({
        "aud": format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
        "iss": client, "sub": client, "jti": "3f1f5b3e-0000-4000-8000-000000000001",
        "nbf": now, "exp": now + 7200,
    });
    Ok(mint(identity.key(), Algorithm::Rs256, &header, &claims)?)
}

/// Asks again and again on `connections` connections for `turn`, `most` answers at the most; how many answers came.
pub(crate) fn drive(
    target: &Target,
    kind: Kind,
    connections: usize,
    turn: Duration,
    most: u64,
) -> Result<u64, Failure> {
    let request = target.request(kind)?;
    let taken = AtomicU64::new(0);
    let until = Instant::now() + turn;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..connections)
            .map(|_| scope.spawn(|| caller(target, kind, &request, until, (&taken, most))))
            .collect();
        callers.into_iter().try_fold(0, |sum, caller| {
            let answers = caller.join().map_err(|_| "a caller panicked")??;
            Ok(sum + answers)
        })
    })
}

fn caller(
    target: &Target,
    kind: Kind,
    request: &[u8],
    until: Instant,
    (taken, most): (&AtomicU64, u64),
) -> Result<u64, Failure> {
    let mut stream = target.connect(kind)?;
    let mut buffer = vec![0; LARGEST_ANSWER];
    let mut answers = 0;
    while Instant::now() < until && taken.fetch_add(1, Ordering::Relaxed) < most {
        stream.write_all(request)?;
        let answer = read_answer(&mut *stream, &mut buffer)?;
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(format!("{}: {}", kind.name(), String::from_utf8_lossy(answer)).into());
        }
        answers += 1;
    }
    Ok(answers)
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// One whole answer: head, and as many bytes as `content-length` says.
fn read_answer<'b>(stream: &mut dyn ReadWrite, buffer: &'b mut [u8]) -> Result<&'b [u8], Failure> {
    let (mut filled, mut whole) = (0, None);
    loop {
        let free = buffer.get_mut(filled..).filter(|free| !free.is_empty()).ok_or("an answer over 32 KiB")?;
        match stream.read(free)? {
            0 => return Err("the connection ended within an answer".into()),
            count => filled += count,
        }
        if whole.is_none() {
            let head = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
            whole =
                head.map(|end| content_length(&buffer[..end]).map(|length| end + 4 + length)).transpose()?;
        }
        if let Some(whole) = whole.filter(|whole| *whole <= filled) {
            return Ok(&buffer[..whole]);
        }
    }
}

fn content_length(head: &[u8]) -> Result<usize, Failure> {
    let head = std::str::from_utf8(head)?;
    for line in head.split("\r\n").skip(1) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    Err("an answer without content-length".into())
}
