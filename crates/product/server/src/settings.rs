//! What stands in the settings document: every value, and the files it names.
//!
//! Decides what a world and a lab's addresses give for each member of [`Settings`], and writes the files on the way. The
//! members themselves, their names and their order are those of the struct. URLs have no trailing slash.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_control::settings::{Adfs, Aos, CustomApi, Dataverse, Entra, ManagedIdentity, Settings, User};
use mocktenant_entra::managed_identity;
use mocktenant_keys::{Branch, Certificate, Identity, LabCa, Thumbprint, shipped, write_pfx};
use mocktenant_lab::{Entrance, real_now};
use mocktenant_world::{Application, Client, Environment, FederationService, Tenant, WebApi, World};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::authority::{
    BUNDLE_FILE, KEYS_FILE, LOCAL_FILE, REAL_NAMES_FILE, TRUSTSTORE_FILE, with_system_roots,
};
use crate::error::StartError;
use crate::files::{self, Holds, holds, write_if_changed, write_private};
use crate::state::SETTINGS_FILE;

const CERTIFICATE_FILE: &str = "certificate.pem";
const PFX_FILE: &str = "certificate.pfx";
const PFX_PASSWORD: &str = "";
/// What Java's own store has; it keeps nothing secret.
const TRUSTSTORE_PASSWORD: &str = "changeit";

/// Every file that is written here or beside these.
pub(crate) const FILES: [&str; 8] = [
    SETTINGS_FILE,
    KEYS_FILE,
    LOCAL_FILE,
    REAL_NAMES_FILE,
    BUNDLE_FILE,
    TRUSTSTORE_FILE,
    CERTIFICATE_FILE,
    PFX_FILE,
];

/// What an AOS on-premises takes tokens for, in its startup file.
const VALID_AUDIENCE: &str = "Aad.AADValidAudience";

/// A larger PFX is not one of ours.
const MAX_PFX: u64 = 64 * 1024;

/// What the document needs besides the world.
pub(crate) struct Facts<'f> {
    /// Where files are written: an absolute path.
    pub(crate) directory: &'f Path,
    pub(crate) ca: &'f LabCa,
    pub(crate) addresses: &'f HashMap<Entrance, String>,
    pub(crate) control_url: &'f str,
    /// The names of the world.
    pub(crate) names: Vec<String>,
    /// The ports on which those are answered, besides the proxy.
    pub(crate) real_name_ports: &'f [u16],
    /// Instance and process; none for what a lab would give.
    pub(crate) running: Option<(&'f str, u32)>,
}

/// The document; its files are written on the way.
pub(crate) fn document(world: &World, facts: &Facts<'_>) -> Result<Settings, StartError> {
    let tenant = world.tenant(&world.caller().tenant);
    let mut document = Settings::default();
    document.schema = 1;
    if let Some(tenant) = tenant {
        document.entra = entra(world, tenant, facts)?;
    }
    document.adfs = adfs(world, facts.addresses.get(&Entrance::Identity));
    document.user = user(world, tenant.map(|tenant| &**tenant));
    for environment in world.environments() {
        if let Some(url) = facts.addresses.get(&Entrance::environment(&environment.id)) {
            document.aos.insert(environment.id.to_string(), aos(world, environment, url));
        }
    }
    let organization = world
        .organizations()
        .find_map(|organization| facts.addresses.get(&Entrance::organization(&organization.key)));
    if let Some(url) = organization {
        let mut dataverse = Dataverse::default();
        (dataverse.url, dataverse.resource) = (url.clone(), url.clone());
        document.dataverse = dataverse;
    }
    document.custom_api = tenant.and_then(|tenant| custom_api(world, tenant));
    document.managed_identity = managed_identity(world, facts.addresses.get(&Entrance::Identity));
    certificates(facts.directory, facts.ca, &mut document)?;
    facts.control_url.clone_into(&mut document.control_url);
    if let Some((_, at)) = facts.control_url.split_once("://") {
        document.proxy_url = format!("http://{at}");
        document.world_names.clone_from(&facts.names);
    }
    facts.real_name_ports.clone_into(&mut document.real_name_ports);
    if let Some((instance, pid)) = facts.running {
        instance.clone_into(&mut document.instance);
        document.pid = Some(pid);
    }
    Ok(document)
}

fn entra(world: &World, tenant: &Tenant, facts: &Facts<'_>) -> Result<Entra, StartError> {
    let caller = world.caller();
    let mut entra = Entra::default();
    if let Some(base_url) = facts.addresses.get(&Entrance::Identity) {
        entra.base_url.clone_from(base_url);
        entra.authority = format!("{base_url}/{}", tenant.id);
    }
    entra.tenant_id = tenant.id.to_string();
    entra.tenant_domain = tenant.domains.first().map(ToString::to_string).unwrap_or_default();
    entra.client_id.clone_from(&caller.client_id);
    caller.client_secret.as_str().clone_into(&mut entra.client_secret);
    if let Some((client_id, secret)) = expired(tenant) {
        entra.expired_client_id = Some(client_id.to_owned());
        entra.expired_client_secret = Some(secret.to_owned());
    }
    let application = tenant.application(&caller.client_id);
    if let Some(identity) = application.and_then(|application| shipped_identity(application)) {
        let files = ClientFiles::write(identity, facts.directory)?;
        let (certificate, now) = (identity.certificate(), real_now());
        if now < certificate.not_before() || certificate.not_after() < now {
            tracing::warn!(
                from = %certificate.not_before().date(),
                until = %certificate.not_after().date(),
                "the sample client's certificate is not valid by the clock of this machine",
            );
        }
        entra.certificate_pem = Some(path_text(&facts.directory.join(CERTIFICATE_FILE)));
        entra.certificate_pem_text = files.pem;
        if let Some(pfx) = files.pfx {
            entra.certificate_pfx = Some(path_text(&facts.directory.join(PFX_FILE)));
            entra.certificate_pfx_base64 = STANDARD.encode(pfx);
            entra.pfx_password = Some(PFX_PASSWORD.to_owned());
        }
        entra.certificate_thumbprint = identity.certificate().thumbprint().to_string();
        entra.certificate_thumbprint_sha256 = identity.certificate().thumbprint256().to_string();
    }
    Ok(entra)
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
            let pfx = files::read(&pfx_path, Holds::Public, MAX_PFX).ok().flatten();
            if let Some(pfx) = pfx.filter(|pfx| !pfx.is_empty()) {
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

/// The first federation service, with clients that are permitted the same Web API.
pub(crate) fn adfs(world: &World, identity: Option<&String>) -> Option<Adfs> {
    let service = world.federation_services().next()?;
    let mut adfs = Adfs::at(identity?);
    let caller = &world.caller().client_id;
    let permitted = |web_api: &&Arc<WebApi>| web_api.permission(caller).is_some();
    let web_api = service.web_apis.iter().find(permitted).or_else(|| service.web_apis.first());
    if let Some(web_api) = web_api {
        // `/openid` follows it, so one that ends in a slash is the one to paste.
        let slash = web_api.all_identifiers().map(|(one, _)| one).find(|one| one.ends_with('/'));
        slash.unwrap_or(&web_api.identifier).clone_into(&mut adfs.resource);
    }
    if let Some(client) = service.client(caller)
        && let Some(credentials) = &client.credentials
    {
        adfs.client_id.clone_from(&client.client_id);
        if let Some((_, secret)) = credentials.secrets.first() {
            secret.as_str().clone_into(&mut adfs.client_secret);
        }
    }
    if let Some((native, redirect_uri)) = native(service, web_api.map(|web_api| &**web_api)) {
        adfs.native_client_id.clone_from(&native.client_id);
        redirect_uri.clone_into(&mut adfs.redirect_uri);
    }
    Some(adfs)
}

/// A public client with a redirect URI: one on this machine before others, for that is where tests run.
fn native<'s>(service: &'s FederationService, web_api: Option<&WebApi>) -> Option<(&'s Client, &'s str)> {
    let declared = service.application_groups.values().flat_map(|group| group.native_applications.keys());
    let clients = declared.filter_map(|client_id| service.client(client_id));
    let permitted = clients
        .filter(|client| web_api.is_none_or(|web_api| web_api.permission(&client.client_id).is_some()));
    let all: Vec<(&Client, &str)> =
        permitted.filter_map(|client| Some((&**client, client.redirect_uris.first()?.as_str()))).collect();
    let here = all.iter().find(|(_, uri)| uri.starts_with("http://localhost"));
    here.or(all.first()).copied()
}

/// Whoever can sign in at the federation service, else at the tenant.
pub(crate) fn user(world: &World, tenant: Option<&Tenant>) -> Option<User> {
    let of_service = world.federation_services().find_map(|service| {
        let (name, user) = service.declared.users.first()?;
        Some((name, &user.password))
    });
    let of_tenant = || tenant?.declared.users.first().map(|(name, user)| (name, &user.password));
    let (name, password) = of_service.or_else(of_tenant)?;
    let mut found = User::default();
    found.name.clone_from(name);
    password.as_str().clone_into(&mut found.password);
    Some(found)
}

pub(crate) fn aos(world: &World, environment: &Environment, url: &str) -> Aos {
    let caller = world.caller();
    let mut aos = match &environment.declared.axsf {
        Some(keys) => {
            let usual = || format!("https://{}/", environment.host);
            Aos::on_premises(url, &keys.get(VALID_AUDIENCE).cloned().unwrap_or_else(usual))
        }
        None => {
            let mut aos = Aos::default();
            (aos.url, aos.resource) = (url.to_owned(), url.to_owned());
            aos
        }
    };
    if caller.environment == *environment.id {
        let text = |member: &str| caller.customer.get(member).and_then(Value::as_str).map(str::to_owned);
        aos.company = text("dataAreaId");
        aos.customer_group = text("CustomerGroupId");
        aos.currency = text("SalesCurrencyCode");
        aos.sample_customer = Value::Object(caller.customer.clone());
    }
    aos
}

/// An API of the tenant's own that grants the caller a role.
fn custom_api(world: &World, tenant: &Tenant) -> Option<CustomApi> {
    let client = tenant.application(&world.caller().client_id)?;
    let applications = &tenant.declared.applications;
    applications.iter().find_map(|(client_id, declared)| {
        let uri = declared.identifier_uris.first().filter(|_| !declared.first_party)?;
        let role = client.granted_roles.get(&client_id.to_ascii_lowercase())?.first()?;
        let mut custom = CustomApi::default();
        custom.uri.clone_from(uri);
        custom.client_id.clone_from(client_id);
        custom.role = Some(role.clone());
        Some(custom)
    })
}

/// The machine's endpoints, which speak plain http: on the port that speaks both, by the same host.
fn managed_identity(world: &World, identity: Option<&String>) -> Option<ManagedIdentity> {
    let tenant = managed_identity::tenant(world).filter(|tenant| !tenant.managed_identities.is_empty())?;
    let host = identity?.split_once("://").map(|(_, host)| host)?;
    let mut found = ManagedIdentity::default();
    found.imds_url = format!("http://{host}");
    found.app_service_url = format!("{}{}", found.imds_url, managed_identity::APP_SERVICE);
    if let Some(header) = &tenant.identity_header {
        header.as_str().clone_into(&mut found.app_service_header);
    }
    Some(found)
}

/// The CA's members and files.
pub(crate) fn certificates(directory: &Path, ca: &LabCa, document: &mut Settings) -> Result<(), StartError> {
    let root = |file: &str, branch| {
        let (path, pem) = (directory.join(file), ca.root(branch).pem());
        write_if_changed(&path, pem.as_bytes())?;
        Ok::<_, StartError>((path_text(&path), pem))
    };
    (document.ca_pem, document.ca_pem_text) = root(LOCAL_FILE, Branch::Local)?;
    let (real_names, real_names_text) = root(REAL_NAMES_FILE, Branch::RealNames)?;
    (document.ca_real_names_pem, document.ca_real_names_pem_text) = (Some(real_names), real_names_text);
    let both = ca.roots_pem();
    let bundle = with_system_roots(&both).unwrap_or_else(|| both.into_bytes());
    let path = directory.join(BUNDLE_FILE);
    let store = directory.join(TRUSTSTORE_FILE);
    // Encrypted, so no two are alike: one is made where the certificates in it are others, and before the bundle, by
    // which that is known.
    if !(holds(&path, &bundle) && store.is_file()) {
        // A thread's memory goes back with it: what some hundred certificates were read into is looked at only here.
        let written = std::thread::scope(|own| own.spawn(|| write_truststore(&store, &bundle)).join());
        written.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    }
    write_if_changed(&path, &bundle)?;
    document.ca_bundle_pem = Some(path_text(&path));
    if store.is_file() {
        document.truststore_p12 = Some(path_text(&store));
        TRUSTSTORE_PASSWORD.clone_into(&mut document.truststore_password);
    }
    Ok(())
}

/// What is in the bundle, for Java. Left out where it cannot be made: nothing but Java needs it.
fn write_truststore(path: &Path, bundle: &[u8]) -> Result<(), StartError> {
    let certificates = CertificateDer::pem_slice_iter(bundle).filter_map(Result::ok);
    let certificates: Vec<Certificate> =
        certificates.filter_map(|certificate| Certificate::from_der(&certificate).ok()).collect();
    let aliases: Vec<String> = (0..certificates.len()).map(|index| format!("root-{index}")).collect();
    let entries: Vec<(&str, &Certificate)> = aliases.iter().map(String::as_str).zip(&certificates).collect();
    match mocktenant_keys::write_truststore(&entries, TRUSTSTORE_PASSWORD) {
        Ok(store) => write_private(path, &store),
        Err(error) => {
            tracing::warn!(%error, "no trust store for Java");
            Ok(())
        }
    }
}

/// JSON is text; a path that is none loses what cannot be written.
fn path_text(path: &Path) -> PathBuf {
    PathBuf::from(path.to_string_lossy().into_owned())
}
