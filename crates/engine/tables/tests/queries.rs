//! What a query over a snapshot gives, in which order and on which page.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should panic; the lint knows only #[test] functions"
)]

use mocktenant_odata::QueryOptions;
use mocktenant_tables::{Columns, Database, Key, Limits, Page, Query, Row, Scan, Schema, Snapshot};
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

#[test]
fn a_query_says_what_it_costs_and_is_given_up_when_told_so() {
    let snapshot = many(5_000);
    let accounts = snapshot.table("accounts").unwrap();
    for (query, cost) in [
        ("", 5_000),
        ("$top=10", 10),
        ("$top=10&$skip=7", 17),
        ("$top=10&$count=true", 5_000),
        ("$filter=accountid eq '000001'", 1),
        ("$top=10&$filter=number eq 1 or number eq 2 or number eq 3", 20_000),
        ("$orderby=number,other", 5_000 * (1 + 2 * 12)),
    ] {
        let options = QueryOptions::parse(query).unwrap();
        assert_eq!(accounts.cost(&Query::new(&options)), cost, "{query}");
    }
    let terms = vec!["number eq 200"; 200].join(" or ");
    for query in [format!("$filter={terms}"), "$orderby=number,other,number,other,number,other".to_owned()] {
        let options = QueryOptions::parse(&query).unwrap();
        let asked = std::cell::Cell::new(0);
        let go_on = |limit: u32| asked.replace(asked.get() + 1) < limit;
        let query = Query::new(&options);
        assert!(accounts.query_while(&query, |_| true, || go_on(2)).is_none());
        assert_eq!(asked.take(), 3, "asked no more once it was told");
        assert!(accounts.query_while(&query, |_| true, || go_on(u32::MAX)).is_some());
        assert!((5..100).contains(&asked.get()), "{}", asked.get());
    }
}
