//! The claims of app-only access tokens, v1 and v2.
//!
//! Decides the set and order of claims by a table each (v1 as in a decoded managed-identity token, v2 as in captures of
//! own APIs: see the project's reference), the back-dating (`iat` and `nbf` five minutes ago, so that clients with a slow
//! clock accept the token), and that `sub` and `oid` are the service principal. A token for Dataverse says the tenant's
//! region where others say when the tenant was made; what captures of late 2026 add to it (`xms_aud_guid`) is left out.
//! Claims nobody outside the service can read (`aio`, `rh`, `xms_*`) are fixed texts of the right shape. Never decides which
//! version a token has.

use time::OffsetDateTime;

use crate::Version;
use crate::discovery::issuer;
use crate::resource::DATAVERSE;
use mocktenant_idp::json::{push_integer, push_list, push_member, push_name};

/// How long a token lives, in seconds, from now.
pub(crate) const LIFETIME: i64 = 3600;
/// The same of a managed identity's, as captured.
const DAY: i64 = 24 * 3600;
/// How far `iat` and `nbf` lie back, in seconds.
pub(crate) const BACKDATING: i64 = 300;

const AIO: &str = "k2BgYFhVvn7Ky6NP3tS9PsD/9sZbSwA=";
const RH: &str = "1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.";
const FTD: &str = "qYz0vK2m7xT3nB8sLdR1cW5hEjU9aPoG4iMfXtVkQyA";
const RD: &str = "0.42LlYBJiFBIQ4mQAAAA";
/// `tcdt`: when the tenant was made.
const TENANT_CREATED: i64 = 1_500_000_000;

/// The times of a token, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// `iat` and `nbf`.
    pub(crate) not_before: i64,
    /// `exp`.
    pub(crate) expires_on: i64,
}

impl Times {
    /// Times of a token issued now.
    pub(crate) fn at(now: OffsetDateTime) -> Self {
        Self::lasting(now, LIFETIME)
    }

    /// Times of a managed identity's token issued now.
    pub(crate) fn of_a_day(now: OffsetDateTime) -> Self {
        Self::lasting(now, DAY)
    }

    fn lasting(now: OffsetDateTime, lifetime: i64) -> Self {
        let now = now.unix_timestamp();
        Self { not_before: now - BACKDATING, expires_on: now + lifetime }
    }

    /// `expires_in` of these times, as the service rounds it.
    pub(crate) fn expires_in(self) -> i64 {
        self.expires_on - self.not_before - BACKDATING - 1
    }

    /// `expires_in`, as the service rounds it.
    pub(crate) const EXPIRES_IN: i64 = LIFETIME - 1;
}

/// The value of a claim.
enum Claim {
    /// A fixed text.
    Text(&'static str),
    Audience,
    Issuer,
    NotBefore,
    Expires,
    Client,
    ContextClass,
    /// The client's service principal.
    Principal,
    /// Roles granted on this resource; the claim is absent, not empty, when there are none.
    Roles,
    /// Of a token for Dataverse alone.
    Region,
    /// Of a managed identity alone.
    ResourceId,
    Tenant,
    Id,
    /// Of every other v1 token.
    TenantCreated,
}

use Claim::{
    Audience, Client, ContextClass, Expires, Id, Issuer, NotBefore, Principal, Region, ResourceId, Roles,
    Tenant, TenantCreated, Text,
};

const V1: &[(&str, Claim)] = &[
    ("aud", Audience),
    ("iss", Issuer),
    ("iat", NotBefore),
    ("nbf", NotBefore),
    ("exp", Expires),
    ("aio", Text(AIO)),
    ("appid", Client),
    ("appidacr", ContextClass),
    ("idp", Issuer),
    ("idtyp", Text("app")),
    ("oid", Principal),
    ("rh", Text(RH)),
    ("roles", Roles),
    ("sub", Principal),
    ("tenant_region_scope", Region),
    ("tid", Tenant),
    ("uti", Id),
    ("ver", Text("1.0")),
    ("xms_act_fct", Text("3 9")),
    ("xms_ftd", Text(FTD)),
    ("xms_idrel", Text("7 14")),
    ("xms_mirid", ResourceId),
    ("xms_rd", Text(RD)),
    ("xms_sub_fct", Text("3 9")),
    ("xms_tcdt", TenantCreated),
];

/// `idtyp` is an optional claim that no application of a world asks for.
const V2: &[(&str, Claim)] = &[
    ("aud", Audience),
    ("iss", Issuer),
    ("iat", NotBefore),
    ("nbf", NotBefore),
    ("exp", Expires),
    ("aio", Text(AIO)),
    ("azp", Client),
    ("azpacr", ContextClass),
    ("oid", Principal),
    ("rh", Text(RH)),
    ("roles", Roles),
    ("sub", Principal),
    ("tid", Tenant),
    ("uti", Id),
    ("ver", Text("2.0")),
    ("xms_ftd", Text(FTD)),
];

/// What an app-only token says.
pub(crate) struct AppOnly<'a> {
    /// Tenant id.
    pub(crate) tenant: &'a str,
    /// `tenant_region_scope`.
    pub(crate) region: &'a str,
    /// The client.
    pub(crate) client_id: &'a str,
    /// Its service principal.
    pub(crate) object_id: &'a str,
    /// Its Azure resource id, if it is a managed identity.
    pub(crate) managed_identity: Option<&'a str>,
    /// Its roles on the resource.
    pub(crate) roles: &'a [String],
    /// The resource.
    pub(crate) resource_id: &'a str,
    /// `aud`.
    pub(crate) audience: &'a str,
    /// `appidacr` or `azpacr`.
    pub(crate) context_class: &'a str,
    /// Times.
    pub(crate) times: Times,
    /// `uti`.
    pub(crate) id: &'a str,
    /// Base of the v2 issuer.
    pub(crate) issuer_base: &'a str,
}

impl AppOnly<'_> {
    /// The claims as JSON.
    pub(crate) fn to_json(&self, version: Version) -> Vec<u8> {
        let claims = match version {
            Version::V1 => V1,
            Version::V2 => V2,
        };
        let issuer = issuer(version, self.issuer_base, self.tenant);
        let dataverse = self.resource_id == DATAVERSE;
        let mut out = Vec::with_capacity(1280);
        out.push(b'{');
        for (name, claim) in claims {
            let text = match claim {
                Text(text) => text,
                Audience => self.audience,
                Issuer => &issuer,
                Client => self.client_id,
                ContextClass => self.context_class,
                Principal => self.object_id,
                Tenant => self.tenant,
                Id => self.id,
                Region if dataverse => self.region,
                NotBefore => {
                    push_number(&mut out, name, self.times.not_before);
                    continue;
                }
                Expires => {
                    push_number(&mut out, name, self.times.expires_on);
                    continue;
                }
                Roles => {
                    if !self.roles.is_empty() {
                        push_name(&mut out, name);
                        push_list(&mut out, self.roles.iter().map(String::as_str));
                    }
                    continue;
                }
                TenantCreated if !dataverse => {
                    push_number(&mut out, name, TENANT_CREATED);
                    continue;
                }
                ResourceId => match self.managed_identity {
                    Some(resource_id) => resource_id,
                    None => continue,
                },
                Region | TenantCreated => continue,
            };
            push_member(&mut out, name, text);
        }
        out.push(b'}');
        out
    }
}

fn push_number(out: &mut Vec<u8>, name: &str, number: i64) {
    push_name(out, name);
    push_integer(out, number);
}
