//! The claims of app-only access tokens, v1 and v2.
//!
//! Decides the set and order of claims (v1 as in a decoded managed-identity token, v2 as in a capture of 2026-08: see
//! the project's reference), the back-dating (`iat` and `nbf` five minutes ago, so that clients with a slow clock accept
//! the token), and that `sub` and `oid` are the service principal. Claims nobody outside the service can read (`aio`,
//! `rh`, `xms_*`) are fixed texts of the right shape. Never decides which version a token has.

use mocktenant_world::Application;
use time::OffsetDateTime;

use crate::Version;
use crate::discovery::issuer;
use crate::json::{push_integer, push_list, push_member, push_name};

/// How long a token lives, in seconds, from now.
const LIFETIME: i64 = 3600;
/// How far `iat` and `nbf` lie back, in seconds.
const BACKDATING: i64 = 300;

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
        let now = now.unix_timestamp();
        Self { not_before: now - BACKDATING, expires_on: now + LIFETIME }
    }

    /// `expires_in`, as the service rounds it.
    pub(crate) const EXPIRES_IN: i64 = LIFETIME - 1;
}

/// What an app-only token says.
pub(crate) struct AppOnly<'a> {
    /// Tenant id.
    pub(crate) tenant: &'a str,
    /// The client.
    pub(crate) client: &'a Application,
    /// The resource.
    pub(crate) resource: &'a Application,
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
        let mut out = Vec::with_capacity(1280);
        out.push(b'{');
        match version {
            Version::V1 => self.push_v1(&mut out),
            Version::V2 => self.push_v2(&mut out),
        }
        out.push(b'}');
        out
    }

    fn push_v1(&self, out: &mut Vec<u8>) {
        let issuer = issuer(Version::V1, self.issuer_base, self.tenant);
        push_member(out, "aud", self.audience);
        push_member(out, "iss", &issuer);
        push_number(out, "iat", self.times.not_before);
        push_number(out, "nbf", self.times.not_before);
        push_number(out, "exp", self.times.expires_on);
        push_member(out, "aio", AIO);
        push_member(out, "appid", &self.client.client_id);
        push_member(out, "appidacr", self.context_class);
        push_member(out, "idp", &issuer);
        push_member(out, "idtyp", "app");
        push_member(out, "oid", &self.client.object_id);
        push_member(out, "rh", RH);
        self.push_roles(out);
        push_member(out, "sub", &self.client.object_id);
        push_member(out, "tid", self.tenant);
        push_member(out, "uti", self.id);
        push_member(out, "ver", "1.0");
        push_member(out, "xms_act_fct", "3 9");
        push_member(out, "xms_ftd", FTD);
        push_member(out, "xms_idrel", "7 14");
        push_member(out, "xms_rd", RD);
        push_member(out, "xms_sub_fct", "3 9");
        push_number(out, "xms_tcdt", TENANT_CREATED);
    }

    fn push_v2(&self, out: &mut Vec<u8>) {
        push_member(out, "aio", AIO);
        push_member(out, "aud", self.audience);
        push_member(out, "azp", &self.client.client_id);
        push_member(out, "azpacr", self.context_class);
        push_number(out, "exp", self.times.expires_on);
        push_number(out, "iat", self.times.not_before);
        push_member(out, "iss", &issuer(Version::V2, self.issuer_base, self.tenant));
        push_number(out, "nbf", self.times.not_before);
        push_member(out, "oid", &self.client.object_id);
        push_member(out, "rh", RH);
        self.push_roles(out);
        push_member(out, "sub", &self.client.object_id);
        push_member(out, "tid", self.tenant);
        push_member(out, "uti", self.id);
        push_member(out, "ver", "2.0");
        push_member(out, "xms_ftd", FTD);
    }

    /// Roles granted on this resource; the claim is absent, not empty, when there are none.
    fn push_roles(&self, out: &mut Vec<u8>) {
        let roles = self.client.granted_roles.get(&self.resource.client_id).map_or(&[][..], Vec::as_slice);
        if !roles.is_empty() {
            push_name(out, "roles");
            push_list(out, roles.iter().map(String::as_str));
        }
    }
}

fn push_number(out: &mut Vec<u8>, name: &str, number: i64) {
    push_name(out, name);
    push_integer(out, number);
}
