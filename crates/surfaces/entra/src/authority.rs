//! The first path segment: a tenant, one of the aliases, or an error; and the URLs an authority goes by.
//!
//! Decides how a tenant may be written (its id or a verified domain, in any letter case), which error another text gets
//! (900021 for the zero GUID; 90002 for any other of a document, and at the token endpoint for what could be a tenant;
//! 900023 there for what could not: people paste whole endpoint URLs as authority), and which host an issuer carries; and what a request is told that names no tenant: the one there is, if there is one.

use std::borrow::Cow;
use std::sync::Arc;

use mocktenant_lab::Exchange;
use mocktenant_verdict::{Checklist, Finding, Question, Remedy, Role, Text};
use mocktenant_world::{World, is_guid, pointers};

use crate::client_auth::{Checks, excerpt};
use crate::errors::{EntraError, describe};
use crate::prepared::{Prepared, PreparedTenant};

/// Whether the request names a tenant.
pub(crate) static TENANT: Question = Question::new("tenant", Role::Authority);

/// The names of the public cloud's sign-in service, the preferred one first.
pub(crate) const WORLD_HOSTS: [&str; 4] =
    ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];
/// The host whose name stands in v1 issuers.
pub(crate) const STS_HOST: &str = "sts.windows.net";
/// Base of v2 issuers wherever a request came by a name of the world.
pub(crate) const CANONICAL_BASE: &str = "https://login.microsoftonline.com";
/// What documents of an alias print where a tenant id would stand.
pub(crate) const TENANT_PLACEHOLDER: &str = "{tenantid}";
/// What `tenant` expects.
const EXPECTED: &str = "a tenant's id or verified domain";
/// The tenant of personal accounts.
const CONSUMERS_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A tenant setting that was never filled in.
const EMPTY_TENANT: &str = "00000000-0000-0000-0000-000000000000";
/// What follows the region in a regional host.
const REGIONAL: &str = ".login.microsoft.com";

/// Whether a lower-case host is the sign-in service of one region.
pub(crate) fn is_regional(host: &str) -> bool {
    let region = host.strip_suffix(REGIONAL).unwrap_or_default();
    !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a request asks a tenant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A document.
    Document,
    /// A token.
    Token,
}

/// An authority that is no single tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// `common`: any account.
    Common,
    /// `organizations`: work accounts.
    Organizations,
    /// `consumers`, or the tenant id of personal accounts.
    Consumers,
}

impl Alias {
    /// The alias a folded segment names.
    fn of(segment: &str) -> Option<Self> {
        match segment {
            "common" => Some(Self::Common),
            "organizations" => Some(Self::Organizations),
            "consumers" | CONSUMERS_TENANT => Some(Self::Consumers),
            _ => None,
        }
    }

    /// As it stands in URLs.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Common => "common",
            Self::Organizations => "organizations",
            Self::Consumers => "consumers",
        }
    }

    /// What stands for the tenant in issuers of its documents.
    pub(crate) fn issuer_tenant(self) -> &'static str {
        match self {
            Self::Common | Self::Organizations => TENANT_PLACEHOLDER,
            Self::Consumers => CONSUMERS_TENANT,
        }
    }
}

/// Whom a request addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Authority<'p> {
    /// One tenant.
    Tenant(&'p Arc<PreparedTenant>),
    /// An alias.
    Alias(Alias),
}

/// Resolves the tenant segment of a request.
pub(crate) fn resolve<'p>(
    prepared: &'p Prepared,
    exchange: &Exchange,
    wanted: Wanted,
) -> Result<Authority<'p>, EntraError> {
    let folded = exchange.folded_path().split('/').nth(1).unwrap_or_default();
    if let Some(tenant) = prepared.tenant(folded) {
        return Ok(Authority::Tenant(tenant));
    }
    if let Some(alias) = Alias::of(folded) {
        return Ok(Authority::Alias(alias));
    }
    let tenant = exchange.parameter("tenant");
    Err(match wanted {
        _ if folded == EMPTY_TENANT => EntraError::TenantEmpty { tenant },
        Wanted::Document => EntraError::TenantNotFound { tenant },
        Wanted::Token if is_guid(folded) || is_dns_name(folded) => EntraError::TenantUnknown { tenant },
        Wanted::Token => EntraError::TenantMalformed { tenant },
    })
}

/// Asks `tenant` of a request for a token. Which of the two codes an alias gets is inferred.
pub(crate) fn ask<'p>(
    list: &mut Checks<'_>,
    exchange: &Exchange,
    prepared: &'p Prepared,
) -> Option<&'p Arc<PreparedTenant>> {
    match resolve(prepared, exchange, Wanted::Token) {
        Ok(Authority::Tenant(tenant)) => {
            let settings = || vec![tenant.tenant.pointer.setting()];
            list.ask(&TENANT, EXPECTED, settings, Finding::pass(&tenant.name));
            return Some(tenant);
        }
        Ok(Authority::Alias(alias)) => {
            let error = match alias {
                Alias::Common | Alias::Organizations => EntraError::TenantNotImplied,
                Alias::Consumers => EntraError::AliasNotSupported,
            };
            let finding = refused(exchange.context.world(), alias.segment(), error);
            list.ask(&TENANT, EXPECTED, Vec::new(), finding);
        }
        Err(error) => ask_unknown(list, exchange, error),
    }
    None
}

/// Records that a request for a document was refused for its tenant. A document that is given asks nothing.
pub(crate) fn record_unknown(exchange: &mut Exchange, error: &EntraError) {
    let mut list = Checklist::new(exchange.context.switches(), describe);
    ask_unknown(&mut list, exchange, error.clone());
    let (checks, _) = list.finish();
    exchange.trail.record_checks(checks);
}

fn ask_unknown(list: &mut Checks<'_>, exchange: &Exchange, error: EntraError) {
    let named = excerpt(&exchange.parameter("tenant"));
    let settings = vec![pointers::tenant(&named.to_lowercase()).into()];
    list.ask(&TENANT, EXPECTED, settings, refused(exchange.context.world(), named, error));
}

/// A world of one tenant leaves no doubt which was meant.
fn refused(world: &World, named: impl Into<Text>, error: EntraError) -> Finding<EntraError> {
    let finding = Finding::fail(named, error);
    let mut tenants = world.tenants();
    match (tenants.next(), tenants.next()) {
        (Some(only), None) => finding.mended_by(|| Remedy::instead([&only.id])),
        _ => finding,
    }
}

/// Base of the v2 issuer for this request: canonical under a name of the world, else the host that was called, so that
/// SDKs which compare an issuer with their authority are content on localhost too.
pub(crate) fn v2_issuer_base(exchange: &Exchange) -> Cow<'static, str> {
    if exchange.by_world_name() { Cow::Borrowed(CANONICAL_BASE) } else { Cow::Owned(exchange.own_base_url()) }
}

/// Host and port of an `https://` base, as an authority writes them.
pub(crate) fn host_and_port(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, rest)| rest).trim_end_matches('/')
}

/// The host of `host:port` or `[address]:port`.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(at) if !authority[at..].contains(']') => &authority[..at],
        _ => authority,
    }
}

/// Whether a text could be a domain: at least two labels of letters, digits and hyphens.
fn is_dns_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_one_label_before_the_name_of_the_service() {
        assert!(is_regional("westus.login.microsoft.com") && is_regional("eastus2euap.login.microsoft.com"));
        for other in [
            "login.microsoft.com",
            ".login.microsoft.com",
            "a.b.login.microsoft.com",
            "westus.login.windows.net",
        ] {
            assert!(!is_regional(other), "{other}");
        }
    }

    #[test]
    fn domains_are_told_from_other_texts() {
        assert!(is_dns_name("contoso.onmicrosoft.com") && is_dns_name("a.b"));
        for text in ["", "authorize", "a..b", ".a", "a.", "a b.c", "ä.de", &"a.".repeat(200)] {
            assert!(!is_dns_name(text), "{text}");
        }
    }
}
