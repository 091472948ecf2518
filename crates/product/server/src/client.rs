//! A small HTTP client that trusts what it is told to trust: for the command line, `reproduce` and tests.
//!
//! Decides nothing about answers. It reads no proxy variable and no system trust store: it speaks to labs.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use mocktenant_lab::BoxFuture;
use mocktenant_lab::outbound::{Call, Dial, Outbound, Target};
pub use mocktenant_lab::outbound::{CallError, Reply};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::outbound::{CALL_TIMEOUT, DialTable};
use crate::tls::client_config;
use crate::trust::Trust;
use crate::wire;

/// A client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    roots: Roots,
    /// A lab's own names, dialled as the lab dials them; without one, names are resolved as the system does.
    table: Option<Arc<DialTable>>,
    token: Option<HeaderValue>,
    timeout: Duration,
}

/// What is trusted.
#[derive(Clone, Debug)]
enum Roots {
    /// What it was made with.
    Given(Arc<ClientConfig>),
    /// Whatever a running lab has.
    OfLab(Arc<Trust>),
}

impl Client {
    /// A client that trusts the roots in `ca_pem` (any number of PEM certificates; none is fine for http) and waits 30 s
    /// for an answer.
    pub fn new(ca_pem: &str) -> Result<Self, rustls::Error> {
        let roots = CertificateDer::pem_slice_iter(ca_pem.as_bytes()).filter_map(Result::ok);
        let tls = client_config(&Arc::new(aws_lc_rs::default_provider()), roots)?;
        Ok(Self { roots: Roots::Given(tls), table: None, token: None, timeout: CALL_TIMEOUT })
    }

    pub(crate) fn of_lab(trust: Arc<Trust>, table: Arc<DialTable>) -> Self {
        Self { roots: Roots::OfLab(trust), table: Some(table), token: None, timeout: CALL_TIMEOUT }
    }

    /// With a bearer token on every call; one that is no header text is left out.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.and_then(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        self
    }

    /// With another limit on the time a whole call takes.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes one call. Redirects are not followed; any status is an answer.
    pub async fn send(&self, mut call: Call) -> Result<Reply, CallError> {
        let target = Target::parse(&call.url)?;
        if let Some(token) = &self.token {
            call.headers.entry(AUTHORIZATION).or_insert_with(|| token.clone());
        }
        let addresses = match &self.table {
            Some(table) => table.resolve(&target.host, target.port)?,
            None => resolve(&target).await?,
        };
        let tls = match &self.roots {
            Roots::Given(tls) => Arc::clone(tls),
            Roots::OfLab(trust) => Arc::clone(&trust.current().await.client),
        };
        wire::call(call, &target, &addresses, &tls, self.timeout).await
    }

    /// `GET`.
    pub async fn get(&self, url: &str) -> Result<Reply, CallError> {
        self.send(wire::bare(Method::GET, url)).await
    }

    /// Any method with a JSON document.
    pub async fn send_json(&self, method: Method, url: &str, document: &Value) -> Result<Reply, CallError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(Call { method, url: url.to_owned(), headers, body: document.to_string().into() }).await
    }

    /// `POST` of a JSON document.
    pub async fn post_json(&self, url: &str, document: &Value) -> Result<Reply, CallError> {
        self.send_json(Method::POST, url, document).await
    }

    /// `POST` of a form, encoded as `application/x-www-form-urlencoded`.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Reply, CallError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send(Call { method: Method::POST, url: url.to_owned(), headers, body: body.into() }).await
    }
}

/// For whoever drives the caller of a lab over its sockets.
impl Outbound for Client {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Reply, CallError>> {
        Box::pin(self.send(call))
    }

    fn dial(&self) -> Option<Arc<dyn Dial>> {
        Some(Arc::<DialTable>::clone(self.table.as_ref()?))
    }
}

/// The JSON document in an answer.
pub fn read_json(reply: &Reply) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(&reply.body)
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, CallError> {
    if target.host == "localhost" {
        // RFC 6761 section 6.3; an image made of this program alone has no file that says so.
        return Ok(vec![
            (Ipv4Addr::LOCALHOST, target.port).into(),
            (Ipv6Addr::LOCALHOST, target.port).into(),
        ]);
    }
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    // Labs listen on IPv4 everywhere and on IPv6 where there is one.
    let (mut addresses, after): (Vec<_>, Vec<_>) = found.into_iter().flatten().partition(SocketAddr::is_ipv4);
    addresses.extend(after);
    if addresses.is_empty() {
        return Err(CallError::UnknownHost { host: target.host.clone(), port: target.port });
    }
    Ok(addresses)
}
