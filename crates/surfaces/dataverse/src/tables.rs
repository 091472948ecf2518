//! The tables of an organisation, as they are compiled from `tables/`, and how the Web API speaks of them.
//!
//! Decides the dialect: what properties are called and which functions of a query are served; and the names of privileges. A new
//! file in `tables/` is a new table, with no other line.

#![cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "written by a build script"))]

mod declared;

use std::sync::{Arc, LazyLock};

use mocktenant_odata::{Dialect, QueryFunction};
use mocktenant_query::TextFunction;
use mocktenant_schema::{Column, DefinitionError, Kind, Schema, Schemas, Table, Unset};
use mocktenant_verdict::Text;
use mocktenant_world::Organization;

use crate::principal::Operation;

pub(crate) use declared::set_of;

/// All tables of the product that are built.
#[expect(clippy::unreadable_literal, reason = "written by a build script")]
static SCHEMA: Schema = include!(concat!(env!("OUT_DIR"), "/schema.rs"));

/// The same to be shared, the constant itself, which nobody copies, and those with declared tables.
static SCHEMAS: LazyLock<Schemas> =
    LazyLock::new(|| Schemas::new(&SCHEMA, Unset::Null, declared::completed, declared::findings));

/// How the Web API speaks OData.
pub(crate) static DIALECT: Dialect = Dialect {
    namespace: "Microsoft.Dynamics.CRM",
    lookups_are_values: true,
    choices_are_members: false,
    days_are_moments: false,
    wildcards: false,
    // documented filters write ids of lookups in quotes too
    quoted_ids: true,
    arithmetic: false,
    text_functions: &[TextFunction::Contains, TextFunction::StartsWith, TextFunction::EndsWith],
    functions: &[],
    query_functions: &[
        ("In", QueryFunction::In),
        ("NotIn", QueryFunction::NotIn),
        ("Between", QueryFunction::Between),
        ("NotBetween", QueryFunction::NotBetween),
        ("LastXHours", QueryFunction::LastXHours),
        ("LastXDays", QueryFunction::LastXDays),
        ("Today", QueryFunction::Today),
    ],
    lambdas: true,
};

/// The tables of an organisation that declares none of its own.
pub(crate) fn built_in() -> Arc<Schema> {
    Arc::clone(SCHEMAS.base())
}

/// The tables of an organisation. Those of one whose declaration has findings, which no lab takes, are the product's.
pub(crate) fn of(organization: &Organization) -> Arc<Schema> {
    SCHEMAS.of(&organization.tables).unwrap_or_else(|_| built_in())
}

/// What is wrong with the tables an organisation declares.
pub(crate) fn findings(organization: &Organization) -> Vec<DefinitionError> {
    SCHEMAS.of(&organization.tables).err().unwrap_or_default()
}

/// Whether clients may write rows of a table; those of the others are views of the declaration.
pub(crate) fn is_stored(table: Table<'_>) -> bool {
    table.view().is_none()
}

/// The names of the privileges on the tables of the product, made once: they are asked for with every request.
static PRIVILEGES: LazyLock<Vec<[Arc<str>; 7]>> = LazyLock::new(|| {
    let names = |table| Operation::ALL.map(|operation| Arc::from(made(operation, table)));
    SCHEMA.tables().map(names).collect()
});

fn made(operation: Operation, table: Table<'_>) -> String {
    let verb = match operation {
        Operation::Create => "Create",
        Operation::Read => "Read",
        Operation::Write => "Write",
        Operation::Delete => "Delete",
        Operation::Assign => "Assign",
        Operation::Append => "Append",
        Operation::AppendTo => "AppendTo",
    };
    format!("prv{verb}{}", table.note("privilege").unwrap_or(table.schema_name()))
}

/// The name of a privilege on a table, `prvCreateAccount`.
pub(crate) fn privilege(operation: Operation, table: Table<'_>) -> Text {
    let known = PRIVILEGES.get(table.position()).filter(|_| !table.is_declared());
    match known.and_then(|names| names.get(operation as usize)) {
        Some(name) => Text::Shared(Arc::clone(name)),
        None => Text::from(made(operation, table)),
    }
}

/// What a column's property is called.
pub(crate) fn property(column: Column<'_>) -> String {
    DIALECT.property(column).into_owned()
}

/// The columns of rows, in the order they are answered.
pub(crate) fn shown(table: Table<'_>) -> impl Iterator<Item = Column<'_>> + Clone {
    table.columns().filter(|column| is_shown(*column))
}

/// Whether a column is answered with its rows.
pub(crate) fn is_shown(column: Column<'_>) -> bool {
    column.is_for_read() && column.kind() != Kind::Virtual
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_columns_and_its_names_hold_together() {
        let account = SCHEMA.table("account").unwrap();
        assert_eq!(account.columns().len(), 183);
        assert_eq!(SCHEMA.by_set("accounts"), Some(account));
        let name = account.column("name").unwrap();
        assert_eq!((name.kind(), name.length(), name.label()), (Kind::Text, 160, "Account Name"));
        let contact = account.navigation("primarycontactid").unwrap();
        assert_eq!((contact.target().name(), contact.is_many()), ("contact", false));
        let tasks = account.navigation("Account_Tasks").unwrap();
        assert_eq!(
            (tasks.target().name(), tasks.is_many(), tasks.partner()),
            ("task", true, "regardingobjectid_account_task")
        );
        assert_eq!(&*privilege(Operation::Create, account), "prvCreateAccount");
        let task = SCHEMA.table("task").unwrap();
        assert_eq!(&*privilege(Operation::Read, task), "prvReadActivity");
    }

    #[test]
    fn every_table_has_what_an_organisation_needs_of_one() {
        for table in SCHEMA.tables() {
            assert!(table.id().is_some_and(|id| id.kind() == Kind::Id), "{} has one id", table.name());
            for column in
                table.columns().filter(|column| column.kind() == Kind::Lookup && column.is_for_read())
            {
                let leads = column.lookups().count() > 0 || column.note("target").is_some();
                assert!(leads, "{}.{} leads nowhere", table.name(), column.name());
            }
        }
    }
}
