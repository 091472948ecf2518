//! The callers: one request at a time on each of some keep-alive connections.
//!
//! Every answer is read whole and must be 200.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::keep_alive::{KeepAlive, assertion, assertion_for, trusting};
use rustls::ClientConfig;

use crate::Failure;
use crate::server::{Bare, Server};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A token by secret over http.
    Secret,
    /// A token by certificate assertion over http.
    Certificate,
    /// A token by secret over https.
    SecureSecret,
    /// A token of AD FS by secret over http.
    FederationSecret,
    /// A token of AD FS by certificate assertion over http.
    FederationCertificate,
    /// The discovery document over http.
    Discovery,
    /// The signing keys over http.
    Keys,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Secret,
        Self::Certificate,
        Self::SecureSecret,
        Self::FederationSecret,
        Self::FederationCertificate,
        Self::Discovery,
        Self::Keys,
    ];

    /// As the report names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Secret => "token by secret, http",
            Self::Certificate => "token by certificate, http",
            Self::SecureSecret => "token by secret, https",
            Self::FederationSecret => "token of AD FS by secret, http",
            Self::FederationCertificate => "token of AD FS by certificate, http",
            Self::Discovery => "discovery document, http",
            Self::Keys => "keys (JWKS), http",
        }
    }

    /// Whether the answer is a token.
    pub(crate) fn is_token(self) -> bool {
        !matches!(self, Self::Discovery | Self::Keys)
    }
}

/// AD FS's token endpoint.
const ADFS: &str = "/adfs/oauth2/token";

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
        let adfs = format!(
            "grant_type=client_credentials&client_id={client}&resource={}",
            encoded("https://ax.contoso.com/")
        );
        let adfs_by_certificate = format!(
            "{adfs}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={}",
            assertion_for("https://adfs.contoso.com/adfs/oauth2/token", client)?
        );
        let tls = trusting(Path::new(server.setting("/ca_pem")?))?;
        let requests = vec![
            (Kind::Secret, Arc::clone(&by_secret)),
            (Kind::Certificate, post(&host, &endpoint, &by_certificate)),
            (Kind::SecureSecret, by_secret),
            (Kind::FederationSecret, post(&host, ADFS, &format!("{adfs}&client_secret={}", encoded(secret)))),
            (Kind::FederationCertificate, post(&host, ADFS, &adfs_by_certificate)),
            (Kind::Discovery, get(&host, &format!("/{tenant}/v2.0/.well-known/openid-configuration"))),
            (Kind::Keys, get(&host, &format!("/{tenant}/discovery/v2.0/keys"))),
        ];
        let address = format!("127.0.0.1:{port}");
        Ok(Self { http: address.clone(), https: address, requests, tls })
    }

    /// The same requests to the bare server.
    pub(crate) fn bare(&self, bare: &Bare) -> Self {
        let [http, https] = [bare.http, bare.https].map(|port| format!("127.0.0.1:{port}"));
        Self { http, https, requests: self.requests.clone(), tls: Arc::clone(&self.tls) }
    }

    /// One answer, as it came.
    pub(crate) fn answer(&self, kind: Kind) -> Result<Vec<u8>, Failure> {
        let mut connection = self.connect(kind)?;
        Ok(connection.ask(&self.request(kind)?)?.to_vec())
    }

    fn connect(&self, kind: Kind) -> Result<KeepAlive, Failure> {
        if kind == Kind::SecureSecret {
            Ok(KeepAlive::secure(&self.https, Arc::clone(&self.tls))?)
        } else {
            Ok(KeepAlive::plain(&self.http)?)
        }
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

pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
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
    let mut connection = target.connect(kind)?;
    let mut answers = 0;
    while Instant::now() < until && taken.fetch_add(1, Ordering::Relaxed) < most {
        let answer = connection.ask(request)?;
        if !answer.starts_with(b"HTTP/1.1 200") {
            return Err(format!("{}: {}", kind.name(), String::from_utf8_lossy(answer)).into());
        }
        answers += 1;
    }
    Ok(answers)
}
