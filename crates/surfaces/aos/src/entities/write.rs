//! Writing a record: what its body says, and what is reserved for it.
//!
//! Decides which bodies are read (an entity's own columns, each in its own type), what a new record holds beside what was sent, and
//! that a key does not change. Whatever is reserved stands in a `unit`, which delivers and commits it. PUT is answered as PATCH:
//! what it does to columns it does not name is not known.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use mocktenant_lab::request::media_type;
use mocktenant_lab::{Exchange, Trail};
use mocktenant_tables::{Key, Precondition, Row, TableError, Values};
use mocktenant_token::strict_json;
use serde_json::Value;

use super::complete::{complete, fill, name_person};
use super::drawn::{draw_key, draw_others, open_key};
use super::twin;
use super::unit::Unit;
use super::validate::{refused, refused_record, validate};
use super::values::{expected, is_blank, shown, shown_cell, take, told};
use super::wire::etag;
use super::{Entity, NAMESPACE, Notes, Visible};
use crate::bearer::Caller;
use crate::dual_write::Operation;
use crate::errors::ODataError;

/// Records that may go with one.
pub(super) const MOST: usize = 1_000;
/// How several records are made at once.
const TOGETHER: &str = "columns of the entity itself; a change set of $batch makes records together";
/// Numbers that are tried while others draw them too.
const TRIES: usize = 100;

/// `POST /data/CustomersV3`: the key of the record that will be there.
pub(crate) fn create(
    exchange: &mut Exchange,
    unit: &mut Unit,
    entity: Entity<'_>,
    caller: &Caller,
) -> Result<Key, ODataError> {
    let values = body(exchange, entity)?;
    insert(exchange, unit, entity, caller, values)
}

/// The same with texts that a person typed.
pub(crate) fn typed(
    exchange: &mut Exchange,
    unit: &mut Unit,
    entity: Entity<'_>,
    caller: &Caller,
    texts: &[(&str, String)],
) -> Result<Key, ODataError> {
    let mut values = Values::default();
    for (name, text) in texts {
        let Some(column) = entity.column(name) else { continue };
        if let Some(cell) = take(column, &Value::from(text.as_str())) {
            values.set(column.ordinal(), cell);
        }
    }
    insert(exchange, unit, entity, caller, values)
}

fn insert(
    exchange: &mut Exchange,
    unit: &mut Unit,
    entity: Entity<'_>,
    caller: &Caller,
    mut values: Values,
) -> Result<Key, ODataError> {
    let now = exchange.context.now();
    let trail = &mut exchange.trail;
    if let Some(column) = entity.company().filter(|column| is_blank(values.value(*column)))
        && let Some(cell) = caller.company.as_deref().and_then(|company| take(column, &Value::from(company)))
    {
        values.set(column.ordinal(), cell);
    }
    complete(entity, &mut values);
    fill(entity, &mut values, unit, now).map_err(|error| refused(trail, entity, error))?;
    draw_others(entity, &mut values, &unit.snapshot);
    let open = open_key(entity, &values);
    let mut from = u64::try_from(unit.snapshot.count(entity)).unwrap_or_default().saturating_add(1);
    let mut tries = 0;
    loop {
        if let Some(column) = open {
            let drawn = draw_key(entity, column, &mut values, &unit.transaction, from);
            from = drawn.map_err(|error| refused(trail, entity, error))?.saturating_add(1);
        }
        validate(trail, entity, &unit.transaction, &values)?;
        match unit.transaction.reserve_insert(entity, values.clone()) {
            Ok(reserved) => {
                twin::follow(trail, &mut unit.transaction, (entity, &reserved), &values)?;
                unit.deliver(entity, Operation::Insert, &reserved);
                return Ok(reserved.key);
            }
            // somebody else was given the number meanwhile
            Err(TableError::DuplicateKey { key: 0, .. }) if open.is_some() && tries < TRIES => tries += 1,
            Err(error) => return Err(refused_record(trail, (entity, &values), error)),
        }
    }
}

/// `PATCH` or `PUT` of one record.
pub(crate) fn change(
    exchange: &mut Exchange,
    unit: &mut Unit,
    (entity, key): (Entity<'_>, &Key),
    visible: &Visible,
) -> Result<(), ODataError> {
    let current = existing(&mut exchange.trail, unit, (entity, key), visible)?;
    let mut changes = body(exchange, entity)?;
    for column in entity.key() {
        // Repeated in another case, the key keeps the spelling it has.
        let Some(sent) = changes.remove(column.ordinal()) else { continue };
        let kept = current.value(column);
        if Key::of([sent.as_ref()]) != Key::of([kept]) {
            let sent = format!("{} = {}", column.name(), shown_cell(column, sent.as_ref()));
            exchange.trail.refused(sent, shown_cell(column, kept));
            return Err(ODataError::KeyImmutable { column: column.name().to_owned() });
        }
    }
    let mut whole = Values::clone(&current);
    changes.iter().for_each(|(column, cell)| whole.set(column, cell.clone()));
    name_person(entity, &mut changes, Some(&whole));
    let precondition = precondition(&exchange.request.headers, unit, (entity, key))?;
    let trail = &mut exchange.trail;
    let cells = changes.iter().map(|(column, cell)| (column, cell.clone()));
    // Merged with the record as it is now, not as it was read above.
    let reserved = unit
        .transaction
        .reserve_update(entity, key, cells, precondition)
        .map_err(|error| refused_record(trail, (entity, &whole), error))?;
    validate(trail, entity, &unit.transaction, &reserved.values)?;
    twin::follow(trail, &mut unit.transaction, (entity, &reserved), &changes)?;
    unit.deliver(entity, Operation::Update, &reserved);
    Ok(())
}

/// `DELETE` of one record.
pub(crate) fn delete(
    exchange: &mut Exchange,
    unit: &mut Unit,
    (entity, key): (Entity<'_>, &Key),
    visible: &Visible,
) -> Result<(), ODataError> {
    existing(&mut exchange.trail, unit, (entity, key), visible)?;
    let precondition = precondition(&exchange.request.headers, unit, (entity, key))?;
    let gone = unit
        .transaction
        .reserve_deletion(entity, key, precondition, MOST)
        .map_err(|error| refused(&mut exchange.trail, entity, error))?;
    // What goes with a record in the database goes there with it in Dataverse too.
    if let Some(reserved) = gone.first() {
        twin::follow(&mut exchange.trail, &mut unit.transaction, (entity, reserved), &Values::default())?;
        unit.deliver(entity, Operation::Delete, reserved);
    }
    Ok(())
}

/// The record as the unit would leave it.
fn existing(
    trail: &mut Trail,
    unit: &Unit,
    (entity, key): (Entity<'_>, &Key),
    visible: &Visible,
) -> Result<Arc<Values>, ODataError> {
    let found = unit.transaction.get(entity, 0, key).map_err(|error| refused(trail, entity, error))?;
    let shown = found.filter(|(_, values)| visible.shows(entity, |column| values.value(column)));
    shown.map(|(_, values)| values).ok_or(ODataError::UnknownRecord)
}

/// `If-Match`: none and `*` take the record as it is, a tag only that version.
fn precondition(
    headers: &HeaderMap,
    unit: &Unit,
    (entity, key): (Entity<'_>, &Key),
) -> Result<Precondition, ODataError> {
    let Some(wanted) = headers.get(http::header::IF_MATCH) else { return Ok(Precondition::MustExist) };
    let wanted = wanted.to_str().unwrap_or_default().trim();
    if wanted == "*" {
        return Ok(Precondition::MustExist);
    }
    let current: Option<&Row> = unit.snapshot.get(entity, key);
    match current {
        Some(row) if wanted == etag(entity, row) => Ok(Precondition::Version(row.version())),
        _ => Err(ODataError::PreconditionFailed),
    }
}

/// The request's columns: JSON, one object, each value of its column's type. Null is what the column holds unset. What describes
/// the record, or a value of it, is no column and is passed over; what refers to other records is refused.
fn body(exchange: &mut Exchange, entity: Entity<'_>) -> Result<Values, ODataError> {
    let Exchange { request, trail, .. } = exchange;
    let kind = request.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.and_then(media_type).is_none_or(|kind| kind != mime::APPLICATION_JSON) {
        return Err(ODataError::MediaType);
    }
    // A body that could not be had never gets here: the dispatch has refused it.
    let bytes: &Bytes = request.body.as_ref().map_err(|_| ODataError::BodyIncomplete)?;
    let sent = strict_json::object(bytes).map_err(|defect| {
        trail.refused(format!("the body: {defect}"), "one JSON object");
        ODataError::PayloadRefused
    })?;
    let mut values = Values::default();
    for (name, value) in sent {
        if let Some((subject, annotation)) = name.split_once('@') {
            annotated(trail, entity, subject, annotation, &value)?;
            continue;
        }
        let Some(column) = entity.column(&name) else {
            unknown(trail, entity, &name, &value);
            return Err(ODataError::PayloadRefused);
        };
        let Some(cell) = take(column, &value) else {
            trail.refused(format!("{name} = {}", shown(&value)), expected(column));
            return Err(ODataError::PayloadRefused);
        };
        values.set(column.ordinal(), cell);
    }
    Ok(values)
}

/// A member of a body that is none of the entity's columns.
fn unknown(trail: &mut Trail, entity: Entity<'_>, name: &str, value: &Value) {
    if entity.navigation(name).is_some() || entity.links().any(|link| link == name) {
        // [inferred: that a body has columns alone. Microsoft's own sample makes an order with its lines in one change set.]
        trail.refused(format!("records of {name} in the body of another"), TOGETHER);
        return;
    }
    let near = entity.columns().find(|column| column.name().eq_ignore_ascii_case(name));
    let expected = match near {
        Some(column) => format!("{}: names have letter case", column.name()),
        None => format!("a column of {}", entity.set()),
    };
    trail.refused(format!("{} = {}", told(name), shown(value)), expected);
}

/// An annotation in a body. A type has to be the record's own, and a reference to another record is not built.
fn annotated(
    trail: &mut Trail,
    entity: Entity<'_>,
    subject: &str,
    annotation: &str,
    value: &Value,
) -> Result<(), ODataError> {
    match (subject, annotation) {
        ("", "odata.type") => {
            let own = format!("#{NAMESPACE}.{}", entity.schema_name());
            if value.as_str() == Some(own.as_str()) {
                return Ok(());
            }
            trail.refused(format!("@odata.type = {}", shown(value)), own);
            Err(ODataError::PayloadRefused)
        }
        (subject, "odata.bind") => {
            let what = format!("{}@odata.bind", told(subject));
            trail.refused(what, "the columns by which the link goes");
            Err(ODataError::PayloadRefused)
        }
        _ => Ok(()),
    }
}
