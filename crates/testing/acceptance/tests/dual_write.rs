//! What Dual Write does to rows of both products, over real sockets: records that a map takes, one by one and in change sets.

use http::Method;
use mocktenant_diagnosis::Kind;
use mocktenant_testkit::{Client, Edit, Lab, Reply, Setting};
use serde_json::{Value, json};

/// A lab in which both maps run, and a client of each product.
struct Bench {
    lab: Lab,
    aos: Client,
    dataverse: Client,
}

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

impl Bench {
    async fn start() -> Self {
        let lab = Lab::start().await;
        let map =
            Setting::fixed("/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomerGroups");
        lab.apply([Edit::add(map, json!({ "State": "Running" }))]).await;
        let client = async |resource: &str| lab.client().bearer(&lab.client().token(resource).await);
        let (aos, dataverse) = (
            client(&lab.settings().aos["onebox"].resource).await,
            client(&lab.settings().dataverse.resource).await,
        );
        Self { lab, aos, dataverse }
    }

    async fn record(&self, method: Method, path: &str, body: Value) -> u16 {
        let url = format!("{}/data/{path}", self.lab.settings().aos["onebox"].url);
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let reply = self.aos.send(method, &url, &JSON, text).await;
        assert!(reply.status < 300, "{path}: {}", reply.text());
        reply.status
    }

    async fn row(&self, method: Method, path: &str, body: Value) -> Reply {
        let url = format!("{}/api/data/v9.2/{path}", self.lab.settings().dataverse.url).replace(' ', "%20");
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.dataverse.send(method, &url, &JSON, text).await
    }

    async fn rows(&self, path: &str) -> Value {
        self.row(Method::GET, path, Value::Null).await.json()["value"].clone()
    }

    /// Sends a change set; what is answered.
    async fn change_set(&self, parts: &[(&str, &str, Value)]) -> String {
        let part = |(at, (method, path, body)): (usize, &(&str, &str, Value))| {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            format!(
                "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {at}\r\n\r\n\
                 {method} {path} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
            )
        };
        let parts: String = parts.iter().enumerate().map(part).collect();
        let body =
            format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n");
        let url = format!("{}/data/$batch", self.lab.settings().aos["onebox"].url);
        let headers = [("content-type", "multipart/mixed; boundary=b")];
        self.aos.send(Method::POST, &url, &headers, body).await.text()
    }
}

fn customer(account: &str, group: &str) -> Value {
    json!({
        "dataAreaId": "usmf", "CustomerAccount": account, "OrganizationName": account, "PartyType": "Organization",
        "CustomerGroupId": group, "SalesCurrencyCode": "USD",
    })
}

#[tokio::test]
async fn a_group_of_customers_is_made_changed_and_goes_on_both_sides() {
    let bench = Bench::start().await;
    let record = "CustomerGroups(dataAreaId='usmf',CustomerGroupId='77')";
    let described = async || {
        let rows =
            bench.rows("msdyn_customergroups?$select=msdyn_description&$filter=msdyn_groupid eq '77'").await;
        rows.as_array().unwrap().iter().map(|row| row["msdyn_description"].clone()).collect::<Vec<_>>()
    };
    let group = json!({ "dataAreaId": "usmf", "CustomerGroupId": "77", "Description": "made" });
    assert_eq!(bench.record(Method::POST, "CustomerGroups", group).await, 201);
    assert_eq!(described().await, ["made"]);
    for method in [Method::PATCH, Method::PUT] {
        assert_eq!(
            bench.record(method.clone(), record, json!({ "Description": method.as_str() })).await,
            204
        );
        assert_eq!(described().await, [method.as_str()]);
    }
    assert_eq!(bench.record(Method::DELETE, record, Value::Null).await, 204);
    assert_eq!(described().await, [""; 0]);
}

#[tokio::test]
async fn a_refused_change_set_leaves_both_sides_as_they_were() {
    let bench = Bench::start().await;
    bench.record(Method::POST, "PaymentTerms", json!({ "dataAreaId": "usmf", "Name": "Only here" })).await;
    for account in ["S1", "T1"] {
        bench.record(Method::POST, "CustomersV3", customer(account, "30")).await;
        let key = format!("accounts(accountnumber='{account}')");
        let own = json!({ "telephone1": "555", "tickersymbol": "MT" });
        assert_eq!(bench.row(Method::PATCH, &key, own).await.status, 204);
    }
    let parent =
        bench.row(Method::GET, "accounts(accountnumber='T1')?$select=accountid", Value::Null).await.json();
    let contact = json!({ "lastname": "Below",
        "parentcustomerid_account@odata.bind": format!("/accounts({})", parent["accountid"].as_str().unwrap()) });
    assert_eq!(bench.row(Method::POST, "contacts", contact).await.status, 204);
    let seen = async || {
        let accounts = bench.rows("accounts?$filter=startswith(accountnumber,'S1') or startswith(accountnumber,'T1')&$orderby=accountnumber").await;
        (accounts, bench.rows("contacts?$filter=lastname eq 'Below'").await)
    };
    let before = seen().await;
    assert_eq!((before.0.as_array().unwrap().len(), before.1.as_array().unwrap().len()), (2, 1));
    let key = |account: &str| format!("CustomersV3(dataAreaId='usmf',CustomerAccount='{account}')");
    let (one, other) = (key("S1"), key("T1"));
    let mut parts = vec![
        ("PATCH", one.as_str(), json!({ "OrganizationName": "changed" })),
        ("DELETE", other.as_str(), Value::Null),
        ("POST", "CustomerGroups", json!({ "dataAreaId": "usmf", "CustomerGroupId": "78" })),
        ("POST", "CustomersV3", customer("U1", "78")),
        (
            "POST",
            "CustomerGroups",
            json!({ "dataAreaId": "usmf", "CustomerGroupId": "79", "PaymentTermId": "Only here" }),
        ),
    ];
    let refused = bench.change_set(&parts).await;
    assert!(refused.contains("HTTP/1.1 500") && refused.contains("Content-ID: 4"), "{refused}");
    assert!(refused.contains("msdyn_paymentterms"), "{refused}");
    assert_eq!(seen().await, before);
    assert_eq!(bench.rows("msdyn_customergroups?$filter=startswith(msdyn_groupid,'7')").await, json!([]));

    // without the part that is refused all of it arrives, what refers to a row of the same set too
    parts.pop();
    let taken = bench.change_set(&parts).await;
    assert!(!taken.contains("HTTP/1.1 500"), "{taken}");
    let (accounts, contacts) = seen().await;
    assert_eq!(accounts.as_array().unwrap().iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["changed"]);
    assert_eq!(contacts, json!([]), "a contact goes with its account");
    let group =
        "accounts(accountnumber='U1')?$select=name&$expand=msdyn_customergroupid($select=msdyn_groupid)";
    let group = bench.row(Method::GET, group, Value::Null).await.json();
    assert_eq!(group["msdyn_customergroupid"]["msdyn_groupid"], "78");
}

#[tokio::test]
async fn a_change_set_that_dataverse_refuses_is_explained_by_what_refused_it() {
    let bench = Bench::start().await;
    let there = json!({ "name": "There", "accountnumber": "V2" });
    assert_eq!(bench.row(Method::POST, "accounts", there).await.status, 204);
    bench.record(Method::POST, "CustomersV3", customer("W1", "30")).await;
    let accounts = async || bench.rows("accounts?$orderby=accountnumber").await;
    let before = accounts().await;
    let parts = [
        ("DELETE", "CustomersV3(dataAreaId='usmf',CustomerAccount='W1')", Value::Null),
        ("POST", "CustomersV3", customer("V1", "30")),
        ("POST", "CustomersV3", customer("V2", "30")),
    ];
    let refused = bench.change_set(&parts).await;
    assert!(refused.contains("Content-ID: 2") && refused.contains("0x80060892"), "{refused}");
    assert_eq!(accounts().await, before, "what stands before the part that is refused leaves nothing either");
    let url = format!("{}/data/CustomersV3/$count", bench.lab.settings().aos["onebox"].url);
    assert_eq!(bench.aos.get(&url).await.text().trim_start_matches('\u{feff}'), "1");
    let cause = bench.lab.explain_last().unwrap().cause.unwrap();
    assert_eq!((cause.kind, cause.setting.to_string()), (Kind::Caller, "/caller/customer".to_owned()));
    assert_eq!(cause.actual, "part 1: POST accounts");
    // alone it is the same
    let url = format!("{}/data/CustomersV3", bench.lab.settings().aos["onebox"].url);
    assert_eq!(bench.aos.post_json(&url, &customer("V2", "30")).await.status, 400);
    let cause = bench.lab.explain_last().unwrap().cause.unwrap();
    assert_eq!((cause.kind, cause.setting.to_string()), (Kind::Caller, "/caller/customer".to_owned()));
    assert_eq!(cause.actual, "POST /api/data/v9.0/accounts 412");
}
