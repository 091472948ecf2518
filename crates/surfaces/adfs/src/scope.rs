//! What a request wants: a Web API and scopes on it.
//!
//! Decides how `resource` and `scope` are read. A scope is a name that the service has a description of; `<resource>/<name>`
//! names a resource besides, the name being what stands behind the last slash. `.default` is no scope here: it names a
//! resource where another scope stands beside it, and alone it is refused. A `resource` parameter beats the one in `scope`
//! (inferred), and without either a token is for userinfo. Of the scopes asked for those are granted that the client is
//! permitted; where none is, the request is refused (inferred).

use std::sync::Arc;

use mocktenant_idp::nearest;
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role, Setting};
use mocktenant_world::declaration::Profile;
use mocktenant_world::{Client, FederationService, WebApi};
use serde_json::json;

use crate::asking::{Asking, Checks, excerpt};
use crate::client_auth::REGISTERED;
use crate::errors::AdfsError;

/// Scope descriptions that every service has, in the order that discovery lists them.
pub(crate) const BUILT_IN: [&str; 9] = [
    "allatclaims",
    "email",
    "user_impersonation",
    "logon_cert",
    "aza",
    "profile",
    "vpn_cert",
    "winhello_cert",
    "openid",
];

/// What a token is for when nothing is asked for.
pub(crate) const USERINFO: &str = "urn:microsoft:userinfo";
/// What every client is permitted there.
const OF_USERINFO: [&str; 4] = ["openid", "profile", "email", "allatclaims"];

/// Whether the service has the Web API that is asked for.
pub(crate) static RESOURCE: Question = Question::new("resource", Role::Resource);
/// Whether the client may have a token for it.
pub(crate) static PERMITTED: Question =
    Question::new("client-permitted", Role::Privilege).needs(&[&RESOURCE, &REGISTERED]);
/// Whether the scopes are ones it may have.
pub(crate) static SCOPE: Question = Question::new("scope", Role::Resource);

/// The questions, in the order asked.
pub(crate) static QUESTIONS: [&Question; 3] = [&RESOURCE, &PERMITTED, &SCOPE];

/// What a token may be issued for.
#[derive(Clone, Debug)]
pub(crate) struct Granted {
    /// The resource as it was asked for; userinfo if nothing was.
    pub(crate) resource: String,
    /// Its Web API; none is userinfo.
    pub(crate) web_api: Option<Arc<WebApi>>,
    /// Scopes that were asked for and are permitted, in the order asked.
    pub(crate) scopes: Vec<String>,
}

impl Granted {
    /// Whether an id token is asked for.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// `scope`, read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked<'r> {
    /// The resource that the first item with one names.
    resource: Option<&'r str>,
    /// Whether another item names another one.
    several: bool,
    /// Names with a description, each once.
    scopes: Vec<&'r str>,
    /// Names without one.
    unknown: Vec<&'r str>,
}

impl<'r> Asked<'r> {
    fn read(scope: &'r str, is_known: impl Fn(&str) -> bool) -> Self {
        let mut asked = Self::default();
        for item in scope.split_ascii_whitespace() {
            let (resource, name) = match item.rsplit_once('/') {
                Some((resource, name)) if !resource.is_empty() && !name.is_empty() => (Some(resource), name),
                _ => (None, item),
            };
            let known = is_known(name);
            // What is no scope of a resource is a resource's own identifier, or nonsense: either way no resource is named.
            if let Some(resource) = resource.filter(|_| known || name == ".default") {
                match asked.resource {
                    None => asked.resource = Some(resource),
                    Some(first) => asked.several |= first != resource,
                }
            }
            let list = if known { &mut asked.scopes } else { &mut asked.unknown };
            if !list.contains(&name) {
                list.push(name);
            }
        }
        asked
    }
}

/// Whether a service has a description of this scope.
fn is_described(service: &FederationService, name: &str) -> bool {
    BUILT_IN.contains(&name) || service.scope_descriptions.iter().any(|known| known == name)
}

/// What a refresh falls back on: what its token was first issued for.
pub(crate) struct Before<'b> {
    pub(crate) resource: &'b str,
    pub(crate) scopes: &'b [String],
}

/// The resource that a request names, in `resource` or in `scope`.
pub(crate) fn resource_named<'r>(asking: &Asking<'r, '_>) -> Option<&'r str> {
    let in_scope = || {
        let scope = asking.sent.parameter("scope")?;
        Asked::read(scope, |name| is_described(&asking.prepared.service, name)).resource
    };
    asking.sent.parameter("resource").or_else(in_scope)
}

/// Asks the three questions.
pub(crate) fn ask(
    asking: &Asking<'_, '_>,
    list: &mut Checks<'_>,
    before: Option<&Before<'_>>,
) -> Option<Granted> {
    let service = &asking.prepared.service;
    let sent = asking.sent.parameter("scope");
    let asked = sent.map(|scope| Asked::read(scope, |name| is_described(service, name))).unwrap_or_default();
    let resource = asking.sent.parameter("resource").or(asked.resource);
    let named = resource.or(before.map(|before| before.resource)).unwrap_or(USERINFO);
    let web_api = service.web_api(named);
    list.ask(
        &RESOURCE,
        "the identifier of a Web API, or none",
        || identifiers(service, web_api),
        || {
            if web_api.is_some() || named == USERINFO {
                Finding::pass("one of the service's")
            } else {
                unknown(service, named)
            }
        },
    );
    let permission = match (asking.client, web_api) {
        (Some(client), Some(web_api)) => Some((client, web_api, web_api.permission(&client.client_id))),
        _ => None,
    };
    list.ask(
        &PERMITTED,
        "a client that the Web API permits something",
        || {
            permission
                .iter()
                .map(|(client, web_api, _)| web_api.pointer.permission(&client.client_id))
                .collect()
        },
        || match permission {
            _ if named == USERINFO => Finding::pass("every client may have a token for userinfo"),
            None if asking.client.is_none() => Finding::skip(REGISTERED.name),
            None => Finding::skip(RESOURCE.name),
            Some((_, _, Some(_))) => Finding::pass("permitted"),
            Some((client, web_api, None)) => Finding::fail("no permission", AdfsError::ResourceForbidden)
                .mended_by(|| permit(client, web_api)),
        },
    );
    let kept: Vec<&str> = match (sent, before) {
        (None, Some(before)) => before.scopes.iter().map(String::as_str).collect(),
        _ => asked.scopes.clone(),
    };
    let may_have = |scope: &str| match permission {
        Some((_, _, Some(permitted))) => permitted.iter().any(|one| one == scope),
        Some((_, _, None)) => false,
        None => OF_USERINFO.contains(&scope),
    };
    let scopes: Vec<String> =
        kept.iter().filter(|scope| may_have(scope)).map(|scope| (*scope).to_owned()).collect();
    list.ask(
        &SCOPE,
        "none, or scopes that the client is permitted",
        || {
            permission
                .iter()
                .map(|(client, web_api, _)| web_api.pointer.permission(&client.client_id))
                .collect()
        },
        || {
            judge(
                asking,
                &asked,
                sent,
                resource,
                &kept,
                &scopes,
                permission.as_ref().map(|(c, w, _)| (*c, *w)),
            )
        },
    );
    asking.client?;
    Some(Granted { resource: named.to_owned(), web_api: web_api.cloned(), scopes })
        .filter(|granted| granted.web_api.is_some() || granted.resource == USERINFO)
}

fn judge(
    asking: &Asking<'_, '_>,
    asked: &Asked<'_>,
    sent: Option<&str>,
    resource: Option<&str>,
    kept: &[&str],
    granted: &[String],
    permission: Option<(&Arc<Client>, &Arc<WebApi>)>,
) -> Finding<AdfsError> {
    const FOR_RESOURCE: &str =
        "ask for `<resource>/openid`, or send `resource`; `.default` is no scope of AD FS";
    let shown = || sent.map(excerpt).unwrap_or_default();
    if asked.resource.is_some() && asking.prepared.service.profile < Profile::Server2019 {
        let pointer = asking.prepared.service.pointer.profile();
        return Finding::fail(shown(), AdfsError::ResourceInScope).mended_by(|| Change::set(pointer, "2019"));
    }
    if asked.several {
        return Finding::fail(format!("{}, of two resources", shown()), AdfsError::ScopeUnknown);
    }
    if sent.is_some_and(|sent| !sent.trim().is_empty()) && asked.scopes.is_empty() {
        let error = if resource.is_some() { AdfsError::ResourceForbidden } else { AdfsError::ScopeUnknown };
        return Finding::fail(format!("{}, none of which is a scope", shown()), error)
            .mended_by(|| Remedy::instead(meant(resource)).advice(FOR_RESOURCE));
    }
    match permission {
        _ if kept.is_empty() => Finding::pass("none"),
        _ if !granted.is_empty() => Finding::pass("permitted"),
        Some((client, web_api)) => {
            Finding::fail(kept.join(" "), AdfsError::ResourceForbidden).mended_by(|| {
                let at = web_api.pointer.permission(&client.client_id);
                let edits =
                    kept.iter().map(|scope| Edit::add(mocktenant_world::pointers::end_of(&at), *scope));
                edits.fold(Change::wrong(at.clone()).expected(kept.join(" ")), Change::edit)
            })
        }
        // Of userinfo a client gets what there is, and no error for the rest.
        None => Finding::pass("none that userinfo has"),
    }
}

/// What could have been asked for instead.
fn meant(resource: Option<&str>) -> Option<String> {
    resource.map(|resource| format!("{resource}/openid"))
}

/// The settings behind an identifier.
fn identifiers(service: &FederationService, web_api: Option<&Arc<WebApi>>) -> Vec<Setting> {
    match web_api {
        Some(web_api) => vec![web_api.pointer.setting()],
        None => vec![service.pointer.application_groups()],
    }
}

/// What no Web API is called, with the nearest identifier there is and what it differs in.
fn unknown(service: &FederationService, named: &str) -> Finding<AdfsError> {
    let all = service.web_apis.iter().flat_map(|web_api| web_api.all_identifiers());
    let known: Vec<&str> = all.map(|(identifier, _)| identifier).collect();
    let nearest = nearest::of(named, &known);
    let actual = match &nearest {
        Some(near) => format!("{}: differs from {} in {}", excerpt(named), excerpt(near.known), near.by),
        None => excerpt(named),
    };
    let owner = nearest.as_ref().and_then(|near| service.web_api(near.known));
    let others: Vec<String> = match &nearest {
        Some(near) => vec![near.known.to_owned()],
        None => known.iter().map(|identifier| (*identifier).to_owned()).take(8).collect(),
    };
    Finding::fail(actual, AdfsError::ResourceUnknown).mended_by(|| match owner {
        Some(web_api) => {
            let at = web_api.pointer.identifiers();
            let edit = Edit::add(mocktenant_world::pointers::end_of(&at), named);
            Remedy::here(Change::missing(at).expected(excerpt(named)).edit(edit)).or_instead(others)
        }
        None => Remedy::instead(others),
    })
}

/// The permission that is missing.
fn permit(client: &Client, web_api: &WebApi) -> Change {
    let at = web_api.pointer.permission(&client.client_id);
    let stand_in = Edit::add(at.clone(), json!(["openid"]));
    Change::missing(at.clone())
        .expected(format!("a permission for {}", client.name))
        .need(Need::add(at, "the scopes it may have, for instance openid").stand_in([stand_in]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scope: &str) -> Asked<'_> {
        Asked::read(scope, |name| BUILT_IN.contains(&name))
    }

    #[test]
    fn the_resource_is_what_stands_before_the_last_slash_of_a_scope() {
        for (scope, resource, scopes) in [
            ("https://ax.contoso.com//openid", Some("https://ax.contoso.com/"), &["openid"][..]),
            ("https://ax.contoso.com/openid", Some("https://ax.contoso.com"), &["openid"]),
            ("https://a/.default openid profile offline_access", Some("https://a"), &["openid", "profile"]),
            ("urn:x/user_impersonation openid", Some("urn:x"), &["user_impersonation", "openid"]),
            ("openid openid email", None, &["openid", "email"]),
            ("https://a/.default", Some("https://a"), &[]),
            ("https://a/nothing", None, &[]),
            ("https://a/", None, &[]),
            ("/openid", None, &[]),
            ("", None, &[]),
        ] {
            let asked = read(scope);
            assert_eq!((asked.resource, asked.scopes.as_slice()), (resource, scopes), "{scope}");
        }
        assert!(read("https://a/openid https://b/openid").several);
        assert!(!read("https://a/openid https://a/email").several);
    }
}
