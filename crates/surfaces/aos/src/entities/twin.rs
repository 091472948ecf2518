//! Two sets over one table of the product: what is written to one is seen in the other.
//!
//! Decides which columns the two have in common, by the note `twin` of either, and keeps the other's record as the first will be, in
//! the same unit of work. Companies and legal entities are so: both are CompanyInfo. A record that a declaration gave to one set
//! alone stays alone. Never delivers anything: neither set has a map.

use mocktenant_lab::Trail;
use mocktenant_tables::{ChangeKind, Key, Precondition, Reserved, Transaction, Values};

use super::complete::complete;
use super::validate::refused;
use super::values::is_blank;
use super::write::MOST;
use super::{Entity, Member};
use crate::errors::ODataError;

/// The other set, and the columns the two have in common: of this one, of the other.
pub(super) fn twin(entity: Entity<'_>) -> Option<(Entity<'_>, Vec<(Member<'_>, Member<'_>)>)> {
    let (set, columns) = entity.note("twin")?.split_once(':')?;
    let other = entity.beside_by_set(set)?;
    let pair = |text: &str| {
        let (own, there) = text.trim().split_once('=')?;
        Some((entity.column(own)?, other.column(there)?))
    };
    Some((other, columns.split(',').filter_map(pair).collect()))
}

/// Keeps the record of the other set as that of the first is reserved. `changed` are the values that were sent.
pub(super) fn follow(
    trail: &mut Trail,
    transaction: &mut Transaction,
    (entity, reserved): (Entity<'_>, &Reserved),
    changed: &Values,
) -> Result<(), ODataError> {
    let Some((other, pairs)) = twin(entity) else { return Ok(()) };
    let value = |wanted: Member<'_>| pairs.iter().find(|(_, there)| *there == wanted).map(|(own, _)| *own);
    let key: Option<Vec<Member<'_>>> = other.key().map(value).collect();
    let Some(key) = key.map(|key| Key::of(key.iter().map(|own| reserved.values.value(*own)))) else {
        return Ok(());
    };
    let there = transaction.get(other, 0, &key).map_err(|error| refused(trail, other, error))?;
    let outcome = match (reserved.kind, there) {
        (ChangeKind::Delete, Some(_)) => {
            // whoever depends on the one record depends on the table's
            transaction.reserve_deletion(other, &key, Precondition::MustExist, MOST).map(drop)
        }
        (ChangeKind::Update, Some((_, row))) => {
            let changed = pairs.iter().filter(|(own, _)| changed.get(own.ordinal()).is_some());
            let cells: Vec<_> = changed
                .map(|(own, there)| (there.ordinal(), reserved.values.value(*own).to_cell()))
                .filter(|(at, cell)| other.at(*at).is_some_and(|there| row.value(there) != cell.as_ref()))
                .filter(|(at, _)| other.key().all(|part| part.ordinal() != *at))
                .collect();
            transaction.reserve_update(other, &key, cells, Precondition::MustExist).map(drop)
        }
        (ChangeKind::Insert, None) => {
            let values = pairs.iter().map(|(own, there)| (*there, reserved.values.value(*own)));
            let given = values.filter(|(_, cell)| !is_blank(*cell));
            let mut values: Values = given.map(|(there, cell)| (there.ordinal(), cell.to_cell())).collect();
            complete(other, &mut values);
            transaction.reserve_insert(other, values).map(drop)
        }
        _ => Ok(()),
    };
    // a sentence about what depends on a record is one of the record that was asked to go
    let named = if reserved.kind == ChangeKind::Delete { entity } else { other };
    outcome.map_err(|error| refused(trail, named, error))
}
