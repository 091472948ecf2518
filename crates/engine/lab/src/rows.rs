//! The rows of every product, by the scope that owns them, and what a reset does to them.
//!
//! Decides when rows come to be (with the first request that needs them, from the declaration), that declared rows which
//! are edited later change what is there, and that what began before a reset writes nothing after it: not the exchange
//! that was answering, nor a call another product makes because of it. What a row means is its surface's; a restart of a
//! machine leaves its scope's rows alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use mocktenant_schema::{Cell, Schema, Table};
use mocktenant_tables::{
    Commit, Database, Draft, Key, Leftovers, Limits, Precondition, Reset, TableError, Transaction, Values,
};
use mocktenant_world::{Setting, pointers};
use tokio::sync::Notify;

use crate::Scope;
use crate::clock::lock;

/// The tables a surface keeps for one scope.
#[derive(Debug)]
pub struct Tables {
    /// Their shapes.
    pub schema: Arc<Schema>,
    /// How much they hold.
    pub limits: Limits,
}

/// A row that the declaration asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct DeclaredRow {
    /// The table, by its name.
    pub table: String,
    /// The name it is declared under.
    pub name: String,
    /// What its columns hold, by their names.
    pub cells: Vec<(String, Cell)>,
}

impl DeclaredRow {
    /// Its values in a table of this shape; a column that the table has not is left out.
    fn values(&self, table: Table<'_>) -> Values {
        let known = |(name, cell): &(String, Cell)| Some((table.column(name)?.ordinal(), cell.clone()));
        self.cells.iter().filter_map(known).collect()
    }

    fn key(&self, table: Table<'_>) -> Option<Key> {
        let values = self.values(table);
        let complete = table.key().all(|column| !values.value(column).is_null());
        complete.then(|| Key::of(table.key().map(|column| values.value(column))))
    }
}

/// This machine's scope has no rows: its surface keeps none, or the tables it names cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this place has no rows")]
pub struct NoRows;

/// Why an edit of declared rows, or of the tables they are in, cannot take effect.
#[derive(Debug, thiserror::Error)]
pub enum RowRefused {
    /// A declared row stands against what is there.
    #[error("the row `{name}` of {set} in {scope}: {why}")]
    Row {
        /// Whose rows.
        scope: Scope,
        /// The entity set.
        set: String,
        /// The declared name.
        name: String,
        /// What stands against it.
        why: Box<TableError>,
    },
    /// The rows that are there do not fit into the tables.
    #[error("the rows in {scope} do not fit into these tables: {why}")]
    Tables {
        /// Whose rows.
        scope: Scope,
        /// What stands against it.
        why: Box<TableError>,
    },
}

impl RowRefused {
    /// Where the row, or the tables, are declared.
    pub fn setting(&self) -> Setting {
        match self {
            Self::Row { scope, set, name, .. } => {
                let records = match scope {
                    Scope::Organization(of) => pointers::organization(of).records(set),
                    Scope::Tenant(of) | Scope::FederationService(of) | Scope::Environment(of) => {
                        pointers::environment(of).records(set)
                    }
                };
                records.join(name)
            }
            Self::Tables { scope, .. } => match scope {
                Scope::Organization(of) => pointers::organization(of).tables(),
                Scope::Tenant(of) | Scope::FederationService(of) | Scope::Environment(of) => {
                    pointers::environment(of).tables()
                }
            },
        }
    }
}

/// What an edit makes of rows that are in use: not yet visible.
pub(crate) enum Change {
    /// Declared rows that became others.
    Rows(Transaction),
    /// Tables that became others, with all rows.
    Tables { of: Database, made: Database },
}

impl Change {
    /// What has to change where rows are in use: their tables if those are others now, and declared rows.
    pub(crate) fn of(
        scope: &Scope,
        database: &Database,
        schema: &Arc<Schema>,
        (before, after): (&[DeclaredRow], &[DeclaredRow]),
    ) -> Result<Option<Self>, RowRefused> {
        if Arc::ptr_eq(schema, &database.schema()) {
            return Ok(redeclared(scope, database, before, after)?.map(Self::Rows));
        }
        let made = database.fork();
        let redefined = made.redefine(Arc::clone(schema));
        free(redefined.map_err(|why| RowRefused::Tables { scope: scope.clone(), why: Box::new(why) })?);
        if let Some(transaction) = redeclared(scope, &made, before, after)? {
            // Nobody else has this copy, so nobody has reset it.
            let _written = transaction.commit();
        }
        Ok(Some(Self::Tables { of: database.clone(), made }))
    }

    /// Makes it visible.
    pub(crate) fn apply(self) {
        match self {
            // Resets are commands too, and this one is being applied.
            Self::Rows(transaction) => drop(transaction.commit()),
            Self::Tables { of, made } => free(of.take_over(&made)),
        }
    }
}

/// What an exchange depends on not having been reset besides its own scope: those of the exchanges it was made because of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    /// The number of resets when the first of them began.
    since: u64,
    scopes: Option<Arc<Inherited>>,
}

#[derive(Debug)]
struct Inherited {
    scope: Scope,
    from: Option<Arc<Self>>,
}

impl Lineage {
    /// What a call depends on that an exchange of this scope makes.
    pub(crate) fn below(&self, scope: Option<Scope>) -> Self {
        match scope {
            Some(scope) => {
                let inherited = Inherited { scope, from: self.scopes.clone() };
                Self { since: self.since, scopes: Some(Arc::new(inherited)) }
            }
            None => self.clone(),
        }
    }
}

/// When each scope was last reset, in numbers of resets.
#[derive(Clone, Debug, Default)]
struct Resets {
    all: u64,
    scopes: HashMap<Scope, u64>,
}

impl Resets {
    fn touched(&self, lineage: &Lineage, own: Option<&Scope>) -> bool {
        let mut inherited = lineage.scopes.as_deref();
        let scopes = std::iter::from_fn(|| {
            let one = inherited?;
            inherited = one.from.as_deref();
            Some(&one.scope)
        });
        let reset = |scope| self.scopes.get(scope).is_some_and(|at| *at > lineage.since);
        self.all > lineage.since || own.into_iter().chain(scopes).any(reset)
    }
}

/// The rows of one scope that are in use.
pub(crate) struct Opened {
    /// The surface they belong to, by its place in the lab.
    pub(crate) owner: usize,
    pub(crate) database: Database,
}

/// The rows of one lab.
#[derive(Default)]
pub(crate) struct Rows {
    opened: Mutex<HashMap<Scope, Opened>>,
    /// Read while a commit is made, written while a reset is: a commit is before or after a reset, never beside it.
    resets: RwLock<Resets>,
    count: AtomicU64,
    /// Rung by every reset.
    reset: Notify,
}

impl Rows {
    /// Where an exchange stands that begins now.
    pub(crate) fn begin(&self) -> Lineage {
        Lineage { since: self.count.load(Ordering::Acquire), scopes: None }
    }

    /// Whether a reset came over anything an exchange of this scope depends on.
    pub(crate) fn was_reset(&self, lineage: &Lineage, own: Option<&Scope>) -> bool {
        self.resets.read().unwrap_or_else(PoisonError::into_inner).touched(lineage, own)
    }

    /// The number of the reset that a scope was last reset by, alone or with everything; 0 before the first.
    pub(crate) fn generation(&self, scope: &Scope) -> u64 {
        let resets = self.resets.read().unwrap_or_else(PoisonError::into_inner);
        resets.scopes.get(scope).copied().unwrap_or_default().max(resets.all)
    }

    /// The same as it was when what has this lineage began.
    pub(crate) fn generation_of(&self, lineage: &Lineage, scope: &Scope) -> u64 {
        // A reset that came later has a number of its own, which nothing before it may bear. Where the count stood then is
        // below it, and not above whatever was the scope's.
        self.generation(scope).min(lineage.since)
    }

    /// Whether a reset of everything came since.
    pub(crate) fn all_was_reset(&self, lineage: &Lineage) -> bool {
        self.resets.read().unwrap_or_else(PoisonError::into_inner).all > lineage.since
    }

    /// Resolves once a reset has come over anything an exchange of this scope depends on.
    pub(crate) async fn until_reset(&self, lineage: &Lineage, own: Option<&Scope>) {
        loop {
            let mut reset = std::pin::pin!(self.reset.notified());
            // Heard from here on, so that a reset between the look and the wait is not missed.
            reset.as_mut().enable();
            if self.was_reset(lineage, own) {
                return;
            }
            reset.await;
        }
    }

    pub(crate) fn commit(
        &self,
        lineage: &Lineage,
        own: Option<&Scope>,
        transaction: Transaction,
    ) -> Result<Commit, Reset> {
        let resets = self.resets.read().unwrap_or_else(PoisonError::into_inner);
        if resets.touched(lineage, own) {
            return Err(Reset);
        }
        transaction.commit()
    }

    pub(crate) fn adopt(&self, lineage: &Lineage, own: Option<&Scope>, draft: Draft) -> Result<(), Reset> {
        let resets = self.resets.read().unwrap_or_else(PoisonError::into_inner);
        if resets.touched(lineage, own) {
            return Err(Reset);
        }
        draft.adopt()
    }

    /// Does this work, which no reset comes beside, unless one came before it.
    pub(crate) fn unless_reset<R>(
        &self,
        lineage: &Lineage,
        own: Option<&Scope>,
        work: impl FnOnce() -> R,
    ) -> Result<R, Reset> {
        let resets = self.resets.read().unwrap_or_else(PoisonError::into_inner);
        if resets.touched(lineage, own) { Err(Reset) } else { Ok(work()) }
    }

    /// The rows of a scope, made from what is declared if this is the first time.
    pub(crate) fn open(
        &self,
        scope: &Scope,
        owner: usize,
        tables: impl FnOnce() -> Option<Tables>,
        declared: impl FnOnce() -> Vec<DeclaredRow>,
    ) -> Result<Database, NoRows> {
        let mut opened = lock(&self.opened);
        if let Some(found) = opened.get(scope) {
            return Ok(found.database.clone());
        }
        let Tables { schema, limits } = tables().ok_or(NoRows)?;
        let database = Database::new(schema, limits);
        fill(&database, declared());
        opened.insert(scope.clone(), Opened { owner, database: database.clone() });
        Ok(database)
    }

    /// The same rows for a lab that nobody else sees.
    pub(crate) fn fork(&self) -> Self {
        let opened = lock(&self.opened);
        let copy = |(scope, opened): (&Scope, &Opened)| {
            (scope.clone(), Opened { owner: opened.owner, database: opened.database.fork() })
        };
        let opened = opened.iter().map(copy).collect();
        // What was sealed before is of the same generation in the copy.
        let resets = self.resets.read().unwrap_or_else(PoisonError::into_inner).clone();
        let count = AtomicU64::new(self.count.load(Ordering::Acquire));
        Self { opened: Mutex::new(opened), resets: RwLock::new(resets), count, ..Self::default() }
    }

    /// Works on the rows that are in use while no others come into use and nobody else writes.
    pub(crate) fn while_nobody_writes<R>(&self, work: impl FnOnce(&HashMap<Scope, Opened>) -> R) -> R {
        let _no_commit = self.resets.write().unwrap_or_else(PoisonError::into_inner);
        work(&lock(&self.opened))
    }

    /// Forgets the rows of one scope, or all. What began before writes nothing any more. The rows themselves are freed
    /// afterwards, little by little: nobody waits for that.
    pub(crate) fn reset(&self, scope: Option<&Scope>) {
        let mut forgotten = Vec::new();
        {
            let mut resets = self.resets.write().unwrap_or_else(PoisonError::into_inner);
            let now = self.count.fetch_add(1, Ordering::AcqRel) + 1;
            let mut opened = lock(&self.opened);
            match scope {
                Some(scope) => {
                    resets.scopes.insert(scope.clone(), now);
                    forgotten.extend(opened.remove(scope));
                }
                None => {
                    resets.all = now;
                    resets.scopes.clear();
                    forgotten.extend(opened.drain().map(|(_, opened)| opened));
                }
            }
        }
        self.reset.notify_waiters();
        for opened in forgotten {
            free_later(move || opened.database.clear());
        }
    }
}

/// Frees what is left of rows.
fn free(left: Leftovers) {
    free_later(move || left);
}

/// Frees rows that nobody reads or writes any more, in slices on a thread that may be kept busy.
fn free_later(left: impl FnOnce() -> Leftovers + Send + 'static) {
    let free = move || {
        let mut left = left();
        while left.free_some() {
            std::thread::yield_now();
        }
    };
    // Without a runtime there is nobody to be kept waiting.
    match tokio::runtime::Handle::try_current() {
        Ok(threads) => drop(threads.spawn_blocking(free)),
        Err(_) => free(),
    }
}

/// Takes over the declared rows. A row without its key, or with one that is taken, is left out: the first of two stands.
fn fill(database: &Database, declared: Vec<DeclaredRow>) {
    let mut transaction = Transaction::first(database);
    let schema = Arc::clone(transaction.schema());
    for row in declared {
        let Some(table) = schema.table(&row.table) else { continue };
        let _left_out = transaction.reserve_insert(table, row.values(table));
    }
    // Nobody else has this database yet, so nobody has reset it.
    let _inserted = transaction.commit();
}

/// What an edit of declared rows asks of rows that are in use: reserved, not yet visible.
fn redeclared(
    scope: &Scope,
    database: &Database,
    before: &[DeclaredRow],
    after: &[DeclaredRow],
) -> Result<Option<Transaction>, RowRefused> {
    fn by_name(rows: &[DeclaredRow]) -> HashMap<(&str, &str), &DeclaredRow> {
        rows.iter().map(|row| ((row.table.as_str(), row.name.as_str()), row)).collect()
    }
    let (old, new) = (by_name(before), by_name(after));
    let mut transaction = Transaction::begin(database);
    let schema = Arc::clone(transaction.schema());
    let mut changed = false;
    let refused = |table: Table<'_>, row: &DeclaredRow, why| RowRefused::Row {
        scope: scope.clone(),
        set: table.set().to_owned(),
        name: row.name.clone(),
        why: Box::new(why),
    };
    let claimed = |table: Table<'_>, key: &Key, by: &DeclaredRow| {
        let others = after.iter().filter(|other| other.table == by.table && other.name != by.name);
        others.filter_map(|other| other.key(table)).any(|other| other == *key)
    };
    // What goes first frees its keys for what comes.
    for row in before {
        let Some(table) = schema.table(&row.table) else { continue };
        let now = new.get(&(row.table.as_str(), row.name.as_str()));
        let gone = now.is_none_or(|now| now.key(table) != row.key(table));
        if gone && let Some(key) = row.key(table) {
            changed |= match transaction.reserve_delete(table, &key, Precondition::MustExist) {
                Ok(_) => true,
                Err(TableError::NotFound { .. }) => false,
                Err(why) => return Err(refused(table, row, why)),
            };
        }
    }
    for row in after {
        let Some(table) = schema.table(&row.table) else { continue };
        let was = old.get(&(row.table.as_str(), row.name.as_str())).copied();
        if was == Some(row) {
            continue;
        }
        let same_key = was.filter(|was| was.key(table) == row.key(table));
        let outcome = match (same_key, row.key(table)) {
            (Some(was), Some(key)) => {
                let changes = match transaction.get(table, 0, &key) {
                    Ok(Some(_)) => differences(table, was, row),
                    _ => row.values(table),
                };
                let changes = changes.iter().map(|(column, cell)| (column, cell.clone()));
                transaction.reserve_update(table, &key, changes, Precondition::None)
            }
            // somebody wrote what is declared now: it is there, and nobody else declares it
            (None, Some(key)) if stands(&transaction, table, row, &key) && !claimed(table, &key, row) => {
                continue;
            }
            _ => transaction.reserve_insert(table, row.values(table)),
        };
        outcome.map_err(|why| refused(table, row, why))?;
        changed = true;
    }
    Ok(changed.then_some(transaction))
}

/// Whether a row is there with all that is declared of it.
fn stands(transaction: &Transaction, table: Table<'_>, declared: &DeclaredRow, key: &Key) -> bool {
    let Ok(Some((_, there))) = transaction.get(table, 0, key) else { return false };
    let values = declared.values(table);
    table
        .columns()
        .all(|column| values.get(column.ordinal()).is_none_or(|cell| there.value(column) == cell.as_ref()))
}

/// What changed between two declarations of one row; a column that is no longer declared becomes null.
fn differences(table: Table<'_>, before: &DeclaredRow, after: &DeclaredRow) -> Values {
    let (old, new) = (before.values(table), after.values(table));
    let changed = new.iter().filter(|(column, cell)| old.get(*column) != Some(*cell));
    let dropped = old.iter().filter(|(column, _)| new.get(*column).is_none());
    changed
        .map(|(column, cell)| (column, cell.clone()))
        .chain(dropped.map(|(column, _)| (column, Cell::Null)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_the_number_of_the_last_reset_and_what_began_before_one_is_of_before() {
        let rows = Rows::default();
        let (one, other) = (Scope::environment("a"), Scope::organization("a"));
        let (of_one, of_other) = (|| rows.generation(&one), || rows.generation(&other));
        assert_eq!((of_one(), of_other()), (0, 0));
        let before = rows.begin();
        rows.reset(Some(&one));
        assert_eq!((of_one(), of_other()), (1, 0));
        assert_eq!(rows.generation_of(&before, &one), 0);
        assert_eq!(rows.generation_of(&rows.begin(), &one), 1);
        rows.reset(None);
        assert_eq!((of_one(), of_other()), (2, 2));
        let between = rows.begin();
        rows.reset(Some(&other));
        assert_eq!((of_one(), of_other()), (2, 3));
        assert_eq!(rows.generation_of(&between, &one), 2, "another scope's reset is nothing to it");
        assert_eq!(rows.generation_of(&between, &other), 2);
        let fork = rows.fork();
        assert_eq!((fork.generation(&one), fork.generation(&other)), (2, 3), "a copy goes on from there");
        fork.reset(Some(&one));
        assert_eq!((fork.generation(&one), of_one()), (4, 2));
    }

    #[test]
    fn what_began_before_a_reset_does_no_work_after_it() {
        let rows = Rows::default();
        let scope = Scope::environment("a");
        let before = rows.begin();
        assert_eq!(rows.unless_reset(&before, Some(&scope), || 1), Ok(1));
        rows.reset(Some(&scope));
        assert_eq!(rows.unless_reset(&before, Some(&scope), || 1), Err(Reset));
        assert_eq!(rows.unless_reset(&rows.begin(), Some(&scope), || 1), Ok(1));
    }
}
