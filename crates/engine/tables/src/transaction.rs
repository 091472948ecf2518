//! Writing: reserve now, commit later, fail in between only by a reset.
//!
//! Decides who wins a row or a unique key: the first to reserve it. Every check is made at reservation, against what is
//! committed and against all open reservations, so committing is only writing down. Nobody ever waits for another
//! transaction: a conflict is an error at once. Only a reset takes a reservation away, and then the commit says so. Mirrors the
//! unit of work of a synchronous Dual Write, in which the record appears if and only if the other side took it.

use std::collections::HashMap;
use std::sync::Arc;

use mocktenant_schema::{Cell, Schema, Table};

use crate::database::{Claim, Database, Keys, Root, Shared, State, TransactionId};
use crate::error::{Reset, TableError};
use crate::key::Key;
use crate::record::{Row, Standing, Values};

/// Changes of one commit beyond which they are worked out while nobody waits.
const MANY: usize = 1_000;

/// What must be true of a row for a write to it (RFC 9110 `If-Match`, `If-None-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing: an update of a row that is not there inserts it.
    #[default]
    None,
    /// `If-Match: *`
    MustExist,
    /// `If-None-Match: *`
    MustNotExist,
    /// `If-Match` with the entity tag of this version.
    Version(u64),
}

/// What a write does to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The row is new.
    Insert,
    /// The row was there and stays.
    Update,
    /// The row goes.
    Delete,
}

/// A reservation that was granted.
#[derive(Debug, Clone, PartialEq)]
pub struct Reserved {
    /// The row's primary key.
    pub key: Key,
    /// What the reservation does, seen from this transaction.
    pub kind: ChangeKind,
    /// The whole row as it will be, or as it was if it goes. It gets its version and record number at the commit.
    pub values: Arc<Values>,
}

/// One row's way through a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The table, by its position in the schema.
    pub table: usize,
    /// The row's primary key.
    pub key: Key,
    /// The row before; `None` if it is new.
    pub before: Option<Row>,
    /// The row now; `None` if it is gone.
    pub after: Option<Row>,
}

impl Change {
    /// What the commit did to the row.
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Insert,
            (Some(_), Some(_)) => ChangeKind::Update,
            (Some(_), None) => ChangeKind::Delete,
        }
    }
}

/// What a commit wrote.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// The changed rows, in the order in which they were first reserved; rows inserted and deleted again are left out.
    pub changes: Vec<Change>,
}

/// A row this transaction holds.
struct Pending {
    table: usize,
    key: Key,
    before: Option<Row>,
    before_keys: Keys,
    after: Option<Arc<Values>>,
    after_keys: Keys,
    /// The row was deleted in this transaction, so what may come after it is a new row with a new number.
    renewed: bool,
}

/// A row as a transaction finds it.
struct Found {
    /// Where it is among the rows that the transaction holds.
    held: Option<usize>,
    /// What is committed, unless the transaction holds it.
    committed: Option<Row>,
}

/// A set of reserved changes. Dropping it gives everything up; [`Transaction::commit`] makes it all visible at once.
///
/// It owns its handle to the database and may be kept across awaits and sent between threads.
pub struct Transaction {
    shared: Arc<Shared>,
    id: TransactionId,
    generation: u64,
    schema: Arc<Schema>,
    /// The standing of rows that are new.
    new: Standing,
    pending: Vec<Pending>,
    positions: HashMap<(usize, Key), usize>,
}

impl Transaction {
    /// Begins with nothing reserved.
    pub fn begin(database: &Database) -> Self {
        let shared = Arc::clone(&database.shared);
        let (id, generation, schema) = {
            let mut state = shared.lock();
            let id = state.next_transaction;
            state.next_transaction += 1;
            (id, state.generation, Arc::clone(&state.root.layout.schema))
        };
        let new = Standing::Made;
        Self { shared, id, generation, schema, new, pending: Vec::new(), positions: HashMap::new() }
    }

    /// The same for rows that a database begins with.
    pub fn first(database: &Database) -> Self {
        let mut first = Self::begin(database);
        first.new = Standing::First;
        first
    }

    /// The schema it writes by; if another one comes, the transaction is void.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// A row as this transaction would leave it, by a unique key (0 is the primary one): its own reservations over what is
    /// committed now. Reserves nothing.
    pub fn get(
        &self,
        table: Table<'_>,
        index: usize,
        key: &Key,
    ) -> Result<Option<(Key, Arc<Values>)>, TableError> {
        let table = table.position();
        let state = self.shared.lock();
        self.alive(&state)?;
        let committed = state.root.tables.get(table);
        let primary = if index == 0 {
            key.clone()
        } else {
            match state.claims.get(&(table, index, key.clone())) {
                Some(claim) if claim.owner == self.id => claim.row.clone(),
                _ => {
                    let row = committed.and_then(|rows| rows.by_key(index, key));
                    let owner = row.and_then(|row| primary_of(&state.root, table, row));
                    match owner {
                        // a row this transaction holds would have claimed the values if it still had them
                        Some(owner) if !self.positions.contains_key(&(table, owner.clone())) => owner,
                        _ => return Ok(None),
                    }
                }
            }
        };
        let values = self.after(&self.find(&state, table, &primary));
        Ok(values.map(|values| (primary, values)))
    }

    /// Reserves a new row and all its unique keys.
    ///
    /// [`TableError::DuplicateKey`] if a key is taken, also by another transaction that has not committed;
    /// [`TableError::RowLocked`] if another transaction holds a committed row of that key.
    pub fn reserve_insert(&mut self, table: Table<'_>, values: Values) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let table = table.position();
        let mut state = shared.lock();
        self.alive(&state)?;
        let keys = state.root.keys(table, |column| values.value(column));
        let key = state.root.primary(table, &keys, &values)?;
        let found = self.find(&state, table, &key);
        if self.locked_by_another(&state, table, &key) {
            let locked = TableError::RowLocked { table: state.root.name(table) };
            return Err(if found.committed.is_some() {
                locked
            } else {
                state.root.duplicate(table, 0, &values)
            });
        }
        if self.exists(&found) {
            return Err(state.root.duplicate(table, 0, &values));
        }
        let values = self.place(&mut state, (table, &key, found), values, keys)?;
        Ok(Reserved { key, kind: ChangeKind::Insert, values })
    }

    /// Reserves a change of some columns; the others stay.
    ///
    /// If the row is not there and the precondition allows it, reserves its insertion: `changes` must then hold the key
    /// columns ([`TableError::MissingKeyColumn`]). Key columns may be repeated, and respelled in another case, but not
    /// changed ([`TableError::KeyColumnChanged`]).
    pub fn reserve_update(
        &mut self,
        table: Table<'_>,
        key: &Key,
        changes: impl IntoIterator<Item = (u16, Cell)>,
        precondition: Precondition,
    ) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let position = table.position();
        let mut state = shared.lock();
        let found = self.find_unlocked(&state, position, key)?;
        self.check(&state, position, &found, precondition)?;
        let kind = if self.exists(&found) { ChangeKind::Update } else { ChangeKind::Insert };
        let mut values = self.after(&found).map(Arc::unwrap_or_clone).unwrap_or_default();
        for (column, cell) in changes {
            values.set(column, cell);
        }
        let keys = state.root.keys(position, |column| values.value(column));
        let new_key = state.root.primary(position, &keys, &values)?;
        if new_key != *key {
            // the first column up to which the two are not the same
            let cells = || table.key().map(|column| values.value(column));
            let changed =
                table.key().enumerate().find(|(at, _)| !key.begins_with(&Key::of(cells().take(at + 1))));
            let column = changed.map_or("", |(_, column)| column.name()).to_owned();
            return Err(TableError::KeyColumnChanged { table: state.root.name(position), column });
        }
        let values = self.place(&mut state, (position, key, found), values, keys)?;
        Ok(Reserved { key: key.clone(), kind, values })
    }

    /// Reserves the end of a row; a row that is not there is [`TableError::NotFound`] whatever the precondition.
    pub fn reserve_delete(
        &mut self,
        table: Table<'_>,
        key: &Key,
        precondition: Precondition,
    ) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let position = table.position();
        let mut state = shared.lock();
        let found = self.find_unlocked(&state, position, key)?;
        let Some(values) = self.after(&found) else {
            return Err(TableError::NotFound { table: state.root.name(position) });
        };
        self.check(&state, position, &found, precondition)?;
        self.write(&mut state, (position, key, found), None, Keys::default());
        Ok(Reserved { key: key.clone(), kind: ChangeKind::Delete, values })
    }

    /// How many rows it holds.
    pub(crate) fn holds(&self) -> usize {
        self.pending.len()
    }

    /// Whether a row is among the first it holds.
    pub(crate) fn holds_among(&self, table: usize, key: &Key, first: usize) -> bool {
        self.positions.get(&(table, key.clone())).is_some_and(|position| *position < first)
    }

    /// Of the first rows it holds those of one table: their primary keys, and their keys in every index as they will be.
    pub(crate) fn held_rows(&self, table: usize, first: usize) -> impl Iterator<Item = (&Key, &Keys)> {
        self.pending
            .iter()
            .take(first)
            .filter(move |one| one.table == table)
            .map(|one| (&one.key, &one.after_keys))
    }

    /// What is committed now.
    pub(crate) fn committed(&self) -> Result<Arc<Root>, TableError> {
        let state = self.shared.lock();
        self.alive(&state)?;
        Ok(Arc::clone(&state.root))
    }

    /// Makes every reserved change visible, all at once: all was checked and kept when it was reserved. [`Reset`] if a reset
    /// took the reservations since; then nothing was written. Many changes are worked out beside what is committed, so that nobody
    /// waits for them; if somebody else commits meanwhile they are worked out again.
    pub fn commit(mut self) -> Result<Commit, Reset> {
        let shared = Arc::clone(&self.shared);
        let beside = (self.pending.len() > MANY).then(|| {
            let (root, version) = {
                let state = shared.lock();
                (Arc::clone(&state.root), state.next_version)
            };
            let (mut changed, mut next) = (Root::clone(&root), version);
            let changes = apply(&self.pending, self.new, &mut changed, &mut next);
            (root, version, changed, next, changes)
        });
        // what is over goes when the lock is free again
        let (mut pending, mut before) = (Vec::new(), Vec::new());
        let mut state = shared.lock();
        if self.alive(&state).is_err() {
            return Err(Reset);
        }
        if self.pending.is_empty() {
            return Ok(Commit::default());
        }
        self.release(&mut state);
        std::mem::swap(&mut pending, &mut self.pending);
        let state = &mut *state;
        let changes = match beside {
            Some((root, version, changed, next, changes))
                if Arc::ptr_eq(&root, &state.root) && version == state.next_version =>
            {
                state.root = Arc::new(changed);
                state.next_version = next;
                before.push(root);
                changes
            }
            _ => apply(&pending, self.new, Arc::make_mut(&mut state.root), &mut state.next_version),
        };
        Ok(Commit { changes })
    }

    fn alive(&self, state: &State) -> Result<(), TableError> {
        let same =
            state.generation == self.generation && Arc::ptr_eq(&state.root.layout.schema, &self.schema);
        if same { Ok(()) } else { Err(TableError::Reset) }
    }

    fn locked_by_another(&self, state: &State, table: usize, key: &Key) -> bool {
        state.locks.get(&(table, key.clone())).is_some_and(|owner| *owner != self.id)
    }

    fn find(&self, state: &State, table: usize, key: &Key) -> Found {
        let held = self.positions.get(&(table, key.clone())).copied();
        let committed = if held.is_none() { committed(state, table, key).cloned() } else { None };
        Found { held, committed }
    }

    /// The same, unless another transaction holds it.
    fn find_unlocked(&self, state: &State, table: usize, key: &Key) -> Result<Found, TableError> {
        self.alive(state)?;
        if self.locked_by_another(state, table, key) {
            return Err(TableError::RowLocked { table: state.root.name(table) });
        }
        Ok(self.find(state, table, key))
    }

    fn held(&self, found: &Found) -> Option<&Pending> {
        self.pending.get(found.held?)
    }

    /// Whether the row is there, as this transaction sees it.
    fn exists(&self, found: &Found) -> bool {
        self.held(found).map_or(found.committed.is_some(), |pending| pending.after.is_some())
    }

    /// The row as this transaction sees it.
    fn after(&self, found: &Found) -> Option<Arc<Values>> {
        match self.held(found) {
            Some(pending) => pending.after.clone(),
            None => found.committed.as_ref().map(|row| Arc::new(row.values())),
        }
    }

    fn check(
        &self,
        state: &State,
        table: usize,
        found: &Found,
        precondition: Precondition,
    ) -> Result<(), TableError> {
        let name = || state.root.name(table);
        match (precondition, self.exists(found)) {
            (Precondition::None | Precondition::MustExist, true)
            | (Precondition::None | Precondition::MustNotExist, false) => Ok(()),
            (Precondition::MustExist | Precondition::Version(_), false) => {
                Err(TableError::NotFound { table: name() })
            }
            (Precondition::MustNotExist, true) => Err(TableError::AlreadyExists { table: name() }),
            (Precondition::Version(expected), true) => {
                let before = match self.held(found) {
                    Some(pending) if pending.renewed => None,
                    Some(pending) => pending.before.as_ref(),
                    None => found.committed.as_ref(),
                };
                let actual = before.map_or(0, Row::version);
                if actual == expected {
                    return Ok(());
                }
                Err(TableError::VersionMismatch { table: name(), expected, actual })
            }
        }
    }

    /// Checks size, room and unique keys of a row's new content, then reserves it.
    fn place(
        &mut self,
        state: &mut State,
        (table, key, found): (usize, &Key, Found),
        mut values: Values,
        keys: Keys,
    ) -> Result<Arc<Values>, TableError> {
        let limits = self.shared.limits;
        if let Some(table) = self.schema.at(table) {
            values.drop_defaults(table);
        }
        if Row::size_of(&values) > limits.max_row_bytes {
            return Err(TableError::RowTooLarge {
                table: state.root.name(table),
                limit: limits.max_row_bytes,
            });
        }
        let counted = match self.held(&found) {
            Some(pending) => pending.before.is_some() || pending.after.is_some(),
            None => found.committed.is_some(),
        };
        if !counted && state.root.rows.saturating_add(state.open_inserts) >= limits.max_rows {
            return Err(TableError::DatabaseFull { limit: limits.max_rows });
        }
        for (index, values_of_key) in keys.unique.iter().enumerate().skip(1) {
            let taken =
                values_of_key.as_ref().is_some_and(|one| !self.may_claim(state, table, index, one, key));
            if taken {
                return Err(state.root.duplicate(table, index, &values));
            }
        }
        let values = Arc::new(values);
        self.write(state, (table, key, found), Some(Arc::clone(&values)), keys);
        Ok(values)
    }

    /// Whether the row `key` may have these values of a further unique key.
    fn may_claim(&self, state: &State, table: usize, index: usize, values: &Key, key: &Key) -> bool {
        if let Some(claim) = state.claims.get(&(table, index, values.clone())) {
            return claim.owner == self.id && claim.row == *key;
        }
        let owner = state.root.tables.get(table).and_then(|rows| rows.by_key(index, values));
        match owner.and_then(|row| primary_of(&state.root, table, row)) {
            None => true,
            // another committed row has them; if this transaction holds that row it has given them up, or there would
            // be a claim
            Some(owner) => owner == *key || self.positions.contains_key(&(table, owner)),
        }
    }

    /// Writes a checked reservation down. `after` is `None` for a row that goes.
    fn write(
        &mut self,
        state: &mut State,
        (table, key, found): (usize, &Key, Found),
        after: Option<Arc<Values>>,
        keys: Keys,
    ) {
        let position = found.held.unwrap_or_else(|| {
            let before = found.committed;
            let before_keys = before.as_ref().map(|row| state.root.keys(table, |column| row.value(column)));
            let position = self.pending.len();
            self.pending.push(Pending {
                table,
                key: key.clone(),
                before,
                before_keys: before_keys.unwrap_or_default(),
                after: None,
                after_keys: Keys::default(),
                renewed: false,
            });
            self.positions.insert((table, key.clone()), position);
            state.locks.insert((table, key.clone()), self.id);
            position
        });
        let Some(pending) = self.pending.get_mut(position) else { return };
        if pending.before.is_none() {
            match (pending.after.is_some(), after.is_some()) {
                (false, true) => state.open_inserts += 1,
                (true, false) => state.open_inserts = state.open_inserts.saturating_sub(1),
                _ => {}
            }
        }
        for (index, values) in pending.after_keys.unique.drain(..).enumerate().skip(1) {
            if let Some(values) = values {
                state.claims.remove(&(table, index, values));
            }
        }
        for (index, values) in keys.unique.iter().enumerate().skip(1) {
            if let Some(values) = values {
                let claim = Claim { owner: self.id, row: key.clone() };
                state.claims.insert((table, index, values.clone()), claim);
            }
        }
        pending.renewed |= after.is_none();
        pending.after = after;
        pending.after_keys = keys;
    }

    /// Takes every lock and claim of this transaction out of the state.
    fn release(&mut self, state: &mut State) {
        for pending in &self.pending {
            state.locks.remove(&(pending.table, pending.key.clone()));
            for (index, values) in pending.after_keys.unique.iter().enumerate().skip(1) {
                if let Some(values) = values {
                    state.claims.remove(&(pending.table, index, values.clone()));
                }
            }
            if pending.before.is_none() && pending.after.is_some() {
                state.open_inserts = state.open_inserts.saturating_sub(1);
            }
        }
        self.positions.clear();
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        // a reset has already taken everything, and others may have reserved the same since
        if self.alive(&state).is_ok() {
            self.release(&mut state);
        }
    }
}

/// Writes changes into rows: all of it was checked when they were reserved.
fn apply(pending: &[Pending], new: Standing, root: &mut Root, next_version: &mut u64) -> Vec<Change> {
    let none = Keys::default();
    // all old entries go before any new one comes: two rows may have exchanged the values of a unique key
    for row in pending {
        if let (Some(before), Some(table)) = (&row.before, root.tables.get_mut(row.table)) {
            let table = Arc::make_mut(table);
            let stays = row.after.is_some() && !row.renewed;
            table.unindex(before.recid(), &row.before_keys, if stays { &row.after_keys } else { &none });
            if !stays {
                table.remove(before.recid(), &row.key);
                root.rows = root.rows.saturating_sub(1);
            }
        }
    }
    let mut changes = Vec::with_capacity(pending.len());
    for row in pending {
        // a reservation always names a table that exists
        let Some(table) = root.tables.get_mut(row.table) else { continue };
        let after = row.after.as_ref().map(|values| {
            let table = Arc::make_mut(table);
            let kept = row.before.as_ref().filter(|_| !row.renewed).map(Row::recid);
            if kept.is_none() {
                root.rows += 1;
            }
            let recid = kept.unwrap_or_else(|| table.take_recid());
            let version = *next_version;
            *next_version = version.saturating_add(1);
            root.version = version;
            let standing = if kept.is_some() { Standing::Changed } else { new };
            let after = Row::new((version, standing), recid, values);
            table.put(after.clone(), &row.after_keys, if kept.is_some() { &row.before_keys } else { &none });
            after
        });
        if row.before.is_some() || after.is_some() {
            changes.push(Change {
                table: row.table,
                key: row.key.clone(),
                before: row.before.clone(),
                after,
            });
        }
    }
    changes
}

fn committed<'s>(state: &'s State, table: usize, key: &Key) -> Option<&'s Row> {
    state.root.tables.get(table)?.by_key(0, key)
}

/// The primary key of a row.
fn primary_of(root: &Root, table: usize, row: &Row) -> Option<Key> {
    let (layout, one) = (root.layout.tables.get(table)?, root.layout.schema.at(table)?);
    let cells = layout
        .unique
        .first()?
        .iter()
        .map(|column| one.at(*column).map(|column| row.value(column)).unwrap_or_default());
    Some(Key::of(cells))
}
