//! The declaration, compiled: what the surfaces read.
//!
//! Decides the shape of the snapshot: each part is what was declared (to which it dereferences, so that a plain member
//! of the declaration is a member here) and beside it what was parsed: ids, keys, certificates, times, clocks. Nothing
//! here changes; an edit makes a new snapshot that shares every part it did not touch. Never decides whether a request
//! is accepted.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use mocktenant_artefacts::Artefact;
use mocktenant_keys::{Certificate, Identity, SigningKey, Thumbprint};
use mocktenant_zones::Zone;
use time::{Duration, OffsetDateTime};

use crate::SecretText;
use crate::declaration;
use crate::files::Files;
use crate::pointers::{self, File};

/// What each compiled part has of its declaration.
macro_rules! reads_as_declared {
    ($($part:ident)+) => {
        $(impl Deref for $part {
            type Target = declaration::$part;

            fn deref(&self) -> &declaration::$part {
                &self.declared
            }
        })+
    };
}

reads_as_declared! { Tenant Application Environment Node Organization ApplicationUser SecurityRole }

/// One Entra tenant.
#[derive(Debug)]
pub struct Tenant {
    /// Tenant id, lower-case GUID.
    pub id: Arc<str>,
    /// What a person wrote.
    pub declared: Arc<declaration::Tenant>,
    /// Token-signing identities, the active one first. At least one.
    pub signing: Vec<Identity>,
    /// Applications by lower-case client id.
    pub applications: HashMap<String, Arc<Application>>,
    /// How far its clock is from the lab's time.
    pub clock: Duration,
    /// `/tenants/<id>`.
    pub pointer: pointers::Tenant,
}

impl Tenant {
    /// The application with this client id, in any letter case.
    pub fn application(&self, client_id: &str) -> Option<&Arc<Application>> {
        by_folded(client_id, |key| self.applications.get(key))
    }

    /// The user of this user principal name, in any letter case, with the name as declared.
    pub fn user(&self, name: &str) -> Option<(&str, &declaration::User)> {
        by_folded(name, |key| self.users.get_key_value(key)).map(|(name, user)| (name.as_str(), &**user))
    }
}

/// One application with its service principal.
#[derive(Debug)]
pub struct Application {
    /// Client id, lower-case GUID.
    pub client_id: String,
    /// What a person wrote.
    pub declared: Arc<declaration::Application>,
    /// Version of access tokens for this resource: 1 or 2.
    pub token_version: u8,
    /// Client secrets.
    pub secrets: Vec<Secret>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// `/tenants/<tenant id>/applications/<client id>`.
    pub pointer: pointers::Application,
}

/// One client secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its short name.
    pub name: String,
    /// Its value.
    pub value: SecretText,
    /// When it expires, if ever.
    pub expires: Option<OffsetDateTime>,
}

/// One AOS environment.
#[derive(Debug)]
pub struct Environment {
    /// Its short name, for instance `onebox`.
    pub id: Arc<str>,
    /// What a person wrote, completed.
    pub declared: Arc<declaration::Environment>,
    /// Whom it was deployed with. The AOS itself reads whom it trusts from its files.
    pub identity: IdentityProvider,
    /// `web.config`, if there is one.
    pub web_config: Option<Arc<Artefact>>,
    /// `wif.config`, if there is one.
    pub wif_config: Option<Arc<Artefact>>,
    /// `AXSF.Package.1.0.xml`, if there is one: then it is on-premises.
    pub axsf: Option<Arc<Artefact>>,
    /// The certificate stores of the machine it runs on.
    pub stores: Stores,
    /// Whether a running node reads the signing keys again after 24 hours.
    pub refreshes_keys: bool,
    /// What has to have signed the federation metadata; nothing where TLS is enough.
    pub metadata_signing_certificate: Option<Certificate>,
    /// The machines it runs on, in the order declared. At least one.
    pub nodes: Vec<Node>,
    /// `/environments/<id>`.
    pub pointer: pointers::Environment,
}

impl Environment {
    /// One of its files.
    pub fn file(&self, file: File) -> Option<&Artefact> {
        match file {
            File::WebConfig => self.web_config.as_deref(),
            File::WifConfig => self.wif_config.as_deref(),
            File::Axsf => self.axsf.as_deref(),
        }
    }

    /// The client ids that its nodes sign people in as, as their startup files say now: what is issued to one of them is for the
    /// AOS itself and for no program of a test.
    pub fn own_clients(&self) -> impl Iterator<Item = String> {
        const CLIENT_ID: &str = "OpenIDConnect.ClientID";
        let files = self.nodes.iter().filter_map(|node| node.axsf.as_ref());
        files.filter_map(|file| {
            let mut entries = file.entries().into_iter();
            Some(entries.find(|entry| entry.key.eq_ignore_ascii_case(CLIENT_ID))?.value)
        })
    }

    /// Whether it is an installation on-premises: those have an `AXSF.Package.1.0.xml`.
    pub fn is_on_premises(&self) -> bool {
        self.axsf.is_some()
    }

    /// Its files, to hand on.
    pub(crate) fn files(&self) -> Files {
        Files {
            web_config: self.web_config.clone(),
            wif_config: self.wif_config.clone(),
            axsf: self.axsf.clone(),
        }
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| &*node.name == name)
    }
}

/// Who signs people and services in to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityProvider {
    /// The Entra tenant of this id; it is declared.
    Tenant(Arc<str>),
    /// The federation service of this name; it is declared.
    FederationService(Arc<str>),
}

impl IdentityProvider {
    /// The id of the Entra tenant, if it is one.
    pub fn tenant(&self) -> Option<&str> {
        match self {
            Self::Tenant(id) => Some(id),
            Self::FederationService(_) => None,
        }
    }

    /// The name of the federation service, if it is one.
    pub fn federation_service(&self) -> Option<&str> {
        match self {
            Self::FederationService(name) => Some(name),
            Self::Tenant(_) => None,
        }
    }
}

/// One node of an environment: an AOS on a machine of its own.
#[derive(Debug)]
pub struct Node {
    /// Its short name, for instance `aos1`.
    pub name: Arc<str>,
    /// What a person wrote.
    pub declared: declaration::Node,
    /// How far its clock is from the lab's time: its own setting, else that of the environment's machine.
    pub clock: Duration,
    /// Whether it is stopped, alone or with all of them.
    pub stopped: bool,
    /// Its `AXSF.Package.1.0.xml`: the environment's, with what it has otherwise.
    pub axsf: Option<Arc<Artefact>>,
    /// The certificate stores of its machine: its own, else the environment's.
    pub stores: Stores,
    /// `/environments/<id>/nodes/<name>`.
    pub pointer: pointers::Node,
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
    pub pointer: pointers::StoredCertificate,
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
    pub key: Arc<str>,
    /// What a person wrote.
    pub declared: Arc<declaration::Organization>,
    /// Application users by lower-case client id.
    pub application_users: HashMap<String, ApplicationUser>,
    /// Security roles by name.
    pub roles: HashMap<String, SecurityRole>,
    /// How far its clock is from the lab's time.
    pub clock: Duration,
    /// `/organizations/<key>`.
    pub pointer: pointers::Organization,
}

impl Organization {
    /// The application user of this client id, in any letter case.
    pub fn application_user(&self, client_id: &str) -> Option<&ApplicationUser> {
        by_folded(client_id, |key| self.application_users.get(key))
    }
}

/// One application user. Every security role it names is declared.
#[derive(Clone, Debug)]
pub struct ApplicationUser {
    /// The application it stands for.
    pub client_id: String,
    /// What a person wrote.
    pub declared: Arc<declaration::ApplicationUser>,
    /// What its clock shows; UTC where none is declared.
    pub zone: Zone,
    /// `/organizations/<key>/application_users/<client id>`.
    pub pointer: pointers::ApplicationUser,
}

/// One security role.
#[derive(Clone, Debug)]
pub struct SecurityRole {
    /// Its name.
    pub name: String,
    /// What a person wrote.
    pub declared: Arc<declaration::SecurityRole>,
    /// `/organizations/<key>/roles/<name>`.
    pub pointer: pointers::SecurityRole,
}

/// How far a privilege reaches from who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Rows the user owns.
    Basic,
    /// Rows of the user's business unit.
    Local,
    /// Rows of that business unit and those below it.
    Deep,
    /// Every row of the organisation.
    Global,
}

impl Depth {
    /// A privilege as a role declares it, `prvReadAccount:Basic`: its name and depth. Without a depth it is `Global`.
    pub fn of(held: &str) -> Option<(&str, Self)> {
        let Some((name, depth)) = held.split_once(':') else { return Some((held, Self::Global)) };
        let depth = match depth {
            "Basic" => Self::Basic,
            "Local" => Self::Local,
            "Deep" => Self::Deep,
            "Global" => Self::Global,
            _ => return None,
        };
        Some((name, depth))
    }
}

impl SecurityRole {
    /// How far the role holds a privilege, for instance `prvCreateAccount`. Privilege names have no letter case.
    pub fn depth(&self, privilege: &str) -> Option<Depth> {
        let held = self.privileges.iter().filter_map(|held| Depth::of(held));
        held.filter(|(name, _)| *name == "*" || name.eq_ignore_ascii_case(privilege))
            .map(|(_, depth)| depth)
            .max()
    }
}

/// Looks up by a lower-case key; requests nearly always carry one already.
pub(crate) fn by_folded<V>(key: &str, look_up: impl Fn(&str) -> Option<V>) -> Option<V> {
    look_up(key).or_else(|| {
        key.bytes()
            .any(|byte| byte.is_ascii_uppercase())
            .then(|| look_up(&key.to_ascii_lowercase()))
            .flatten()
    })
}
