//! What a person wrote: one set of structs that is the YAML, the control API's document and a scenario's base.
//!
//! Decides the shape of the declaration and nothing else: no validation beyond types (that is the world's compilation), no defaults that
//! hide a decision. Every collection is a map keyed by the id people use (tenant id, client id, thumbprint, flight
//! name), so that a [`mocktenant_verdict::Setting`] is a plain RFC 6901 pointer and no element is ever addressed by its
//! index. Microsoft's own names (`SysFlighting`, `Infrastructure.S2SCertThumbprint`) are spelt as Microsoft spells them.
//!
//! Reading fills in what may be left out; writing leaves out only what is absent (`None`), never what is empty. So the
//! view shows every place a person can add something to, and RFC 6902 `add` finds its parent there. What an edit leaves
//! alone is shared with the snapshot before it; hence the `Arc`s.

pub mod clock_offset;
pub mod federation_service;
mod guid;
pub mod pointers;
mod secret_text;
mod sign_in;

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use mocktenant_patch::document::{self, DocumentError, Size};
pub use mocktenant_schema::TableDefinitions;

pub use crate::federation_service::{
    ApplicationGroup, FederationService, FederationUser, IssuedClaim, Lockout, LoopDetection,
    NativeApplication, Profile, ServerApplication, WebApi,
};
pub use crate::guid::is_guid;
pub use crate::secret_text::SecretText;
pub use crate::sign_in::{Flow, SignIn};

/// Business records: entity set, then a name of ours, then the row.
pub type Records = IndexMap<String, IndexMap<String, Map<String, Value>>>;

/// The whole declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Entra tenants by tenant id (lower-case GUID).
    pub tenants: IndexMap<String, Arc<Tenant>>,
    /// Federation services (AD FS) by a short name, for instance `contoso`. The first is the one on localhost.
    #[serde(default)]
    pub federation_services: IndexMap<String, Arc<FederationService>>,
    /// AOS environments by a short name, for instance `onebox`.
    pub environments: IndexMap<String, Arc<Environment>>,
    /// Dataverse organisations by a short name, for instance `contoso`.
    pub organizations: IndexMap<String, Arc<Organization>>,
    /// The client a scenario drives.
    pub caller: Arc<Caller>,
}

impl Declaration {
    /// Reads a declaration in YAML. `name` is the file's name in the error, which has line and column.
    ///
    /// Unknown members, repeated keys and aliases that explode are refused; a world of 10,000 tenants is not.
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, DocumentError> {
        document::read(name, text, Size::Declaration)
    }

    /// The same of what a build made of a file of ours: JSON.
    pub fn from_built(name: &str, json: &str) -> Result<Self, DocumentError> {
        document::built(name, json)
    }
}

/// One Entra tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tenant {
    /// Display name.
    pub name: String,
    /// Verified domains, the initial `*.onmicrosoft.com` one first.
    pub domains: Vec<String>,
    /// `tenant_region_scope` of the discovery documents, for instance `EU`.
    pub region: String,
    /// Token-signing identities, the active one first: `shipped:NAME` or a PEM bundle.
    pub signing_keys: Vec<SecretText>,
    /// How far its clock is from the lab's time, for instance `+20m`; absent means not at all. See
    /// [`crate::clock_offset`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Applications (registration and service principal in one) by client id (lower-case GUID).
    #[serde(default)]
    pub applications: IndexMap<String, Arc<Application>>,
    /// Users by user principal name (lower-case), for instance `ada@contoso.com`.
    #[serde(default)]
    pub users: IndexMap<String, Arc<User>>,
    /// The managed identities of the machine that clients run on, by the client id of the application each of them is.
    #[serde(default)]
    pub managed_identities: IndexMap<String, ManagedIdentity>,
    /// What App Service gives its apps as `IDENTITY_HEADER`; absent means that there is no App Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_header: Option<SecretText>,
}

/// One managed identity: an application of the tenant that gets its tokens from Azure, without a credential of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedIdentity {
    /// How the machine has it.
    pub assigned: Assigned,
    /// Azure resource id: the machine's own, or that of an identity assigned by a user. `xms_mirid` of its tokens.
    pub resource_id: String,
}

/// How a machine has a managed identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assigned {
    /// It is the machine's own; at most one is.
    System,
    /// A user assigned it to the machine.
    User,
}

/// One user of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Display name.
    pub name: String,
    /// First name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Last name, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Object id of the user (lower-case GUID).
    pub object_id: String,
    /// The password.
    pub password: SecretText,
    /// A disabled user cannot sign in.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// One application with its service principal in this tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the portal, each on its own")]
pub struct Application {
    /// Display name.
    pub name: String,
    /// Object id of the service principal: `oid` and `sub` of app-only tokens.
    pub object_id: String,
    /// A disabled application gets AADSTS7000112.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// "Assignment required?": only who has one of its roles gets a token for it (AADSTS501051).
    #[serde(default)]
    pub assignment_required: bool,
    /// Published by Microsoft (00000015-..., 00000007-...): present in every tenant, holds no key of the customer's.
    #[serde(default)]
    pub first_party: bool,
    /// A public client may present no credential (AADSTS700025).
    #[serde(default)]
    pub public_client: bool,
    /// Application ID URIs under which it can be asked for as a resource.
    #[serde(default)]
    pub identifier_uris: Vec<String>,
    /// `requestedAccessTokenVersion`: `None` and 1 give v1 access tokens for this resource, 2 gives v2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_access_token_version: Option<u8>,
    /// Application roles it defines as a resource. Where there are any, no others can be granted on it.
    #[serde(default)]
    pub app_roles: Vec<String>,
    /// Redirect URIs of type Web.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Client secrets by a short name.
    #[serde(default)]
    pub secrets: IndexMap<String, Secret>,
    /// Certificates under "Certificates & secrets" by SHA-1 thumbprint (upper-case hex).
    #[serde(default)]
    pub certificates: IndexMap<String, ApplicationCertificate>,
    /// Application roles granted to this client on a resource: resource client id to role values.
    #[serde(default)]
    pub granted_roles: IndexMap<String, Vec<String>>,
}

/// One client secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The secret's value.
    pub value: SecretText,
    /// Expiry (RFC 3339, UTC); absent means it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// One certificate uploaded to an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationCertificate {
    /// `shipped:NAME`, PEM, or base64 of the DER.
    pub certificate: String,
}

/// One AOS environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The identity provider it was deployed with: the id of an Entra tenant, where its URLs are resources, or, on-premises, the
    /// name of a federation service. The AOS itself reads whom it trusts from its files.
    pub identity: String,
    /// Host name of the AOS, whichever node answers.
    pub host: String,
    /// `web.config`, if there is one: appSettings key to value. The bytes behind it live in the world's artefacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_config: Option<IndexMap<String, String>>,
    /// `wif.config`, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wif_config: Option<WifConfig>,
    /// `AXSF.Package.1.0.xml` of an on-premises environment, if there is one: `Section.Parameter` to value, for every node
    /// unless the node says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub axsf: Option<IndexMap<String, String>>,
    /// What the machine of every node is like, unless the node says otherwise.
    #[serde(default)]
    pub machine: Machine,
    /// Whether all its nodes are stopped: then it answers 503.
    #[serde(default)]
    pub stopped: bool,
    /// Whether a running node reads the signing keys again after 24 hours, as newer ones do; absent means that it does, and
    /// on-premises that it reads them at its start only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshes_keys: Option<bool>,
    /// The certificate that has to have signed the federation metadata (`shipped:NAME`, PEM, or base64 of the DER); absent means
    /// that a node takes what TLS brought it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_signing_certificate: Option<String>,
    /// The machines the AOS runs on, by a short name. Left out or empty: one, `aos1`.
    #[serde(default)]
    pub nodes: IndexMap<String, Node>,
    /// The environment's database, as far as it decides sign-in and Dual Write.
    pub database: EnvironmentDatabase,
    /// Tables beside the product's, and columns added to those.
    #[serde(default)]
    pub tables: Arc<TableDefinitions>,
    /// Business records at reset: entity set, then a name of ours, then the row.
    #[serde(default)]
    pub records: Arc<Records>,
}

/// One node: an AOS of the environment on a machine of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// A DNS name of the node's own, beside the environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// How far its clock is from the lab's time; absent means as far as the environment's `machine` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Whether this node is stopped: then the others answer.
    #[serde(default)]
    pub stopped: bool,
    /// What its own `AXSF.Package.1.0.xml` says otherwise than the environment's: `Section.Parameter` to value.
    #[serde(default)]
    pub axsf: IndexMap<String, String>,
    /// What its machine is like otherwise than the environment's.
    #[serde(default)]
    pub machine: NodeMachine,
}

/// What is a node's own on its machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeMachine {
    /// Certificate stores of its own: a store that stands here is the whole store.
    #[serde(default)]
    pub certificates: IndexMap<String, IndexMap<String, IndexMap<String, StoreCertificate>>>,
}

/// The part of `wif.config` the AOS reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WifConfig {
    /// `audienceUris/add@value`, in order. Elements are addressed by their own value.
    #[serde(default, rename = "audienceUris")]
    pub audience_uris: Vec<String>,
}

/// A Windows machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// How far its clock is from the lab's time, for instance `+20m`; absent means not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Certificate stores: `LocalMachine` or `CurrentUser`, then `My` or `Root`, then thumbprint.
    #[serde(default)]
    pub certificates: IndexMap<String, IndexMap<String, IndexMap<String, StoreCertificate>>>,
}

/// One certificate in a certificate store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCertificate {
    /// `shipped:NAME`, PEM, base64 of the DER, or `lab-ca` (the lab's own roots).
    pub certificate: String,
    /// Its private key, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKey>,
}

/// A private key in a certificate store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivateKey {
    /// `shipped:NAME` or PKCS#8 PEM.
    pub key: SecretText,
    /// Accounts that may read it. The AOS runs as `NETWORK SERVICE`.
    #[serde(default)]
    pub readable_by: Vec<String>,
}

/// Tables of the environment's database that are settings rather than business records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentDatabase {
    /// Flights by name.
    #[serde(default, rename = "SysFlighting")]
    pub sys_flighting: IndexMap<String, Flight>,
    /// "Microsoft Entra ID applications" by client id.
    #[serde(default, rename = "SysAADClientTable")]
    pub sys_aad_client_table: IndexMap<String, AadClient>,
    /// Users by user id.
    #[serde(default, rename = "UserInfo")]
    pub user_info: IndexMap<String, UserInfo>,
    /// Dual Write's link and running maps; absent means that it is not linked.
    #[serde(default, rename = "DualWriteProjectConfiguration", skip_serializing_if = "Option::is_none")]
    pub dual_write: Option<DualWriteProjectConfiguration>,
}

/// One row of SysFlighting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flight {
    /// 1 is on.
    #[serde(rename = "Enabled")]
    pub enabled: u8,
    /// `flightServiceId`, 12719367 for Finance & Operations.
    #[serde(rename = "FlightServiceId")]
    pub flight_service_id: u64,
}

/// One row of SysAADClientTable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AadClient {
    /// Free text.
    #[serde(rename = "Name")]
    pub name: String,
    /// The UserInfo row calls of this application run as.
    #[serde(rename = "UserId")]
    pub user_id: String,
}

/// One row of UserInfo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserInfo {
    /// Display name.
    #[serde(rename = "Name")]
    pub name: String,
    /// 1 is enabled.
    #[serde(rename = "Enable")]
    pub enable: u8,
    /// Sign-in name.
    #[serde(default, rename = "NetworkAlias")]
    pub network_alias: String,
    /// Issuer the user signs in with.
    #[serde(default, rename = "NetworkDomain")]
    pub network_domain: String,
    /// The identity provider the user belongs to, as its tokens name it.
    #[serde(default, rename = "IdentityProvider")]
    pub identity_provider: String,
    /// The user's SID: online a hash of network alias and network domain, on-premises of network alias and identity
    /// provider.
    #[serde(default, rename = "Sid")]
    pub sid: String,
    /// Object id of the user in the directory.
    #[serde(default, rename = "ObjectId")]
    pub object_id: String,
    /// Default company.
    #[serde(rename = "Company")]
    pub company: String,
    /// Names of the user's security roles, for instance `System administrator`.
    #[serde(default, rename = "Roles")]
    pub roles: Vec<String>,
}

/// Dual Write's project configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DualWriteProjectConfiguration {
    /// The linked Dataverse organisation's URL, as written.
    #[serde(rename = "ExternalEnvironmentURL")]
    pub external_environment_url: String,
    /// Running maps by `InternalEntityName`, for instance `CustomersV3`.
    #[serde(default, rename = "Maps")]
    pub maps: IndexMap<String, DualWriteMap>,
}

/// State of one Dual Write map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DualWriteMap {
    /// `Running`, `Paused` or `Not running`.
    #[serde(rename = "State")]
    pub state: String,
}

/// One Dataverse organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The tenant it belongs to (tenant id).
    pub tenant: String,
    /// Organisation id (GUID).
    pub id: String,
    /// Friendly name.
    pub name: String,
    /// Host of the organisation URL, for instance `contoso.crm4.dynamics.com`. Tokens are for this one.
    pub host: String,
    /// Host of the API URL, for instance `contoso.api.crm4.dynamics.com`.
    pub api_host: String,
    /// Root business unit (GUID).
    pub business_unit: String,
    /// How far its clock is from the lab's time, for instance `+20m`; absent means not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Application users by client id.
    #[serde(default)]
    pub application_users: IndexMap<String, Arc<ApplicationUser>>,
    /// Security roles by name.
    #[serde(default)]
    pub roles: IndexMap<String, Arc<SecurityRole>>,
    /// Tables beside the product's, and columns added to those.
    #[serde(default)]
    pub tables: Arc<TableDefinitions>,
    /// Rows at reset: entity set, then a name of ours, then the row.
    #[serde(default)]
    pub records: Arc<Records>,
}

/// One application user (a systemuser with `applicationid`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationUser {
    /// `systemuserid` (GUID).
    pub id: String,
    /// A disabled one gets 0x80040225.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Security roles by name; addressed by their own value.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Time zone, `Pacific Standard Time` or `America/Los_Angeles`: dates are formatted in it. Absent means UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// One security role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityRole {
    /// `roleid` (GUID).
    pub id: String,
    /// Privilege names such as `prvCreateAccount`, with a depth where it is not the whole organisation:
    /// `prvReadAccount:Basic` (own rows), `:Local`, `:Deep`, `:Global`. `*` is all of them.
    pub privileges: Vec<String>,
}

/// What the caller does with its token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Errand {
    /// Creates its customer in the environment.
    #[default]
    CreateCustomer,
    /// Reads that customer back; every customer where it has no number.
    ReadCustomers,
    /// Reads that customer's account in the organisation the environment is linked with.
    DataverseRequest,
    /// Creates its customer again and again, each time under another number.
    Load,
    /// Signs a user in, as a browser and a client in one.
    SignIn,
    /// The same once for each node of the environment whose application is opened, each time in another browser.
    EverybodySignsIn,
}

impl Errand {
    /// Whether somebody signs in at a page.
    pub const fn signs_in(self) -> bool {
        matches!(self, Self::SignIn | Self::EverybodySignsIn)
    }
}

/// The client a scenario drives, so that a wrong request is a wrong world too: whatever it sends stands here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// Tenant id it asks for a token.
    pub tenant: String,
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: SecretText,
    /// The environment it calls.
    pub environment: String,
    /// What it does: `create-customer` unless told otherwise, `read-customers`, `dataverse-request`, `load`, `sign-in` or
    /// `everybody-signs-in`.
    #[serde(default)]
    pub does: Errand,
    /// How often a `load` goes on, 1 to 1,000; absent means 10 times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// The resource it asks a token for; absent means the URL of what it calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// How it signs a user in; absent means that it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_in: Option<SignIn>,
    /// The customer it creates: body of `POST /data/CustomersV3`.
    pub customer: Map<String, Value>,
}

impl Caller {
    /// How often a load goes on unless it says so.
    const COUNT: u32 = 10;

    /// How many requests this errand is.
    pub fn turns(&self, errand: Errand) -> u32 {
        match errand {
            Errand::Load => self.count.unwrap_or(Self::COUNT),
            _ => 1,
        }
    }
}

pub(crate) fn yes() -> bool {
    true
}
