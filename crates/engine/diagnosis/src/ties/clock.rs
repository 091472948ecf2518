//! Whose clock is off.
//!
//! Decides for the machine that asked, then the one that refused, then the one that issued: the first of them that is
//! declared to have another time than the lab's.

use mocktenant_lab::Machine;
use mocktenant_verdict::Edit;
use time::Duration;

use crate::case::Case;
use crate::{Cause, Kind};

/// A clock that is off by less explains no refusal: products bear minutes.
const LEAST: Duration = Duration::minutes(2);
/// A clock that shows the lab's time.
const NO_OFFSET: &str = "+0s";

pub(super) fn of(case: &Case<'_, '_>) -> Option<Cause> {
    let world = case.world?;
    let refused = case.deciding.record.machine.as_ref();
    let asked = case.asked_by().and_then(|caller| caller.machine.as_ref());
    let issued = refused.and_then(|machine| match machine {
        Machine::Tenant(_) | Machine::FederationService(_) => Some(machine.clone()),
        Machine::Node { environment, .. } => {
            let identity = &world.environment(environment)?.identity;
            let service = identity.federation_service().map(Machine::federation_service);
            identity.tenant().map(Machine::tenant).or(service)
        }
        Machine::Organization(name) => Some(Machine::tenant(&world.organization(name)?.tenant)),
    });
    let machines = [issued.as_ref(), refused, asked].into_iter().flatten();
    let off = machines.max_by_key(|one| one.offset(world).abs())?;
    (off.offset(world).abs() >= LEAST).then_some(())?;
    let setting = off.clock_setting(world)?;
    let declared = world.get(&setting)?.as_str()?.to_owned();
    let edit = Edit::add(setting.clone(), NO_OFFSET);
    Some(case.made(Kind::Setting, setting).expected(NO_OFFSET).actual(declared).change(edit))
}
