//! What a node learns of the federation service from its openid-configuration and the keys that names.
//!
//! Decides which members of the two documents are used, and that a document without them is none. Never fetches anything, and
//! never judges a token.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::Certificate;
use mocktenant_token::bearer::TrustedKey;
use serde::Deserialize;

/// Where people sign in, and whose tokens they bring.
#[derive(Clone)]
pub(crate) struct Provider {
    /// The issuer of id_tokens.
    pub(crate) issuer: Arc<str>,
    /// Where a browser is sent to sign in.
    pub(crate) authorization_endpoint: String,
    /// Where it is sent to sign out; not every service has one.
    pub(crate) end_session_endpoint: Option<String>,
    /// What its id_tokens are signed with.
    pub(crate) keys: Vec<TrustedKey>,
}

/// The openid-configuration, as far as it is used.
#[derive(Deserialize)]
pub(super) struct Discovery {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) end_session_endpoint: Option<String>,
}

/// The keys it names.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    x5c: Vec<String>,
}

/// The signing keys of a document; those without a certificate are passed over, as those of another kind are.
pub(super) fn keys(document: &[u8]) -> Result<Vec<TrustedKey>, serde_json::Error> {
    let set: KeySet = serde_json::from_slice(document)?;
    let certificates = set.keys.iter().filter_map(|key| key.x5c.first());
    let certificates = certificates
        .filter_map(|text| STANDARD.decode(text).ok())
        .filter_map(|der| Certificate::from_der(&der).ok());
    Ok(certificates.filter_map(|certificate| TrustedKey::of_certificate(&certificate).ok()).collect())
}
