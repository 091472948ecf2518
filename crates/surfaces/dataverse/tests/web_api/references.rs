//! `$ref`: two rows are joined and taken apart, from either side, by whatever address names the other one.

use crate::support::{Bench, HOST, Seen};
use http::Method;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ABSENT: &str = "c0117050-0000-4000-8000-0000000fffff";

/// An account and a contact, which have nothing to do with each other.
struct Pair {
    bench: Bench,
    account: String,
    contact: String,
}

impl Pair {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let account = made(&bench, "accounts", json!({ "name": "Fabrikam" })).await;
        let contact = made(&bench, "contacts", json!({ "lastname": "Berg" })).await;
        Self { bench, account, contact }
    }

    async fn send(&self, method: Method, path: &str, to: Option<&str>) -> Seen {
        let body = to.map(|to| json!({ "@odata.id": to }).to_string());
        self.bench.call(method, &format!("{ROOT}{path}"), body.as_deref()).await
    }

    async fn done(&self, method: Method, path: &str, to: Option<&str>) {
        let seen = self.send(method.clone(), path, to).await;
        assert_eq!(seen.status().as_u16(), 204, "{method} {path}: {:?}", seen.refusal());
    }

    /// What a lookup of a row is.
    async fn lookup(&self, row: &str, name: &str) -> Value {
        self.bench.get(&format!("{ROOT}{row}?$select={name}")).await.json()[name].clone()
    }

    fn contact_id(&self) -> &str {
        self.contact.split_once('(').unwrap().1.trim_end_matches(')')
    }

    fn account_id(&self) -> &str {
        self.account.split_once('(').unwrap().1.trim_end_matches(')')
    }
}

async fn made(bench: &Bench, set: &str, body: Value) -> String {
    let seen = bench.call(Method::POST, &format!("{ROOT}{set}"), Some(&body.to_string())).await;
    seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_collection_takes_a_row_in_and_lets_it_go() {
    let pair = Pair::new().await;
    let links = format!("{}/contact_customer_accounts", pair.account);
    // absolute, as documented; relative; with the double slash that the samples in JavaScript have; a link that is there already
    for address in [
        format!("https://{HOST}{ROOT}{}", pair.contact),
        pair.contact.clone(),
        format!("https://{HOST}/api/data/v9.2//{}", pair.contact),
        format!("https://{HOST}/api/data/v9.2//{}", pair.contact),
    ] {
        pair.done(Method::POST, &format!("{links}/$ref"), Some(&address)).await;
        assert_eq!(
            pair.lookup(&pair.contact, "_parentcustomerid_value").await,
            pair.account_id(),
            "{address}"
        );
    }
    assert_eq!(
        pair.lookup(&pair.contact, "_accountid_value").await,
        pair.account_id(),
        "what is derived of it follows"
    );
    pair.done(Method::DELETE, &format!("{links}({})/$ref", pair.contact_id()), None).await;
    assert_eq!(pair.lookup(&pair.contact, "_parentcustomerid_value").await, Value::Null);
    assert_eq!(pair.lookup(&pair.contact, "_accountid_value").await, Value::Null);

    pair.done(Method::POST, &format!("{links}/$ref"), Some(&pair.contact)).await;
    let address = format!("https://{HOST}{ROOT}{}", pair.contact);
    pair.done(Method::DELETE, &format!("{links}/$ref?$id={address}"), None).await;
    assert_eq!(pair.lookup(&pair.contact, "_parentcustomerid_value").await, Value::Null);
}

#[tokio::test]
async fn a_lookup_is_set_from_its_own_row_and_emptied() {
    let pair = Pair::new().await;
    let link = format!("{}/primarycontactid/$ref", pair.account);
    pair.done(Method::PUT, &link, Some(&pair.contact)).await;
    assert_eq!(pair.lookup(&pair.account, "_primarycontactid_value").await, pair.contact_id());
    // seen from the other side
    let partner = format!("{ROOT}{}/account_primary_contact?$select=name", pair.contact);
    assert_eq!(pair.bench.get(&partner).await.json()["value"][0]["accountid"], pair.account_id());
    pair.done(Method::DELETE, &link, None).await;
    assert_eq!(pair.lookup(&pair.account, "_primarycontactid_value").await, Value::Null);
    // and joined from there
    pair.done(Method::POST, &format!("{}/account_primary_contact/$ref", pair.contact), Some(&pair.account))
        .await;
    assert_eq!(pair.lookup(&pair.account, "_primarycontactid_value").await, pair.contact_id());
}

#[tokio::test]
async fn a_link_leads_to_a_row_that_is_there_and_of_the_right_table() {
    let pair = Pair::new().await;
    let links = format!("{}/contact_customer_accounts", pair.account);
    let add = format!("{links}/$ref");
    let missing = Some(format!("contacts({ABSENT})"));
    for (method, path, to, refusal) in [
        (Method::POST, add.clone(), missing.clone(), (404, "0x80040217")),
        (Method::POST, add.clone(), Some(pair.account.clone()), (400, "0x80060888")),
        (Method::POST, add.clone(), Some(format!("contact({ABSENT})")), (400, "0x80060888")),
        (Method::POST, add.clone(), Some(pair.contact_id().to_owned()), (400, "0x80060888")),
        (
            Method::POST,
            format!("accounts({ABSENT})/contact_customer_accounts/$ref"),
            Some(pair.contact.clone()),
            (404, "0x80040217"),
        ),
        (Method::PUT, format!("{}/primarycontactid/$ref", pair.account), missing, (404, "0x80040217")),
        // which is not linked
        (Method::DELETE, format!("{links}({})/$ref", pair.contact_id()), None, (404, "0x80040217")),
        (Method::DELETE, format!("{links}({ABSENT})/$ref"), None, (404, "0x80040217")),
        (Method::DELETE, add.clone(), None, (400, "0x80060888")),
    ] {
        let seen = pair.send(method.clone(), &path, to.as_deref()).await;
        let (status, code) = seen.refusal();
        assert_eq!((status, code.as_str()), refusal, "{method} {path} {to:?}");
    }
    let seen = pair.bench.call(Method::POST, &format!("{ROOT}{add}"), Some("{}")).await;
    assert_eq!(seen.refusal().0, 400, "a body without an address");
    let seen = pair.send(Method::PATCH, &add, Some(&pair.contact)).await;
    assert_eq!(seen.refusal().0, 405);
    let seen = pair.send(Method::POST, &format!("{}/nonsense/$ref", pair.account), Some(&pair.contact)).await;
    assert_eq!(seen.refusal().0, 404);
    assert_eq!(pair.lookup(&pair.contact, "_parentcustomerid_value").await, Value::Null);
}

#[tokio::test]
async fn who_made_a_row_is_no_link_that_a_client_sets() {
    let pair = Pair::new().await;
    let other = "systemusers(c0117050-0000-4000-8000-0000000d1002)";
    for name in ["createdby", "modifiedby", "owningbusinessunit"] {
        let column = format!("_{name}_value");
        let before = pair.lookup(&pair.contact, &column).await;
        let to = if name == "owningbusinessunit" {
            "businessunits(c0117050-0000-4000-8000-0000000d0002)"
        } else {
            other
        };
        pair.done(Method::PUT, &format!("{}/{name}/$ref", pair.contact), Some(to)).await;
        pair.done(Method::DELETE, &format!("{}/{name}/$ref", pair.contact), None).await;
        assert_eq!(pair.lookup(&pair.contact, &column).await, before, "{name}");
    }
}

#[tokio::test]
async fn a_link_changes_the_version_of_the_row_that_has_the_lookup() {
    let pair = Pair::new().await;
    let tag =
        async |row: &str| pair.bench.get(&format!("{ROOT}{row}")).await.header("etag").unwrap().to_owned();
    let before = (tag(&pair.account).await, tag(&pair.contact).await);
    pair.done(Method::POST, &format!("{}/contact_customer_accounts/$ref", pair.account), Some(&pair.contact))
        .await;
    assert_eq!(tag(&pair.account).await, before.0);
    assert_ne!(tag(&pair.contact).await, before.1);
}

#[tokio::test]
async fn a_column_that_is_never_empty_is_not_emptied() {
    let pair = Pair::new().await;
    let (account, bench) = (pair.account.as_str(), &pair.bench);
    let before = bench.get(&format!("{ROOT}{account}")).await.json();
    let (null, status) = (json!({ "value": null }), json!({ "statecode": null, "statuscode": 1 }));
    let owner = json!({ "ownerid@odata.bind": null });
    for (column, method, path, body) in [
        ("statecode", Method::PATCH, "", Some(json!({ "statecode": null }))),
        ("statuscode", Method::PATCH, "", Some(json!({ "statuscode": null }))),
        ("statecode", Method::PATCH, "", Some(status)),
        ("statecode", Method::PUT, "/statecode", Some(null.clone())),
        ("statuscode", Method::PUT, "/statuscode", Some(null)),
        ("statecode", Method::DELETE, "/statecode", None),
        ("statuscode", Method::DELETE, "/statuscode", None),
        ("ownerid", Method::PATCH, "", Some(owner.clone())),
        ("ownerid", Method::PATCH, "", Some(json!({ "ownerid": null }))),
        ("ownerid", Method::DELETE, "/ownerid/$ref", None),
    ] {
        let body = body.map(|body| body.to_string());
        let seen = bench.call(method.clone(), &format!("{ROOT}{account}{path}"), body.as_deref()).await;
        assert_eq!(seen.refusal(), (400, "0x8004431a".to_owned()), "{method} {path} {body:?}");
        let words = format!("The value null of '{column}' on record of type 'account'");
        assert!(seen.message().contains(&words), "{method} {path}: {}", seen.message());
        assert_eq!(bench.get(&format!("{ROOT}{account}")).await.json(), before, "{method} {path}");
    }
    let role = "roles(c0117050-0000-4000-8000-0000000d2002)";
    let unit = pair.lookup(role, "_businessunitid_value").await;
    let body = json!({ "businessunitid@odata.bind": null }).to_string();
    for (method, path, body) in [
        (Method::PATCH, role.to_owned(), Some(body.as_str())),
        (Method::DELETE, format!("{role}/businessunitid/$ref"), None),
    ] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{path}"), body).await;
        assert_eq!(seen.refusal(), (400, "0x8004431a".to_owned()), "{method} {path}");
        assert_eq!(pair.lookup(role, "_businessunitid_value").await, unit, "{method} {path}");
    }
    // nor is one that is made, except that a state said to be null is the first one, as where nothing is said of it
    let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&owner.to_string())).await;
    assert_eq!(seen.refusal(), (400, "0x8004431a".to_owned()));
    let made = made(bench, "accounts", json!({ "statecode": null, "statuscode": null })).await;
    assert_eq!(
        (pair.lookup(&made, "statecode").await, pair.lookup(&made, "statuscode").await),
        (json!(0), json!(1))
    );
}
