//! Client credentials: a token for the application itself (RFC 6749 section 4.4).
//!
//! Decides which resource is asked for: `resource` at the v1 endpoint, one scope that ends in `/.default` at the v2
//! endpoint. Exactly one slash belongs to `/.default`, so that a second one stays in the audience. The OpenID scopes some
//! SDKs append are passed over. That a missing `resource` is 900144 is inferred.

use mocktenant_verdict::{Finding, Question, Role};

use crate::Version;
use crate::asking::Asking;
use crate::client_auth::{Checks, excerpt};
use crate::errors::EntraError;
use crate::grants::{GRANT_TYPE, Grant, Granted};
use crate::resource::{GRAPH, RESOURCE};

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
            let missing = || EntraError::ParameterMissing { name: "resource".to_owned() };
            let granted = asking.ask_resource(list, resource.ok_or_else(missing));
            list.ask(&SCOPE, "", Vec::new(), || Finding::not_applicable("the v1 endpoint takes a resource"));
            granted
        }
        Version::V2 => {
            let asked = asking.sent().parameter("scope");
            let scope = resource_of_scope(asked);
            let granted = match (resource, &scope) {
                (Some(_), _) => asking.ask_resource(list, Err(EntraError::ResourceNotSupported)),
                (None, Ok(named)) => asking.ask_resource(list, Ok(named)),
                (None, Err(_)) => {
                    // The only question that waits for a later one: what is asked for is said in the scope.
                    list.skip(&RESOURCE, &SCOPE);
                    None
                }
            };
            list.ask(&SCOPE, "one RESOURCE/.default", Vec::new(), || match scope {
                Ok(_) => Finding::pass("one RESOURCE/.default"),
                Err(error) => Finding::fail(asked.map_or_else(|| "none".to_owned(), excerpt), error),
            });
            granted
        }
    }
}

/// The resource a scope names: what is left of it without `/.default`.
fn resource_of_scope(scope: Option<&str>) -> Result<String, EntraError> {
    let missing = || EntraError::FieldMissing { field: "scope".to_owned() };
    let scope = scope.map(str::trim).filter(|scope| !scope.is_empty()).ok_or_else(missing)?;
    let not_default = || EntraError::ScopeNotDefault { scope: scope.to_owned() };
    let mut resource = None;
    for part in scope.split_whitespace().filter(|part| !OPENID_SCOPES.contains(part)) {
        let named = match part.strip_suffix("/.default") {
            Some("") => return Err(not_default()),
            Some(named) => named,
            None if part == ".default" => GRAPH,
            None => return Err(not_default()),
        };
        if *resource.get_or_insert(named) != named {
            return Err(EntraError::ScopeTwoResources { scopes: scope.to_owned() });
        }
    }
    resource.map(str::to_owned).ok_or_else(not_default)
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
}
