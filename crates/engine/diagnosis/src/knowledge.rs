//! Questions about the world that no single product could answer: who holds which certificate.

use std::sync::Arc;

use mocktenant_keys::Thumbprint;
use mocktenant_world::{Application, Environment, StoredCertificate, Tenant, World};

/// Account the AOS runs as.
pub(crate) const AOS_ACCOUNT: &str = "NETWORK SERVICE";
/// The first-party application of Finance & Operations.
pub(crate) const ERP: &str = "00000015-0000-0000-c000-000000000000";

/// Certificates an AOS on this machine could sign with: in LocalMachine\My, key there and readable.
pub(crate) fn usable(environment: &Environment) -> Vec<&StoredCertificate> {
    environment
        .stores
        .iter()
        .filter(|stored| stored.location == "LocalMachine" && stored.store == "My")
        .filter(|stored| stored.key.is_some() && stored.is_readable_by(AOS_ACCOUNT))
        .collect()
}

/// Distinct certificates of the personal stores, with or without key.
pub(crate) fn personal(environment: &Environment) -> Vec<Thumbprint> {
    let mut found: Vec<Thumbprint> = environment
        .stores
        .iter()
        .filter(|stored| stored.store == "My")
        .map(|stored| stored.certificate.thumbprint())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether the certificate is in any store of the machine.
pub(crate) fn in_any_store(environment: &Environment, thumbprint: &Thumbprint) -> bool {
    environment.stores.iter().any(|stored| stored.certificate.thumbprint() == *thumbprint)
}

/// Applications of the tenant (not first-party) that have this certificate uploaded.
pub(crate) fn holders<'t>(tenant: &'t Tenant, thumbprint: &Thumbprint) -> Vec<&'t Arc<Application>> {
    let mut found: Vec<&Arc<Application>> = tenant
        .applications
        .values()
        .filter(|application| !application.first_party)
        .filter(|application| application.certificates.iter().any(|held| held.thumbprint() == *thumbprint))
        .collect();
    found.sort_by(|left, right| left.client_id.cmp(&right.client_id));
    found
}

/// The tenant that is the identity provider of an environment.
pub(crate) fn tenant_of<'w>(world: &'w World, environment: &str) -> Option<&'w Arc<Tenant>> {
    world.tenant(world.environment(environment)?.identity.tenant()?)
}
