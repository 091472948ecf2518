//! What becomes of rows when their tables change.
//!
//! Decides that rows stay with their versions and numbers: tables by name, and in them columns by name, as long as a column holds
//! values of the same sort. A row holds what it held, also where the default of a column is another one now. A table whose rows
//! need no change shares them with what was before.

use std::sync::Arc;

use mocktenant_schema::{Cell, Kind, Schema, Table};

use crate::database::{Database, Limits, Root};
use crate::error::TableError;
use crate::layout::Layout;
use crate::leftovers::Leftovers;
use crate::record::{Row, Values};

impl Database {
    /// Gives the tables another schema and keeps their rows. Rows of a table that is gone go with it, and so do values of a
    /// column that is gone or has another sort of type. Open transactions become void, as in [`Database::replace_all`].
    ///
    /// # Errors
    /// A key of the new schema that two rows share, or that a row lacks. Then nothing changes.
    pub fn redefine(&self, schema: Arc<Schema>) -> Result<Leftovers, TableError> {
        let layout = Arc::new(Layout::of(schema));
        let limits = self.limits();
        // made before the lock is taken, so that nobody waits for it
        let before = Arc::clone(&self.shared.lock().root);
        let made = before.redefined(&layout, limits)?;
        let mut state = self.shared.lock();
        // what was written meanwhile is to stay: then it is made once more, and nobody writes
        let root =
            if Arc::ptr_eq(&state.root, &before) { made } else { state.root.redefined(&layout, limits)? };
        drop(before);
        let before = state.reset(root);
        drop(state);
        Ok(Leftovers::of(before))
    }

    /// Takes over tables and rows of another, a fork that was given another schema or other rows. Open transactions become void,
    /// as in [`Database::replace_all`]; whoever calls this keeps others from writing since the fork was made.
    pub fn take_over(&self, made: &Self) -> Leftovers {
        let (root, next_version) = {
            let made = made.shared.lock();
            (Root::clone(&made.root), made.next_version)
        };
        let mut state = self.shared.lock();
        state.next_version = state.next_version.max(next_version);
        let before = state.reset(root);
        drop(state);
        Leftovers::of(before)
    }
}

impl Root {
    /// The same rows in other tables.
    fn redefined(&self, layout: &Arc<Layout>, limits: Limits) -> Result<Self, TableError> {
        let mut root = Self::empty(layout, self.version);
        for (position, table) in layout.schema.tables().enumerate() {
            let Some(old) = self.layout.schema.table(table.name()) else { continue };
            let Some(rows) = self.tables.get(old.position()) else { continue };
            let moves = Moves::of(old, table);
            if moves.none && self.layout.tables.get(old.position()) == layout.tables.get(position) {
                if let Some(there) = root.tables.get_mut(position) {
                    *there = Arc::clone(rows);
                    root.rows += rows.rows.len();
                }
                continue;
            }
            for (_, row) in rows.rows.iter() {
                let head = (row.version(), row.standing(), Some(row.recid()));
                root.place(position, &moves.values(row), head, limits)?;
            }
            if let Some(there) = root.tables.get_mut(position) {
                Arc::make_mut(there).next_recid = rows.next_recid;
            }
        }
        Ok(root)
    }
}

/// Where the values of a table's columns go.
struct Moves {
    /// By position of the column before: the position now.
    to: Vec<Option<u16>>,
    /// Columns with another default than before: their position before and now, and what rows hold that say nothing.
    defaults: Vec<(u16, u16, Cell)>,
    /// Every value stays where it is.
    none: bool,
}

impl Moves {
    fn of(old: Table<'_>, new: Table<'_>) -> Self {
        let mut moves =
            Self { to: Vec::with_capacity(old.columns().len()), defaults: Vec::new(), none: true };
        for column in old.columns() {
            let there =
                new.column(column.name()).filter(|there| sort_of(there.kind()) == sort_of(column.kind()));
            let to = there.map(mocktenant_schema::Column::ordinal);
            if let Some(there) = there
                && there.default().unwrap_or_default() != column.default().unwrap_or_default()
            {
                let held = column.default().unwrap_or_default().to_cell();
                moves.defaults.push((column.ordinal(), there.ordinal(), held));
            }
            moves.none &= to == Some(column.ordinal());
            moves.to.push(to);
        }
        moves.none &= moves.defaults.is_empty();
        moves
    }

    /// A row's values in their new places.
    fn values(&self, row: &Row) -> Values {
        let to = |column: u16| self.to.get(usize::from(column)).copied().flatten();
        let mut values: Values =
            row.cells().filter_map(|(column, cell)| Some((to(column)?, cell.to_cell()))).collect();
        for (old, new, held) in &self.defaults {
            if row.get(*old).is_none() {
                values.set(*new, held.clone());
            }
        }
        values
    }
}

/// The type that stands for all whose columns hold the same sort of value.
pub(crate) fn sort_of(kind: Kind) -> Kind {
    match kind {
        Kind::Memo | Kind::Binary => Kind::Text,
        Kind::Big | Kind::Choice | Kind::State | Kind::Status | Kind::Version => Kind::Whole,
        Kind::Money => Kind::Decimal,
        Kind::Lookup => Kind::Id,
        other => other,
    }
}
