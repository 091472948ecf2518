//! The data entities as they are compiled from `tables/`.
//!
//! Decides nothing: a new file there is a new entity, with no other line.

#![cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "written by a build script"))]

use mocktenant_schema::Schema;

/// All entities of the product that are built.
#[expect(clippy::unreadable_literal, reason = "written by a build script")]
pub(crate) static SCHEMA: Schema = include!(concat!(env!("OUT_DIR"), "/schema.rs"));

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
