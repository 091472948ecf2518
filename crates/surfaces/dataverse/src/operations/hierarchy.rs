//! Rows that stand below rows of their own table.
//!
//! Decides that none may stand above itself: a write that would close such a circle is refused. Mirrors the checks of accounts
//! and contacts, whose sentences are documented. A circle that is declared is left as it is, and a walk that meets one ends.

use std::collections::HashSet;

use mocktenant_schema::{Cell, Table};
use mocktenant_tables::{Key, Transaction, Values};

use super::refused::refused;
use crate::errors::DataverseError;
use crate::representation::told;

/// Rows above one that are looked at.
const HIGHEST: usize = 100_000;

/// The column by which rows of a table stand below others of it, and the refusal of a circle.
fn above(table: Table<'_>) -> Option<(&'static str, DataverseError)> {
    match table.name() {
        "account" => Some(("parentaccountid", DataverseError::AccountLoopBeingCreated)),
        "contact" => Some(("parentcustomerid", DataverseError::ContactLoopBeingCreated)),
        _ => None,
    }
}

/// Refuses values that put a row above itself; `transaction` has what else is written with it.
pub(super) fn no_circle(
    transaction: &Transaction,
    table: Table<'_>,
    id: &Cell,
    values: &Values,
) -> Result<(), DataverseError> {
    let Some((name, circle)) = above(table) else { return Ok(()) };
    let Some(column) = table.column(name) else { return Ok(()) };
    let mut next = values.get(column.ordinal()).cloned().unwrap_or_default();
    let mut seen = HashSet::new();
    while !next.as_ref().is_null() {
        if next == *id {
            return Err(circle);
        }
        let key = Key::of([next.as_ref()]);
        let row = transaction.get(table, 0, &key).map_err(|error| refused(table, &told(id), error))?;
        let Some((_, row)) = row.filter(|_| seen.len() < HIGHEST && seen.insert(key)) else { break };
        next = row.value(column).to_cell();
    }
    Ok(())
}
