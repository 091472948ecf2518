//! Who asks, and with whose key.
//!
//! Decides that a client the provider refuses is the wrong one where another registered application holds the very key it
//! proved itself with; and that a key refused by a first-party application, which holds no keys of a customer's, is the
//! wrong client too: what would switch to the right one where that is switched off, else the setting that names it.

use mocktenant_keys::{PastedThumbprint, Thumbprint};
use mocktenant_lab::Machine;
use mocktenant_verdict::{Check, Role};
use mocktenant_world::{Application, Tenant};

use crate::Cause;
use crate::case::{Case, Presented};

/// The client is not one the provider knows, or wants.
pub(super) fn client(case: &Case<'_, '_>, check: &Check) -> Option<Cause> {
    let presented = case.presented(Role::Client)?;
    if presented.input.switch.is_some() {
        return Some(case.supply(presented, check));
    }
    let holder = holder(case, &presented)?;
    Some(case.set(presented, presented.input.write(&holder)))
}

/// The key is not the client's.
pub(super) fn key(case: &Case<'_, '_>, check: &Check) -> Option<Cause> {
    let presented = case.presented(Role::Client)?;
    if case.world.is_some() {
        asks_as(case)?.first_party.then_some(())?;
    } else if check.remedy.as_ref().is_some_and(|remedy| remedy.here.is_some()) {
        // Without a world, that nothing there would be changed is the only sign of it.
        return None;
    }
    if presented.input.switch.is_some() {
        return Some(case.supply(presented, check));
    }
    Some(match holder(case, &presented) {
        Some(holder) => case.set(presented, presented.input.write(&holder)),
        None => case.supply(presented, check),
    })
}

/// The application that holds the presented key, if the setting names another one.
fn holder(case: &Case<'_, '_>, presented: &Presented<'_>) -> Option<String> {
    let key = case.presented(Role::Key)?;
    let key = PastedThumbprint::read(&key.fact.value).thumbprint?;
    let holder = holders(tenant(case)?, &key).next()?;
    let named = presented.input.write(&holder.client_id);
    (!named.eq_ignore_ascii_case(presented.fact.value.trim())).then(|| holder.client_id.clone())
}

/// The application the caller asked as.
fn asks_as<'c>(case: &'c Case<'_, '_>) -> Option<&'c Application> {
    let tenant = tenant(case)?;
    let used = case
        .read(Role::Client)
        .find(|fact| fact.input.is_none() && tenant.application(&fact.value).is_some());
    tenant.application(&used?.value).map(AsRef::as_ref)
}

/// The tenant that refused.
fn tenant<'c>(case: &'c Case<'_, '_>) -> Option<&'c Tenant> {
    match &case.deciding.record.machine {
        Some(Machine::Tenant(id)) => case.world?.tenant(id).map(AsRef::as_ref),
        _ => None,
    }
}

/// Applications of a tenant, first-party ones aside, that have this certificate, in the order of their client ids.
fn holders<'t>(tenant: &'t Tenant, thumbprint: &Thumbprint) -> impl Iterator<Item = &'t Application> {
    let mut found: Vec<&Application> = tenant
        .applications
        .values()
        .map(AsRef::as_ref)
        .filter(|application| !application.first_party)
        .filter(|application| application.certificates.iter().any(|held| held.thumbprint() == *thumbprint))
        .collect();
    found.sort_unstable_by(|left, right| left.client_id.cmp(&right.client_id));
    found.into_iter()
}
