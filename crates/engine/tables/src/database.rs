//! The database: several tables behind one short lock.
//!
//! Decides what is committed and what is reserved. The committed state is persistent maps, so a snapshot is one pointer
//! and a commit copies only what it changes. No guard ever leaves this crate.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rpds::RedBlackTreeMapSync;

use crate::error::{KeyName, Reset, SchemaError, TableError};
use crate::key::Key;
use crate::row::{Columns, FIRST_RECID, Row, fits};
use crate::schema::Schema;
use crate::snapshot::Snapshot;

/// How much a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of all tables together, open insertions included.
    pub max_rows: usize,
    /// Bytes of one row as JSON.
    pub max_row_bytes: usize,
}

impl Default for Limits {
    /// 1,000,000 rows of up to 1 MiB.
    fn default() -> Self {
        Self { max_rows: 1_000_000, max_row_bytes: 1024 * 1024 }
    }
}

/// Several tables. A handle: clones share the rows.
#[derive(Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) schemas: Arc<[Schema]>,
    pub(crate) limits: Limits,
    state: Mutex<State>,
}

impl Shared {
    /// A panic while the lock is held is impossible short of exhausted memory; the state is then still used, since
    /// refusing every later request would hide the cause.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position of a table.
    pub(crate) fn position(&self, table: &str) -> Result<usize, TableError> {
        self.schemas
            .iter()
            .position(|schema| schema.name == table)
            .ok_or_else(|| TableError::UnknownTable { table: table.to_owned() })
    }
}

/// Identifies a transaction within its database.
pub(crate) type TransactionId = u64;

/// Who reserved a value of an alternate key, and for which row.
pub(crate) struct Claim {
    pub(crate) owner: TransactionId,
    pub(crate) row: Key,
}

/// Everything behind the lock.
pub(crate) struct State {
    pub(crate) root: Arc<Root>,
    /// Moved by every reset; a transaction of an earlier one is void.
    pub(crate) generation: u64,
    pub(crate) next_transaction: TransactionId,
    pub(crate) next_version: u64,
    /// Insertions reserved and not yet committed, which count against the limit.
    pub(crate) open_inserts: usize,
    /// Reserved rows, by table and primary key.
    pub(crate) locks: HashMap<(usize, Key), TransactionId>,
    /// Reserved values of alternate keys, by table, key and values.
    pub(crate) claims: HashMap<(usize, usize, Key), Claim>,
}

/// The committed rows of all tables.
#[derive(Clone)]
pub(crate) struct Root {
    pub(crate) tables: Vec<Table>,
    pub(crate) rows: usize,
    /// The highest version given so far; 0 before the first row.
    pub(crate) version: u64,
}

/// The committed rows of one table.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) rows: RedBlackTreeMapSync<Key, Row>,
    /// Primary keys by record number.
    pub(crate) insertion: RedBlackTreeMapSync<i64, Key>,
    /// For every alternate key, primary keys by its values.
    pub(crate) alternates: Vec<RedBlackTreeMapSync<Key, Key>>,
    pub(crate) next_recid: i64,
}

impl Root {
    fn empty(schemas: &[Schema], version: u64) -> Self {
        let tables = schemas
            .iter()
            .map(|schema| Table {
                rows: RedBlackTreeMapSync::new_sync(),
                insertion: RedBlackTreeMapSync::new_sync(),
                alternates: schema.alternate_keys.iter().map(|_| RedBlackTreeMapSync::new_sync()).collect(),
                next_recid: FIRST_RECID,
            })
            .collect();
        Self { tables, rows: 0, version }
    }
}

impl Table {
    /// Puts a row in place, or replaces the one of that key if it has the same record number.
    pub(crate) fn put(&mut self, key: &Key, row: Row, alternates: &[Option<Key>]) {
        self.insertion.insert_mut(row.recid, key.clone());
        self.rows.insert_mut(key.clone(), row);
        for (index, values) in self.alternates.iter_mut().zip(alternates) {
            if let Some(values) = values {
                index.insert_mut(values.clone(), key.clone());
            }
        }
    }

    /// Takes a row's entries out of the alternate keys.
    pub(crate) fn unindex(&mut self, alternates: &[Option<Key>]) {
        for (index, values) in self.alternates.iter_mut().zip(alternates) {
            if let Some(values) = values {
                index.remove_mut(values);
            }
        }
    }

    /// Takes a row out, its alternate keys aside.
    pub(crate) fn remove(&mut self, key: &Key, recid: i64) {
        self.rows.remove_mut(key);
        self.insertion.remove_mut(&recid);
    }

    /// The next record number. At a billion rows a second the sequence lasts for centuries.
    pub(crate) fn take_recid(&mut self) -> i64 {
        let recid = self.next_recid;
        self.next_recid = self.next_recid.saturating_add(1);
        recid
    }
}

impl Database {
    /// An empty database of these tables.
    pub fn new(schemas: impl IntoIterator<Item = Schema>, limits: Limits) -> Result<Self, SchemaError> {
        let schemas: Arc<[Schema]> = schemas.into_iter().collect();
        for (position, schema) in schemas.iter().enumerate() {
            schema.check()?;
            if schemas.iter().take(position).any(|other| other.name == schema.name) {
                return Err(SchemaError::DuplicateTable { table: schema.name.clone() });
            }
        }
        let state = State {
            root: Arc::new(Root::empty(&schemas, 0)),
            generation: 0,
            next_transaction: 1,
            next_version: 1,
            open_inserts: 0,
            locks: HashMap::new(),
            claims: HashMap::new(),
        };
        Ok(Self { shared: Arc::new(Shared { schemas, limits, state: Mutex::new(state) }) })
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
        let state = State {
            root: Arc::clone(&base),
            generation: 0,
            next_transaction: 1,
            next_version,
            open_inserts: 0,
            locks: HashMap::new(),
            claims: HashMap::new(),
        };
        let schemas = Arc::clone(&self.shared.schemas);
        let shared = Shared { schemas, limits: self.shared.limits, state: Mutex::new(state) };
        Draft { of: self.clone(), base, generation, database: Self { shared: Arc::new(shared) } }
    }

    /// The tables, in the order given.
    pub fn schemas(&self) -> &[Schema] {
        &self.shared.schemas
    }

    /// One table's schema.
    pub fn schema(&self, table: &str) -> Result<&Schema, TableError> {
        let position = self.shared.position(table)?;
        self.shared.schemas.get(position).ok_or_else(|| TableError::UnknownTable { table: table.to_owned() })
    }

    /// How much it holds.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// All tables as they are committed now. Costs a pointer; later commits do not show in it.
    pub fn snapshot(&self) -> Snapshot {
        let root = Arc::clone(&self.shared.lock().root);
        Snapshot::new(root, Arc::clone(&self.shared.schemas))
    }

    /// Replaces every row of every table by these (table, columns), in one step; on an error nothing changes.
    ///
    /// Open transactions become void: their reservations end, [`crate::Transaction::commit`] says [`crate::Reset`]. Record
    /// numbers begin anew, versions go on, so that an entity tag from before never matches a row from after.
    pub fn replace_all<T: AsRef<str>>(
        &self,
        rows: impl IntoIterator<Item = (T, Columns)>,
    ) -> Result<(), TableError> {
        let shared = &self.shared;
        let mut state = shared.lock();
        let mut version = state.next_version;
        let mut root = Root::empty(&shared.schemas, version.saturating_sub(1));
        for (table, columns) in rows {
            let position = shared.position(table.as_ref())?;
            // `position` came from the schemas, of which there are as many as tables
            let (Some(schema), Some(table)) = (shared.schemas.get(position), root.tables.get_mut(position))
            else {
                return Err(TableError::UnknownTable { table: table.as_ref().to_owned() });
            };
            let key = schema.primary(&columns)?;
            let alternates = schema.alternates(&columns)?;
            if !fits(&columns, shared.limits.max_row_bytes) {
                let limit = shared.limits.max_row_bytes;
                return Err(TableError::RowTooLarge { table: schema.name.clone(), limit });
            }
            if root.rows >= shared.limits.max_rows {
                return Err(TableError::DatabaseFull { limit: shared.limits.max_rows });
            }
            if table.rows.contains_key(&key) {
                return Err(schema.duplicate(KeyName::Primary, &columns));
            }
            for ((index, values), alternate) in
                table.alternates.iter().zip(&alternates).zip(&schema.alternate_keys)
            {
                if values.as_ref().is_some_and(|values| index.contains_key(values)) {
                    return Err(schema.duplicate(KeyName::Alternate(alternate.name.clone()), &columns));
                }
            }
            let recid = table.take_recid();
            table.put(&key, Row { columns: Arc::new(columns), version, recid }, &alternates);
            root.rows += 1;
            root.version = version;
            version = version.saturating_add(1);
        }
        state.root = Arc::new(root);
        state.next_version = version;
        state.generation += 1;
        state.open_inserts = 0;
        state.locks.clear();
        state.claims.clear();
        Ok(())
    }

    /// Takes every row out; open transactions become void as in [`Database::replace_all`].
    pub fn clear(&self) {
        // no rows, so nothing that could be refused
        let _ = self.replace_all(std::iter::empty::<(&str, Columns)>());
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
        state.next_version = next_version;
        Ok(())
    }
}
