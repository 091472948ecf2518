//! Rows that many lead to from many, over a table between.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression, Hop};
use mocktenant_schema::{Cell, CellRef, Guid, Schema, Table};
use mocktenant_tables::{At, Database, Key, Limits, Precondition, Query, Row, Transaction};

/// The table between has two keys: its own, and one of both sides, so that two rows are linked once.
const TABLES: &str = "
list:
  columns: {listid: id, name: text}
  relationships:
    listcontact: {to: contact, through: listmember, navigation: listcontact, back: contactlist}
contact:
  columns: {contactid: id, name: text}
listmember:
  columns:
    listmemberid: id
    entity: {type: lookup, to: {contact: {delete: cascade}}}
    list: {type: lookup, to: {list: {delete: cascade}}}
  keys:
    both: {columns: [list, entity]}
";

struct Linked {
    database: Database,
    schema: Arc<Schema>,
}

/// Ones that begin with 1 are lists, with 2 contacts, with 3 links.
fn id(row: u8) -> Guid {
    Guid::from_bytes([row; 16])
}

fn key(row: u8) -> Key {
    Key::of([CellRef::Id(id(row))])
}

impl Linked {
    /// Two lists and three contacts: list 11 has 21 and 22, list 12 has 22; 23 is in none.
    fn new() -> Self {
        let schema = schema(TABLES);
        let linked = Self { database: Database::new(Arc::clone(&schema), Limits::default()), schema };
        for (table, row, name) in [
            ("list", 11, "One"),
            ("list", 12, "Two"),
            ("contact", 21, "Ada"),
            ("contact", 22, "Bo"),
            ("contact", 23, "Cy"),
        ] {
            let table = linked.table(table);
            let column = table.id().unwrap().name();
            let row = values(table, [(column, Cell::Id(id(row))), ("name", Cell::text(name))]);
            insert(linked.begin(), table, row);
        }
        for (link, list, contact) in [(31, 11, 22), (32, 11, 21), (33, 12, 22)] {
            linked.link(linked.begin(), link, list, contact);
        }
        linked
    }

    fn table(&self, name: &str) -> Table<'_> {
        self.schema.table(name).unwrap()
    }

    fn begin(&self) -> Transaction {
        Transaction::begin(&self.database)
    }

    fn link(&self, transaction: Transaction, link: u8, list: u8, contact: u8) -> Row {
        let cells = [("listmemberid", link), ("list", list), ("entity", contact)];
        let cells = cells.map(|(column, row)| (column, Cell::Id(id(row))));
        insert(transaction, self.table("listmember"), values(self.table("listmember"), cells))
    }

    fn hop(&self, back: bool) -> Hop {
        let relationship = self.table("list").navigation("listcontact").unwrap().relationship();
        Hop { relationship: u16::try_from(relationship.position()).unwrap(), back }
    }

    /// The names that a row leads to.
    fn related(&self, table: &str, row: u8) -> Vec<String> {
        let snapshot = self.database.snapshot();
        let (from, back) = (self.table(table), table == "contact");
        let row = snapshot.get(from, &key(row)).unwrap();
        let to = self.table(if back { "list" } else { "contact" });
        let found = snapshot.related(At { table: from.position(), row }, self.hop(back));
        assert!(found.iter().all(|at| at.table == to.position()));
        let name = to.column("name").unwrap();
        found.iter().map(|at| at.row.value(name).as_text().unwrap().to_owned()).collect()
    }

    fn delete(&self, table: &str, row: u8) -> usize {
        let mut transaction = self.begin();
        transaction.reserve_deletion(self.table(table), &key(row), Precondition::MustExist, 100).unwrap();
        transaction.commit().unwrap().changes.len()
    }
}

#[test]
fn the_rows_of_the_other_side_come_in_the_order_of_their_links() {
    let linked = Linked::new();
    assert_eq!(linked.related("list", 11), ["Bo", "Ada"]);
    assert_eq!(linked.related("list", 12), ["Bo"]);
    assert_eq!(linked.related("contact", 21), ["One"]);
    assert_eq!(linked.related("contact", 22), ["One", "Two"]);
    assert_eq!(linked.related("contact", 23), [""; 0]);
}

#[test]
fn two_rows_are_linked_once() {
    let linked = Linked::new();
    let cells =
        [("listmemberid", 34), ("list", 11), ("entity", 21)].map(|(column, row)| (column, Cell::Id(id(row))));
    let members = linked.table("listmember");
    assert!(linked.begin().reserve_insert(members, values(members, cells)).is_err());
    linked.link(linked.begin(), 34, 12, 21);
    assert_eq!(linked.related("contact", 21), ["One", "Two"]);
}

#[test]
fn a_deletion_of_either_side_takes_the_rows_between_and_not_the_other_side() {
    let linked = Linked::new();
    assert_eq!(linked.delete("contact", 22), 3, "the contact and two links");
    let snapshot = linked.database.snapshot();
    let count = |table| snapshot.count(linked.table(table));
    assert_eq!((count("list"), count("contact"), count("listmember")), (2, 2, 1));
    assert_eq!(linked.related("list", 11), ["Ada"]);
    assert_eq!(linked.related("list", 12), [""; 0]);

    assert_eq!(linked.delete("list", 11), 2, "the list and one link");
    assert_eq!(linked.related("contact", 21), [""; 0]);
    let snapshot = linked.database.snapshot();
    assert_eq!((snapshot.rows(), snapshot.count(linked.table("listmember"))), (3, 0));
    // what comes again under the same key is linked with nothing
    let lists = linked.table("list");
    insert(linked.begin(), lists, values(lists, [("listid", Cell::Id(id(11)))]));
    assert_eq!(linked.related("list", 11), [""; 0]);
}

#[test]
fn a_link_that_goes_alone_leaves_both_sides() {
    let linked = Linked::new();
    assert_eq!(linked.delete("listmember", 31), 1);
    assert_eq!(linked.related("list", 11), ["Ada"]);
    assert_eq!(linked.related("contact", 22), ["Two"]);
    assert_eq!(linked.database.snapshot().rows(), 7);
}

#[test]
fn a_link_to_a_row_that_is_not_there_leads_nowhere() {
    let linked = Linked::new();
    linked.link(linked.begin(), 34, 12, 99);
    assert_eq!(linked.related("list", 12), ["Bo"]);
    let members = linked.table("listmember");
    let alone = values(members, [("listmemberid", Cell::Id(id(35))), ("list", Cell::Id(id(12)))]);
    insert(linked.begin(), members, alone);
    assert_eq!(linked.related("list", 12), ["Bo"]);
}

#[test]
fn conditions_go_over_the_table_between() {
    let linked = Linked::new();
    let named = |table: &str, name| {
        let column = linked.table(table).column("name").unwrap().ordinal();
        Some(Box::new(Expression::column_is(column, Comparison::Equal, Cell::text(name))))
    };
    let found = |table: &str, filter: &Expression| -> Vec<String> {
        let table = linked.table(table);
        let page = linked.database.snapshot().query(&Query { filter: Some(filter), ..Query::of(table) });
        let name = table.column("name").unwrap();
        page.rows.iter().map(|row| row.value(name).as_text().unwrap().to_owned()).collect()
    };
    let (there, back) = (vec![linked.hop(false)], vec![linked.hop(true)]);
    let any = |hops: &[Hop], condition| Expression::Exists { hops: hops.to_vec(), every: false, condition };
    let every = |hops: &[Hop], condition| Expression::Exists { hops: hops.to_vec(), every: true, condition };
    assert_eq!(found("list", &any(&there, named("contact", "BO"))), ["One", "Two"]);
    assert_eq!(found("list", &any(&there, named("contact", "ada"))), ["One"]);
    assert_eq!(found("list", &every(&there, named("contact", "bo"))), ["Two"]);
    assert_eq!(found("contact", &any(&back, named("list", "two"))), ["Bo"]);
    assert_eq!(found("contact", &any(&back, None)), ["Ada", "Bo"]);
    assert_eq!(found("contact", &Expression::Not(Box::new(any(&back, None)))), ["Cy"]);
    let two = Expression::Compare {
        op: Comparison::Equal,
        left: Box::new(Expression::Count(there)),
        right: Box::new(Expression::Constant(Cell::Whole(2))),
    };
    assert_eq!(found("list", &two), ["One"]);
}
