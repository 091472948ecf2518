//! What an owner of an AOS on-premises would change in its startup file.
//!
//! Decides from the world as it is now: what the environment's own federation service is called and where it is. Asked for a
//! failure alone, never for a decision: an AOS accepts what its file and the documents say, whatever stands here.

use mocktenant_verdict::{Change, Remedy};
use mocktenant_world::{Environment, FederationService, World};

use super::Configuration;
use crate::configuration::Input;
use crate::user_info::same_provider;

/// What AD FS calls its only tenant.
const TENANT: &str = "adfs";

/// One parameter as it should be.
pub(crate) fn set(input: &Input<String>, right: &str) -> Change {
    Change::set(input.setting.clone(), right).expected(right.to_owned()).actual(input.value.clone())
}

fn service<'w>(world: &'w World, environment: &Environment) -> Option<&'w FederationService> {
    world.federation_service(environment.identity.federation_service()?).map(AsRef::as_ref)
}

/// A parameter that names the federation service or an application of it, as it should be; nothing where it is that already.
pub(crate) fn genuine(
    world: &World,
    environment: &Environment,
    configuration: &Configuration,
    input: &Input<String>,
) -> Option<Remedy> {
    let service = service(world, environment)?;
    let host = &service.host_name;
    let right = if input.setting == configuration.metadata_format.setting {
        format!("https://{host}/FederationMetadata/2007-06/FederationMetadata.xml")
    } else if input.setting == configuration.openid_metadata.setting {
        format!("https://{host}/adfs/.well-known/openid-configuration")
    } else if input.setting == configuration.client_id.setting {
        client_of(environment, service)?
    } else {
        return None;
    };
    // Hosts compare without case.
    (!same_provider(&right, &input.value)).then(|| set(input, &right).into())
}

/// The one application of the service that answers to the environment's own address.
pub(crate) fn client_of(environment: &Environment, service: &FederationService) -> Option<String> {
    let own = redirect_uri(environment);
    let mut clients = service.clients.values().filter(|client| client.redirect_uris.contains(&own));
    match (clients.next(), clients.next()) {
        (Some(only), None) => Some(only.client_id.clone()),
        _ => None,
    }
}

/// Where an environment has AD FS send people back to.
pub(crate) fn redirect_uri(environment: &Environment) -> String {
    format!("https://{}{}", environment.host, super::BASE)
}

/// The issuer of a token that the environment's own service issued, but that its file does not expect: then the file is wrong.
pub(crate) fn issuer(
    world: &World,
    environment: &Environment,
    configuration: &Configuration,
    sent: &str,
) -> Option<Remedy> {
    let service = service(world, environment)?;
    if !same_provider(&service.identifier(), sent) {
        return None;
    }
    // The format is right if it gives that issuer with AD FS's own word for its tenant; then the word is wrong.
    let format = &configuration.issuer_format;
    let right = sent.replacen(&format!("/{TENANT}/"), "/{0}/", 1);
    Some(if format.value.contains("{0}") && same_provider(&format.value.replace("{0}", TENANT), sent) {
        set(&configuration.tenant_guid, TENANT).into()
    } else if right.replace("{0}", &configuration.tenant_guid.value) == sent {
        set(format, &right).into()
    } else {
        set(format, sent).into()
    })
}
