//! What a transaction promises: one winner per key, no trace when dropped, a commit that cannot fail.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::sync::{Arc, Barrier};
use std::thread;

use common::{insert, schema, values};
use mocktenant_schema::{Cell, CellRef, Schema, Table};
use mocktenant_tables::{
    ChangeKind, Commit, Database, FIRST_RECID, Key, Limits, Precondition, Reset, Row, Standing, TableError,
    Transaction, Values,
};

const TABLES: &str = "
account:
  key: [accountid]
  keys:
    number: {columns: [accountnumber]}
  columns:
    accountid: text
    accountnumber: text
    name: text
    n: whole
customer:
  set: CustomersV3
  key: [dataAreaId, CustomerAccount]
  columns:
    dataAreaId: text
    CustomerAccount: text
";

/// The two tables, and what is asked of them again and again.
struct Two {
    database: Database,
    schema: Arc<Schema>,
}

impl Two {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let schema = schema(TABLES);
        Self { database: Database::new(Arc::clone(&schema), limits), schema }
    }

    fn accounts(&self) -> Table<'_> {
        self.schema.table("account").unwrap()
    }

    fn customers(&self) -> Table<'_> {
        self.schema.by_set("CustomersV3").unwrap()
    }

    fn begin(&self) -> Transaction {
        Transaction::begin(&self.database)
    }

    fn account(&self, id: &str, number: &str) -> Values {
        let cells =
            [("accountid", Cell::text(id)), ("accountnumber", Cell::text(number)), ("name", Cell::text(id))];
        values(self.accounts(), cells)
    }

    fn only_id(&self, id: &str) -> Values {
        values(self.accounts(), [("accountid", Cell::text(id))])
    }

    fn customer(&self, area: &str, number: &str) -> Values {
        let cells = [("dataAreaId", Cell::text(area)), ("CustomerAccount", Cell::text(number))];
        values(self.customers(), cells)
    }

    fn insert(&self, row: Values) -> Row {
        insert(self.begin(), self.accounts(), row)
    }

    fn one(&self, column: &str, cell: Cell) -> Vec<(u16, Cell)> {
        vec![(self.accounts().column(column).unwrap().ordinal(), cell)]
    }

    fn text<'r>(&'r self, row: &'r Row, column: &str) -> Option<&'r str> {
        row.value(self.accounts().column(column).unwrap()).as_text()
    }

    /// Every account, by age.
    fn ids(&self) -> Vec<String> {
        let snapshot = self.database.snapshot();
        let mut rows: Vec<&Row> = snapshot.all(self.accounts()).collect();
        rows.sort_by_key(|row| row.recid());
        rows.into_iter().map(|row| self.text(row, "accountid").unwrap().to_owned()).collect()
    }
}

fn key(text: &str) -> Key {
    keys([text])
}

fn keys<const N: usize>(texts: [&str; N]) -> Key {
    Key::of(texts.map(CellRef::Text))
}

fn changes(values: &Values) -> Vec<(u16, Cell)> {
    values.iter().map(|(column, cell)| (column, cell.clone())).collect()
}

/// The further key of accounts, by their number.
const NUMBER: usize = 1;

#[test]
fn a_committed_row_is_found_by_every_key_in_any_case() {
    let two = Two::new();
    let row = two.insert(two.account("A0", "C-1"));
    assert_eq!((row.version(), row.standing(), row.recid()), (1, Standing::Made, FIRST_RECID));
    let snapshot = two.database.snapshot();
    assert_eq!(snapshot.get(two.accounts(), &key("a0")), Some(&row));
    assert_eq!(snapshot.find(two.accounts(), NUMBER, &key("c-1")), Some(&row));
    assert_eq!(two.text(&row, "accountnumber"), Some("C-1"), "the columns keep their case");
    assert_eq!(snapshot.find(two.accounts(), 2, &key("c-1")), None);
    assert_eq!(snapshot.get(two.customers(), &key("a0")), None);
}

#[test]
fn of_many_threads_reserving_one_alternate_key_exactly_one_wins() {
    const THREADS: usize = 16;
    for round in 0..50 {
        let two = Two::new();
        let barrier = Barrier::new(THREADS);
        let outcomes: Vec<Result<(), TableError>> = thread::scope(|scope| {
            let handles: Vec<_> = (0..THREADS)
                .map(|index| {
                    let (two, barrier) = (&two, &barrier);
                    scope.spawn(move || {
                        let mut transaction = two.begin();
                        barrier.wait();
                        let row = two.account(&format!("id{index}"), "SAME");
                        let reserved = transaction.reserve_insert(two.accounts(), row);
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
                table: "account".into(),
                key: NUMBER,
                columns: vec!["accountnumber".into()],
                values: vec![Cell::text("SAME")],
            };
            assert_eq!(error, expected);
        }
        assert_eq!(two.ids().len(), 1);
    }
}

#[test]
fn threads_that_update_one_row_by_version_lose_no_update() {
    let two = Two::new();
    let start = [("accountid", Cell::text("a")), ("n", Cell::Whole(0))];
    two.insert(values(two.accounts(), start));
    let (key, column) = (key("a"), two.accounts().column("n").unwrap());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut done = 0;
                while done < 200 {
                    let snapshot = two.database.snapshot();
                    let row = snapshot.get(two.accounts(), &key).unwrap();
                    let n = row.value(column).as_whole().unwrap();
                    let mut transaction = two.begin();
                    let change = two.one("n", Cell::Whole(n + 1));
                    let precondition = Precondition::Version(row.version());
                    match transaction.reserve_update(two.accounts(), &key, change, precondition) {
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
    let snapshot = two.database.snapshot();
    let row = snapshot.get(two.accounts(), &key).unwrap();
    assert_eq!(row.value(column), CellRef::Whole(800));
    assert_eq!(row.version(), 801);
}

#[test]
fn a_dropped_transaction_leaves_no_trace() {
    let two = Two::new();
    let kept = two.insert(two.account("kept", "K"));
    let before = two.database.snapshot();
    {
        let mut transaction = two.begin();
        transaction.reserve_insert(two.accounts(), two.account("new", "N")).unwrap();
        let number = two.one("accountnumber", Cell::text("K2"));
        transaction.reserve_update(two.accounts(), &key("kept"), number, Precondition::None).unwrap();
        transaction.reserve_delete(two.accounts(), &key("new"), Precondition::None).unwrap();
        transaction.reserve_insert(two.accounts(), two.account("new", "N")).unwrap();
    }
    let after = two.database.snapshot();
    assert_eq!((before.rows(), before.version()), (after.rows(), after.version()));
    assert_eq!(after.get(two.accounts(), &key("kept")), Some(&kept));
    // rows, unique keys, numbers and versions are free again
    let row = two.insert(two.account("new", "N"));
    assert_eq!((row.version(), row.recid()), (2, FIRST_RECID + 1));
    two.insert(two.account("third", "K2"));
}

#[test]
fn a_transaction_may_be_held_by_another_thread_and_dropped_by_a_panic() {
    let two = Two::new();
    let mut transaction = two.begin();
    transaction.reserve_insert(two.accounts(), two.account("a", "A")).unwrap();
    let panicked = thread::spawn(move || {
        let _held = transaction;
        panic!("the outbound call went wrong");
    })
    .join();
    assert!(panicked.is_err());
    two.insert(two.account("a", "A"));
}

#[test]
fn a_snapshot_never_changes() {
    let two = Two::new();
    two.insert(two.account("a", "A"));
    let old = two.database.snapshot();
    two.insert(two.account("b", "B"));
    let mut transaction = two.begin();
    let mut change = two.one("name", Cell::text("changed"));
    change.extend(two.one("accountnumber", Cell::text("A2")));
    transaction.reserve_update(two.accounts(), &key("a"), change, Precondition::MustExist).unwrap();
    assert_eq!(two.ids(), ["a", "b"], "reservations are invisible");
    assert_eq!(transaction.commit().unwrap().changes[0].kind(), ChangeKind::Update);
    two.database.clear();

    let accounts = two.accounts();
    assert_eq!((old.count(accounts), old.rows()), (1, 1));
    assert_eq!(two.text(old.get(accounts, &key("a")).unwrap(), "name"), Some("a"));
    assert!(old.find(accounts, NUMBER, &key("A")).is_some());
    assert!(old.find(accounts, NUMBER, &key("A2")).is_none());
    assert_eq!(two.database.snapshot().rows(), 0);
}

#[test]
fn a_commit_is_seen_whole_or_not_at_all() {
    let two = Two::new();
    let rounds = 300;
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..rounds {
                let mut transaction = two.begin();
                let account = two.account(&format!("a{round}"), &format!("A{round}"));
                transaction.reserve_insert(two.accounts(), account).unwrap();
                let customer = two.customer("usmf", &format!("C{round}"));
                transaction.reserve_insert(two.customers(), customer).unwrap();
                assert_eq!(transaction.commit().unwrap().changes.len(), 2);
            }
        });
        loop {
            let snapshot = two.database.snapshot();
            let accounts = snapshot.count(two.accounts());
            assert_eq!(accounts, snapshot.count(two.customers()));
            assert_eq!(accounts * 2, snapshot.rows());
            if accounts == rounds {
                break;
            }
        }
    });
}

#[test]
fn a_reserved_row_is_locked_for_others_until_the_end() {
    let two = Two::new();
    two.insert(two.account("a", "A"));
    let (accounts, key) = (two.accounts(), key("a"));
    let mut first = two.begin();
    first.reserve_delete(accounts, &key, Precondition::None).unwrap();
    let mut second = two.begin();
    let locked = Err(TableError::RowLocked { table: "account".into() });
    assert_eq!(second.reserve_update(accounts, &key, [], Precondition::None), locked);
    assert_eq!(second.reserve_delete(accounts, &key, Precondition::None), locked);
    assert_eq!(second.reserve_insert(accounts, two.account("A", "X")), locked);
    let duplicate = second.reserve_insert(accounts, two.account("b", "a"));
    assert!(
        matches!(duplicate, Err(TableError::DuplicateKey { .. })),
        "the value is free only after the commit"
    );
    assert_eq!(first.commit().unwrap().changes[0].kind(), ChangeKind::Delete);
    second.reserve_insert(accounts, two.account("b", "a")).unwrap();
    assert_eq!(second.commit().unwrap().changes.len(), 1);
    assert_eq!(two.ids(), ["b"]);
}

#[test]
fn preconditions_decide_between_insert_and_update() {
    let two = Two::new();
    let (accounts, key) = (two.accounts(), key("a"));
    let whole = changes(&two.account("a", "A"));
    let mut transaction = two.begin();
    let mut write = |precondition| transaction.reserve_update(accounts, &key, whole.clone(), precondition);
    assert!(matches!(write(Precondition::MustExist), Err(TableError::NotFound { .. })));
    assert!(matches!(write(Precondition::Version(1)), Err(TableError::NotFound { .. })));
    assert_eq!(write(Precondition::MustNotExist).unwrap().kind, ChangeKind::Insert);
    assert!(matches!(write(Precondition::MustNotExist), Err(TableError::AlreadyExists { .. })));
    assert_eq!(write(Precondition::None).unwrap().kind, ChangeKind::Update, "its own row is there already");
    let row = transaction.commit().unwrap().changes[0].after.clone().unwrap();

    let mut transaction = two.begin();
    let nameless = two.one("name", Cell::Null);
    let mut write = |precondition| transaction.reserve_update(accounts, &key, nameless.clone(), precondition);
    let mismatch = TableError::VersionMismatch { table: "account".into(), expected: 9, actual: 1 };
    assert_eq!(write(Precondition::Version(9)), Err(mismatch));
    let reserved = write(Precondition::Version(row.version())).unwrap();
    let value = |column: &str| reserved.values.value(accounts.column(column).unwrap());
    assert_eq!(value("name"), CellRef::Null);
    assert_eq!(value("accountnumber"), CellRef::Text("A"), "columns not named stay");
    let after = transaction.commit().unwrap().changes[0].after.clone().unwrap();
    assert_eq!((after.version(), after.standing(), after.recid()), (2, Standing::Changed, row.recid()));
}

#[test]
fn key_columns_may_be_respelled_but_not_changed() {
    let two = Two::new();
    let (customers, key) = (two.customers(), keys(["usmf", "C1"]));
    let missing = TableError::MissingKeyColumn { table: "customer".into(), column: "dataAreaId".into() };
    let changed =
        |column: &str| TableError::KeyColumnChanged { table: "customer".into(), column: column.into() };
    let try_all = |transaction: &mut Transaction| {
        let mut update = |row: Values| {
            transaction.reserve_update(customers, &key, changes(&row), Precondition::None).map(|_| ())
        };
        assert_eq!(update(two.customer("usmf", "C1")), Ok(()));
        assert_eq!(update(two.customer("usmf", "C2")), Err(changed("CustomerAccount")));
        assert_eq!(update(two.customer("dat", "C1")), Err(changed("dataAreaId")));
        assert_eq!(update(values(customers, [("dataAreaId", Cell::Null)])), Err(missing.clone()));
    };
    // a row that is not there yet, one that only this transaction sees, and one that is committed
    let mut transaction = two.begin();
    let absent = changes(&two.customer("usmf", "C2"));
    let absent = transaction.reserve_update(customers, &key, absent, Precondition::None);
    assert_eq!(absent, Err(changed("CustomerAccount")));
    transaction.reserve_insert(customers, two.customer("USMF", "c1")).unwrap();
    try_all(&mut transaction);
    transaction.commit().unwrap();
    try_all(&mut two.begin());
    let lacking = values(customers, [("CustomerAccount", Cell::text("x"))]);
    assert_eq!(two.begin().reserve_insert(customers, lacking), Err(missing.clone()));
}

#[test]
fn rows_may_exchange_the_values_of_an_alternate_key_in_one_transaction() {
    let two = Two::new();
    two.insert(two.account("a", "1"));
    two.insert(two.account("b", "2"));
    let accounts = two.accounts();
    let mut transaction = two.begin();
    let mut number = |id: &str, number: &str| {
        let change = two.one("accountnumber", Cell::text(number));
        transaction.reserve_update(accounts, &key(id), change, Precondition::MustExist).map(|_| ())
    };
    assert!(matches!(number("a", "2"), Err(TableError::DuplicateKey { .. })), "still the other row's");
    number("a", "3").unwrap();
    number("b", "1").unwrap();
    number("a", "2").unwrap();
    let (owner, row) = transaction.get(accounts, NUMBER, &key("1")).unwrap().unwrap();
    assert_eq!((owner, row.value(accounts.column("accountid").unwrap())), (key("b"), CellRef::Text("b")));
    assert_eq!(transaction.commit().unwrap().changes.len(), 2);
    let snapshot = two.database.snapshot();
    let owner = |number: &str| {
        snapshot.find(accounts, NUMBER, &key(number)).and_then(|row| two.text(row, "accountid"))
    };
    assert_eq!((owner("1"), owner("2"), owner("3")), (Some("b"), Some("a"), None));
}

#[test]
fn a_row_deleted_and_inserted_again_is_a_new_row() {
    let two = Two::new();
    let old = two.insert(two.account("a", "A"));
    let (accounts, key_a) = (two.accounts(), key("a"));
    let mut transaction = two.begin();
    transaction.reserve_delete(accounts, &key_a, Precondition::Version(old.version())).unwrap();
    assert_eq!(transaction.get(accounts, 0, &key_a), Ok(None));
    assert_eq!(transaction.get(accounts, NUMBER, &key("A")), Ok(None));
    transaction.reserve_insert(accounts, two.account("a", "A")).unwrap();
    let stale = transaction.reserve_update(accounts, &key_a, [], Precondition::Version(old.version()));
    assert!(matches!(stale, Err(TableError::VersionMismatch { actual: 0, .. })), "the old version is gone");
    let row = transaction.commit().unwrap().changes[0].after.clone().unwrap();
    assert!(row.recid() > old.recid() && row.version() > old.version());
    assert_eq!((two.database.snapshot().rows(), row.standing()), (1, Standing::Made));
    assert_eq!(two.ids(), ["a"]);
}

#[test]
fn a_row_inserted_and_deleted_again_was_never_there() {
    let two = Two::new();
    let mut transaction = two.begin();
    transaction.reserve_insert(two.accounts(), two.account("a", "A")).unwrap();
    transaction.reserve_delete(two.accounts(), &key("a"), Precondition::None).unwrap();
    assert_eq!(transaction.commit().unwrap().changes, []);
    let snapshot = two.database.snapshot();
    assert_eq!((snapshot.rows(), snapshot.version()), (0, 0));
    assert_eq!(snapshot.find(two.accounts(), NUMBER, &key("A")), None);
}

#[test]
fn a_refused_reservation_changes_nothing_and_the_transaction_goes_on() {
    let two = Two::new();
    two.insert(two.account("a", "A"));
    let mut transaction = two.begin();
    assert!(transaction.reserve_insert(two.accounts(), two.account("b", "A")).is_err());
    let mut other = two.begin();
    other.reserve_insert(two.accounts(), two.account("b", "B")).unwrap();
    transaction.reserve_insert(two.accounts(), two.account("c", "C")).unwrap();
    assert_eq!(transaction.commit().unwrap().changes.len(), 1);
    assert_eq!(other.commit().unwrap().changes.len(), 1);
    assert_eq!(two.ids(), ["a", "c", "b"]);
}

#[test]
fn room_and_size_are_bounded_and_counted_when_reserved() {
    let two = Two::with(Limits { max_rows: 2, max_row_bytes: 60 });
    let accounts = two.accounts();
    two.insert(two.only_id("a"));
    let mut first = two.begin();
    first.reserve_insert(accounts, two.only_id("b")).unwrap();
    let mut second = two.begin();
    let third = second.reserve_insert(accounts, two.only_id("c"));
    assert_eq!(third, Err(TableError::DatabaseFull { limit: 2 }));
    drop(first);
    second.reserve_insert(accounts, two.only_id("c")).unwrap();
    let large = two.one("name", Cell::text("x".repeat(60)));
    let refused = second.reserve_update(accounts, &key("a"), large, Precondition::None);
    assert_eq!(refused, Err(TableError::RowTooLarge { table: "account".into(), limit: 60 }));
    assert_eq!(second.commit().unwrap().changes.len(), 1);
    let rows = ["a", "b", "c"].map(|id| (accounts.position(), two.only_id(id)));
    let refused = two.database.replace_all(None, rows).map(|_| ());
    assert_eq!(refused, Err(TableError::DatabaseFull { limit: 2 }));
    assert_eq!(two.ids(), ["a", "c"], "a refused replacement changes nothing");
}

#[test]
fn a_row_has_room_to_the_last_byte() {
    for (bytes, fits) in [(39, true), (40, true), (41, false)] {
        let two = Two::with(Limits { max_rows: 1, max_row_bytes: 40 });
        // sixteen bytes for version and number, four for a text's column, type and length
        let text = Cell::text("x".repeat(bytes - 20));
        let row = values(two.accounts(), [("accountid", text)]);
        assert_eq!(two.begin().reserve_insert(two.accounts(), row.clone()).is_ok(), fits, "{bytes}");
        if fits {
            assert_eq!(two.insert(row).size(), bytes);
        }
    }
}

#[test]
fn a_reset_voids_open_transactions_and_frees_their_keys() {
    let two = Two::new();
    let accounts = two.accounts();
    let old = two.insert(two.account("a", "A"));
    let mut open = two.begin();
    open.reserve_insert(accounts, two.account("b", "B")).unwrap();
    let mut dropped = two.begin();
    dropped.reserve_delete(accounts, &key("a"), Precondition::None).unwrap();

    let rows = [two.account("a", "A"), two.account("b", "B")].map(|row| (accounts.position(), row));
    two.database.replace_all(None, rows).unwrap();
    let mut next = two.begin();
    next.reserve_delete(accounts, &key("b"), Precondition::None).unwrap();
    assert_eq!(open.reserve_insert(accounts, two.account("c", "C")), Err(TableError::Reset));
    assert_eq!(open.get(accounts, 0, &key("a")), Err(TableError::Reset));
    assert_eq!(open.commit(), Err(Reset));
    drop(dropped);
    let mut late = two.begin();
    let locked = late.reserve_delete(accounts, &key("b"), Precondition::None);
    assert!(matches!(locked, Err(TableError::RowLocked { .. })), "the void ones released nothing of others");

    let snapshot = two.database.snapshot();
    let row = snapshot.get(accounts, &key("a")).unwrap();
    assert_eq!((row.recid(), row.standing()), (FIRST_RECID, Standing::First));
    assert!(row.version() > old.version(), "an entity tag from before matches nothing");
}

#[test]
fn versions_go_on_over_resets_whatever_is_written_meanwhile() {
    let two = Two::new();
    let accounts = two.accounts().position();
    two.insert(two.account("a", "A"));
    let mut meanwhile = None;
    let rows = ["x", "y", "z"].map(|id| (accounts, two.only_id(id)));
    let rows = rows.into_iter().inspect(|_| {
        // a write that begins and ends while the new rows are being made
        meanwhile.get_or_insert_with(|| two.insert(two.account("b", "B")));
    });
    two.database.replace_all(None, rows).unwrap();
    let written = meanwhile.unwrap().version();
    assert_eq!(two.ids(), ["x", "y", "z"], "what is written meanwhile does not survive");
    let snapshot = two.database.snapshot();
    let versions: Vec<u64> = snapshot.all(two.accounts()).map(Row::version).collect();
    let ascending = versions.is_sorted_by(|left, right| left < right);
    assert!(ascending && !versions.contains(&written), "{versions:?}");
    assert!(versions.iter().chain([&written]).all(|version| *version <= snapshot.version()));
    assert!(two.insert(two.only_id("later")).version() > snapshot.version());
}

#[test]
fn seeds_are_checked_like_rows() {
    let two = Two::new();
    let accounts = two.accounts().position();
    let replace = |rows: [(usize, Values); 2]| two.database.replace_all(None, rows).map(|_| ()).unwrap_err();
    let twice = [(accounts, two.account("a", "A")), (accounts, two.account("b", "a"))];
    assert!(matches!(replace(twice), TableError::DuplicateKey { key: NUMBER, .. }));
    let twice = [(accounts, two.account("a", "A")), (accounts, two.account("A", "b"))];
    assert!(matches!(replace(twice), TableError::DuplicateKey { key: 0, .. }));
    let unknown = [(accounts, two.account("a", "A")), (2, two.account("a", "A"))];
    assert_eq!(replace(unknown), TableError::UnknownTable);
    let keyless = [(accounts, two.account("a", "A")), (accounts, Values::default())];
    let missing = TableError::MissingKeyColumn { table: "account".into(), column: "accountid".into() };
    assert_eq!(replace(keyless), missing);
    assert_eq!(two.insert(two.account("a", "A")).version(), 1, "a refused replacement takes no version");
}

#[test]
fn a_draft_is_seen_by_nobody_until_it_is_adopted_and_then_as_a_whole() {
    let two = Two::new();
    let accounts = two.accounts();
    let draft = two.database.draft();
    let mut first = Transaction::begin(draft.database());
    first.reserve_insert(accounts, two.account("a", "A-1")).unwrap();
    first.commit().unwrap();
    let mut second = Transaction::begin(draft.database());
    let named = two.one("name", Cell::text("x"));
    second.reserve_update(accounts, &key("a"), named, Precondition::MustExist).unwrap();
    second.commit().unwrap();
    let drafted = draft.database().snapshot();
    assert_eq!(two.database.snapshot().rows(), 0, "nobody sees it");
    draft.adopt().unwrap();
    let adopted = two.database.snapshot();
    assert_eq!(adopted.version(), drafted.version());
    let row = adopted.get(accounts, &key("a")).unwrap().clone();
    assert_eq!(Some(&row), drafted.get(accounts, &key("a")));
    let written = two.insert(two.account("b", "B-1"));
    assert!(written.version() > row.version(), "versions go on");
    assert!(written.recid() > row.recid(), "numbers go on");
}

#[test]
fn a_draft_is_void_once_anything_else_was_written_or_is_held() {
    let two = Two::new();
    let write = |database: &Database, key: &str| {
        let mut transaction = Transaction::begin(database);
        transaction.reserve_insert(two.accounts(), two.account(key, key)).unwrap();
        transaction
    };
    let (draft, dropped) = (two.database.draft(), two.database.draft());
    write(draft.database(), "a").commit().unwrap();
    write(dropped.database(), "d").commit().unwrap();
    drop(dropped);
    let held = write(&two.database, "b");
    assert!(draft.adopt().is_err(), "another transaction holds a row");
    drop(held);
    let draft = two.database.draft();
    write(draft.database(), "a").commit().unwrap();
    write(&two.database, "c").commit().unwrap();
    assert!(draft.adopt().is_err(), "another transaction wrote");
    let draft = two.database.draft();
    two.database.clear();
    assert!(draft.adopt().is_err(), "a reset came");
    assert_eq!(two.database.snapshot().rows(), 0);
}

#[test]
fn a_commit_of_nothing_changes_nothing() {
    let two = Two::new();
    let draft = two.database.draft();
    insert(Transaction::begin(draft.database()), two.accounts(), two.account("a", "A"));
    assert_eq!(two.begin().commit(), Ok(Commit::default()));
    draft.adopt().unwrap();
    assert_eq!(two.ids(), ["a"]);
}
