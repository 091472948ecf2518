//! Writing: reserve now, commit later, fail in between only by a reset.
//!
//! Decides who wins a row or a unique key: the first to reserve it. Every check is made at reservation, against what is
//! committed and against all open reservations, so committing is only writing down. Nobody ever waits for another
//! transaction: a conflict is an error at once. Only a reset takes a reservation away, and then the commit says so. Mirrors the unit of work of a synchronous Dual Write, in which the
//! record appears if and only if the other side took it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::database::{Claim, Database, Shared, State, TransactionId};
use crate::error::{KeyName, Reset, TableError};
use crate::key::{Key, Reference};
use crate::row::{Columns, Row, fits};
use crate::schema::Schema;

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
    pub columns: Arc<Columns>,
}

/// One row's way through a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The table.
    pub table: String,
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
    before_alternates: Vec<Option<Key>>,
    after: Option<Arc<Columns>>,
    after_alternates: Vec<Option<Key>>,
    /// The row was deleted in this transaction, so what may come after it is a new row with a new number.
    renewed: bool,
}

/// A set of reserved changes. Dropping it gives everything up; [`Transaction::commit`] makes it all visible at once.
///
/// It owns its handle to the database and may be kept across awaits and sent between threads.
pub struct Transaction {
    shared: Arc<Shared>,
    id: TransactionId,
    generation: u64,
    pending: Vec<Pending>,
    positions: HashMap<(usize, Key), usize>,
}

impl Transaction {
    /// Begins with nothing reserved.
    pub fn begin(database: &Database) -> Self {
        let shared = Arc::clone(&database.shared);
        let (id, generation) = {
            let mut state = shared.lock();
            let id = state.next_transaction;
            state.next_transaction += 1;
            (id, state.generation)
        };
        Self { shared, id, generation, pending: Vec::new(), positions: HashMap::new() }
    }

    /// A row as this transaction would leave it: its own reservations over what is committed now. Reserves nothing.
    pub fn get(&self, table: &str, reference: &Reference) -> Result<Option<Arc<Columns>>, TableError> {
        let table = self.shared.position(table)?;
        let state = self.shared.lock();
        self.alive(&state)?;
        let committed = state.root.tables.get(table);
        let key = match reference {
            Reference::Primary(key) => key.clone(),
            Reference::Alternate { index, key } => {
                match state.claims.get(&(table, *index, key.clone())) {
                    Some(claim) if claim.owner == self.id => claim.row.clone(),
                    _ => {
                        let owner =
                            committed.and_then(|table| table.alternates.get(*index)?.get(key).cloned());
                        match owner {
                            // a row this transaction holds would have claimed the values if it still had them
                            Some(owner) if !self.positions.contains_key(&(table, owner.clone())) => owner,
                            _ => return Ok(None),
                        }
                    }
                }
            }
        };
        Ok(match self.held(table, &key) {
            Some(pending) => pending.after.clone(),
            None => committed.and_then(|table| table.rows.get(&key)).map(|row| Arc::clone(&row.columns)),
        })
    }

    /// Reserves a new row and all its unique keys.
    ///
    /// [`TableError::DuplicateKey`] if a key is taken, also by another transaction that has not committed;
    /// [`TableError::RowLocked`] if another transaction holds a committed row of that key.
    pub fn reserve_insert(&mut self, table: &str, row: Columns) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let (table, schema) = named(&shared, table)?;
        let key = schema.primary(&row)?;
        let mut state = shared.lock();
        self.alive(&state)?;
        let committed = committed(&state, table, &key);
        if self.locked_by_another(&state, table, &key) {
            return Err(match committed {
                Some(_) => TableError::RowLocked { table: schema.name.clone(), key },
                None => schema.duplicate(KeyName::Primary, &row),
            });
        }
        let exists = match self.held(table, &key) {
            Some(pending) => pending.after.is_some(),
            None => committed.is_some(),
        };
        if exists {
            return Err(schema.duplicate(KeyName::Primary, &row));
        }
        let columns = self.place(&mut state, table, schema, &key, row)?;
        Ok(Reserved { key, kind: ChangeKind::Insert, columns })
    }

    /// Reserves a change of some columns; the others stay. A column changed to null keeps its place with null in it.
    ///
    /// If the row is not there and the precondition allows it, reserves its insertion: `changes` must then hold the key
    /// columns ([`TableError::MissingKeyColumn`]). Key columns may be repeated, and respelled in another case, but not
    /// changed ([`TableError::KeyColumnChanged`]).
    pub fn reserve_update(
        &mut self,
        table: &str,
        key: &Key,
        changes: Columns,
        precondition: Precondition,
    ) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let (table, schema) = named(&shared, table)?;
        let mut state = shared.lock();
        let current = self.current(&state, table, schema, key)?;
        self.check(&state, table, schema, key, current.is_some(), precondition)?;
        let kind = if current.is_some() { ChangeKind::Update } else { ChangeKind::Insert };
        let mut row = current.map(|columns| Columns::clone(&columns)).unwrap_or_default();
        row.extend(changes);
        let new_key = schema.primary(&row)?;
        if new_key != *key {
            let unchanged =
                new_key.parts().iter().zip(key.parts()).take_while(|(new, old)| new == old).count();
            let column = schema.primary_key.get(unchanged).cloned().unwrap_or_default();
            return Err(TableError::KeyColumnChanged { table: schema.name.clone(), column });
        }
        let columns = self.place(&mut state, table, schema, key, row)?;
        Ok(Reserved { key: key.clone(), kind, columns })
    }

    /// Reserves the end of a row; a row that is not there is [`TableError::NotFound`] whatever the precondition.
    pub fn reserve_delete(
        &mut self,
        table: &str,
        key: &Key,
        precondition: Precondition,
    ) -> Result<Reserved, TableError> {
        let shared = Arc::clone(&self.shared);
        let (table, schema) = named(&shared, table)?;
        let mut state = shared.lock();
        let Some(columns) = self.current(&state, table, schema, key)? else {
            return Err(TableError::NotFound { table: schema.name.clone(), key: key.clone() });
        };
        self.check(&state, table, schema, key, true, precondition)?;
        self.write(&mut state, table, schema, key, None, Vec::new());
        Ok(Reserved { key: key.clone(), kind: ChangeKind::Delete, columns })
    }

    /// Makes every reserved change visible, all at once: all was checked and kept when it was reserved. [`Reset`] if a reset
    /// took the reservations since; then nothing was written.
    pub fn commit(mut self) -> Result<Commit, Reset> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        if self.alive(&state).is_err() {
            return Err(Reset);
        }
        self.release(&mut state);
        let pending = std::mem::take(&mut self.pending);
        let state = &mut *state;
        let root = Arc::make_mut(&mut state.root);
        // all old entries go before any new one comes: two rows may have exchanged the values of an alternate key
        for row in &pending {
            if let (Some(before), Some(table)) = (&row.before, root.tables.get_mut(row.table)) {
                table.unindex(&row.before_alternates);
                if row.after.is_none() || row.renewed {
                    table.remove(&row.key, before.recid);
                    root.rows = root.rows.saturating_sub(1);
                }
            }
        }
        let mut changes = Vec::with_capacity(pending.len());
        for row in pending {
            let (Some(table), Some(schema)) = (root.tables.get_mut(row.table), shared.schemas.get(row.table))
            else {
                continue; // a reservation always names a table that exists
            };
            let after = row.after.map(|columns| {
                let kept = row.before.as_ref().filter(|_| !row.renewed).map(|before| before.recid);
                if kept.is_none() {
                    root.rows += 1;
                }
                let recid = kept.unwrap_or_else(|| table.take_recid());
                let version = state.next_version;
                state.next_version = version.saturating_add(1);
                root.version = version;
                let after = Row { columns, version, recid };
                table.put(&row.key, after.clone(), &row.after_alternates);
                after
            });
            if row.before.is_some() || after.is_some() {
                changes.push(Change { table: schema.name.clone(), key: row.key, before: row.before, after });
            }
        }
        Ok(Commit { changes })
    }

    fn alive(&self, state: &State) -> Result<(), TableError> {
        if state.generation == self.generation { Ok(()) } else { Err(TableError::Reset) }
    }

    fn held(&self, table: usize, key: &Key) -> Option<&Pending> {
        self.positions.get(&(table, key.clone())).and_then(|position| self.pending.get(*position))
    }

    fn locked_by_another(&self, state: &State, table: usize, key: &Key) -> bool {
        state.locks.get(&(table, key.clone())).is_some_and(|owner| *owner != self.id)
    }

    /// The row as this transaction sees it, unless another one holds it.
    fn current(
        &self,
        state: &State,
        table: usize,
        schema: &Schema,
        key: &Key,
    ) -> Result<Option<Arc<Columns>>, TableError> {
        self.alive(state)?;
        if self.locked_by_another(state, table, key) {
            return Err(TableError::RowLocked { table: schema.name.clone(), key: key.clone() });
        }
        Ok(match self.held(table, key) {
            Some(pending) => pending.after.clone(),
            None => committed(state, table, key).map(|row| Arc::clone(&row.columns)),
        })
    }

    fn check(
        &self,
        state: &State,
        table: usize,
        schema: &Schema,
        key: &Key,
        exists: bool,
        precondition: Precondition,
    ) -> Result<(), TableError> {
        let named = || (schema.name.clone(), key.clone());
        match (precondition, exists) {
            (Precondition::None | Precondition::MustExist, true)
            | (Precondition::None | Precondition::MustNotExist, false) => Ok(()),
            (Precondition::MustExist | Precondition::Version(_), false) => {
                let (table, key) = named();
                Err(TableError::NotFound { table, key })
            }
            (Precondition::MustNotExist, true) => {
                let (table, key) = named();
                Err(TableError::AlreadyExists { table, key })
            }
            (Precondition::Version(expected), true) => {
                let actual = match self.held(table, key) {
                    Some(pending) if pending.renewed => 0,
                    Some(pending) => pending.before.as_ref().map_or(0, |row| row.version),
                    None => committed(state, table, key).map_or(0, |row| row.version),
                };
                if actual == expected {
                    return Ok(());
                }
                let (table, key) = named();
                Err(TableError::VersionMismatch { table, key, expected, actual })
            }
        }
    }

    /// Checks size, room and unique keys of a row's new content, then reserves it.
    fn place(
        &mut self,
        state: &mut State,
        table: usize,
        schema: &Schema,
        key: &Key,
        row: Columns,
    ) -> Result<Arc<Columns>, TableError> {
        let alternates = schema.alternates(&row)?;
        let limits = self.shared.limits;
        if !fits(&row, limits.max_row_bytes) {
            return Err(TableError::RowTooLarge { table: schema.name.clone(), limit: limits.max_row_bytes });
        }
        let counted = match self.held(table, key) {
            Some(pending) => pending.before.is_some() || pending.after.is_some(),
            None => committed(state, table, key).is_some(),
        };
        if !counted && state.root.rows.saturating_add(state.open_inserts) >= limits.max_rows {
            return Err(TableError::DatabaseFull { limit: limits.max_rows });
        }
        for (index, (values, alternate)) in alternates.iter().zip(&schema.alternate_keys).enumerate() {
            if values.as_ref().is_some_and(|values| !self.may_claim(state, table, index, values, key)) {
                return Err(schema.duplicate(KeyName::Alternate(alternate.name.clone()), &row));
            }
        }
        let columns = Arc::new(row);
        self.write(state, table, schema, key, Some(Arc::clone(&columns)), alternates);
        Ok(columns)
    }

    /// Whether the row `key` may have these values of an alternate key.
    fn may_claim(&self, state: &State, table: usize, index: usize, values: &Key, key: &Key) -> bool {
        if let Some(claim) = state.claims.get(&(table, index, values.clone())) {
            return claim.owner == self.id && claim.row == *key;
        }
        match state.root.tables.get(table).and_then(|table| table.alternates.get(index)?.get(values)) {
            None => true,
            // another committed row has them; if this transaction holds that row it has given them up, or there would
            // be a claim
            Some(owner) => owner == key || self.positions.contains_key(&(table, owner.clone())),
        }
    }

    /// Writes a checked reservation down. `after` is `None` for a row that goes.
    fn write(
        &mut self,
        state: &mut State,
        table: usize,
        schema: &Schema,
        key: &Key,
        after: Option<Arc<Columns>>,
        alternates: Vec<Option<Key>>,
    ) {
        let position = if let Some(position) = self.positions.get(&(table, key.clone())) {
            *position
        } else {
            let before = committed(state, table, key).cloned();
            // the columns were checked when the row was written, so the keys can be made again
            let before_alternates =
                before.as_ref().and_then(|row| schema.alternates(&row.columns).ok()).unwrap_or_default();
            let position = self.pending.len();
            self.pending.push(Pending {
                table,
                key: key.clone(),
                before,
                before_alternates,
                after: None,
                after_alternates: Vec::new(),
                renewed: false,
            });
            self.positions.insert((table, key.clone()), position);
            state.locks.insert((table, key.clone()), self.id);
            position
        };
        let Some(pending) = self.pending.get_mut(position) else { return };
        if pending.before.is_none() {
            match (pending.after.is_some(), after.is_some()) {
                (false, true) => state.open_inserts += 1,
                (true, false) => state.open_inserts = state.open_inserts.saturating_sub(1),
                _ => {}
            }
        }
        for (index, values) in pending.after_alternates.drain(..).enumerate() {
            if let Some(values) = values {
                state.claims.remove(&(table, index, values));
            }
        }
        for (index, values) in alternates.iter().enumerate() {
            if let Some(values) = values {
                let claim = Claim { owner: self.id, row: key.clone() };
                state.claims.insert((table, index, values.clone()), claim);
            }
        }
        pending.renewed |= after.is_none();
        pending.after = after;
        pending.after_alternates = alternates;
    }

    /// Takes every lock and claim of this transaction out of the state.
    fn release(&mut self, state: &mut State) {
        for pending in &self.pending {
            state.locks.remove(&(pending.table, pending.key.clone()));
            for (index, values) in pending.after_alternates.iter().enumerate() {
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

fn named<'s>(shared: &'s Shared, table: &str) -> Result<(usize, &'s Schema), TableError> {
    let position = shared.position(table)?;
    let schema = shared.schemas.get(position);
    schema
        .map(|schema| (position, schema))
        .ok_or_else(|| TableError::UnknownTable { table: table.to_owned() })
}

fn committed<'s>(state: &'s State, table: usize, key: &Key) -> Option<&'s Row> {
    state.root.tables.get(table)?.rows.get(key)
}
