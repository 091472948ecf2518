//! The declaration, compiled: what the surfaces read.
//!
//! Decides the shape of the snapshot: indexed by the ids requests carry, keys and certificates parsed, times parsed.
//! Nothing here changes; an edit makes a new snapshot that shares every part it did not touch. Never decides whether a
//! request is accepted.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_artefacts::Artefact;
use mocktenant_keys::{Certificate, Identity, SigningKey, Thumbprint};
use mocktenant_verdict::Setting;
use time::OffsetDateTime;

use crate::declaration::{EnvironmentDatabase, Records};

/// One Entra tenant.
#[derive(Debug)]
pub struct Tenant {
    /// Tenant id, lower-case GUID.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Verified domains, lower-case, the initial one first.
    pub domains: Vec<String>,
    /// `tenant_region_scope`.
    pub region: String,
    /// Token-signing identities, the active one first. At least one.
    pub signing: Vec<Identity>,
    /// Applications by lower-case client id.
    pub applications: HashMap<String, Arc<Application>>,
    /// `/tenants/<id>`.
    pub pointer: Setting,
}

impl Tenant {
    /// The application with this client id, in any letter case.
    pub fn application(&self, client_id: &str) -> Option<&Arc<Application>> {
        by_folded(&self.applications, client_id)
    }
}

/// One application with its service principal.
#[derive(Debug)]
pub struct Application {
    /// Client id, lower-case GUID.
    pub client_id: String,
    /// Display name.
    pub name: String,
    /// Object id of the service principal.
    pub object_id: String,
    /// Whether it may get tokens.
    pub enabled: bool,
    /// Whether Microsoft published it.
    pub first_party: bool,
    /// Whether it may present no credential.
    pub public_client: bool,
    /// Application ID URIs.
    pub identifier_uris: Vec<String>,
    /// Version of access tokens for this resource: 1 or 2.
    pub token_version: u8,
    /// Client secrets.
    pub secrets: Vec<Secret>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Application roles granted to this client: resource client id (lower-case) to role values.
    pub granted_roles: HashMap<String, Vec<String>>,
    /// Redirect URIs of type Web.
    pub redirect_uris: Vec<String>,
    /// `/tenants/<tenant id>/applications/<client id>`.
    pub pointer: Setting,
}

/// One client secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its short name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// When it expires, if ever.
    pub expires: Option<OffsetDateTime>,
}

/// Without the value: what is printed ends in logs.
impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Secret")
            .field("name", &self.name)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// One AOS environment.
#[derive(Debug)]
pub struct Environment {
    /// Its short name, for instance `onebox`.
    pub id: String,
    /// The tenant it was deployed in. The AOS itself reads its tenant from web.config.
    pub tenant: String,
    /// Host name, lower-case.
    pub host: String,
    /// `web.config`.
    pub web_config: Arc<Artefact>,
    /// `wif.config`.
    pub wif_config: Arc<Artefact>,
    /// The certificate stores of the machine it runs on.
    pub stores: Stores,
    /// Tables that are settings.
    pub database: EnvironmentDatabase,
    /// Business records at reset.
    pub records: Arc<Records>,
    /// `/environments/<id>`.
    pub pointer: Setting,
}

/// The certificate stores of one machine.
#[derive(Clone, Debug, Default)]
pub struct Stores {
    pub(crate) certificates: Vec<StoredCertificate>,
    pub(crate) lab_ca: Vec<(String, String)>,
}

impl Stores {
    /// The certificate with this thumbprint in one store: `location` is `LocalMachine` or `CurrentUser`, `store` is
    /// `My` or `Root`.
    pub fn find(&self, location: &str, store: &str, thumbprint: &Thumbprint) -> Option<&StoredCertificate> {
        // A machine has a handful of them: a scan beats an index.
        self.certificates.iter().find(|stored| {
            stored.location == location
                && stored.store == store
                && stored.certificate.thumbprint() == *thumbprint
        })
    }

    /// Every certificate, in the order declared. The lab's own CA is not among them.
    pub fn iter(&self) -> impl Iterator<Item = &StoredCertificate> {
        self.certificates.iter()
    }

    /// Whether a store holds the lab's own roots (declared as `lab-ca`, which has no fixed thumbprint).
    pub fn holds_lab_ca(&self, location: &str, store: &str) -> bool {
        self.lab_ca.iter().any(|(at, name)| at == location && name == store)
    }
}

/// One certificate in a certificate store.
#[derive(Clone, Debug)]
pub struct StoredCertificate {
    /// `LocalMachine` or `CurrentUser`.
    pub location: String,
    /// `My` or `Root`.
    pub store: String,
    /// The certificate.
    pub certificate: Certificate,
    /// Its private key, if that is there.
    pub key: Option<SigningKey>,
    /// Accounts that may read the private key.
    pub readable_by: Vec<String>,
    /// `/environments/<id>/machine/certificates/<location>/<store>/<thumbprint>`.
    pub pointer: Setting,
}

impl StoredCertificate {
    /// Whether `account` may read the private key. Windows account names have no letter case.
    pub fn is_readable_by(&self, account: &str) -> bool {
        self.readable_by.iter().any(|allowed| allowed.eq_ignore_ascii_case(account))
    }
}

/// One Dataverse organisation.
#[derive(Debug)]
pub struct Organization {
    /// Its short name, for instance `contoso`: the key it is declared under.
    pub key: String,
    /// Organisation id, lower-case GUID.
    pub id: String,
    /// The tenant it belongs to.
    pub tenant: String,
    /// Friendly name.
    pub name: String,
    /// Host of the organisation URL, lower-case.
    pub host: String,
    /// Host of the API URL, lower-case.
    pub api_host: String,
    /// Root business unit.
    pub business_unit: String,
    /// Application users by lower-case client id.
    pub application_users: HashMap<String, ApplicationUser>,
    /// Security roles by name.
    pub roles: HashMap<String, SecurityRole>,
    /// Rows at reset.
    pub records: Arc<Records>,
    /// `/organizations/<key>`.
    pub pointer: Setting,
}

impl Organization {
    /// The application user of this client id, in any letter case.
    pub fn application_user(&self, client_id: &str) -> Option<&ApplicationUser> {
        by_folded(&self.application_users, client_id)
    }
}

/// One application user.
#[derive(Clone, Debug)]
pub struct ApplicationUser {
    /// The application it stands for.
    pub client_id: String,
    /// `systemuserid`.
    pub id: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Names of its security roles; every one of them is declared.
    pub roles: Vec<String>,
    /// `/organizations/<key>/application_users/<client id>`.
    pub pointer: Setting,
}

/// One security role.
#[derive(Clone, Debug)]
pub struct SecurityRole {
    /// Its name.
    pub name: String,
    /// `roleid`.
    pub id: String,
    /// Privilege names; `*` is all of them.
    pub privileges: Vec<String>,
    /// `/organizations/<key>/roles/<name>`.
    pub pointer: Setting,
}

impl SecurityRole {
    /// Whether the role holds a privilege, for instance `prvCreateAccount`. Privilege names have no letter case.
    pub fn grants(&self, privilege: &str) -> bool {
        self.privileges.iter().any(|held| held == "*" || held.eq_ignore_ascii_case(privilege))
    }
}

/// Looks up by a lower-case key; requests nearly always carry one already.
pub(crate) fn by_folded<'m, V>(map: &'m HashMap<String, V>, key: &str) -> Option<&'m V> {
    map.get(key).or_else(|| {
        key.bytes()
            .any(|byte| byte.is_ascii_uppercase())
            .then(|| map.get(&key.to_ascii_lowercase()))
            .flatten()
    })
}
