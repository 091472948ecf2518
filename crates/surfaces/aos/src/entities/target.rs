//! What a request's path names: an entity set, or one record by its key.
//!
//! Decides how a key in a URL is read: every part by name, or the bare value where the key has one column. Names have letter
//! case, and values are of their columns' types. Never decides what is answered where there is nothing.

use http::Method;
use mocktenant_odata::{Arguments, Literal, QueryOptions, ResourceSegment};
use mocktenant_schema::{Cell, Schema};
use mocktenant_tables::Key;

use super::values::of_literal;
use super::{Entity, Notes};

/// What a request's path names.
#[derive(Debug)]
pub(crate) struct Target<'s> {
    pub(crate) entity: Entity<'s>,
    /// One record, or the whole set.
    pub(crate) record: Option<Key>,
}

/// Why a path names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSuchTarget<'s> {
    /// There is no such set.
    Set,
    /// The set has no such key.
    Key(Entity<'s>),
}

/// Reads the segment of a path below `/data` that names a set.
pub(crate) fn target<'s>(
    schema: &'s Schema,
    raw: &str,
    options: &QueryOptions,
) -> Result<Target<'s>, NoSuchTarget<'s>> {
    let name = raw.split(['(', '%']).next().unwrap_or_default();
    let segment = match (schema.by_set(name), ResourceSegment::parse(raw)) {
        (_, Ok(segment)) => segment,
        (Some(entity), Err(_)) => return Err(NoSuchTarget::Key(entity)),
        (None, Err(_)) => return Err(NoSuchTarget::Set),
    };
    let entity = schema.by_set(&segment.name).ok_or(NoSuchTarget::Set)?;
    if segment.arguments == Arguments::None {
        return Ok(Target { entity, record: None });
    }
    let no_key = NoSuchTarget::Key(entity);
    let single = entity.id().map_or("", |column| column.name());
    let named = segment.named_literals(single, |name| options.alias(name)).map_err(|_| no_key)?;
    let record = Some(key(entity, &named).ok_or(no_key)?);
    Ok(Target { entity, record })
}

/// The key that these values are, each of the columns once.
fn key(entity: Entity<'_>, named: &[(String, Literal)]) -> Option<Key> {
    if named.len() != entity.key().len() {
        return None;
    }
    let cells: Option<Vec<Cell>> = entity
        .key()
        .map(|column| {
            let (_, literal) = named.iter().find(|(name, _)| name == column.name())?;
            of_literal(column, literal)
        })
        .collect();
    Some(Key::of(cells?.iter().map(Cell::as_ref)))
}

/// The methods a target takes, as `Allow` lists them.
pub(crate) fn allowed(target: &Target<'_>) -> &'static [Method] {
    const READ: &[Method] = &[Method::GET];
    const SET: &[Method] = &[Method::GET, Method::POST];
    const RECORD: &[Method] = &[Method::GET, Method::PATCH, Method::PUT, Method::DELETE];
    match (&target.record, target.entity.is_kept()) {
        (_, false) => READ,
        (None, true) => SET,
        (Some(_), true) => RECORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SCHEMA;

    #[test]
    fn entity_sets_are_found_by_their_exact_name_and_others_are_unknown() {
        let options = QueryOptions::default();
        let set = target(&SCHEMA, "CustomersV3", &options).ok().map(|target| target.entity.set());
        assert_eq!(set, Some("CustomersV3"));
        for unknown in [
            "customersv3",
            "CustomerGroup",
            "Vendors",
            "$metadata",
            "",
            "()",
            "%",
            "%00",
            "a(b",
            "CustomersV4(dataAreaId='x')",
        ] {
            assert_eq!(target(&SCHEMA, unknown, &options).err(), Some(NoSuchTarget::Set), "{unknown}");
        }
    }

    #[test]
    fn garbage_in_a_key_is_a_key_error_and_never_a_panic() {
        let options = QueryOptions::default();
        let long = format!("CustomersV3({})", "(".repeat(100_000));
        for bad in [
            "CustomersV3(",
            "CustomersV3()",
            "CustomersV3('DE-010')",
            "CustomersV3(dataAreaId='usmf')",
            "CustomersV3(dataAreaId='usmf',CustomerAccount=null)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount=5)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a',Other='b')",
            "CustomersV3(dataAreaId='usmf',dataAreaId='usmf')",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a'",
            "CustomersV3(dataAreaId=%FF,CustomerAccount='a')",
            "CustomersV3(@a)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a')x",
            "ExchangeRates(RateTypeName='a',FromCurrency='USD',ToCurrency='EUR',StartDate='2026-07-14')",
            &long,
        ] {
            let error = target(&SCHEMA, bad, &options).err();
            assert!(matches!(error, Some(NoSuchTarget::Key(_))), "{bad:.80}: {error:?}");
        }
        for good in [
            "CustomersV3(CustomerAccount='DE-010',dataAreaId='USMF')",
            "LegalEntities('USMF')",
            "ExchangeRates(RateTypeName='a',FromCurrency='USD',ToCurrency='EUR',StartDate=2026-07-14T12:00:00Z)",
        ] {
            assert!(target(&SCHEMA, good, &options).is_ok_and(|target| target.record.is_some()), "{good}");
        }
    }
}
