//! What a deletion takes with it, what stands against it, and that nothing of it is left.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression, Hop};
use mocktenant_schema::{Cell, CellRef, Guid, Schema, Table};
use mocktenant_tables::{
    At, ChangeKind, Database, Key, Limits, Precondition, Query, Reserved, Row, Snapshot, TableError,
    Transaction,
};

/// Rows that lead to others by lookups, one table for each rule, and a table that leads to itself.
const LOOKUPS: &str = "
account:
  columns:
    accountid: id
    accountnumber: text
    parent: {type: lookup, to: {account: {delete: cascade}}}
  keys:
    number: {columns: [accountnumber]}
contact:
  columns:
    contactid: id
    account: {type: lookup, to: {account: {delete: remove_link}}}
    other: {type: lookup, to: {account: {delete: remove_link}}}
task:
  columns:
    taskid: id
    account: {type: lookup, to: {account: {delete: cascade}}}
    contact: {type: lookup, to: {contact: {delete: cascade}}}
note:
  columns:
    noteid: id
    about: {type: lookup, to: {account: {delete: cascade}, task: {delete: cascade}}}
order:
  columns:
    orderid: id
    account: {type: lookup, to: {account: {delete: restrict}}}
visit:
  columns:
    visitid: id
    account: {type: lookup, to: {account: {delete: nothing}}}
";

/// Rows that lead to others by two columns, one of which is a part of their own key.
const COLUMNS: &str = "
group:
  key: [area, code]
  columns: {area: text, code: text, boss: text}
removed:
  key: [area, number]
  columns: {area: text, number: whole, code: text}
  relationships:
    removed_group: {to: group, columns: {area: area, code: code}, delete: remove_link}
cascaded:
  key: [area, number]
  columns: {area: text, number: whole, code: text}
  relationships:
    cascaded_group: {to: group, columns: {code: code, area: area}, delete: cascade}
restricted:
  key: [area, number]
  columns: {area: text, number: whole, code: text}
  relationships:
    restricted_group: {to: group, columns: {area: area, code: code}, delete: restrict}
kept:
  key: [area, number]
  columns: {area: text, number: whole, code: text}
  relationships:
    kept_group: {to: group, columns: {area: area, code: code}, delete: nothing}
boss:
  key: [bossid]
  columns: {bossid: whole, area: text, name: text}
  relationships:
    boss_group: {to: group, columns: {area: area, name: boss}, delete: cascade}
";

/// More than any test here deletes, but where it says so.
const MANY: usize = 1_000;

struct Rows {
    database: Database,
    schema: Arc<Schema>,
}

impl Rows {
    fn of(tables: &str) -> Self {
        let schema = schema(tables);
        Self { database: Database::new(Arc::clone(&schema), Limits::default()), schema }
    }

    fn table(&self, name: &str) -> Table<'_> {
        self.schema.table(name).unwrap()
    }

    fn begin(&self) -> Transaction {
        Transaction::begin(&self.database)
    }

    /// Puts a row with a GUID in that leads to other rows.
    fn put(&self, table: &str, row: u32, links: &[(&str, u32)]) -> Row {
        self.put_cells(table, row, links.iter().map(|(column, to)| (*column, id(*to))).collect())
    }

    fn put_cells(&self, table: &str, row: u32, cells: Vec<(&str, Cell)>) -> Row {
        let table = self.table(table);
        let mut values = values(table, cells);
        values.set(table.id().unwrap().ordinal(), id(row));
        insert(self.begin(), table, values)
    }

    /// Puts a row with texts and numbers in.
    fn put_texts<'c>(&self, table: &str, cells: impl IntoIterator<Item = (&'c str, Cell)>) -> Row {
        insert(self.begin(), self.table(table), values(self.table(table), cells))
    }

    fn delete(&self, table: &str, row: u32) -> Result<Vec<(ChangeKind, usize)>, TableError> {
        self.delete_by(table, &key(row))
    }

    /// Deletes in a transaction of its own: what the commit changed, by table.
    fn delete_by(&self, table: &str, key: &Key) -> Result<Vec<(ChangeKind, usize)>, TableError> {
        let mut transaction = self.begin();
        let reserved = transaction.reserve_deletion(self.table(table), key, Precondition::MustExist, MANY)?;
        assert_eq!(reserved.first().map(|one| &one.key), Some(key), "the row itself comes first");
        assert!(reserved.iter().all(|one| one.kind == ChangeKind::Delete));
        let commit = transaction.commit().unwrap();
        let deleted = commit.changes.iter().filter(|one| one.kind() == ChangeKind::Delete).count();
        assert_eq!(deleted, reserved.len());
        Ok(commit.changes.iter().map(|one| (one.kind(), one.table)).collect())
    }

    fn at(&self, table: &str) -> usize {
        self.table(table).position()
    }

    fn counts<const N: usize>(&self, tables: [&str; N]) -> [usize; N] {
        let snapshot = self.database.snapshot();
        tables.map(|table| snapshot.count(self.table(table)))
    }

    /// The rows in which a column holds a value, by its index.
    fn found(&self, table: &str, column: &str, cell: Cell) -> usize {
        let table = self.table(table);
        let filter = Expression::column_is(table.column(column).unwrap().ordinal(), Comparison::Equal, cell);
        self.database.snapshot().query(&Query { filter: Some(&filter), ..Query::of(table) }).rows.len()
    }

    /// The rows of a table that lead to a row by a relationship, by its index.
    fn leading(&self, snapshot: &Snapshot, relationship: &str, to: &Row) -> usize {
        let one = self.schema.relationships().find(|one| one.name() == relationship).unwrap();
        let hop = Hop { relationship: u16::try_from(one.position()).unwrap(), back: true };
        snapshot.related(At { table: one.to().position(), row: to }, hop).len()
    }
}

fn id(row: u32) -> Cell {
    Cell::Id(guid(row))
}

fn guid(row: u32) -> Guid {
    let mut bytes = [0; 16];
    bytes[12..].copy_from_slice(&row.to_be_bytes());
    Guid::from_bytes(bytes)
}

fn key(row: u32) -> Key {
    Key::of([CellRef::Id(guid(row))])
}

fn text(text: &str) -> Cell {
    Cell::text(text)
}

fn group_key(area: &str, code: &str) -> Key {
    Key::of([CellRef::Text(area), CellRef::Text(code)])
}

#[test]
fn a_link_is_removed_and_the_row_that_had_it_stays() {
    let rows = Rows::of(LOOKUPS);
    let account = rows.put("account", 1, &[]);
    rows.put("account", 2, &[]);
    let contact = rows.put("contact", 10, &[("account", 1), ("other", 1)]);
    rows.put("contact", 11, &[("account", 2)]);
    let before = rows.database.snapshot();
    let changed = rows.delete("account", 1).unwrap();
    assert_eq!(changed, [(ChangeKind::Delete, rows.at("account")), (ChangeKind::Update, rows.at("contact"))]);
    assert_eq!(rows.counts(["account", "contact"]), [1, 2]);
    let after = rows.database.snapshot();
    let row = after.get(rows.table("contact"), &key(10)).unwrap();
    assert_eq!(row.cells().count(), 1, "both links are gone: {row:?}");
    assert_eq!(row.recid(), contact.recid());
    assert!(row.version() > contact.version());
    assert_eq!(rows.found("contact", "account", id(1)), 0);
    assert_eq!(rows.found("contact", "account", id(2)), 1);
    assert_eq!(rows.found("contact", "account", Cell::Null), 1);
    for (snapshot, expected) in [(&after, 0), (&before, 1)] {
        assert_eq!(rows.leading(snapshot, "contact_account", &account), expected);
        assert_eq!(rows.leading(snapshot, "contact_other", &account), expected);
    }
}

#[test]
fn a_cascade_takes_the_rows_along_and_those_that_lead_to_them() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("account", 2, &[("parent", 1)]);
    rows.put("account", 3, &[]);
    rows.put("contact", 10, &[("account", 2)]);
    for (task, account) in [(20, 1), (21, 2), (22, 2), (23, 3)] {
        rows.put("task", task, &[("account", account)]);
    }
    rows.put("task", 24, &[("contact", 10)]);
    for (note, about) in [(30, 2), (31, 22), (32, 23), (33, 3)] {
        rows.put("note", note, &[("about", about)]);
    }
    let changed = rows.delete("account", 1).unwrap();
    let of = |kind, table: &str| changed.iter().filter(|one| **one == (kind, rows.at(table))).count();
    assert_eq!(of(ChangeKind::Delete, "account"), 2);
    assert_eq!(of(ChangeKind::Delete, "task"), 3);
    assert_eq!(of(ChangeKind::Delete, "note"), 2);
    assert_eq!(of(ChangeKind::Update, "contact"), 1);
    assert_eq!(changed.len(), 8);
    assert_eq!(rows.counts(["account", "contact", "task", "note"]), [1, 1, 2, 2]);
    for (table, column) in
        [("account", "parent"), ("contact", "account"), ("task", "account"), ("note", "about")]
    {
        for gone in [1, 2, 20, 21, 22] {
            assert_eq!(rows.found(table, column, id(gone)), 0, "{table}.{column} {gone}");
        }
    }
    assert_eq!(rows.found("task", "account", id(3)), 1);
    assert_eq!(rows.found("note", "about", id(23)), 1);
}

#[test]
fn a_row_stays_while_one_leads_to_it_that_restricts() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("account", 2, &[("parent", 1)]);
    rows.put("order", 10, &[("account", 2)]);
    let restricted = TableError::Restricted {
        table: "account".into(),
        by: "order".into(),
        relationship: "order_account".into(),
    };
    assert_eq!(rows.delete("account", 2), Err(restricted.clone()));
    assert_eq!(rows.delete("account", 1), Err(restricted), "what would go along stays too");
    assert_eq!(rows.counts(["account", "order"]), [2, 1]);
    // nothing of what was refused is still reserved
    rows.delete("order", 10).unwrap();
    assert_eq!(rows.delete("account", 1).unwrap().len(), 2);
    assert_eq!(rows.counts(["account", "order"]), [0, 0]);
}

#[test]
fn where_nothing_happens_a_row_leads_to_one_that_is_gone() {
    let rows = Rows::of(LOOKUPS);
    let account = rows.put("account", 1, &[]);
    let visit = rows.put("visit", 10, &[("account", 1)]);
    assert_eq!(rows.delete("account", 1).unwrap(), [(ChangeKind::Delete, rows.at("account"))]);
    let snapshot = rows.database.snapshot();
    assert_eq!(snapshot.get(rows.table("visit"), &key(10)), Some(&visit));
    assert_eq!(rows.found("visit", "account", id(1)), 1);
    let relationship = rows.table("visit").outgoing().next().unwrap();
    let there = Hop { relationship: u16::try_from(relationship.position()).unwrap(), back: false };
    assert!(snapshot.related(At { table: rows.at("visit"), row: &visit }, there).is_empty());
    assert_eq!(rows.leading(&snapshot, "visit_account", &account), 1);
}

#[test]
fn every_rule_holds_for_a_relationship_of_two_columns() {
    let rows = Rows::of(COLUMNS);
    for (area, code) in [("usmf", "10"), ("usmf", "20"), ("dat", "10")] {
        rows.put_texts("group", [("area", text(area)), ("code", text(code))]);
    }
    let tables = ["removed", "cascaded", "restricted", "kept"];
    for table in tables {
        for (number, area, code) in
            [(1, "USMF", "10"), (2, "usmf", "20"), (3, "dat", "10"), (4, "usmf", "99")]
        {
            let cells = [("area", text(area)), ("number", Cell::Whole(number)), ("code", text(code))];
            rows.put_texts(table, cells);
        }
        rows.put_texts(table, [("area", text("usmf")), ("number", Cell::Whole(5))]);
    }
    let usmf = group_key("usmf", "10");
    let restricted = TableError::Restricted {
        table: "group".into(),
        by: "restricted".into(),
        relationship: "restricted_group".into(),
    };
    assert_eq!(rows.delete_by("group", &usmf), Err(restricted));
    let one = |number: i64| Key::of([CellRef::Text("usmf"), CellRef::Whole(number)]);
    rows.delete_by("restricted", &one(1)).unwrap();
    let changed = rows.delete_by("group", &usmf).unwrap();
    let expected = [
        (ChangeKind::Delete, rows.at("group")),
        (ChangeKind::Update, rows.at("removed")),
        (ChangeKind::Delete, rows.at("cascaded")),
    ];
    assert_eq!(changed, expected);
    assert_eq!(rows.counts(tables), [5, 4, 4, 5]);
    let snapshot = rows.database.snapshot();
    let column = |table: &str, number, column| {
        let row = snapshot.get(rows.table(table), &one(number)).unwrap();
        row.value(rows.table(table).column(column).unwrap()).to_cell()
    };
    assert_eq!(column("removed", 1, "code"), Cell::Null);
    assert_eq!(column("removed", 1, "area"), text("USMF"), "a column of its key it keeps");
    assert_eq!(column("removed", 2, "code"), text("20"));
    assert_eq!(column("kept", 1, "code"), text("10"));
    // the row comes again, and nothing leads to it but what was left as it was
    let again = rows.put_texts("group", [("area", text("usmf")), ("code", text("10"))]);
    let snapshot = rows.database.snapshot();
    let leading = tables.map(|table| rows.leading(&snapshot, &format!("{table}_group"), &again));
    assert_eq!(leading, [0, 0, 0, 1]);
}

#[test]
fn a_relationship_without_a_value_leads_nowhere() {
    let rows = Rows::of(COLUMNS);
    rows.put_texts("group", [("area", text("usmf")), ("code", text("10"))]);
    rows.put_texts("group", [("area", text("usmf")), ("code", text("20")), ("boss", text("Ada"))]);
    let boss = |number, name| [("bossid", Cell::Whole(number)), ("area", text("usmf")), ("name", name)];
    rows.put_texts("boss", boss(1, Cell::Null));
    rows.put_texts("boss", boss(2, text("ada")));
    let mut transaction = rows.begin();
    let table = rows.table("boss");
    transaction.reserve_insert(table, values(table, boss(3, Cell::Null))).unwrap();
    transaction.reserve_insert(table, values(table, boss(4, text("ADA")))).unwrap();
    let mut deletion = |code: &str| {
        let key = group_key("usmf", code);
        transaction.reserve_deletion(rows.table("group"), &key, Precondition::None, MANY).unwrap().len()
    };
    assert_eq!(deletion("10"), 1, "no name is nobody's name");
    assert_eq!(deletion("20"), 3);
    transaction.commit().unwrap();
    assert_eq!(rows.counts(["group", "boss"]), [0, 2]);
}

#[test]
fn circles_of_parents_end() {
    for circle in [1_u32, 2, 3, 7] {
        let rows = Rows::of(LOOKUPS);
        for row in 0..circle {
            rows.put("account", row, &[("parent", (row + 1) % circle)]);
        }
        rows.put("account", 99, &[("parent", 0)]);
        rows.put("account", 100, &[]);
        assert_eq!(rows.delete("account", circle / 2).unwrap().len(), circle as usize + 1);
        assert_eq!(rows.counts(["account"]), [1]);
        assert_eq!(rows.found("account", "parent", id(0)), 0);
    }
}

#[test]
fn a_row_that_is_reached_twice_goes_once() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("account", 2, &[("parent", 1)]);
    rows.put("contact", 10, &[("account", 1), ("other", 2)]);
    rows.put("task", 20, &[("account", 2), ("contact", 10)]);
    rows.put("note", 30, &[("about", 20)]);
    let changed = rows.delete("account", 1).unwrap();
    assert_eq!(changed.iter().filter(|(kind, _)| *kind == ChangeKind::Delete).count(), 4);
    assert_eq!(changed.len(), 5);
    assert_eq!(rows.counts(["account", "contact", "task", "note"]), [0, 1, 0, 0]);
    let snapshot = rows.database.snapshot();
    assert_eq!(snapshot.get(rows.table("contact"), &key(10)).unwrap().cells().count(), 1);
}

#[test]
fn a_cascade_over_many_rows_works_within_its_bound_and_not_beyond() {
    const LIMIT: usize = 100_000;
    let rows = Rows::of(LOOKUPS);
    let (accounts, tasks) = (rows.table("account"), rows.table("task"));
    let children = |count: u32| {
        let account = (accounts.position(), values(accounts, [("accountid", id(1))]));
        let row = move |row| (tasks.position(), values(tasks, [("taskid", id(row)), ("account", id(1))]));
        std::iter::once(account).chain((2..count + 2).map(row))
    };
    for (count, fits) in [(99_999, true), (100_000, false)] {
        rows.database.replace_all(None, children(count)).unwrap();
        let mut transaction = rows.begin();
        let reserved = transaction.reserve_deletion(accounts, &key(1), Precondition::None, LIMIT);
        if fits {
            assert_eq!(reserved.unwrap().len(), LIMIT);
            assert_eq!(transaction.commit().unwrap().changes.len(), LIMIT);
            assert_eq!(rows.database.snapshot().rows(), 0);
            assert_eq!(rows.found("task", "account", id(1)), 0);
        } else {
            assert_eq!(reserved, Err(TableError::TooManyRows { limit: LIMIT }));
            drop(transaction);
            assert_eq!(rows.database.snapshot().rows(), LIMIT + 1);
            rows.begin().reserve_delete(tasks, &key(2), Precondition::None).unwrap();
        }
    }
}

#[test]
fn links_that_are_removed_count_against_the_bound_too() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    for contact in 0..4 {
        rows.put("contact", 10 + contact, &[("account", 1)]);
    }
    let delete = |most| {
        rows.begin()
            .reserve_deletion(rows.table("account"), &key(1), Precondition::None, most)
            .map(|all| all.len())
    };
    assert_eq!(delete(5), Ok(1));
    assert_eq!(delete(4), Err(TableError::TooManyRows { limit: 4 }));
}

#[test]
fn what_the_transaction_did_before_counts_as_it_will_be() {
    let rows = Rows::of(LOOKUPS);
    for account in [1, 2, 3] {
        rows.put("account", account, &[]);
    }
    for (task, account) in [(10, 1), (11, 1), (12, 1), (13, 2)] {
        rows.put("task", task, &[("account", account)]);
    }
    let (accounts, tasks) = (rows.table("account"), rows.table("task"));
    let link = |to| [(tasks.column("account").unwrap().ordinal(), id(to))];
    let mut transaction = rows.begin();
    transaction.reserve_delete(tasks, &key(10), Precondition::None).unwrap();
    transaction.reserve_update(tasks, &key(11), link(3), Precondition::None).unwrap();
    transaction.reserve_update(tasks, &key(13), link(1), Precondition::None).unwrap();
    transaction.reserve_insert(tasks, values(tasks, [("taskid", id(14)), ("account", id(1))])).unwrap();
    transaction.reserve_insert(tasks, values(tasks, [("taskid", id(15)), ("account", id(3))])).unwrap();
    // inserted and taken away again
    transaction.reserve_insert(tasks, values(tasks, [("taskid", id(16)), ("account", id(1))])).unwrap();
    transaction.reserve_delete(tasks, &key(16), Precondition::None).unwrap();
    // taken away and put back
    transaction.reserve_insert(tasks, values(tasks, [("taskid", id(10)), ("account", id(3))])).unwrap();
    let gone = transaction.reserve_deletion(accounts, &key(1), Precondition::None, MANY).unwrap();
    let keys: Vec<&Key> = gone.iter().map(|one| &one.key).collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!([1, 12, 13, 14].iter().all(|row| keys.contains(&&key(*row))), "{keys:?}");
    transaction.commit().unwrap();
    let left: Vec<u32> =
        (10..17).filter(|row| rows.database.snapshot().get(tasks, &key(*row)).is_some()).collect();
    assert_eq!(left, [10, 11, 15]);
    assert_eq!(rows.found("task", "account", id(3)), 3);
    assert_eq!(rows.found("task", "account", id(1)), 0);
    assert_eq!(rows.found("task", "account", id(2)), 0);
}

#[test]
fn what_restricts_may_go_or_come_in_the_same_transaction() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("account", 2, &[]);
    rows.put("order", 10, &[("account", 1)]);
    let (accounts, orders) = (rows.table("account"), rows.table("order"));
    let mut transaction = rows.begin();
    let delete = |transaction: &mut Transaction, account| {
        transaction
            .reserve_deletion(accounts, &key(account), Precondition::None, MANY)
            .map(|gone: Vec<Reserved>| gone.len())
    };
    transaction.reserve_delete(orders, &key(10), Precondition::None).unwrap();
    assert_eq!(delete(&mut transaction, 1), Ok(1));
    transaction.reserve_insert(orders, values(orders, [("orderid", id(11)), ("account", id(2))])).unwrap();
    assert!(matches!(delete(&mut transaction, 2), Err(TableError::Restricted { .. })));
}

#[test]
fn a_row_changed_by_one_deletion_is_changed_again_by_the_next() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("account", 2, &[]);
    rows.put("contact", 10, &[("account", 1), ("other", 2)]);
    rows.put("task", 20, &[("contact", 10)]);
    let mut transaction = rows.begin();
    for (table, row, gone) in [("account", 1, 1), ("account", 2, 1), ("contact", 10, 2)] {
        let reserved =
            transaction.reserve_deletion(rows.table(table), &key(row), Precondition::MustExist, MANY);
        assert_eq!(reserved.unwrap().len(), gone, "{table}");
    }
    assert_eq!(transaction.commit().unwrap().changes.len(), 4);
    assert_eq!(rows.database.snapshot().rows(), 0);
}

#[test]
fn a_row_that_another_transaction_holds_cannot_go_along() {
    let rows = Rows::of(LOOKUPS);
    rows.put("account", 1, &[]);
    rows.put("task", 10, &[("account", 1)]);
    let mut other = rows.begin();
    other.reserve_update(rows.table("task"), &key(10), [], Precondition::None).unwrap();
    assert_eq!(rows.delete("account", 1), Err(TableError::RowLocked { table: "task".into() }));
    drop(other);
    assert_eq!(rows.delete("account", 1).unwrap().len(), 2);
    assert_eq!(rows.delete("account", 1), Err(TableError::NotFound { table: "account".into() }));
}

#[test]
fn no_key_of_what_went_is_taken_any_more() {
    let rows = Rows::of(LOOKUPS);
    let numbered = |row, parent: &[(&str, u32)]| {
        let links = parent.iter().map(|(column, to)| (*column, id(*to)));
        rows.put_cells("account", row, links.chain([("accountnumber", text(&format!("N{row}")))]).collect())
    };
    numbered(1, &[]);
    numbered(2, &[("parent", 1)]);
    rows.delete("account", 1).unwrap();
    let by_number = |row: u32| Key::of([CellRef::Text(&format!("n{row}"))]);
    let snapshot = rows.database.snapshot();
    for row in [1, 2] {
        assert_eq!(snapshot.find(rows.table("account"), 1, &by_number(row)), None);
        assert_eq!(rows.found("account", "accountnumber", text(&format!("n{row}"))), 0);
    }
    numbered(2, &[]);
    let put_again = rows.database.snapshot();
    assert!(put_again.find(rows.table("account"), 1, &by_number(2)).is_some());
    assert_eq!(rows.found("account", "parent", id(1)), 0);
}

#[test]
fn many_deletions_in_one_transaction_take_no_longer_each() {
    const PARENTS: u32 = 400;
    const CHILDREN: u32 = 50;
    let rows = Rows::of(LOOKUPS);
    let (accounts, tasks) = (rows.table("account"), rows.table("task"));
    let parents = (0..PARENTS).map(|row| (accounts.position(), values(accounts, [("accountid", id(row))])));
    rows.database.replace_all(None, parents).unwrap();
    let mut transaction = rows.begin();
    for row in 0..PARENTS * CHILDREN {
        let cells = [("taskid", id(1_000 + row)), ("account", id(row % PARENTS))];
        transaction.reserve_insert(tasks, values(tasks, cells)).unwrap();
    }
    // twenty thousand rows are held: to look at all of them for every row that goes would be hundreds of millions
    for row in 0..PARENTS {
        let gone = transaction.reserve_deletion(accounts, &key(row), Precondition::None, MANY).unwrap();
        assert_eq!(gone.len(), 1 + CHILDREN as usize);
    }
    assert_eq!(transaction.commit().unwrap().changes.len(), PARENTS as usize);
    assert_eq!(rows.database.snapshot().rows(), 0);
}
