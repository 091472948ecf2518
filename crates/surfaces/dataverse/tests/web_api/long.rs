//! Queries that take long and pages that are large: what they keep nobody else from, and where they end.

use std::time::{Duration, Instant};

use http::Method;
use mocktenant_lab::PAGE_BYTES;
use mocktenant_world::Edit;
use serde_json::{Map, Value, json};

use crate::support::{Bench, HOST, organization};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";

/// An organisation with so many accounts, each with a text of that many bytes.
fn accounts(rows: usize, bytes: usize) -> Edit {
    let text = "x".repeat(bytes);
    let row = |row| (format!("row{row}"), json!({ "accountnumber": format!("N{row:05}"), "name": text }));
    let made: Map<String, Value> = (0..rows).map(row).collect();
    Edit::add(organization(&["records", "accounts"]), Value::Object(made))
}

/// A query that asks every row so many questions and lets none through.
fn asking(terms: usize) -> String {
    let terms: Vec<String> = (0..terms).map(|n| format!("statecode%20eq%20{}", n + 5)).collect();
    format!("{ACCOUNTS}?$filter={}", terms.join("%20or%20"))
}

#[tokio::test]
async fn a_long_query_leaves_the_thread_it_is_asked_on() {
    let bench = Bench::edited(&[accounts(4_000, 10)]).await;
    // The rows are there from here on.
    assert_eq!(bench.get(&asking(1)).await.status(), 200);
    let (mut turns, target) = (0, asking(300));
    let query = bench.get(&target);
    let others = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        seen = query => assert_eq!(seen.status(), 200),
        () = others => unreachable!("a loop"),
    }
    assert!(turns >= 10, "others had {turns} turns meanwhile");
}

#[tokio::test]
async fn a_query_beyond_its_time_is_told_so_in_dataverses_words_and_a_short_one_is_not() {
    let bench = Bench::hurried(Duration::ZERO, &[accounts(4_000, 10)]).await;
    let seen = bench.get(&asking(300)).await;
    assert_eq!(seen.refusal(), (500, "0x80044151".to_owned()));
    assert_eq!(seen.message(), "SQL timeout expired.");
    let facts = bench.lab.journal().last_refusal().unwrap().facts.clone();
    assert!(facts.iter().any(|fact| fact.name == "given-up"), "{facts:?}");
    assert_eq!(bench.get(&format!("{ACCOUNTS}?$filter=accountnumber%20eq%20'N00001'")).await.status(), 200);
    assert_eq!(bench.get(&asking(2)).await.status(), 200);
}

#[tokio::test]
async fn a_join_is_given_up_at_the_deadline_that_queries_have() {
    let xml = "<fetch><entity name='account'><attribute name='name'/><link-entity name='systemuser' from='systemuserid' to='ownerid' link-type='outer' alias='o'/></entity></fetch>";
    let target = format!("{ACCOUNTS}?fetchXml={}", mocktenant_odata::percent_encode(xml, ""));
    let bench = Bench::edited(&[accounts(10, 10)]).await;
    assert_eq!(bench.get(&target).await.json()["value"].as_array().unwrap().len(), 10);
    let hurried = Bench::hurried(Duration::ZERO, &[accounts(10, 10)]).await;
    let seen = hurried.get(&target).await;
    assert_eq!(seen.refusal(), (500, "0x80044151".to_owned()));
    assert_eq!(seen.message(), "SQL timeout expired.");
    assert_eq!(hurried.failed_checks(), [""; 0]);
}

#[test]
fn a_query_whose_caller_went_away_is_given_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench = runtime.block_on(Bench::edited(&[accounts(20_000, 10)]));
    let begun = Instant::now();
    runtime.block_on(async {
        assert_eq!(bench.get(&asking(1)).await.status(), 200);
        let target = asking(400);
        let gone = tokio::time::timeout(Duration::from_millis(30), bench.get(&target)).await;
        assert!(gone.is_err(), "the caller goes away first");
    });
    let left = Instant::now();
    // Waits for whatever still runs.
    drop(runtime);
    assert!(
        left.elapsed() < Duration::from_secs(2),
        "it ran on for {:?} of {:?}",
        left.elapsed(),
        begun.elapsed()
    );
}

#[tokio::test]
async fn more_conditions_than_a_query_may_have_are_refused_in_dataverses_words() {
    let bench = Bench::new().await;
    assert_eq!(bench.get(&asking(300)).await.status(), 200);
    let flags: Vec<&str> = vec!["creditonhold"; 501];
    let seen = bench.get(&format!("{ACCOUNTS}?$filter={}", flags[..500].join("%20or%20"))).await;
    assert_eq!(seen.status(), 200);
    let seen = bench.get(&format!("{ACCOUNTS}?$filter={}", flags.join("%20or%20"))).await;
    assert_eq!(seen.refusal(), (400, "0x8004430c".to_owned()));
    assert_eq!(seen.message(), "Number of conditions in query exceeded maximum limit.");
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes_and_the_links_lead_through_every_row_once() {
    let bench = Bench::edited(&[accounts(100, 150_000)]).await;
    for (query, expected) in [("", 100), ("&$top=70", 70), ("&$count=true", 100)] {
        let mut next = format!("{ACCOUNTS}?$select=accountnumber,name,name&$orderby=accountnumber{query}");
        let (mut numbers, mut pages) = (Vec::new(), 0);
        loop {
            let seen = bench.get(&next).await;
            assert_eq!(seen.status(), 200);
            assert!(seen.response.body.len() < PAGE_BYTES + 4096, "{} bytes", seen.response.body.len());
            let page = seen.json();
            let rows = page["value"].as_array().unwrap();
            numbers.extend(rows.iter().map(|row| row["accountnumber"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(link) = page["@odata.nextLink"].as_str() else { break };
            next = link.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
        }
        let all: Vec<String> = (0..expected).map(|row| format!("N{row:05}")).collect();
        assert_eq!(numbers, all, "{query}");
        assert!(pages >= 3, "{pages} pages");
    }
}

#[tokio::test]
async fn a_column_named_a_thousand_times_costs_what_it_costs_once() {
    let bench = Bench::edited(&[accounts(4_000, 10)]).await;
    assert_eq!(bench.get(&asking(1)).await.status(), 200);
    let begun = Instant::now();
    let once = bench.get(&format!("{ACCOUNTS}?$select=name")).await;
    let cost = begun.elapsed();
    let names = vec!["name"; 1_600].join(",");
    let begun = Instant::now();
    let many = bench.get(&format!("{ACCOUNTS}?$select={names}")).await;
    assert!(begun.elapsed() < 4 * cost + Duration::from_millis(500), "{:?}, {cost:?}", begun.elapsed());
    assert_eq!(many.json()["value"], once.json()["value"]);
}

#[tokio::test]
async fn a_long_list_of_annotations_costs_once_and_not_for_every_lookup() {
    let bench = Bench::edited(&[accounts(4_000, 10)]).await;
    assert_eq!(bench.get(&asking(1)).await.status(), 200);
    let list = |items: usize| format!("odata.include-annotations=\"{}*\"", "a*,".repeat(items));
    let mut costs = Vec::new();
    for items in [1, 2_600] {
        let begun = Instant::now();
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[("prefer", &list(items))]).await;
        costs.push(begun.elapsed());
        let row = &seen.json()["value"][0];
        let annotation = "_owningbusinessunit_value@OData.Community.Display.V1.FormattedValue";
        assert_eq!(row[annotation], "Contoso", "{row}");
    }
    assert!(costs[1] < 3 * costs[0] + Duration::from_millis(500), "{costs:?}");
}
