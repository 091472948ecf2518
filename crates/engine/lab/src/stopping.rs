//! Machines that are stopped: nobody is answered there.
//!
//! Decides that a stopped machine answers nothing at all, under names of its own and on a port it shares with others, how
//! that is recorded, and which machine a person means who stops one. Where something else of its product stands before it, that
//! answers, and no connection is refused. Never decides when: it is a setting of the world, and what can be stopped is what has
//! one. Mirrors a host whose service does not run: to its name a connection is refused; where the port is somebody else's too, it
//! is closed before the first byte of an answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

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

/// What a person stops or starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stoppable {
    /// All nodes of an environment, by its short name.
    Environment(Arc<str>),
    /// One machine.
    Machine(Machine),
}

impl Stoppable {
    /// What a person means: an environment or a federation service by short name or host, or any machine as it is written.
    /// `None` where there is none, or none that can be stopped.
    pub fn named(world: &World, name: &str) -> Option<Self> {
        let id: Arc<str> = match name.parse() {
            Ok(Machine::FederationService(id)) => id,
            Ok(machine) => return machine.stopped_setting(world).map(|_| Self::of(&machine, world)),
            Err(_) => name.into(),
        };
        let by_host = || world.environments().find(|environment| environment.host.eq_ignore_ascii_case(name));
        let environment = world.environment(&id).or_else(by_host);
        environment.map(|found| Self::Environment(Arc::clone(&found.id))).or_else(|| {
            let service = world.federation_service(&id)?;
            Some(Self::Machine(Machine::federation_service(&service.id)))
        })
    }

    /// The only node of an environment is the environment.
    fn of(machine: &Machine, world: &World) -> Self {
        let environment = machine.environment().and_then(|id| world.environment(id));
        let alone = environment.filter(|environment| environment.nodes.len() == 1);
        alone.map_or_else(
            || Self::Machine(machine.clone()),
            |environment| Self::Environment(environment.id.clone()),
        )
    }

    /// Everything that can be stopped: each node also alone where there are several.
    fn all(world: &World) -> Vec<Self> {
        let services = world.federation_services();
        let mut all: Vec<Self> =
            services.map(|service| Self::Machine(Machine::federation_service(&service.id))).collect();
        for environment in world.environments() {
            all.push(Self::Environment(Arc::clone(&environment.id)));
            let nodes = environment.nodes.iter().filter(|_| environment.nodes.len() > 1);
            all.extend(nodes.map(|node| Self::Machine(Machine::node(&environment.id, &node.name))));
        }
        all
    }

    /// Whether nobody is answered there.
    pub fn is_stopped(&self, world: &World) -> bool {
        match self {
            Self::Environment(id) => {
                world.environment(id).is_some_and(|found| found.nodes.iter().all(|node| node.stopped))
            }
            Self::Machine(machine) => machine.is_stopped(world),
        }
    }

    /// The machines that it is.
    pub(crate) fn machines(&self, world: &World) -> Vec<Machine> {
        match self {
            Self::Environment(id) => {
                let nodes = world.environment(id).map_or(&[][..], |environment| &environment.nodes);
                nodes.iter().map(|node| Machine::node(id, &node.name)).collect()
            }
            Self::Machine(machine) => vec![machine.clone()],
        }
    }

    /// What stops it, or starts it: settings that are so already are no change.
    fn edits(&self, world: &World, stopped: bool) -> Vec<Edit> {
        match self {
            Self::Machine(Machine::Node { environment, node }) => {
                let Some(environment) = world.environment(environment) else { return Vec::new() };
                let mut edits = Vec::new();
                // Of several that were stopped together the others stay so.
                let together = environment.declared.stopped && !stopped;
                if together {
                    edits.push(Edit::add(environment.pointer.stopped(), false));
                }
                for one in &environment.nodes {
                    let wanted = if one.name == *node { stopped } else { one.stopped };
                    if one.declared.stopped != wanted && (together || one.name == *node) {
                        edits.push(Edit::add(one.pointer.stopped(), wanted));
                    }
                }
                edits
            }
            Self::Machine(machine) => {
                let changes = machine.is_stopped(world) != stopped;
                let setting = machine.stopped_setting(world).filter(|_| changes);
                setting.map(|setting| Edit::add(setting, stopped)).into_iter().collect()
            }
            Self::Environment(id) => {
                let Some(environment) = world.environment(id) else { return Vec::new() };
                let own = (environment.declared.stopped != stopped).then(|| environment.pointer.stopped());
                let alone = environment.nodes.iter().filter(|node| node.declared.stopped && !stopped);
                let nodes = alone.map(|node| node.pointer.stopped());
                own.into_iter().chain(nodes).map(|setting| Edit::add(setting, stopped)).collect()
            }
        }
    }
}

impl fmt::Display for Stoppable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(id) => formatter.write_str(id),
            Self::Machine(machine) => machine.fmt(formatter),
        }
    }
}

/// What a person calls a machine that is stopped, and all that were stopped with it.
fn called(machine: &Machine, world: &World) -> String {
    let environment = machine.environment().and_then(|id| world.environment(id));
    let together = environment.filter(|found| found.declared.stopped || found.nodes.len() == 1);
    together.map_or_else(|| machine.to_string(), |environment| environment.id.to_string())
}

/// What stops a machine, or starts it; with what is meant.
pub(crate) fn edits(
    world: &World,
    name: &str,
    stopped: bool,
) -> Result<(Stoppable, Vec<Edit>), CommandError> {
    let Some(meant) = Stoppable::named(world, name) else {
        return Err(CommandError::UnknownPlace {
            place: format!("machine {name:?} that can be stopped"),
            known: Stoppable::all(world).iter().map(Stoppable::to_string).collect(),
        });
    };
    let edits = meant.edits(world, stopped);
    Ok((meant, edits))
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
    let machine = surface.machine(&snapshot.world, &Way { entrance, host, path: "/", asker: None })?;
    machine.is_stopped(&snapshot.world).then(|| (surface.title(), machine))
}

/// The question asked of a machine that is stopped, and whether a test has it pass all the same.
fn asked(title: &str, machine: &Machine, world: &World, switches: &Switches) -> Option<(Vec<Check>, bool)> {
    let setting = machine.stopped_setting(world).filter(|_| machine.is_stopped(world))?;
    let mut list = Checklist::new(switches, |(): &()| (STOPPED, ""));
    let finding = Finding::fail(format!("{title} is stopped"), ()).mended_by(|| Remedy {
        advice: Some(Cow::Owned(format!("Start it: mocktenant start {}", called(machine, world)))),
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

    fn stopped(world: &World, name: &str, stopped: bool) -> World {
        world.edited(&edits(world, name, stopped).unwrap().1, EditedBy::Control).unwrap()
    }

    #[test]
    fn a_federation_service_is_stopped_and_started_by_any_of_its_names_and_once_is_enough() {
        let world = World::contoso().unwrap();
        let machine = Machine::federation_service("contoso");
        for name in ["contoso", "adfs.contoso.com", "ADFS.contoso.COM", "federation-service/contoso"] {
            assert_eq!(Stoppable::named(&world, name), Some(Stoppable::Machine(machine.clone())), "{name}");
            assert!(edits(&world, name, false).unwrap().1.is_empty(), "{name} runs");
            let silent = stopped(&world, name, true);
            assert!(machine.is_stopped(&silent) && !machine.is_stopped(&world), "{name}");
            assert!(edits(&silent, name, true).unwrap().1.is_empty(), "{name} is stopped");
            let again = stopped(&silent, name, false);
            assert!(!machine.is_stopped(&again), "{name}");
            assert_eq!(again.view(), world.view());
        }
    }

    #[test]
    fn an_environment_is_stopped_by_its_name_or_its_host_and_a_node_of_it_alone() {
        let world = World::contoso().unwrap();
        let nodes = ["AOS_1", "AOS_2", "AOS_3"].map(|node| Machine::node("onprem", node));
        let silent = |world: &World| nodes.each_ref().map(|node| node.is_stopped(world));
        for name in ["onprem", "ax.contoso.com"] {
            let all = stopped(&world, name, true);
            assert_eq!((silent(&all), silent(&world)), ([true; 3], [false; 3]));
            assert_eq!(nodes[1].stopped_setting(&all).unwrap().as_str(), "/environments/onprem/stopped");
            assert!(!Machine::node("onebox", "aos1").is_stopped(&all));
            assert_eq!(stopped(&all, name, false).view(), world.view());
        }
        for name in ["onprem/AOS_2", "environment/onprem/AOS_2"] {
            let one = stopped(&world, name, true);
            assert_eq!(silent(&one), [false, true, false], "{name}");
            let setting = nodes[1].stopped_setting(&one).unwrap();
            assert_eq!(setting.as_str(), "/environments/onprem/nodes/AOS_2/stopped");
            assert!(edits(&one, name, true).unwrap().1.is_empty(), "once is enough");
            assert_eq!(silent(&stopped(&one, name, false)), [false; 3]);
            assert_eq!(silent(&stopped(&one, "onprem", false)), [false; 3], "all of them run then");
        }
        let all = stopped(&world, "onprem", true);
        assert_eq!(silent(&stopped(&all, "onprem/AOS_2", false)), [true, false, true], "the others stay so");
    }

    #[test]
    fn what_cannot_be_stopped_is_told_with_what_can() {
        let world = World::contoso().unwrap();
        for nobody in [
            "",
            "adfs.contoso.example",
            "onebox/aos9",
            "organization/contoso",
            "tenant/c0117050-0000-4000-8000-000000000001",
            "federation-service/none",
        ] {
            let refused = edits(&world, nobody, true).unwrap_err();
            let told = refused.to_string();
            assert_eq!(told, format!("this world has no machine {nobody:?} that can be stopped"));
            let CommandError::UnknownPlace { known, .. } = refused else { panic!("{told}") };
            let nodes = ["onprem/AOS_1", "onprem/AOS_2", "onprem/AOS_3"];
            assert_eq!(known, [&["federation-service/contoso", "onebox", "onprem"][..], &nodes].concat());
        }
    }
}
