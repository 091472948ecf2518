//! Customers (CustomersV3): the entity that can be written, and whose changes Dual Write takes to Dataverse.
//!
//! Decides what a customer needs: account, name and group; group, currency and company have to exist. Number sequences are
//! not built, so the account is mandatory here.

use std::sync::LazyLock;

use super::reference::COMPANY_EXISTS;
use super::{Allowed, Entity, Relation, Shape, columns, known};

/// Customers.
pub(super) static CUSTOMERS: Entity = Entity {
    set: "CustomersV3",
    kind: "CustomerV3",
    name: "CustCustomerV3Entity",
    label: "Customers",
    table: "CustTable",
    key: &["dataAreaId", "CustomerAccount"],
    links: known::CUSTOMERS_V3,
    defaults: &[("PartyType", "Organization"), ("LanguageId", "en-US")],
    shortened: Some(("NameAlias", "OrganizationName")),
    caption: &[("CustomerAccount", "Customer account")],
    mandatory: &[
        ("CustomerAccount", "Customer account"),
        ("OrganizationName", "Organization name"),
        ("CustomerGroupId", "Customer group"),
    ],
    allowed: &[Allowed { column: "PartyType", words: &["Organization", "Person"] }],
    relations: &[
        COMPANY_EXISTS,
        Relation {
            column: "CustomerGroupId",
            label: "Customer group",
            table: "Customer groups",
            set: "CustomerGroups",
            key: &["dataAreaId", "CustomerGroupId"],
        },
        Relation {
            column: "SalesCurrencyCode",
            label: "Currency",
            table: "Currency table",
            set: "Currencies",
            key: &["SalesCurrencyCode"],
        },
    ],
    // The first is the customer, the fifth its party.
    sources: 11,
    written: &[0, 4],
    writable: true,
    shape: LazyLock::new(|| Shape::of(columns::CUSTOMERS_V3)),
};
