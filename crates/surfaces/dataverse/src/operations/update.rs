//! `PATCH /accounts(..)`: a change of a row, or its creation where none is there.
//!
//! Decides by the conditions of the request: `If-Match: *` never creates, `If-None-Match: *` never changes, `If-Match`
//! with an entity tag changes only that version. The key in the URL wins over the body's; key columns in the body of a
//! change by alternate key are ignored.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_tables::{Key, Precondition, Reference, Row, Transaction};
use serde_json::Value;

use super::given::{derive, key_values, on_behalf};
use super::refused::refused;
use super::{Call, Target, create, list};
use crate::errors::DataverseError;
use crate::payload::{missing, settle_states};
use crate::principal::Operation;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    list::check_select(table, &target.options)?;
    let changes = call.changes(table)?;
    let condition = condition(call);
    let reader = call.reader(&target.database);
    let existing = reader.table(table).find(reference);
    let operation = match (condition, existing) {
        (Precondition::MustNotExist, _) | (Precondition::None, None) => Operation::Create,
        _ => Operation::Write,
    };
    let depth = call.authorize(table, operation)?;
    match (condition, existing) {
        (Precondition::MustNotExist, Some(_)) => return Err(DataverseError::DuplicateRecord),
        (Precondition::MustExist | Precondition::Version(_), None) => return Err(missing(table, reference)),
        _ => {}
    }
    if let Some(existing) = existing {
        call.reach((table, operation, depth), &existing.columns)?;
    }
    let mut columns = changes.resolved(&reader).map_err(|fault| call.told(fault))?;
    let key_columns = target.key_columns();
    let Some(existing) = existing else {
        columns.extend(key_columns);
        if let Some(id) = target.id_in_url() {
            columns.insert(table.id.to_owned(), Value::String(id));
        }
        let row = create::insert(call, target, columns, depth)?;
        return Ok(call.written(target, &row, StatusCode::CREATED));
    };
    columns.remove(table.id);
    for column in key_columns.keys() {
        columns.remove(column);
    }
    if columns.get("_ownerid_value").is_some_and(|owner| Some(owner) != existing.get("_ownerid_value")) {
        let depth = call.authorize(table, Operation::Assign)?;
        call.reach((table, Operation::Assign, depth), &existing.columns)?;
        call.owner(table, &mut columns)?;
    }
    let id = existing.text(table.id).unwrap_or_default();
    settle_states(table, id, Some(&existing.columns), &mut columns).map_err(|fault| call.told(fault))?;
    derive(table, Some(&existing.columns), &mut columns);
    columns.insert("_modifiedonbehalfby_value".to_owned(), on_behalf(call));
    columns.insert("modifiedon".to_owned(), Value::String(target.now.clone()));
    columns.insert("_modifiedby_value".to_owned(), Value::String(call.principal.id.clone()));
    let id = Key::text(id);
    let mut transaction = Transaction::begin(&target.database);
    let changed = key_values(table, &columns);
    let reserved = transaction.reserve_update(table.set, &id, columns, condition);
    reserved.map_err(|error| refused(table, &changed, error))?;
    let written = call.commit(transaction)?.changes.into_iter().find_map(|change| change.after);
    let row = written.ok_or(DataverseError::Unexpected)?;
    Ok(call.written(target, &row, StatusCode::OK))
}

/// What the request's conditions ask. An entity tag that is none matches no version, so it fails like an old one.
pub(super) fn condition(call: &Call<'_>) -> Precondition {
    if call.condition("if-none-match") == Some("*") {
        return Precondition::MustNotExist;
    }
    match call.condition("if-match") {
        None => Precondition::None,
        Some("*") => Precondition::MustExist,
        Some(tag) => Precondition::Version(Row::version_of_etag(tag).unwrap_or(0)),
    }
}
