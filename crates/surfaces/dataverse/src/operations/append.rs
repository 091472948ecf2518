//! Whether a row may lead to another one.
//!
//! Decides what a lookup that a client gives a value needs: to append on the row that has it, and to be appended to on the row it leads
//! to, as documented for `Append` and `Append To`. What the organisation fills in itself needs neither, an owner needs another privilege,
//! and a lookup that is emptied needs no more than the change does (both inferred).

use mocktenant_schema::{CellRef, Column, Kind, Table};
use mocktenant_tables::{Key, Row, Transaction, Values};
use mocktenant_world::Depth;

use super::Call;
use crate::errors::DataverseError;
use crate::principal::{self, Operation};

impl Call<'_> {
    /// Asks it of every lookup that a row gets with these values, of all that it has then, and that are not those it had before.
    pub(super) fn append(
        &mut self,
        rows: &Transaction,
        table: Table<'_>,
        (given, before): (&Values, Option<&Row>),
    ) -> Result<(), DataverseError> {
        let value = |column: Column<'_>| match (given.get(column.ordinal()), before) {
            (Some(cell), _) => cell.as_ref().to_cell(),
            (None, Some(row)) => row.value(column).to_cell(),
            (None, None) => column.default().unwrap_or_default().to_cell(),
        };
        for (ordinal, cell) in given.iter() {
            let asked = |column: &Column<'_>| {
                column.kind() == Kind::Lookup
                    && column.name() != "ownerid"
                    && (column.is_for_create() || column.is_for_update())
                    && !cell.is_null()
                    && before.is_none_or(|row| row.value(*column) != cell.as_ref())
            };
            let Some(column) = table.at(ordinal).filter(asked) else { continue };
            let there = |target: Table<'_>| rows.get(target, 0, &Key::of([cell.as_ref()])).ok().flatten();
            let found = column.lookups().find_map(|one| Some((one.to(), there(one.to())?.1)));
            let Some((target, row)) = found else { continue };
            let depth = self.may(table, Operation::Append)?;
            let owner = table.column("ownerid").map(value);
            self.reach((table, Operation::Append, depth), |name| match &owner {
                Some(cell) if name == "ownerid" => cell.as_ref(),
                _ => CellRef::Null,
            })?;
            let depth = self.may(target, Operation::AppendTo)?;
            self.reach((target, Operation::AppendTo, depth), |name| {
                target.column(name).map_or(CellRef::Null, |column| row.value(column))
            })?;
        }
        Ok(())
    }

    /// How far the caller may do this with rows of a table: asked once, for many rows may be made together.
    fn may(&mut self, table: Table<'_>, operation: Operation) -> Result<Depth, DataverseError> {
        let known = (table.position(), operation);
        if let Some((_, depth)) = self.granted.iter().find(|(one, _)| *one == known) {
            return Ok(*depth);
        }
        let depth = self.ask(|list, users, principal| {
            principal::ask_privilege(list, users, principal, table, operation)
        })?;
        // with the deciding check turned off nothing is out of reach
        let depth = depth.unwrap_or(Depth::Global);
        self.granted.push((known, depth));
        Ok(depth)
    }
}
