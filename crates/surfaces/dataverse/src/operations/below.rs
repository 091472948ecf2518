//! What stands below a row: one of its columns, the rows a navigation property leads to, and the links themselves.
//!
//! Decides what `set(id)/name` is, and what can be done with it: a column is read, written and emptied, a navigation property is
//! followed, `$ref` joins rows and takes them apart. Mirrors captured answers of columns; an unknown name is the product's 404.

use std::sync::Arc;

use http::{Method, StatusCode};
use mocktenant_lab::Answer;
use mocktenant_odata::bind::hop;
use mocktenant_odata::{Arguments, ResourceSegment};
use mocktenant_query::{Comparison, Expression, Hop, Path};
use mocktenant_schema::{Cell, Column, Navigation, Schema, Table};
use mocktenant_tables::{At, Key, Precondition, Row, Snapshot, Transaction, Values};
use serde::Serialize;
use serde_json::{Value, json};

use super::refused::refused;
use super::update::{change, condition, named, without_key};
use super::{Call, Reference, Target, fetched, key_of, list};
use crate::errors::{DataverseError, cut};
use crate::payload::{self, id_of, row_named};
use crate::principal::Operation;
use crate::representation::{Written, id_text, json_answer};
use crate::tables::DIALECT;

/// A row that something is asked below of.
struct Above<'t> {
    table: Table<'t>,
    rows: Snapshot,
    row: Row,
}

impl Above<'_> {
    fn id(&self) -> Cell {
        id_of(self.table, &self.row)
    }
}

/// What stands below the row of a reference, read.
pub(super) async fn answer(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
    rest: &[&str],
) -> Result<Answer, DataverseError> {
    let Some((segment, more)) = first(rest)? else { return Err(call.leads_nowhere()) };
    let (column, step) =
        (DIALECT.column(target.table, &segment.name), target.table.navigation(&segment.name));
    if !(step.is_some_and(Navigation::is_many) && more.is_empty()) {
        fetched::refuse(call, &target.options)?;
    }
    match (column, step, more) {
        (Some(column), _, []) if segment.arguments == Arguments::None => {
            property(call, target, reference, column)
        }
        (_, Some(step), []) if segment.arguments == Arguments::None => {
            let above = above(call, target, reference, Operation::Read)?;
            follow(call, target, &above, step).await
        }
        (_, Some(step), ["$count" | "%24count"]) if step.is_many() => {
            let above = above(call, target, reference, Operation::Read)?;
            list::count(call, &there(target, step), Some(within(step, &above.id()))).await
        }
        (_, Some(step), ["$ref" | "%24ref"]) if segment.arguments == Arguments::None => {
            let above = above(call, target, reference, Operation::Read)?;
            if step.is_many() {
                let within = within(step, &above.id());
                return list::references(call, &there(target, step), within).await;
            }
            let Some(row) = led_to(call, &above, step)? else {
                return Ok(Answer::empty(StatusCode::NO_CONTENT));
            };
            let there = format!("{}/{}({})", call.root, step.target().set(), id_text(step.target(), row));
            let body =
                json!({ "@odata.context": format!("{}/$metadata#$ref", call.root), "@odata.id": there });
            Ok(call.applied(json_answer(StatusCode::OK, &body), None))
        }
        _ => Err(nothing(call, target.table, &segment.name)),
    }
}

/// The same, written.
pub(super) fn write(call: &mut Call<'_>, schema: &Schema) -> Result<Answer, DataverseError> {
    let path = call.exchange.request.path().to_owned();
    let rest: Vec<&str> = path.trim_end_matches('/').split('/').skip(5).collect();
    let segment = call.segment()?;
    if schema.by_set(&segment.name).is_none() {
        return Err(call.leads_nowhere());
    }
    let target = super::target(call, schema, &segment)?;
    let Some(reference) = &target.reference else { return Err(call.leads_nowhere()) };
    let Some((segment, more)) = first(&rest)? else { return Err(call.leads_nowhere()) };
    let table = target.table;
    match (DIALECT.column(table, &segment.name), table.navigation(&segment.name), more) {
        (Some(column), _, []) if segment.arguments == Arguments::None => {
            property(call, &target, reference, column)
        }
        (_, Some(step), ["$ref" | "%24ref"]) => link(call, &target, reference, step, &segment),
        _ => Err(nothing(call, table, &segment.name)),
    }
}

/// The first of what stands below, if it has a name, and the rest.
fn first<'r, 't>(rest: &'r [&'t str]) -> Result<Option<(ResourceSegment, &'r [&'t str])>, DataverseError> {
    let named = rest.split_first().filter(|(first, _)| !first.starts_with(['$', '%']));
    let read = |text: &str| ResourceSegment::parse(text).map_err(|_| DataverseError::QuerySyntax);
    named.map(|(first, more)| Ok((read(first)?, more))).transpose()
}

/// What is said where there is nothing: of a name that the table has not, the product's own 404.
fn nothing(call: &mut Call<'_>, table: Table<'_>, name: &str) -> DataverseError {
    let known = DIALECT.column(table, name).is_some() || table.navigation(name).is_some();
    match call.leads_nowhere() {
        DataverseError::NotFound if !known => DataverseError::ResourceNotFound { segment: cut(name) },
        other => other,
    }
}

/// The row itself, where the caller may do this with it.
fn above<'t>(
    call: &mut Call<'_>,
    target: &Target<'t>,
    reference: &Reference,
    operation: Operation,
) -> Result<Above<'t>, DataverseError> {
    let table = target.table;
    let depth = call.authorize(table, operation)?;
    let rows = target.database.snapshot();
    let row = reference.row(&rows, table).ok_or_else(|| reference.missing(table))?.clone();
    call.reach((table, operation, depth), |name| named(table, &row, name))?;
    call.exchange.trail.fact("record-id", id_text(table, &row));
    Ok(Above { table, rows, row })
}

/// A column: read, written, emptied.
fn property(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
    column: Column<'_>,
) -> Result<Answer, DataverseError> {
    #[derive(Serialize)]
    struct Body<'b> {
        #[serde(rename = "@odata.context")]
        context: String,
        value: Written<'b>,
    }
    let name = DIALECT.property(column);
    let operation = if call.writes() { Operation::Write } else { Operation::Read };
    let above = above(call, target, reference, operation)?;
    let value = match call.exchange.request.method {
        Method::GET | Method::HEAD => {
            let cell = above.row.value(column);
            if cell.is_null() {
                return Ok(Answer::empty(StatusCode::NO_CONTENT));
            }
            let id = id_text(above.table, &above.row);
            let context = format!("{}/$metadata#{}({id})/{name}", call.root, above.table.set());
            return Ok(json_answer(StatusCode::OK, &Body { context, value: Written { column, cell } }));
        }
        Method::PUT => {
            let body = call.body()?;
            payload::alone(above.table, &body).map_err(|fault| call.told(fault))?
        }
        Method::DELETE => Value::Null,
        _ => return Err(DataverseError::MethodNotAllowed),
    };
    let cell = payload::checked(column, &name, &value).map_err(|fault| call.told(fault))?;
    if let Some(cell) = cell {
        let condition = condition(call);
        let mut values = super::update::with(column.ordinal(), cell);
        without_key(above.table, &mut values);
        change(call, target, &above.row, values, condition)?;
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The same request about the rows a navigation property leads to.
fn there<'s>(target: &Target<'_>, step: Navigation<'s>) -> Target<'s> {
    Target {
        table: step.target(),
        reference: None,
        options: target.options.clone(),
        database: target.database.clone(),
    }
}

/// That a row is one of those the step leads to from the row of this id.
fn within(step: Navigation<'_>, id: &Cell) -> Expression {
    let relationship = step.relationship();
    if let Some(column) = relationship.column() {
        return Expression::column_is(column.ordinal(), Comparison::Equal, id.clone());
    }
    let back = Hop { back: !step.is_back(), ..hop(step) };
    let key = if step.is_back() { relationship.to() } else { relationship.from() };
    let key = key.id().map_or(u16::MAX, mocktenant_schema::Column::ordinal);
    let own = Expression::Compare {
        op: Comparison::Equal,
        left: Box::new(Expression::Column(Path::own(key))),
        right: Box::new(Expression::Constant(id.clone())),
    };
    Expression::Exists { hops: vec![back], every: false, condition: Some(Box::new(own)) }
}

/// The row, or the rows, a navigation property leads to.
async fn follow(
    call: &mut Call<'_>,
    target: &Target<'_>,
    above: &Above<'_>,
    step: Navigation<'_>,
) -> Result<Answer, DataverseError> {
    let there = there(target, step);
    if step.is_many() {
        return list::answer(call, &there, Some(within(step, &above.id()))).await;
    }
    let table = there.table;
    let shown = call.selection(&there)?;
    let Some(row) = led_to(call, above, step)? else { return Ok(Answer::empty(StatusCode::NO_CONTENT)) };
    let answer = call.entity(&above.rows, &shown, table, row, StatusCode::OK)?;
    Ok(call.applied(answer.with_text("etag", &row.etag()), None))
}

/// The one row that a step leads to, if the caller may read it.
fn led_to<'a>(
    call: &mut Call<'_>,
    above: &'a Above<'_>,
    step: Navigation<'_>,
) -> Result<Option<&'a Row>, DataverseError> {
    let table = step.target();
    let depth = call.authorize(table, Operation::Read)?;
    let at = At { table: above.table.position(), row: &above.row };
    let found = above.rows.related(at, hop(step)).into_iter().next();
    if let Some(found) = found {
        call.reach((table, Operation::Read, depth), |name| named(table, found.row, name))?;
    }
    Ok(found.map(|found| found.row))
}

/// `$ref`: joins two rows, or takes them apart.
fn link(
    call: &mut Call<'_>,
    target: &Target<'_>,
    reference: &Reference,
    step: Navigation<'_>,
    segment: &ResourceSegment,
) -> Result<Answer, DataverseError> {
    let removes = call.exchange.request.method == Method::DELETE;
    let relationship = step.relationship();
    let joins = match call.exchange.request.method {
        Method::DELETE => true,
        Method::POST => step.is_many(),
        Method::PUT => !step.is_many(),
        _ => false,
    };
    if !joins {
        return Err(DataverseError::MethodNotAllowed);
    }
    // a lookup is the row's that has it; rows between are those of either side that clients may write
    let own =
        if relationship.column().is_some() && !step.is_back() { Operation::Write } else { Operation::Read };
    let above = above(call, target, reference, own)?;
    let other = other(call, target, step, segment, removes)?;
    if let Some(through) = relationship.through() {
        let Some((other, _)) = other else { return Err(DataverseError::QuerySyntax) };
        return between(call, target, &above, (step, through), &other, removes);
    }
    let Some(lookup) = relationship.column() else { return Err(DataverseError::Unexpected) };
    if !lookup.is_for_create() && !lookup.is_for_update() {
        // who made a row is the organisation's to say: ignored, as in a body
        return Ok(Answer::empty(StatusCode::NO_CONTENT));
    }
    if step.is_back() {
        // the other row leads to this one
        let Some((other, row)) = other else { return Err(DataverseError::QuerySyntax) };
        let table = step.target();
        let depth = call.authorize(table, Operation::Write)?;
        call.reach((table, Operation::Write, depth), |name| named(table, &row, name))?;
        if removes && row.value(lookup) != above.id().as_ref() {
            return Err(DataverseError::ObjectDoesNotExist { entity: table.name().into(), id: other.shown });
        }
        let value = if removes { Cell::Null } else { above.id() };
        let there = there(target, step);
        change(call, &there, &row, super::update::with(lookup.ordinal(), value), Precondition::MustExist)?;
    } else {
        let value = match other {
            Some((_, row)) => id_of(step.target(), &row),
            None => Cell::Null,
        };
        let value = if removes { Cell::Null } else { value };
        change(
            call,
            target,
            &above.row,
            super::update::with(lookup.ordinal(), value),
            Precondition::MustExist,
        )?;
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The row at the other end: of the segment's key, of `$id`, or of the body's `@odata.id`.
fn other(
    call: &mut Call<'_>,
    target: &Target<'_>,
    step: Navigation<'_>,
    segment: &ResourceSegment,
    removes: bool,
) -> Result<Option<(Reference, Row)>, DataverseError> {
    let rows = target.database.snapshot();
    let table = step.target();
    let found = |reference: Reference| {
        let row = reference.row(&rows, table).cloned().ok_or_else(|| reference.missing(table))?;
        Ok(Some((reference, row)))
    };
    if let Some(reference) = key_of(table, segment, |_| None)? {
        return found(reference);
    }
    let address = if removes {
        match target.options.id.clone() {
            Some(address) => address,
            None if !step.is_many() => return Ok(None),
            None => return Err(DataverseError::QuerySyntax),
        }
    } else {
        let body = call.body()?;
        let members = payload::members(table, &body).map_err(|fault| call.told(fault))?;
        let address = members.get("@odata.id").and_then(Value::as_str).map(str::to_owned);
        address.ok_or(DataverseError::QuerySyntax)?
    };
    let schema = Arc::clone(&call.schema);
    let (named, reference) = row_named(&schema, &address, call.made())?;
    if named != table {
        return Err(DataverseError::QuerySyntax);
    }
    found(reference)
}

/// A row of the table between two that lead to each other.
fn between(
    call: &mut Call<'_>,
    target: &Target<'_>,
    above: &Above<'_>,
    (step, through): (Navigation<'_>, Table<'_>),
    other: &Reference,
    removes: bool,
) -> Result<Answer, DataverseError> {
    let table = step.target();
    let changed = if crate::tables::is_stored(table) { table } else { above.table };
    call.authorize(changed, Operation::Assign)?;
    let row = other.row(&above.rows, table).ok_or_else(|| other.missing(table))?;
    let ends = (above.id(), id_of(table, row));
    let (from, to) = if step.is_back() { (ends.1, ends.0) } else { ends };
    let Some((left, right)) = step.relationship().pairs().next() else {
        return Err(DataverseError::Unexpected);
    };
    let mut transaction = Transaction::begin(&target.database);
    let values = Values::from_iter([(left, from), (right, to)]);
    // both together are a key of the table between
    let index = 1 + through
        .keys()
        .position(|key| {
            let columns: Vec<u16> = key.columns().map(mocktenant_schema::Column::ordinal).collect();
            columns.len() == 2 && columns.contains(&left) && columns.contains(&right)
        })
        .ok_or(DataverseError::Unexpected)?;
    let key =
        through.keys().nth(index - 1).map(|key| Key::of(key.columns().map(|column| values.value(column))));
    let key = key.ok_or(DataverseError::Unexpected)?;
    let there =
        transaction.get(through, index, &key).map_err(|error| refused(through, &other.shown, error))?;
    match (there, removes) {
        (None, true) => return Err(other.missing(table)),
        (Some((primary, _)), true) => {
            let gone = transaction.reserve_delete(through, &primary, Precondition::MustExist);
            gone.map_err(|error| refused(through, &other.shown, error))?;
        }
        // joined already
        (Some(_), false) => return Ok(Answer::empty(StatusCode::NO_CONTENT)),
        (None, false) => {
            let mut values = values;
            if let Some(id) = through.id() {
                let ends = [left, right].map(|one| values.get(one).map(crate::store::plain));
                let [Some(one), Some(other)] = ends.map(|end| end?.as_str().map(str::to_owned)) else {
                    return Err(DataverseError::Unexpected);
                };
                values.set(id.ordinal(), crate::store::link_id(through, &one, &other));
            }
            let made = transaction.reserve_insert(through, values);
            made.map_err(|error| refused(through, &other.shown, error))?;
        }
    }
    call.commit(transaction)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
