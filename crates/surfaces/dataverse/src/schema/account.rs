//! The table `account`: the standard columns the map CustomersV3 writes, and those the map's solution adds.

use super::{AlternateKey, Column, Kind, Rows, Table, column, lookup};

/// Default options of `customertypecode`: 3 is Customer.
const CUSTOMER_TYPES: &[i64] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// Default options of an address's type.
const ADDRESS_TYPES: &[i64] = &[1, 2, 3, 4];

const COLUMNS: &[Column] = &[
    column("accountid", Kind::Identifier),
    column("accountnumber", Kind::Text(20)),
    column("name", Kind::Text(160)),
    column("emailaddress1", Kind::Text(100)),
    column("telephone1", Kind::Text(50)),
    column("fax", Kind::Text(50)),
    column("websiteurl", Kind::Text(200)),
    column("primarytwitterid", Kind::Text(128)),
    column("description", Kind::Text(2000)),
    column("numberofemployees", Kind::Whole { least: 0, most: 1_000_000_000 }),
    column("creditlimit", Kind::Decimal),
    column("creditonhold", Kind::Flag),
    column("customertypecode", Kind::Choice(CUSTOMER_TYPES)),
    column("address1_addresstypecode", Kind::Choice(ADDRESS_TYPES)),
    column("address1_name", Kind::Text(200)),
    column("address1_line1", Kind::Text(250)),
    column("address1_line2", Kind::Text(250)),
    column("address1_line3", Kind::Text(250)),
    column("address1_city", Kind::Text(80)),
    column("address1_postalcode", Kind::Text(20)),
    column("address1_stateorprovince", Kind::Text(50)),
    column("address1_county", Kind::Text(50)),
    column("address1_country", Kind::Text(80)),
    column("address2_addresstypecode", Kind::Choice(ADDRESS_TYPES)),
    column("address2_name", Kind::Text(200)),
    column("address2_line1", Kind::Text(250)),
    column("address2_line2", Kind::Text(250)),
    column("address2_line3", Kind::Text(250)),
    column("address2_city", Kind::Text(80)),
    column("address2_postalcode", Kind::Text(20)),
    column("address2_stateorprovince", Kind::Text(50)),
    column("address2_county", Kind::Text(50)),
    column("address2_country", Kind::Text(80)),
    column("msdyn_partynumber", Kind::Text(100)),
    column("msdyn_creditrating", Kind::Text(100)),
    column("msdyn_onetimecustomer", Kind::Flag),
    column("msdyn_onholdstatus", Kind::Whole { least: 0, most: 2_147_483_647 }),
    lookup("_transactioncurrencyid_value", "transactioncurrencyid", "transactioncurrency"),
    lookup("_msdyn_company_value", "msdyn_company", "cdm_company"),
    lookup("_msdyn_customergroupid_value", "msdyn_customergroupid", "msdyn_customergroup"),
    lookup("_msdyn_billingaccount_value", "msdyn_billingaccount", "account"),
    lookup("_msdyn_paymentterm_value", "msdyn_paymentterm", "msdyn_paymentterm"),
    lookup(
        "_msdyn_customerpaymentmethod_value",
        "msdyn_customerpaymentmethod",
        "msdyn_customerpaymentmethod",
    ),
    lookup("_parentaccountid_value", "parentaccountid", "account"),
];

/// Accounts.
pub(super) const ACCOUNT: Table = Table {
    logical: "account",
    set: "accounts",
    id: "accountid",
    name: "name",
    privileges: privileges!("Account"),
    type_code: 1,
    columns: COLUMNS,
    keys: &[AlternateKey {
        name: "Account Number Key",
        columns: &["accountnumber"],
        labels: "Account Number",
    }],
    rows: Rows::Stored,
};
