//! The database: several tables behind one short lock.
//!
//! Decides what is committed and what is reserved. The committed state is trees that share nodes with older ones, so a snapshot
//! is one pointer and a commit copies only what it changes; the schema is a part of it. No guard ever leaves this crate.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mocktenant_schema::{CellRef, Column, Schema};

use crate::error::{Reset, TableError};
use crate::key::Key;
use crate::layout::{Layout, TableLayout};
use crate::leftovers::Leftovers;
use crate::record::{FIRST_RECID, Row, Standing, Values};
use crate::snapshot::Snapshot;
use crate::tree::Tree;

/// How much a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of all tables together, open insertions included.
    pub max_rows: usize,
    /// Bytes of one row.
    pub max_row_bytes: usize,
}

impl Default for Limits {
    /// 2,000,000 rows of up to 1 MiB.
    fn default() -> Self {
        Self { max_rows: 2_000_000, max_row_bytes: 1024 * 1024 }
    }
}

/// Several tables. A handle: clones share the rows.
#[derive(Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) limits: Limits,
    state: Mutex<State>,
}

impl Shared {
    /// A panic while the lock is held is impossible short of exhausted memory; the state is then still used, since
    /// refusing every later request would hide the cause.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Identifies a transaction within its database.
pub(crate) type TransactionId = u64;

/// Who reserved a value of a further unique key, and for which row.
pub(crate) struct Claim {
    pub(crate) owner: TransactionId,
    pub(crate) row: Key,
}

/// Everything behind the lock.
pub(crate) struct State {
    pub(crate) root: Arc<Root>,
    /// Moved by every reset and by every change of the schema; a transaction of an earlier one is void.
    pub(crate) generation: u64,
    pub(crate) next_transaction: TransactionId,
    pub(crate) next_version: u64,
    /// Insertions reserved and not yet committed, which count against the limit.
    pub(crate) open_inserts: usize,
    /// Reserved rows, by table and primary key.
    pub(crate) locks: HashMap<(usize, Key), TransactionId>,
    /// Reserved values of further unique keys, by table, key and values.
    pub(crate) claims: HashMap<(usize, usize, Key), Claim>,
}

impl State {
    /// Puts other rows in the place of all; those that were there.
    pub(crate) fn reset(&mut self, root: Root) -> Arc<Root> {
        self.generation += 1;
        self.open_inserts = 0;
        self.locks.clear();
        self.claims.clear();
        std::mem::replace(&mut self.root, Arc::new(root))
    }

    /// Versions for so many rows, which nobody else is given meanwhile.
    fn take_versions(&mut self, rows: usize) -> Range<u64> {
        let first = self.next_version;
        // no memory holds as many rows as there are versions
        self.next_version = first.saturating_add(u64::try_from(rows).unwrap_or(u64::MAX));
        first..self.next_version
    }

    /// Gives versions back that were not needed, if nobody was given one behind them.
    fn give_back(&mut self, versions: &Range<u64>, used: usize) {
        if self.next_version == versions.end {
            let used = u64::try_from(used).unwrap_or(u64::MAX);
            self.next_version = versions.start.saturating_add(used);
        }
    }
}

/// The committed rows of all tables.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) layout: Arc<Layout>,
    pub(crate) tables: Vec<Arc<TableRows>>,
    pub(crate) rows: usize,
    /// The highest version given so far; 0 before the first row.
    pub(crate) version: u64,
}

/// Rows that have one value in an index: two words.
#[derive(Clone)]
pub(crate) enum Posting {
    One(i64),
    Many(Arc<Tree<i64, ()>>),
}

impl Posting {
    fn add(&mut self, recid: i64) {
        match self {
            Self::One(other) if *other == recid => {}
            Self::One(other) => {
                let mut many = Tree::default();
                many.insert(*other, ());
                many.insert(recid, ());
                *self = Self::Many(Arc::new(many));
            }
            Self::Many(many) => Arc::make_mut(many).insert(recid, ()),
        }
    }
}

/// The committed rows of one table.
#[derive(Clone)]
pub(crate) struct TableRows {
    /// By record number.
    pub(crate) rows: Tree<i64, Row>,
    /// The same rows by each unique key, the primary one first.
    pub(crate) unique: Vec<Tree<Key, Row>>,
    /// Record numbers by each other index.
    pub(crate) plain: Vec<Tree<Key, Posting>>,
    pub(crate) next_recid: i64,
}

/// The key of an index in a row of these values; `None` where a column has none.
pub(crate) fn key_in<'v>(columns: &[u16], value: impl Fn(u16) -> CellRef<'v>) -> Option<Key> {
    let cells = || columns.iter().map(|column| value(*column));
    if cells().any(CellRef::is_null) {
        return None;
    }
    Some(Key::of(cells()))
}

impl TableRows {
    fn empty(layout: &TableLayout) -> Self {
        Self {
            rows: Tree::default(),
            unique: layout.unique.iter().map(|_| Tree::default()).collect(),
            plain: layout.plain.iter().map(|_| Tree::default()).collect(),
            next_recid: FIRST_RECID,
        }
    }

    /// Puts a row in place, with all its entries but those it has already, by the keys it had.
    pub(crate) fn put(&mut self, row: Row, keys: &Keys, had: &Keys) {
        let recid = row.recid();
        for (index, key) in self.unique.iter_mut().zip(&keys.unique) {
            if let Some(key) = key {
                index.insert(key.clone(), row.clone());
            }
        }
        self.rows.insert(recid, row);
        for (at, (index, key)) in self.plain.iter_mut().zip(&keys.plain).enumerate() {
            if let Some(one) = key
                && had.plain.get(at) != Some(key)
            {
                index.add(one.clone(), recid, Posting::One, Posting::add);
            }
        }
    }

    /// Takes a row's entries out of the indexes, its primary key's aside and those it will have again.
    pub(crate) fn unindex(&mut self, recid: i64, keys: &Keys, will_have: &Keys) {
        for (at, (index, key)) in self.unique.iter_mut().zip(&keys.unique).enumerate().skip(1) {
            if let Some(one) = key
                && will_have.unique.get(at) != Some(key)
            {
                index.remove(one);
            }
        }
        for (at, (index, key)) in self.plain.iter_mut().zip(&keys.plain).enumerate() {
            let Some(one) = key else { continue };
            if will_have.plain.get(at) == Some(key) {
                continue;
            }
            let last = match index.get_mut(one) {
                Some(Posting::Many(many)) => {
                    let many = Arc::make_mut(many);
                    many.remove(&recid);
                    many.len() == 0
                }
                Some(Posting::One(_)) => true,
                None => false,
            };
            if last {
                index.remove(one);
            }
        }
    }

    /// Takes a row out, its other keys aside.
    pub(crate) fn remove(&mut self, recid: i64, primary: &Key) {
        self.rows.remove(&recid);
        if let Some(index) = self.unique.first_mut() {
            index.remove(primary);
        }
    }

    /// The next record number. At a billion rows a second the sequence lasts for centuries.
    pub(crate) fn take_recid(&mut self) -> i64 {
        let recid = self.next_recid;
        self.next_recid = self.next_recid.saturating_add(1);
        recid
    }

    /// How many rows have that key in an index that is not unique.
    pub(crate) fn posted(&self, index: usize, key: &Key) -> usize {
        match self.plain.get(index).and_then(|index| index.get(key)) {
            None => 0,
            Some(Posting::One(_)) => 1,
            Some(Posting::Many(many)) => many.len(),
        }
    }

    pub(crate) fn by_key(&self, index: usize, key: &Key) -> Option<&Row> {
        self.unique.get(index)?.get(key)
    }
}

/// A row's keys in every index of its table.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) unique: Vec<Option<Key>>,
    pub(crate) plain: Vec<Option<Key>>,
}

impl Root {
    pub(crate) fn empty(layout: &Arc<Layout>, version: u64) -> Self {
        let tables = layout.tables.iter().map(|one| Arc::new(TableRows::empty(one))).collect();
        Self { layout: Arc::clone(layout), tables, rows: 0, version }
    }

    /// The keys of a row whose columns have these values.
    pub(crate) fn keys<'v>(&'v self, table: usize, value: impl Fn(Column<'v>) -> CellRef<'v>) -> Keys {
        let (Some(layout), Some(table)) = (self.layout.tables.get(table), self.layout.schema.at(table))
        else {
            return Keys::default();
        };
        let value = |column: u16| table.at(column).map_or(CellRef::Null, &value);
        Keys {
            unique: layout.unique.iter().map(|columns| key_in(columns, value)).collect(),
            plain: layout.plain.iter().map(|columns| key_in(columns, value)).collect(),
        }
    }

    pub(crate) fn name(&self, table: usize) -> String {
        self.layout.schema.at(table).map_or("", |table| table.name()).to_owned()
    }

    /// The error for a key that is taken.
    pub(crate) fn duplicate(&self, table: usize, key: usize, values: &Values) -> TableError {
        let mut names = (Vec::new(), Vec::new());
        if let Some(one) = self.layout.schema.at(table) {
            let columns = self.layout.tables.get(table).and_then(|layout| layout.unique.get(key));
            for column in columns.into_iter().flatten().filter_map(|column| one.at(*column)) {
                names.0.push(column.name().to_owned());
                names.1.push(values.value(column).to_cell());
            }
        }
        TableError::DuplicateKey { table: self.name(table), key, columns: names.0, values: names.1 }
    }

    /// The primary key of a row of these values.
    pub(crate) fn primary(&self, table: usize, keys: &Keys, values: &Values) -> Result<Key, TableError> {
        if let Some(Some(key)) = keys.unique.first() {
            return Ok(key.clone());
        }
        let one = self.layout.schema.at(table).ok_or(TableError::UnknownTable)?;
        let missing = one.key().find(|column| values.value(*column).is_null());
        let column = missing.map_or("", |column| column.name()).to_owned();
        Err(TableError::MissingKeyColumn { table: self.name(table), column })
    }
}

impl Database {
    /// An empty database of a schema.
    pub fn new(schema: Arc<Schema>, limits: Limits) -> Self {
        let layout = Arc::new(Layout::of(schema));
        Self::of(Arc::new(Root::empty(&layout, 0)), 1, limits)
    }

    fn of(root: Arc<Root>, next_version: u64, limits: Limits) -> Self {
        let state = State {
            root,
            generation: 0,
            next_transaction: 1,
            next_version,
            open_inserts: 0,
            locks: HashMap::new(),
            claims: HashMap::new(),
        };
        Self { shared: Arc::new(Shared { limits, state: Mutex::new(state) }) }
    }

    /// A database of its own with the rows that are committed now. Costs a pointer; reservations stay behind.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.draft().database
    }

    /// A draft of changes that become visible together or not at all. Costs a pointer.
    pub fn draft(&self) -> Draft {
        let (base, next_version, generation) = {
            let state = self.shared.lock();
            (Arc::clone(&state.root), state.next_version, state.generation)
        };
        let database = Self::of(Arc::clone(&base), next_version, self.shared.limits);
        Draft { of: self.clone(), base, generation, database }
    }

    /// The tables there are now.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(&self.shared.lock().root.layout.schema)
    }

    /// How much it holds.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// All tables as they are committed now. Costs a pointer; later commits do not show in it.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.shared.lock().root))
    }

    /// Replaces every row of every table by these, and the schema if one is given, in one step; on an error nothing changes.
    ///
    /// Open transactions become void: their reservations end, [`crate::Transaction::commit`] says [`Reset`]. Record
    /// numbers begin anew, versions go on, so that an entity tag from before never matches a row from after. What was there
    /// before is the caller's to free.
    pub fn replace_all(
        &self,
        schema: Option<Arc<Schema>>,
        rows: impl IntoIterator<Item = (usize, Values)>,
    ) -> Result<Leftovers, TableError> {
        let limits = self.shared.limits;
        // made before the lock is taken: nobody waits for it, and nothing that is committed meanwhile is to survive
        let (layout, versions) = {
            let mut state = self.shared.lock();
            (Arc::clone(&state.root.layout), state.take_versions(limits.max_rows))
        };
        let layout = schema.map_or(layout, |schema| Arc::new(Layout::of(schema)));
        let made = Root::filled(&layout, rows, versions.start, limits);
        let mut state = self.shared.lock();
        state.give_back(&versions, made.as_ref().map_or(0, |root| root.rows));
        let mut root = made?;
        root.version = state.next_version.saturating_sub(1);
        let before = state.reset(root);
        drop(state);
        Ok(Leftovers::of(before))
    }

    /// Takes every row out; open transactions become void as in [`Database::replace_all`].
    pub fn clear(&self) -> Leftovers {
        // no rows, so nothing that could be refused
        self.replace_all(None, std::iter::empty()).unwrap_or_default()
    }
}

impl Root {
    /// These rows and no others, with versions from this one on.
    fn filled(
        layout: &Arc<Layout>,
        rows: impl IntoIterator<Item = (usize, Values)>,
        first: u64,
        limits: Limits,
    ) -> Result<Self, TableError> {
        let mut root = Self::empty(layout, 0);
        for (version, (table, values)) in (first..).zip(rows) {
            root.place(table, &values, (version, Standing::First, None), limits)?;
        }
        Ok(root)
    }

    /// Puts a row where none was.
    pub(crate) fn place(
        &mut self,
        table: usize,
        values: &Values,
        (version, standing, recid): (u64, Standing, Option<i64>),
        limits: Limits,
    ) -> Result<(), TableError> {
        let keys = self.keys(table, |column| values.value(column));
        self.primary(table, &keys, values)?;
        if self.rows >= limits.max_rows {
            return Err(TableError::DatabaseFull { limit: limits.max_rows });
        }
        let Some(rows) = self.tables.get(table) else { return Err(TableError::UnknownTable) };
        let taken = rows
            .unique
            .iter()
            .zip(&keys.unique)
            .position(|(index, key)| key.as_ref().is_some_and(|key| index.get(key).is_some()));
        if let Some(key) = taken {
            return Err(self.duplicate(table, key, values));
        }
        let name = self.name(table);
        let Some(rows) = self.tables.get_mut(table) else { return Err(TableError::UnknownTable) };
        let rows = Arc::make_mut(rows);
        let recid = recid.unwrap_or_else(|| rows.take_recid());
        let mut values = values.clone();
        if let Some(table) = self.layout.schema.at(table) {
            values.drop_defaults(table);
        }
        let row = Row::new((version, standing), recid, &values);
        if row.size() > limits.max_row_bytes {
            return Err(TableError::RowTooLarge { table: name, limit: limits.max_row_bytes });
        }
        rows.put(row, &keys, &Keys::default());
        self.rows += 1;
        Ok(())
    }
}

/// Changes to a database that nobody else sees yet: several transactions, each of which sees those before it.
///
/// It is void as soon as anything else is committed to the database, so whoever drafts keeps others from writing meanwhile.
/// Dropping it leaves no trace.
pub struct Draft {
    of: Database,
    base: Arc<Root>,
    generation: u64,
    database: Database,
}

impl Draft {
    /// The database as it will be: transactions on it are part of the draft.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Makes everything visible at once, with the versions and numbers it has in the draft. [`Reset`] if the database changed
    /// meanwhile, or if somebody holds reservations in it; then nothing was written.
    pub fn adopt(self) -> Result<(), Reset> {
        let (root, next_version) = {
            let draft = self.database.shared.lock();
            (Arc::clone(&draft.root), draft.next_version)
        };
        let mut state = self.of.shared.lock();
        let untouched = state.generation == self.generation
            && Arc::ptr_eq(&state.root, &self.base)
            && state.locks.is_empty();
        if !untouched {
            return Err(Reset);
        }
        state.root = root;
        state.next_version = state.next_version.max(next_version);
        Ok(())
    }
}
