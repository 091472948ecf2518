//! Commits of many changes, which are worked out beside what is committed: none is lost and none is seen in part, whoever else commits
//! meanwhile, and a reset still voids them.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use common::{insert, schema, values};
use mocktenant_schema::{Cell, Schema};
use mocktenant_tables::{Database, Key, Limits, Precondition, Reset, Transaction};

const MANY: usize = 1_500;

fn database() -> (Database, Arc<Schema>) {
    let schema = schema("row: {key: [rowid], columns: {rowid: text, group: text}, indexes: [group]}");
    (Database::new(Arc::clone(&schema), Limits::default()), schema)
}

fn many(database: &Database, schema: &Schema, name: &str) -> Transaction {
    let table = schema.table("row").unwrap();
    let mut transaction = Transaction::begin(database);
    for n in 0..MANY {
        let row = values(table, [("rowid", Cell::text(format!("{name}-{n}"))), ("group", Cell::text(name))]);
        transaction.reserve_insert(table, row).unwrap();
    }
    transaction
}

#[test]
fn large_and_small_commits_at_the_same_time_are_all_there() {
    let (database, schema) = database();
    let begin = Barrier::new(6);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|lane| {
                let (database, schema, begin) = (&database, &schema, &begin);
                scope.spawn(move || {
                    let transaction = many(database, schema, &format!("large{lane}"));
                    begin.wait();
                    assert_eq!(transaction.commit().unwrap().changes.len(), MANY);
                })
            })
            .collect();
        scope.spawn(|| {
            begin.wait();
            let table = schema.table("row").unwrap();
            for n in 0..300 {
                let row = values(table, [("rowid", Cell::text(format!("small-{n}")))]);
                insert(Transaction::begin(&database), table, row);
            }
        });
        scope.spawn(|| {
            begin.wait();
            let table = schema.table("row").unwrap();
            while !over.load(Ordering::Relaxed) {
                let large = database.snapshot().all(table).filter(|row| row.get(1).is_some()).count();
                assert!(large.is_multiple_of(MANY), "{large} rows of large commits");
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    let table = schema.table("row").unwrap();
    let snapshot = database.snapshot();
    let versions: BTreeSet<u64> = snapshot.all(table).map(mocktenant_tables::Row::version).collect();
    assert_eq!(versions.len(), 4 * MANY + 300, "no two rows share a version");
    let numbers: BTreeSet<i64> = snapshot.all(table).map(mocktenant_tables::Row::recid).collect();
    assert_eq!(numbers.len(), versions.len(), "nor a number");
}

#[test]
fn a_large_commit_of_changes_and_deletions_is_what_a_small_one_is() {
    let (database, schema) = database();
    let table = schema.table("row").unwrap();
    many(&database, &schema, "a").commit().unwrap();
    let mut transaction = Transaction::begin(&database);
    for n in 0..MANY {
        let key = Key::of([Cell::text(format!("a-{n}")).as_ref()]);
        if n % 3 == 0 {
            transaction.reserve_delete(table, &key, Precondition::MustExist).unwrap();
        } else {
            let change = [(1, Cell::text("b"))];
            transaction.reserve_update(table, &key, change, Precondition::MustExist).unwrap();
        }
    }
    assert_eq!(transaction.commit().unwrap().changes.len(), MANY);
    let snapshot = database.snapshot();
    let left = MANY - MANY.div_ceil(3);
    assert_eq!(snapshot.all(table).count(), left);
    assert!(
        snapshot.all(table).all(|row| row.get(1).and_then(mocktenant_schema::CellRef::as_text) == Some("b"))
    );
}

#[test]
fn a_reset_voids_a_large_commit() {
    let (database, schema) = database();
    let transaction = many(&database, &schema, "a");
    drop(database.clear());
    assert_eq!(transaction.commit().err(), Some(Reset));
    assert_eq!(database.snapshot().all(schema.table("row").unwrap()).count(), 0);
}
