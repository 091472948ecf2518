//! `DELETE /accounts(..)`: the end of a row.
//!
//! Decides by `If-Match` like an update, and by the delete rules of the relationships: what leads to the row loses its link, goes
//! too, or keeps it there.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Key, Precondition, Transaction};

use super::refused::refused;
use super::update::{condition, named};
use super::{Call, Reference, Target};
use crate::errors::DataverseError;
use crate::principal::Operation;
use crate::representation::id_text;

/// Rows that one deletion takes with it, or changes.
const MOST: usize = 100_000;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let depth = call.authorize(table, Operation::Delete)?;
    let rows = target.database.snapshot();
    let row = reference.row(&rows, table).ok_or_else(|| reference.missing(table))?;
    let id = id_text(table, row);
    call.reach((table, Operation::Delete, depth), |name| named(table, row, name))?;
    let condition = match condition(call) {
        version @ Precondition::Version(_) => version,
        _ => Precondition::None,
    };
    let key = Key::of(table.key().map(|column| row.value(column)));
    let gone = call.exchange.context.aside(|| {
        let mut transaction = Transaction::begin(&target.database);
        let gone = transaction.reserve_deletion(table, &key, condition, MOST);
        let gone = gone.map_err(|error| refused(table, &id, error))?.len();
        call.commit(transaction).map(|_| gone)
    })?;
    if gone > 1 {
        call.exchange.trail.fact("deleted-with-it", (gone - 1).to_string());
    }
    call.exchange.trail.fact("record-id", id);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
