//! What a token can be asked for.
//!
//! Decides which texts name a resource of a tenant: an application's client id, with or without `spn:`; one of its
//! identifier URIs; the URL of an environment of the tenant (Dynamics ERP) or of an organisation (Dataverse), or one of the
//! lab's own addresses of it. Exact hosts, no wildcards; the API host of an organisation is not its URL. Letter case and one
//! final slash do not matter here, because the token carries the audience as it was asked for and the resource judges
//! that. Never decides what a client may do there.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_lab::{Addresses, Entrance};
use mocktenant_verdict::Setting;
use mocktenant_world::{Application, Tenant, World, is_guid};

/// Dynamics ERP: Finance & Operations.
const DYNAMICS_ERP: &str = "00000015-0000-0000-c000-000000000000";
/// Dataverse.
const DATAVERSE: &str = "00000007-0000-0000-c000-000000000000";
/// Microsoft Graph, which a scope without a resource means.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";
/// At most this many hosts are named as what a wrong resource could have meant.
const HOSTS_NAMED: usize = 8;

/// An environment or organisation of a tenant: its URL is a resource.
pub(crate) struct Place {
    application: &'static str,
    /// `https://host`, then the lab's own addresses of it, the public one first; all without a final slash.
    urls: Vec<String>,
    /// The declared host.
    host: Setting,
}

/// What can be asked for in one tenant.
#[derive(Debug)]
pub(crate) struct Table {
    entries: HashMap<String, Entry>,
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
    let urls = |host: &str, entrance: Entrance| {
        let own = addresses.all(&entrance).map(folded_url);
        std::iter::once(format!("https://{}", host.to_ascii_lowercase())).chain(own).collect()
    };
    let mut places: HashMap<String, Vec<Place>> = HashMap::new();
    let mut add = |tenant: &str, place| {
        let id = world.tenant(tenant).map_or_else(|| tenant.to_owned(), |tenant| tenant.id.to_string());
        places.entry(id).or_default().push(place);
    };
    for organization in world.organizations() {
        let place = Place {
            application: DATAVERSE,
            urls: urls(&organization.host, Entrance::organization(&organization.key)),
            host: organization.pointer.host(),
        };
        add(&organization.tenant, place);
    }
    for environment in world.environments() {
        let place = Place {
            application: DYNAMICS_ERP,
            urls: urls(&environment.host, Entrance::environment(&environment.id)),
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

    /// The resource a text names.
    pub(crate) fn find(&self, asked: &str) -> Option<&Entry> {
        self.entries.get(&key(asked)?)
    }

    /// The hosts someone with an unknown resource may have meant.
    pub(crate) fn hosts(&self) -> Vec<Setting> {
        self.hosts.clone()
    }
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
