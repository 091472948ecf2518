//! Servicing an environment on-premises: what was edited by hand on its nodes is gone.
//!
//! Decides what that is: each node's own parameters and certificate stores, over which comes again what the environment was
//! deployed with. Its clock, its name and whether it is stopped are no matter of a package. Never decides when. Mirrors the
//! article's warning that values have to be changed anew on each AOS node after each servicing operation.

use mocktenant_patch::Edit;
use mocktenant_verdict::Setting;

use crate::compiled::{Environment, Node};
use crate::pointers::File;
use crate::world::World;

/// What takes away everything that is a node's own.
pub fn edits(environment: &Environment) -> Vec<Edit> {
    let of = |node: &Node| {
        let own = node.declared.axsf.keys().map(|key| node.pointer.axsf(key));
        let stores = node.declared.machine.certificates.keys();
        own.chain(stores.map(|location| node.pointer.store_location(location))).collect::<Vec<_>>()
    };
    environment.nodes.iter().flat_map(of).map(Edit::remove).collect()
}

/// Whether servicing takes a setting away.
pub fn reverts(setting: &Setting) -> bool {
    let segments: Vec<String> = setting.segments().take(6).collect();
    let [environments, _, nodes, _, member, rest @ ..] = segments.as_slice() else { return false };
    let own = member == File::Axsf.member()
        || member == "machine" && rest.first().is_some_and(|rest| rest == "certificates");
    environments == "environments" && nodes == "nodes" && own
}

/// What single nodes had of their own in one world, and have no more in another.
pub fn taken_away(before: &World, after: &World) -> Vec<Setting> {
    let nodes = before.environments().flat_map(|environment| &environment.nodes);
    let own = nodes.flat_map(|node| {
        let stores =
            node.declared.machine.certificates.iter().flat_map(|(location, stores)| {
                stores.keys().map(|store| node.pointer.store(location, store))
            });
        node.declared.axsf.keys().map(|key| node.pointer.axsf(key)).chain(stores).collect::<Vec<_>>()
    });
    own.filter(|setting| after.get(setting).is_none()).collect()
}
