//! Collections that come with rows of a list: where the rest of them is, how they are paged, and references in place of rows.

use crate::support::{Bench, HOST, USER, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Map, Value, json};

const ROOT: &str = "/api/data/v9.2/";
const CONTACT: &str = "c0117050-0000-4000-8000-0000000cc001";

/// An id of the lab's own, ascending.
fn id(kind: u8, number: u8) -> String {
    format!("c0117050-0000-4000-8000-00000000{kind:02x}{number:02x}")
}

/// Two accounts: one with five tasks and three contacts, whose primary one is the first, one with nothing.
async fn bench() -> Bench {
    let accounts = json!({
        "one": { "accountid": id(0xa, 1), "name": "One", "accountnumber": "X-1", "_primarycontactid_value": CONTACT },
        "two": { "accountid": id(0xa, 2), "name": "Two", "accountnumber": "X-2" },
    });
    let tasks: Map<String, Value> = (1..=5)
        .map(|number| {
            let row = json!({ "activityid": id(0xb, number), "subject": format!("Task {number}"), "_regardingobjectid_value": id(0xa, 1), "_ownerid_value": USER });
            (format!("t{number}"), row)
        })
        .collect();
    let contact = |contact: &str, name: &str| json!({ "contactid": contact, "lastname": name, "_parentcustomerid_value": id(0xa, 1), "_ownerid_value": USER, "_owninguser_value": USER });
    let contacts = json!({
        "a": contact(CONTACT, "Adams"), "b": contact("c0117050-0000-4000-8000-0000000cc002", "Berg"), "c": contact("c0117050-0000-4000-8000-0000000cc003", "Cole"),
    });
    let rows = |set: &str, rows: Value| Edit::add(organization(&["records", set]), rows);
    Bench::edited(&[
        rows("contacts", contacts),
        rows("accounts", accounts),
        rows("tasks", Value::Object(tasks)),
    ])
    .await
}

async fn get(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> Value {
    let target = format!("{ROOT}{}", path.replace(' ', "%20"));
    let seen = bench.call_with(Method::GET, &target, None, headers).await;
    assert_eq!(seen.status().as_u16(), 200, "{path}: {:?} {}", seen.refusal(), seen.message());
    seen.json()
}

async fn follow(bench: &Bench, link: &Value, headers: &[(&str, &str)]) -> Value {
    let link = link.as_str().unwrap_or_else(|| panic!("no link: {link}"));
    let target = link.strip_prefix(&format!("https://{HOST}")).unwrap();
    let seen = bench.call_with(Method::GET, target, None, headers).await;
    assert_eq!(seen.status().as_u16(), 200, "{link}: {:?} {}", seen.refusal(), seen.message());
    seen.json()
}

fn texts(rows: &Value, name: &str) -> Vec<String> {
    rows.as_array().unwrap().iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

const LIST: &str = "accounts?$select=name&$filter=startswith(accountnumber,'X-')&$orderby=name";

#[tokio::test]
async fn one_level_comes_whole_with_the_address_of_the_collection_and_its_lookup() {
    let bench = bench().await;
    let prefer = [("prefer", "odata.maxpagesize=1")];
    let path = format!(
        "{LIST}&$expand=Account_Tasks($select=subject;$filter=subject ne 'Task 2';$orderby=subject desc),contact_customer_accounts"
    );
    let seen = get(&bench, &path, &prefer).await;
    let rows = seen["value"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "the list itself is paged");
    let row = &rows[0];
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "@odata.etag",
            "name",
            "accountid",
            "Account_Tasks",
            "Account_Tasks@odata.nextLink",
            "contact_customer_accounts",
            "contact_customer_accounts@odata.nextLink"
        ]
    );
    assert_eq!(texts(&row["Account_Tasks"], "subject"), ["Task 5", "Task 4", "Task 3", "Task 1"]);
    let task: Vec<&str> = row["Account_Tasks"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(task, ["@odata.etag", "subject", "_regardingobjectid_value", "activityid"], "as documented");
    let link = &row["Account_Tasks@odata.nextLink"];
    let base = format!("https://{HOST}{ROOT}accounts({})", id(0xa, 1));
    assert_eq!(
        *link,
        format!(
            "{base}/Account_Tasks?$select=subject&$filter=subject%20ne%20'Task%202'&$orderby=subject%20desc"
        )
    );
    assert_eq!(row["contact_customer_accounts@odata.nextLink"], format!("{base}/contact_customer_accounts"));
    // the address gives the same rows, and is paged as any
    let again = follow(&bench, link, &[]).await;
    assert_eq!(texts(&again["value"], "subject"), ["Task 5", "Task 4", "Task 3", "Task 1"]);
    let first = follow(&bench, link, &[("prefer", "odata.maxpagesize=3")]).await;
    let rest = follow(&bench, &first["@odata.nextLink"], &[]).await;
    assert_eq!(
        (texts(&first["value"], "subject").len(), texts(&rest["value"], "subject")),
        (3, vec!["Task 1".to_owned()])
    );

    let second = follow(&bench, &seen["@odata.nextLink"], &prefer).await;
    let row = &second["value"][0];
    assert_eq!((&row["name"], &row["Account_Tasks"]), (&json!("Two"), &json!([])));
    assert!(row["Account_Tasks@odata.nextLink"].is_string(), "of nothing too: {row}");
}

#[tokio::test]
async fn nested_expansions_are_paged_and_each_page_leads_to_the_next() {
    let bench = bench().await;
    let prefer = [("prefer", "odata.maxpagesize=2")];
    let path = format!(
        "{LIST}&$expand=Account_Tasks($select=subject),contact_customer_accounts($select=lastname;$expand=owninguser($select=fullname))"
    );
    let seen = get(&bench, &path, &prefer).await;
    let row = &seen["value"][0];
    assert_eq!(texts(&row["Account_Tasks"], "subject"), ["Task 1", "Task 2"]);
    let task: Vec<&str> = row["Account_Tasks"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(task, ["subject", "activityid"], "neither tag nor lookup, as documented");
    assert_eq!(texts(&row["contact_customer_accounts"], "lastname"), ["Adams", "Berg"]);
    let link = row["Account_Tasks@odata.nextLink"].as_str().unwrap();
    let start = format!(
        "https://{HOST}{ROOT}accounts({})/Account_Tasks?$select=subject&$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie",
        id(0xa, 1)
    );
    assert!(link.starts_with(&start), "{link}");
    let next = follow(&bench, &row["Account_Tasks@odata.nextLink"], &prefer).await;
    assert_eq!(texts(&next["value"], "subject"), ["Task 3", "Task 4"]);
    let last = follow(&bench, &next["@odata.nextLink"], &prefer).await;
    assert_eq!(texts(&last["value"], "subject"), ["Task 5"]);
    assert!(last.get("@odata.nextLink").is_none());
    // a row that goes meanwhile makes no other disappear
    let gone = bench.call(Method::DELETE, &format!("{ROOT}tasks({})", id(0xb, 2)), None).await;
    assert_eq!(gone.status().as_u16(), 204);
    let next = follow(&bench, &row["Account_Tasks@odata.nextLink"], &[]).await;
    assert_eq!(texts(&next["value"], "subject"), ["Task 3", "Task 4", "Task 5"]);
    // what is expanded in a collection is expanded on its next page
    let next = follow(&bench, &row["contact_customer_accounts@odata.nextLink"], &[]).await;
    assert_eq!(texts(&next["value"], "lastname"), ["Cole"]);
    assert_eq!(next["value"][0]["owninguser"]["systemuserid"], USER);
    // nothing is left of the other account
    let row = &seen["value"][1];
    assert_eq!((&row["Account_Tasks"], row.get("Account_Tasks@odata.nextLink")), (&json!([]), None));
}

#[tokio::test]
async fn a_row_on_its_own_has_its_collections_whole_and_no_address() {
    let bench = bench().await;
    let account = format!("accounts({})", id(0xa, 1));
    for expand in [
        "Account_Tasks($select=subject)",
        "Account_Tasks($select=subject),contact_customer_accounts($expand=owninguser)",
    ] {
        let seen = get(
            &bench,
            &format!("{account}?$select=name&$expand={expand}"),
            &[("prefer", "odata.maxpagesize=2")],
        )
        .await;
        assert_eq!(seen["Account_Tasks"].as_array().unwrap().len(), 5, "{expand}");
        assert!(!seen.to_string().contains("nextLink"), "{seen}");
        assert!(seen["Account_Tasks"][0].get("_regardingobjectid_value").is_none(), "{seen}");
    }
}

#[tokio::test]
async fn references_are_addresses_in_place_of_rows() {
    let bench = bench().await;
    let seen = get(&bench, &format!("{LIST}&$expand=primarycontactid/$ref"), &[]).await;
    assert_eq!(
        seen["@odata.context"],
        format!("https://{HOST}{ROOT}$metadata#accounts(name,primarycontactid,primarycontactid/$ref())")
    );
    let (one, two) = (&seen["value"][0], &seen["value"][1]);
    let names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.etag", "name", "_primarycontactid_value", "accountid", "primarycontactid"]);
    assert_eq!(
        one["primarycontactid"],
        json!({ "@odata.id": format!("https://{HOST}{ROOT}contacts({CONTACT})") })
    );
    assert_eq!(one["_primarycontactid_value"], CONTACT);
    assert_eq!((&two["primarycontactid"], &two["_primarycontactid_value"]), (&Value::Null, &Value::Null));
    let account = format!("accounts({})?$select=name&$expand=primarycontactid/$ref", id(0xa, 1));
    let seen = get(&bench, &account, &[]).await;
    assert_eq!(seen["primarycontactid"]["@odata.id"], format!("https://{HOST}{ROOT}contacts({CONTACT})"));
}

#[tokio::test]
async fn the_address_of_a_link_is_that_of_its_row_or_of_its_rows() {
    let bench = bench().await;
    let account = format!("accounts({})", id(0xa, 1));
    let root = format!("https://{HOST}{ROOT}");
    let seen = get(&bench, &format!("{account}/primarycontactid/$ref"), &[]).await;
    assert_eq!(
        seen,
        json!({ "@odata.context": format!("{root}$metadata#$ref"), "@odata.id": format!("{root}contacts({CONTACT})") })
    );
    let prefer = [("prefer", "odata.maxpagesize=3")];
    let seen =
        get(&bench, &format!("{account}/Account_Tasks/$ref?$filter=subject ne 'Task 1'"), &prefer).await;
    assert_eq!(seen["@odata.context"], format!("{root}$metadata#Collection($ref)"));
    let ids = |seen: &Value| texts(&seen["value"], "@odata.id");
    let task = |number| format!("{root}tasks({})", id(0xb, number));
    assert_eq!(ids(&seen), [task(2), task(3), task(4)]);
    assert_eq!(seen["value"][0].as_object().unwrap().len(), 1);
    assert_eq!(ids(&follow(&bench, &seen["@odata.nextLink"], &prefer).await), [task(5)]);
    let nothing = bench.get(&format!("{ROOT}accounts({})/primarycontactid/$ref", id(0xa, 2))).await;
    assert_eq!(nothing.status().as_u16(), 204);
    let path = format!("{ROOT}{account}/Account_Tasks/$ref?$apply=aggregate($count%20as%20n)");
    assert_eq!(bench.get(&path).await.refusal(), (400, "0x80040203".to_owned()));
}
