//! TLS of one lab: a leaf per name, made when first asked for, and no process-wide provider.
//!
//! Decides which certificate a connection gets: by SNI one for that very name, without SNI one for localhost and the
//! address the caller reached; in a tunnel of the proxy one for the tunnel's name, whatever SNI says. A name that is neither the world's nor local ends the handshake. Validity lives in real
//! time. Never decides who is answered: that is the lab's, by `Host`.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use mocktenant_keys::{CaError, LabCa};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use time::{Duration, OffsetDateTime};

use crate::names::Names;
use crate::trust::{RealClock, Trust};

/// Leaves kept; beyond that all are forgotten and made again, 0.1 ms each.
const MAX_LEAVES: usize = 256;

/// Addresses and names with a configuration of their own; a machine and a world have a handful.
const MAX_ADDRESSES: usize = 64;

/// A leaf with less than this left is replaced.
const RENEW_BEFORE: Duration = Duration::DAY;

/// What a caller without SNI finds in the certificate.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The listening side of TLS for one lab.
#[derive(Debug)]
pub(crate) struct Tls {
    leaves: Arc<Leaves>,
    loopback: Arc<ServerConfig>,
    by_address: Mutex<HashMap<IpAddr, Arc<ServerConfig>>>,
    /// Of tunnels: TLS sessions are taken up again within one of these.
    by_name: Mutex<HashMap<Arc<str>, Arc<ServerConfig>>>,
}

impl Tls {
    pub(crate) fn new(trust: Arc<Trust>, names: Arc<Names>) -> Result<Self, rustls::Error> {
        let leaves = Arc::new(Leaves { trust, names });
        let loopback = server_config(leaves.trust.provider(), Resolver::new(&leaves, None))?;
        Ok(Self { leaves, loopback, by_address: Mutex::default(), by_name: Mutex::default() })
    }

    /// Waits until the CA is fit to be served with, which it nearly always is.
    pub(crate) async fn fit(&self) {
        self.leaves.trust.current().await;
    }

    /// The configuration for callers that reached `address`.
    pub(crate) fn server(&self, address: IpAddr) -> Arc<ServerConfig> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return Arc::clone(&self.loopback);
        }
        self.kept(&self.by_address, address, || Resolver::new(&self.leaves, Some(address)))
    }

    /// The configuration for tunnels to a name of the world.
    pub(crate) fn tunnel(&self, name: &Arc<str>) -> Arc<ServerConfig> {
        self.kept(&self.by_name, Arc::clone(name), || Resolver::tunnel(&self.leaves, name))
    }

    /// A configuration that was made before, or is now.
    fn kept<K: Eq + Hash>(
        &self,
        known: &Mutex<HashMap<K, Arc<ServerConfig>>>,
        key: K,
        resolver: impl FnOnce() -> Resolver,
    ) -> Arc<ServerConfig> {
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(&key) {
            return Arc::clone(config);
        }
        // The same provider gave a configuration before; without one, the caller finds localhost in the certificate.
        let made = server_config(self.leaves.trust.provider(), resolver());
        let config = made.unwrap_or_else(|_| Arc::clone(&self.loopback));
        if known.len() >= MAX_ADDRESSES {
            known.clear();
        }
        known.insert(key, Arc::clone(&config));
        config
    }
}

fn server_config(
    provider: &Arc<CryptoProvider>,
    resolver: Resolver,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client that trusts these roots and nothing else; those that are no certificates are left out.
pub(crate) fn client_config(
    provider: &Arc<CryptoProvider>,
    roots: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    lab_client_config(provider, RealClock::default(), roots)
}

/// The same by a lab's own clock.
pub(crate) fn lab_client_config(
    provider: &Arc<CryptoProvider>,
    clock: RealClock,
    roots: impl IntoIterator<Item = CertificateDer<'static>>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots);
    let config = ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(clock))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The leaves of one lab by the names in them.
struct Leaves {
    trust: Arc<Trust>,
    names: Arc<Names>,
}

/// A leaf that was made.
pub(crate) struct Made {
    key: Arc<CertifiedKey>,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
}

impl Leaves {
    fn get(&self, title: &str, hosts: &[&str]) -> Option<Arc<CertifiedKey>> {
        let current = self.trust.now();
        let now = self.trust.clock().now();
        // The clock may be set back as well as forward.
        let fresh = |made: &Made| made.not_before <= now && made.not_after - now >= RENEW_BEFORE;
        if let Some(made) = lock(&current.leaves).get(title).filter(|made| fresh(made)) {
            return Some(Arc::clone(&made.key));
        }
        let made = match Self::make(&current.ca, hosts, now) {
            Ok(made) => made,
            Err(why) => {
                tracing::warn!(name = %title.escape_debug(), "no certificate for this name: {why}");
                return None;
            }
        };
        let key = Arc::clone(&made.key);
        let mut all = lock(&current.leaves);
        if all.len() >= MAX_LEAVES {
            all.clear();
        }
        all.insert(title.to_owned(), made);
        Some(key)
    }

    fn make(ca: &LabCa, hosts: &[&str], now: OffsetDateTime) -> Result<Made, String> {
        let leaf = ca.leaf_for(hosts, now).map_err(|error| match error {
            CaError::Outside { .. } => {
                format!("{error}; a start with it in the world makes a root for it")
            }
            _ => error.to_string(),
        })?;
        let chain = leaf.chain_der.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf.key_pkcs8_der));
        let key = aws_lc_rs::sign::any_ecdsa_type(&key).map_err(|error| error.to_string())?;
        let key = Arc::new(CertifiedKey::new(chain, key));
        Ok(Made { key, not_before: leaf.not_before, not_after: leaf.not_after })
    }
}

fn lock(leaves: &Mutex<HashMap<String, Made>>) -> std::sync::MutexGuard<'_, HashMap<String, Made>> {
    leaves.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Leaves {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Leaves").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Chooses the leaf for one handshake.
#[derive(Debug)]
struct Resolver {
    leaves: Arc<Leaves>,
    /// Without SNI: the names in the leaf, and the title they are kept under.
    unnamed: Vec<String>,
    title: String,
    /// Whether that counts whatever SNI says.
    tunnel: bool,
}

impl Resolver {
    fn new(leaves: &Arc<Leaves>, reached: Option<IpAddr>) -> Self {
        let mut unnamed: Vec<String> = LOCALHOST.map(str::to_owned).to_vec();
        unnamed.extend(reached.map(|address| address.to_string()));
        let title = unnamed.join(" ");
        Self { leaves: Arc::clone(leaves), unnamed, title, tunnel: false }
    }

    /// The client asked for this name when it opened the tunnel.
    fn tunnel(leaves: &Arc<Leaves>, name: &str) -> Self {
        Self {
            leaves: Arc::clone(leaves),
            unnamed: vec![name.to_owned()],
            title: name.to_owned(),
            tunnel: true,
        }
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if self.tunnel {
            return self.leaves.get(&self.title, &[&self.title]);
        }
        let Some(name) = hello.server_name() else {
            let hosts: Vec<&str> = self.unnamed.iter().map(String::as_str).collect();
            // An address outside the roots' ranges must not take localhost down with it.
            return self
                .leaves
                .get(&self.title, &hosts)
                .or_else(|| self.leaves.get("localhost 127.0.0.1 ::1", &LOCALHOST));
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if !self.leaves.names.answers_to(&name) {
            // one that stops while it still starts has calls of its own under way
            if !self.leaves.names.is_over() {
                tracing::warn!(name = %name.escape_debug(), "TLS refused: no name of this world");
            }
            return None;
        }
        self.leaves.get(&name, &[&name])
    }
}
