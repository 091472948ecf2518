//! The tables an account refers to: companies, currencies, customer groups, terms and methods of payment; users and
//! business units as read-only views of the declaration.
//!
//! Customer groups, terms and methods of payment are unique within a company, so their alternate keys have two columns
//! (inferred from how Finance and Operations keys them).

use super::{ACTIVE, AlternateKey, Column, Kind, Rows, Table, column, lookup, owned_lookup, read_only};

/// Companies, the legal entities of Finance and Operations.
pub(super) const COMPANY: Table = Table {
    logical: "cdm_company",
    set: "cdm_companies",
    id: "cdm_companyid",
    name: "cdm_name",
    privileges: privileges!("cdm_Company"),
    type_code: 10101,
    label: "Company",
    owned: false,
    states: ACTIVE,
    columns: &[
        column("cdm_companyid", Kind::Identifier),
        column("cdm_companycode", Kind::Text(4)),
        column("cdm_name", Kind::Text(100)),
    ],
    keys: &[AlternateKey { name: "Company Code Key", columns: &["cdm_companycode"], labels: "Company Code" }],
    rows: Rows::Stored,
};

/// Currencies.
pub(super) const CURRENCY: Table = Table {
    logical: "transactioncurrency",
    set: "transactioncurrencies",
    id: "transactioncurrencyid",
    name: "currencyname",
    privileges: privileges!("TransactionCurrency"),
    type_code: 9105,
    label: "Currency",
    owned: false,
    states: ACTIVE,
    columns: &[
        column("transactioncurrencyid", Kind::Identifier),
        column("isocurrencycode", Kind::Text(5)),
        column("currencyname", Kind::Text(100)),
        column("currencysymbol", Kind::Text(13)),
        column("exchangerate", Kind::Decimal),
        column("currencyprecision", Kind::Whole { least: 0, most: 10 }),
    ],
    keys: &[AlternateKey {
        name: "Currency Code Key",
        columns: &["isocurrencycode"],
        labels: "Currency Code",
    }],
    rows: Rows::Stored,
};

/// Customer groups.
pub(super) const CUSTOMER_GROUP: Table = Table {
    logical: "msdyn_customergroup",
    set: "msdyn_customergroups",
    id: "msdyn_customergroupid",
    name: "msdyn_groupid",
    privileges: privileges!("msdyn_customergroup"),
    type_code: 10102,
    label: "Customer group",
    owned: false,
    states: ACTIVE,
    columns: &[
        column("msdyn_customergroupid", Kind::Identifier),
        column("msdyn_groupid", Kind::Text(100)),
        column("msdyn_description", Kind::Text(100)),
        column("msdyn_issalestaxincludedinprice", Kind::Flag),
        lookup("_msdyn_company_value", "msdyn_company", "cdm_company"),
        lookup("_msdyn_paymenttermid_value", "msdyn_paymenttermid", "msdyn_paymentterm"),
        lookup(
            "_msdyn_clearingperiodpaymenttermname_value",
            "msdyn_clearingperiodpaymenttermname",
            "msdyn_paymentterm",
        ),
    ],
    keys: &[AlternateKey {
        name: "Customer Group Key",
        columns: &["msdyn_groupid", "_msdyn_company_value"],
        labels: "Customer Group ID,Company",
    }],
    rows: Rows::Stored,
};

/// Terms of payment.
pub(super) const PAYMENT_TERM: Table = Table {
    logical: "msdyn_paymentterm",
    set: "msdyn_paymentterms",
    id: "msdyn_paymenttermid",
    name: "msdyn_name",
    privileges: privileges!("msdyn_paymentterm"),
    type_code: 10103,
    label: "Payment Term",
    owned: false,
    states: ACTIVE,
    columns: NAMED_BY_COMPANY_TERM,
    keys: &[AlternateKey { name: "Payment Term Key", columns: &["msdyn_name"], labels: "Name" }],
    rows: Rows::Stored,
};

const NAMED_BY_COMPANY_TERM: &[Column] = &[
    column("msdyn_paymenttermid", Kind::Identifier),
    column("msdyn_name", Kind::Text(100)),
    column("msdyn_description", Kind::Text(100)),
    lookup("_msdyn_company_value", "msdyn_company", "cdm_company"),
];

/// Methods of payment.
pub(super) const PAYMENT_METHOD: Table = Table {
    logical: "msdyn_customerpaymentmethod",
    set: "msdyn_customerpaymentmethods",
    id: "msdyn_customerpaymentmethodid",
    name: "msdyn_name",
    privileges: privileges!("msdyn_customerpaymentmethod"),
    type_code: 10104,
    label: "Customer Payment Method",
    owned: false,
    states: ACTIVE,
    columns: NAMED_BY_COMPANY_METHOD,
    keys: &[AlternateKey { name: "Customer Payment Method Key", columns: &["msdyn_name"], labels: "Name" }],
    rows: Rows::Stored,
};

const NAMED_BY_COMPANY_METHOD: &[Column] = &[
    column("msdyn_customerpaymentmethodid", Kind::Identifier),
    column("msdyn_name", Kind::Text(100)),
    column("msdyn_description", Kind::Text(100)),
    lookup("_msdyn_company_value", "msdyn_company", "cdm_company"),
];

/// Users: the application users of the declaration.
pub(super) const SYSTEM_USER: Table = Table {
    logical: "systemuser",
    set: "systemusers",
    id: "systemuserid",
    name: "fullname",
    privileges: privileges!("User"),
    type_code: 8,
    label: "User",
    owned: false,
    states: &[],
    columns: &[
        read_only("systemuserid", Kind::Identifier),
        read_only("fullname", Kind::Text(200)),
        read_only("applicationid", Kind::Identifier),
        read_only("azureactivedirectoryobjectid", Kind::Identifier),
        read_only("isdisabled", Kind::Flag),
        owned_lookup("_businessunitid_value", "businessunitid", "businessunit"),
    ],
    keys: &[AlternateKey {
        name: "Application ID Key",
        columns: &["applicationid"],
        labels: "Application ID",
    }],
    rows: Rows::ApplicationUsers,
};

/// Business units: the root one of the declaration.
pub(super) const BUSINESS_UNIT: Table = Table {
    logical: "businessunit",
    set: "businessunits",
    id: "businessunitid",
    name: "name",
    privileges: privileges!("BusinessUnit"),
    type_code: 10,
    label: "Business Unit",
    owned: false,
    states: &[],
    columns: &[
        read_only("businessunitid", Kind::Identifier),
        read_only("name", Kind::Text(160)),
        read_only("isdisabled", Kind::Flag),
        owned_lookup("_parentbusinessunitid_value", "parentbusinessunitid", "businessunit"),
    ],
    keys: &[],
    rows: Rows::BusinessUnits,
};
