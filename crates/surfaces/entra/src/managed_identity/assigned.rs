//! The machine that asks, and the identities it has.
//!
//! Decides whose machine it is (the tenant of the world's caller, if that has managed identities, else the first that has),
//! and which identity a request names: by client id, object id or Azure resource id, in any letter case. Never decides what
//! is answered where it names none. Mirrors the page "Identity" of a virtual machine or an app.

use std::sync::Arc;

use mocktenant_lab::Addresses;
use mocktenant_world::declaration::Assigned;
use mocktenant_world::pointers;
use mocktenant_world::{Application, Tenant, World};

use crate::prepared::{Prepared, PreparedTenant};
use mocktenant_idp::form::Form;

/// The parameters an identity can be named by. IMDS documents `msi_res_id`, App Service `mi_res_id` and `principal_id`.
pub(super) const PARAMETERS: [(&str, Way); 5] = [
    ("client_id", Way::Client),
    ("object_id", Way::Principal),
    ("principal_id", Way::Principal),
    ("msi_res_id", Way::Resource),
    ("mi_res_id", Way::Resource),
];

/// What an identity is named by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Client,
    Principal,
    Resource,
}

/// A machine with its identities.
#[derive(Debug)]
pub(super) struct Machine {
    /// What Entra knows of its tenant.
    pub(super) entra: Prepared,
    pub(super) tenant: Arc<PreparedTenant>,
    pub(super) identities: Vec<Identity>,
}

/// One identity.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) client_id: String,
    pub(super) assigned: Assigned,
    pub(super) resource_id: String,
    /// The application it is; `None` where the tenant has it no more.
    pub(super) application: Option<Arc<Application>>,
    pub(super) pointer: pointers::ManagedIdentity,
}

impl Identity {
    /// What it is called by this kind of name.
    pub(super) fn name(&self, way: Way) -> Option<&str> {
        match way {
            Way::Client => Some(&self.client_id),
            Way::Resource => Some(&self.resource_id),
            Way::Principal => self.application.as_ref().map(|application| application.object_id.as_str()),
        }
    }

    fn is(&self, way: Way, name: &str) -> bool {
        self.name(way).is_some_and(|known| known.eq_ignore_ascii_case(name))
    }
}

/// What a request names.
pub(super) enum Named<'m, 'r> {
    /// Nothing.
    Nobody,
    /// One identity of the machine.
    One(&'m Identity),
    /// None that the machine has, by this name.
    Stranger(Way, &'r str),
}

/// The tenant whose machine asks.
pub fn tenant(world: &World) -> Option<&Arc<Tenant>> {
    let has = |tenant: &&Arc<Tenant>| !tenant.managed_identities.is_empty();
    let of_caller = world.tenant(&world.caller().tenant);
    of_caller
        .filter(has)
        .or_else(|| world.tenants().find(has))
        .or(of_caller)
        .or_else(|| world.tenants().next())
}

impl Machine {
    /// The machine of this world; none where it has no tenant.
    pub(super) fn of(world: &World, addresses: &Addresses) -> Option<Self> {
        let declared = tenant(world)?;
        let entra = Prepared::of(world, addresses, [declared]);
        let tenant = Arc::clone(entra.tenant(&declared.id.to_ascii_lowercase())?);
        let identities = declared.managed_identities.iter().map(|(client_id, identity)| Identity {
            client_id: client_id.clone(),
            assigned: identity.assigned,
            resource_id: identity.resource_id.clone(),
            application: declared.application(client_id).cloned(),
            pointer: declared.pointer.managed_identity(client_id),
        });
        Some(Self { tenant, identities: identities.collect(), entra })
    }

    /// The identity a request names. Every name it gives has to be the same one's.
    pub(super) fn named<'r>(&self, form: &'r Form<'_>) -> Named<'_, 'r> {
        let mut named = Named::Nobody;
        for (parameter, way) in PARAMETERS {
            let Some(name) = form.get(parameter) else { continue };
            let found = self.identities.iter().find(|identity| identity.is(way, name));
            named = match (named, found) {
                (Named::Nobody, Some(found)) => Named::One(found),
                (Named::One(before), Some(found)) if std::ptr::eq(before, found) => Named::One(found),
                _ => return Named::Stranger(way, name),
            };
        }
        named
    }

    /// The identity that is the machine's own.
    pub(super) fn own(&self) -> Option<&Identity> {
        self.identities.iter().find(|identity| identity.assigned == Assigned::System)
    }
}
