//! The settings document with typed accessors.
//!
//! Decides nothing: it is the document `mocktenant settings --format json` prints, read. What is not built yet has no
//! member here; [`Settings::raw`] has everything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// Everything a client of the lab needs: URLs, ids, credentials, files. URLs are `https://localhost:<port>` without a
/// trailing slash; files are absolute paths.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Settings {
    /// The identity provider and a client that is registered with it.
    pub entra: Entra,
    /// AOS environments by their short name: `aos["onebox"]`.
    #[serde(default)]
    pub aos: BTreeMap<String, Aos>,
    /// The Dataverse organisation.
    pub dataverse: Dataverse,
    /// An API of one's own that accepts version 2 tokens, if the world has one.
    #[serde(default)]
    pub custom_api: Option<CustomApi>,
    /// File with the lab's two roots.
    pub ca_pem: PathBuf,
    /// The same as text.
    #[serde(default)]
    pub ca_pem_text: String,
    /// File with the lab's roots and the system's, for variables that replace rather than add.
    #[serde(default)]
    pub ca_bundle_pem: Option<PathBuf>,
    /// The control API.
    pub control_url: String,
    /// This lab's instance id.
    pub instance: String,
    #[serde(skip)]
    raw: Value,
}

/// Entra and the sample client of the world.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Entra {
    /// Where Entra listens.
    pub base_url: String,
    /// GUID of the tenant.
    pub tenant_id: String,
    /// Its first verified domain.
    #[serde(default)]
    pub tenant_domain: String,
    /// `base_url/tenant_id`, without `/v2.0`.
    pub authority: String,
    /// GUID of the sample client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// A secret that expired, of [`Self::expired_client_id`].
    #[serde(default)]
    pub expired_client_secret: Option<String>,
    /// The application that has nothing but the expired secret.
    #[serde(default)]
    pub expired_client_id: Option<String>,
    /// File with the sample client's private key, then its certificate.
    #[serde(default)]
    pub certificate_pem: Option<PathBuf>,
    /// File with both as PFX.
    #[serde(default)]
    pub certificate_pfx: Option<PathBuf>,
    /// The PFX file's password; empty means none.
    #[serde(default)]
    pub pfx_password: String,
    /// SHA-1 of the certificate, 40 upper-case hex digits.
    #[serde(default)]
    pub certificate_thumbprint: String,
    /// SHA-256 of the certificate, 64 upper-case hex digits.
    #[serde(default)]
    pub certificate_thumbprint_sha256: String,
}

/// One AOS environment.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Aos {
    /// Where it listens.
    pub url: String,
    /// What to put before `/.default`, or in `resource`.
    pub resource: String,
    /// A legal entity of it.
    #[serde(default)]
    pub company: String,
    /// A customer group of it.
    #[serde(default)]
    pub customer_group: String,
    /// A currency of it.
    #[serde(default)]
    pub currency: String,
    /// A body to POST to `/data/CustomersV3`.
    #[serde(default)]
    pub sample_customer: Value,
}

/// The Dataverse organisation.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Dataverse {
    /// Where it listens.
    pub url: String,
    /// What to put before `/.default`, or in `resource`.
    pub resource: String,
}

/// An API of one's own.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct CustomApi {
    /// Its application ID URI.
    pub uri: String,
    /// Its application: the audience of its tokens.
    pub client_id: String,
    /// An application role the sample client was granted.
    #[serde(default)]
    pub role: Option<String>,
}

impl Settings {
    /// Reads the document.
    pub(crate) fn read(raw: &Value) -> Result<Self, serde_json::Error> {
        let mut settings = Self::deserialize(raw)?;
        settings.raw = raw.clone();
        Ok(settings)
    }

    /// The whole document, as `mocktenant settings --format json` prints it.
    pub fn raw(&self) -> &Value {
        &self.raw
    }
}
