//! `Accept: application/json;odata.metadata=full`: types, addresses and links beside the values of rows.

use crate::support::{Bench, HOST, Seen, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ACCOUNT: &str = "c0117050-0000-4000-8000-0000000aa001";
const CONTACT: &str = "c0117050-0000-4000-8000-0000000aa002";
const FULL: (&str, &str) = ("accept", "application/json;odata.metadata=full");
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");

async fn bench() -> Bench {
    let contact = json!({ "one": { "contactid": CONTACT, "lastname": "Berg", "birthdate": "1980-02-03" } });
    let account = json!({ "one": { "accountid": ACCOUNT, "name": "One", "accountnumber": "F-1", "revenue": 5_000_000, "numberofemployees": 7, "creditonhold": false, "_primarycontactid_value": CONTACT } });
    let rows = |set: &str, rows: Value| Edit::add(organization(&["records", set]), rows);
    Bench::edited(&[rows("contacts", contact), rows("accounts", account)]).await
}

async fn get(bench: &Bench, path: &str, headers: &[(&str, &str)]) -> Seen {
    let seen = bench.call_with(Method::GET, &format!("{ROOT}{path}"), None, headers).await;
    assert_eq!(seen.status().as_u16(), 200, "{path}: {:?} {}", seen.refusal(), seen.message());
    seen
}

fn names(row: &Value) -> Vec<&str> {
    row.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_row_says_its_type_its_addresses_and_the_types_of_its_values() {
    let bench = bench().await;
    let select = "$select=name,revenue,numberofemployees,creditonhold,createdon,_primarycontactid_value,versionnumber,telephone1,exchangerate";
    let seen = get(&bench, &format!("accounts({ACCOUNT})?{select}"), &[FULL, ALL]).await;
    assert_eq!(seen.header("content-type"), Some("application/json; odata.metadata=full"));
    let row = seen.json();
    assert_eq!(
        names(&row)[..6],
        ["@odata.context", "@odata.type", "@odata.id", "@odata.etag", "@odata.editLink", "name"]
    );
    assert_eq!(row["@odata.type"], "#Microsoft.Dynamics.CRM.account");
    assert_eq!(row["@odata.id"], format!("https://{HOST}{ROOT}accounts({ACCOUNT})"));
    assert_eq!(row["@odata.editLink"], format!("accounts({ACCOUNT})"));
    for (name, kind) in [
        ("revenue", "#Decimal"),
        ("createdon", "#DateTimeOffset"),
        ("_primarycontactid_value", "#Guid"),
        ("versionnumber", "#Int64"),
        ("accountid", "#Guid"),
    ] {
        assert_eq!(row[format!("{name}@odata.type")], kind, "{name}");
    }
    // JSON says it, or there is no value
    for name in ["name", "numberofemployees", "creditonhold", "telephone1"] {
        assert!(row.get(format!("{name}@odata.type")).is_none(), "{name}");
    }
    // behind the other annotations of the value
    let all = names(&row);
    let at =
        |name: &str| all.iter().position(|one| *one == name).unwrap_or_else(|| panic!("{name}: {all:?}"));
    let lookup = at("_primarycontactid_value");
    assert_eq!(lookup, at("_primarycontactid_value@odata.type") + 1);
    assert!(at("_primarycontactid_value@Microsoft.Dynamics.CRM.lookuplogicalname") < lookup - 1);
    assert_eq!(at("revenue@odata.type"), at("revenue@OData.Community.Display.V1.FormattedValue") + 1);
}

#[tokio::test]
async fn links_lead_to_everything_that_belongs_to_a_row() {
    let bench = bench().await;
    let row = get(&bench, &format!("accounts({ACCOUNT})"), &[FULL]).await.json();
    let base = format!("https://{HOST}{ROOT}accounts({ACCOUNT})");
    for name in ["primarycontactid", "Account_Tasks", "contact_customer_accounts", "createdby"] {
        assert_eq!(row[format!("{name}@odata.associationLink")], format!("{base}/{name}/$ref"), "{name}");
        assert_eq!(row[format!("{name}@odata.navigationLink")], format!("{base}/{name}"), "{name}");
    }
    let all = names(&row);
    let first = all.iter().position(|name| name.ends_with("@odata.associationLink")).unwrap();
    assert!(all[first..].iter().all(|name| name.ends_with("Link")), "links come last: {all:?}");
    // they can be followed
    let there = row["primarycontactid@odata.navigationLink"].as_str().unwrap();
    let there = there.strip_prefix(&format!("https://{HOST}{ROOT}")).unwrap();
    let contact = get(&bench, there, &[FULL]).await;
    assert_eq!(contact.header("content-type"), Some("application/json; odata.metadata=full"));
    let contact = contact.json();
    assert_eq!(
        (&contact["@odata.type"], &contact["birthdate@odata.type"]),
        (&json!("#Microsoft.Dynamics.CRM.contact"), &json!("#Date"))
    );
    // of columns that are asked for there are none, as the library has it
    let row = get(
        &bench,
        &format!("accounts({ACCOUNT})?$select=name&$expand=primarycontactid($select=lastname)"),
        &[FULL],
    )
    .await
    .json();
    let links: Vec<&str> = names(&row).into_iter().filter(|name| name.ends_with("navigationLink")).collect();
    assert_eq!(links, ["primarycontactid@odata.navigationLink"]);
    assert_eq!(row["primarycontactid"]["@odata.editLink"], format!("contacts({CONTACT})"));
}

#[tokio::test]
async fn lists_and_written_rows_say_as_much_and_others_as_little_as_before() {
    let bench = bench().await;
    let list = "accounts?$select=name&$filter=accountnumber%20eq%20'F-1'";
    let seen =
        get(&bench, list, &[("accept", "text/plain;q=0.5, application/json; odata.metadata=full")]).await;
    assert_eq!(seen.header("content-type"), Some("application/json; odata.metadata=full"));
    let row = seen.json()["value"][0].clone();
    assert_eq!(
        names(&row),
        [
            "@odata.type",
            "@odata.id",
            "@odata.etag",
            "@odata.editLink",
            "name",
            "accountid@odata.type",
            "accountid"
        ]
    );
    let prefer = ("prefer", "return=representation");
    let seen = bench
        .call_with(
            Method::POST,
            &format!("{ROOT}contacts?$select=lastname"),
            Some(r#"{"lastname":"x"}"#),
            &[FULL, prefer],
        )
        .await;
    assert_eq!(
        (seen.status().as_u16(), seen.header("content-type")),
        (201, Some("application/json; odata.metadata=full"))
    );
    assert_eq!(seen.json()["@odata.type"], "#Microsoft.Dynamics.CRM.contact");
    for accept in [
        "application/json",
        "application/json;odata.metadata=minimal",
        "*/*",
        "text/html;odata.metadata=full",
    ] {
        let seen = get(&bench, list, &[("accept", accept)]).await;
        assert_eq!(seen.header("content-type"), Some("application/json; odata.metadata=minimal"), "{accept}");
        assert_eq!(names(&seen.json()["value"][0]), ["@odata.etag", "name", "accountid"], "{accept}");
    }
}

#[tokio::test]
async fn a_part_of_a_batch_has_its_own_say() {
    let bench = bench().await;
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {ROOT}accounts({ACCOUNT})?$select=name HTTP/1.1\r\nAccept: application/json;odata.metadata=full\r\n\r\n\r\n--b--\r\n"
    );
    let kind = ("content-type", "multipart/mixed; boundary=b");
    let seen = bench.call_with(Method::POST, &format!("{ROOT}$batch"), Some(&body), &[kind]).await;
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    assert!(
        text.contains("Content-Type: application/json; odata.metadata=full; odata.streaming=true\r\n"),
        "{text}"
    );
    assert!(text.contains("\"@odata.editLink\":\"accounts("), "{text}");
}
