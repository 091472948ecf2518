//! What becomes of the rows that lead to one which is deleted: they lose their link, they go too, or they keep it there.

use crate::support::{Bench, CLIENT, Seen, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";

async fn made(bench: &Bench, set: &str, body: Value) -> String {
    let seen = bench.call(Method::POST, &format!("{ROOT}{set}"), Some(&body.to_string())).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?} {}", seen.refusal(), seen.message());
    seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned()
}

async fn delete(bench: &Bench, row: &str) -> Seen {
    bench.call(Method::DELETE, &format!("{ROOT}{row}"), None).await
}

async fn deleted(bench: &Bench, row: &str) {
    let seen = delete(bench, row).await;
    assert_eq!(seen.status().as_u16(), 204, "{row}: {:?}", seen.refusal());
}

async fn is_gone(bench: &Bench, row: &str) -> bool {
    bench.get(&format!("{ROOT}{row}")).await.status().as_u16() == 404
}

async fn lookup(bench: &Bench, row: &str, name: &str) -> Value {
    bench.get(&format!("{ROOT}{row}?$select={name}")).await.json()[name].clone()
}

#[tokio::test]
async fn a_link_is_removed_where_the_row_it_led_to_goes() {
    let bench = Bench::new().await;
    let parent = made(&bench, "accounts", json!({ "name": "Parent" })).await;
    let contact = made(&bench, "contacts", json!({ "lastname": "Berg" })).await;
    let other = made(
        &bench,
        "contacts",
        json!({ "lastname": "Aune", "parentcustomerid_contact@odata.bind": contact }),
    )
    .await;
    let child = json!({ "name": "Child", "parentaccountid@odata.bind": parent, "primarycontactid@odata.bind": contact });
    let child = made(&bench, "accounts", child).await;
    let before = bench.get(&format!("{ROOT}{child}")).await.header("etag").unwrap().to_owned();
    deleted(&bench, &contact).await;
    assert_eq!(
        lookup(&bench, &child, "_primarycontactid_value").await,
        Value::Null,
        "account_primary_contact"
    );
    assert_eq!(
        lookup(&bench, &other, "_parentcustomerid_value").await,
        Value::Null,
        "contact_customer_contacts"
    );
    assert_ne!(
        bench.get(&format!("{ROOT}{child}")).await.header("etag").unwrap(),
        before,
        "which changes the row"
    );
    deleted(&bench, &parent).await;
    assert_eq!(lookup(&bench, &child, "_parentaccountid_value").await, Value::Null, "account_parent_account");
}

#[tokio::test]
async fn what_belongs_to_a_row_goes_with_it_however_deep() {
    let bench = Bench::new().await;
    let account = made(&bench, "accounts", json!({ "name": "Fabrikam" })).await;
    let contact = made(
        &bench,
        "contacts",
        json!({ "lastname": "Berg", "parentcustomerid_account@odata.bind": account }),
    )
    .await;
    let task =
        |navigation: &str, row: &str| json!({ "subject": "Call", format!("{navigation}@odata.bind"): row });
    let of_account = made(&bench, "tasks", task("regardingobjectid_account_task", &account)).await;
    let of_contact = made(&bench, "tasks", task("regardingobjectid_contact_task", &contact)).await;
    let of_nobody = made(&bench, "tasks", json!({ "subject": "Call" })).await;
    let version = [("if-match", "W/\"1\"")];
    let seen = bench.call_with(Method::DELETE, &format!("{ROOT}{account}"), None, &version).await;
    assert_eq!(seen.refusal(), (412, "0x80060882".to_owned()));
    assert!(!is_gone(&bench, &of_contact).await, "what is refused takes nothing with it");
    deleted(&bench, &account).await;
    for row in [&account, &contact, &of_account, &of_contact] {
        assert!(is_gone(&bench, row).await, "{row}");
    }
    assert!(!is_gone(&bench, &of_nobody).await);
}

#[tokio::test]
async fn a_row_is_kept_by_those_that_may_not_lose_it() {
    let bench = Bench::new().await;
    let currency = json!({ "currencyname": "Norwegian Krone", "isocurrencycode": "NOK", "currencysymbol": "kr", "currencyprecision": 2,
        "exchangerate": 10 });
    let currency = made(&bench, "transactioncurrencies", currency).await;
    for (set, navigation) in [
        ("accounts", "transactioncurrencyid"),
        ("contacts", "transactioncurrencyid"),
        ("tasks", "transactioncurrencyid_task"),
    ] {
        let row = made(&bench, set, json!({ format!("{navigation}@odata.bind"): currency })).await;
        let seen = delete(&bench, &currency).await;
        assert_eq!(seen.refusal(), (405, "0x80040227".to_owned()), "{set}");
        assert_eq!(
            seen.message(),
            "The object you tried to delete is associated with another object and cannot be deleted."
        );
        assert!(!is_gone(&bench, &currency).await);
        assert!(lookup(&bench, &row, "_transactioncurrencyid_value").await.is_string());
        deleted(&bench, &row).await;
    }
    deleted(&bench, &currency).await;
    assert!(is_gone(&bench, &currency).await);
}

#[tokio::test]
async fn only_who_may_delete_a_row_does() {
    let roles =
        Edit::replace(organization(&["application_users", CLIENT, "roles"]), json!(["Service Reader"]));
    let rows = json!({ "a": { "accountid": "c0117050-0000-4000-8000-0000000f0011", "name": "Fabrikam" } });
    let bench = Bench::edited(&[roles, Edit::add(organization(&["records", "accounts"]), rows)]).await;
    let seen = delete(&bench, "accounts(c0117050-0000-4000-8000-0000000f0011)").await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("prvDeleteAccount"), "{}", seen.message());
}
