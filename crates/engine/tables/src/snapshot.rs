//! Reading: all tables as they were at one moment.
//!
//! Decides nothing; a snapshot never changes and needs no lock.

use std::sync::Arc;

use crate::database::{Root, Table};
use crate::key::{Key, Reference};
use crate::query::{Page, Query, Scan, run};
use crate::row::Row;
use crate::schema::Schema;

/// All tables at one moment. Cheap to clone and to keep, though it keeps the rows of its moment alive.
#[derive(Clone)]
pub struct Snapshot {
    root: Arc<Root>,
    schemas: Arc<[Schema]>,
}

impl Snapshot {
    pub(crate) fn new(root: Arc<Root>, schemas: Arc<[Schema]>) -> Self {
        Self { root, schemas }
    }

    /// One table; `None` if the database has none of that name.
    pub fn table(&self, name: &str) -> Option<TableView<'_>> {
        let position = self.schemas.iter().position(|schema| schema.name == name)?;
        Some(TableView { schema: self.schemas.get(position)?, table: self.root.tables.get(position)? })
    }

    /// Every table, in the order of the schemas.
    pub fn tables(&self) -> impl Iterator<Item = TableView<'_>> {
        self.schemas.iter().zip(&self.root.tables).map(|(schema, table)| TableView { schema, table })
    }

    /// Rows of all tables together.
    pub fn rows(&self) -> usize {
        self.root.rows
    }

    /// The highest version any row was given up to this moment; 0 before the first.
    pub fn version(&self) -> u64 {
        self.root.version
    }
}

/// One table of a [`Snapshot`].
#[derive(Clone, Copy)]
pub struct TableView<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) table: &'s Table,
}

impl<'s> TableView<'s> {
    /// The table's name and keys.
    pub fn schema(&self) -> &'s Schema {
        self.schema
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.table.rows.size()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.table.rows.is_empty()
    }

    /// The row of that primary key.
    pub fn get(&self, key: &Key) -> Option<&'s Row> {
        self.table.rows.get(key)
    }

    /// The row a reference points to.
    pub fn find(&self, reference: &Reference) -> Option<&'s Row> {
        self.find_with_key(reference).map(|(_, row)| row)
    }

    /// The row a reference points to, with its primary key.
    pub fn find_with_key(&self, reference: &Reference) -> Option<(&'s Key, &'s Row)> {
        let key = match reference {
            Reference::Primary(key) => key,
            Reference::Alternate { index, key } => self.table.alternates.get(*index)?.get(key)?,
        };
        self.table.rows.get_key_value(key)
    }

    /// The row with these values in the alternate key of that name; `None` also if there is no such key.
    pub fn find_by_alternate(&self, name: &str, key: &Key) -> Option<&'s Row> {
        self.find(&self.schema.by_alternate(name, key.clone()).ok()?)
    }

    /// All rows in that order.
    pub fn iter(&self, scan: Scan) -> Box<dyn Iterator<Item = &'s Row> + 's> {
        match scan {
            Scan::KeyOrder => Box::new(self.table.rows.values()),
            Scan::InsertionOrder => {
                let rows = &self.table.rows;
                Box::new(self.table.insertion.values().filter_map(|key| rows.get(key)))
            }
        }
    }

    /// The rows a query asks for.
    pub fn query(&self, query: &Query<'_>) -> Page {
        self.query_visible(query, |_| true)
    }

    /// The rows a query asks for among those that `visible` lets through, as a company or privilege filter does.
    pub fn query_visible(&self, query: &Query<'_>, visible: impl Fn(&Row) -> bool) -> Page {
        // Nothing tells it to give up.
        self.query_while(query, visible, |_| true).unwrap_or_default()
    }

    /// The same as long as `go_on` says so, which is asked after every [`crate::STRIDE`] comparisons and told how many it
    /// were; `None` if it was given up.
    pub fn query_while(
        &self,
        query: &Query<'_>,
        visible: impl Fn(&Row) -> bool,
        mut go_on: impl FnMut(usize) -> bool,
    ) -> Option<Page> {
        run(self, query, &visible, &mut go_on)
    }
}
