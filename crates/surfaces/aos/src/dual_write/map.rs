//! The Dual Write maps CustomersV3 -> accounts and CustomerGroups -> msdyn_customergroups, as data.
//!
//! Decides which column becomes which, in the notation of the vendor's map pages: `=` goes both ways, `><` too with words in
//! between, a target with a dot is a lookup. Only the part of each map that is needed is here. Column names on the left are those
//! of the OData entity; the map pages print them in capitals.

use mocktenant_tables::Values;

use crate::entities::Entity;

/// Which way a field travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrow {
    /// `=`: both ways.
    Both,
}

/// Where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A column.
    Column(&'static str),
    /// A column of yes and no.
    Flag(&'static str),
    /// A lookup: the navigation property, and the row it points to.
    Lookup {
        /// Single-valued navigation property of the account.
        navigation: &'static str,
        /// How the row is found.
        lookup: &'static Lookup,
    },
}

/// How the row behind a value is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lookup {
    /// Entity set.
    pub(crate) set: &'static str,
    /// Primary key column.
    pub(crate) id: &'static str,
    /// The column that has the value.
    pub(crate) by: &'static str,
    /// The column that has the company, where rows belong to one.
    pub(crate) company: Option<&'static str>,
}

/// One line of the map.
#[derive(Debug)]
pub(crate) struct Field {
    /// Column in Finance & Operations.
    pub(crate) source: &'static str,
    /// Direction.
    pub(crate) arrow: Arrow,
    /// In Dataverse.
    pub(crate) target: Target,
}

/// A map between one entity and one table.
#[derive(Debug)]
pub(crate) struct Map {
    /// `InternalEntityName` and entity set in Finance & Operations.
    pub(crate) internal: &'static str,
    /// The entity as Dual Write's texts call it.
    pub(crate) entity: &'static str,
    /// Entity set in Dataverse.
    pub(crate) external: &'static str,
    /// Filter on the Finance & Operations side: this column has this value.
    pub(crate) filter: Option<(&'static str, &'static str)>,
    /// The column whose value is the alternate key of the Dataverse row, on either side.
    pub(crate) key: (&'static str, &'static str),
    /// The column of the company where that key has it too.
    pub(crate) key_company: Option<&'static str>,
    /// The company, looked up before everything that belongs to one.
    pub(crate) company: Field,
    /// The other fields.
    pub(crate) fields: &'static [Field],
    /// Values every new Dataverse row gets.
    pub(crate) defaults: &'static [(&'static str, i64)],
}

const COMPANY: Lookup =
    Lookup { set: "cdm_companies", id: "cdm_companyid", by: "cdm_companycode", company: None };
const CUSTOMER_GROUP: Lookup = Lookup {
    set: "msdyn_customergroups",
    id: "msdyn_customergroupid",
    by: "msdyn_groupid",
    company: Some("_msdyn_company_value"),
};
const CURRENCY: Lookup = Lookup {
    set: "transactioncurrencies",
    id: "transactioncurrencyid",
    by: "isocurrencycode",
    company: None,
};

const fn both(source: &'static str, column: &'static str) -> Field {
    Field { source, arrow: Arrow::Both, target: Target::Column(column) }
}

const fn lookup(source: &'static str, navigation: &'static str, lookup: &'static Lookup) -> Field {
    Field { source, arrow: Arrow::Both, target: Target::Lookup { navigation, lookup } }
}

const PAYMENT_TERM: Lookup = Lookup {
    set: "msdyn_paymentterms",
    id: "msdyn_paymenttermid",
    by: "msdyn_name",
    company: Some("_msdyn_company_value"),
};

/// The maps there are, one for an entity.
pub(crate) const MAPS: [&Map; 2] = [&CUSTOMERS, &CUSTOMER_GROUPS];

/// CustomerGroups -> msdyn_customergroups.
const CUSTOMER_GROUPS: Map = Map {
    internal: "CustomerGroups",
    entity: "CustCustomerGroupEntity",
    external: "msdyn_customergroups",
    filter: None,
    key: ("CustomerGroupId", "msdyn_groupid"),
    key_company: Some("_msdyn_company_value"),
    company: lookup("dataAreaId", "msdyn_company", &COMPANY),
    fields: &[
        both("CustomerGroupId", "msdyn_groupid"),
        both("Description", "msdyn_description"),
        Field {
            source: "IsSalesTaxIncludedInPrice",
            arrow: Arrow::Both,
            target: Target::Flag("msdyn_issalestaxincludedinprice"),
        },
        lookup("PaymentTermId", "msdyn_paymenttermid", &PAYMENT_TERM),
        lookup("ClearingPeriodPaymentTermName", "msdyn_clearingperiodpaymenttermname", &PAYMENT_TERM),
    ],
    defaults: &[],
};

/// CustomersV3 -> accounts.
const CUSTOMERS: Map = Map {
    internal: "CustomersV3",
    entity: "CustCustomerV3Entity",
    external: "accounts",
    filter: Some(("PartyType", "Organization")),
    key: ("CustomerAccount", "accountnumber"),
    key_company: None,
    company: lookup("dataAreaId", "msdyn_company", &COMPANY),
    fields: &[
        both("CustomerAccount", "accountnumber"),
        both("OrganizationName", "name"),
        lookup("CustomerGroupId", "msdyn_customergroupid", &CUSTOMER_GROUP),
        lookup("SalesCurrencyCode", "transactioncurrencyid", &CURRENCY),
        both("PrimaryContactEmail", "emailaddress1"),
        both("PrimaryContactPhone", "telephone1"),
        both("DeliveryAddressStreet", "address1_line1"),
        both("DeliveryAddressCity", "address1_city"),
        both("DeliveryAddressZipCode", "address1_postalcode"),
        both("DeliveryAddressState", "address1_stateorprovince"),
        both("DeliveryAddressCounty", "address1_county"),
        both("DeliveryAddressCountryRegionISOCode", "address1_country"),
    ],
    defaults: &[("customertypecode", 3), ("address1_addresstypecode", 2)],
};

impl Map {
    /// Whether a row passes the map's filter.
    pub(crate) fn takes(&self, (entity, row): (Entity<'_>, &Values)) -> bool {
        let Some((column, wanted)) = self.filter else { return true };
        let there = entity.column(column).and_then(|column| row.value(column).as_text());
        there.is_some_and(|there| there.eq_ignore_ascii_case(wanted))
    }
}

impl Arrow {
    /// Whether the field is written to Dataverse.
    pub(crate) fn leaves(self) -> bool {
        matches!(self, Self::Both)
    }
}
