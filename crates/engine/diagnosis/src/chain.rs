//! One exchange with everything that happened because of it, and the check that decided.

use std::sync::Arc;

use mocktenant_lab::journal::{Kind, Record};
use mocktenant_lab::{Fact, Machine, Tree};
use mocktenant_verdict::{Check, Role};
use serde_json::Value;

use crate::ExplainedCheck;

/// A root record and its descendants, in the order they were answered.
pub(crate) struct Chain<'t> {
    tree: &'t Tree,
    root: &'t Arc<Record>,
    descendants: Vec<&'t Arc<Record>>,
    /// The start a not-started node points to, with its own children.
    start: Option<&'t Arc<Record>>,
    /// Whose answer sent a browser to the root: what it says of itself is what that one was configured with.
    sender: Option<&'t Arc<Record>>,
}

/// Who decided, and by which check.
#[derive(Clone, Copy)]
pub(crate) struct Deciding<'t> {
    /// The exchange that was refused for a reason of its own.
    pub(crate) record: &'t Arc<Record>,
    /// The check that decided; none where none did.
    pub(crate) check: Option<&'t Check>,
    /// Who called it, where its own refusal only repeats this one.
    pub(crate) caller: Option<&'t Arc<Record>>,
    /// The caller's own check that only repeats it.
    pub(crate) relay: Option<&'t Check>,
}

impl Deciding<'_> {
    /// What the check is about.
    pub(crate) fn role(&self) -> Option<Role> {
        self.check.and_then(|check| check.role)
    }

    /// Whether the same question decided at the same place of a chain.
    pub(crate) fn is_same_question(&self, other: &Deciding<'_>) -> bool {
        let name = |deciding: &Deciding<'_>| deciding.check.map(|check| check.name.clone());
        self.record.surface == other.record.surface
            && self.caller.is_some() == other.caller.is_some()
            && name(self) == name(other)
    }

    /// The questions that failed on the way, each with who asked it.
    fn failed(&self) -> impl Iterator<Item = (&Arc<Record>, &Check)> {
        let own = self.check.map(|check| (self.record, check));
        own.into_iter().chain(self.caller.zip(self.relay))
    }
}

impl<'t> Chain<'t> {
    pub(crate) fn around(record: &'t Arc<Record>, tree: &'t Tree) -> Self {
        let root = tree.root_of(record);
        let start = root.fact("start").filter(|_| root.refused()).and_then(|fact| tree.get(&fact.value));
        let tops = std::iter::once(root).chain(start);
        let mut descendants: Vec<_> = tops.flat_map(|top| tree.below(&top.id)).collect();
        descendants.sort_unstable_by_key(|record| record.sequence);
        let sender = tree.sender(root).filter(|_| root.refused());
        Self { tree, root, descendants, start, sender }
    }

    /// Whoever sent a browser to where the root was asked.
    pub(crate) fn sender(&self) -> Option<&'t Arc<Record>> {
        self.sender
    }

    /// The node that was asked, or that started.
    pub(crate) fn node(&self) -> Option<&'t Machine> {
        let records = [Some(self.root), self.start, self.sender].into_iter().flatten();
        let mut machines = records.filter_map(|record| record.machine.as_ref());
        machines.find(|machine| machine.environment().is_some())
    }

    pub(crate) fn tree(&self) -> &'t Tree {
        self.tree
    }

    pub(crate) fn root(&self) -> &'t Arc<Record> {
        self.root
    }

    /// The start it points to and what that called, children first: in the order they were committed.
    pub(crate) fn started(&self) -> impl Iterator<Item = &'t Arc<Record>> {
        let (mut told, mut waiting) = (Vec::new(), Vec::from_iter(self.start));
        while let Some(record) = waiting.pop() {
            told.push(record);
            waiting.extend(self.tree.children(&record.id));
        }
        told.into_iter().rev()
    }

    fn all(&self) -> impl Iterator<Item = &'t Arc<Record>> {
        std::iter::once(self.root).chain(self.start).chain(self.descendants.iter().copied())
    }

    /// Whoever called stands before whom it called; the calls of one in the order they were made.
    fn callers_first(&self) -> Vec<&'t Arc<Record>> {
        let mut told = Vec::new();
        let mut waiting: Vec<_> = self.start.into_iter().chain([self.root]).collect();
        while let Some(record) = waiting.pop() {
            told.push(record);
            waiting.extend(self.tree.children(&record.id).rev());
        }
        told
    }

    /// Every check with its exchange.
    pub(crate) fn checks(&self) -> Vec<ExplainedCheck> {
        self.callers_first()
            .into_iter()
            .flat_map(|record| {
                record.checks.iter().map(|check| ExplainedCheck {
                    exchange: record.id.to_string(),
                    surface: record.surface.clone(),
                    check: check.clone(),
                })
            })
            .collect()
    }

    /// Whether one of the questions that failed there holds here, asked at the same place.
    pub(crate) fn gets_further(&self, deciding: &Deciding<'_>) -> bool {
        deciding.failed().any(|(asked, failed)| {
            self.all().any(|record| {
                record.surface == asked.surface
                    && record.parent.is_some() == asked.parent.is_some()
                    && record.checks.iter().any(|check| check.name == failed.name && check.holds())
            })
        })
    }

    /// The record and check that decided a refusal; `None` if nothing was refused.
    pub(crate) fn deciding(&self) -> Option<Deciding<'t>> {
        if !self.root.refused() {
            return None;
        }
        let mut record = self.start.unwrap_or(self.root);
        let (mut caller, mut relay) = (None, None);
        loop {
            let check = record.failed_check();
            let may_repeat = check.is_none_or(|check| check.relays);
            let mut called = self.tree.children(&record.id).filter(|child| child.refused());
            // A start goes on to its next document where one did not come, so it is the first that its first failed check is
            // about; whoever tries again is refused by the last.
            let refused = if record.kind == Kind::Start { called.next() } else { called.next_back() };
            match refused.filter(|_| may_repeat) {
                // Who was called refused, or nobody was there, which is known of whoever is stopped.
                Some(child) if child.kind != Kind::Call || child.failed_check().is_some() => {
                    (caller, relay) = (Some(record), check);
                    record = child;
                }
                // A call that reached nobody: the caller's own check is the one to explain.
                _ => return Some(Deciding { record, check, caller, relay }),
            }
        }
    }

    /// The machine at the root has a start, and so may run with what is no longer declared.
    pub(crate) fn environment(&self) -> Option<&'t str> {
        let own = self.root.machine.as_ref().and_then(Machine::environment);
        own.or_else(|| self.sender?.machine.as_ref().and_then(Machine::environment))
    }

    /// Facts of the root, of the start it points to and of whoever sent a browser there.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'t Fact> {
        let others = self.start.into_iter().chain(self.sender);
        self.root.facts.iter().chain(others.flat_map(|other| other.facts.iter()))
    }

    /// What the user saw.
    pub(crate) fn symptom(&self) -> String {
        let document: Option<Value> = serde_json::from_slice(&self.root.response_body).ok();
        let told = document.as_ref().and_then(|document| {
            let innermost = innermost(document, "message");
            innermost
                .or_else(|| document.get("error_description")?.as_str())
                .or_else(|| document.get("error")?.as_str())
        });
        told.map_or_else(
            || {
                let status = match self.root.kind {
                    Kind::Forged => String::from("a token that was forged"),
                    Kind::Judged => String::from("a token, judged without a request"),
                    Kind::Request | Kind::Call if self.root.status == 0 => String::from("no answer"),
                    Kind::Start | Kind::Request | Kind::Call => http_words(self.root.status),
                };
                match &self.root.error {
                    Some(error) => format!("{status} ({error})"),
                    None => status,
                }
            },
            str::to_owned,
        )
    }
}

/// The text of a member of this name that lies deepest: an inner error says more than the one around it.
fn innermost<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    let members = value.as_object()?;
    let deeper = members.values().filter_map(|member| innermost(member, name)).next_back();
    deeper.or_else(|| members.get(name)?.as_str())
}

fn http_words(status: u16) -> String {
    if status == 0 {
        return String::from("a start");
    }
    match http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}
