//! `POST /accounts`: a new row.
//!
//! Decides the new row's id (the body's, else a fresh one) and what it has beside the body: owner, business unit, state,
//! times.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Columns, Row, Transaction};
use serde_json::Value;

use super::{Call, Target, defaults, list, refused};
use crate::errors::DataverseError;
use crate::principal::Operation;

pub(super) fn answer(call: &mut Call<'_>, target: &Target) -> Result<Answer, DataverseError> {
    list::check_select(target.table, &target.options)?;
    let changes = call.changes(target.table)?;
    call.authorize(target.table, Operation::Create)?;
    let columns = changes.resolved(&call.reader(&target.database))?;
    let row = insert(call, target, columns)?;
    Ok(call.written(target, &row, StatusCode::CREATED))
}

/// Writes a new row of these columns.
pub(super) fn insert(call: &Call<'_>, target: &Target, columns: Columns) -> Result<Row, DataverseError> {
    let table = target.table;
    let mut row = defaults(call, &target.now);
    row.extend(columns);
    if !row.get(table.id).is_some_and(Value::is_string) {
        let id = call.exchange.context.random().guid().to_string();
        row.insert(table.id.to_owned(), Value::String(id));
    }
    let mut transaction = Transaction::begin(&target.database);
    transaction.reserve_insert(table.set, row).map_err(|error| refused(table, error))?;
    call.commit(transaction)?
        .changes
        .into_iter()
        .find_map(|change| change.after)
        .ok_or(DataverseError::Unexpected)
}
