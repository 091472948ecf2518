//! Public data entities: tables of the compiled schema, and what every one of them has in common.
//!
//! Decides what a record holds that nobody sent, which tables an environment keeps and how its OData is spoken. What an entity is
//! made of stands in `tables/`, one file each; what its notes mean in `notes`. Reading is `read`'s, its form `wire`'s, writing
//! `write`'s.

mod below;
mod bind;
mod complete;
mod csdl;
mod declared;
mod drawn;
mod expand;
mod known;
mod notes;
mod read;
mod service_document;
mod target;
mod twin;
mod unit;
mod validate;
mod values;
mod wire;
mod write;

use mocktenant_odata::Dialect;
use mocktenant_schema::{Column, Schema, Table};

pub(crate) use below::{Below, below};
pub(crate) use bind::{Asked, bind, refused};
pub(crate) use csdl::document as metadata_document;
pub(crate) use declared::{findings, rows as declared_rows};
pub(crate) use known::{option, place};
pub(crate) use notes::Notes;
pub(crate) use read::{Visible, count, read};
pub(crate) use service_document::document as service_document;
pub(crate) use target::{NoSuchTarget, Target, allowed, target};
pub(crate) use unit::{Unit, WriteError};
pub(crate) use values::told;
pub(crate) use wire::reserved_place;
pub(crate) use wire::{created, failed, no_content, refusal};
pub(crate) use write::{change, create, delete, typed};

/// The namespace of every type.
pub(crate) const NAMESPACE: &str = "Microsoft.Dynamics.DataEntities";
/// The column that says which company a record belongs to.
pub(crate) const COMPANY: &str = "dataAreaId";
/// The columns that name a company; the product keeps them in lower case.
const COMPANIES: [&str; 3] = [COMPANY, "LegalEntityId", "DataArea"];
/// The entity of the customers.
pub(crate) const CUSTOMERS: &str = "CustomersV3";

/// An entity: a table of an environment's schema.
pub(crate) type Entity<'s> = Table<'s>;
/// One of its columns.
pub(crate) type Member<'s> = Column<'s>;

/// How Finance and Operations speaks OData: no functions but its own pattern in a text of `eq` and `ne`, and numbers are
/// worked out. `has` and `in` it does not take (Microsoft Learn, Open Data Protocol). [inferred: that it takes `any` and `all`, of
/// which that page says nothing]
pub(crate) static DIALECT: Dialect = Dialect {
    namespace: NAMESPACE,
    lookups_are_values: false,
    choices_are_members: true,
    days_are_moments: true,
    wildcards: true,
    quoted_ids: false,
    arithmetic: true,
    text_functions: &[],
    functions: &[],
    query_functions: &[],
    lambdas: true,
};

/// All entities, in the order of the product's container.
pub(crate) fn all(schema: &Schema) -> Vec<Entity<'_>> {
    let mut all: Vec<Entity<'_>> = schema.tables().collect();
    all.sort_by_key(|entity| entity.order());
    all
}

/// Whether a column names a company.
fn names_a_company(column: Member<'_>) -> bool {
    COMPANIES.contains(&column.name())
}
