//! What a new record holds that nobody sent and that follows from the record itself or from others.
//!
//! Decides the names that begin as others do, and what is copied from the records a new one refers to: an order's customer, a
//! line's order and item. What a column holds by default is the schema's; numbers are `drawn`'s. Where the product takes a value
//! from what this lab has not (a company's currency), the column stays empty.

use std::cmp::Ordering;
use std::sync::Arc;

use mocktenant_query::{Comparison, Expression};
use mocktenant_schema::{Cell, CellRef, Decimal, Kind, Relationship};
use mocktenant_tables::{Key, Query, TableError, Transaction, Values};
use time::OffsetDateTime;

use super::unit::Unit;
use super::values::{begin, now_and_today};
use super::{CUSTOMERS, Entity, Member, Notes};

/// What currencies are called (ISO 4217).
const CURRENCIES: &str = include_str!("currencies.txt");

/// What follows from the record itself: a person's whole name, a currency's name, a search name.
pub(super) fn complete(entity: Entity<'_>, values: &mut Values) {
    name_person(entity, values, None);
    name_currency(entity, values);
    for column in entity.columns() {
        let whole = column.note("begins_as").and_then(|name| entity.column(name));
        let Some(whole) = whole.filter(|_| values.get(column.ordinal()).is_none()) else { continue };
        let begun = begin(values.value(whole).as_text().unwrap_or_default(), column.length()).to_owned();
        values.set(column.ordinal(), Cell::text(begun));
    }
}

/// Whether a column has to be given in a record of these values: always, or where another column has one.
pub(super) fn is_needed(entity: Entity<'_>, column: Member<'_>, values: &Values) -> bool {
    let Some((name, wanted)) = column.note("required_when").and_then(|when| when.split_once('=')) else {
        return true;
    };
    let there = entity.column(name).map(|other| values.value(other)).and_then(CellRef::as_text);
    there.is_some_and(|there| there.eq_ignore_ascii_case(wanted))
}

/// A name that only organisations are given is made of the person's names where the record is one of a person's, whatever was sent
/// for it. `record` is the whole record where these values change one. [inferred: that the name is read there; no person is
/// captured]
pub(super) fn name_person(entity: Entity<'_>, values: &mut Values, record: Option<&Values>) {
    let Some(name) = entity.name_column() else { return };
    if is_needed(entity, name, record.unwrap_or(values)) {
        return;
    }
    let parts: Vec<String> = entity
        .person_names()
        .filter_map(|column| {
            record.unwrap_or(values).value(column).as_text().map(|text| text.trim().to_owned())
        })
        .filter(|text| !text.is_empty())
        .collect();
    values.set(name.ordinal(), Cell::text(begin(&parts.join(" "), name.length())));
}

/// A currency that comes without a name has that of its code, as a capture of AFN shows; one that is in no list has none.
fn name_currency(entity: Entity<'_>, values: &mut Values) {
    let name = entity.name_column().filter(|name| name.note("filled") == Some("iso-currency-name"));
    let Some((name, code)) = name.zip(entity.id()) else { return };
    if values.get(name.ordinal()).is_none()
        && let Some(known) = values.value(code).as_text().and_then(currency)
    {
        values.set(name.ordinal(), Cell::text(known));
    }
}

/// What the currency of a code is called.
fn currency(code: &str) -> Option<&'static str> {
    let named = CURRENCIES.lines().filter_map(|line| line.split_once(' '));
    named.filter(|(known, _)| known.eq_ignore_ascii_case(code.trim())).map(|(_, name)| name).next()
}

/// What follows from other records and from the time. A reference that leads nowhere fills nothing: it is refused later.
pub(super) fn fill(
    entity: Entity<'_>,
    values: &mut Values,
    unit: &Unit,
    now: OffsetDateTime,
) -> Result<(), TableError> {
    let transaction = &unit.transaction;
    for column in entity.columns() {
        let Some(how) = column.note("filled").filter(|_| values.get(column.ordinal()).is_none()) else {
            continue;
        };
        let (moment, today) = now_and_today(now);
        let cell = match how {
            "now" => Some(Cell::Moment(moment)),
            "today" => Some(Cell::Day(today)),
            "customer-name" => {
                let customer = referred(entity, values, transaction, CUSTOMERS)?;
                customer.and_then(|(customer, row)| Some(row.value(customer.name_column()?).to_cell()))
            }
            "order" => same(referred(entity, values, transaction, "SalesOrderHeadersV2")?, column.name()),
            "item" => {
                let item = referred(entity, values, transaction, "ReleasedProductsV2")?;
                // an item here has no quantity that is ordered by default
                let one = column.name() == "OrderedSalesQuantity" && item.is_some();
                same(item, column.name()).or_else(|| one.then(|| Cell::Decimal(Decimal::from_whole(1))))
            }
            "next-line" => next(entity, values, unit, column),
            _ => None,
        };
        if let Some(cell) = cell {
            values.set(column.ordinal(), cell);
        }
    }
    Ok(())
}

/// The record of another entity that this one refers to first.
fn referred<'s>(
    entity: Entity<'s>,
    values: &Values,
    transaction: &Transaction,
    set: &str,
) -> Result<Option<(Entity<'s>, Arc<Values>)>, TableError> {
    let Some(relationship) = entity.outgoing().find(|one| one.to().set() == set) else { return Ok(None) };
    let Some(key) = key_there(relationship, values) else { return Ok(None) };
    let found = transaction.get(relationship.to(), 0, &key)?;
    Ok(found.map(|(_, row)| (relationship.to(), row)))
}

/// The primary key of the record that these values refer to; `None` where the relationship does not name one.
pub(super) fn key_there(relationship: Relationship<'_>, values: &Values) -> Option<Key> {
    let (from, to) = (relationship.from(), relationship.to());
    let cells: Option<Vec<CellRef<'_>>> = to
        .key()
        .map(|column| {
            let (own, _) = relationship.pairs().find(|(_, other)| *other == column.ordinal())?;
            Some(values.value(from.at(own)?))
        })
        .collect();
    cells.map(Key::of)
}

/// The same column of another record.
fn same(of: Option<(Entity<'_>, Arc<Values>)>, name: &str) -> Option<Cell> {
    let (entity, row) = of?;
    Some(row.value(entity.column(name)?).to_cell())
}

/// One more than the greatest of the lines of the same order, those of the same unit of work among them.
fn next(entity: Entity<'_>, values: &Values, unit: &Unit, column: Member<'_>) -> Option<Cell> {
    let order = entity.outgoing().find(|one| !one.back().is_empty())?;
    let own: Vec<Member<'_>> = order.pairs().filter_map(|(own, _)| entity.at(own)).collect();
    let equal = |own: &Member<'_>| {
        Expression::column_is(own.ordinal(), Comparison::Equal, values.value(*own).to_cell())
    };
    let filter = Expression::And(own.iter().map(equal).collect());
    let there = unit.snapshot.query(&Query { filter: Some(&filter), ..Query::of(entity) });
    let there = there.rows.iter().map(|row| row.value(column));
    let key = |values: &Values| Key::of(own.iter().map(|own| values.value(*own)));
    let coming = unit.inserted(entity).filter(|other| key(other) == key(values));
    let all = there.chain(coming.map(|other| other.value(column)));
    let greatest = all.max_by(|left, right| left.compare(*right, str::cmp).unwrap_or(Ordering::Equal));
    Some(match (column.kind(), greatest) {
        (Kind::Decimal, Some(CellRef::Decimal(line))) => Cell::Decimal(line.plus(Decimal::from_whole(1))),
        (Kind::Decimal, _) => Cell::Decimal(Decimal::from_whole(1)),
        (_, Some(CellRef::Whole(line))) => Cell::Whole(line.saturating_add(1)),
        _ => Cell::Whole(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_named_by_their_code_in_any_case_and_each_once() {
        let codes: Vec<&str> = CURRENCIES.lines().filter_map(|line| line.get(..3)).collect();
        assert!(codes.is_sorted_by(|one, other| one < other), "in order, none twice");
        assert!(CURRENCIES.lines().all(|line| line.split_once(' ').is_some_and(|(code, name)| {
            code.len() == 3 && !name.is_empty() && name.chars().count() <= 60
        })));
        assert_eq!(
            (currency("AFN"), currency("usd"), currency("QQQ")),
            (Some("Afghani"), Some("US Dollar"), None)
        );
    }
}
