//! `GET /accounts(..)`: one row, by id or alternate key.
//!
//! Decides nothing beyond "is it there, and in reach of the caller", and 304 where `If-None-Match` names the row's version.
//! The literal word `null` in `If-None-Match`, which clients send to defeat caches, matches nothing.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::Row;

use super::update::named;
use super::{Call, Reference, Target};
use crate::errors::DataverseError;
use crate::principal::Operation;
use crate::representation::id_text;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let bound = call.bound_selection(target)?;
    let depth = call.authorize(table, Operation::Read)?;
    let shown = call.shown(bound)?;
    let rows = target.database.snapshot();
    let row = reference.row(&rows, table).ok_or_else(|| reference.missing(table))?;
    call.reach((table, Operation::Read, depth), |name| named(table, row, name))?;
    call.exchange.trail.fact("record-id", id_text(table, row));
    if call.condition("if-none-match").and_then(Row::version_of_etag) == Some(row.version()) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with_text("etag", &row.etag()));
    }
    let answer = call.entity(&rows, &shown, table, row, StatusCode::OK)?.with_text("etag", &row.etag());
    Ok(call.applied(answer, None))
}
