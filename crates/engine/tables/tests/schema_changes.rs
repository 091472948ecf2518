//! What becomes of rows when their tables change, and of values that are those of every row.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression};
use mocktenant_schema::{Cell, CellRef, Schema};
use mocktenant_tables::{
    Database, FIRST_RECID, Key, Limits, Precondition, Query, Reset, Row, Standing, TableError, Transaction,
};

const BEFORE: &str = "
account:
  key: [accountid]
  keys:
    number: {columns: [accountnumber]}
  columns:
    accountid: text
    accountnumber: text
    city: text
    limit: {type: whole, default: 100}
contact:
  key: [contactid]
  columns: {contactid: text, name: text}
";

/// The tables with other texts in the place of some.
fn changed(changes: &[(&str, &str)]) -> Arc<Schema> {
    let text = changes.iter().fold(BEFORE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    schema(&text)
}

/// Three accounts, one of which holds nothing but its key, and a contact.
fn database() -> Database {
    let schema = schema(BEFORE);
    let database = Database::new(Arc::clone(&schema), Limits::default());
    let account = |id: &str, rest: &[(&'static str, Cell)]| {
        let cells = [("accountid", Cell::text(id))].into_iter().chain(rest.iter().cloned());
        put(&database, "account", cells)
    };
    account("a", &[("accountnumber", Cell::text("N1")), ("city", Cell::text("Bern"))]);
    account(
        "b",
        &[("accountnumber", Cell::text("N2")), ("city", Cell::text("Bern")), ("limit", Cell::Whole(7))],
    );
    account("c", &[]);
    put(&database, "contact", [("contactid", Cell::text("x")), ("name", Cell::text("Ada"))]);
    database
}

fn put<'c>(database: &Database, table: &str, cells: impl IntoIterator<Item = (&'c str, Cell)>) -> Row {
    let schema = database.snapshot().shared_schema();
    let table = schema.table(table).unwrap();
    insert(Transaction::begin(database), table, values(table, cells))
}

fn key(text: &str) -> Key {
    Key::of([CellRef::Text(text)])
}

/// A column of a row.
fn value(database: &Database, table: &str, id: &str, column: &str) -> Cell {
    let snapshot = database.snapshot();
    let table = snapshot.schema().table(table).unwrap();
    snapshot.get(table, &key(id)).unwrap().value(table.column(column).unwrap()).to_cell()
}

/// Versions, standings and numbers of all rows of a table, by key.
fn marks(database: &Database, table: &str) -> Vec<(u64, Standing, i64)> {
    let snapshot = database.snapshot();
    let table = snapshot.schema().table(table).unwrap();
    snapshot.all(table).map(|row| (row.version(), row.standing(), row.recid())).collect()
}

fn found(database: &Database, column: &str, cell: Cell) -> usize {
    let snapshot = database.snapshot();
    let table = snapshot.schema().table("account").unwrap();
    let filter = Expression::column_is(table.column(column).unwrap().ordinal(), Comparison::Equal, cell);
    snapshot.query(&Query { filter: Some(&filter), ..Query::of(table) }).rows.len()
}

#[test]
fn an_added_column_leaves_the_rows_with_their_versions_and_numbers() {
    for added in [
        // behind the others and before them, with an index and without
        "city: text\n    size: {type: whole, default: 3}",
        "size: {type: whole, default: 3}\n    city: text",
    ] {
        for index in ["", "\n  indexes: [size]"] {
            let database = database();
            let (before, version) = (marks(&database, "account"), database.snapshot().version());
            let index = format!("key: [accountid]{index}");
            database.redefine(changed(&[("city: text", added), ("key: [accountid]", &index)])).unwrap();
            assert_eq!(marks(&database, "account"), before);
            assert_eq!((database.snapshot().rows(), database.snapshot().version()), (4, version));
            for (id, number, city, limit) in [("a", "N1", "Bern", 100), ("b", "N2", "Bern", 7)] {
                assert_eq!(value(&database, "account", id, "accountnumber"), Cell::text(number));
                assert_eq!(value(&database, "account", id, "city"), Cell::text(city));
                assert_eq!(value(&database, "account", id, "limit"), Cell::Whole(limit));
                assert_eq!(
                    value(&database, "account", id, "size"),
                    Cell::Whole(3),
                    "the default of the new column"
                );
            }
            assert_eq!(found(&database, "size", Cell::Whole(3)), 3);
            assert_eq!(found(&database, "accountnumber", Cell::text("n2")), 1);
            let row = put(&database, "account", [("accountid", Cell::text("d")), ("size", Cell::Whole(4))]);
            assert_eq!((row.version(), row.recid()), (version + 1, FIRST_RECID + 3), "both go on");
            assert_eq!(found(&database, "size", Cell::Whole(3)), 3);
        }
    }
}

#[test]
fn an_index_that_comes_or_goes_changes_no_row() {
    let database = database();
    let plain = |database: &Database| found(database, "city", Cell::text("BERN"));
    let before = marks(&database, "account");
    assert_eq!(plain(&database), 2);
    database.redefine(changed(&[("key: [accountid]", "key: [accountid]\n  indexes: [city]")])).unwrap();
    assert_eq!(plain(&database), 2);
    put(&database, "account", [("accountid", Cell::text("d")), ("city", Cell::text("bern"))]);
    assert_eq!(plain(&database), 3);
    database.redefine(schema(BEFORE)).unwrap();
    assert_eq!(plain(&database), 3);
    assert_eq!(marks(&database, "account")[..3], before);
}

#[test]
fn a_removed_column_loses_its_values() {
    let database = database();
    let before = marks(&database, "account");
    database.redefine(changed(&[("    city: text\n", "")])).unwrap();
    assert_eq!(marks(&database, "account"), before);
    assert_eq!(value(&database, "account", "b", "limit"), Cell::Whole(7), "the one behind it keeps its own");
    assert_eq!(value(&database, "account", "b", "accountnumber"), Cell::text("N2"));
    database.redefine(schema(BEFORE)).unwrap();
    assert_eq!(value(&database, "account", "b", "city"), Cell::Null, "what is lost does not come back");
    assert_eq!(value(&database, "account", "b", "limit"), Cell::Whole(7));
}

#[test]
fn a_column_of_another_type_loses_its_values_and_one_of_a_like_type_keeps_them() {
    let database = database();
    database
        .redefine(changed(&[("city: text", "city: whole"), ("{type: whole, default: 100}", "big")]))
        .unwrap();
    assert_eq!(value(&database, "account", "a", "city"), Cell::Null);
    assert_eq!(value(&database, "account", "b", "limit"), Cell::Whole(7));
    assert_eq!(value(&database, "account", "b", "accountnumber"), Cell::text("N2"));
    let to_decimal = database
        .redefine(changed(&[("city: text", "city: memo"), ("{type: whole, default: 100}", "decimal")]));
    to_decimal.unwrap();
    assert_eq!(value(&database, "account", "b", "limit"), Cell::Null);
}

#[test]
fn a_removed_table_loses_its_rows_and_so_does_a_renamed_one() {
    for renamed in ["person:\n  key: [contactid]", ""] {
        let database = database();
        let (start, _) = BEFORE.split_once("contact:").unwrap();
        let rest = if renamed.is_empty() {
            String::new()
        } else {
            format!("{renamed}\n  columns: {{contactid: text, name: text}}\n")
        };
        let before = marks(&database, "account");
        database.redefine(schema(&format!("{rest}{start}"))).unwrap();
        assert_eq!(marks(&database, "account"), before, "the other table is at another place now");
        assert_eq!(database.snapshot().rows(), 3);
        if !renamed.is_empty() {
            assert_eq!(marks(&database, "person"), []);
            assert_eq!(put(&database, "person", [("contactid", Cell::text("x"))]).recid(), FIRST_RECID);
        }
        database.redefine(schema(BEFORE)).unwrap();
        assert_eq!(marks(&database, "contact"), []);
        assert_eq!(database.snapshot().rows(), 3);
    }
}

#[test]
fn a_default_that_changes_leaves_what_rows_hold() {
    let database = database();
    database.redefine(changed(&[("default: 100", "default: 7")])).unwrap();
    assert_eq!(value(&database, "account", "a", "limit"), Cell::Whole(100));
    assert_eq!(value(&database, "account", "b", "limit"), Cell::Whole(7));
    put(&database, "account", [("accountid", Cell::text("d"))]);
    assert_eq!(value(&database, "account", "d", "limit"), Cell::Whole(7));
    database.redefine(changed(&[("{type: whole, default: 100}", "whole")])).unwrap();
    let limits = |database: &Database| ["a", "b", "c", "d"].map(|id| value(database, "account", id, "limit"));
    assert_eq!(limits(&database), [100, 7, 100, 7].map(Cell::Whole));
    database.redefine(schema(BEFORE)).unwrap();
    assert_eq!(limits(&database), [100, 7, 100, 7].map(Cell::Whole));
}

#[test]
fn a_key_that_rows_cannot_have_is_refused_and_nothing_changes() {
    let database = database();
    let before = (marks(&database, "account"), database.snapshot().version());
    let city = changed(&[("number: {columns: [accountnumber]}", "place: {columns: [city]}")]);
    let taken = TableError::DuplicateKey {
        table: "account".into(),
        key: 1,
        columns: vec!["city".into()],
        values: vec![Cell::text("Bern")],
    };
    assert_eq!(database.redefine(city).map(|_| ()), Err(taken));
    let keyless = changed(&[
        ("key: [accountid]", "key: [accountnumber]"),
        ("  keys:\n    number: {columns: [accountnumber]}\n", ""),
    ]);
    let missing = TableError::MissingKeyColumn { table: "account".into(), column: "accountnumber".into() };
    assert_eq!(database.redefine(keyless).map(|_| ()), Err(missing));
    assert_eq!((marks(&database, "account"), database.snapshot().version()), before);
    assert!(database.snapshot().schema().table("account").unwrap().keys().any(|key| key.name() == "number"));
    // another primary key, which every row has
    let by_both = changed(&[("key: [accountid]", "key: [limit, accountid]")]);
    database.redefine(by_both).unwrap();
    let snapshot = database.snapshot();
    let account = snapshot.schema().table("account").unwrap();
    let ids: Vec<&str> =
        snapshot.all(account).map(|row| row.value(account.at(0).unwrap()).as_text().unwrap()).collect();
    assert_eq!(ids, ["b", "a", "c"]);
}

#[test]
fn open_transactions_become_void() {
    let database = database();
    let old = database.snapshot().shared_schema();
    let accounts = old.table("account").unwrap();
    let mut open = Transaction::begin(&database);
    open.reserve_delete(accounts, &key("a"), Precondition::None).unwrap();
    open.reserve_insert(accounts, values(accounts, [("accountid", Cell::text("d"))])).unwrap();
    let idle = Transaction::begin(&database);
    database.redefine(changed(&[("city: text", "town: text")])).unwrap();
    assert_eq!(open.get(accounts, 0, &key("a")), Err(TableError::Reset));
    assert_eq!(open.reserve_delete(accounts, &key("b"), Precondition::None), Err(TableError::Reset));
    assert_eq!(idle.commit(), Err(Reset));
    // its keys are free, and it takes nothing from those who come after it
    put(&database, "account", [("accountid", Cell::text("d"))]);
    let now = database.snapshot().shared_schema();
    let accounts = now.table("account").unwrap();
    let mut next = Transaction::begin(&database);
    assert!(next.schema().table("account").unwrap().column("town").is_some());
    next.reserve_delete(accounts, &key("a"), Precondition::None).unwrap();
    assert_eq!(open.commit(), Err(Reset));
    let late = Transaction::begin(&database).reserve_delete(accounts, &key("a"), Precondition::None);
    assert_eq!(late, Err(TableError::RowLocked { table: "account".into() }));
    next.commit().unwrap();
    assert_eq!(database.snapshot().rows(), 4);
}

#[test]
fn a_snapshot_keeps_the_schema_of_its_moment() {
    let database = database();
    let before = database.snapshot();
    database.redefine(changed(&[("city: text", "town: text")])).unwrap();
    let account = before.schema().table("account").unwrap();
    let city = account.column("city").unwrap();
    assert_eq!(before.get(account, &key("a")).unwrap().value(city), CellRef::Text("Bern"));
    assert!(database.snapshot().schema().table("account").unwrap().column("city").is_none());
}

#[test]
fn a_reset_may_bring_another_schema() {
    let database = database();
    let version = database.snapshot().version();
    let next = changed(&[("city: text", "town: text")]);
    let accounts = next.table("account").unwrap();
    let row = values(accounts, [("accountid", Cell::text("z")), ("town", Cell::text("Rome"))]);
    let refused = database.replace_all(Some(Arc::clone(&next)), [(9, row.clone())]).map(|_| ());
    assert_eq!(refused, Err(TableError::UnknownTable));
    assert_eq!(
        (database.snapshot().rows(), value(&database, "account", "a", "city")),
        (4, Cell::text("Bern"))
    );
    database.replace_all(Some(Arc::clone(&next)), [(accounts.position(), row)]).unwrap();
    assert_eq!(value(&database, "account", "z", "town"), Cell::text("Rome"));
    assert_eq!(marks(&database, "account"), [(version + 1, Standing::First, FIRST_RECID)]);
}

#[test]
fn nothing_that_is_written_while_tables_change_is_lost() {
    let database = database();
    let schemas = [schema(BEFORE), changed(&[("city: text", "size: whole\n    city: text")])];
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = Vec::new();
            for row in 0..2_000 {
                let mut transaction = Transaction::begin(&database);
                let schema = Arc::clone(transaction.schema());
                let accounts = schema.table("account").unwrap();
                let id = format!("w{row}");
                if transaction
                    .reserve_insert(accounts, values(accounts, [("accountid", Cell::text(&*id))]))
                    .is_ok()
                    && transaction.commit().is_ok()
                {
                    written.push(id);
                }
            }
            written
        });
        for round in 0.. {
            database.redefine(Arc::clone(&schemas[round % 2])).unwrap();
            if writer.is_finished() {
                break;
            }
        }
        let written = writer.join().unwrap();
        let snapshot = database.snapshot();
        let accounts = snapshot.schema().table("account").unwrap();
        for id in &written {
            assert!(snapshot.get(accounts, &key(id)).is_some(), "{id} was committed");
        }
        assert_eq!(snapshot.rows(), written.len() + 4);
    });
}

#[test]
fn what_was_there_before_can_be_freed_little_by_little() {
    let database = database();
    let schema = schema(BEFORE);
    let accounts = schema.table("account").unwrap();
    let row = |n: usize| {
        let cells =
            [("accountid", Cell::text(format!("{n}"))), ("accountnumber", Cell::text(format!("{n}")))];
        (accounts.position(), values(accounts, cells))
    };
    let held = database.snapshot();
    let pieces = |mut left: mocktenant_tables::Leftovers| {
        std::iter::from_fn(|| left.free_some().then_some(())).count()
    };
    assert_eq!(pieces(database.replace_all(None, (0..20_000).map(row)).unwrap()), 0, "a snapshot holds it");
    drop(held);
    // another column in the middle: every row is made anew
    let other = changed(&[("city: text", "size: whole\n    city: text")]);
    assert!(pieces(database.redefine(other).unwrap()) > 10, "nobody holds it any more");
    let held = database.snapshot();
    assert_eq!(pieces(database.clear()), 0);
    assert_eq!((held.rows(), database.snapshot().rows()), (20_000, 0));
}

#[test]
fn a_default_is_in_no_row_and_reads_back() {
    let schema = schema(
        "
account:
  key: [accountid]
  indexes: [city]
  columns:
    accountid: {type: text, default: '0'}
    flag: {type: flag, default: true}
    whole: {type: whole, default: -1}
    amount: {type: money, default: 12.5}
    city: {type: text, default: Oslo}
    memo: memo
",
    );
    let database = Database::new(Arc::clone(&schema), Limits::default());
    let accounts = schema.table("account").unwrap();
    let column = |name| accounts.column(name).unwrap();
    let defaults = [
        ("flag", Cell::Flag(true)),
        ("whole", Cell::Whole(-1)),
        ("amount", column("amount").default().unwrap().to_cell()),
        ("city", Cell::text("Oslo")),
        ("memo", Cell::Null),
    ];
    let empty = put(&database, "account", [("accountid", Cell::text("0"))]);
    let whole = put(&database, "account", defaults.iter().cloned().chain([("accountid", Cell::text("1"))]));
    assert_eq!((empty.size(), empty.cells().count()), (16, 0), "version and number alone");
    assert_eq!(whole.size(), 16 + 2 + 2 + 1, "and a text of one letter");
    assert_eq!(whole.get(column("city").ordinal()), None);
    for row in [&empty, &whole] {
        for (name, cell) in &defaults {
            assert_eq!(row.value(column(name)), cell.as_ref(), "{name}");
        }
    }
    assert_eq!(found(&database, "city", Cell::text("oslo")), 2, "an index holds them too");
    assert_eq!(database.snapshot().get(accounts, &key("0")), Some(&empty));

    // null over a default is a value, and so is a text that differs in case alone
    let nulls = defaults.iter().map(|(name, _)| (*name, Cell::Null));
    let nothing = put(&database, "account", nulls.chain([("accountid", Cell::text("2"))]));
    for (name, _) in &defaults {
        assert_eq!(nothing.value(column(name)), CellRef::Null, "{name}");
    }
    assert_eq!(nothing.cells().count(), 5, "the four that have a default, and the key");
    let lower = put(&database, "account", [("accountid", Cell::text("3")), ("city", Cell::text("oslo"))]);
    assert_eq!(lower.value(column("city")), CellRef::Text("oslo"));
    assert_eq!(found(&database, "city", Cell::text("oslo")), 3);
    assert_eq!(found(&database, "city", Cell::Null), 1);

    // a change to null and back
    let change = |cell: Cell| {
        let mut transaction = Transaction::begin(&database);
        transaction
            .reserve_update(accounts, &key("1"), [(column("city").ordinal(), cell)], Precondition::None)
            .unwrap();
        transaction.commit().unwrap().changes.remove(0).after.unwrap()
    };
    assert_eq!(change(Cell::Null).value(column("city")), CellRef::Null);
    assert_eq!(found(&database, "city", Cell::Null), 2);
    assert_eq!(change(Cell::text("Oslo")).size(), whole.size());
    assert_eq!(found(&database, "city", Cell::text("oslo")), 3);
    // in another schema null stays null, and what has no default there any more is written out
    let bare = common::schema(
        "
account:
  key: [accountid]
  columns: {accountid: text, whole: {type: whole, default: 5}, city: text, flag: flag}
",
    );
    database.redefine(bare).unwrap();
    for (id, city, whole) in [("0", Cell::text("Oslo"), Cell::Whole(-1)), ("2", Cell::Null, Cell::Null)] {
        assert_eq!(value(&database, "account", id, "city"), city);
        assert_eq!(value(&database, "account", id, "whole"), whole);
    }
}
