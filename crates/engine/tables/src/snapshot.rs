//! Reading: all tables as they were at one moment.
//!
//! Decides nothing; a snapshot never changes and needs no lock.

use std::sync::Arc;

use mocktenant_query::{Hop, Rows};
use mocktenant_schema::{CellRef, Schema, Table};

use crate::database::{Posting, Root, TableRows, key_in};
use crate::key::Key;
use crate::layout::Step;
use crate::query::{Page, Query, run};
use crate::record::Row;

/// All tables at one moment. Cheap to clone and to keep, though it keeps the rows of its moment alive.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) root: Arc<Root>,
}

/// A row with its table.
#[derive(Clone, Copy)]
pub struct At<'s> {
    /// The table, by its position in the schema.
    pub table: usize,
    /// The row.
    pub row: &'s Row,
}

impl Snapshot {
    pub(crate) fn new(root: Arc<Root>) -> Self {
        Self { root }
    }

    /// The tables' schema, which is a part of the moment.
    pub fn schema(&self) -> &Schema {
        &self.root.layout.schema
    }

    /// The same, to be kept.
    pub fn shared_schema(&self) -> Arc<Schema> {
        Arc::clone(&self.root.layout.schema)
    }

    pub(crate) fn table(&self, table: usize) -> Option<&TableRows> {
        self.root.tables.get(table).map(|one| &**one)
    }

    /// Rows of one table.
    pub fn count(&self, table: Table<'_>) -> usize {
        self.table(table.position()).map_or(0, |one| one.rows.len())
    }

    /// Rows of all tables together.
    pub fn rows(&self) -> usize {
        self.root.rows
    }

    /// The highest version any row was given up to this moment; 0 before the first.
    pub fn version(&self) -> u64 {
        self.root.version
    }

    /// The row of that primary key.
    pub fn get(&self, table: Table<'_>, key: &Key) -> Option<&Row> {
        self.find(table, 0, key)
    }

    /// The row of that unique key: 0 is the primary one, then the schema's further keys.
    pub fn find(&self, table: Table<'_>, index: usize, key: &Key) -> Option<&Row> {
        self.table(table.position())?.by_key(index, key)
    }

    /// All rows of a table, by primary key.
    pub fn all(&self, table: Table<'_>) -> impl Iterator<Item = &Row> {
        let by_key = self.table(table.position()).and_then(|one| one.unique.first());
        by_key.into_iter().flat_map(|index| index.iter()).map(|(_, row)| row)
    }

    /// The primary key of a row.
    pub fn key_of(&self, at: At<'_>) -> Option<Key> {
        let columns = self.root.layout.tables.get(at.table)?.unique.first()?;
        let table = self.schema().at(at.table)?;
        key_in(columns, |column| table.at(column).map_or(CellRef::Null, |column| at.row.value(column)))
    }

    /// The rows a query asks for.
    pub fn query(&self, query: &Query<'_>) -> Page {
        // Nothing tells it to give up.
        self.query_while(query, |_| true).unwrap_or_default()
    }

    /// The same as long as `go_on` says so, which is asked after every [`crate::STRIDE`] comparisons and told how many they
    /// were; `None` if it was given up.
    pub fn query_while(&self, query: &Query<'_>, mut go_on: impl FnMut(usize) -> bool) -> Option<Page> {
        run(self, query, &mut go_on)
    }

    fn values<'v>(&'v self, at: At<'v>, columns: &[u16]) -> Option<Key> {
        let table = self.schema().at(at.table)?;
        key_in(columns, |column| table.at(column).map_or(CellRef::Null, |column| at.row.value(column)))
    }

    /// The rows that a step leads to, one after the other, until `each` says false; whether all were seen.
    fn walk<'s>(&'s self, at: At<'_>, step: &Step, each: &mut dyn FnMut(At<'s>) -> bool) -> bool {
        match step {
            Step::Nowhere => true,
            Step::One { table, index, columns } => {
                let found = self.values(at, columns).and_then(|key| self.table(*table)?.by_key(*index, &key));
                found.is_none_or(|row| each(At { table: *table, row }))
            }
            Step::Many { table, index, columns } => {
                let Some(key) = self.values(at, columns) else { return true };
                self.posted(*table, *index, &key, each)
            }
            Step::Through { between, index, columns, then } => {
                let Some(key) = self.values(at, columns) else { return true };
                self.posted(*between, *index, &key, &mut |middle| self.walk(middle, then, each))
            }
        }
    }

    pub(crate) fn posted<'s>(
        &'s self,
        table: usize,
        index: usize,
        key: &Key,
        each: &mut dyn FnMut(At<'s>) -> bool,
    ) -> bool {
        let Some(rows) = self.table(table) else { return true };
        let mut one = |recid: &i64| rows.rows.get(recid).is_none_or(|row| each(At { table, row }));
        match rows.plain.get(index).and_then(|index| index.get(key)) {
            None => true,
            Some(Posting::One(recid)) => one(recid),
            Some(Posting::Many(many)) => many.iter().all(|(recid, ())| one(recid)),
        }
    }

    /// Its rows, as conditions ask them.
    pub fn sight(&self) -> Sight<'_> {
        Sight { snapshot: self, spend: None }
    }

    /// The rows a step leads to, in order of creation.
    pub fn related<'s>(&'s self, at: At<'s>, hop: Hop) -> Vec<At<'s>> {
        let mut found = Vec::new();
        self.walk(at, self.root.layout.step(hop), &mut |row| {
            found.push(row);
            true
        });
        found
    }
}

/// Rows of a snapshot, as conditions ask them.
#[derive(Clone, Copy)]
pub struct Sight<'s> {
    pub(crate) snapshot: &'s Snapshot,
    /// Takes what the rows cost that a condition goes through; whether it should go on.
    pub(crate) spend: Option<&'s dyn Fn(usize) -> bool>,
}

impl<'s> Rows for Sight<'s> {
    type Row = At<'s>;

    fn cell(&self, row: At<'s>, column: u16) -> CellRef<'_> {
        let column = self.snapshot.schema().at(row.table).and_then(|table| table.at(column));
        column.map_or(CellRef::Null, |column| row.row.value(column))
    }

    /// Of several the first by primary key, as a query has them.
    fn follow(&self, row: At<'s>, hop: Hop) -> Option<At<'s>> {
        let several = matches!(self.snapshot.root.layout.step(hop), Step::Many { .. });
        let mut first: Option<(Option<Key>, At<'s>)> = None;
        self.many(row, hop, &mut |next| {
            let key = if several { self.snapshot.key_of(next) } else { None };
            if first.as_ref().is_none_or(|(least, _)| key < *least) {
                first = Some((key, next));
            }
            several
        });
        first.map(|(_, row)| row)
    }

    fn many(&self, row: At<'s>, hop: Hop, each: &mut dyn FnMut(At<'s>) -> bool) -> bool {
        let step = self.snapshot.root.layout.step(hop);
        self.snapshot.walk(row, step, &mut |next| self.spend.is_none_or(|spend| spend(1)) && each(next))
    }
}
