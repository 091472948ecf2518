//! One exchange with everything that happened because of it, and the check that decided.

use std::sync::Arc;

use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{Fact, Machine, Tree};
use mocktenant_verdict::Check;
use serde_json::Value;

use crate::ExplainedCheck;

/// Checks of the AOS that only repeat what a child exchange answered.
const DERIVED: &[&str] = &["token-issued", "dataverse-accepted", "metadata-reachable"];

/// A root record and its descendants, in the order they were answered.
pub(crate) struct Chain<'t> {
    tree: &'t Tree,
    root: &'t Arc<Record>,
    descendants: Vec<&'t Arc<Record>>,
    /// The start a not-started node points to, with its own children.
    start: Option<&'t Arc<Record>>,
    /// The newest start of the root's machine, if it came after the exchange: what it runs with now.
    since: Option<&'t Arc<Record>>,
}

/// Who decided, and by which check.
pub(crate) struct Deciding {
    pub(crate) record: Arc<Record>,
    pub(crate) check: Option<Check>,
    /// The AOS's own check that only repeats it: which of its calls was refused.
    pub(crate) via: Option<String>,
}

impl<'t> Chain<'t> {
    pub(crate) fn around(record: &'t Arc<Record>, tree: &'t Tree) -> Self {
        let root = tree.root_of(record);
        let start = root.fact("start").filter(|_| root.refused()).and_then(|fact| tree.get(&fact.value));
        let newest = tree.records().iter().rfind(|candidate| {
            candidate.kind == Kind::Start && candidate.machine == root.machine && root.machine.is_some()
        });
        let since = newest.filter(|newest| newest.sequence > root.sequence);
        let tops = std::iter::once(root).chain(start);
        let mut descendants: Vec<_> = tops.flat_map(|top| tree.below(&top.id)).collect();
        descendants.sort_by_key(|record| record.sequence);
        Self { tree, root, descendants, start, since }
    }

    pub(crate) fn root(&self) -> &'t Arc<Record> {
        self.root
    }

    fn all(&self) -> impl Iterator<Item = &'t Arc<Record>> {
        std::iter::once(self.root).chain(self.start).chain(self.descendants.iter().copied())
    }

    /// Every check with its exchange.
    pub(crate) fn checks(&self) -> Vec<ExplainedCheck> {
        self.all()
            .flat_map(|record| {
                record.checks.iter().map(|check| ExplainedCheck {
                    exchange: record.id.to_string(),
                    surface: record.surface.clone(),
                    check: check.clone(),
                })
            })
            .collect()
    }

    /// The record and check that decided a refusal; `None` if nothing was refused.
    pub(crate) fn deciding(&self) -> Option<Deciding> {
        if !self.root.refused() {
            return None;
        }
        let mut record = self.start.unwrap_or(self.root);
        let mut via = None;
        loop {
            let check = record.failed_check().cloned();
            let derived = check.as_ref().is_none_or(|check| DERIVED.contains(&&*check.name));
            let refused_child =
                self.tree.children(&record.id).rev().find(|child| child.refused()).filter(|_| derived);
            match refused_child {
                Some(child) if child.kind != Kind::Call => {
                    via = check.map(|check| check.name.into_owned());
                    record = child;
                }
                // A call that reached nobody: the caller's own check is the one to explain.
                _ => return Some(Deciding { record: Arc::clone(record), check, via }),
            }
        }
    }

    /// The environment whose AOS is at the root, if any.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.root.machine.as_ref().and_then(Machine::environment)
    }

    /// Inputs the AOS used, from the root and from the start it points to.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Fact> {
        self.root.facts.iter().chain(self.start.iter().flat_map(|start| start.facts.iter()))
    }

    /// The value of one input; empty if it was not used.
    pub(crate) fn input(&self, name: &str) -> Option<&Fact> {
        self.inputs().find(|fact| fact.name == name)
    }

    /// What the AOS read for this input at a start after the exchange.
    pub(crate) fn read_since(&self, name: &str) -> Option<&Value> {
        self.since?.fact(name)?.read_at_start.as_ref()
    }

    /// What the user saw.
    pub(crate) fn symptom(&self) -> String {
        let body = &self.root.response_body;
        let document: Option<Value> = serde_json::from_slice(body).ok();
        let members = ["/error/innererror/message", "/error_description", "/error/message", "/error"];
        let message = document.as_ref().and_then(|document| {
            members
                .iter()
                .find_map(|member| document.pointer(member).and_then(Value::as_str).map(str::to_owned))
        });
        message.unwrap_or_else(|| {
            let status = http_words(self.root.status);
            match &self.root.error {
                Some(error) => format!("{status} ({error})"),
                None => status,
            }
        })
    }
}

fn http_words(status: u16) -> String {
    match status {
        0 => String::from("start of the AOS"),
        401 => String::from("401 Unauthorized"),
        403 => String::from("403 Forbidden"),
        404 => String::from("404 Not Found"),
        421 => String::from("421 Misdirected Request"),
        500 => String::from("500 Internal Server Error"),
        other => other.to_string(),
    }
}
