//! What the real Entra has and this lab has not: grants, parameters, resources, endpoints, hosts.
//!
//! Decides which of what was refused nobody has, and which is only missing here; the answer is the product's own for
//! "cannot" either way, and what is missing is said beside it ([`mocktenant_lab::Trail::not_built`]). One table each. A
//! line leaves its table when the thing is built. Never decides that a request is refused for a grant, a resource or an
//! endpoint, because whoever looks for those does not find them; for a parameter it does, for it would mean another token.

use std::borrow::Cow;

use mocktenant_lab::Trail;

use crate::asking::Sent;
use crate::errors::EntraError;

/// What stands in for another grant.
const BUILT_GRANTS: &str = "client_credentials with a secret or a certificate";
/// What stands in for another endpoint.
const BUILT_ENDPOINTS: &str =
    "discovery, keys, federation metadata, the token endpoint for client_credentials";
/// What stands in for another kind of token.
const BUILT_TOKENS: &str = "bearer tokens";
/// What stands in for another way to authenticate.
const BUILT_CREDENTIALS: &str = "a secret, or an assertion signed with a certificate of the application";

/// Grants by `grant_type`.
const GRANTS: &[(&str, &str)] = &[
    ("authorization_code", "the authorization code grant"),
    ("refresh_token", "refresh tokens"),
    ("password", "the password grant"),
    ("urn:ietf:params:oauth:grant-type:device_code", "the device code grant"),
    ("device_code", "the device code grant"),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", "on-behalf-of"),
    ("urn:ietf:params:oauth:grant-type:saml1_1-bearer", "the SAML 1.1 bearer grant"),
    ("urn:ietf:params:oauth:grant-type:saml2-bearer", "the SAML 2.0 bearer grant"),
];

/// Parameters of the token endpoint that would change what is issued, and the values that would not.
const PARAMETERS: &[(&str, &[&str], &str)] = &[
    ("token_type", &["bearer"], "tokens bound to a key"),
    ("req_cnf", &[], "tokens bound to a key"),
    ("request", &[], "signed requests"),
    ("fmi_path", &[], "tokens for a federated managed identity"),
];

/// Values of `client_assertion_type` besides the one that is taken.
const ASSERTION_TYPES: &[(&str, &str)] =
    &[("urn:ietf:params:oauth:client-assertion-type:jwt-pop", "assertions bound to a key")];

/// Resources every tenant has, by identifier URI.
const RESOURCES: &[(&str, &str)] = &[("api://azureadtokenexchange", "tokens for a federated credential")];

/// Endpoints, folded, behind the tenant's segment.
const ENDPOINTS: &[(&str, &str)] = &[
    (AUTHORIZE_V1, "sign-in"),
    (AUTHORIZE_V2, "sign-in"),
    (DEVICE_V1, "device codes"),
    (DEVICE_V2, "device codes"),
    (LOGOUT_V1, "sign-out"),
    (LOGOUT_V2, "sign-out"),
    (CHECK_SESSION, "the session's iframe"),
    (USERINFO_V1, "userinfo"),
    (KERBEROS, "Kerberos"),
    ("/{tenant}/wsfed", "WS-Federation sign-in"),
    ("/{tenant}/saml2", "SAML sign-in"),
    ("/{tenant}/adminconsent", "consent"),
    ("/{tenant}/v2.0/adminconsent", "consent"),
    ("/{tenant}/login", "sign-in"),
    ("/{tenant}/reprocess", "sign-in"),
    ("/{tenant}/getcredentialtype", "sign-in"),
    ("/{tenant}/oauth2/deviceauth", "device codes"),
    ("/{tenant}/oauth2/nativeclient", "sign-in"),
    ("/getuserrealm.srf", "home realm discovery"),
    ("/kmsi", "sign-in"),
];

/// What begins an endpoint that goes on with what is asked about.
const ENDPOINTS_BEGIN: &[(&str, &str)] =
    &[("/common/userrealm/", "home realm discovery"), ("/common/sas/", "multi-factor sign-in")];

/// Those that the documents list.
pub(crate) const AUTHORIZE_V1: &str = "/{tenant}/oauth2/authorize";
pub(crate) const AUTHORIZE_V2: &str = "/{tenant}/oauth2/v2.0/authorize";
pub(crate) const DEVICE_V1: &str = "/{tenant}/oauth2/devicecode";
pub(crate) const DEVICE_V2: &str = "/{tenant}/oauth2/v2.0/devicecode";
pub(crate) const LOGOUT_V1: &str = "/{tenant}/oauth2/logout";
pub(crate) const LOGOUT_V2: &str = "/{tenant}/oauth2/v2.0/logout";
pub(crate) const CHECK_SESSION: &str = "/{tenant}/oauth2/checksession";
pub(crate) const USERINFO_V1: &str = "/{tenant}/openid/userinfo";
pub(crate) const KERBEROS: &str = "/{tenant}/kerberos";

/// Something that is missing here.
pub(crate) struct Missing {
    what: Cow<'static, str>,
    built: &'static str,
}

impl Missing {
    /// Says so.
    pub(crate) fn record(self, trail: &mut Trail) {
        trail.not_built(self.what, self.built);
    }
}

/// What is missing here, if that is why a token was refused.
pub(crate) fn behind(error: &EntraError, sent: Sent<'_>) -> Option<Missing> {
    match error {
        EntraError::GrantUnsupported { grant } => {
            let what = named(GRANTS, grant)?;
            Some(Missing { what: format!("{what} (grant_type {grant})").into(), built: BUILT_GRANTS })
        }
        EntraError::ParameterNotBuilt => {
            let (name, what) = parameter(sent)?;
            Some(Missing { what: format!("{what} (the parameter {name})").into(), built: BUILT_TOKENS })
        }
        EntraError::ParameterMissing { name } if name == "client_assertion_type" => {
            let what = named(ASSERTION_TYPES, sent.parameter("client_assertion_type")?)?;
            Some(Missing { what: what.into(), built: BUILT_CREDENTIALS })
        }
        // An issuer with an address is somebody else's, and no mistyped client id.
        EntraError::IssuerExternal { issuer } if issuer.contains("://") => {
            Some(Missing { what: "federated credentials".into(), built: BUILT_CREDENTIALS })
        }
        EntraError::ResourceNotFound { resource, .. } => {
            let folded = resource.strip_suffix('/').unwrap_or(resource).to_ascii_lowercase();
            Some(Missing { what: named(RESOURCES, &folded)?.into(), built: "" })
        }
        EntraError::Regional => Some(Missing {
            what: "regional hosts".into(),
            built: "login.microsoftonline.com and the service's other names without a region",
        }),
        _ => None,
    }
}

/// The first parameter of a request that would have meant another token.
pub(crate) fn parameter(sent: Sent<'_>) -> Option<(&'static str, &'static str)> {
    PARAMETERS.iter().find_map(|(name, same, what)| {
        let value = sent.parameter(name)?;
        let other = !same.iter().any(|same| same.eq_ignore_ascii_case(value));
        other.then_some((*name, *what))
    })
}

/// The endpoint at a folded path.
pub(crate) fn endpoint(folded: &str) -> Option<Missing> {
    let behind_tenant = |pattern: &str| {
        let Some(pattern) = pattern.strip_prefix("/{tenant}") else { return pattern == folded };
        let tenant = folded.strip_suffix(pattern).and_then(|tenant| tenant.strip_prefix('/'));
        tenant.is_some_and(|tenant| !tenant.is_empty() && !tenant.contains('/'))
    };
    let whole = ENDPOINTS.iter().find(|(pattern, _)| behind_tenant(pattern));
    let begun = || ENDPOINTS_BEGIN.iter().find(|(begin, _)| folded.starts_with(begin));
    let (_, what) = whole.or_else(begun)?;
    Some(Missing { what: format!("{what} ({folded})").into(), built: BUILT_ENDPOINTS })
}

fn named(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, what)| *what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entra;
    use crate::grants;
    use mocktenant_lab::Surface as _;

    #[test]
    fn what_is_built_stands_in_no_table_of_what_is_not() {
        for route in Entra::routes() {
            assert!(endpoint(route.pattern).is_none(), "{}", route.pattern);
        }
        for grant in grants::GRANTS {
            assert!(named(GRANTS, grant.name).is_none(), "{}", grant.name);
        }
    }

    #[test]
    fn an_endpoint_stands_behind_one_segment_and_whole() {
        for known in [
            "/contoso.com/oauth2/authorize",
            "/common/oauth2/v2.0/devicecode",
            "/kmsi",
            "/common/userrealm/a@b",
        ] {
            assert!(endpoint(known).is_some(), "{known}");
        }
        for other in [
            "/oauth2/authorize",
            "//oauth2/authorize",
            "/a/b/oauth2/authorize",
            "/a/oauth2/authorize/x",
            "/a/kmsi",
            "/",
        ] {
            assert!(endpoint(other).is_none(), "{other}");
        }
    }
}
