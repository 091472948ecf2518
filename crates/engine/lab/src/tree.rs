//! Records by what caused what: the one place where exchanges are put into a tree.
//!
//! Decides that a root is a record nothing of the lab asked for, or whose cause is no longer kept, and that what a record
//! caused comes in the order it was answered. Works on any records, those of a running lab or of a journal file, which
//! may hold anything: of two records with one id the newer counts, and only a record that stands later can have caused
//! one, so that every walk ends. Never changes a record.

use std::collections::HashMap;
use std::sync::Arc;

use crate::document::RecordDocument;
use crate::record::Record;

/// Records with their places in the tree.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    records: Vec<Arc<Record>>,
    by_id: HashMap<Arc<str>, usize>,
    children: HashMap<Arc<str>, Vec<usize>>,
}

impl Tree {
    /// The tree of these records, which come in the order they were committed.
    pub fn of(records: Vec<Arc<Record>>) -> Self {
        let by_id: HashMap<Arc<str>, usize> =
            records.iter().enumerate().map(|(at, record)| (Arc::clone(&record.id), at)).collect();
        let mut children: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            if let Some(parent) = &record.parent
                && by_id.get(&record.id) == Some(&at)
                && by_id.get(parent).is_none_or(|parent| *parent > at)
            {
                children.entry(Arc::clone(parent)).or_default().push(at);
            }
        }
        Self { records, by_id, children }
    }

    /// All records, in the order committed: what was caused stands before what caused it.
    pub fn records(&self) -> &[Arc<Record>] {
        &self.records
    }

    /// The record with this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Record>> {
        self.by_id.get(id).map(|at| &self.records[*at])
    }

    /// The record a person means: by its id, or the newest that carries this request, correlation or activity id. Braces
    /// around an id are the product's that printed it.
    pub fn find(&self, what: &str) -> Option<&Arc<Record>> {
        let wanted = what.trim().trim_start_matches('{').trim_end_matches('}');
        self.get(wanted).or_else(|| self.records.iter().rev().find(|record| record.carries(wanted)))
    }

    /// The newest root that was refused.
    pub fn last_refusal(&self) -> Option<&Arc<Record>> {
        self.records.iter().rev().find(|record| record.is_refusal())
    }

    /// What asked for this record, or itself: as far up as there are records.
    pub fn root_of<'t>(&'t self, record: &'t Arc<Record>) -> &'t Arc<Record> {
        let Some(mut at) = self.by_id.get(&record.id).copied() else { return record };
        // Each one stands later than the one before, so this ends.
        while let Some(parent) = self.records[at].parent.as_deref().and_then(|parent| self.by_id.get(parent))
            && *parent > at
        {
            at = *parent;
        }
        &self.records[at]
    }

    /// Who sent a browser to where this was asked: the newest record before it whose answer redirected to just that address.
    pub fn sender(&self, record: &Record) -> Option<&Arc<Record>> {
        let at = self.by_id.get(&record.id).copied().unwrap_or(self.records.len());
        let address = format!("location: {}://{}{}", record.scheme, record.host, record.target);
        self.records[..at].iter().rev().find(|sender| {
            matches!(sender.status, 301..=308) && sender.response_headers.lines().any(|line| line == address)
        })
    }

    /// What was caused by the record with this id itself, in the order answered.
    pub fn children(&self, id: &str) -> impl DoubleEndedIterator<Item = &Arc<Record>> {
        self.children.get(id).into_iter().flatten().map(|at| &self.records[*at])
    }

    /// Everything that was caused by the record with this id, to any depth: each record, then what it caused.
    pub fn below(&self, id: &str) -> Vec<&Arc<Record>> {
        let mut all = Vec::new();
        let mut next: Vec<&Arc<Record>> = self.children(id).rev().collect();
        while let Some(record) = next.pop() {
            all.push(record);
            next.extend(self.children(&record.id).rev());
        }
        all
    }

    /// The record as a document, with everything it caused under `children`.
    pub fn document(&self, record: &Arc<Record>) -> RecordDocument {
        // As deep as calls can be, so recursion is bounded.
        let children = self.children(&record.id).map(|child| self.document(child)).collect();
        RecordDocument { children: Some(children), ..record.document() }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::record::Kind;

    fn record(id: &str, parent: Option<&str>) -> Arc<Record> {
        Arc::new(Record {
            id: id.into(),
            parent: parent.map(Into::into),
            activities: vec![("request-id".into(), format!("R-{id}").into())],
            ..Record::blank(Kind::Request, OffsetDateTime::UNIX_EPOCH)
        })
    }

    #[test]
    fn a_tree_is_walked_up_and_down_and_a_lost_parent_ends_it() {
        let tree = Tree::of(vec![
            record("x-1.1.1", Some("x-1.1")),
            record("x-1.1", Some("x-1")),
            record("x-1.2", Some("x-1")),
            record("x-1", None),
            record("x-9.1", Some("x-9")),
        ]);
        let ids = |records: Vec<&Arc<Record>>| -> Vec<String> {
            records.into_iter().map(|record| record.id.to_string()).collect()
        };
        assert_eq!(ids(tree.below("x-1")), ["x-1.1", "x-1.1.1", "x-1.2"]);
        assert_eq!(ids(tree.children("x-1").collect()), ["x-1.1", "x-1.2"]);
        let deep = tree.find("r-X-1.1.1").unwrap();
        assert_eq!(&*tree.root_of(deep).id, "x-1");
        assert_eq!(&*tree.root_of(tree.get("x-9.1").unwrap()).id, "x-9.1");
        let document = tree.document(tree.get("x-1").unwrap());
        let children = document.children.unwrap();
        assert_eq!(children.len(), 2);
        assert_eq!(&*children[0].children.as_ref().unwrap()[0].id, "x-1.1.1");
    }
    #[test]
    fn records_that_name_each_other_or_themselves_end_every_walk() {
        let tree = Tree::of(vec![
            record("x-2", Some("x-1")),
            record("x-1", Some("x-2")),
            record("x-2", Some("x-2")),
            record("x-3", Some("x-3")),
        ]);
        assert_eq!(tree.below("x-2").iter().map(|record| &*record.id).collect::<Vec<_>>(), ["x-1"]);
        assert!(tree.below("x-1").is_empty() && tree.below("x-3").is_empty());
        let root = |id: &str| &*tree.root_of(tree.get(id).unwrap()).id;
        assert_eq!([root("x-1"), root("x-2"), root("x-3")], ["x-2", "x-2", "x-3"]);
    }
}
