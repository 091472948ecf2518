//! Client credentials: a token for the application itself.
//!
//! Decides which resource is asked for and whether the tenant has it: `resource` at the v1 endpoint, one scope that ends
//! in `/.default` at the v2 endpoint. Exactly one slash belongs to `/.default`, so that a second one stays in the audience.
//! The OpenID scopes some SDKs append are passed over. That a missing `resource` is 900144 is inferred.

use std::sync::Arc;

use mocktenant_verdict::Finding;
use mocktenant_world::Application;

use crate::Version;
use crate::client_auth::{Checks, excerpt};
use crate::errors::EntraError;
use crate::form::Form;
use crate::prepared::PreparedTenant;
use crate::resource::GRAPH;

const OPENID_SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// What is granted.
pub(crate) struct Granted<'p> {
    /// The resource as it was asked for: the audience of a v1 token.
    pub(crate) asked: String,
    /// The resource's application.
    pub(crate) resource: &'p Arc<Application>,
}

/// Asks `resource` and `scope`.
pub(crate) fn ask<'p>(
    list: &mut Checks<'_>,
    version: Version,
    form: &Form<'_>,
    tenant: Option<&'p PreparedTenant>,
) -> Option<Granted<'p>> {
    match version {
        Version::V1 => {
            let asked = form.get("resource");
            let missing = || EntraError::ParameterMissing { name: "resource".to_owned() };
            let granted = ask_resource(list, asked.ok_or_else(missing), tenant);
            list.ask_named(
                "scope",
                "",
                Vec::new(),
                Finding::not_applicable("the v1 endpoint takes a resource"),
            );
            granted
        }
        Version::V2 => {
            let scope = resource_of_scope(form.get("scope"));
            let granted = match (form.get("resource"), &scope) {
                (Some(_), _) => ask_resource(list, Err(EntraError::ResourceNotSupported), tenant),
                (None, Ok(asked)) => ask_resource(list, Ok(asked.as_str()), tenant),
                (None, Err(_)) => {
                    list.ask_named("resource", "", Vec::new(), Finding::skip("scope"));
                    None
                }
            };
            let finding = match scope {
                Ok(_) => Finding::pass("one RESOURCE/.default"),
                Err(error) => {
                    Finding::fail(form.get("scope").map_or_else(|| "none".to_owned(), excerpt), error)
                }
            };
            list.ask_named("scope", "one RESOURCE/.default", Vec::new(), finding);
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

fn ask_resource<'p>(
    list: &mut Checks<'_>,
    asked: Result<&str, EntraError>,
    tenant: Option<&'p PreparedTenant>,
) -> Option<Granted<'p>> {
    const NAME: &str = "resource";
    const EXPECTED: &str = "an application of the tenant, or the URL of an environment or organisation";
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => {
            list.ask_named(
                NAME,
                EXPECTED,
                Vec::new(),
                Finding::fail("no resource parameter as it has to be", error),
            );
            return None;
        }
    };
    let Some(tenant) = tenant else {
        list.ask_named(NAME, EXPECTED, Vec::new(), Finding::skip("tenant"));
        return None;
    };
    let not_found =
        || EntraError::ResourceNotFound { resource: asked.to_owned(), tenant: tenant.tenant.id.to_string() };
    let Some(entry) = tenant.resources.find(asked) else {
        list.ask_named(NAME, EXPECTED, tenant.resources.hosts(), Finding::fail(excerpt(asked), not_found()));
        return None;
    };
    let settings = || vec![entry.setting.clone()];
    let Some(resource) = &entry.application else {
        list.ask_named(NAME, EXPECTED, settings, Finding::fail(excerpt(asked), not_found()));
        return None;
    };
    if resource.enabled {
        list.ask_named(NAME, EXPECTED, settings, Finding::pass("a resource of the tenant"));
    } else {
        let disabled = EntraError::ResourceDisabled { resource: asked.to_owned() };
        let settings = || vec![resource.pointer.enabled()];
        list.ask_named(NAME, EXPECTED, settings, Finding::fail(excerpt(asked), disabled));
    }
    Some(Granted { asked: asked.to_owned(), resource })
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
