//! A federation service: AD FS with its application groups and the users of its directory.
//!
//! Decides the shape of the declaration and nothing else, as the rest of this crate does. Application groups are what the
//! AD FS console shows: native and server applications by client id, Web APIs by identifier, permissions of a client on a
//! Web API, and what a Web API's rules issue, in their order. Never decides what a token says.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{ApplicationCertificate, SecretText};

/// One federation service (an AD FS farm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationService {
    /// The federation service name as its administrator spelled it: issuers keep its letter case.
    pub host_name: String,
    /// `ServiceDisplayName` of its metadata and the name on its pages.
    pub display_name: String,
    /// Which Windows Server it runs on, `2019` unless told otherwise.
    #[serde(default)]
    pub profile: Profile,
    /// Whether its service is stopped: then nobody is answered under its names.
    #[serde(default)]
    pub stopped: bool,
    /// How far its clock is from the lab's time, for instance `+20m`; absent means not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// Finance & Operations' option of that name. On, the federation service identifier stays
    /// `http://HOST/adfs/services/trust`; off, it is the issuer of id tokens, `https://HOST/adfs`.
    #[serde(default = "crate::yes")]
    pub m365_compatibility: bool,
    /// `CORSTrustedOrigins`: origins of browser apps, for instance `https://app.contoso.com`.
    #[serde(default)]
    pub cors_trusted_origins: Vec<String>,
    /// Token-signing identities, the primary one first: `shipped:NAME` or a PEM bundle. All of them are published.
    pub signing_keys: Vec<SecretText>,
    /// The token-signing identity that a rollover makes primary; it is published from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_signing_key: Option<SecretText>,
    /// The token-decrypting identity: `shipped:NAME` or a PEM bundle.
    pub decrypting_key: SecretText,
    /// How often a wrong password is taken before a user is locked out; absent means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockout: Option<Lockout>,
    /// Whether a browser that is sent for tokens again and again is stopped (MSIS7042); absent means it is not. A real service
    /// does so unless told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loop_detection: Option<LoopDetection>,
    /// `SsoLifetime` in minutes, 480 unless told otherwise: how long refresh tokens last.
    #[serde(default = "sso_lifetime")]
    pub sso_lifetime: u32,
    /// `Set-AdfsGlobalAuthenticationPolicy -EnablePaginatedAuthenticationPages`: whether people are asked for their password on
    /// a page of its own; absent means as a new server of its profile has it (from 2019 on).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paginated_sign_in: Option<bool>,
    /// `Set-AdfsClaimsProviderTrust -TargetIdentifier "AD AUTHORITY" -AlternateLoginID`: the attribute of a user by which people
    /// sign in as well, for instance `mail`; absent means by user principal name and `DOMAIN\name` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alternate_login_id: Option<String>,
    /// Names of scope descriptions besides those every federation service has.
    #[serde(default)]
    pub scope_descriptions: Vec<String>,
    /// Users of its directory by user principal name (lower-case).
    #[serde(default)]
    pub users: IndexMap<String, Arc<FederationUser>>,
    /// Application groups by name.
    #[serde(default)]
    pub application_groups: IndexMap<String, Arc<ApplicationGroup>>,
}

/// The Windows Server a federation service runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Profile {
    /// Windows Server 2016.
    #[serde(rename = "2016")]
    Server2016,
    /// Windows Server 2019.
    #[default]
    #[serde(rename = "2019")]
    Server2019,
    /// Windows Server 2022.
    #[serde(rename = "2022")]
    Server2022,
}

impl FederationService {
    /// Whether people are asked for their password on a page of its own.
    pub fn asks_on_two_pages(&self) -> bool {
        self.paginated_sign_in.unwrap_or(self.profile >= Profile::Server2019)
    }
}

/// When wrong passwords lock a user out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockout {
    /// Wrong passwords in a row that are taken.
    pub threshold: u32,
    /// Minutes after the last of them until the next attempt counts.
    pub minutes: u32,
}

/// How many tokens in which time are a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoopDetection {
    /// `LoopDetectionMaximumTokensIssuedInInterval`, 5 unless told otherwise: one more is refused.
    pub maximum_tokens: u32,
    /// `LoopDetectionTimeIntervalInSeconds`, 20 unless told otherwise.
    pub interval_seconds: u32,
}

impl Default for LoopDetection {
    fn default() -> Self {
        Self { maximum_tokens: 5, interval_seconds: 20 }
    }
}

/// One user of the directory that a federation service authenticates with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederationUser {
    /// Display name.
    pub name: String,
    /// `DOMAIN\name`, its sign-in name beside the user principal name.
    pub account: String,
    /// The password.
    pub password: SecretText,
    /// A disabled account cannot sign in.
    #[serde(default = "crate::yes")]
    pub enabled: bool,
    /// A locked-out account cannot sign in.
    #[serde(default)]
    pub locked: bool,
    /// An account whose own time is over cannot sign in.
    #[serde(default)]
    pub expired: bool,
    /// When its password expires (RFC 3339, UTC); absent means never. `pwd_exp` of id tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_expires: Option<String>,
    /// Names of its groups, as `DOMAIN\name`.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Its security identifier, `S-1-5-21-...`.
    pub sid: String,
    /// Attributes of the directory by LDAP name, for instance `mail`.
    #[serde(default)]
    pub attributes: IndexMap<String, String>,
}

/// One application group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationGroup {
    /// Free text.
    #[serde(default)]
    pub description: String,
    /// Native applications (public clients) by client id.
    #[serde(default)]
    pub native_applications: IndexMap<String, NativeApplication>,
    /// Server applications (confidential clients) by client id.
    #[serde(default)]
    pub server_applications: IndexMap<String, ServerApplication>,
    /// Web APIs by their first identifier.
    #[serde(default)]
    pub web_apis: IndexMap<String, WebApi>,
}

/// A native application: a public client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeApplication {
    /// Display name.
    pub name: String,
    /// Redirect URIs, as registered.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// `LogoutUri`: where it is told, in a browser, that its user signed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logout_uri: Option<String>,
}

/// A server application: a confidential client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerApplication {
    /// Display name.
    pub name: String,
    /// Redirect URIs, as registered.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// `LogoutUri`: where it is told, in a browser, that its user signed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logout_uri: Option<String>,
    /// Shared secrets by a short name. They do not expire here: an administrator resets them.
    #[serde(default)]
    pub secrets: IndexMap<String, SecretText>,
    /// Certificates that verify its assertions, by SHA-1 thumbprint (upper-case hex).
    #[serde(default)]
    pub certificates: IndexMap<String, ApplicationCertificate>,
}

/// A Web API: a relying party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebApi {
    /// Display name.
    pub name: String,
    /// Identifiers besides the one it is declared under.
    #[serde(default)]
    pub identifiers: Vec<String>,
    /// Client permissions: client id to the names of the scopes it is permitted.
    #[serde(default)]
    pub permissions: IndexMap<String, Vec<String>>,
    /// What its issuance transform rules issue, in their order.
    #[serde(default)]
    pub issued_claims: Vec<IssuedClaim>,
    /// Lifetime of its access tokens in minutes, 60 unless told otherwise.
    #[serde(default = "token_lifetime")]
    pub token_lifetime: u32,
}

/// One claim that a Web API's rules issue: from an attribute of the user, or a value of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuedClaim {
    /// The claim type: a URI, or a name that has none.
    #[serde(rename = "type")]
    pub claim_type: String,
    /// The LDAP attribute it is taken from. `userPrincipalName`, `msDS-PrincipalName` (`DOMAIN\name`), `sAMAccountName`,
    /// `displayName`, `objectSid` and `memberOf` follow from the user; others stand under `attributes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The value it has for everybody, users or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Its ValueType where that is not a string: `http://www.w3.org/2001/XMLSchema#json` is written as a JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<String>,
}

fn sso_lifetime() -> u32 {
    480
}

fn token_lifetime() -> u32 {
    60
}
