//! What a request's path names: an entity set, or one record by its key.
//!
//! Decides how a key in a URL is read: every part by name, or the bare value where the key has one column. Names have letter
//! case. Never decides what is answered where there is nothing.

use http::Method;
use mocktenant_odata::{Arguments, Literal, QueryOptions, ResourceSegment};
use mocktenant_tables::Reference;

use super::Entity;

/// What a request's path names.
pub(crate) struct Target {
    pub(crate) entity: &'static Entity,
    /// One record, or the whole set.
    pub(crate) record: Option<Reference>,
}

/// Why a path names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSuchTarget {
    /// There is no such set.
    Set,
    /// The set has no such key.
    Key(&'static Entity),
}

impl PartialEq for Entity {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set
    }
}

impl Eq for Entity {}

/// Reads the segment of a path below `/data` that names a set.
pub(crate) fn target(raw: &str, options: &QueryOptions) -> Result<Target, NoSuchTarget> {
    let name = raw.split(['(', '%']).next().unwrap_or_default();
    let segment = match (Entity::find(name), ResourceSegment::parse(raw)) {
        (_, Ok(segment)) => segment,
        (Some(entity), Err(_)) => return Err(NoSuchTarget::Key(entity)),
        (None, Err(_)) => return Err(NoSuchTarget::Set),
    };
    let entity = Entity::find(&segment.name).ok_or(NoSuchTarget::Set)?;
    let single = match entity.key {
        [only] => only,
        _ => "",
    };
    let no_key = NoSuchTarget::Key(entity);
    let named: Vec<(String, Literal)> =
        segment.named_literals(single, |name| options.alias(name)).map_err(|_| no_key)?;
    let record = if segment.arguments == Arguments::None {
        None
    } else {
        Some(entity.schema().reference(&named).map_err(|_| no_key)?)
    };
    Ok(Target { entity, record })
}

/// The methods a target takes, as `Allow` lists them.
pub(crate) fn allowed(target: &Target) -> &'static [Method] {
    const READ: &[Method] = &[Method::GET];
    const SET: &[Method] = &[Method::GET, Method::POST];
    const RECORD: &[Method] = &[Method::GET, Method::PATCH, Method::PUT, Method::DELETE];
    match (&target.record, target.entity.writable) {
        (_, false) => READ,
        (None, true) => SET,
        (Some(_), true) => RECORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entity_sets_are_found_by_their_exact_name_and_others_are_unknown() {
        let options = QueryOptions::default();
        assert_eq!(target("CustomersV3", &options).ok().map(|target| target.entity.set), Some("CustomersV3"));
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
            assert_eq!(target(unknown, &options).err(), Some(NoSuchTarget::Set), "{unknown}");
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
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a',Other='b')",
            "CustomersV3(dataAreaId='usmf',dataAreaId='usmf')",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a'",
            "CustomersV3(dataAreaId=%FF,CustomerAccount='a')",
            "CustomersV3(@a)",
            "CustomersV3(dataAreaId='usmf',CustomerAccount='a')x",
            &long,
        ] {
            let error = target(bad, &options).err();
            assert!(matches!(error, Some(NoSuchTarget::Key(_))), "{bad:.80}: {error:?}");
        }
        let good = target("CustomersV3(CustomerAccount='DE-010',dataAreaId='USMF')", &options).unwrap();
        assert!(good.record.is_some());
        assert!(target("LegalEntities('USMF')", &options).unwrap().record.is_some());
    }
}
