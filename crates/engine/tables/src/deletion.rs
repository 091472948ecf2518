//! What goes with a row, and what stands against its going.
//!
//! Decides the delete rules of relationships: rows that lead to the one that goes lose their link, go too, or keep it there. A row
//! that keeps another one there does so even if it would go along itself, in whichever order the rules are written; but no row
//! keeps itself, and the one that was asked to go keeps nobody. Found by the indexes of the relationships, never by looking at
//! every row, and bounded: a row takes only so many with it. A row that is reached twice goes once, so a circle of rows ends.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use mocktenant_schema::{Cell, CellRef, Deletion, Relationship, Table};

use crate::database::{Posting, Root, TableRows, key_in};
use crate::error::TableError;
use crate::key::Key;
use crate::layout::Layout;
use crate::record::{Row, Values};
use crate::transaction::{Precondition, Reserved, Transaction};

impl Transaction {
    /// Reserves the end of a row and of all that goes with it, the row itself first.
    ///
    /// # Errors
    /// Those of [`Transaction::reserve_delete`]; [`TableError::Restricted`] if rows lead to one that goes and keep it there;
    /// [`TableError::TooManyRows`] if more than `most` go or lose a link. Then some rows may be reserved already: the
    /// transaction is to be dropped.
    pub fn reserve_deletion(
        &mut self,
        table: Table<'_>,
        key: &Key,
        precondition: Precondition,
        most: usize,
    ) -> Result<Vec<Reserved>, TableError> {
        let schema = Arc::clone(self.schema());
        let held = self.holds();
        let first = self.reserve_delete(table, key, precondition)?;
        let asked = (table.position(), key.clone());
        let mut gone = HashSet::from([asked.clone()]);
        let mut reserved = vec![first];
        let mut touched = 1;
        let mut next = 0;
        let mut tables = vec![table.position()];
        let mut ways: HashMap<usize, Vec<Way<'_>>> = HashMap::new();
        while let (Some(position), Some(row)) = (tables.get(next).copied(), reserved.get(next)) {
            next += 1;
            let Some(table) = schema.at(position) else { continue };
            let (values, own) = (Arc::clone(&row.values), (position, row.key.clone()));
            // what is committed stays as it is while the rows are reserved that lead to this one
            let root = self.committed()?;
            let ways = ways.entry(position).or_insert_with(|| Way::all(table, &root, self, held));
            for way in &*ways {
                let from = way.relationship.from();
                let rule = way.relationship.delete();
                // Only the row itself and the one that was asked to go keep nobody: one of any three does, and one will do.
                let enough = if rule == Deletion::Restrict { 3 } else { usize::MAX };
                let is_held = |key: &Key| self.holds_among(from.position(), key, held);
                for key in way.leading(table, &values, &root, is_held, enough) {
                    let leading = (from.position(), key);
                    let keeps = rule == Deletion::Restrict && leading != own && leading != asked;
                    if gone.contains(&leading) && !keeps {
                        continue;
                    }
                    let (_, key) = leading;
                    touched += 1;
                    if touched > most {
                        return Err(TableError::TooManyRows { limit: most });
                    }
                    match rule {
                        Deletion::Restrict => {
                            return Err(TableError::Restricted {
                                table: table.name().to_owned(),
                                by: from.name().to_owned(),
                                relationship: way.relationship.name().to_owned(),
                            });
                        }
                        Deletion::Cascade => {
                            reserved.push(self.reserve_delete(from, &key, Precondition::MustExist)?);
                            tables.push(from.position());
                            gone.insert((from.position(), key));
                        }
                        Deletion::RemoveLink => {
                            let cleared = way.own.iter().map(|column| {
                                let cell = from.at(*column).map(|column| column.cleared().to_cell());
                                (*column, cell.unwrap_or(Cell::Null))
                            });
                            self.reserve_update(from, &key, cleared, Precondition::MustExist)?;
                        }
                        Deletion::Nothing => {}
                    }
                }
            }
        }
        Ok(reserved)
    }
}

/// A relationship by which rows lead to those of a table, and how they are found.
struct Way<'s> {
    relationship: Relationship<'s>,
    index: Index,
    /// Columns that lose their value with the link. Those of the primary key keep it: without one it would be another row.
    own: Vec<u16>,
    /// Columns of the row that goes.
    others: Vec<u16>,
    /// Rows that the transaction held before, by what they will lead to.
    held: HashMap<Key, Vec<Key>>,
}

/// An index of the table whose rows lead to others.
#[derive(Clone, Copy)]
enum Index {
    Unique(usize),
    Plain(usize),
}

impl<'s> Way<'s> {
    /// All by which a deletion goes on from a table.
    fn all(table: Table<'s>, root: &Root, transaction: &Transaction, held: usize) -> Vec<Self> {
        let leads = |one: &Relationship<'s>| one.delete() != Deletion::Nothing && !one.is_many_to_many();
        let ways = table.incoming().filter(leads);
        ways.filter_map(|relationship| Self::of(relationship, &root.layout, transaction, held)).collect()
    }

    fn of(
        relationship: Relationship<'s>,
        layout: &Layout,
        transaction: &Transaction,
        held: usize,
    ) -> Option<Self> {
        let from = relationship.from();
        let (mut own, others): (Vec<u16>, Vec<u16>) = relationship.pairs().unzip();
        let indexes = layout.tables.get(from.position())?;
        let at = |all: &[Vec<u16>]| all.iter().position(|columns| *columns == own);
        // the layout has one for every relationship
        let index =
            at(&indexes.plain).map(Index::Plain).or_else(|| at(&indexes.unique).map(Index::Unique))?;
        let mut by_link: HashMap<Key, Vec<Key>> = HashMap::new();
        for (key, keys) in transaction.held_rows(from.position(), held) {
            let link = match index {
                Index::Unique(at) => keys.unique.get(at),
                Index::Plain(at) => keys.plain.get(at),
            };
            if let Some(Some(link)) = link {
                by_link.entry(link.clone()).or_default().push(key.clone());
            }
        }
        own.retain(|column| from.key().all(|one| one.ordinal() != *column));
        Some(Self { relationship, index, own, others, held: by_link })
    }

    /// The keys of the rows that lead to one of these values. What the transaction held before counts as it will be, whatever
    /// is committed; what it holds because of this deletion is gone already, or has lost the link.
    fn leading(
        &self,
        to: Table<'_>,
        values: &Values,
        root: &Root,
        is_held: impl Fn(&Key) -> bool,
        enough: usize,
    ) -> Vec<Key> {
        let value = |column: u16| to.at(column).map_or(CellRef::Null, |column| values.value(column));
        // nothing leads to what has no value
        let Some(wanted) = key_in(&self.others, value) else { return Vec::new() };
        let from = self.relationship.from();
        let rows = root.tables.get(from.position());
        let mut found = rows.map(|rows| self.committed(rows, &wanted, is_held, enough)).unwrap_or_default();
        found.extend(self.held.get(&wanted).into_iter().flatten().cloned());
        found
    }

    fn committed(
        &self,
        rows: &TableRows,
        wanted: &Key,
        is_held: impl Fn(&Key) -> bool,
        enough: usize,
    ) -> Vec<Key> {
        let key = |row: &Row| Key::of(self.relationship.from().key().map(|column| row.value(column)));
        let numbered = |recid: &i64| rows.rows.get(recid).map(key);
        let free = |key: &Key| !is_held(key);
        match self.index {
            Index::Unique(at) => rows.by_key(at, wanted).map(key).filter(free).into_iter().collect(),
            Index::Plain(at) => match rows.plain.get(at).and_then(|index| index.get(wanted)) {
                None => Vec::new(),
                Some(Posting::One(recid)) => numbered(recid).filter(free).into_iter().collect(),
                Some(Posting::Many(many)) => {
                    many.iter().filter_map(|(recid, ())| numbered(recid)).filter(free).take(enough).collect()
                }
            },
        }
    }
}
