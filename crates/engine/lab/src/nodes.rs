//! How the machines of an environment are: each with its last start, and what was changed since.
//!
//! Decides what is pending: every setting that a machine read at its start and that has another value now, in its startup file
//! and elsewhere. Whether that matters is the diagnosis' question. Mirrors the list of nodes in Service Fabric Explorer, and the
//! comparison of `AXSF.Package.Current.xml`, which holds what a running node was started with, with `AXSF.Package.1.0.xml`.

use std::collections::HashSet;
use std::sync::Arc;

use mocktenant_verdict::Setting;
use mocktenant_world::pointers::shared_by_nodes;
use mocktenant_world::{Artefact, Entry, World};
use serde::Serialize;
use serde_json::Value;

use crate::surface::Started;
use crate::{Fact, Lab, Machine};

/// One machine that starts.
#[derive(Clone, Debug, Serialize)]
pub struct NodeView {
    /// As it is written: `onprem/AOS_2`.
    pub node: Machine,
    /// How it is.
    pub state: NodeState,
    /// The exchange of its last start.
    pub start: Option<Arc<str>>,
    /// The product's identifier of what kept it from starting.
    pub failure: Option<&'static str>,
    /// Settings that it read otherwise than they are now.
    pub pending: Vec<Setting>,
}

/// How a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// It answers.
    Running,
    /// It did not start: it answers with its error page.
    NotStarted,
    /// It is stopped: nobody is answered there.
    Stopped,
}

impl Fact {
    /// Where the setting that was read at a start is now, and its value, if that is another one (`null` where it is absent). What
    /// was one node's own and is gone is what all nodes have in common.
    pub fn changed_in<'w>(&self, world: &'w World) -> Option<(Setting, &'w Value)> {
        let (setting, read) = (self.setting.as_ref()?, self.read_at_start.as_ref()?);
        let shared = || shared_by_nodes(setting).and_then(|shared| Some((world.get(&shared)?, shared)));
        let (now, setting) = match world.get(setting) {
            Some(now) => (now, setting.clone()),
            None => shared().unwrap_or((&Value::Null, setting.clone())),
        };
        (now != read).then_some((setting, now))
    }
}

impl Lab {
    /// The machines of an environment in the order declared; `None` if there is no such environment.
    pub fn nodes(&self, environment: &str) -> Option<Vec<NodeView>> {
        let world = self.world();
        let nodes = &world.environment(environment)?.nodes;
        let view = |machine: Machine| {
            let started = self.started(&machine);
            let failure = started.as_ref().and_then(|started| started.failure);
            let state = if machine.is_stopped(&world) {
                NodeState::Stopped
            } else if started.is_none() || failure.is_some() {
                NodeState::NotStarted
            } else {
                NodeState::Running
            };
            let pending =
                started.as_ref().map_or_else(Vec::new, |started| pending(started, &machine, &world));
            NodeView { node: machine, state, start: started.map(|started| started.start), failure, pending }
        };
        Some(nodes.iter().map(|node| view(Machine::node(environment, &node.name))).collect())
    }

    /// The startup file that a machine was started with: `AXSF.Package.Current.xml`.
    pub fn started_with(&self, machine: &Machine) -> Option<Arc<Artefact>> {
        self.started(machine)?.file
    }

    fn started(&self, machine: &Machine) -> Option<Started> {
        self.surfaces().iter().find_map(|mounted| mounted.surface.started(machine))
    }
}

/// What was read otherwise than it is now, each setting once.
fn pending(started: &Started, machine: &Machine, world: &World) -> Vec<Setting> {
    let mut known = HashSet::new();
    let changed = started.read.iter().filter_map(|fact| fact.changed_in(world));
    let mut pending: Vec<Setting> = changed.map(|(setting, _)| setting).collect();
    if let (Some(file), Machine::Node { environment, node }) = (&started.file, machine) {
        pending.extend(differing(file, world, environment, node));
    }
    pending.retain(|setting| known.insert(setting.clone()));
    pending
}

/// The parameters that a startup file says otherwise than the machine's file does now.
fn differing(read: &Artefact, world: &World, environment: &str, node: &str) -> Vec<Setting> {
    let found = world.environment(environment).and_then(|found| Some((found, found.node(node)?)));
    let Some((environment, node)) = found else { return Vec::new() };
    let now = node.axsf.as_deref().map(Artefact::entries).unwrap_or_default();
    let then = read.entries();
    let other = |key: &str| {
        let value = |entries: &[Entry]| {
            entries.iter().rev().find(|entry| entry.key == key).map(|entry| entry.value.clone())
        };
        value(&now) != value(&then)
    };
    let keys = then.iter().chain(&now).map(|entry| &*entry.key).filter(|key| other(key));
    let own = |key: &str| node.declared.axsf.contains_key(key);
    keys.map(|key| if own(key) { node.pointer.axsf(key) } else { environment.pointer.axsf(key) }).collect()
}
