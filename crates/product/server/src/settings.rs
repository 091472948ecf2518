//! The settings document: what a client, a test or a person has to know to use a lab.
//!
//! Decides the members of `settings.json`, version 1, and the files they name. The document is stable: outside tests rely
//! on it. What is not built or not in the world is absent, never null. URLs have no trailing slash.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_keys::{Identity, Thumbprint, shipped, write_pfx};
use mocktenant_lab::{Entrance, real_now};
use mocktenant_world::{Application, Tenant, World};
use serde_json::{Map, Value, json};

use crate::authority::{BUNDLE_FILE, ROOTS_FILE, with_system_roots};
use crate::error::StartError;
use crate::state::{holds, write_if_changed, write_private};

const CERTIFICATE_FILE: &str = "certificate.pem";
const PFX_FILE: &str = "certificate.pfx";
const PFX_PASSWORD: &str = "";

/// A larger PFX is not one of ours.
const MAX_PFX: u64 = 64 * 1024;

/// What the document needs besides the world.
pub(crate) struct Facts<'f> {
    /// Where files are written: an absolute path.
    pub(crate) directory: &'f Path,
    pub(crate) ca_pem: &'f str,
    pub(crate) addresses: &'f HashMap<Entrance, String>,
    pub(crate) control_url: &'f str,
    /// Instance and process; none for what a lab would give.
    pub(crate) running: Option<(&'f str, u32)>,
}

/// The document; its files are written on the way.
pub(crate) fn document(world: &World, facts: &Facts<'_>) -> Result<Value, StartError> {
    let caller = world.caller();
    let mut document = Map::new();
    document.insert("schema".to_owned(), json!(1));
    if let Some(tenant) = world.tenant(&caller.tenant) {
        document.insert("entra".to_owned(), entra(world, tenant, facts)?);
    }
    let mut environments = Map::new();
    for environment in world.environments() {
        if let Some(url) = facts.addresses.get(&Entrance::environment(&environment.id)) {
            environments.insert(environment.id.to_string(), aos(world, &environment.id, url));
        }
    }
    if !environments.is_empty() {
        document.insert("aos".to_owned(), environments.into());
    }
    let organization = world
        .organizations()
        .find_map(|organization| facts.addresses.get(&Entrance::organization(&organization.key)));
    if let Some(url) = organization {
        document.insert("dataverse".to_owned(), json!({ "url": url, "resource": url }));
    }
    let tenant = world.tenant(&caller.tenant);
    if let Some(custom) = tenant.and_then(|tenant| custom_api(world, tenant)) {
        document.insert("custom_api".to_owned(), custom);
    }
    certificates(facts, &mut document)?;
    document.insert("control_url".to_owned(), json!(facts.control_url));
    if let Some((instance, pid)) = facts.running {
        document.insert("instance".to_owned(), json!(instance));
        document.insert("pid".to_owned(), json!(pid));
    }
    Ok(document.into())
}

fn entra(world: &World, tenant: &Tenant, facts: &Facts<'_>) -> Result<Value, StartError> {
    let caller = world.caller();
    let mut entra = Map::new();
    let mut put = |name: &str, value: Value| {
        entra.insert(name.to_owned(), value);
    };
    if let Some(base_url) = facts.addresses.get(&Entrance::Identity) {
        put("base_url", json!(base_url));
        put("authority", json!(format!("{base_url}/{}", tenant.id)));
    }
    put("tenant_id", json!(tenant.id));
    if let Some(domain) = tenant.domains.first() {
        put("tenant_domain", json!(domain));
    }
    put("client_id", json!(caller.client_id));
    put("client_secret", json!(caller.client_secret));
    if let Some((client_id, secret)) = expired(tenant) {
        put("expired_client_id", json!(client_id));
        put("expired_client_secret", json!(secret));
    }
    let application = tenant.application(&caller.client_id);
    if let Some(identity) = application.and_then(|application| shipped_identity(application)) {
        let files = ClientFiles::write(identity, facts.directory)?;
        put("certificate_pem", path_text(&facts.directory.join(CERTIFICATE_FILE)));
        put("certificate_pem_text", json!(files.pem));
        if let Some(pfx) = files.pfx {
            put("certificate_pfx", path_text(&facts.directory.join(PFX_FILE)));
            put("certificate_pfx_base64", json!(STANDARD.encode(pfx)));
            put("pfx_password", json!(PFX_PASSWORD));
        }
        put("certificate_thumbprint", json!(identity.certificate().thumbprint().to_string()));
        put("certificate_thumbprint_sha256", json!(identity.certificate().thumbprint256().to_string()));
    }
    Ok(entra.into())
}

/// Entra says "expired" only of an application all of whose secrets are, so the secret comes with that one's id.
fn expired(tenant: &Tenant) -> Option<(&str, &str)> {
    let now = real_now();
    let applications = &tenant.declared.applications;
    applications.iter().find_map(|(client_id, declared)| {
        let compiled = tenant.application(client_id)?;
        let all = !compiled.secrets.is_empty()
            && compiled.secrets.iter().all(|secret| secret.expires.is_some_and(|expires| expires <= now));
        let first = declared.secrets.values().next()?;
        all.then_some((client_id.as_str(), first.value.as_str()))
    })
}

/// The identity behind one of the application's certificates, where the lab has its key.
fn shipped_identity(application: &Application) -> Option<&'static Identity> {
    let thumbprints: Vec<Thumbprint> = application
        .certificates
        .iter()
        .map(mocktenant_keys::Certificate::thumbprint)
        .filter(|thumbprint| shipped::is_shipped(*thumbprint))
        .collect();
    let holds = |identity: &&'static Identity| thumbprints.contains(&identity.certificate().thumbprint());
    if thumbprints.is_empty() {
        return None;
    }
    // The usual one first: each further one costs parsing its key.
    let usual = Some(shipped::sample_client()).filter(holds);
    usual.or_else(|| shipped::names().filter_map(shipped::by_name).find(holds))
}

struct ClientFiles {
    pem: String,
    pfx: Option<Vec<u8>>,
}

impl ClientFiles {
    /// The PFX first: whoever finds the same PEM finds the PFX that belongs to it, and need not make it again.
    fn write(identity: &Identity, directory: &Path) -> Result<Self, StartError> {
        let pem = identity.certificate_pem_bundle();
        let (pem_path, pfx_path) = (directory.join(CERTIFICATE_FILE), directory.join(PFX_FILE));
        if holds(&pem_path, pem.as_bytes()) {
            let small = fs::metadata(&pfx_path).is_ok_and(|found| (1..=MAX_PFX).contains(&found.len()));
            if let Some(pfx) = small.then(|| fs::read(&pfx_path).ok()).flatten() {
                return Ok(Self { pem, pfx: Some(pfx) });
            }
        }
        let pfx = match write_pfx(identity, PFX_PASSWORD) {
            Ok(pfx) => Some(pfx),
            Err(error) => {
                tracing::warn!(%error, "no PFX for the client certificate");
                None
            }
        };
        if let Some(pfx) = &pfx {
            write_private(&pfx_path, pfx)?;
        }
        write_private(&pem_path, pem.as_bytes())?;
        Ok(Self { pem, pfx })
    }
}

fn aos(world: &World, environment: &str, url: &str) -> Value {
    let caller = world.caller();
    let mut aos = Map::new();
    aos.insert("url".to_owned(), json!(url));
    aos.insert("resource".to_owned(), json!(url));
    if caller.environment == environment {
        let members = [
            ("company", "dataAreaId"),
            ("customer_group", "CustomerGroupId"),
            ("currency", "SalesCurrencyCode"),
        ];
        for (name, member) in members {
            if let Some(value) = caller.customer.get(member) {
                aos.insert(name.to_owned(), value.clone());
            }
        }
        aos.insert("sample_customer".to_owned(), Value::Object(caller.customer.clone()));
    }
    aos.into()
}

/// An API of the tenant's own that grants the caller a role.
fn custom_api(world: &World, tenant: &Tenant) -> Option<Value> {
    let client = tenant.application(&world.caller().client_id)?;
    let applications = &tenant.declared.applications;
    applications.iter().find_map(|(client_id, declared)| {
        let uri = declared.identifier_uris.first().filter(|_| !declared.first_party)?;
        let role = client.granted_roles.get(&client_id.to_ascii_lowercase())?.first()?;
        Some(json!({ "uri": uri, "client_id": client_id, "role": role }))
    })
}

fn certificates(facts: &Facts<'_>, document: &mut Map<String, Value>) -> Result<(), StartError> {
    let roots = facts.directory.join(ROOTS_FILE);
    write_if_changed(&roots, facts.ca_pem.as_bytes())?;
    document.insert("ca_pem".to_owned(), path_text(&roots));
    document.insert("ca_pem_text".to_owned(), json!(facts.ca_pem));
    let bundle = with_system_roots(facts.ca_pem).unwrap_or_else(|| facts.ca_pem.as_bytes().to_vec());
    let path = facts.directory.join(BUNDLE_FILE);
    write_if_changed(&path, &bundle)?;
    document.insert("ca_bundle_pem".to_owned(), path_text(&path));
    Ok(())
}

/// JSON is text; a path that is none loses what cannot be written.
fn path_text(path: &Path) -> Value {
    Value::String(path.to_string_lossy().into_owned())
}
