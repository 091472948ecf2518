//! `GET /accounts(..)`: one row, by id or alternate key.
//!
//! Decides nothing beyond "is it there, and in reach of the caller", and 304 where `If-None-Match` names the row's version. The literal word `null`
//! in `If-None-Match`, which clients send to defeat caches, matches nothing.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Reference, Row};

use super::{Call, Target, expand, list};
use crate::errors::DataverseError;
use crate::payload::missing;
use crate::principal::Operation;
use crate::representation::json_answer;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    list::check_select(table, &target.options)?;
    let depth = call.authorize(table, Operation::Read)?;
    let expand = expand::of(call, table, &target.options)?;
    let reader = call.reader(&target.database);
    let row = reader.table(table).find(reference).ok_or_else(|| missing(table, reference))?;
    call.reach((table, Operation::Read, depth), &row.columns)?;
    call.exchange.trail.fact("record-id", row.text(table.id).unwrap_or_default().to_owned());
    if call.condition("if-none-match").and_then(Row::version_of_etag) == Some(row.version) {
        return Ok(Answer::empty(StatusCode::NOT_MODIFIED).with_text("etag", &row.etag()));
    }
    let body = call.shape(&target.options, &expand).entity(&reader, table, row);
    let answer = json_answer(StatusCode::OK, &body).with_text("etag", &row.etag());
    Ok(call.applied(answer, None))
}
