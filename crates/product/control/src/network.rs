//! The settings for a caller in the lab's own network, where names of the world lead to it: a container beside it.
//!
//! Decides what differs for such a caller: products are called by their own names, on the ports of `--real-names`; there is
//! no proxy; the tools are found under the name of the lab's machine; and the only files named are those of the folder that
//! both share. Whose client it is stands in the world as it is now. Never decides a value of its own.

use std::net::IpAddr;

use http::header::HOST;
use http::{HeaderMap, StatusCode};
use mocktenant_lab::Entrance;
use mocktenant_lab::request::HostName;

use crate::ControlState;
use crate::problem::Problem;
use crate::settings::Settings;

/// The document `own`, told to a caller in the network.
pub(crate) fn settings(
    state: &ControlState,
    own: &Settings,
    headers: &HeaderMap,
) -> Result<Settings, Problem> {
    let Some(port) = own.real_name_ports.first() else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "this lab does not listen where the names of its world lead: start it with --real-names \
             (MOCKTENANT_REAL_NAMES=1)",
        ));
    };
    let resource = |entrance| state.lab.name_of(&entrance).map(|name| format!("https://{name}"));
    let url = |entrance| {
        let resource = resource(entrance)?;
        Some(if *port == 443 { resource } else { format!("{resource}:{port}") })
    };
    let mut told = own.clone();
    if let Some(base) = url(Entrance::Identity) {
        told.entra.authority = format!("{base}/{}", told.entra.tenant_id);
        told.entra.base_url = base;
    }
    let world = state.lab.world();
    if let Some(adfs) = &mut told.adfs {
        match world.federation_services().next() {
            Some(service) if *port == 443 => adfs.move_to(&format!("https://{}", service.host)),
            Some(service) => adfs.move_to(&format!("https://{}:{port}", service.host)),
            None => told.adfs = None,
        }
    }
    for (name, aos) in &mut told.aos {
        let entrance = Entrance::environment(name);
        if let (Some(url), Some(resource)) = (url(entrance.clone()), resource(entrance)) {
            aos.move_to(&url);
            // On-premises it is what the AOS's file says, whoever asks.
            if aos.data_url.is_none() {
                aos.resource = resource;
            }
        }
    }
    if !told.dataverse.is_absent()
        && let Some(organization) = state.lab.world().organizations().next()
    {
        let entrance = Entrance::organization(&organization.key);
        if let (Some(url), Some(resource)) = (url(entrance.clone()), resource(entrance)) {
            (told.dataverse.url, told.dataverse.resource) = (url, resource);
        }
    }
    let caller = world.caller();
    told.entra.client_id.clone_from(&caller.client_id);
    caller.client_secret.as_str().clone_into(&mut told.entra.client_secret);
    let machine = machine(state, headers);
    told.control_url = format!("http://{machine}:{}", state.port);
    if let (Some(identity), Some(port)) = (&mut told.managed_identity, identity_port(state)) {
        let suffix = identity.app_service_url.strip_prefix(&identity.imds_url).unwrap_or_default().to_owned();
        identity.imds_url = format!("http://{machine}:{port}");
        identity.app_service_url = format!("{}{suffix}", identity.imds_url);
    }
    told.proxy_url = String::new();
    told.pid = None;
    files(state, own, &mut told);
    Ok(told)
}

/// What is in the folder that is shared, and nothing of the lab's own directory.
fn files(state: &ControlState, own: &Settings, told: &mut Settings) {
    let shared = |path: &std::path::Path| Some(state.ca_directory.as_deref()?.join(path.file_name()?));
    told.ca_pem = shared(&own.ca_pem).unwrap_or_default();
    told.ca_real_names_pem = own.ca_real_names_pem.as_deref().and_then(shared);
    told.ca_bundle_pem = own.ca_bundle_pem.as_deref().and_then(shared);
    told.truststore_p12 = own.truststore_p12.as_deref().and_then(shared);
    if told.truststore_p12.is_none() {
        told.truststore_password = String::new();
    }
    told.entra.certificate_pem = None;
    told.entra.certificate_pfx = None;
}

/// What the lab's machine is called in the network: as it was called now, or by its own name where it was called from
/// itself.
fn machine(state: &ControlState, headers: &HeaderMap) -> String {
    // The guard let through only what is an address or a name of this machine.
    let asked = headers.get(HOST).and_then(|host| HostName::parse(host.to_str().ok()?)).map(|host| host.name);
    let from_beyond = |host: &String| match host.parse::<IpAddr>() {
        Ok(address) => !(address.is_loopback() || address.is_unspecified()),
        Err(_) => host != "localhost",
    };
    match asked.filter(from_beyond) {
        Some(address) if address.contains(':') => format!("[{address}]"),
        Some(name) => name,
        None => state.machine.clone(),
    }
}

/// The port of the identity entrance itself, whatever stands before it.
fn identity_port(state: &ControlState) -> Option<u16> {
    let addresses = state.lab.addresses();
    let port = |url: &str| url.strip_prefix("https://127.0.0.1:")?.parse().ok();
    addresses.all(&Entrance::Identity).find_map(port)
}
