//! What is made ready once per snapshot: header segments, resource tables, rendered documents.
//!
//! Decides how long a rendered document is kept: as long as the snapshot under the names of the world and the lab's
//! own, and in a bounded store under other local names, because anyone can invent those. Documents are rendered at their first request, so
//! that a world of ten thousand tenants starts as fast as one of one. Never decides what a document says.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use mocktenant_keys::Identity;
use mocktenant_lab::{Addresses, Entrance};
use mocktenant_token::HeaderSegment;
use mocktenant_world::{Tenant, World};

use crate::Version;
use crate::authority::{Authority, WORLD_HOSTS, host_and_port, without_port};
use crate::resource;
use mocktenant_idp::json::push_member;

/// Documents kept for local base URLs; beyond it the store begins again.
const LOCAL_DOCUMENTS: usize = 128;
const KINDS: usize = 5;

/// A document that depends on authority and base URL alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// openid-configuration.
    Configuration(Version),
    /// The signing keys.
    Keys(Version),
    /// FederationMetadata.xml.
    Federation,
}

impl Document {
    fn index(self) -> usize {
        match self {
            Self::Configuration(Version::V1) => 0,
            Self::Configuration(Version::V2) => 1,
            Self::Keys(Version::V1) => 2,
            Self::Keys(Version::V2) => 3,
            Self::Federation => 4,
        }
    }
}

/// Rendered documents of one authority, by known name and kind.
#[derive(Debug, Default)]
struct Shelf(OnceLock<Box<[[OnceLock<Bytes>; KINDS]]>>);

/// What Entra prepared for one snapshot of the world.
#[derive(Debug)]
pub struct Prepared {
    /// By tenant id and by verified domain, all lower-case.
    tenants: HashMap<String, Arc<PreparedTenant>>,
    aliases: [Shelf; 3],
    local: RwLock<HashMap<String, Bytes>>,
    /// The names a caller may be expected to come by: those of the world, then host and port of each of the lab's own
    /// identity addresses; lower-case, without the default port.
    names: Vec<String>,
}

/// One tenant, made ready.
#[derive(Debug)]
pub(crate) struct PreparedTenant {
    /// The tenant.
    pub(crate) tenant: Arc<Tenant>,
    /// Its display name, as checks show it.
    pub(crate) name: Arc<str>,
    /// Its v2 token endpoint at the first name of the world, as checks show it.
    pub(crate) token_url: Arc<str>,
    /// Header of v1 access tokens: `typ`, `alg`, `x5t`, `kid`.
    pub(crate) header_v1: HeaderSegment,
    /// Header of v2 access tokens: `typ`, `alg`, `kid`.
    pub(crate) header_v2: HeaderSegment,
    /// What can be asked for as a resource.
    pub(crate) resources: resource::Table,
    shelf: Shelf,
}

impl PreparedTenant {
    /// The identity that signs, if the tenant has one: a compiled tenant always has.
    pub(crate) fn signing(&self) -> Option<&Identity> {
        self.tenant.signing.first()
    }
}

impl Prepared {
    pub(crate) fn new(world: &World, addresses: &Addresses) -> Self {
        Self::of(world, addresses, world.tenants())
    }

    /// Of these tenants alone.
    pub(crate) fn of<'w>(
        world: &World,
        addresses: &Addresses,
        of: impl IntoIterator<Item = &'w Arc<Tenant>>,
    ) -> Self {
        let places = resource::places_by_tenant(world, addresses);
        let mut tenants = HashMap::new();
        for tenant in of {
            let prepared = Arc::new(PreparedTenant {
                header_v1: header(tenant, Version::V1, None),
                header_v2: header(tenant, Version::V2, None),
                resources: resource::Table::new(tenant, places.get(&*tenant.id).map_or(&[], Vec::as_slice)),
                shelf: Shelf::default(),
                name: tenant.name.as_str().into(),
                token_url: format!("https://{}/{}/oauth2/v2.0/token", WORLD_HOSTS[0], tenant.id).into(),
                tenant: Arc::clone(tenant),
            });
            for domain in &tenant.domains {
                tenants.insert(domain.to_ascii_lowercase(), Arc::clone(&prepared));
            }
            tenants.insert(tenant.id.to_ascii_lowercase(), prepared);
        }
        Self {
            tenants,
            aliases: Default::default(),
            local: RwLock::default(),
            names: WORLD_HOSTS
                .into_iter()
                .chain(addresses.all(&Entrance::Identity).map(host_and_port))
                .map(|name| without_default_port(name).to_ascii_lowercase())
                .collect(),
        }
    }

    /// The tenant of a lower-case id or domain.
    pub(crate) fn tenant(&self, folded: &str) -> Option<&Arc<PreparedTenant>> {
        self.tenants.get(folded)
    }

    /// Whether lower-case host and port are those of one of the lab's own identity addresses.
    pub(crate) fn is_lab_authority(&self, authority: &str) -> bool {
        self.own_names().any(|own| own == without_default_port(authority))
    }

    /// Host and port of the lab's own address with this lower-case host, the public one first.
    pub(crate) fn lab_address(&self, host: &str) -> Option<&str> {
        self.own_names().find(|own| without_port(own) == host)
    }

    fn own_names(&self) -> impl Iterator<Item = &str> {
        self.names[WORLD_HOSTS.len()..].iter().map(String::as_str)
    }

    /// The document, rendered now if it is not there yet; `None` if it cannot be rendered.
    pub(crate) fn document(
        &self,
        authority: Authority<'_>,
        document: Document,
        base: &str,
        render: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Bytes> {
        let (shelf, name) = match authority {
            Authority::Tenant(tenant) => (&tenant.shelf, &*tenant.tenant.id),
            Authority::Alias(alias) => (&self.aliases[alias as usize], alias.segment()),
        };
        let known =
            base.strip_prefix("https://").and_then(|base| self.names.iter().position(|name| name == base));
        if let Some(known) = known {
            let empty = || self.names.iter().map(|_| Default::default()).collect();
            let slot = &shelf.0.get_or_init(empty)[known][document.index()];
            if let Some(ready) = slot.get() {
                return Some(ready.clone());
            }
            let rendered = Bytes::from(render()?.into_boxed_slice());
            return Some(slot.get_or_init(|| rendered).clone());
        }
        let key = format!("{} {name} {base}", document.index());
        if let Some(ready) = self.local.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(ready.clone());
        }
        let rendered = Bytes::from(render()?.into_boxed_slice());
        let mut local = self.local.write().unwrap_or_else(PoisonError::into_inner);
        if local.len() >= LOCAL_DOCUMENTS {
            local.clear();
        }
        local.insert(key, rendered.clone());
        Some(rendered)
    }
}

/// Host and port without the port that goes without saying.
fn without_default_port(authority: &str) -> &str {
    authority.strip_suffix(":443").unwrap_or(authority)
}

/// What a document says about its authority.
pub(crate) struct Subject<'w> {
    /// As it stands in URLs: the tenant id, whatever the request wrote, or the alias.
    pub(crate) segment: &'w str,
    /// As it stands in issuers.
    pub(crate) issuer_tenant: &'w str,
    /// The application whose keys are asked for, as it was asked.
    pub(crate) application: Option<&'w str>,
    /// `tenant_region_scope`; an alias has none.
    pub(crate) region: Option<&'w str>,
    /// Published signing identities, the active one first. An alias publishes those of every tenant, each once.
    pub(crate) signing: Vec<&'w Identity>,
}

impl<'w> Subject<'w> {
    pub(crate) fn of(authority: Authority<'w>, world: &'w World) -> Self {
        match authority {
            Authority::Tenant(prepared) => {
                let tenant = &prepared.tenant;
                Self {
                    segment: &tenant.id,
                    issuer_tenant: &tenant.id,
                    application: None,
                    region: Some(&tenant.region),
                    signing: tenant.signing.iter().collect(),
                }
            }
            Authority::Alias(alias) => {
                let mut known = std::collections::HashSet::new();
                let signing = world
                    .tenants()
                    .flat_map(|tenant| &tenant.signing)
                    .filter(|identity| known.insert(identity.certificate().thumbprint()))
                    .collect();
                Self {
                    segment: alias.segment(),
                    issuer_tenant: alias.issuer_tenant(),
                    application: None,
                    region: None,
                    signing,
                }
            }
        }
    }
}

/// The order of members is the products': v1 has `x5t` before `kid`, v2 has no `x5t`; a `nonce` stands behind `typ`.
pub(crate) fn header(tenant: &Tenant, version: Version, nonce: Option<&str>) -> HeaderSegment {
    let kid = tenant
        .signing
        .first()
        .map_or_else(String::new, |signing| signing.certificate().thumbprint().base64url());
    let mut json = b"{".to_vec();
    push_member(&mut json, "typ", "JWT");
    if let Some(nonce) = nonce {
        push_member(&mut json, "nonce", nonce);
    }
    push_member(&mut json, "alg", "RS256");
    if version == Version::V1 {
        push_member(&mut json, "x5t", &kid);
    }
    push_member(&mut json, "kid", &kid);
    json.push(b'}');
    HeaderSegment::from_json(&json)
}
