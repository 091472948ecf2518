//! What a query over a snapshot gives, in which order and on which page.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

use mocktenant_odata::QueryOptions;
use mocktenant_tables::{Columns, Database, Key, Limits, Page, Query, Row, STRIDE, Scan, Schema, Snapshot};
use serde_json::{Value, json};

fn snapshot() -> Snapshot {
    let schema = Schema::new("accounts", ["accountid"]).alternate_key("number", ["accountnumber"]);
    let database = Database::new([schema], Limits::default()).unwrap();
    let rows = [
        json!({"accountid": "d", "accountnumber": "N4", "city": "Oslo", "limit": 40}),
        json!({"accountid": "B", "accountnumber": "N2", "city": "oslo", "limit": 20}),
        json!({"accountid": "a", "accountnumber": "N1", "city": "Bern", "limit": 10}),
        json!({"accountid": "c", "accountnumber": null, "city": null, "limit": 30}),
    ];
    let columns = |row: Value| -> Columns { row.as_object().cloned().unwrap() };
    database.replace_all(rows.map(|row| ("accounts", columns(row)))).unwrap();
    database.snapshot()
}

fn run(query: &str, change: impl FnOnce(&mut Query<'_>)) -> Page {
    let options = QueryOptions::parse(query).unwrap();
    let mut query = Query::new(&options);
    change(&mut query);
    snapshot().table("accounts").unwrap().query(&query)
}

fn ids(rows: &[Row]) -> String {
    rows.iter().map(|row| row.text("accountid").unwrap()).collect()
}

fn found(query: &str) -> String {
    ids(&run(query, |_| {}).rows)
}

#[test]
fn rows_come_by_key_or_by_age() {
    assert_eq!(found(""), "aBcd");
    assert_eq!(ids(&run("", |query| query.scan = Scan::InsertionOrder).rows), "dBac");
}

#[test]
fn filter_orderby_skip_and_top_work_in_this_order() {
    assert_eq!(found("$filter=city eq 'OSLO'"), "Bd");
    assert_eq!(found("$orderby=city,limit desc"), "cadB");
    assert_eq!(found("$orderby=limit desc&$skip=1&$top=2"), "cB");
    assert_eq!(found("$filter=limit gt 10&$top=1"), "B");
    assert_eq!(found("$top=0"), "");
    assert_eq!(found("$skip=9"), "");
    assert_eq!(found("$skip=18446744073709551615&$top=18446744073709551615"), "");
}

#[test]
fn a_filter_that_fixes_a_key_gives_the_same_as_one_that_does_not() {
    assert_eq!(found("$filter=accountnumber eq 'n2'"), "B");
    assert_eq!(found("$filter=accountid eq 'A' and city eq 'Bern'"), "a");
    assert_eq!(found("$filter=accountid eq 'A' and city eq 'Oslo'"), "");
    assert_eq!(found("$filter=accountid eq 'A' and accountid eq 'B'"), "");
    assert_eq!(found("$filter=accountid eq 'A' or accountid eq 'B'"), "aB");
    assert_eq!(found("$filter=accountnumber eq null"), "c");
    assert_eq!(found("$filter='n4' eq accountnumber"), "d");
}

#[test]
fn the_count_is_of_all_that_pass_and_more_tells_of_a_next_page() {
    let page = run("$filter=limit lt 40&$count=true&$top=1", |_| {});
    assert_eq!((page.rows.len(), page.count, page.more), (1, Some(3), false));
    let page = run("", |query| query.page_size = Some(3));
    assert_eq!((page.rows.len(), page.count, page.more), (3, None, true));
    assert!(!run("", |query| query.page_size = Some(4)).more);
    assert!(!run("$top=3", |query| query.page_size = Some(3)).more, "the client asked for no more");
    assert!(run("$top=4&$orderby=limit", |query| query.page_size = Some(3)).more);
}

#[test]
fn rows_that_are_not_visible_are_neither_given_nor_counted() {
    let options = QueryOptions::parse("$count=true").unwrap();
    let snapshot = snapshot();
    let accounts = snapshot.table("accounts").unwrap();
    let page = accounts.query_visible(&Query::new(&options), |row| row.text("city") == Some("Bern"));
    assert_eq!((ids(&page.rows).as_str(), page.count), ("a", Some(1)));
    assert!(snapshot.table("contacts").is_none());
    assert_eq!(snapshot.tables().count(), 1);
    assert!(accounts.get(&Key::text("z")).is_none());
}

/// A table of so many rows, whose numbers come again after every hundred.
fn many(rows: u64) -> Snapshot {
    let schema = Schema::new("accounts", ["accountid"]);
    let database = Database::new([schema], Limits::default()).unwrap();
    let row = |n: u64| json!({"accountid": format!("{n:06}"), "number": n % 100, "other": n.wrapping_mul(7919) % 1000});
    let columns = |row: Value| -> Columns { row.as_object().cloned().unwrap() };
    database.replace_all((0..rows).map(|n| ("accounts", columns(row(n))))).unwrap();
    database.snapshot()
}

#[test]
fn many_rows_are_sorted_as_few_are_and_equal_ones_keep_their_order() {
    let snapshot = many(5_000);
    let accounts = snapshot.table("accounts").unwrap();
    for order in ["number", "other desc,number", "number desc,accountid desc"] {
        let options = QueryOptions::parse(&format!("$orderby={order}&$skip=10&$top=4000")).unwrap();
        let query = Query::new(&options);
        let mut expected: Vec<Row> = accounts.iter(Scan::KeyOrder).cloned().collect();
        expected.sort_by(|left, right| options.compare(&left.columns, &right.columns, query.how));
        assert_eq!(accounts.query(&query).rows, &expected[10..4_010], "{order}");
    }
}

/// The comparisons a query says it makes, to within a stride.
fn comparisons(snapshot: &Snapshot, query: &str) -> usize {
    let options = QueryOptions::parse(query).unwrap();
    let mut made = 0;
    let table = snapshot.table("accounts").unwrap();
    let query = Query { page_size: Some(100), ..Query::new(&options) };
    let page = table.query_while(
        &query,
        |_| true,
        |comparisons| {
            made += comparisons;
            true
        },
    );
    assert!(page.is_some());
    made
}

#[test]
fn a_query_counts_the_comparisons_it_makes() {
    let snapshot = many(5_000);
    let three = "$filter=number eq 200 or number eq 201 or number eq 202";
    for (query, expected) in [
        ("", 101),
        ("$count=true&$skip=4000", 5_000),
        ("$filter=accountid eq '000001'", 1),
        (three, 4 * 5_000),
        ("$filter=number ge 0&$top=10", 22),
        ("$orderby=other,number", 5_000 + 5_000 * 2 * (10 + 3)),
    ] {
        let made = comparisons(&snapshot, query);
        let least = (expected - expected / 10_usize).saturating_sub(STRIDE);
        assert!((least..=expected).contains(&made), "{query}: {made} of {expected}");
    }
}

#[test]
fn long_texts_cost_more_than_short_ones_where_a_comparison_reads_them() {
    let schema = Schema::new("accounts", ["accountid"]);
    let database = Database::new([schema], Limits::default()).unwrap();
    let (lower, upper) = ("ab".repeat(16 * 1024), "AB".repeat(16 * 1024));
    let row = |n: usize| {
        let row = json!({"accountid": format!("{n:03}"), "a": lower, "b": upper});
        ("accounts", row.as_object().cloned().unwrap())
    };
    database.replace_all((0..10).map(row)).unwrap();
    let snapshot = database.snapshot();
    assert_eq!(comparisons(&snapshot, "$filter=a eq 'x' or b eq 'y'"), 0);
    assert!(comparisons(&snapshot, "$filter=a eq b and b eq a") >= 10 * 2 * 2_048);
    assert!(comparisons(&snapshot, "$orderby=a") >= 10 * 1_024);
}

#[test]
fn a_query_is_given_up_when_it_is_told_so_and_asked_no_more() {
    let snapshot = many(5_000);
    let accounts = snapshot.table("accounts").unwrap();
    let terms = vec!["number eq 200"; 200].join(" or ");
    for query in [format!("$filter={terms}"), "$orderby=number,other".to_owned()] {
        let options = QueryOptions::parse(&query).unwrap();
        for limit in 0..8 {
            let mut asked = 0;
            let page = accounts.query_while(
                &Query::new(&options),
                |_| true,
                |_| {
                    asked += 1;
                    asked <= limit
                },
            );
            assert_eq!((page, asked), (None, limit + 1), "{query}");
        }
    }
}
