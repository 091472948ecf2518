//! Pages while rows come and go: a cookie leads behind the row a page ended with, so that no other row is shown twice or never.

use crate::support::{Bench, HOST};
use http::Method;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const TWO: (&str, &str) = ("prefer", "odata.maxpagesize=2");

async fn contact(bench: &Bench, name: &str, income: Value) -> String {
    let body = json!({ "lastname": name, "annualincome": income }).to_string();
    let seen = bench.call(Method::POST, &format!("{ROOT}contacts"), Some(&body)).await;
    seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned()
}

/// A page: the names, and the address of the next.
async fn page(bench: &Bench, target: &str) -> (Vec<String>, Option<String>) {
    let seen = bench.call_with(Method::GET, target, None, &[TWO]).await;
    assert_eq!(seen.status().as_u16(), 200, "{target}: {:?}", seen.refusal());
    let seen = seen.json();
    let rows = seen["value"].as_array().unwrap();
    let names = rows.iter().map(|row| row["lastname"].as_str().unwrap().to_owned()).collect();
    let next = seen["@odata.nextLink"].as_str();
    (names, next.map(|link| link.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned()))
}

/// All pages from an address on.
async fn rest(bench: &Bench, mut next: Option<String>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(target) = next {
        let (names, more) = page(bench, &target).await;
        all.extend(names);
        next = more;
    }
    all
}

async fn delete(bench: &Bench, row: &str) {
    assert_eq!(bench.call(Method::DELETE, &format!("{ROOT}{row}"), None).await.status().as_u16(), 204);
}

#[tokio::test]
async fn rows_without_an_order_come_in_that_of_their_creation_whatever_is_deleted() {
    let bench = Bench::new().await;
    let mut rows = Vec::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        rows.push(contact(&bench, name, Value::Null).await);
    }
    let (first, next) = page(&bench, &format!("{ROOT}contacts?$select=lastname")).await;
    assert_eq!(first, ["a", "b"]);
    // one of those that were shown, the very one the page ended with, one that is yet to come; and a new one
    for index in [0, 1, 3] {
        delete(&bench, &rows[index]).await;
    }
    contact(&bench, "g", Value::Null).await;
    assert_eq!(rest(&bench, next).await, ["c", "e", "f", "g"]);
}

#[tokio::test]
async fn an_order_goes_on_where_the_page_ended_ties_and_nulls_too() {
    let bench = Bench::new().await;
    let mut rows = Vec::new();
    for (name, income) in [
        ("a", json!(300)),
        ("b", json!(200)),
        ("c", json!(200)),
        ("d", json!(200)),
        ("e", Value::Null),
        ("f", Value::Null),
        ("g", Value::Null),
    ] {
        rows.push(contact(&bench, name, income).await);
    }
    let target = format!("{ROOT}contacts?$select=lastname&$orderby=annualincome%20desc");
    let (first, next) = page(&bench, &target).await;
    assert_eq!(first, ["a", "b"]);
    delete(&bench, &rows[1]).await;
    contact(&bench, "before", json!(250)).await;
    contact(&bench, "behind", json!(100)).await;
    let (second, next) = page(&bench, &next.unwrap()).await;
    assert_eq!(second, ["c", "d"], "the rest of the rows with the same value; none twice");
    delete(&bench, &rows[4]).await;
    let (third, next) = page(&bench, &next.unwrap()).await;
    assert_eq!(third, ["behind", "f"]);
    delete(&bench, &rows[5]).await;
    assert_eq!(rest(&bench, next).await, ["g"], "behind a null that is gone");
}

#[tokio::test]
async fn a_filter_and_a_related_rows_list_have_cookies_too() {
    let bench = Bench::new().await;
    let contacts = ["a", "b", "c", "d", "e"].map(|name| json!({ "lastname": name }));
    let body = json!({ "name": "Fabrikam", "contact_customer_accounts": contacts });
    let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body.to_string())).await;
    let account = seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned();
    contact(&bench, "nobody's", Value::Null).await;
    let target =
        format!("{ROOT}{account}/contact_customer_accounts?$select=lastname&$filter=lastname%20ne%20%27c%27");
    let (first, next) = page(&bench, &target).await;
    assert_eq!(first, ["a", "b"]);
    let gone = bench.get(&format!("{ROOT}contacts?$filter=lastname eq 'b'")).await.json();
    delete(&bench, &format!("contacts({})", gone["value"][0]["contactid"].as_str().unwrap())).await;
    let next = next.unwrap();
    assert!(next.contains(&format!("{account}/contact_customer_accounts?")), "{next}");
    assert_eq!(rest(&bench, Some(next)).await, ["d", "e"]);
}
