//! What happened because of one call, out of the journal.
//!
//! Decides only the order: what a sign-in was on the way, the call, then what the environment's last start says if that is why it was refused, then every
//! call made because of it, to any depth, and last the products nobody called.

use mocktenant_lab::journal::Record;
use mocktenant_lab::{Attempt, Lab, Mask};
use serde::Serialize;

use crate::exchange_line::{count_checks, shortened};

/// One exchange of the chain, or a product that was never called.
#[derive(Serialize)]
pub(super) struct Link {
    /// Exchange id; absent for a call that was never made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) exchange: Option<String>,
    /// Who called.
    pub(super) from: String,
    /// Who was called.
    pub(super) to: String,
    /// Method and target; empty for a call that was never made.
    pub(super) request: String,
    /// Status answered; absent where nothing was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// Checks that held.
    pub(super) passed: usize,
    /// Checks that arose.
    pub(super) asked: usize,
    /// The product's identifier of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// The check that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<Failed>,
}

/// A check that did not hold.
#[derive(Clone, Serialize)]
pub(super) struct Failed {
    /// Its name.
    pub(super) check: String,
    /// What would have been accepted.
    pub(super) expected: String,
    /// What was there.
    pub(super) actual: String,
}

impl Failed {
    pub(super) fn of(check: &mocktenant_verdict::Check, mask: &Mask) -> Self {
        Self {
            check: check.name.to_string(),
            expected: mask.text(&check.expected).into_owned(),
            actual: mask.text(&check.actual).into_owned(),
        }
    }
}

/// The chain around the exchange that ended an attempt.
pub(super) fn around(lab: &Lab, attempt: &Attempt) -> Vec<Link> {
    let mut links = Vec::new();
    let tree = lab.journal().tree();
    let Some(root) = tree.get(&attempt.exchange) else { return links };
    let start = root.fact("start").filter(|_| root.refused()).and_then(|start| tree.get(&start.value));
    links.extend(attempt.before.iter().filter_map(|id| Some(link(lab, tree.get(id)?, "client"))));
    let mut called = vec![&*root.surface];
    links.push(link(lab, root, "client"));
    links.extend(start.map(|start| link(lab, start, "operator")));
    for record in start.into_iter().chain([root]).flat_map(|top| tree.below(&top.id)) {
        let caller = record.parent.as_deref().and_then(|parent| tree.get(parent));
        called.push(&record.surface);
        links.push(link(lab, record, lab.title(caller.map_or("", |caller| &caller.surface))));
    }
    // Nobody but the provider takes part in a sign-in.
    let missed = lab.called().into_iter().filter(|surface| !called.contains(surface));
    for surface in missed.filter(|_| attempt.signed_in.is_none()) {
        links.push(Link {
            exchange: None,
            from: lab.title(&root.surface).to_owned(),
            to: lab.title(surface).to_owned(),
            request: String::new(),
            status: None,
            passed: 0,
            asked: 0,
            error: None,
            failed: None,
        });
    }
    links
}

fn link(lab: &Lab, record: &Record, from: &str) -> Link {
    let (passed, asked) = count_checks(record);
    let to = if record.surface.is_empty() {
        record.mask().text(&record.host).into_owned()
    } else {
        lab.title(&record.surface).to_owned()
    };
    let request = match record.kind.word() {
        Some(word) => String::from(word),
        None => format!("{} {}", record.method, shortened(&record.shown_target())),
    };
    let call_error = record.fact("call-error").map(|fact| fact.value.to_string());
    Link {
        exchange: Some(record.id.to_string()),
        from: from.to_owned(),
        to,
        request,
        status: (record.status > 0).then_some(record.status),
        passed,
        asked,
        error: call_error.or_else(|| record.error.as_ref().map(ToString::to_string)),
        failed: record.failed_check().map(|check| Failed::of(check, &record.mask())),
    }
}
