//! `DELETE /accounts(..)`: the end of a row.
//!
//! Decides by `If-Match` like an update. References from other rows do not keep a row here.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Key, Precondition, Reference, Transaction};

use super::refused::refused;
use super::{Call, Target, update};
use crate::errors::DataverseError;
use crate::payload::missing;
use crate::principal::Operation;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let depth = call.authorize(table, Operation::Delete)?;
    let reader = call.reader(&target.database);
    let row = reader.table(table).find(reference).ok_or_else(|| missing(table, reference))?;
    let id = row.text(table.id).unwrap_or_default().to_owned();
    call.reach((table, Operation::Delete, depth), &row.columns)?;
    let condition = match update::condition(call) {
        version @ Precondition::Version(_) => version,
        _ => Precondition::None,
    };
    let mut transaction = Transaction::begin(&target.database);
    transaction
        .reserve_delete(table.set, &Key::text(&id), condition)
        .map_err(|error| refused(table, &row.columns, error))?;
    call.commit(transaction)?;
    call.exchange.trail.fact("record-id", id);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
