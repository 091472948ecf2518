//! What a query over a snapshot gives, in which order and on which page.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

mod common;

use std::cmp::Ordering;
use std::sync::Arc;

use common::{insert, schema, values};
use mocktenant_query::{Comparison, Expression, Hop, Order, Path, TextFunction, compare_text};
use mocktenant_schema::{Cell, CellRef, Decimal, Schema, Table};
use mocktenant_tables::{At, Database, Key, Limits, Page, Query, Row, STRIDE, Snapshot, Transaction, Values};

const TABLES: &str = "
account:
  key: [accountid]
  keys:
    number: {columns: [accountnumber]}
    code: {columns: [code]}
  indexes: [limit]
  columns:
    accountid: text
    accountnumber: text
    code: whole
    city: text
    limit: whole
    owner: {type: lookup, to: {owner: {navigation: owned_by}}}
    number: whole
    other: whole
    long: memo
    longer: memo
owner:
  key: [ownerid]
  columns:
    ownerid: id
    name: text
";

/// A snapshot, and how questions of its accounts are put.
struct Asked {
    schema: Arc<Schema>,
    snapshot: Snapshot,
}

impl Asked {
    fn of(rows: impl IntoIterator<Item = Values>) -> Self {
        let schema = schema(TABLES);
        let database = Database::new(Arc::clone(&schema), Limits::default());
        let position = schema.table("account").unwrap().position();
        database.replace_all(None, rows.into_iter().map(|row| (position, row))).unwrap();
        Self { schema, snapshot: database.snapshot() }
    }

    /// Four accounts: no order is that of another column.
    fn four() -> Self {
        let schema = schema(TABLES);
        let row = |id: &str, number: Option<&str>, code: i64, city: Option<&str>, limit: i64| {
            let text = |text: Option<&str>| text.map_or(Cell::Null, Cell::text);
            let cells = [
                ("accountid", Cell::text(id)),
                ("accountnumber", text(number)),
                ("code", Cell::Whole(code)),
                ("city", text(city)),
                ("limit", Cell::Whole(limit)),
            ];
            values(schema.table("account").unwrap(), cells)
        };
        Self::of([
            row("d", Some("N4"), 4, Some("Oslo"), 40),
            row("B", Some("N2"), 2, Some("oslo"), 20),
            row("a", Some("N1"), 1, Some("Bern"), 10),
            row("c", None, 3, None, 30),
        ])
    }

    /// So many rows, whose numbers come again after every hundred.
    fn many(rows: i64) -> Self {
        let schema = schema(TABLES);
        let table = schema.table("account").unwrap();
        let row = |n: i64| {
            let cells = [
                ("accountid", Cell::text(format!("{n:06}"))),
                ("number", Cell::Whole(n % 100)),
                ("other", Cell::Whole(n * 7919 % 1000)),
            ];
            values(table, cells)
        };
        Self::of((0..rows).map(row))
    }

    fn accounts(&self) -> Table<'_> {
        self.schema.table("account").unwrap()
    }

    fn column(&self, name: &str) -> u16 {
        self.accounts().column(name).unwrap().ordinal()
    }

    fn is(&self, column: &str, op: Comparison, cell: Cell) -> Expression {
        Expression::column_is(self.column(column), op, cell)
    }

    fn eq(&self, column: &str, text: &str) -> Expression {
        self.is(column, Comparison::Equal, Cell::text(text))
    }

    fn among(&self, column: &str, of: impl Into<Vec<Cell>>) -> Expression {
        let value = Box::new(Expression::Column(Path::own(self.column(column))));
        Expression::OneOf { value, of: of.into() }
    }

    /// An order from `other desc,number`.
    fn order(&self, text: &str) -> Vec<Order> {
        let item = |item: &str| {
            let (column, descending) =
                item.strip_suffix(" desc").map_or((item, false), |column| (column, true));
            Order { by: Path::own(self.column(column)), descending }
        };
        text.split(',').map(item).collect()
    }

    fn run(&self, query: &Query<'_>) -> Page {
        self.snapshot.query(query)
    }

    fn ids(&self, rows: &[Row]) -> String {
        let id = self.accounts().column("accountid").unwrap();
        rows.iter().map(|row| row.value(id).as_text().unwrap()).collect()
    }

    fn filtered(&self, filter: &Expression) -> String {
        self.ids(&self.run(&Query { filter: Some(filter), ..Query::of(self.accounts()) }).rows)
    }

    fn ordered(&self, order: &str, skip: u64, top: Option<u64>) -> String {
        self.ids(
            &self.run(&Query { order: &self.order(order), skip, top, ..Query::of(self.accounts()) }).rows,
        )
    }

    /// The comparisons a query says it makes, to within a stride.
    fn comparisons(&self, query: &Query<'_>) -> usize {
        let mut made = 0;
        let page = self.snapshot.query_while(query, |comparisons| {
            made += comparisons;
            true
        });
        assert!(page.is_some());
        made
    }
}

#[test]
fn rows_come_by_key_and_their_numbers_tell_their_age() {
    let asked = Asked::four();
    let mut rows = asked.run(&Query::of(asked.accounts())).rows;
    assert_eq!(asked.ids(&rows), "aBcd");
    let all: Vec<Row> = asked.snapshot.all(asked.accounts()).cloned().collect();
    assert_eq!(all, rows);
    rows.sort_by_key(Row::recid);
    assert_eq!(asked.ids(&rows), "dBac");
}

#[test]
fn filter_orderby_skip_and_top_work_in_this_order() {
    let asked = Asked::four();
    assert_eq!(asked.filtered(&asked.eq("city", "OSLO")), "Bd");
    assert_eq!(asked.ordered("city,limit desc", 0, None), "cadB");
    assert_eq!(asked.ordered("limit desc", 1, Some(2)), "cB");
    let above = asked.is("limit", Comparison::Greater, Cell::Whole(10));
    let first = Query { filter: Some(&above), top: Some(1), ..Query::of(asked.accounts()) };
    assert_eq!(asked.ids(&asked.run(&first).rows), "B");
    for (skip, top) in [(0, Some(0)), (9, None), (u64::MAX, Some(u64::MAX))] {
        let page = asked.run(&Query { skip, top, ..Query::of(asked.accounts()) });
        assert_eq!(page, Page::default(), "{skip} {top:?}");
    }
}

#[test]
fn a_filter_that_fixes_a_key_gives_the_same_as_one_that_does_not() {
    let asked = Asked::four();
    let (id, number) = (|text| asked.eq("accountid", text), |text| asked.eq("accountnumber", text));
    assert_eq!(asked.filtered(&number("n2")), "B");
    assert_eq!(asked.filtered(&id("A").and(asked.eq("city", "Bern"))), "a");
    assert_eq!(asked.filtered(&id("A").and(asked.eq("city", "Oslo"))), "");
    assert_eq!(asked.filtered(&id("A").and(id("B"))), "");
    assert_eq!(asked.filtered(&Expression::Or(vec![id("A"), id("B")])), "aB");
    assert_eq!(asked.filtered(&Expression::Not(Box::new(id("A")))), "Bcd");
    assert_eq!(asked.filtered(&asked.is("accountnumber", Comparison::Equal, Cell::Null)), "c");
    let turned = Expression::Compare {
        op: Comparison::Equal,
        left: Box::new(Expression::Constant(Cell::text("n4"))),
        right: Box::new(Expression::Column(Path::own(asked.column("accountnumber")))),
    };
    assert_eq!(asked.filtered(&turned), "d");
}

#[test]
fn a_filter_that_names_several_keys_gives_the_same_as_one_that_does_not() {
    let asked = Asked::four();
    let texts = |texts: &[&str]| -> Vec<Cell> { texts.iter().map(|text| Cell::text(*text)).collect() };
    assert_eq!(asked.filtered(&asked.among("accountid", texts(&["D", "a", "A", "x"]))), "ad");
    assert_eq!(asked.filtered(&asked.among("accountnumber", texts(&["n4", "n1"]))), "ad");
    assert_eq!(asked.filtered(&asked.among("city", texts(&["OSLO", "rome"]))), "Bd");
    assert_eq!(asked.filtered(&asked.among("accountnumber", [Cell::Null, Cell::text("n2")])), "Bc");
    let two = Cell::Decimal(Decimal::from_whole(2));
    assert_eq!(
        asked.filtered(&asked.among("code", [two.clone(), Cell::Whole(3)])),
        "Bc",
        "numbers of two types"
    );
    assert_eq!(asked.filtered(&asked.is("code", Comparison::Equal, two)), "B");
    assert_eq!(asked.filtered(&asked.is("code", Comparison::Equal, Cell::Double(2.0))), "B");
    assert_eq!(asked.filtered(&asked.is("code", Comparison::Equal, Cell::text("2"))), "");
    assert_eq!(asked.filtered(&asked.among("code", [])), "");
}

#[test]
fn a_filter_that_fixes_an_index_gives_the_same_as_one_that_does_not() {
    let asked = Asked::many(1_000);
    let indexed: Vec<Values> = asked
        .snapshot
        .all(asked.accounts())
        .map(|row| {
            let mut values = row.values();
            if let Some(number) =
                values.get(asked.column("number")).cloned().filter(|one| *one != Cell::Whole(7))
            {
                values.set(asked.column("limit"), number);
            }
            values
        })
        .collect();
    let asked = Asked::of(indexed);
    for (by_index, by_scan) in [(Cell::Whole(3), Cell::Whole(3)), (Cell::Whole(99), Cell::Whole(99))] {
        let by_index = asked.is("limit", Comparison::Equal, by_index);
        assert_eq!(
            asked.filtered(&by_index),
            asked.filtered(&asked.is("number", Comparison::Equal, by_scan))
        );
        let query = |filter| {
            asked.comparisons(&Query { filter: Some(filter), count: true, ..Query::of(asked.accounts()) })
        };
        assert_eq!(query(&by_index), 0, "few rows are looked at");
    }
    let none = asked.is("limit", Comparison::Equal, Cell::Null);
    assert_eq!(asked.filtered(&none), asked.filtered(&asked.is("number", Comparison::Equal, Cell::Whole(7))));
    let double = asked.is("limit", Comparison::Equal, Cell::Double(3.0));
    assert_eq!(
        asked.filtered(&double),
        asked.filtered(&asked.is("number", Comparison::Equal, Cell::Whole(3)))
    );
}

#[test]
fn the_count_is_of_all_that_pass_and_more_tells_of_a_next_page() {
    let asked = Asked::four();
    let all = Query::of(asked.accounts());
    let below = asked.is("limit", Comparison::Less, Cell::Whole(40));
    let page = asked.run(&Query { filter: Some(&below), count: true, top: Some(1), ..all });
    assert_eq!((page.rows.len(), page.count, page.more), (1, Some(3), false));
    let page = asked.run(&Query { page_size: Some(3), ..all });
    assert_eq!((page.rows.len(), page.count, page.more), (3, None, true));
    assert!(!asked.run(&Query { page_size: Some(4), ..all }).more);
    assert!(
        !asked.run(&Query { top: Some(3), page_size: Some(3), ..all }).more,
        "the client asked for no more"
    );
    let order = asked.order("limit");
    assert!(asked.run(&Query { top: Some(4), order: &order, page_size: Some(3), ..all }).more);
    for (skip, top) in [(0, Some(0)), (2, None), (9, None), (1, Some(2))] {
        let page = asked.run(&Query { skip, top, count: true, order: &order, ..all });
        assert_eq!(page.count, Some(4), "{skip} {top:?}");
    }
}

#[test]
fn rows_that_a_further_condition_keeps_out_are_neither_given_nor_counted() {
    let asked = Asked::four();
    let visible = asked.eq("city", "Bern");
    let page = asked.run(&Query { filter: Some(&visible), count: true, ..Query::of(asked.accounts()) });
    assert_eq!((asked.ids(&page.rows).as_str(), page.count), ("a", Some(1)));
    let of_two = asked.among("accountid", [Cell::text("a"), Cell::text("b")]).and(visible);
    let page = asked.run(&Query { filter: Some(&of_two), count: true, ..Query::of(asked.accounts()) });
    assert_eq!((asked.ids(&page.rows).as_str(), page.count), ("a", Some(1)));
    assert!(asked.snapshot.get(asked.accounts(), &Key::of([CellRef::Text("z")])).is_none());
    assert_eq!(asked.snapshot.count(asked.schema.table("owner").unwrap()), 0);
}

#[test]
fn many_rows_are_sorted_as_few_are_and_equal_ones_keep_their_order() {
    let asked = Asked::many(5_000);
    let all: Vec<Row> = asked.snapshot.all(asked.accounts()).cloned().collect();
    for order in ["number", "other desc,number", "number desc,accountid desc"] {
        let order = asked.order(order);
        let compare = |left: &Row, right: &Row| {
            order.iter().fold(Ordering::Equal, |so_far, item| {
                let value = |row: &Row| row.get(item.by.column).map(CellRef::to_cell).unwrap();
                let one = value(left).as_ref().compare(value(right).as_ref(), str::cmp).unwrap();
                so_far.then(if item.descending { one.reverse() } else { one })
            })
        };
        let mut expected = all.clone();
        expected.sort_by(compare);
        for (skip, top) in
            [(10, Some(4_000)), (0, Some(1)), (0, Some(50)), (700, Some(600)), (4_990, None), (0, None)]
        {
            let page = asked.run(&Query { order: &order, skip, top, ..Query::of(asked.accounts()) });
            let expected = expected.iter().skip(usize::try_from(skip).unwrap());
            let expected = expected.take(top.map_or(usize::MAX, |top| usize::try_from(top).unwrap()));
            assert!(page.rows.iter().eq(expected), "{order:?} {skip} {top:?}");
        }
    }
}

#[test]
fn texts_are_ordered_without_regard_to_case_and_null_comes_first() {
    let schema = schema(TABLES);
    let table = schema.table("account").unwrap();
    let cities =
        [Some("b"), None, Some("B"), Some("a"), Some("Ä"), Some("ä"), Some(""), Some("ab"), Some("A\0")];
    let row = |(at, city): (usize, Option<&str>)| {
        let city = city.map_or(Cell::Null, Cell::text);
        values(table, [("accountid", Cell::text(at.to_string())), ("city", city)])
    };
    let asked = Asked::of(cities.into_iter().enumerate().map(row));
    assert_eq!(asked.ordered("city", 0, None), "163870245");
    assert_eq!(asked.ordered("city desc", 0, None), "450278361");
    assert_eq!(compare_text("A\0", "ab", true), Ordering::Less);
}

#[test]
fn what_a_row_leads_to_can_be_asked_and_ordered_by() {
    let schema = schema(TABLES);
    let (accounts, owners) = (schema.table("account").unwrap(), schema.table("owner").unwrap());
    let database = Database::new(Arc::clone(&schema), Limits::default());
    let id = |n: u8| Cell::Id(mocktenant_schema::Guid::from_bytes([n; 16]));
    for (owner, name) in [(1, "Zoe"), (2, "adam"), (3, "Nobody's")] {
        insert(
            Transaction::begin(&database),
            owners,
            values(owners, [("ownerid", id(owner)), ("name", Cell::text(name))]),
        );
    }
    for (account, owner) in [("a", Some(1)), ("b", Some(2)), ("c", None), ("d", Some(1)), ("e", Some(9))] {
        let owner = owner.map_or(Cell::Null, id);
        insert(
            Transaction::begin(&database),
            accounts,
            values(accounts, [("accountid", Cell::text(account)), ("owner", owner)]),
        );
    }
    let asked = Asked { snapshot: database.snapshot(), schema: Arc::clone(&schema) };
    let relationship = u16::try_from(accounts.outgoing().next().unwrap().position()).unwrap();
    let there = Hop { relationship, back: false };
    let back = Hop { relationship, back: true };
    let name = Path { hops: vec![there], column: owners.column("name").unwrap().ordinal() };
    let by_name = [Order { by: name.clone(), descending: false }];
    let ids = |order: &[Order], top| asked.ids(&asked.run(&Query { order, top, ..Query::of(accounts) }).rows);
    assert_eq!(ids(&by_name, None), "cebad", "what leads nowhere comes first");
    assert_eq!(ids(&by_name, Some(3)), "ceb");
    assert_eq!(ids(&[Order { by: name.clone(), descending: true }], None), "adbce");
    let starts = Expression::Text {
        function: TextFunction::StartsWith,
        whole: Box::new(Expression::Column(name)),
        part: Box::new(Expression::Constant(Cell::text("z"))),
    };
    assert_eq!(asked.filtered(&starts), "ad");
    assert_eq!(asked.filtered(&asked.is("owner", Comparison::Equal, id(1))), "ad");
    assert_eq!(asked.filtered(&asked.is("owner", Comparison::Equal, id(3))), "");

    let owned = |condition: Option<Expression>, every| Expression::Exists {
        hops: vec![back],
        every,
        condition: condition.map(Box::new),
    };
    let names = |filter: &Expression| -> Vec<String> {
        let rows = asked.run(&Query { filter: Some(filter), ..Query::of(owners) }).rows;
        rows.iter()
            .map(|row| row.value(owners.column("name").unwrap()).as_text().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&owned(None, false)), ["Zoe", "adam"]);
    assert_eq!(names(&owned(Some(asked.eq("accountid", "B")), false)), ["adam"]);
    assert_eq!(
        names(&owned(Some(asked.eq("accountid", "B")), true)),
        ["adam", "Nobody's"],
        "all of none are"
    );
    let two = Expression::Compare {
        op: Comparison::Equal,
        left: Box::new(Expression::Count(vec![back])),
        right: Box::new(Expression::Constant(Cell::Whole(2))),
    };
    assert_eq!(names(&two), ["Zoe"]);
    let zoe = asked.snapshot.all(owners).next().unwrap();
    let led = asked.snapshot.related(At { table: owners.position(), row: zoe }, back);
    assert_eq!(led.len(), 2);
    assert!(led.iter().all(|at| asked.snapshot.related(*at, there)[0].row == zoe));
}

#[test]
fn a_query_counts_the_comparisons_it_makes() {
    let asked = Asked::many(5_000);
    let paged = Query { page_size: Some(100), ..Query::of(asked.accounts()) };
    let is = |column, op, whole| asked.is(column, op, Cell::Whole(whole));
    let three = Expression::Or([200, 201, 202].map(|one| is("number", Comparison::Equal, one)).into());
    let (one, above) = (asked.eq("accountid", "000001"), is("number", Comparison::GreaterOrEqual, 0));
    let order = asked.order("other,number");
    for (what, query, expected) in [
        ("all", paged, 101),
        ("count", Query { count: true, skip: 4_000, ..paged }, 5_000),
        ("by key", Query { filter: Some(&one), ..paged }, 2),
        ("three terms", Query { filter: Some(&three), ..paged }, 4 * 5_000),
        ("ten of all", Query { filter: Some(&above), top: Some(10), ..paged }, 22),
        ("all in order", Query { order: &order, page_size: None, ..paged }, 5_000 + 5_000 * 2 * (10 + 3)),
        // every row is compared with the last of those that are kept, and few come before it
        (
            "a page in order",
            Query { order: &order, ..paged },
            5_000 + 4_000 * 2 + 1_024 * 2 * 10 + 500 * 2 * 8,
        ),
    ] {
        let made = asked.comparisons(&query);
        let least = (expected - expected / 10_usize).saturating_sub(STRIDE);
        assert!((least..=expected).contains(&made), "{what}: {made} of {expected}");
    }
}

#[test]
fn long_texts_cost_more_than_short_ones_where_a_comparison_reads_them() {
    let schema = schema(TABLES);
    let table = schema.table("account").unwrap();
    let (lower, upper) = ("ab".repeat(16 * 1024), "AB".repeat(16 * 1024));
    let row = |n: usize| {
        let id = Cell::text(format!("{n:03}"));
        values(table, [("accountid", id), ("long", Cell::text(&*lower)), ("longer", Cell::text(&*upper))])
    };
    let asked = Asked::of((0..10).map(row));
    let all = Query::of(asked.accounts());
    let either = Expression::Or(vec![asked.eq("long", "x"), asked.eq("longer", "y")]);
    let short = asked.is("number", Comparison::Equal, Cell::Null);
    let column = |name| Box::new(Expression::Column(Path::own(asked.column(name))));
    let each_other =
        Expression::Compare { op: Comparison::Equal, left: column("long"), right: column("longer") };
    let both = each_other.clone().and(each_other);
    let (by_text, by_number) = (asked.order("long"), asked.order("number"));
    // a comparison with a column may read all of a row, which is 64 KiB here
    assert!(asked.comparisons(&Query { filter: Some(&both), ..all }) >= 10 * 1_024);
    assert!(asked.comparisons(&Query { filter: Some(&either), ..all }) <= 10 * 1_100);
    assert!(asked.comparisons(&Query { filter: Some(&short), top: Some(1), ..all }) <= 1_100);
    assert!(asked.comparisons(&Query { order: &by_text, ..all }) >= 10 * 1_024 / 2);
    assert_eq!(asked.comparisons(&Query { order: &by_number, ..all }), 0);
}

#[test]
fn a_query_is_given_up_when_it_is_told_so_and_asked_no_more() {
    let asked = Asked::many(5_000);
    let all = Query::of(asked.accounts());
    let terms = Expression::Or(vec![asked.is("number", Comparison::Equal, Cell::Whole(200)); 200]);
    let order = asked.order("number,other");
    for query in [Query { filter: Some(&terms), ..all }, Query { order: &order, ..all }] {
        for limit in 0..8 {
            let mut asked_for = 0;
            let page = asked.snapshot.query_while(&query, |_| {
                asked_for += 1;
                asked_for <= limit
            });
            assert_eq!((page, asked_for), (None, limit + 1));
        }
    }
}

#[test]
fn rows_that_a_condition_goes_through_are_counted_and_it_is_given_up_among_them() {
    let schema = schema(TABLES);
    let (accounts, owners) = (schema.table("account").unwrap(), schema.table("owner").unwrap());
    let owner = Cell::Id(mocktenant_schema::Guid::from_bytes([1; 16]));
    let database = Database::new(Arc::clone(&schema), Limits::default());
    let row = |n: usize| {
        let cells = [("accountid", Cell::text(format!("{n:06}"))), ("owner", owner.clone())];
        (accounts.position(), values(accounts, cells))
    };
    let first = (owners.position(), values(owners, [("ownerid", owner.clone())]));
    database.replace_all(None, (0..1_000).map(row).chain([first])).unwrap();
    let snapshot = database.snapshot();
    let relationship = u16::try_from(accounts.outgoing().next().unwrap().position()).unwrap();
    let (there, back) = (Hop { relationship, back: false }, Hop { relationship, back: true });
    // of every owner every account of its owner: a million
    let nobody = Expression::column_is(0, Comparison::Equal, Cell::text("nobody"));
    let exists = |hops: Vec<Hop>, condition| Expression::Exists {
        hops,
        every: false,
        condition: Some(Box::new(condition)),
    };
    let filter = exists(vec![back], exists(vec![there, back], nobody));
    let query = Query { filter: Some(&filter), ..Query::of(owners) };
    let mut made = 0;
    assert_eq!(
        snapshot.query_while(&query, |comparisons| {
            made += comparisons;
            true
        }),
        Some(Page::default())
    );
    assert!((1_000_000..5_000_000).contains(&made), "{made}");
    let mut asked_for = 0;
    let page = snapshot.query_while(&query, |_| {
        asked_for += 1;
        asked_for < 3
    });
    assert_eq!((page, asked_for), (None, 3));
}
