//! One sign-in as the nine steps of the article on authentication on-premises, with who did each.
//!
//! Decides which exchange stands for a step: of all that share the sign-in's id the last that was marked with it. What a step is
//! called is the article's, in short; what became of it is the exchange's own. A step that no exchange was marked with was not
//! reached, or somebody else took it. Never decides why something was refused.

use std::sync::Arc;

use mocktenant_lab::journal::Record;
use mocktenant_lab::steps::{SIGN_IN, STEPS};
use mocktenant_lab::{Lab, Machine, Tree};
use mocktenant_world::World;
use serde::Serialize;

use crate::chain::Chain;
use crate::stale;

/// What happens in each step.
const NAMES: [&str; 9] = [
    "the browser asks for the application",
    "the gateway forwards it to an AOS node",
    "the AOS looks for its authentication cookies",
    "there are none: it redirects to AD FS, with the affinity cookie",
    "the gateway passes that on to the browser",
    "the browser shows AD FS's page, and the user signs in",
    "AD FS sends the browser back to the application",
    "the gateway forwards it to the node of the affinity cookie",
    "the AOS checks what AD FS said, and UserInfo",
];
/// Where the user is asked, which a session makes needless.
const PAGE: usize = 6;

/// One step of a sign-in.
#[derive(Clone, Debug, Serialize)]
pub struct Rung {
    /// 1 to 9.
    pub step: u8,
    /// What happens in it.
    pub what: &'static str,
    /// The exchange that it is part of; absent where it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// Who served it: a node, or the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Status of the exchange's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether that exchange was refused.
    pub refused: bool,
    /// What is peculiar about who served it, or why nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The steps of the sign-in that an exchange belongs to; none where it belongs to none.
pub(crate) fn of(tree: &Tree, root: &Arc<Record>, lab: Option<&Lab>) -> Vec<Rung> {
    let own: Vec<&Arc<Record>> = match sign_in(root) {
        Some(id) => tree.records().iter().filter(|record| sign_in(record) == Some(id)).collect(),
        None => vec![root],
    };
    // AD FS signs people in to others, too: these are the steps of an AOS.
    if !own.iter().any(|record| is_node(record) && record.fact(STEPS).is_some()) {
        return Vec::new();
    }
    let world = lab.map(Lab::world);
    let doing = |step: usize| own.iter().rev().find(|record| marked(record, step)).copied();
    let last = (1..=NAMES.len()).rev().find(|step| doing(*step).is_some()).unwrap_or(0);
    let rung = |step: usize| {
        let record = doing(step);
        let note = match record {
            Some(record) => peculiar(record, step, tree, world.as_deref()),
            None if step == PAGE && last > PAGE => {
                Some("not asked: the user's session with AD FS answered".to_owned())
            }
            None if step > last => Some("not reached".to_owned()),
            None => None,
        };
        Rung {
            step: u8::try_from(step).unwrap_or(u8::MAX),
            what: NAMES[step - 1],
            exchange: record.map(|record| record.id.to_string()),
            by: record.map(|record| by(record, lab)),
            status: record.map(|record| record.status),
            // What an exchange is refused for is its last step.
            refused: record.is_some_and(|record| record.refused() && !marked_later(record, step)),
            note,
        }
    };
    (1..=NAMES.len()).map(rung).collect()
}

fn sign_in(record: &Record) -> Option<&str> {
    record.activities.iter().find(|(name, _)| name == SIGN_IN).map(|(_, id)| &**id)
}

fn is_node(record: &Record) -> bool {
    matches!(record.machine, Some(Machine::Node { .. }))
}

fn steps(record: &Record) -> impl Iterator<Item = usize> {
    let marks = record.fact(STEPS).map_or("", |fact| &*fact.value);
    marks.split(' ').filter_map(|step| step.parse().ok())
}

fn marked(record: &Record, step: usize) -> bool {
    steps(record).any(|one| one == step)
}

fn marked_later(record: &Record, step: usize) -> bool {
    steps(record).any(|one| one > step)
}

fn by(record: &Record, lab: Option<&Lab>) -> String {
    match &record.machine {
        Some(Machine::Node { node, .. }) => node.to_string(),
        _ => lab.map_or(&*record.surface, |lab| lab.title(&record.surface)).to_owned(),
    }
}

/// What a person should see at once: who was passed over, who did not start, who still runs with what was.
fn peculiar(record: &Arc<Record>, step: usize, tree: &Tree, world: Option<&World>) -> Option<String> {
    let fact = |name: &str| record.fact(name).map(|fact| fact.value.to_string());
    if !matches!(step, 2 | 8) {
        return None;
    }
    let node = match &record.machine {
        Some(Machine::Node { node, .. }) => Some(&**node),
        _ => None,
    };
    let mut notes = Vec::new();
    if let Some(stopped) = fact("stopped-nodes") {
        notes.push(format!("stopped: {stopped}"));
    }
    if let Some(named) = fact("affinity").filter(|named| Some(&**named) != node) {
        notes.push(format!("the cookie names {named}"));
    }
    if let Some(start) = fact("start") {
        notes.push(format!("it did not start: {start}"));
    } else if let Some(world) = world {
        let pending = stale::all(&Chain::around(record, tree), world).next().is_some();
        notes.extend(pending.then(|| "restart pending".to_owned()));
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}
