//! What is computed once per snapshot: headers of tokens, names in issuers, documents.
//!
//! Decides nothing about a request. Headers carry `x5t`, and `kid` too from Windows Server 2019 on; a document is rendered
//! when it is first asked for under a base URL and kept, for so many bases as a lab is likely to have.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use mocktenant_idp::json::push_member;
use mocktenant_keys::Identity;
use mocktenant_token::HeaderSegment;
use mocktenant_world::declaration::Profile;
use mocktenant_world::{FederationService, World};

use crate::bearer::Trust;

/// Under how many base URLs documents are kept; whoever asks under more made the rest up.
const BASES: usize = 16;

/// A document that is rendered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// openid-configuration.
    Configuration,
    /// The keys.
    Keys,
    /// FederationMetadata.xml.
    Metadata,
}

const DOCUMENTS: usize = 3;

/// Everything AD FS has made ready.
#[derive(Debug)]
pub struct Prepared {
    services: HashMap<Arc<str>, Arc<PreparedService>>,
}

impl Prepared {
    pub(crate) fn new(world: &World) -> Self {
        let prepared = |service: &Arc<FederationService>| {
            let behind = world
                .environments()
                .filter(|environment| environment.identity.federation_service() == Some(&*service.id));
            let clients = behind.flat_map(|environment| environment.own_clients().collect::<Vec<_>>());
            let prepared = PreparedService::new(Arc::clone(service), clients.collect());
            (Arc::clone(&service.id), Arc::new(prepared))
        };
        Self { services: world.federation_services().map(prepared).collect() }
    }

    pub(crate) fn service(&self, id: &str) -> Option<&Arc<PreparedService>> {
        self.services.get(id)
    }
}

/// One federation service.
#[derive(Debug)]
pub(crate) struct PreparedService {
    pub(crate) service: Arc<FederationService>,
    /// Header of access tokens.
    pub(crate) access_header: HeaderSegment,
    /// Header of id tokens.
    pub(crate) id_header: HeaderSegment,
    /// The federation service identifier: `access_token_issuer`, and `entityID` of the metadata.
    pub(crate) identifier: String,
    /// `https://HOST/adfs`, the host as its administrator spelled it.
    pub(crate) canonical_issuer: String,
    /// Client ids of environments that stand behind it: their id tokens have the canonical issuer, whatever host was called.
    environments_clients: Vec<String>,
    /// What it trusts of the tokens that come back to it.
    pub(crate) trust: Trust,
    shelves: RwLock<HashMap<Box<str>, Arc<Shelf>>>,
}

#[derive(Debug, Default)]
struct Shelf([OnceLock<Bytes>; DOCUMENTS]);

impl PreparedService {
    fn new(service: Arc<FederationService>, environments_clients: Vec<String>) -> Self {
        let canonical_issuer = format!("https://{}/adfs", service.host_name);
        let identifier = service.identifier();
        Self {
            access_header: header(&service, service.profile >= Profile::Server2019),
            id_header: header(&service, true),
            trust: Trust::of(&service, &identifier),
            identifier,
            canonical_issuer,
            environments_clients,
            shelves: RwLock::default(),
            service,
        }
    }

    /// Whether a client is an environment's own: then no program of a test reads what is issued to it.
    pub(crate) fn is_of_environment(&self, client_id: &str) -> bool {
        self.environments_clients.iter().any(|known| known.eq_ignore_ascii_case(client_id))
    }

    /// The token-signing identity in use; a world has one for each service.
    pub(crate) fn signing(&self) -> Option<&Identity> {
        self.service.signing.first()
    }

    /// The document under a base URL, rendered now if it is not there yet; `None` if it cannot be rendered.
    pub(crate) fn document(
        &self,
        document: Document,
        base: &str,
        render: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Option<Bytes> {
        let known = self.shelves.read().unwrap_or_else(PoisonError::into_inner).get(base).map(Arc::clone);
        let shelf = known.unwrap_or_else(|| {
            let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
            if shelves.len() >= BASES {
                shelves.clear();
            }
            Arc::clone(shelves.entry(base.into()).or_default())
        });
        let slot = &shelf.0[document as usize];
        if let Some(ready) = slot.get() {
            return Some(ready.clone());
        }
        let rendered = Bytes::from(render()?.into_boxed_slice());
        Some(slot.get_or_init(|| rendered).clone())
    }
}

/// `typ, alg, x5t` and, where it is said, `kid`, which is the same.
fn header(service: &FederationService, with_kid: bool) -> HeaderSegment {
    let signing = service.signing.first();
    let kid = signing.map_or_else(String::new, |signing| signing.certificate().thumbprint().base64url());
    let mut json = b"{".to_vec();
    push_member(&mut json, "typ", "JWT");
    push_member(&mut json, "alg", "RS256");
    push_member(&mut json, "x5t", &kid);
    if with_kid {
        push_member(&mut json, "kid", &kid);
    }
    json.push(b'}');
    HeaderSegment::from_json(&json)
}
