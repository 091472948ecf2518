//! Page after page behind the row where the last one ended, while rows come and go.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::cmp::Ordering;
use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression, Order, Path, compare_text};
use mocktenant_schema::{Cell, CellRef, Schema, Table};
use mocktenant_tables::{
    After, At, Database, Key, Limits, Precondition, Query, Row, Snapshot, Transaction, Values,
};
use proptest::prelude::*;

const TABLES: &str = "
account:
  key: [accountid]
  indexes: [kind]
  columns:
    accountid: whole
    city: text
    limit: whole
    kind: whole
";

struct Paged {
    database: Database,
    schema: Arc<Schema>,
}

/// One account: its key, and what it is ordered by.
type Account = (i64, Option<&'static str>, Option<i64>);

impl Paged {
    fn of(rows: &[Account]) -> Self {
        let schema = schema(TABLES);
        let paged = Self { database: Database::new(Arc::clone(&schema), Limits::default()), schema };
        for row in rows {
            paged.put(*row);
        }
        paged
    }

    fn accounts(&self) -> Table<'_> {
        self.schema.table("account").unwrap()
    }

    fn row(&self, (id, city, limit): Account) -> Values {
        let cells = [
            ("accountid", Cell::Whole(id)),
            ("city", city.map_or(Cell::Null, Cell::text)),
            ("limit", limit.map_or(Cell::Null, Cell::Whole)),
            ("kind", Cell::Whole(id % 2)),
        ];
        values(self.accounts(), cells)
    }

    fn put(&self, row: Account) -> Row {
        insert(Transaction::begin(&self.database), self.accounts(), self.row(row))
    }

    fn change(&self, row: Account) {
        let mut transaction = Transaction::begin(&self.database);
        let values = self.row(row);
        let changes = values.iter().map(|(column, cell)| (column, cell.clone()));
        let cleared = [1, 2].map(|column| (column, values.get(column).cloned().unwrap_or_default()));
        transaction
            .reserve_update(self.accounts(), &key(row.0), changes.chain(cleared), Precondition::MustExist)
            .unwrap();
        transaction.commit().unwrap();
    }

    fn take(&self, id: i64) {
        let mut transaction = Transaction::begin(&self.database);
        transaction.reserve_delete(self.accounts(), &key(id), Precondition::MustExist).unwrap();
        transaction.commit().unwrap();
    }

    /// An order from `city desc,limit`.
    fn order(&self, text: &str) -> Vec<Order> {
        let item = |item: &str| {
            let (name, descending) = item.strip_suffix(" desc").map_or((item, false), |name| (name, true));
            Order { by: Path::own(self.accounts().column(name).unwrap().ordinal()), descending }
        };
        text.split(',').filter(|item| !item.is_empty()).map(item).collect()
    }

    /// One page of that size; where the next one begins, if there is more.
    fn page(&self, order: &[Order], after: Option<&After>, size: u64) -> (Vec<i64>, Option<After>) {
        let snapshot = self.database.snapshot();
        let query = Query { order, after, page_size: Some(size), ..Query::of(self.accounts()) };
        let page = snapshot.query(&query);
        let next = page.rows.last().filter(|_| page.more).map(|row| self.after(&snapshot, order, row));
        (page.rows.iter().map(|row| self.id(row)).collect(), next)
    }

    fn after(&self, snapshot: &Snapshot, order: &[Order], row: &Row) -> After {
        let table = self.accounts();
        let value = |item: &Order| row.value(table.at(item.by.column).unwrap()).to_cell();
        let key = snapshot.key_of(At { table: table.position(), row }).unwrap();
        After { values: order.iter().map(value).collect(), key }
    }

    fn id(&self, row: &Row) -> i64 {
        row.value(self.accounts().column("accountid").unwrap()).as_whole().unwrap()
    }
}

fn key(id: i64) -> Key {
    Key::of([CellRef::Whole(id)])
}

/// Which of two rows comes first in an order, of equal ones that of the lesser key.
fn compare(order: &[Order], left: &Account, right: &Account) -> Ordering {
    let by = order.iter().map(|item| {
        let ordering = match item.by.column {
            0 => left.0.cmp(&right.0),
            1 => match (left.1, right.1) {
                (Some(left), Some(right)) => compare_text(left, right, true),
                (left, right) => left.cmp(&right),
            },
            _ => left.2.cmp(&right.2),
        };
        if item.descending { ordering.reverse() } else { ordering }
    });
    by.fold(Ordering::Equal, Ordering::then).then(left.0.cmp(&right.0))
}

fn in_order(rows: &[Account], order: &[Order]) -> Vec<Account> {
    let mut rows = rows.to_vec();
    rows.sort_by(|left, right| compare(order, left, right));
    rows
}

const ORDERS: [&str; 8] = [
    "",
    "city",
    "city desc",
    "limit",
    "limit desc",
    "city,limit desc",
    "city desc,limit",
    "limit,accountid desc",
];

/// Ties in every column, texts that differ in case alone, and rows without values.
const TEN: [Account; 10] = [
    (1, Some("Oslo"), Some(10)),
    (2, None, Some(10)),
    (3, Some("oslo"), Some(20)),
    (4, Some("Bern"), None),
    (5, None, None),
    (6, Some("bern"), Some(10)),
    (7, Some("OSLO"), Some(10)),
    (8, None, Some(-5)),
    (9, Some(""), Some(20)),
    (10, Some("Oslo"), None),
];

#[test]
fn pages_give_every_row_once_and_in_order() {
    let paged = Paged::of(&TEN);
    for order in ORDERS {
        let order = paged.order(order);
        let expected: Vec<i64> = in_order(&TEN, &order).iter().map(|row| row.0).collect();
        for size in 1..=11 {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let (page, next) = paged.page(&order, after.as_ref(), size);
                assert!(page.len() <= usize::try_from(size).unwrap());
                found.extend(page);
                if next.is_none() {
                    break;
                }
                after = next;
            }
            assert_eq!(found, expected, "{order:?} {size}");
        }
    }
}

#[test]
fn a_page_goes_on_behind_a_row_that_is_gone_or_has_changed() {
    for order in ORDERS {
        let paged = Paged::of(&TEN);
        let order = paged.order(order);
        let expected: Vec<i64> = in_order(&TEN, &order).iter().map(|row| row.0).collect();
        let (first, after) = paged.page(&order, None, 4);
        assert_eq!(first, expected[..4]);
        paged.take(expected[3]);
        let (second, next) = paged.page(&order, after.as_ref(), 3);
        assert_eq!(second, expected[4..7], "{order:?}");
        // the last one of a page may move to the end, and is then seen again
        let last = TEN.iter().find(|row| row.0 == expected[6]).copied().unwrap();
        paged.change((last.0, Some("zzz"), Some(1_000)));
        let mut rows: Vec<Account> =
            TEN.iter().filter(|row| row.0 != last.0 && row.0 != expected[3]).copied().collect();
        rows.push((last.0, Some("zzz"), Some(1_000)));
        let now: Vec<i64> = in_order(&rows, &order).iter().map(|row| row.0).collect();
        let unseen: Vec<i64> = now.into_iter().filter(|id| expected[7..].contains(id)).collect();
        let (third, _) = paged.page(&order, next.as_ref(), 20);
        let third: Vec<i64> = third.into_iter().filter(|id| *id != last.0).collect();
        assert_eq!(third, unseen, "{order:?}");
    }
}

#[test]
fn rows_that_come_before_the_place_are_not_seen_and_those_behind_it_are() {
    let paged = Paged::of(&TEN);
    let order = paged.order("city,limit desc");
    // without a city: 2 (10), 8 (-5), 5; then 9 with an empty one
    let (first, after) = paged.page(&order, None, 2);
    assert_eq!(first, [2, 8]);
    paged.put((20, None, Some(0)));
    paged.put((21, None, Some(-5)));
    paged.put((7_000, None, Some(-5)));
    paged.put((0, None, Some(-5)));
    paged.put((22, None, Some(-6)));
    let (second, _) = paged.page(&order, after.as_ref(), 5);
    assert_eq!(second, [21, 7_000, 22, 5, 9]);
}

#[test]
fn a_page_may_be_filtered_and_counted() {
    let paged = Paged::of(&TEN);
    let kind = paged.accounts().column("kind").unwrap().ordinal();
    let odd = Expression::column_is(kind, Comparison::Equal, Cell::Whole(1));
    for order in ["", "limit desc"] {
        let order = paged.order(order);
        let all: Vec<i64> = in_order(&TEN, &order).iter().map(|row| row.0).filter(|id| id % 2 == 1).collect();
        let query = Query { filter: Some(&odd), order: &order, count: true, ..Query::of(paged.accounts()) };
        let snapshot = paged.database.snapshot();
        let first = snapshot.query(&Query { page_size: Some(2), ..query });
        let after = paged.after(&snapshot, &order, &first.rows[1]);
        let second = snapshot.query(&Query { page_size: Some(2), after: Some(&after), ..query });
        let third = snapshot.query(&Query { skip: 2, after: Some(&after), ..query });
        let ids = |rows: &[Row]| -> Vec<i64> { rows.iter().map(|row| paged.id(row)).collect() };
        assert_eq!((ids(&first.rows), first.count, first.more), (all[..2].to_vec(), Some(5), true));
        assert_eq!((ids(&second.rows), second.count, second.more), (all[2..4].to_vec(), Some(5), true));
        assert_eq!((ids(&third.rows), third.count, third.more), (all[4..].to_vec(), Some(5), false));
        let top = snapshot.query(&Query { page_size: Some(2), top: Some(2), after: Some(&after), ..query });
        assert_eq!((ids(&top.rows), top.more), (all[2..4].to_vec(), false), "the client asked for no more");
    }
}

/// What happens between two pages.
#[derive(Clone, Debug)]
enum Between {
    Put(Account),
    Take(usize),
    Change(usize, Option<&'static str>, Option<i64>),
}

fn city() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(0.7, prop::sample::select(vec!["", "Bern", "bern", "Oslo", "oslo", "Ærø"]))
}

fn between() -> impl Strategy<Value = Between> {
    let limit = || prop::option::weighted(0.7, -2_i64..3);
    prop_oneof![
        (100_i64..200, city(), limit()).prop_map(Between::Put),
        (0_usize..40).prop_map(Between::Take),
        (0_usize..40, city(), limit()).prop_map(|(row, city, limit)| Between::Change(row, city, limit)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn each_page_is_what_lies_behind_the_last_one_whatever_comes_and_goes(
        start in prop::collection::btree_map(0_i64..100, (city(), prop::option::weighted(0.7, -2_i64..3)), 0..40),
        order in prop::sample::select(ORDERS.to_vec()),
        pages in prop::collection::vec((1_u64..6, prop::collection::vec(between(), 0..4)), 1..20),
    ) {
        let mut rows: Vec<Account> = start.into_iter().map(|(id, (city, limit))| (id, city, limit)).collect();
        let paged = Paged::of(&rows);
        let order = paged.order(order);
        let mut last: Option<Account> = None;
        let mut after = None;
        for (size, changes) in pages {
            let (found, _) = paged.page(&order, after.as_ref(), size);
            let mut behind = in_order(&rows, &order);
            behind.retain(|row| last.is_none_or(|last| compare(&order, row, &last).is_gt()));
            let expected: Vec<Account> = behind.into_iter().take(usize::try_from(size).unwrap()).collect();
            prop_assert_eq!(found, expected.iter().map(|row| row.0).collect::<Vec<i64>>());
            let Some(end) = expected.last() else { break };
            last = Some(*end);
            let snapshot = paged.database.snapshot();
            after = snapshot.get(paged.accounts(), &key(end.0)).map(|row| paged.after(&snapshot, &order, row));
            for change in changes {
                match change {
                    Between::Put(row) if rows.iter().all(|one| one.0 != row.0) => {
                        paged.put(row);
                        rows.push(row);
                    }
                    Between::Take(at) if at < rows.len() => {
                        paged.take(rows.remove(at).0);
                    }
                    Between::Change(at, city, limit) if at < rows.len() => {
                        let row = (rows[at].0, city, limit);
                        paged.change(row);
                        rows[at] = row;
                    }
                    _ => {}
                }
            }
        }
    }
}
