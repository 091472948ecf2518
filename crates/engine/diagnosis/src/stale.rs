//! Settings that changed since a machine read them at its start.
//!
//! Decides only that they differ, and how that is shown. Whether a restart heals anything is tried out, not concluded.

use mocktenant_lab::Fact;
use mocktenant_verdict::{Role, Setting};
use mocktenant_world::World;
use serde_json::Value;

use crate::chain::Chain;
use crate::{Cause, Kind};

/// The changed setting a refusal in this role most likely turned on; without a role the first one there is.
pub(crate) fn likeliest(chain: &Chain, role: Option<Role>, world: &World) -> Option<Cause> {
    let in_role = |fact: &&Fact| role.is_some() && fact.role == role;
    let of_role = chain.facts().filter(in_role).find_map(|fact| restart(fact, world));
    let found = of_role.map(|cause| at(chain, cause, world));
    found.or_else(|| all(chain, world).next())
}

/// Every changed setting.
pub(crate) fn all<'c>(chain: &'c Chain, world: &'c World) -> impl Iterator<Item = Cause> + 'c {
    chain.facts().filter_map(|fact| restart(fact, world)).map(|cause| at(chain, cause, world))
}

/// With the node that goes on with what it read, where there are others.
pub(crate) fn at(chain: &Chain, cause: Cause, world: &World) -> Cause {
    let node = chain.node().filter(|node| {
        let environment = node.environment().and_then(|id| world.environment(id));
        environment.is_some_and(|environment| environment.nodes.len() > 1)
    });
    Cause { node: node.map(ToString::to_string), ..cause }
}

/// The setting is right now, but it was read before.
fn restart(fact: &Fact, world: &World) -> Option<Cause> {
    let read = fact.read_at_start.as_ref()?;
    let (setting, now) = fact.changed_in(world)?;
    let (setting, read, now) = narrowed(setting, read, now);
    Some(Cause::new(Kind::Restart, setting, Some(world)).expected(shown(now)).actual(shown(read)))
}

/// The deepest member that alone differs: a key's readers rather than the whole certificate.
fn narrowed<'v>(
    mut setting: Setting,
    mut read: &'v Value,
    mut now: &'v Value,
) -> (Setting, &'v Value, &'v Value) {
    while let (Value::Object(before), Value::Object(after)) = (read, now) {
        let same_members = before.len() == after.len() && before.keys().all(|name| after.contains_key(name));
        let mut changed = before.iter().filter(|(name, value)| after.get(*name) != Some(value));
        let (Some((name, value)), None, true) = (changed.next(), changed.next(), same_members) else { break };
        setting = setting.join(name);
        (read, now) = (value, &after[name]);
    }
    (setting, read, now)
}

fn shown(value: &Value) -> String {
    match Fact::shown(value) {
        Value::Null => String::from("absent"),
        Value::String(text) if text.is_empty() => String::from("empty"),
        Value::String(text) => text,
        Value::Object(_) => String::from("there"),
        other => other.to_string(),
    }
}
