//! Client credentials: a token for the application itself (RFC 6749 section 4.4).
//!
//! Decides which resource is asked for: `resource` at the v1 endpoint, which means Azure AD Graph where it is missing,
//! and one scope that ends in `/.default` at the v2 endpoint, where a `resource` may repeat it. Exactly one slash belongs to
//! `/.default`, so that a second one stays in the audience; what stands before it is a URI or a GUID. The OpenID scopes some
//! SDKs append are passed over, as is a `scope` at the v1 endpoint.

use mocktenant_lab::request::percent_decoded;
use mocktenant_verdict::{Finding, Question, Remedy, Role};
use mocktenant_world::is_guid;

use crate::Version;
use crate::asking::Asking;
use crate::client_auth::{Checks, excerpt};
use crate::errors::EntraError;
use crate::grants::{GRANT_TYPE, Grant, Granted};
use crate::resource::{self, AZURE_AD_GRAPH, GRAPH, RESOURCE};

const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

static SCOPE: Question = Question::new("scope", Role::Resource).needs(&[&GRANT_TYPE]);

/// The grant. No public client is anybody without a credential here.
pub(super) static GRANT: Grant = Grant {
    name: "client_credentials",
    asks_by: |version| match version {
        Version::V1 => "resource",
        Version::V2 => "scope",
    },
    questions: &[&RESOURCE, &SCOPE],
    public_clients: false,
    without_credential: || EntraError::CredentialMissing,
    listed_in: &[],
    ask,
};

fn ask<'p>(asking: &Asking<'_, 'p>, list: &mut Checks<'_>) -> Option<Granted<'p>> {
    let resource = asking.sent().parameter("resource");
    match asking.version() {
        Version::V1 => {
            let granted = asking.ask_resource(list, Ok(resource.unwrap_or(AZURE_AD_GRAPH)));
            list.ask(&SCOPE, "", Vec::new(), || Finding::not_applicable("the v1 endpoint takes a resource"));
            granted
        }
        Version::V2 => {
            let asked = asking.sent().parameter("scope");
            let scope = resource_of_scope(asked);
            let granted = match (resource, &scope) {
                (Some(resource), Ok(named)) if !resource::same(resource, named) => {
                    asking.ask_resource(list, Err(EntraError::ResourceDiffers))
                }
                (_, Ok(named)) => asking.ask_resource(list, Ok(named)),
                (_, Err(_)) => {
                    // The only question that waits for a later one: what is asked for is said in the scope.
                    list.skip(&RESOURCE, &SCOPE);
                    None
                }
            };
            list.ask(&SCOPE, "one RESOURCE/.default", Vec::new(), || match scope {
                Ok(_) => Finding::pass("one RESOURCE/.default"),
                Err(error) => refused(asking, asked, error),
            });
            granted
        }
    }
}

/// A scope that is refused, with what it would be if it had been encoded once, or had its scheme.
fn refused(asking: &Asking<'_, '_>, asked: Option<&str>, error: EntraError) -> Finding<EntraError> {
    let Some(sent) = asked else { return Finding::fail("none", error) };
    let known = |scope: &str| {
        let named = resource_of_scope(Some(scope)).ok()?;
        resource::is_known(asking, &named).then_some(named)
    };
    let decoded = percent_decoded(sent).filter(|decoded| decoded != sent);
    if let Some(named) = decoded.and_then(|decoded| known(&decoded)) {
        let actual = format!("{}, {}", excerpt(sent), resource::ENCODED_TWICE);
        let advice = "URL-encode the scope once: a form does it by itself";
        return Finding::fail(actual, error).mended_by(|| Remedy::instead([named]).advice(advice));
    }
    let actual = excerpt(sent);
    match known(&format!("https://{sent}")) {
        Some(named) => Finding::fail(actual, error).mended_by(|| Remedy::instead([named])),
        None => Finding::fail(actual, error),
    }
}

/// The resource a scope names: what is left of it without `/.default`.
fn resource_of_scope(scope: Option<&str>) -> Result<String, EntraError> {
    let missing = || EntraError::FieldMissing { field: "scope".to_owned() };
    let scope = scope.map(str::trim).filter(|scope| !scope.is_empty()).ok_or_else(missing)?;
    let not_default = || EntraError::ScopeNotDefault { scope: scope.to_owned() };
    let malformed = |part: &str| EntraError::ScopeMalformed { scope: part.to_owned() };
    let mut resource = None;
    for part in scope.split_whitespace().filter(|part| !OPENID_SCOPES.contains(part)) {
        let named = match part.strip_suffix("/.default") {
            Some(named) if is_uri(named) || is_guid(named) => named,
            Some(_) => return Err(malformed(part)),
            None if part == ".default" => GRAPH,
            None => return Err(not_default()),
        };
        if *resource.get_or_insert(named) != named {
            return Err(EntraError::ScopeTwoResources { scopes: scope.to_owned() });
        }
    }
    resource.map(str::to_owned).ok_or_else(not_default)
}

/// Whether a text begins as an absolute URI does (RFC 3986 section 3.1).
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(plain)
        && !rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_slash_belongs_to_default() {
        let read = |scope: &str| resource_of_scope(Some(scope)).unwrap();
        assert_eq!(read("https://contoso.crm4.dynamics.com/.default"), "https://contoso.crm4.dynamics.com");
        assert_eq!(read("https://contoso.crm4.dynamics.com//.default"), "https://contoso.crm4.dynamics.com/");
        assert_eq!(read("openid  offline_access api://x/.default profile"), "api://x");
        assert_eq!(read("api://x/.default api://x/.default"), "api://x");
        assert_eq!(read(".default"), GRAPH);
    }

    #[test]
    fn before_default_stands_a_uri_or_a_guid() {
        for known in
            ["https://a", "api://x", "urn:x", "spn:x", "A+b-c.1:x", "00000015-0000-0000-c000-000000000000"]
        {
            assert!(resource_of_scope(Some(&format!("{known}/.default"))).is_ok(), "{known}");
        }
        for other in [
            "",
            "contoso.crm4.dynamics.com",
            "nothing",
            "1a:b",
            "a:",
            ":b",
            "//a",
            "00000015-0000-0000-c000-000000000000/",
        ] {
            let scope = format!("{other}/.default");
            let malformed = EntraError::ScopeMalformed { scope: scope.clone() };
            assert_eq!(resource_of_scope(Some(&scope)), Err(malformed), "{other}");
        }
    }
}
