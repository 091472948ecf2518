//! `PATCH /accounts(..)`: a change of a row, or its creation where none is there.
//!
//! Decides by the conditions of the request: `If-Match: *` never creates, `If-None-Match: *` never changes, `If-Match`
//! with an entity tag changes only that version. The key in the URL wins over the body's; key columns in the body of a
//! change by alternate key are ignored.

use http::StatusCode;
use mocktenant_lab::Answer;
use mocktenant_schema::{Cell, CellRef, Table};
use mocktenant_tables::{Key, Precondition, Row, Transaction, Values};

use super::create::row_of;
use super::given::{derive, touched};
use super::hierarchy::no_circle;
use super::refused::refused;
use super::required::not_emptied;
use super::{Call, Reference, Target, create};
use crate::errors::DataverseError;
use crate::not_built;
use crate::payload::settle_states;
use crate::principal::Operation;

pub(super) fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
) -> Result<Answer, DataverseError> {
    let table = target.table;
    let shown = call.selection(target)?;
    let mut changes = call.changes(table)?;
    let condition = condition(call);
    let rows = target.database.snapshot();
    let existing = reference.row(&rows, table);
    let operation = match (condition, existing) {
        (Precondition::MustNotExist, _) | (Precondition::None, None) => Operation::Create,
        _ => Operation::Write,
    };
    let depth = call.authorize(table, operation)?;
    match (condition, existing) {
        (Precondition::MustNotExist, Some(_)) => return Err(DataverseError::DuplicateRecord),
        (Precondition::MustExist | Precondition::Version(_), None) => return Err(reference.missing(table)),
        _ => {}
    }
    let Some(existing) = existing else {
        for (column, cell) in &reference.cells {
            changes.values.set(*column, cell.clone());
        }
        if reference.index == 0
            && let Some(id) = table.id()
        {
            changes.values.set(id.ordinal(), crate::store::id(&reference.shown));
        }
        let row = create::insert(call, target, changes, depth)?;
        return call.written(target, &shown, &row, StatusCode::CREATED);
    };
    call.reach((table, operation, depth), |name| named(table, existing, name))?;
    if let Some(nested) = changes.nested.first() {
        // the product refuses it too, but not in these words
        let what = format!("rows of {} in the change of another", nested.navigation);
        call.exchange.trail.not_built(what, not_built::PATHS_HERE);
        return Err(DataverseError::InvalidQueryOption);
    }
    changes.resolve(&rows).map_err(|fault| call.told(fault))?;
    let mut values = changes.values;
    without_key(table, &mut values);
    for (column, _) in &reference.cells {
        values.remove(*column);
    }
    let row = change(call, target, existing, values, condition)?;
    call.written(target, &shown, &row, StatusCode::OK)
}

/// Changes a row that is there to have these values.
pub(super) fn change(
    call: &mut Call<'_>,
    target: &Target<'_>,
    existing: &Row,
    mut values: Values,
    condition: Precondition,
) -> Result<Row, DataverseError> {
    let table = target.table;
    let owner = table.column("ownerid");
    let given = owner.and_then(|column| Some((column, values.get(column.ordinal())?.clone())));
    if given.is_some_and(|(column, owner)| owner.as_ref() != existing.value(column)) {
        let depth = call.authorize(table, Operation::Assign)?;
        call.reach((table, Operation::Assign, depth), |name| named(table, existing, name))?;
        call.owner(table, &mut values)?;
    }
    let id = crate::representation::id_text(table, existing);
    settle_states(table, &id, Some(existing), &mut values).map_err(|fault| call.told(fault))?;
    not_emptied(table, &values).map_err(|fault| call.told(fault))?;
    let mut transaction = Transaction::begin(&target.database);
    no_circle(&transaction, table, &crate::payload::id_of(table, existing), &values)?;
    call.append(&transaction, table, (&values, Some(existing)))?;
    derive((&target.database.snapshot(), &transaction), table, Some(existing), &mut values);
    touched(call, table, &mut values);
    let key = Key::of(table.key().map(|column| existing.value(column)));
    let changes = values.iter().map(|(column, cell)| (column, cell.clone()));
    let reserved = transaction.reserve_update(table, &key, changes, condition);
    reserved.map_err(|error| refused(table, &id, error))?;
    row_of(call.commit(transaction)?, table, &key).ok_or(DataverseError::Unexpected)
}

/// A row is its id: whatever a change says of it is ignored.
pub(super) fn without_key(table: Table<'_>, values: &mut Values) {
    for column in table.key() {
        values.remove(column.ordinal());
    }
}

/// The value of a row's column by its name.
pub(super) fn named<'r>(table: Table<'r>, row: &'r Row, name: &str) -> CellRef<'r> {
    table.column(name).map_or(CellRef::Null, |column| row.value(column))
}

/// The values of a row, changed in one column.
pub(super) fn with(column: u16, cell: Cell) -> Values {
    Values::from_iter([(column, cell)])
}
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
