//! The data entities as they are compiled from `tables/`, and those that an environment declares beside them.
//!
//! Decides what a declared entity needs to be one here; a new file is a new entity, with no other line.

#![cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "written by a build script"))]

mod declared;

use std::sync::{Arc, LazyLock};

use mocktenant_lab::Context;
use mocktenant_schema::{DefinitionError, Schema, Schemas, Unset};
use mocktenant_world::Environment;

use crate::Aos;

/// All entities of the product that are built.
#[expect(clippy::unreadable_literal, reason = "written by a build script")]
pub(crate) static SCHEMA: Schema = include!(concat!(env!("OUT_DIR"), "/schema.rs"));

/// The same to be shared, and those with declared entities.
static SCHEMAS: LazyLock<Schemas> =
    LazyLock::new(|| Schemas::new(&SCHEMA, Unset::Empty, declared::completed, declared::findings));

/// The entities of an environment that declares none of its own.
pub(crate) fn built_in() -> Arc<Schema> {
    Arc::clone(SCHEMAS.base())
}

/// The entities of an environment. Those of one whose declaration has findings, which no lab takes, are the product's.
pub(crate) fn of(environment: &Environment) -> Arc<Schema> {
    SCHEMAS.of(&environment.tables).unwrap_or_else(|_| built_in())
}

/// The entities of the environment that answers.
pub(crate) fn here(context: &Context) -> Arc<Schema> {
    let known = context.environment().and_then(|name| context.prepared::<Aos>().schema(name));
    known.map_or_else(built_in, Arc::clone)
}

/// What is wrong with the entities an environment declares.
pub(crate) fn findings(environment: &Environment) -> Vec<DefinitionError> {
    SCHEMAS.of(&environment.tables).err().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entity_has_as_many_members_as_the_product() {
        let counts: Vec<(&str, usize)> =
            SCHEMA.tables().map(|table| (table.name(), table.columns().len())).collect();
        assert_eq!(
            counts,
            [
                ("Companies", 5),
                ("Currencies", 15),
                ("CustomerGroups", 13),
                ("CustomersV3", 309),
                ("DualWriteProjectConfigurations", 23),
                ("ExchangeRates", 8),
                ("LegalEntities", 100),
                ("PaymentTerms", 19),
                ("ReleasedDistinctProducts", 186),
                ("ReleasedProductsV2", 274),
                ("SalesOrderHeadersV2", 168),
                ("SalesOrderLines", 151),
                ("SysAADClients", 3),
                ("SystemUsers", 43),
                ("VendorGroups", 12),
                ("VendorsV2", 292),
            ]
        );
    }
}
