//! The settings document: what a client, a test or a person has to know to use a lab.
//!
//! Decides its members, their names and their order, version 1. `settings.json`, `GET /v1/settings` and `mocktenant
//! settings` are this one struct; it stands here because whoever fills it in (`server`) or reads it (`testkit`, the
//! command) stands above whoever hands it out. Never decides a value.
//!
//! What is not built or not in the world is absent in JSON, never null; here it is empty or `None`. Members that a newer
//! lab adds are skipped, and members that another lab leaves out are empty.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::problem::{Problem, ok};
use crate::{ControlState, network};

/// Everything a client of the lab needs: URLs, ids, credentials, files. URLs are `https://localhost:<port>` without a
/// trailing slash; files are absolute paths.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Settings {
    /// 1.
    pub schema: u32,
    /// The identity provider and a client that is registered with it.
    #[serde(skip_serializing_if = "Entra::is_absent")]
    pub entra: Entra,
    /// The federation service and the sample clients that are registered with it, if the world has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adfs: Option<Adfs>,
    /// AOS environments by their short name, in the order declared: `aos["onebox"]`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub aos: IndexMap<String, Aos>,
    /// The Dataverse organisation.
    #[serde(skip_serializing_if = "Dataverse::is_absent")]
    pub dataverse: Dataverse,
    /// An API of one's own that accepts version 2 tokens, if the world has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_api: Option<CustomApi>,
    /// Where the machine's managed identities get their tokens, if the world has any. URLs are `http://` here, as the real
    /// ones are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,
    /// A person who can sign in, if the world has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// File with the lab's local root: it speaks for localhost, reserved and declared names, never for Microsoft's.
    #[serde(skip_serializing_if = "is_nowhere")]
    pub ca_pem: PathBuf,
    /// The same as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_pem_text: String,
    /// File with the other root: whoever trusts it takes this lab for Microsoft under the names of its world.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_real_names_pem: Option<PathBuf>,
    /// The same as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ca_real_names_pem_text: String,
    /// File with both roots and the system's: for one program under Microsoft's names, and for variables that replace
    /// rather than add.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle_pem: Option<PathBuf>,
    /// The same as a PKCS#12 store for Java.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truststore_p12: Option<PathBuf>,
    /// Its password.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub truststore_password: String,
    /// The forward proxy, over which the names of the world are reached: what `HTTPS_PROXY` takes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub proxy_url: String,
    /// Those names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub world_names: Vec<String>,
    /// The ports on which those names are answered without the proxy: 443 and 80 with `--real-names`, else none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub real_name_ports: Vec<u16>,
    /// The control API.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub control_url: String,
    /// Its bearer token. No lab of this version writes it; a file that holds one is taken at its word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_token: Option<String>,
    /// This lab's instance id; empty for a lab that does not run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instance: String,
    /// Its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

impl Settings {
    /// Reads a settings document.
    ///
    /// By way of a value, as everything that is JSON is read here: the code that reads this many members is there once.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        Self::deserialize(&serde_json::from_slice::<Value>(text)?)
    }
}

/// Entra and the sample client of the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Entra {
    /// Where Entra listens.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub base_url: String,
    /// `base_url/tenant_id`, without `/v2.0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub authority: String,
    /// GUID of the tenant.
    pub tenant_id: String,
    /// Its first verified domain.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tenant_domain: String,
    /// GUID of the sample client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The application that has nothing but the expired secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_client_id: Option<String>,
    /// A secret that expired, of [`Self::expired_client_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_client_secret: Option<String>,
    /// File with the sample client's private key, then its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<PathBuf>,
    /// The same as text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_pem_text: String,
    /// File with both as PFX.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pfx: Option<PathBuf>,
    /// The same in base64.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_pfx_base64: String,
    /// The PFX file's password, if there is such a file; empty means none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pfx_password: Option<String>,
    /// SHA-1 of the certificate, 40 upper-case hex digits.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_thumbprint: String,
    /// SHA-256 of the certificate, 64 upper-case hex digits.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate_thumbprint_sha256: String,
}

/// A federation service (AD FS).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Adfs {
    /// Where it listens; ends in `/adfs`.
    pub base_url: String,
    /// The sample client, a server application here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// Its secret.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_secret: String,
    /// A Web API both clients are permitted: what to put before `/openid`, or in `resource`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// A native application: a public client.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub native_client_id: String,
    /// A redirect URI of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub redirect_uri: String,
    /// Its FederationMetadata.xml.
    pub metadata_url: String,
    /// Its OpenID Connect discovery document.
    pub openid_configuration_url: String,
}

impl Adfs {
    /// One at this origin: `https://localhost:7443`.
    pub fn at(origin: &str) -> Self {
        let mut adfs = Self::default();
        adfs.move_to(origin);
        adfs
    }

    /// The same at another origin.
    pub(crate) fn move_to(&mut self, origin: &str) {
        self.base_url = format!("{origin}/adfs");
        self.metadata_url = format!("{origin}/FederationMetadata/2007-06/FederationMetadata.xml");
        self.openid_configuration_url = format!("{origin}/adfs/.well-known/openid-configuration");
    }
}

/// A person who can sign in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct User {
    /// User principal name.
    pub name: String,
    /// The password.
    pub password: String,
}

/// Where an AOS on-premises has its OData service.
const ON_PREMISES_DATA: &str = "/namespaces/AXSF/data";

/// One AOS environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Aos {
    /// Where it listens.
    pub url: String,
    /// What to put before `/.default`, or in `resource`; on-premises the audience its AOS takes, as its file has it:
    /// `https://ax.contoso.com/`.
    pub resource: String,
    /// On-premises, what its OData service begins with: `https://localhost:7445/namespaces/AXSF/data`. Elsewhere that is
    /// `url/data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_url: Option<String>,
    /// A legal entity of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// A customer group of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_group: Option<String>,
    /// A currency of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// A body to POST to `/data/CustomersV3`; `null` where the world's caller does not call this environment.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub sample_customer: Value,
}

/// The Dataverse organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Dataverse {
    /// Where it listens.
    pub url: String,
    /// What to put before `/.default`, or in `resource`.
    pub resource: String,
}

/// An API of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CustomApi {
    /// Its application ID URI.
    pub uri: String,
    /// Its application: the audience of its tokens.
    pub client_id: String,
    /// An application role the sample client was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// Where a client that runs on the machine asks, without a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ManagedIdentity {
    /// What stands in for `http://169.254.169.254`: before `/metadata/identity/oauth2/token`, or as
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST`.
    pub imds_url: String,
    /// What App Service gives an app as `IDENTITY_ENDPOINT`.
    pub app_service_url: String,
    /// What it gives it as `IDENTITY_HEADER`; empty where the world has no App Service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_service_header: String,
}

impl Aos {
    /// One on-premises at this origin, which takes tokens for this audience.
    pub fn on_premises(origin: &str, audience: &str) -> Self {
        let mut aos = Self { resource: audience.to_owned(), ..Self::default() };
        aos.move_to(origin);
        aos.data_url = Some(format!("{origin}{ON_PREMISES_DATA}"));
        aos
    }

    /// The same at another origin.
    pub(crate) fn move_to(&mut self, origin: &str) {
        origin.clone_into(&mut self.url);
        if self.data_url.is_some() {
            self.data_url = Some(format!("{origin}{ON_PREMISES_DATA}"));
        }
    }
}

impl Entra {
    /// Whether the world has no tenant for its caller.
    pub fn is_absent(&self) -> bool {
        self.tenant_id.is_empty()
    }
}

impl Dataverse {
    /// Whether the world has no organisation.
    pub fn is_absent(&self) -> bool {
        self.url.is_empty()
    }
}

fn is_nowhere(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

/// The settings of a running lab, once they are known. Its certificates may be renewed.
#[derive(Debug, Default)]
pub struct Published(RwLock<Option<Arc<Settings>>>);

impl Published {
    /// The document.
    pub fn get(&self) -> Option<Arc<Settings>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the document.
    pub fn set(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(settings));
    }
}

/// Query of [`get`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// `host` (the default) or `network`.
    #[serde(default, rename = "for")]
    audience: Audience,
}

/// From where the lab is called.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Audience {
    /// The machine whose ports the lab has.
    #[default]
    Host,
    /// The network in which names of the world lead to the lab.
    Network,
}

/// `GET /v1/settings?for=<host|network>`: exactly the document in `settings.json`, or what it is for a caller in the network.
pub(crate) async fn get(
    State(state): State<ControlState>,
    Query(Asked { audience }): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(settings) = state.settings.get() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the lab is still starting"));
    };
    match audience {
        Audience::Host => Ok(ok(&json!(settings))),
        Audience::Network => Ok(ok(&json!(network::settings(&state, &settings, &headers)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_no_member_and_what_is_unknown_is_skipped() {
        assert_eq!(json!(Settings { schema: 1, ..Settings::default() }), json!({ "schema": 1 }));
        let newer = json!({
            "schema": 1, "wsfed": { "realm": "urn:mine" },
            "entra": { "tenant_id": "c01", "managed_identity": null },
            "dataverse": { "url": "https://localhost:7446", "web": ["a"] }, "pid": 7,
        });
        let read: Settings = serde_json::from_value(newer).unwrap();
        assert_eq!((&*read.entra.tenant_id, &*read.dataverse.url), ("c01", "https://localhost:7446"));
        assert_eq!((read.pid, read.aos.len(), read.instance.is_empty()), (Some(7), 0, true));
    }
}
