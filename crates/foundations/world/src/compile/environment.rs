//! One AOS environment with its files, its machine and its nodes.
//!
//! Decides what is in a certificate store and what every environment has. Which of several certificates an AOS takes, and whether its account may read
//! the key, is the AOS's question.

use std::sync::Arc;

use mocktenant_keys::Certificate;
use mocktenant_verdict::Setting;

use super::{Problems, clock, guid, host, name_of, short_name, thumbprint_is, unusable};
use crate::compiled::{Environment, IdentityProvider, Node, StoredCertificate, Stores};
use crate::declaration::{self, StoreCertificate};
use crate::files::Files;
use crate::material;
use crate::pointers;
use mocktenant_patch::Problem;

/// Every Windows machine has these; they are in the view even when they are empty.
const LOCATIONS: [&str; 2] = ["LocalMachine", "CurrentUser"];
const STORES: [&str; 2] = ["My", "Root"];

/// The node of an environment that declares none.
const ONLY_NODE: &str = "aos1";

/// The symbolic entry for the lab's own roots, which are made at start and have no fixed thumbprint.
const LAB_CA: &str = "lab-ca";

/// States of a Dual Write map, as the product's map list shows them.
const MAP_STATES: [&str; 5] = ["Running", "Paused", "Not running", "Initializing", "Resuming"];

/// Puts what every environment has into a declaration that leaves it out: the stores of a machine, and one node.
fn complete(declared: &mut declaration::Environment) {
    for location in LOCATIONS {
        let stores = declared.machine.certificates.entry(location.to_owned()).or_default();
        for store in STORES {
            stores.entry(store.to_owned()).or_default();
        }
    }
    if declared.nodes.is_empty() {
        declared.nodes.insert(ONLY_NODE.to_owned(), declaration::Node::default());
    }
}

/// Compiles one environment; certificates that are declared as before are shared with `before`, whose files are spliced.
/// Without it, the files are those `given`.
pub(crate) fn environment(
    id: &Arc<str>,
    mut declared: Arc<declaration::Environment>,
    given: Files,
    before: Option<&Environment>,
    problems: &mut Problems,
) -> Environment {
    let pointer = pointers::environment(id);
    let completed = Arc::make_mut(&mut declared);
    complete(completed);
    let files = match before {
        Some(before) => before.files().reconciled(id, completed, false, problems),
        None => given.reconciled(id, completed, true, problems),
    };
    short_name(id, pointer.setting(), problems);
    host(&declared.host, pointer.host(), problems);
    database(&declared.database, &pointer, problems);
    Environment {
        id: Arc::clone(id),
        identity: IdentityProvider::Tenant(declared.identity.as_str().into()),
        web_config: files.web_config,
        wif_config: files.wif_config,
        stores: stores(&declared.machine, &pointer, before, problems),
        nodes: nodes(&declared, &pointer, problems),
        pointer,
        declared,
    }
}

fn nodes(
    declared: &declaration::Environment,
    pointer: &pointers::Environment,
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
        nodes.push(Node {
            name: name.as_str().into(),
            clock: own.map_or(machine, |own| clock(Some(own), || at.clock(), problems)),
            pointer: at,
            declared: node.clone(),
        });
    }
    nodes
}

fn database(
    declared: &declaration::EnvironmentDatabase,
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
    for (name, map) in &declared.dual_write.maps {
        name_of(&map.state, &MAP_STATES, pointer.dual_write_map(name).state(), problems);
    }
}

fn stores(
    machine: &declaration::Machine,
    environment: &pointers::Environment,
    before: Option<&Environment>,
    problems: &mut Problems,
) -> Stores {
    let mut compiled = Stores::default();
    for (location, stores) in &machine.certificates {
        name_of(location, &LOCATIONS, environment.store_location(location), problems);
        for (store, certificates) in stores {
            name_of(store, &STORES, environment.store(location, store), problems);
            for (key, written) in certificates {
                let at = environment.stored_certificate(location, store, key);
                if key == LAB_CA || written.certificate == LAB_CA {
                    if key != LAB_CA || written.certificate != LAB_CA || written.private_key.is_some() {
                        let message = "the lab's own roots are declared without thumbprint and without key";
                        problems.push(
                            Problem::new(at.into(), message)
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
                if let Some((certificate, key)) = certificate(key, written, &at, problems) {
                    compiled.certificates.push(StoredCertificate {
                        location: location.clone(),
                        store: store.clone(),
                        certificate,
                        key,
                        readable_by: written
                            .private_key
                            .as_ref()
                            .map_or_else(Vec::new, |key| key.readable_by.clone()),
                        pointer: at,
                    });
                }
            }
        }
    }
    compiled
}

fn unchanged<'w>(
    before: Option<&'w Environment>,
    location: &str,
    store: &str,
    key: &str,
    written: &StoreCertificate,
) -> Option<&'w StoredCertificate> {
    let before = before?;
    let was = before.declared.machine.certificates.get(location)?.get(store)?.get(key)?;
    if was != written {
        return None;
    }
    let thumbprint = mocktenant_keys::Thumbprint::from_hex(key)?;
    before.stores.find(location, store, &thumbprint)
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
