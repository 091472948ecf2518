//! Machines that are stopped: nobody is answered there.
//!
//! Decides that a stopped machine answers nothing at all, under names of its own and on a port it shares with others, how
//! that is recorded, and which machine a person means who stops one. Where something else of its product stands before it, that
//! answers, and no connection is refused. Never decides when: it is a setting of the world, and what can be stopped is what has
//! one. Mirrors a host whose service does not run: to its name a connection is refused; where the port is somebody else's too, it
//! is closed before the first byte of an answer.

use std::borrow::Cow;

use http::StatusCode;
use mocktenant_verdict::{Change, Check, Checklist, Finding, Question, Remedy, Role, Switches};
use mocktenant_world::{Edit, World};

use crate::command::CommandError;
use crate::dispatch::Snapshot;
use crate::record::Record;
use crate::surface::Way;
use crate::{Answer, Delivery, Exchange, Lab, Machine};

/// Whether the machine that was asked runs: the one question that is the lab's own. It is asked of a machine that does not.
pub static SERVICE_RUNS: Question = Question::new("service-runs", Role::Address);

/// The error of an exchange that nobody was there to answer.
const STOPPED: &str = "stopped";

impl Machine {
    /// The machine a person means who stops or starts one: an environment or a federation service by short name or host, or any
    /// as a machine is written. `None` where there is none, or none that can be stopped.
    pub fn stoppable(world: &World, name: &str) -> Option<Self> {
        let id: std::sync::Arc<str> = match name.parse() {
            Ok(Self::FederationService(id)) => id,
            Ok(machine) => return machine.stopped_setting(world).map(|_| machine),
            Err(_) => name.into(),
        };
        let by_host = || world.environments().find(|environment| environment.host.eq_ignore_ascii_case(name));
        let environment = world.environment(&id).or_else(by_host);
        // Its nodes are stopped together.
        let first = environment.and_then(|found| Some(Self::node(&found.id, &found.nodes.first()?.name)));
        first.or_else(|| world.federation_service(&id).map(|service| Self::federation_service(&service.id)))
    }

    /// What a person calls it who stops or starts it.
    fn called(&self) -> String {
        self.environment().map_or_else(|| self.to_string(), str::to_owned)
    }
}

/// What stops a machine, or starts it.
pub(crate) fn edits(world: &World, name: &str, stopped: bool) -> Result<Vec<Edit>, CommandError> {
    let machine = Machine::stoppable(world, name);
    let setting = machine.as_ref().and_then(|machine| machine.stopped_setting(world));
    let (Some(machine), Some(setting)) = (machine, setting) else {
        return Err(CommandError::UnknownPlace {
            place: format!("machine {name:?} that can be stopped"),
            known: Machine::all(world)
                .filter(|machine| machine.stopped_setting(world).is_some())
                .map(|machine| machine.called())
                .collect(),
        });
    };
    // What is as it should be is no change.
    let same = machine.is_stopped(world) == stopped;
    Ok(if same { Vec::new() } else { vec![Edit::add(setting, stopped)] })
}

/// The end of a connection to a machine that is stopped, or what stands before it answers; `None` where it runs.
pub(crate) fn closed(title: &'static str, front: Option<Answer>, exchange: &mut Exchange) -> Option<Answer> {
    let context = &exchange.context;
    let machine = context.machine.as_ref().filter(|_| context.snapshot.stopped)?;
    let (checks, runs) = asked(title, machine, &context.snapshot.world, context.switches())?;
    exchange.trail.record_checks(checks);
    let nobody = || Answer { delivery: Delivery::Reset, ..Answer::empty(StatusCode::SERVICE_UNAVAILABLE) };
    (!runs).then(|| front.unwrap_or_else(nobody))
}

/// Why a name of the world refuses connections; nothing where the machine behind it runs.
pub(crate) fn refusing(lab: &Lab, host: &str) -> Vec<Check> {
    let snapshot = lab.snapshot();
    let Some((title, machine)) = behind(lab, &snapshot, host) else { return Vec::new() };
    asked(title, &machine, &snapshot.world, lab.switches()).map_or_else(Vec::new, |(checks, _)| checks)
}

/// Whether nobody was there to answer it: then no product knows of it.
pub(crate) fn kept_from(record: &Record) -> bool {
    record.failed_check().is_some_and(|check| check.name == SERVICE_RUNS.name)
}

/// The stopped machine behind a name of the world, and what its product is called.
fn behind(lab: &Lab, snapshot: &Snapshot, host: &str) -> Option<(&'static str, Machine)> {
    let (surface, entrance) = snapshot.hosts.get(host).filter(|_| snapshot.stopped)?;
    let surface = Some(&lab.surfaces()[*surface].surface).filter(|surface| surface.in_front().is_none())?;
    let machine = surface.machine(&snapshot.world, &Way { entrance, host, path: "/" })?;
    machine.is_stopped(&snapshot.world).then(|| (surface.title(), machine))
}

/// The question asked of a machine that is stopped, and whether a test has it pass all the same.
fn asked(title: &str, machine: &Machine, world: &World, switches: &Switches) -> Option<(Vec<Check>, bool)> {
    let setting = machine.stopped_setting(world).filter(|_| machine.is_stopped(world))?;
    let mut list = Checklist::new(switches, |(): &()| (STOPPED, ""));
    let finding = Finding::fail(format!("{title} is stopped"), ()).mended_by(|| Remedy {
        advice: Some(Cow::Owned(format!("Start it: mocktenant start {}", machine.called()))),
        ..Remedy::here(Change::set(setting.clone(), false).expected("false").actual("true"))
    });
    let runs = list.ask(&SERVICE_RUNS, "a service that runs", vec![setting.clone()], finding);
    Some((list.finish().0, runs))
}

impl Lab {
    /// What is stopped behind a world name, in lower case, as people call it; `None` where whoever is there runs.
    pub fn stopped_at(&self, host: &str) -> Option<&'static str> {
        let title = behind(self, &self.snapshot(), host).map(|(title, _)| title)?;
        // A test may have the question pass.
        refusing(self, host).iter().any(Check::failed).then_some(title)
    }
}

#[cfg(test)]
mod tests {
    use mocktenant_world::EditedBy;

    use super::*;

    #[test]
    fn a_federation_service_is_stopped_and_started_by_any_of_its_names_and_once_is_enough() {
        let world = World::contoso().unwrap();
        let machine = Machine::federation_service("contoso");
        for name in ["contoso", "adfs.contoso.com", "ADFS.contoso.COM", "federation-service/contoso"] {
            assert_eq!(Machine::stoppable(&world, name).as_ref(), Some(&machine), "{name}");
            assert!(edits(&world, name, false).unwrap().is_empty(), "{name} runs");
            let stopped = world.edited(&edits(&world, name, true).unwrap(), EditedBy::Control).unwrap();
            assert!(machine.is_stopped(&stopped) && !machine.is_stopped(&world), "{name}");
            assert!(edits(&stopped, name, true).unwrap().is_empty(), "{name} is stopped");
            let again = stopped.edited(&edits(&stopped, name, false).unwrap(), EditedBy::Control).unwrap();
            assert!(!machine.is_stopped(&again), "{name}");
            assert_eq!(again.view(), world.view());
        }
    }

    #[test]
    fn an_environment_is_stopped_by_its_name_its_host_or_a_node_of_it() {
        let world = World::contoso().unwrap();
        for name in ["onprem", "ax.contoso.com", "environment/onprem/AOS_1"] {
            let stopped = world.edited(&edits(&world, name, true).unwrap(), EditedBy::Control).unwrap();
            let node = Machine::node("onprem", "AOS_1");
            assert!(node.is_stopped(&stopped) && !node.is_stopped(&world), "{name}");
            assert_eq!(node.stopped_setting(&world).unwrap().as_str(), "/environments/onprem/stopped");
            assert!(!Machine::node("onebox", "aos1").is_stopped(&stopped));
        }
    }

    #[test]
    fn what_cannot_be_stopped_is_told_with_what_can() {
        let world = World::contoso().unwrap();
        for nobody in [
            "",
            "adfs.contoso.example",
            "environment/onebox/aos9",
            "organization/contoso",
            "tenant/c0117050-0000-4000-8000-000000000001",
            "federation-service/none",
        ] {
            let refused = edits(&world, nobody, true).unwrap_err();
            let told = refused.to_string();
            assert_eq!(told, format!("this world has no machine {nobody:?} that can be stopped"));
            let CommandError::UnknownPlace { known, .. } = refused else { panic!("{told}") };
            assert_eq!(known, ["federation-service/contoso", "onebox", "onprem"]);
        }
    }
}
