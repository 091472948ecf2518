//! Entities that other records refer to: companies, currencies, customer groups. Read only in this cut.

use super::{Column, Entity, Kind, Relation};

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// Legal entities, the companies.
pub(super) const LEGAL_ENTITIES: Entity = Entity {
    set: "LegalEntities",
    name: "OMLegalEntity",
    key: &["LegalEntityId"],
    columns: &[
        text("LegalEntityId"),
        text("AddressDescription"),
        Column { name: "UseForFinancialConsolidationProcess", kind: Kind::Enumeration(&["No", "Yes"]) },
        text("CompanyName"),
    ],
    mandatory: &[],
    relations: &[],
    writable: false,
};

/// Currencies.
pub(super) const CURRENCIES: Entity = Entity {
    set: "Currencies",
    name: "CurrencyEntity",
    key: &["CurrencyCode"],
    columns: &[text("CurrencyCode"), text("Name"), text("Symbol")],
    mandatory: &[],
    relations: &[],
    writable: false,
};

/// Customer groups, by company.
pub(super) const CUSTOMER_GROUPS: Entity = Entity {
    set: "CustomerGroups",
    name: "CustCustomerGroupEntity",
    key: &["dataAreaId", "CustomerGroupId"],
    columns: &[
        text("dataAreaId"),
        text("CustomerGroupId"),
        text("Description"),
        text("PaymentTermId"),
        text("ClearingPeriodPaymentTermName"),
        Column { name: "IsSalesTaxIncludedInPrice", kind: Kind::Enumeration(&["No", "Yes"]) },
    ],
    mandatory: &[],
    relations: &[],
    writable: false,
};

/// The company of a record.
pub(super) const COMPANY_EXISTS: Relation = Relation {
    column: "dataAreaId",
    label: "Company",
    table: "Legal entities",
    set: "LegalEntities",
    key: &["dataAreaId"],
};
