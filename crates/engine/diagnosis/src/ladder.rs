//! One sign-in as the steps of the product that somebody signs in to, with who did each.
//!
//! Decides which exchange stands for a step: of all that share the sign-in's id the last that was marked with it. What a step is
//! called is the product's word ([`Lab::steps_of`]); what became of it is the exchange's own. A step that no exchange was marked
//! with was not reached, a session made it needless, or the journal has let it go. Never decides why something was refused. Mirrors the numbered steps by
//! which an article tells where a sign-in stands.

use std::sync::Arc;

use mocktenant_lab::journal::Record;
use mocktenant_lab::steps::{SIGN_IN, STEPS};
use mocktenant_lab::{Lab, Machine, Tree};
use mocktenant_world::World;
use serde::Serialize;

use crate::chain::Chain;
use crate::stale;

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
pub(crate) fn of(tree: &Tree, root: &Arc<Record>, lab: &Lab) -> Vec<Rung> {
    let own: Vec<&Arc<Record>> = match sign_in(root) {
        Some(id) => tree.records().iter().filter(|record| sign_in(record) == Some(id)).collect(),
        None => vec![root],
    };
    // A provider signs people in to others, too: the steps are those of whoever has some.
    let marked_one = own.iter().filter(|record| record.fact(STEPS).is_some());
    let names = marked_one.map(|record| lab.steps_of(&record.surface)).find(|names| !names.is_empty());
    let names = names.unwrap_or_default();
    let world = lab.world();
    let doing = |step: usize| own.iter().rev().find(|record| marked(record, step)).copied();
    let last = (1..=names.len()).rev().find(|step| doing(*step).is_some()).unwrap_or(0);
    let rung = |step: usize| {
        let record = doing(step);
        let note = match record {
            Some(record) if is_forwarded(record, step) => peculiar(record, tree, &world),
            Some(_) => None,
            None if step < last => Some("not asked, or no longer kept".to_owned()),
            None => Some("not reached".to_owned()),
        };
        Rung {
            step: u8::try_from(step).unwrap_or(u8::MAX),
            what: names[step - 1],
            exchange: record.map(|record| record.id.to_string()),
            by: record.map(|record| by(record, lab)),
            status: record.map(|record| record.status),
            // What an exchange is refused for is its last step.
            refused: record.is_some_and(|record| record.refused() && !steps(record).any(|one| one > step)),
            note,
        }
    };
    (1..=names.len()).map(rung).collect()
}

fn sign_in(record: &Record) -> Option<&str> {
    record.activities.iter().find(|(name, _)| name == SIGN_IN).map(|(_, id)| &**id)
}

fn steps(record: &Record) -> impl Iterator<Item = usize> {
    let marks = record.fact(STEPS).map_or("", |fact| &*fact.value);
    marks.split(' ').filter_map(|step| step.parse().ok())
}

fn marked(record: &Record, step: usize) -> bool {
    steps(record).any(|one| one == step)
}

/// Whether somebody had to be chosen for it: the first step of an exchange that a node was asked in, and of the very first the second.
fn is_forwarded(record: &Record, step: usize) -> bool {
    let first = steps(record).next();
    first == Some(1) && step == 2 || first == Some(step) && step > 1
}

fn by(record: &Record, lab: &Lab) -> String {
    match &record.machine {
        Some(Machine::Node { node, .. }) => node.to_string(),
        _ => lab.title(&record.surface).to_owned(),
    }
}

/// What a person should see at once: who was passed over, who did not start, who still runs with what was.
fn peculiar(record: &Arc<Record>, tree: &Tree, world: &World) -> Option<String> {
    let fact = |name: &str| record.fact(name).map(|fact| fact.value.to_string());
    let Some(Machine::Node { node, .. }) = &record.machine else { return None };
    let mut notes = Vec::new();
    if let Some(stopped) = fact("stopped-nodes") {
        notes.push(format!("stopped: {stopped}"));
    }
    if let Some(named) = fact("affinity").filter(|named| **named != **node) {
        notes.push(format!("the cookie names {named}"));
    }
    if let Some(start) = fact("start") {
        notes.push(format!("it did not start: {start}"));
    } else if stale::all(&Chain::around(record, tree), world).next().is_some() {
        notes.push("restart pending".to_owned());
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}
