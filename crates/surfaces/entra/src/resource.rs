//! What a token can be asked for.
//!
//! Decides which texts name a resource of a tenant: an application's client id, with or without `spn:`; one of its
//! identifier URIs; the URL of an environment of the tenant (Dynamics ERP) or of an organisation (Dataverse), or one of the
//! lab's own addresses of it. Exact hosts, no wildcards; the API host of an organisation is as good as its own. Letter case
//! and one final slash do not matter here, because the token carries the audience as it was asked for and the resource judges
//! that. What is unknown may have been meant as one of the tenant's URLs, the most similar first. Never decides what a
//! client may do there.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_lab::request::percent_decoded;
use mocktenant_lab::{Addresses, Entrance};
use mocktenant_verdict::{Change, Edit, Finding, Need, Question, Remedy, Role, Setting};
use mocktenant_world::{Application, Tenant, World, is_guid};
use serde_json::json;

use crate::asking::Asking;
use crate::authority::TENANT;
use crate::client_auth::{Checks, excerpt, made_up_object_id};
use crate::errors::EntraError;
use crate::grants::{GRANT_TYPE, Granted};
use crate::prepared::PreparedTenant;

/// Whether the tenant has what is asked for.
pub static RESOURCE: Question = Question::new("resource", Role::Resource).needs(&[&GRANT_TYPE]);

/// Dynamics ERP: Finance & Operations.
const DYNAMICS_ERP: &str = "00000015-0000-0000-c000-000000000000";
/// Dataverse.
pub(crate) const DATAVERSE: &str = "00000007-0000-0000-c000-000000000000";
/// Microsoft Graph, which a scope without a resource means.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// Azure AD Graph, which a v1 request without a resource means.
pub(crate) const AZURE_AD_GRAPH: &str = "00000002-0000-0000-c000-000000000000";
/// What a name is that is known once it is decoded.
pub(crate) const ENCODED_TWICE: &str = "URL-encoded twice";
/// At most this many names are listed to whoever named another one.
const NAMES_SHOWN: usize = 24;
/// At most this many hosts are named as what a wrong resource could have meant.
const HOSTS_NAMED: usize = 8;

/// An environment or organisation of a tenant: its URL is a resource.
pub(crate) struct Place {
    application: &'static str,
    /// `https://` and its host, its API host if it has one, then the lab's own addresses of it, the public one first; all
    /// without a final slash.
    urls: Vec<String>,
    /// The declared host.
    host: Setting,
}

/// What can be asked for in one tenant.
#[derive(Debug)]
pub(crate) struct Table {
    entries: HashMap<String, Entry>,
    /// The hosts someone with an unknown resource may have meant.
    hosts: Vec<Setting>,
}

/// One resource under one of its names.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The application; `None` where the tenant lacks the first-party application behind a URL.
    pub(crate) application: Option<Arc<Application>>,
    /// The declared value this name comes from.
    pub(crate) setting: Setting,
}

/// Environments and organisations by the id of the tenant they belong to.
pub(crate) fn places_by_tenant(world: &World, addresses: &Addresses) -> HashMap<String, Vec<Place>> {
    let urls = |hosts: &[&str], entrance: Entrance| {
        let declared = hosts.iter().map(|host| format!("https://{}", host.to_ascii_lowercase()));
        declared.chain(addresses.all(&entrance).map(folded_url)).collect()
    };
    let mut places: HashMap<String, Vec<Place>> = HashMap::new();
    let mut add = |tenant: &str, place| {
        let id = world.tenant(tenant).map_or_else(|| tenant.to_owned(), |tenant| tenant.id.to_string());
        places.entry(id).or_default().push(place);
    };
    for organization in world.organizations() {
        let place = Place {
            application: DATAVERSE,
            urls: urls(
                &[&organization.host, &organization.api_host],
                Entrance::organization(&organization.key),
            ),
            host: organization.pointer.host(),
        };
        add(&organization.tenant, place);
    }
    for environment in world.environments() {
        let place = Place {
            application: DYNAMICS_ERP,
            urls: urls(&[&environment.host], Entrance::environment(&environment.id)),
            host: environment.pointer.host(),
        };
        if let Some(tenant) = environment.identity.tenant() {
            add(tenant, place);
        }
    }
    places
}

impl Table {
    pub(crate) fn new(tenant: &Tenant, places: &[Place]) -> Self {
        let mut entries = HashMap::with_capacity(tenant.applications.len() + places.len() * 2);
        for place in places {
            let application = tenant.application(place.application).cloned();
            let setting = match &application {
                Some(_) => place.host.clone(),
                None => tenant.pointer.application(place.application).setting(),
            };
            for url in &place.urls {
                let entry = Entry { application: application.clone(), setting: setting.clone() };
                entries.entry(url.clone()).or_insert(entry);
            }
        }
        for (client_id, application) in &tenant.applications {
            let entry = |setting| Entry { application: Some(Arc::clone(application)), setting };
            entries.entry(client_id.clone()).or_insert_with(|| entry(application.pointer.setting()));
            for uri in &application.identifier_uris {
                let setting = application.pointer.identifier_uri(uri);
                if let Some(key) = key(uri) {
                    entries.entry(key).or_insert_with(|| entry(setting));
                }
            }
        }
        Self { entries, hosts: places.iter().take(HOSTS_NAMED).map(|place| place.host.clone()).collect() }
    }

    /// Names of what there is, in order: the first of them, where there are many.
    pub(crate) fn names(&self) -> Vec<String> {
        let there = self.entries.iter().filter(|(_, entry)| entry.application.is_some());
        let mut names: Vec<String> = there.map(|(name, _)| name.clone()).collect();
        names.sort();
        names.truncate(NAMES_SHOWN);
        names
    }

    /// The resource a text names.
    pub(crate) fn find(&self, asked: &str) -> Option<&Entry> {
        self.entries.get(&key(asked)?)
    }
}

/// Asks `resource`. A grant asks it for what its request names, or with what is wrong with naming it.
pub(crate) fn ask<'p>(
    asking: &Asking<'_, 'p>,
    list: &mut Checks<'_>,
    asked: Result<&str, EntraError>,
) -> Option<Granted<'p>> {
    const EXPECTED: &str = "an application of the tenant, or the URL of an environment or organisation";
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => {
            let actual = "no resource parameter as it has to be";
            list.ask(&RESOURCE, EXPECTED, Vec::new(), Finding::fail(actual, error));
            return None;
        }
    };
    let Some(tenant) = asking.tenant else {
        list.ask(&RESOURCE, EXPECTED, Vec::new(), Finding::skip(TENANT.name));
        return None;
    };
    let entry = tenant.resources.find(asked);
    let found = entry.and_then(|entry| entry.application.as_ref());
    let settings = || match (entry, found) {
        (_, Some(disabled)) if !disabled.enabled => vec![disabled.pointer.enabled()],
        (_, Some(resource)) if unassigned(asking, resource).is_some() => {
            vec![resource.pointer.assignment_required()]
        }
        (Some(entry), _) => vec![entry.setting.clone()],
        (None, _) => tenant.resources.hosts.clone(),
    };
    let not_found =
        || EntraError::ResourceNotFound { resource: asked.to_owned(), tenant: tenant.tenant.id.to_string() };
    list.ask(&RESOURCE, EXPECTED, settings, || match (entry, found) {
        (_, Some(resource)) if !resource.enabled => {
            let disabled = EntraError::ResourceDisabled { resource: asked.to_owned() };
            Finding::fail(excerpt(asked), disabled)
                .mended_by(|| Change::set(resource.pointer.enabled(), true))
        }
        (_, Some(resource)) => match unassigned(asking, resource) {
            None => Finding::pass("a resource of the tenant"),
            Some(error) => Finding::fail("assigned to none of its roles", error)
                .mended_by(|| Change::set(resource.pointer.assignment_required(), false)),
        },
        (Some(entry), None) => {
            Finding::fail(excerpt(asked), not_found()).mended_by(|| install(&entry.setting))
        }
        (None, None) => unknown(asking, tenant, asked, not_found()),
    });
    Some(Granted { asked: asked.to_owned(), resource: found? })
}

/// Whether the tenant has a resource of this name.
pub(crate) fn is_known(asking: &Asking<'_, '_>, named: &str) -> bool {
    asking.tenant.is_some_and(|tenant| tenant.resources.find(named).is_some())
}

/// Whether two texts name the same, whatever it is.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left == right || key(left).is_some_and(|left| key(right) == Some(left))
}

/// What the tenant has not, with what may have been meant.
fn unknown(
    asking: &Asking<'_, '_>,
    tenant: &PreparedTenant,
    asked: &str,
    error: EntraError,
) -> Finding<EntraError> {
    let decoded = percent_decoded(asked).filter(|decoded| decoded != asked);
    match decoded.filter(|decoded| tenant.resources.find(decoded).is_some()) {
        Some(meant) => {
            let advice = "URL-encode the resource once: a form does it by itself";
            Finding::fail(format!("{}, {ENCODED_TWICE}", excerpt(asked)), error)
                .mended_by(|| Remedy::instead([meant.into_owned()]).advice(advice))
        }
        None => Finding::fail(excerpt(asked), error)
            .mended_by(|| Remedy::instead(meant(asking.world, tenant, asked))),
    }
}

/// A resource may require an assignment. Whether an application nobody registered has one is not asked.
fn unassigned(asking: &Asking<'_, '_>, resource: &Application) -> Option<EntraError> {
    let client = asking.application.filter(|_| resource.assignment_required)?;
    let roles = client.granted_roles.get(&resource.client_id);
    roles.is_none_or(Vec::is_empty).then(|| EntraError::NotAssigned {
        app_id: client.client_id.clone(),
        name: client.name.clone(),
        resource_id: resource.client_id.clone(),
        resource_name: resource.name.clone(),
    })
}

/// The URL is the tenant's own, but Microsoft's application behind it is not in the tenant.
fn install(application: &Setting) -> Change {
    let client_id = application.segments().last().unwrap_or_default();
    let name = if client_id == DATAVERSE { "Dataverse" } else { "Dynamics ERP" };
    let object_id = made_up_object_id(&client_id);
    let stand_in = json!({ "name": name, "object_id": object_id, "first_party": true });
    Change::missing(application.clone())
        .expected(format!("Microsoft's application {client_id} ({name})"))
        .actual("not in the tenant")
        .need(
            Need::add(application.clone(), "Microsoft's application, as the tenant has it")
                .stand_in([Edit::add(application.clone(), stand_in)]),
        )
}

/// The URLs of the tenant, those most like what was asked first.
fn meant(world: &World, tenant: &PreparedTenant, asked: &str) -> Vec<String> {
    let asked = asked.to_ascii_lowercase();
    let own = |named: &str| world.tenant(named).is_some_and(|named| named.id == tenant.tenant.id);
    let organizations = world
        .organizations()
        .filter(|organization| own(&organization.tenant))
        .map(|organization| &organization.host);
    let environments = world
        .environments()
        .filter(|environment| environment.identity.tenant().is_some_and(own))
        .map(|environment| &environment.host);
    let mut urls: Vec<(usize, String)> = Vec::with_capacity(HOSTS_NAMED + 1);
    for host in organizations.chain(environments) {
        let url = format!("https://{host}");
        let likeness = alike(&url, &asked);
        urls.insert(urls.partition_point(|(other, _)| *other >= likeness), (likeness, url));
        urls.truncate(HOSTS_NAMED);
    }
    urls.into_iter().map(|(_, url)| url).collect()
}

/// How many characters two texts share at their beginning and at their end.
fn alike(left: &str, right: &str) -> usize {
    let same = |(left, right): &(u8, u8)| left == right;
    let start = left.bytes().zip(right.bytes()).take_while(same).count();
    start + left.bytes().rev().zip(right.bytes().rev()).take_while(same).count()
}

/// The form under which a name is looked up; `None` for what names nothing.
fn key(asked: &str) -> Option<String> {
    let bare = match asked.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("spn:") => &asked[4..],
        _ => asked,
    };
    if is_guid(bare) {
        return Some(bare.to_ascii_lowercase());
    }
    let folded = folded_url(bare);
    // A slash behind a GUID makes it another name.
    (!folded.is_empty() && !is_guid(&folded)).then_some(folded)
}

/// Lower case, without one final slash and without the default port of https.
fn folded_url(url: &str) -> String {
    let folded = url.strip_suffix('/').unwrap_or(url).to_ascii_lowercase();
    match folded.strip_suffix(":443") {
        Some(without) if without.starts_with("https://") => without.to_owned(),
        _ => folded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_without_case_one_slash_and_the_default_port() {
        let found = |text: &str| key(text).unwrap_or_default();
        assert_eq!(found("https://Contoso.CRM4.dynamics.com/"), "https://contoso.crm4.dynamics.com");
        assert_eq!(found("https://contoso.crm4.dynamics.com:443"), "https://contoso.crm4.dynamics.com");
        assert_eq!(found("https://contoso.crm4.dynamics.com//"), "https://contoso.crm4.dynamics.com/");
        assert_eq!(found("SPN:00000015-0000-0000-C000-000000000000"), DYNAMICS_ERP);
        assert_eq!(found("api://X/y/"), "api://x/y");
        for nothing in ["", "/", "spn:", "00000015-0000-0000-c000-000000000000/"] {
            assert!(key(nothing).is_none(), "{nothing}");
        }
        assert!(key("äöü").is_some());
        // The prefix looked for ends inside a character here.
        assert!(key("aäöü").is_some());
    }
}
