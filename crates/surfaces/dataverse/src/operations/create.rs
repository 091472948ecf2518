//! `POST /accounts`: a new row.
//!
//! Decides the new row's id (the body's, else a fresh one) and what it has beside the body: owner, business unit, state,
//! times.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Columns, Row, Transaction};
use mocktenant_world::Depth;
use serde_json::Value;

use super::given::{defaults, derive, key_values};
use super::refused::refused;
use super::{Call, Target, list};
use crate::errors::DataverseError;
use crate::payload::settle_states;
use crate::principal::Operation;

pub(super) fn answer(call: &mut Call<'_>, target: &Target) -> Result<Answer, DataverseError> {
    list::check_select(target.table, &target.options)?;
    let changes = call.changes(target.table)?;
    let depth = call.authorize(target.table, Operation::Create)?;
    let columns = changes.resolved(&call.reader(&target.database)).map_err(|fault| call.told(fault))?;
    let row = insert(call, target, columns, depth)?;
    Ok(call.written(target, &row, StatusCode::CREATED))
}

/// Writes a new row of these columns.
pub(super) fn insert(
    call: &mut Call<'_>,
    target: &Target,
    mut columns: Columns,
    depth: Depth,
) -> Result<Row, DataverseError> {
    let table = target.table;
    call.owner(table, &mut columns)?;
    let mut row = defaults(call, &target.now);
    row.extend(columns);
    call.reach((table, Operation::Create, depth), &row)?;
    if !row.get(table.id).is_some_and(Value::is_string) {
        let id = call.exchange.context.random().guid().to_string();
        row.insert(table.id.to_owned(), Value::String(id));
    }
    let id = row.get(table.id).and_then(Value::as_str).unwrap_or_default().to_owned();
    settle_states(table, &id, None, &mut row).map_err(|fault| call.told(fault))?;
    derive(table, None, &mut row);
    let mut transaction = Transaction::begin(&target.database);
    let written = key_values(table, &row);
    transaction.reserve_insert(table.set, row).map_err(|error| refused(table, &written, error))?;
    call.commit(transaction)?
        .changes
        .into_iter()
        .find_map(|change| change.after)
        .ok_or(DataverseError::Unexpected)
}
