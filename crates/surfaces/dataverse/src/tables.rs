//! The tables as they are compiled from `tables/`.
//!
//! Decides nothing: a new file there is a new table, with no other line.

use mocktenant_schema::Schema;

/// All tables of the product that are built.
#[expect(clippy::unreadable_literal, reason = "written by a build script")]
pub(crate) static SCHEMA: Schema = include!(concat!(env!("OUT_DIR"), "/schema.rs"));

#[cfg(test)]
mod tests {
    use mocktenant_schema::Kind;

    use super::*;

    #[test]
    fn every_table_has_its_columns_and_its_names_hold_together() {
        let account = SCHEMA.table("account").unwrap();
        assert_eq!(account.columns().len(), 183);
        assert_eq!(account.set(), "accounts");
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
    }
}
