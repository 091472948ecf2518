//! What a transaction promises: one winner per key, no trace when dropped, a commit that cannot fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

use std::sync::Barrier;
use std::thread;

use mocktenant_tables::{
    ChangeKind, Columns, Database, FIRST_RECID, Key, KeyName, Limits, Precondition, Reference, Reset, Row,
    Scan, Schema, SchemaError, TableError, Transaction,
};
use serde_json::{Value, json};

fn database() -> Database {
    with_limits(Limits::default())
}

fn with_limits(limits: Limits) -> Database {
    let accounts = Schema::new("accounts", ["accountid"]).alternate_key("number", ["accountnumber"]);
    let customers = Schema::new("CustomersV3", ["dataAreaId", "CustomerAccount"]);
    Database::new([accounts, customers], limits).unwrap()
}

fn columns(value: Value) -> Columns {
    match value {
        Value::Object(columns) => columns,
        other => panic!("no object: {other}"),
    }
}

fn account(id: &str, number: &str) -> Columns {
    columns(json!({"accountid": id, "accountnumber": number, "name": id}))
}

fn insert(database: &Database, row: Columns) -> Row {
    let mut transaction = Transaction::begin(database);
    transaction.reserve_insert("accounts", row).unwrap();
    let commit = transaction.commit().unwrap();
    commit.changes[0].after.clone().unwrap()
}

fn ids(database: &Database) -> Vec<String> {
    let snapshot = database.snapshot();
    let accounts = snapshot.table("accounts").unwrap();
    accounts.iter(Scan::InsertionOrder).map(|row| row.text("accountid").unwrap().to_owned()).collect()
}

#[test]
fn a_committed_row_is_found_by_every_key_in_any_case() {
    let database = database();
    let row = insert(&database, account("A0", "C-1"));
    assert_eq!((row.version, row.recid), (1, FIRST_RECID));
    let snapshot = database.snapshot();
    let accounts = snapshot.table("accounts").unwrap();
    assert_eq!(accounts.get(&Key::text("a0")), Some(&row));
    assert_eq!(accounts.find_by_alternate("number", &Key::text("c-1")), Some(&row));
    assert_eq!(row.text("accountnumber"), Some("C-1"), "the columns keep their case");
    assert_eq!(accounts.find_by_alternate("other", &Key::text("c-1")), None);
}

#[test]
fn of_many_threads_reserving_one_alternate_key_exactly_one_wins() {
    const THREADS: usize = 16;
    for round in 0..50 {
        let database = database();
        let barrier = Barrier::new(THREADS);
        let outcomes: Vec<Result<(), TableError>> = thread::scope(|scope| {
            let handles: Vec<_> = (0..THREADS)
                .map(|index| {
                    let (database, barrier) = (&database, &barrier);
                    scope.spawn(move || {
                        let mut transaction = Transaction::begin(database);
                        barrier.wait();
                        let reserved =
                            transaction.reserve_insert("accounts", account(&format!("id{index}"), "SAME"));
                        // everybody has tried before anybody ends
                        barrier.wait();
                        reserved.map(|_| assert_eq!(transaction.commit().unwrap().changes.len(), 1))
                    })
                })
                .collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).collect()
        });
        let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(winners, 1, "round {round}");
        for error in outcomes.into_iter().filter_map(Result::err) {
            let expected = TableError::DuplicateKey {
                table: "accounts".into(),
                key: KeyName::Alternate("number".into()),
                columns: vec!["accountnumber".into()],
                values: vec![json!("SAME")],
            };
            assert_eq!(error, expected);
        }
        assert_eq!(ids(&database).len(), 1);
    }
}

#[test]
fn threads_that_update_one_row_by_version_lose_no_update() {
    let database = database();
    insert(&database, columns(json!({"accountid": "a", "n": 0})));
    let key = Key::text("a");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut done = 0;
                while done < 200 {
                    let snapshot = database.snapshot();
                    let row = snapshot.table("accounts").unwrap().get(&key).unwrap();
                    let n = row.get("n").and_then(Value::as_i64).unwrap();
                    let mut transaction = Transaction::begin(&database);
                    let change = columns(json!({"n": n + 1}));
                    let precondition = Precondition::Version(row.version);
                    match transaction.reserve_update("accounts", &key, change, precondition) {
                        Ok(_) => {
                            assert_eq!(transaction.commit().unwrap().changes.len(), 1);
                            done += 1;
                        }
                        Err(TableError::VersionMismatch { .. } | TableError::RowLocked { .. }) => {
                            thread::yield_now();
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
    });
    let snapshot = database.snapshot();
    let row = snapshot.table("accounts").unwrap().get(&key).unwrap();
    assert_eq!(row.get("n"), Some(&json!(800)));
    assert_eq!(row.version, 801);
}

#[test]
fn a_dropped_transaction_leaves_no_trace() {
    let database = database();
    let kept = insert(&database, account("kept", "K"));
    let before = database.snapshot();
    {
        let mut transaction = Transaction::begin(&database);
        transaction.reserve_insert("accounts", account("new", "N")).unwrap();
        let changes = columns(json!({"accountnumber": "K2"}));
        transaction.reserve_update("accounts", &Key::text("kept"), changes, Precondition::None).unwrap();
        transaction.reserve_delete("accounts", &Key::text("new"), Precondition::None).unwrap();
        transaction.reserve_insert("accounts", account("new", "N")).unwrap();
    }
    let after = database.snapshot();
    assert_eq!((before.rows(), before.version()), (after.rows(), after.version()));
    assert_eq!(after.table("accounts").unwrap().get(&Key::text("kept")), Some(&kept));
    // rows, unique keys, numbers and versions are free again
    let row = insert(&database, account("new", "N"));
    assert_eq!((row.version, row.recid), (2, FIRST_RECID + 1));
    insert(&database, account("third", "K2"));
}

#[test]
fn a_transaction_may_be_held_by_another_thread_and_dropped_by_a_panic() {
    let database = database();
    let mut transaction = Transaction::begin(&database);
    transaction.reserve_insert("accounts", account("a", "A")).unwrap();
    let panicked = thread::spawn(move || {
        let _held = transaction;
        panic!("the outbound call went wrong");
    })
    .join();
    assert!(panicked.is_err());
    insert(&database, account("a", "A"));
}

#[test]
fn a_snapshot_never_changes() {
    let database = database();
    insert(&database, account("a", "A"));
    let old = database.snapshot();
    insert(&database, account("b", "B"));
    let mut transaction = Transaction::begin(&database);
    let changes = columns(json!({"name": "changed", "accountnumber": "A2"}));
    transaction.reserve_update("accounts", &Key::text("a"), changes, Precondition::MustExist).unwrap();
    assert_eq!(ids(&database), ["a", "b"], "reservations are invisible");
    assert_eq!(transaction.commit().unwrap().changes[0].kind(), ChangeKind::Update);
    database.clear();

    let accounts = old.table("accounts").unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts.get(&Key::text("a")).unwrap().text("name"), Some("a"));
    assert!(accounts.find_by_alternate("number", &Key::text("A")).is_some());
    assert!(accounts.find_by_alternate("number", &Key::text("A2")).is_none());
    assert_eq!(database.snapshot().rows(), 0);
}

#[test]
fn a_commit_is_seen_whole_or_not_at_all() {
    let database = database();
    let rounds = 300;
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..rounds {
                let mut transaction = Transaction::begin(&database);
                transaction
                    .reserve_insert("accounts", account(&format!("a{round}"), &format!("A{round}")))
                    .unwrap();
                let customer = columns(json!({"dataAreaId": "usmf", "CustomerAccount": format!("C{round}")}));
                transaction.reserve_insert("CustomersV3", customer).unwrap();
                assert_eq!(transaction.commit().unwrap().changes.len(), 2);
            }
        });
        loop {
            let snapshot = database.snapshot();
            let length = |table: &str| snapshot.table(table).unwrap().len();
            assert_eq!(length("accounts"), length("CustomersV3"));
            if length("accounts") == rounds {
                break;
            }
        }
    });
}

#[test]
fn a_reserved_row_is_locked_for_others_until_the_end() {
    let database = database();
    insert(&database, account("a", "A"));
    let key = Key::text("a");
    let mut first = Transaction::begin(&database);
    first.reserve_delete("accounts", &key, Precondition::None).unwrap();
    let mut second = Transaction::begin(&database);
    let locked = Err(TableError::RowLocked { table: "accounts".into(), key: key.clone() });
    assert_eq!(second.reserve_update("accounts", &key, Columns::new(), Precondition::None), locked);
    assert_eq!(second.reserve_delete("accounts", &key, Precondition::None), locked);
    assert_eq!(second.reserve_insert("accounts", account("A", "X")), locked);
    let duplicate = second.reserve_insert("accounts", account("b", "a"));
    assert!(
        matches!(duplicate, Err(TableError::DuplicateKey { .. })),
        "the value is free only after the commit"
    );
    assert_eq!(first.commit().unwrap().changes[0].kind(), ChangeKind::Delete);
    second.reserve_insert("accounts", account("b", "a")).unwrap();
    assert_eq!(second.commit().unwrap().changes.len(), 1);
    assert_eq!(ids(&database), ["b"]);
}

#[test]
fn preconditions_decide_between_insert_and_update() {
    let database = database();
    let key = Key::text("a");
    let mut transaction = Transaction::begin(&database);
    let mut write =
        |precondition| transaction.reserve_update("accounts", &key, account("a", "A"), precondition);
    assert!(matches!(write(Precondition::MustExist), Err(TableError::NotFound { .. })));
    assert!(matches!(write(Precondition::Version(1)), Err(TableError::NotFound { .. })));
    assert_eq!(write(Precondition::MustNotExist).unwrap().kind, ChangeKind::Insert);
    assert!(matches!(write(Precondition::MustNotExist), Err(TableError::AlreadyExists { .. })));
    assert_eq!(write(Precondition::None).unwrap().kind, ChangeKind::Update, "its own row is there already");
    let row = transaction.commit().unwrap().changes[0].after.clone().unwrap();

    let mut transaction = Transaction::begin(&database);
    let mut write = |precondition| {
        transaction.reserve_update("accounts", &key, columns(json!({"name": null})), precondition)
    };
    let mismatch =
        TableError::VersionMismatch { table: "accounts".into(), key: key.clone(), expected: 9, actual: 1 };
    assert_eq!(write(Precondition::Version(9)), Err(mismatch));
    let reserved = write(Precondition::Version(row.version)).unwrap();
    assert_eq!(reserved.columns.get("name"), Some(&Value::Null));
    assert_eq!(reserved.columns.get("accountnumber"), Some(&json!("A")), "columns not named stay");
    let after = transaction.commit().unwrap().changes[0].after.clone().unwrap();
    assert_eq!((after.version, after.recid), (2, row.recid));
}

#[test]
fn key_columns_may_be_respelled_but_not_changed() {
    let database = database();
    let mut transaction = Transaction::begin(&database);
    let key = Key::texts(["usmf", "C1"]);
    let customer = |area: &str, number: &str| columns(json!({"dataAreaId": area, "CustomerAccount": number}));
    transaction.reserve_insert("CustomersV3", customer("USMF", "c1")).unwrap();
    let mut update = |row| transaction.reserve_update("CustomersV3", &key, row, Precondition::None);
    assert!(update(customer("usmf", "C1")).is_ok());
    let changed =
        TableError::KeyColumnChanged { table: "CustomersV3".into(), column: "CustomerAccount".into() };
    assert_eq!(update(customer("usmf", "C2")), Err(changed));
    let missing = TableError::MissingKeyColumn { table: "CustomersV3".into(), column: "dataAreaId".into() };
    assert_eq!(update(columns(json!({"dataAreaId": null}))), Err(missing));
    let invalid =
        TableError::InvalidKeyValue { table: "CustomersV3".into(), column: "CustomerAccount".into() };
    assert_eq!(
        transaction
            .reserve_insert("CustomersV3", columns(json!({"dataAreaId": "x", "CustomerAccount": 1.5}))),
        Err(invalid)
    );
}

#[test]
fn rows_may_exchange_the_values_of_an_alternate_key_in_one_transaction() {
    let database = database();
    insert(&database, account("a", "1"));
    insert(&database, account("b", "2"));
    let mut transaction = Transaction::begin(&database);
    let mut number = |id: &str, number: &str| {
        let changes = columns(json!({"accountnumber": number}));
        transaction.reserve_update("accounts", &Key::text(id), changes, Precondition::MustExist).map(|_| ())
    };
    assert!(matches!(number("a", "2"), Err(TableError::DuplicateKey { .. })), "still the other row's");
    number("a", "3").unwrap();
    number("b", "1").unwrap();
    number("a", "2").unwrap();
    let by_number = Reference::Alternate { index: 0, key: Key::text("1") };
    assert_eq!(transaction.get("accounts", &by_number).unwrap().unwrap()["accountid"], "b");
    assert_eq!(transaction.commit().unwrap().changes.len(), 2);
    let snapshot = database.snapshot();
    let accounts = snapshot.table("accounts").unwrap();
    let owner = |number: &str| {
        accounts.find_by_alternate("number", &Key::text(number)).and_then(|row| row.text("accountid"))
    };
    assert_eq!((owner("1"), owner("2"), owner("3")), (Some("b"), Some("a"), None));
}

#[test]
fn a_row_deleted_and_inserted_again_is_a_new_row() {
    let database = database();
    let old = insert(&database, account("a", "A"));
    let mut transaction = Transaction::begin(&database);
    transaction.reserve_delete("accounts", &Key::text("a"), Precondition::Version(old.version)).unwrap();
    assert_eq!(transaction.get("accounts", &Key::text("a").into()), Ok(None));
    assert_eq!(
        transaction.get("accounts", &Reference::Alternate { index: 0, key: Key::text("A") }),
        Ok(None)
    );
    transaction.reserve_insert("accounts", account("a", "A")).unwrap();
    let versioned = Precondition::Version(old.version);
    let stale = transaction.reserve_update("accounts", &Key::text("a"), Columns::new(), versioned);
    assert!(matches!(stale, Err(TableError::VersionMismatch { actual: 0, .. })), "the old version is gone");
    let row = transaction.commit().unwrap().changes[0].after.clone().unwrap();
    assert!(row.recid > old.recid && row.version > old.version);
    assert_eq!(database.snapshot().rows(), 1);
    assert_eq!(ids(&database), ["a"]);
}

#[test]
fn a_row_inserted_and_deleted_again_was_never_there() {
    let database = database();
    let mut transaction = Transaction::begin(&database);
    transaction.reserve_insert("accounts", account("a", "A")).unwrap();
    transaction.reserve_delete("accounts", &Key::text("a"), Precondition::None).unwrap();
    assert_eq!(transaction.commit().unwrap().changes, []);
    assert_eq!((database.snapshot().rows(), database.snapshot().version()), (0, 0));
}

#[test]
fn a_refused_reservation_changes_nothing_and_the_transaction_goes_on() {
    let database = database();
    insert(&database, account("a", "A"));
    let mut transaction = Transaction::begin(&database);
    assert!(transaction.reserve_insert("accounts", account("b", "A")).is_err());
    let mut other = Transaction::begin(&database);
    other.reserve_insert("accounts", account("b", "B")).unwrap();
    transaction.reserve_insert("accounts", account("c", "C")).unwrap();
    assert_eq!(transaction.commit().unwrap().changes.len(), 1);
    assert_eq!(other.commit().unwrap().changes.len(), 1);
    assert_eq!(ids(&database), ["a", "c", "b"]);
}

#[test]
fn room_and_size_are_bounded_and_counted_when_reserved() {
    let database = with_limits(Limits { max_rows: 2, max_row_bytes: 60 });
    insert(&database, columns(json!({"accountid": "a"})));
    let mut first = Transaction::begin(&database);
    first.reserve_insert("accounts", columns(json!({"accountid": "b"}))).unwrap();
    let mut second = Transaction::begin(&database);
    let third = second.reserve_insert("accounts", columns(json!({"accountid": "c"})));
    assert_eq!(third, Err(TableError::DatabaseFull { limit: 2 }));
    drop(first);
    second.reserve_insert("accounts", columns(json!({"accountid": "c"}))).unwrap();
    let large = columns(json!({"name": "x".repeat(60)}));
    let refused = second.reserve_update("accounts", &Key::text("a"), large, Precondition::None);
    assert_eq!(refused, Err(TableError::RowTooLarge { table: "accounts".into(), limit: 60 }));
    assert_eq!(second.commit().unwrap().changes.len(), 1);
    let rows = ["a", "b", "c"].map(|id| ("accounts", columns(json!({"accountid": id}))));
    assert_eq!(database.replace_all(rows), Err(TableError::DatabaseFull { limit: 2 }));
    assert_eq!(ids(&database), ["a", "c"], "a refused replacement changes nothing");
}

#[test]
fn a_reset_voids_open_transactions_and_frees_their_keys() {
    let database = database();
    let old = insert(&database, account("a", "A"));
    let mut open = Transaction::begin(&database);
    open.reserve_insert("accounts", account("b", "B")).unwrap();
    let mut dropped = Transaction::begin(&database);
    dropped.reserve_delete("accounts", &Key::text("a"), Precondition::None).unwrap();

    database.replace_all([("accounts", account("a", "A")), ("accounts", account("b", "B"))]).unwrap();
    let mut next = Transaction::begin(&database);
    next.reserve_delete("accounts", &Key::text("b"), Precondition::None).unwrap();
    assert_eq!(open.reserve_insert("accounts", account("c", "C")), Err(TableError::Reset));
    assert_eq!(open.get("accounts", &Key::text("a").into()), Err(TableError::Reset));
    assert_eq!(open.commit(), Err(Reset));
    drop(dropped);
    let mut late = Transaction::begin(&database);
    let locked = late.reserve_delete("accounts", &Key::text("b"), Precondition::None);
    assert!(matches!(locked, Err(TableError::RowLocked { .. })), "the void ones released nothing of others");

    let snapshot = database.snapshot();
    let row = snapshot.table("accounts").unwrap().get(&Key::text("a")).unwrap();
    assert_eq!(row.recid, FIRST_RECID);
    assert!(row.version > old.version, "an entity tag from before matches nothing");
}

#[test]
fn seeds_are_checked_like_rows() {
    let database = database();
    let twice = [("accounts", account("a", "A")), ("accounts", account("b", "a"))];
    assert!(matches!(database.replace_all(twice), Err(TableError::DuplicateKey { .. })));
    let unknown = [("contacts", account("a", "A"))];
    assert_eq!(database.replace_all(unknown), Err(TableError::UnknownTable { table: "contacts".into() }));
    let twice = || Schema::new("t", ["a"]);
    assert!(matches!(
        Database::new([twice(), twice()], Limits::default()),
        Err(SchemaError::DuplicateTable { .. })
    ));
}

#[test]
fn a_draft_is_seen_by_nobody_until_it_is_adopted_and_then_as_a_whole() {
    let database = database();
    let draft = database.draft();
    let mut first = Transaction::begin(draft.database());
    first.reserve_insert("accounts", account("a", "A-1")).unwrap();
    first.commit().unwrap();
    let mut second = Transaction::begin(draft.database());
    second
        .reserve_update("accounts", &Key::text("a"), columns(json!({"name": "x"})), Precondition::MustExist)
        .unwrap();
    second.commit().unwrap();
    let drafted = draft.database().snapshot();
    assert_eq!(database.snapshot().rows(), 0, "nobody sees it");
    draft.adopt().unwrap();
    let adopted = database.snapshot();
    assert_eq!(adopted.version(), drafted.version());
    let row = adopted.table("accounts").unwrap().get(&Key::text("a")).unwrap().clone();
    assert_eq!(row, drafted.table("accounts").unwrap().get(&Key::text("a")).unwrap().clone());
    let mut later = Transaction::begin(&database);
    later.reserve_insert("accounts", account("b", "B-1")).unwrap();
    let written = later.commit().unwrap();
    assert!(written.changes[0].after.as_ref().unwrap().version > row.version, "versions go on");
}

#[test]
fn a_draft_is_void_once_anything_else_was_written_or_is_held() {
    let database = database();
    let write = |database: &Database, key: &str| {
        let mut transaction = Transaction::begin(database);
        transaction.reserve_insert("accounts", account(key, key)).unwrap();
        transaction
    };
    let (draft, dropped) = (database.draft(), database.draft());
    write(draft.database(), "a").commit().unwrap();
    write(dropped.database(), "d").commit().unwrap();
    drop(dropped);
    let held = write(&database, "b");
    assert!(draft.adopt().is_err(), "another transaction holds a row");
    drop(held);
    let draft = database.draft();
    write(draft.database(), "a").commit().unwrap();
    write(&database, "c").commit().unwrap();
    assert!(draft.adopt().is_err(), "another transaction wrote");
    let draft = database.draft();
    database.clear();
    assert!(draft.adopt().is_err(), "a reset came");
    assert_eq!(database.snapshot().rows(), 0);
}
