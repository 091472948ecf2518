//! Rows that are made with another: in which order, with which links, and all of them or none.

use crate::support::{Bench, Seen};
use http::Method;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";

async fn post(bench: &Bench, body: &Value) -> Seen {
    bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body.to_string())).await
}

async fn count(bench: &Bench, set: &str) -> usize {
    bench.get(&format!("{ROOT}{set}")).await.json()["value"].as_array().unwrap().len()
}

async fn counts(bench: &Bench) -> [usize; 3] {
    [count(bench, "accounts").await, count(bench, "contacts").await, count(bench, "tasks").await]
}

#[tokio::test]
async fn rows_on_both_sides_are_made_and_lead_to_each_other() {
    let bench = Bench::new().await;
    let before = counts(&bench).await;
    let tasks = json!([{ "subject": "one" }, { "subject": "two" }]);
    let body = json!({
        "name": "Fabrikam",
        "parentaccountid": { "name": "Fabrikam Holding", "primarycontactid": { "lastname": "Above" } },
        "primarycontactid": { "lastname": "First", "Contact_Tasks": tasks },
        "contact_customer_accounts": [{ "lastname": "Second" }, { "lastname": "Third", "Contact_Tasks": tasks }, { "lastname": "Fourth" }],
        "Account_Tasks": tasks,
    });
    let target = "accounts?$select=name&$expand=parentaccountid($select=name;$expand=primarycontactid($select=lastname)),\
                  primarycontactid($select=lastname;$expand=Contact_Tasks($select=subject)),\
                  contact_customer_accounts($select=lastname;$expand=Contact_Tasks($select=subject)),Account_Tasks($select=subject)";
    let prefer = [("prefer", "return=representation")];
    let seen =
        bench.call_with(Method::POST, &format!("{ROOT}{target}"), Some(&body.to_string()), &prefer).await;
    assert_eq!(seen.status().as_u16(), 201, "{:?}", seen.refusal());
    let made = seen.json();
    assert_eq!(made["parentaccountid"]["primarycontactid"]["lastname"], "Above");
    assert_eq!(made["primarycontactid"]["Contact_Tasks"][1]["subject"], "two");
    let names = |rows: &Value, name: &str| {
        rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&made["contact_customer_accounts"], "lastname"), ["Second", "Third", "Fourth"]);
    assert_eq!(names(&made["contact_customer_accounts"][1]["Contact_Tasks"], "subject"), ["one", "two"]);
    assert_eq!(names(&made["Account_Tasks"], "subject"), ["one", "two"]);
    let after = counts(&bench).await;
    assert_eq!(after, [before[0] + 2, before[1] + 5, before[2] + 6]);
    // what the organisation writes into a row it writes into these too
    let contact = made["contact_customer_accounts"][0]["contactid"].as_str().unwrap();
    let contact = bench.get(&format!("{ROOT}contacts({contact})")).await.json();
    assert_eq!((&contact["fullname"], &contact["_accountid_value"]), (&json!("Second"), &made["accountid"]));
    assert!(contact["createdon"].is_string() && contact["_ownerid_value"].is_string());
}

#[tokio::test]
async fn rows_that_are_there_are_joined_to_a_new_one() {
    let bench = Bench::new().await;
    let body = json!({ "lastname": "Berg" }).to_string();
    let seen = bench.call(Method::POST, &format!("{ROOT}contacts"), Some(&body)).await;
    let contact = seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned();
    let body = json!({
        "name": "Fabrikam", "contact_customer_accounts@odata.bind": [format!("/{contact}")],
        "contact_customer_accounts": [{ "lastname": "New" }],
    });
    let account = post(&bench, &body).await;
    assert_eq!(account.status().as_u16(), 204, "{:?}", account.refusal());
    let id = account.header("odata-entityid").unwrap();
    let id = &id[id.len() - 37..id.len() - 1];
    let rows = bench
        .get(&format!("{ROOT}contacts?$filter=_parentcustomerid_value eq {id}&$select=lastname"))
        .await
        .json();
    let mut names: Vec<&str> =
        rows["value"].as_array().unwrap().iter().filter_map(|row| row["lastname"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["Berg", "New"]);
}

#[tokio::test]
async fn if_one_row_is_refused_there_is_none() {
    let bench = Bench::new().await;
    let taken = json!({ "accountnumber": "D-1", "name": "There already" });
    assert_eq!(post(&bench, &taken).await.status().as_u16(), 204);
    let before = counts(&bench).await;
    let absent = "/accounts(c0117050-0000-4000-8000-0000000fffff)";
    for (last, status) in [
        // refused by the body's reader, by the database, by a link, by a rule between columns
        (json!({ "nonsense": 1 }), 400),
        (json!({ "contactid": "c0117050-0000-4000-8000-0000000fffaa", "lastname": "Twice" }), 412),
        (json!({ "lastname": "Nowhere", "parentcustomerid_account@odata.bind": absent }), 404),
        (json!({ "lastname": "Wrong", "statuscode": 2 }), 400),
        (json!({ "lastname": "Far too long".repeat(10) }), 400),
    ] {
        let body = json!({
            "name": "Fabrikam",
            "primarycontactid": { "contactid": "c0117050-0000-4000-8000-0000000fffaa", "lastname": "First" },
            "contact_customer_accounts": [{ "lastname": "Second", "Contact_Tasks": [{ "subject": "one" }] }, last],
        });
        let seen = post(&bench, &body).await;
        assert_eq!(seen.status().as_u16(), status, "{last}: {:?}", seen.refusal());
        assert_eq!(counts(&bench).await, before, "{last}");
    }
    let body = json!({ "name": "Fabrikam", "parentaccountid": { "accountnumber": "D-1" }, "Account_Tasks": [{ "subject": "one" }] });
    assert_eq!(post(&bench, &body).await.refusal(), (412, "0x80060892".to_owned()));
    assert_eq!(counts(&bench).await, before);
}

#[tokio::test]
async fn one_row_stands_where_one_is_taken_and_a_list_where_many_are() {
    let bench = Bench::new().await;
    let before = counts(&bench).await;
    for body in [
        json!({ "primarycontactid": [{ "lastname": "x" }] }),
        json!({ "contact_customer_accounts": { "lastname": "x" } }),
        json!({ "contact_customer_accounts": ["x"] }),
        json!({ "contact_customer_accounts": [[]] }),
        json!({ "primarycontactid": "x" }),
    ] {
        assert_eq!(post(&bench, &body).await.refusal().0, 400, "{body}");
    }
    assert_eq!(counts(&bench).await, before);
    assert_eq!(
        post(&bench, &json!({ "primarycontactid": null, "contact_customer_accounts": [] }))
            .await
            .status()
            .as_u16(),
        204
    );
    let many: Vec<Value> = (0..1_000).map(|_| json!({ "lastname": "x" })).collect();
    assert_eq!(
        post(&bench, &json!({ "contact_customer_accounts": many })).await.refusal().0,
        413,
        "more rows than a body makes"
    );
}
