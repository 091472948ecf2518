//! `POST /accounts`: a new row, and the rows that come with it.
//!
//! Decides the new rows' ids (the body's, else one above all before), what they have beside the body, and the order in which they
//! are made: what a lookup leads to before the row, what leads to the row after it, children as they were given. All in one
//! transaction: if one of them is refused there is none.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_schema::{Cell, CellRef, Table};
use mocktenant_tables::{Commit, Key, Precondition, Row, Snapshot, Transaction, Values};
use mocktenant_world::Depth;

use super::given::{defaults, derive, touched};
use super::hierarchy::no_circle;
use super::refused::refused;
use super::required::not_emptied;
use super::{Call, Target};
use crate::errors::DataverseError;
use crate::payload::{Changes, Nested, settle_states};
use crate::principal::Operation;
use crate::representation::told;

pub(super) fn answer(call: &mut Call<'_>, target: &Target<'_>) -> Result<Answer, DataverseError> {
    let shown = call.selection(target)?;
    let changes = call.changes(target.table)?;
    let depth = call.authorize(target.table, Operation::Create)?;
    let row = insert(call, target, changes, depth)?;
    call.written(target, &shown, &row, StatusCode::CREATED)
}

/// Writes a new row with what comes with it.
pub(super) fn insert(
    call: &mut Call<'_>,
    target: &Target<'_>,
    changes: Changes,
    depth: Depth,
) -> Result<Row, DataverseError> {
    let mut making =
        Making { rows: target.database.snapshot(), transaction: Transaction::begin(&target.database) };
    let key = making.row(call, target.table, changes, depth)?;
    let commit = call.commit(making.transaction)?;
    row_of(commit, target.table, &key).ok_or(DataverseError::Unexpected)
}

/// A row as a commit left it.
pub(super) fn row_of(commit: Commit, table: Table<'_>, key: &Key) -> Option<Row> {
    let mut changes = commit.changes.into_iter();
    changes.find(|change| change.table == table.position() && change.key == *key)?.after
}

/// Rows that are being made together.
struct Making {
    rows: Snapshot,
    transaction: Transaction,
}

impl Making {
    /// Reserves a row and what comes with it; its key.
    fn row(
        &mut self,
        call: &mut Call<'_>,
        table: Table<'_>,
        mut changes: Changes,
        depth: Depth,
    ) -> Result<Key, DataverseError> {
        changes.resolve(&self.rows).map_err(|fault| call.told(fault))?;
        let Changes { values: given, nested, .. } = changes;
        let (before, after): (Vec<Nested>, Vec<Nested>) = nested.into_iter().partition(|one| !one.hop.back);
        let mut links = Vec::new();
        for mut one in before {
            for row in one.rows.drain(..) {
                let id = self.nested(call, one.table, row)?;
                links.push((one.lookup, id));
            }
        }
        let mut values = defaults(call, table);
        let mut given = given;
        for (column, id) in links {
            given.set(column, id);
        }
        for (column, cell) in given.iter() {
            values.set(column, cell.clone());
        }
        call.owner(table, &mut values)?;
        call.reach((table, Operation::Create, depth), |name| {
            table.column(name).map_or(CellRef::Null, |column| values.value(column))
        })?;
        if let Some(owner) = table.column("ownerid") {
            given.set(owner.ordinal(), values.value(owner).to_cell());
        }
        call.append(&self.transaction, table, (&given, None))?;
        let Some(id_column) = table.id() else { return Err(DataverseError::Unexpected) };
        if values.value(id_column).is_null() {
            values.set(id_column.ordinal(), Cell::Id(call.next_id()));
        }
        let id = values.value(id_column).to_cell();
        settle_states(table, &told(&id), None, &mut values).map_err(|fault| call.told(fault))?;
        not_emptied(table, &values).map_err(|fault| call.told(fault))?;
        derive((&self.rows, &self.transaction), table, None, &mut values);
        let reserved = self.transaction.reserve_insert(table, values);
        let key = reserved.map_err(|error| refused(table, &told(&id), error))?.key;
        for one in after {
            self.children(call, one, &id)?;
        }
        Ok(key)
    }

    /// A row that comes with another: its id.
    fn nested(
        &mut self,
        call: &mut Call<'_>,
        table: usize,
        changes: Changes,
    ) -> Result<Cell, DataverseError> {
        let schema = self.rows.shared_schema();
        let table = schema.at(table).ok_or(DataverseError::Unexpected)?;
        let depth = call.authorize(table, Operation::Create)?;
        let key = self.row(call, table, changes, depth)?;
        let found = self.transaction.get(table, 0, &key);
        let row = found.ok().flatten().ok_or(DataverseError::Unexpected)?.1;
        Ok(table.id().map_or(Cell::Null, |column| row.value(column).to_cell()))
    }

    /// Rows that lead to the one that was made, new ones and those that are there.
    fn children(&mut self, call: &mut Call<'_>, nested: Nested, parent: &Cell) -> Result<(), DataverseError> {
        let Nested { lookup, table, rows, links, .. } = nested;
        for mut row in rows {
            row.values.set(lookup, parent.clone());
            self.nested(call, table, row)?;
        }
        let schema = self.rows.shared_schema();
        let table = schema.at(table).ok_or(DataverseError::Unexpected)?;
        for link in links {
            let depth = call.authorize(table, Operation::Write)?;
            let row = link.row(&self.rows, table).ok_or_else(|| link.missing(table))?;
            call.reach((table, Operation::Write, depth), |name| {
                table.column(name).map_or(CellRef::Null, |column| row.value(column))
            })?;
            let key = Key::of(table.key().map(|column| row.value(column)));
            let mut values = Values::from_iter([(lookup, parent.clone())]);
            no_circle(&self.transaction, table, &crate::payload::id_of(table, row), &values)?;
            call.append(&self.transaction, table, (&values, Some(row)))?;
            touched(call, table, &mut values);
            let changes = values.iter().map(|(column, cell)| (column, cell.clone()));
            let reserved = self.transaction.reserve_update(table, &key, changes, Precondition::MustExist);
            reserved.map_err(|error| refused(table, &link.shown, error))?;
        }
        Ok(())
    }
}
