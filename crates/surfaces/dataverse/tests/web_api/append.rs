//! Lookups: who may let a row lead to another, and which rows may be led to.

use crate::support::{Bench, CLIENT, Seen, USER, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";
const ACCOUNT: &str = "c0117050-0000-4000-8000-0000000aa001";
const MINE: &str = "c0117050-0000-4000-8000-0000000ac001";
const THEIRS: &str = "c0117050-0000-4000-8000-0000000ac002";

/// An organisation with an account and a contact of the caller's, a contact of another's, and a caller with these privileges.
async fn bench(privileges: &[&str]) -> Bench {
    let rows = |set: &str, rows: Value| Edit::add(organization(&["records", set]), rows);
    let contact =
        |id: &str, owner: &str| json!({ "contactid": id, "lastname": "x", "_ownerid_value": owner });
    let role = json!({ "id": "c0117050-0000-4000-8000-0000000d2009", "privileges": privileges });
    Bench::edited(&[
        rows("accounts", json!({ "one": { "accountid": ACCOUNT, "name": "One", "_ownerid_value": USER } })),
        rows("contacts", json!({ "mine": contact(MINE, USER), "theirs": contact(THEIRS, OTHER) })),
        Edit::add(organization(&["roles", "Some"]), role),
        Edit::replace(organization(&["application_users", CLIENT, "roles"]), json!(["Some"])),
    ])
    .await
}

const BASE: [&str; 5] =
    ["prvCreateAccount", "prvReadAccount", "prvWriteAccount", "prvReadContact", "prvCreateContact"];

async fn with(more: &[&str]) -> Bench {
    bench(&[&BASE, more].concat()).await
}

async fn send(bench: &Bench, method: Method, path: &str, body: Value) -> Seen {
    bench.call(method, &format!("{ROOT}{path}"), Some(&body.to_string())).await
}

/// The ways a lookup of an account gets a value.
fn ways() -> [(Method, String, Value); 4] {
    let bound = json!({ "name": "x", "primarycontactid@odata.bind": format!("contacts({MINE})") });
    let address = json!({ "@odata.id": format!("contacts({MINE})") });
    [
        (Method::POST, "accounts".to_owned(), bound.clone()),
        (Method::PATCH, format!("accounts({ACCOUNT})"), bound),
        (Method::PUT, format!("accounts({ACCOUNT})/primarycontactid/$ref"), address),
        (Method::POST, "accounts".to_owned(), json!({ "primarycontactid": { "lastname": "New" } })),
    ]
}

#[tokio::test]
async fn a_lookup_needs_to_append_on_one_side_and_to_be_appended_to_on_the_other() {
    for (more, missing) in [
        (&[][..], Some(("prvAppendAccount", "account"))),
        (&["prvAppendToContact"], Some(("prvAppendAccount", "account"))),
        (&["prvAppendAccount"], Some(("prvAppendToContact", "contact"))),
        (&["prvAppendAccount", "prvAppendToContact"], None),
    ] {
        for (method, path, body) in ways() {
            let bench = with(more).await;
            let seen = send(&bench, method.clone(), &path, body).await;
            let Some((privilege, entity)) = missing else {
                assert!(seen.status().is_success(), "{method} {path}: {}", seen.message());
                continue;
            };
            assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()), "{method} {path} {more:?}");
            let text = seen.message();
            assert!(
                text.contains(&format!("is missing {privilege} privilege (Id="))
                    && text.contains(&format!(" for entity '{entity}' ")),
                "{method} {path}: {text}"
            );
            assert_eq!(bench.failed_checks(), ["privilege"], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_row_is_joined_from_the_other_side_by_the_same_privileges() {
    let path = format!("contacts({MINE})/account_primary_contact/$ref");
    let body = json!({ "@odata.id": format!("accounts({ACCOUNT})") });
    let seen = send(&with(&["prvAppendAccount"]).await, Method::POST, &path, body.clone()).await;
    assert!(seen.message().contains("prvAppendToContact"), "{}", seen.message());
    let seen =
        send(&with(&["prvAppendAccount", "prvAppendToContact"]).await, Method::POST, &path, body).await;
    assert_eq!(seen.status().as_u16(), 204, "{}", seen.message());
}

#[tokio::test]
async fn with_a_basic_privilege_only_own_rows_are_led_to() {
    let bench = with(&["prvAppendAccount:Basic", "prvAppendToContact:Basic"]).await;
    let bind = |contact: &str| json!({ "primarycontactid@odata.bind": format!("contacts({contact})") });
    let row = format!("accounts({ACCOUNT})");
    let seen = send(&bench, Method::PATCH, &row, bind(THEIRS)).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("prvAppendToContact"), "{}", seen.message());
    assert_eq!(bench.failed_checks(), ["row-in-reach"]);
    assert_eq!(send(&bench, Method::PATCH, &row, bind(MINE)).await.status().as_u16(), 204);
    let seen = bench.get(&format!("{ROOT}{row}?$select=_primarycontactid_value")).await.json();
    assert_eq!(seen["_primarycontactid_value"], MINE);
}

#[tokio::test]
async fn what_stays_as_it_was_what_is_emptied_and_what_the_organisation_fills_in_needs_neither() {
    let bench = with(&[]).await;
    let row = format!("accounts({ACCOUNT})");
    for (method, path, body) in [
        (Method::POST, "accounts", json!({ "name": "x", "revenue": 5 })),
        (Method::PATCH, row.as_str(), json!({ "name": "y", "primarycontactid@odata.bind": null })),
    ] {
        let seen = send(&bench, method.clone(), path, body).await;
        assert_eq!(seen.status().as_u16(), 204, "{method} {path}: {} {}", seen.refusal().1, seen.message());
    }
    let gone = bench.call(Method::DELETE, &format!("{ROOT}{row}/primarycontactid/$ref"), None).await;
    assert_eq!(gone.status().as_u16(), 204, "{}", gone.message());
}

#[tokio::test]
async fn a_refused_lookup_leaves_nothing_behind() {
    let bench = with(&["prvAppendAccount"]).await;
    let (method, path, body) = ways().into_iter().last().unwrap();
    assert_eq!(send(&bench, method, &path, body).await.status().as_u16(), 403);
    let count =
        async |set: &str| bench.get(&format!("{ROOT}{set}")).await.json()["value"].as_array().unwrap().len();
    assert_eq!((count("accounts").await, count("contacts").await), (1, 2));
}

#[tokio::test]
async fn the_roles_an_organisation_comes_with_join_their_own_rows() {
    let bench = Bench::edited(&[Edit::replace(
        organization(&["application_users", CLIENT, "roles"]),
        json!(["Basic User"]),
    )])
    .await;
    let body = json!({ "name": "x", "primarycontactid": { "lastname": "y", "Contact_Tasks": [{ "subject": "z" }] }, "contact_customer_accounts": [{ "lastname": "w" }] });
    let seen = send(&bench, Method::POST, "accounts", body).await;
    assert_eq!(seen.status().as_u16(), 204, "{}", seen.message());
}
