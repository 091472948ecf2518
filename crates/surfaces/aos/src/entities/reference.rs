//! Entities that other records refer to: companies, currencies, customer groups. Read only in this cut, although the product
//! writes them.

use std::sync::LazyLock;

use super::{Entity, Relation, Shape, columns, known};

/// Legal entities, the companies.
pub(super) static LEGAL_ENTITIES: Entity = Entity {
    set: "LegalEntities",
    kind: "LegalEntity",
    name: "OMLegalEntity",
    label: "Legal entities",
    table: "CompanyInfo",
    key: &["LegalEntityId"],
    links: known::LEGAL_ENTITIES,
    defaults: &[("LanguageId", "en-US")],
    shortened: Some(("NameAlias", "Name")),
    caption: &[("LegalEntityId", "Company")],
    mandatory: &[],
    allowed: &[],
    relations: &[],
    sources: 3,
    written: &[0],
    writable: false,
    shape: LazyLock::new(|| Shape::of(columns::LEGAL_ENTITIES)),
};

/// Currencies.
pub(super) static CURRENCIES: Entity = Entity {
    set: "Currencies",
    kind: "Currency",
    name: "CurrencyEntity",
    label: "Currency table",
    table: "Currency",
    key: &["CurrencyCode"],
    links: known::CURRENCIES,
    defaults: &[],
    shortened: None,
    caption: &[("CurrencyCode", "Currency code")],
    mandatory: &[],
    allowed: &[],
    relations: &[],
    sources: 2,
    written: &[0],
    writable: false,
    shape: LazyLock::new(|| Shape::of(columns::CURRENCIES)),
};

/// Customer groups, by company.
pub(super) static CUSTOMER_GROUPS: Entity = Entity {
    set: "CustomerGroups",
    kind: "CustomerGroup",
    name: "CustCustomerGroupEntity",
    label: "Customer groups",
    table: "CustGroup",
    key: &["dataAreaId", "CustomerGroupId"],
    links: known::CUSTOMER_GROUPS,
    defaults: &[],
    shortened: None,
    caption: &[("CustomerGroupId", "Customer group"), ("Description", "Description")],
    mandatory: &[],
    allowed: &[],
    relations: &[],
    sources: 1,
    written: &[0],
    writable: false,
    shape: LazyLock::new(|| Shape::of(columns::CUSTOMER_GROUPS)),
};

/// The company of a record.
pub(super) const COMPANY_EXISTS: Relation = Relation {
    column: "dataAreaId",
    label: "Company",
    table: "Legal entities",
    set: "LegalEntities",
    key: &["dataAreaId"],
};
