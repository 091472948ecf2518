//! Reading what a lab saw, in the words of an assertion.
//!
//! Decides which records a test means by "the request to Dataverse": those that somebody sent, not those an environment
//! made by itself when it started. Never changes anything; a record is committed before its answer leaves, so a test that
//! has its answer never waits.

use std::sync::Arc;

use mocktenant_lab::Tree;
use mocktenant_lab::journal::{Kind, Record};
use mocktenant_verdict::Check;
use mocktenant_verdict::foreign::cut;

/// A lab's journal as it stands now.
#[derive(Clone, Debug)]
pub struct Journal {
    tree: Tree,
}

impl Journal {
    pub(crate) fn of(lab: &mocktenant_lab::Lab) -> Self {
        Self { tree: lab.journal().tree() }
    }

    /// Every record, oldest first; children stand before their parent, because they were answered first.
    pub fn records(&self) -> &[Arc<Record>] {
        self.tree.records()
    }

    /// The records by what caused what.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What was refused or failed.
    pub fn refused(&self) -> Vec<Arc<Record>> {
        self.records().iter().filter(|record| record.refused()).cloned().collect()
    }

    /// The record with this id: what the `x-mocktenant-exchange` header of an answer carries.
    pub fn find(&self, id: &str) -> Option<Arc<Record>> {
        self.tree.get(id).cloned()
    }

    /// Requests to `entra`, `aos` or `dataverse`, oldest first, without what an environment asked for at its start.
    pub fn requests_to(&self, surface: &str) -> Vec<Arc<Record>> {
        self.records()
            .iter()
            .filter(|record| record.kind == Kind::Request && record.surface == surface)
            .filter(|record| self.tree.root_of(record).kind != Kind::Start)
            .cloned()
            .collect()
    }

    /// The one request to `entra`, `aos` or `dataverse`.
    ///
    /// # Panics
    /// If there was none, or more than one; the message lists them.
    #[track_caller]
    pub fn only_request_to(&self, surface: &str) -> Arc<Record> {
        let requests = self.requests_to(surface);
        match requests.as_slice() {
            [only] => Arc::clone(only),
            _ => panic!("{} requests to {surface}, expected one:{}", requests.len(), listed(&requests)),
        }
    }

    /// The check that decided the last refusal, in whichever exchange of its chain that was.
    pub fn failed_check(&self) -> Option<Check> {
        let root = self.tree.last_refusal()?;
        let in_chain = |record: &&Arc<Record>| self.tree.root_of(record).id == root.id;
        // Children first: they were answered before what they were asked for.
        self.records().iter().filter(in_chain).find_map(|record| record.failed_check()).cloned()
    }

    /// Roots of what was refused, oldest first.
    pub(crate) fn refused_roots(&self) -> Vec<Arc<Record>> {
        self.records().iter().filter(|record| record.is_refusal()).cloned().collect()
    }
}

fn listed(records: &[Arc<Record>]) -> String {
    let line = |record: &Arc<Record>| {
        let target = record.shown_target();
        let target = cut(&target, 100);
        format!("\n  {} {} {target} {}", record.id, record.method, record.status)
    };
    records.iter().map(line).collect()
}
