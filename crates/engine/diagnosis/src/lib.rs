//! The one setting to change, in whose file: explains an exchange against the world, even where the refusing side cannot
//! know the cause.
//!
//! Decides from the journal (what was asked, with which inputs, who refused) and the world (what is declared now). Never
//! acts, never changes anything, never reads a file, never speaks to a caller. The contract of the result and its tie
//! rules are those of the design, section 6. When the lab is gone, its records alone can still be explained; what is
//! missing then stands in [`Explanation::world`].

mod cause;
mod chain;
mod explanation;
mod findings;
mod knowledge;
mod recorded;
mod staleness;

pub use explanation::{Cause, ExplainedCheck, Explanation, Kind, Origin};

use std::sync::Arc;

use mocktenant_lab::journal::Record;
use mocktenant_lab::{Lab, Tree};
use mocktenant_world::World;

use crate::chain::Chain;

/// Explains one exchange of a running lab: an exchange id, any id an answer carried (request, correlation, activity),
/// or `last` for the last refusal.
///
/// `None` if the journal has no such exchange.
pub fn explain(lab: &Lab, what: &str) -> Option<Explanation> {
    let tree = lab.journal().tree();
    let chain = Chain::around(meant(&tree, what)?, &tree);
    Some(explain_chain(&chain, &lab.world()))
}

/// Explains one of these records the same way, without the world it was answered in: the cause is the deciding check's
/// own.
pub fn explain_records(tree: &Tree, what: &str) -> Option<Explanation> {
    let chain = Chain::around(meant(tree, what)?, tree);
    Some(Explanation {
        schema: 1,
        world: false,
        exchange: chain.root().id.to_string(),
        symptom: chain.symptom(),
        checks: chain.checks(),
        cause: chain.deciding().map(|deciding| recorded::of(&chain, &deciding)),
        also: Vec::new(),
    })
}

fn meant<'t>(tree: &'t Tree, what: &str) -> Option<&'t Arc<Record>> {
    if what == "last" { tree.last_refusal() } else { tree.find(what) }
}

fn explain_chain(chain: &Chain, world: &World) -> Explanation {
    let deciding = chain.deciding();
    let found = deciding.as_ref().map(|deciding| cause::of(chain, deciding, world).unless_mended(world));
    let stale = staleness::relevant(chain, deciding.as_ref(), world);
    let mut also = Vec::new();
    let cause = match (stale, found) {
        (Some(restart), found) => {
            also.extend(found);
            Some(restart)
        }
        (None, found) => found,
    };
    also.extend(staleness::all(chain, world));
    if let Some(environment) = chain.environment() {
        also.extend(findings::of(environment, world, cause.as_ref()));
    }
    also.retain(|other| cause.as_ref().is_none_or(|cause| cause.setting != other.setting));
    let mut known = Vec::new();
    also.retain(|other: &Cause| {
        let new = !known.contains(&other.setting);
        known.push(other.setting.clone());
        new
    });
    Explanation {
        schema: 1,
        world: true,
        exchange: chain.root().id.to_string(),
        symptom: chain.symptom(),
        checks: chain.checks(),
        cause,
        also,
    }
}
