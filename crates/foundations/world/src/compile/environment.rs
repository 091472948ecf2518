//! One AOS environment with its machine.
//!
//! Decides what is in a certificate store. Which of several certificates an AOS takes, and whether its account may read
//! the key, is the AOS's question.

use std::sync::Arc;

use mocktenant_artefacts::Artefact;
use mocktenant_keys::Certificate;
use mocktenant_verdict::Setting;

use super::{Before, Problems, guid, host, name_of, short_name, thumbprint_is, unusable};
use crate::compiled::{Environment, StoredCertificate, Stores};
use crate::declaration::{self, StoreCertificate};
use crate::material;
use crate::problem::Problem;

/// Every Windows machine has these; they are in the view even when they are empty.
const LOCATIONS: [&str; 2] = ["LocalMachine", "CurrentUser"];
const STORES: [&str; 2] = ["My", "Root"];

/// The symbolic entry for the lab's own roots, which are made at start and have no fixed thumbprint.
const LAB_CA: &str = "lab-ca";

/// States of a Dual Write map, as the product's map list shows them.
const MAP_STATES: [&str; 5] = ["Running", "Paused", "Not running", "Initializing", "Resuming"];

/// Puts the stores every machine has into the declaration.
pub(crate) fn complete(declared: &mut declaration::Environment) {
    for location in LOCATIONS {
        let stores = declared.machine.certificates.entry(location.to_owned()).or_default();
        for store in STORES {
            stores.entry(store.to_owned()).or_default();
        }
    }
}

/// Compiles one environment; certificates that are declared as before are shared with `before`.
pub(crate) fn environment(
    id: &str,
    declared: &declaration::Environment,
    (web_config, wif_config): (Arc<Artefact>, Arc<Artefact>),
    before: Option<&Before<'_, declaration::Environment, Environment>>,
    problems: &mut Problems,
) -> Environment {
    let pointer = Setting::of(["environments", id]);
    short_name(id, pointer.clone(), problems);
    host(&declared.host, pointer.join("host"), problems);
    database(&declared.database, &pointer.join("database"), problems);
    let records = match before {
        Some(before) if before.declared.records == declared.records => Arc::clone(&before.compiled.records),
        _ => Arc::new(declared.records.clone()),
    };
    Environment {
        id: id.to_owned(),
        tenant: declared.tenant.clone(),
        host: declared.host.clone(),
        web_config,
        wif_config,
        stores: stores(&declared.machine, &pointer, before, problems),
        database: declared.database.clone(),
        records,
        pointer,
    }
}

fn database(declared: &declaration::EnvironmentDatabase, pointer: &Setting, problems: &mut Problems) {
    let bit = |value: u8, pointer: Setting, problems: &mut Problems| {
        if value > 1 {
            problems.push(
                Problem::new(pointer, format!("{value} is neither on nor off"))
                    .hint(Some("0 or 1".to_owned())),
            );
        }
    };
    for (name, flight) in &declared.sys_flighting {
        bit(flight.enabled, pointer.join("SysFlighting").join(name).join("Enabled"), problems);
    }
    for (name, user) in &declared.user_info {
        bit(user.enable, pointer.join("UserInfo").join(name).join("Enable"), problems);
    }
    for client_id in declared.sys_aad_client_table.keys() {
        guid(client_id, pointer.join("SysAADClientTable").join(client_id), problems);
    }
    for (name, map) in &declared.dual_write.maps {
        let at = || pointer.join("DualWriteProjectConfiguration").join("Maps").join(name).join("State");
        name_of(&map.state, &MAP_STATES, at(), problems);
    }
}

fn stores(
    machine: &declaration::Machine,
    environment: &Setting,
    before: Option<&Before<'_, declaration::Environment, Environment>>,
    problems: &mut Problems,
) -> Stores {
    let mut compiled = Stores::default();
    let pointer = environment.join("machine").join("certificates");
    for (location, stores) in &machine.certificates {
        name_of(location, &LOCATIONS, pointer.join(location), problems);
        for (store, certificates) in stores {
            let at = pointer.join(location).join(store);
            name_of(store, &STORES, at.clone(), problems);
            for (key, written) in certificates {
                let at = at.join(key);
                if key == LAB_CA || written.certificate == LAB_CA {
                    if key != LAB_CA || written.certificate != LAB_CA || written.private_key.is_some() {
                        problems.push(
                            Problem::new(
                                at,
                                "the lab's own roots are declared without thumbprint and without key",
                            )
                            .hint(Some("`lab-ca: { certificate: lab-ca }`".to_owned())),
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
    before: Option<&Before<'w, declaration::Environment, Environment>>,
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
    before.compiled.stores.find(location, store, &thumbprint)
}

fn certificate(
    thumbprint: &str,
    written: &StoreCertificate,
    pointer: &Setting,
    problems: &mut Problems,
) -> Option<(Certificate, Option<mocktenant_keys::SigningKey>)> {
    let certificate = match material::certificate(&written.certificate) {
        Ok(certificate) => certificate,
        Err(why) => {
            problems.push(unusable(why, pointer.join("certificate")));
            return None;
        }
    };
    thumbprint_is(thumbprint, &certificate.thumbprint(), pointer, problems);
    let Some(private) = &written.private_key else { return Some((certificate, None)) };
    let at = pointer.join("private_key").join("key");
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
