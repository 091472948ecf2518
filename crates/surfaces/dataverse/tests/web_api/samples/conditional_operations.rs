//! ConditionalOperations: a row is read only where it changed, and changed only as the client knows it.

use super::{ANNOTATIONS, Client, FORMATTED, columns, id};
use crate::support::Seen;
use http::Method;
use serde_json::{Value, json};

const MISMATCH: &str = "The version of the existing record doesn't match the RowVersion property provided.";

fn tag(answer: &Value) -> String {
    let tag = answer["@odata.etag"].as_str().unwrap().to_owned();
    let digits = tag.strip_prefix("W/\"").and_then(|rest| rest.strip_suffix('"')).unwrap();
    assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
    tag
}

fn is_mismatch(seen: &Seen) {
    assert_eq!(seen.refusal(), (412, "0x80060882".to_owned()));
    assert_eq!(seen.message(), MISMATCH);
}

#[tokio::test]
async fn conditional_operations_run_to_their_end() {
    let client = Client::new().await;
    let body = json!({ "name": "Holm Supplies", "telephone1": "555-0000", "revenue": 5_000_000, "description": "Parent company" });
    // the library sends both preferences in a header of their own
    let prefer = [ANNOTATIONS, ("Prefer", "return=representation")];
    let select = "$select=name,revenue,telephone1,description";
    let seen = client.send(Method::POST, &format!("accounts?{select}"), Some(&body), &prefer).await;
    assert_eq!(seen.status().as_u16(), 201);
    let applied = seen.header("preference-applied").unwrap();
    assert!(
        applied.contains("return=representation") && applied.contains("odata.include-annotations=\"*\""),
        "{applied}"
    );
    let made = seen.json();
    assert_eq!(
        made["@odata.context"],
        super::context("accounts(name,revenue,telephone1,description)/$entity")
    );
    assert_eq!(columns(&made)[..4], ["name", "revenue", "telephone1", "description"]);
    let mut added = columns(&made)[4..].to_vec();
    added.sort_unstable();
    assert_eq!(added, ["_transactioncurrencyid_value", "accountid"]);
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    assert!(text.contains("\"revenue\":5000000.0000,"), "{text}");
    assert_eq!(made[format!("revenue@{FORMATTED}")], "$5,000,000.00");
    let first = tag(&made);
    assert_eq!(seen.header("etag"), Some(first.as_str()));
    let account = format!("accounts({})", made["accountid"].as_str().unwrap());
    assert!(seen.header("OData-EntityId").unwrap().ends_with(&account));

    reads(&client, &account, &first, select).await;
    let second = tag(&client.get(&format!("{account}?{select}")).await.json());
    assert_ne!(first, second);
    writes(&client, &account, (&first, &second), select).await;

    client.batch(&[format!("DELETE {}{account}", super::ROOT)], 204).await;
    assert!(client.is_gone(&account).await);
}

/// A read costs a body only where the row changed since.
async fn reads(client: &Client, account: &str, first: &str, select: &str) {
    let row = format!("{account}?{select}");
    let changed =
        async || client.send(Method::GET, &row, None, &[("If-None-Match", first), ANNOTATIONS]).await;
    let seen = changed().await;
    assert_eq!((seen.status().as_u16(), seen.response.body.len()), (304, 0));
    client
        .done(Method::PUT, &format!("{account}/telephone1"), Some(&json!({ "value": "555-0001" })), &[])
        .await;
    let seen = changed().await;
    assert_eq!((seen.status().as_u16(), &seen.json()["telephone1"]), (200, &json!("555-0001")));
    assert_ne!(tag(&seen.json()), first);
}

/// Who knows only the first version neither deletes nor changes the second.
async fn writes(client: &Client, account: &str, (first, second): (&str, &str), select: &str) {
    is_mismatch(&client.send(Method::DELETE, account, None, &[("If-Match", first)]).await);
    let body = json!({ "telephone1": "555-0005", "revenue": 7_500_000 });
    is_mismatch(&client.send(Method::PATCH, account, Some(&body), &[("If-Match", first)]).await);
    client.done(Method::PATCH, account, Some(&body), &[("If-Match", second)]).await;
    let seen = client.annotated(&format!("{account}?{select}")).await;
    assert_eq!((&seen["telephone1"], &seen["revenue"]), (&json!("555-0005"), &json!(7_500_000.0)));
    assert_eq!(seen[format!("revenue@{FORMATTED}")], "$7,500,000.00");
    let third = tag(&seen);
    assert!(third != first && third != second);
}

#[tokio::test]
async fn the_older_pages_conditions_hold_too() {
    let client = Client::new().await;
    let account = client.create("accounts", json!({ "name": "Holm Supplies" })).await;
    let body = json!({ "name": "Another" });
    let seen = client.send(Method::PATCH, &account, Some(&body), &[("If-None-Match", "*")]).await;
    assert_eq!(seen.refusal(), (412, "0x80040237".to_owned()));
    assert_eq!(seen.message(), "A record with matching key values already exists.");
    let absent = format!("accounts({})", "c0117050-0000-4000-8000-0000000fffff");
    let seen = client.send(Method::PATCH, &absent, Some(&body), &[("If-Match", "*")]).await;
    assert_eq!(seen.refusal(), (404, "0x80040217".to_owned()));
    assert!(
        seen.message().ends_with("Does Not Exist") && seen.message().contains(id(&absent)),
        "{}",
        seen.message()
    );
    client.done(Method::PATCH, &absent, Some(&body), &[("If-None-Match", "*")]).await;
    assert_eq!(client.get(&absent).await.json()["name"], "Another");
}
