//! One AOS environment with its files, its machine and its nodes.
//!
//! Decides what is in a certificate store and what every environment has. Which of several certificates an AOS takes, and whether its account may read
//! the key, is the AOS's question.

use std::sync::Arc;

use indexmap::IndexMap;
use mocktenant_keys::Certificate;
use mocktenant_verdict::Setting;

use super::{Problems, clock, guid, host, name_of, short_name, thumbprint_is, unusable};
use crate::compiled::{Environment, IdentityProvider, Node, StoredCertificate, Stores};
use crate::declaration::{self, StoreCertificate};
use crate::files::Files;
use crate::is_guid;
use crate::material;
use crate::pointers;
use mocktenant_patch::Problem;

/// Every Windows machine has these; they are in the view even when they are empty.
const LOCATIONS: [&str; 2] = ["LocalMachine", "CurrentUser"];
const STORES: [&str; 2] = ["My", "Root"];
/// Where a machine has those it trusts.
const ROOTS: (&str, &str) = ("LocalMachine", "Root");

/// The node of an environment that declares none; on-premises as Service Fabric calls the first one.
const ONLY_NODE: &str = "aos1";
const FIRST_NODE: &str = "AOS_1";

/// The symbolic entry for the lab's own roots, which are made at start and have no fixed thumbprint.
const LAB_CA: &str = "lab-ca";

/// States of a Dual Write map, as the product's map list shows them.
const MAP_STATES: [&str; 5] = ["Running", "Paused", "Not running", "Initializing", "Resuming"];

/// Puts what every environment has into a declaration that leaves it out: the stores of a machine, and one node.
fn complete(declared: &mut declaration::Environment, on_premises: bool) {
    // A machine of which nothing is said trusts the lab; one whose Root store is declared empty does not.
    let machine = declared.machine.certificates.entry(ROOTS.0.to_owned()).or_default();
    machine.entry(ROOTS.1.to_owned()).or_insert_with(|| {
        let lab_ca = StoreCertificate { certificate: LAB_CA.to_owned(), private_key: None };
        IndexMap::from([(LAB_CA.to_owned(), lab_ca)])
    });
    for location in LOCATIONS {
        let stores = declared.machine.certificates.entry(location.to_owned()).or_default();
        for store in STORES {
            stores.entry(store.to_owned()).or_default();
        }
    }
    if declared.nodes.is_empty() {
        let name = if on_premises { FIRST_NODE } else { ONLY_NODE };
        declared.nodes.insert(name.to_owned(), declaration::Node::default());
    }
}

/// Compiles one environment; certificates that are declared as before are shared with `before`, whose files are spliced,
/// except for those `given`.
pub(crate) fn environment(
    id: &Arc<str>,
    mut declared: Arc<declaration::Environment>,
    given: Files,
    before: Option<&Environment>,
    problems: &mut Problems,
) -> Environment {
    let pointer = pointers::environment(id);
    let completed = Arc::make_mut(&mut declared);
    let files = before.map_or_else(Files::default, Environment::files);
    let files = files.reconciled(id, completed, given, problems);
    complete(completed, files.axsf.is_some());
    short_name(id, pointer.setting(), problems);
    host(&declared.host, pointer.host(), problems);
    database(&declared.database, files.axsf.is_some(), &pointer, problems);
    let stores = Stores::of(
        &declared.machine.certificates,
        &StoresAt::Environment(&pointer),
        before.map(|before| (&before.declared.machine.certificates, &before.stores)),
        problems,
    );
    Environment {
        id: Arc::clone(id),
        identity: provider(&declared.identity),
        refreshes_keys: declared.refreshes_keys.unwrap_or(files.axsf.is_none()),
        metadata_signing_certificate: metadata_signing_certificate(&declared, &pointer, problems),
        nodes: nodes(&declared, &pointer, &files, &stores, before, problems),
        web_config: files.web_config,
        wif_config: files.wif_config,
        axsf: files.axsf,
        stores,
        pointer,
        declared,
    }
}

/// A tenant is named by its id, a federation service by a short name.
fn provider(identity: &str) -> IdentityProvider {
    if is_guid(identity) {
        IdentityProvider::Tenant(identity.into())
    } else {
        IdentityProvider::FederationService(identity.into())
    }
}

fn metadata_signing_certificate(
    declared: &declaration::Environment,
    pointer: &pointers::Environment,
    problems: &mut Problems,
) -> Option<Certificate> {
    let written = declared.metadata_signing_certificate.as_deref()?;
    material::certificate(written)
        .map_err(|why| problems.push(unusable(why, pointer.metadata_signing_certificate())))
        .ok()
}

fn nodes(
    declared: &declaration::Environment,
    pointer: &pointers::Environment,
    files: &Files,
    shared: &Stores,
    before: Option<&Environment>,
    problems: &mut Problems,
) -> Vec<Node> {
    let machine = clock(declared.machine.clock.as_deref(), || pointer.clock(), problems);
    let mut nodes = Vec::with_capacity(declared.nodes.len());
    for (name, node) in &declared.nodes {
        let at = pointer.node(name);
        short_name(name, at.setting(), problems);
        if let Some(name) = &node.host {
            host(name, at.host(), problems);
        }
        let own = node.clock.as_deref();
        let was = before.and_then(|before| before.node(name));
        let stores = Stores::of(
            &node.machine.certificates,
            &StoresAt::Node(&at),
            was.map(|was| (&was.declared.machine.certificates, &was.stores)),
            problems,
        );
        nodes.push(Node {
            name: name.as_str().into(),
            clock: own.map_or(machine, |own| clock(Some(own), || at.clock(), problems)),
            stopped: declared.stopped || node.stopped,
            axsf: files.overlaid(&node.axsf, &at, problems),
            stores: stores.over(shared, &node.machine.certificates),
            pointer: at,
            declared: node.clone(),
        });
    }
    nodes
}

fn database(
    declared: &declaration::EnvironmentDatabase,
    on_premises: bool,
    pointer: &pointers::Environment,
    problems: &mut Problems,
) {
    let bit = |value: u8, pointer: Setting, problems: &mut Problems| {
        if value > 1 {
            problems.push(
                Problem::new(pointer, format!("{value} is neither on nor off")).hint("0 or 1".to_owned()),
            );
        }
    };
    for (name, flight) in &declared.sys_flighting {
        bit(flight.enabled, pointer.flight(name).enabled(), problems);
    }
    for (name, user) in &declared.user_info {
        bit(user.enable, pointer.user_info(name).enable(), problems);
    }
    for client_id in declared.sys_aad_client_table.keys() {
        guid(client_id, pointer.aad_client(client_id).into(), problems);
    }
    if on_premises && declared.dual_write.is_some() {
        let message = "Dual Write is no feature of Finance & Operations on-premises";
        problems.push(Problem::new(pointer.dual_write(), message).hint("leave it out".to_owned()));
    }
    for (name, map) in declared.dual_write.iter().flat_map(|link| &link.maps) {
        name_of(&map.state, &MAP_STATES, pointer.dual_write_map(name).state(), problems);
    }
}

/// Where stores are declared.
enum StoresAt<'p> {
    Environment(&'p pointers::Environment),
    Node(&'p pointers::Node),
}

impl StoresAt<'_> {
    fn location(&self, location: &str) -> Setting {
        match self {
            Self::Environment(at) => at.store_location(location),
            Self::Node(at) => at.store_location(location),
        }
    }

    fn store(&self, location: &str, store: &str) -> Setting {
        match self {
            Self::Environment(at) => at.store(location, store),
            Self::Node(at) => at.store(location, store),
        }
    }

    fn certificate(&self, location: &str, store: &str, key: &str) -> pointers::StoredCertificate {
        match self {
            Self::Environment(at) => at.stored_certificate(location, store, key),
            Self::Node(at) => at.stored_certificate(location, store, key),
        }
    }
}

/// Certificate stores as declared: location, store, thumbprint.
type Declared = IndexMap<String, IndexMap<String, IndexMap<String, StoreCertificate>>>;

impl Stores {
    /// Compiles them; a certificate that is declared as before is shared with it.
    fn of(
        declared: &Declared,
        at: &StoresAt<'_>,
        before: Option<(&Declared, &Self)>,
        problems: &mut Problems,
    ) -> Self {
        let mut compiled = Self::default();
        for (location, stores) in declared {
            name_of(location, &LOCATIONS, at.location(location), problems);
            for (store, certificates) in stores {
                name_of(store, &STORES, at.store(location, store), problems);
                for (key, written) in certificates {
                    let pointer = at.certificate(location, store, key);
                    if key == LAB_CA || written.certificate == LAB_CA {
                        if key != LAB_CA || written.certificate != LAB_CA || written.private_key.is_some() {
                            let message =
                                "the lab's own roots are declared without thumbprint and without key";
                            problems.push(
                                Problem::new(pointer.into(), message)
                                    .hint("`lab-ca: { certificate: lab-ca }`".to_owned()),
                            );
                        } else {
                            compiled.lab_ca.push((location.clone(), store.clone()));
                        }
                        continue;
                    }
                    if let Some(stored) = unchanged(before, location, store, key, written) {
                        compiled.certificates.push(stored.clone());
                        continue;
                    }
                    if let Some((certificate, key)) = certificate(key, written, &pointer, problems) {
                        compiled.certificates.push(StoredCertificate {
                            location: location.clone(),
                            store: store.clone(),
                            certificate,
                            key,
                            readable_by: written
                                .private_key
                                .as_ref()
                                .map_or_else(Vec::new, |key| key.readable_by.clone()),
                            pointer,
                        });
                    }
                }
            }
        }
        compiled
    }

    /// These, and of `shared` the stores that are not declared here: a machine has a store of its own whole.
    fn over(mut self, shared: &Self, declared: &Declared) -> Self {
        let own = |location: &str, store: &str| {
            declared.get(location).is_some_and(|stores| stores.contains_key(store))
        };
        let others = shared.certificates.iter().filter(|stored| !own(&stored.location, &stored.store));
        self.certificates.extend(others.cloned());
        self.lab_ca.extend(shared.lab_ca.iter().filter(|(location, store)| !own(location, store)).cloned());
        self
    }
}

fn unchanged<'w>(
    before: Option<(&Declared, &'w Stores)>,
    location: &str,
    store: &str,
    key: &str,
    written: &StoreCertificate,
) -> Option<&'w StoredCertificate> {
    let (declared, stores) = before?;
    if declared.get(location)?.get(store)?.get(key)? != written {
        return None;
    }
    let thumbprint = mocktenant_keys::Thumbprint::from_hex(key)?;
    stores.find(location, store, &thumbprint)
}

fn certificate(
    thumbprint: &str,
    written: &StoreCertificate,
    pointer: &pointers::StoredCertificate,
    problems: &mut Problems,
) -> Option<(Certificate, Option<mocktenant_keys::SigningKey>)> {
    let certificate = match material::certificate(&written.certificate) {
        Ok(certificate) => certificate,
        Err(why) => {
            problems.push(unusable(why, pointer.certificate()));
            return None;
        }
    };
    thumbprint_is(thumbprint, &certificate.thumbprint(), pointer, problems);
    let Some(private) = &written.private_key else { return Some((certificate, None)) };
    let at = pointer.private_key().key();
    match material::signing_key(&private.key) {
        Ok(key) if certificate.public_key().is_ok_and(|public| public == key.public()) => {
            Some((certificate, Some(key)))
        }
        Ok(_) => {
            problems.push(Problem::new(at, "the private key does not belong to the certificate"));
            None
        }
        Err(why) => {
            problems.push(unusable(why, at));
            None
        }
    }
}
