//! Keep-alive HTTP/1.1 on a blocking socket, one request at a time.
//!
//! Written by hand so that a caller costs little beside the server it shares the machine with: requests are bytes made
//! beforehand, an answer is the bytes that came. Decides nothing about answers; every read is bounded in time and size.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::real_now;
use mocktenant_token::{HeaderSegment, mint};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::json;

/// In bytes, with its head.
const LARGEST_ANSWER: usize = 256 * 1024;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One connection, and room for one answer.
pub struct KeepAlive {
    stream: Box<dyn ReadWrite>,
    buffer: Vec<u8>,
}

impl KeepAlive {
    /// Over http, to `127.0.0.1:7443`.
    pub fn plain(address: &str) -> io::Result<Self> {
        Ok(Self { stream: Box::new(connected(address)?), buffer: vec![0; 32 * 1024] })
    }

    /// Over https, to the host `localhost` there.
    pub fn secure(address: &str, tls: Arc<ClientConfig>) -> Result<Self, Failure> {
        let connection = ClientConnection::new(tls, ServerName::try_from("localhost")?)?;
        let stream = StreamOwned::new(connection, connected(address)?);
        Ok(Self { stream: Box::new(stream), buffer: vec![0; 32 * 1024] })
    }

    /// Sends a request and reads its whole answer, head and body.
    pub fn ask(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        self.stream.write_all(request)?;
        let (mut filled, mut whole) = (0, None);
        loop {
            if filled == self.buffer.len() {
                let larger = self.buffer.len() * 2;
                if larger > LARGEST_ANSWER {
                    return Err("an answer over 256 KiB".into());
                }
                self.buffer.resize(larger, 0);
            }
            match self.stream.read(&mut self.buffer[filled..])? {
                0 => return Err("the connection ended within an answer".into()),
                count => filled += count,
            }
            if whole.is_none() {
                let head = self.buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n");
                whole = head
                    .map(|end| content_length(&self.buffer[..end]).map(|length| end + 4 + length))
                    .transpose()?;
            }
            if let Some(whole) = whole.filter(|whole| *whole <= filled) {
                return Ok(&self.buffer[..whole]);
            }
        }
    }

    /// The same, of which only the status matters.
    pub fn status(&mut self, request: &[u8]) -> Result<u16, Failure> {
        status(self.ask(request)?)
    }
}

fn connected(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

trait ReadWrite: Read + Write + Send {}
impl<T: Read + Write + Send> ReadWrite for T {}

fn status(answer: &[u8]) -> Result<u16, Failure> {
    let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
    Ok(status.ok_or("an answer without a status")?.parse()?)
}

fn content_length(head: &[u8]) -> Result<usize, Failure> {
    let text = std::str::from_utf8(head)?;
    for line in text.split("\r\n").skip(1) {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    match status(head)? {
        204 | 304 => Ok(0),
        _ => Err("an answer without content-length".into()),
    }
}

/// TLS that trusts the roots of a file and nobody else.
pub fn trusting(ca: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(tls))
}

/// An assertion for a tenant's token endpoint, as [`assertion_for`] makes one.
pub fn assertion(tenant: &str, client: &str) -> Result<String, Failure> {
    assertion_for(&format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"), client)
}

/// An assertion for this audience as an SDK would reuse it for minutes, signed with the published key of the sample client.
pub fn assertion_for(audience: &str, client: &str) -> Result<String, Failure> {
    let identity = shipped::sample_client();
    let header =
        json!({"alg": "RS256", "typ": "JWT", "x5t": identity.certificate().thumbprint().base64url()});
    let header = HeaderSegment::new(header.as_object().ok_or("a header is an object")?)?;
    let now = real_now().unix_timestamp();
    let claims = json!({
        "aud": audience,
        "iss": client, "sub": client, "jti": "3f1f5b3e-0000-4000-8000-000000000001",
        "nbf": now, "exp": now + 7200,
    });
    Ok(mint(identity.key(), Algorithm::Rs256, &header, &claims)?)
}
