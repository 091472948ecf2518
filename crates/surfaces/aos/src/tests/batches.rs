//! Many requests in one: parts as if alone, change sets as one unit of work on both sides.

use http::Method;

use super::odata::{customer, unlinked};
use super::*;

struct Part<'p> {
    method: &'p str,
    target: &'p str,
    body: Option<Value>,
}

fn part<'p>(method: &'p str, target: &'p str, body: Option<Value>) -> Part<'p> {
    Part { method, target, body }
}

/// Parts on their own, between delimiters.
fn written(boundary: &str, parts: &[Part<'_>]) -> String {
    let one = |(at, Part { method, target, body }): (usize, &Part<'_>)| {
        let (id, body) = (at + 1, body.as_ref().map(Value::to_string).unwrap_or_default());
        let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary";
        let request = format!("{method} {target} HTTP/1.1\r\nContent-Type: application/json");
        format!("--{boundary}\r\n{head}\r\nContent-ID: {id}\r\n\r\n{request}\r\n\r\n{body}\r\n")
    };
    let parts: Vec<String> = parts.iter().enumerate().map(one).collect();
    format!("{}--{boundary}--\r\n", parts.concat())
}

fn in_set(parts: &[Part<'_>]) -> String {
    format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{}--b--\r\n", written("c", parts))
}

async fn sent(bench: &Bench, text: &str) -> (Response, String) {
    let mut request = request(Method::POST, "/data/$batch", Some(&good_token()), Some(text));
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/mixed; boundary=b"));
    let response = bench.send(request).await;
    let text = String::from_utf8(response.body.to_vec()).unwrap();
    (response, text)
}

/// The status of every part, in order.
fn statuses(text: &str) -> Vec<u16> {
    text.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).collect()
}

#[tokio::test]
async fn parts_are_answered_in_order_as_if_each_had_come_alone() {
    let bench = unlinked().await;
    let absolute = format!("{URL}/data/CustomerGroups");
    let parts = [
        part("GET", "Currencies('USD')?$select=Name", None),
        part("POST", &absolute, Some(json!({ "CustomerGroupId": "41" }))),
        part("GET", "/data/CustomerGroups/$count", None),
    ];
    let (response, text) = sent(&bench, &written("b", &parts)).await;
    assert_eq!(response.status, 200, "{text}");
    let kind = response.headers["content-type"].to_str().unwrap();
    let boundary = kind.strip_prefix("multipart/mixed; boundary=").unwrap();
    assert!(text.starts_with(&format!("--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\n")), "{text}");
    assert!(text.ends_with(&format!("--{boundary}--\r\n")));
    assert_eq!(statuses(&text), [200, 201, 200]);
    assert!(text.contains("\"Name\":\"US Dollar\"") && text.contains("\u{feff}4"), "{text}");
    let place = format!("Location: {URL}/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='41')\r\n");
    assert!(text.contains(&place) && text.contains("\r\nETag: W/"), "{text}");
}

#[tokio::test]
async fn the_first_part_that_fails_is_the_last_unless_it_is_asked_otherwise() {
    let bench = unlinked().await;
    let parts = [
        part("GET", "Nothing", None),
        part("POST", "CustomerGroups", Some(json!({ "CustomerGroupId": "10" }))),
        part("GET", "Currencies('USD')", None),
    ];
    let text = written("b", &parts);
    let (response, answer) = sent(&bench, &text).await;
    assert_eq!((response.status.as_u16(), statuses(&answer)), (200, vec![404]));
    let mut request = request(Method::POST, "/data/$batch", Some(&good_token()), Some(&text));
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("multipart/mixed; boundary=b"));
    request.headers.insert("prefer", HeaderValue::from_static("odata.continue-on-error"));
    let response = bench.send(request).await;
    let answer = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(statuses(&answer), [404, 500, 200], "a write that is refused is 500 here");
    assert!(
        answer.contains("Content-Type: application/json; odata.metadata=minimal; charset=utf-8\r\n"),
        "{answer}"
    );
    assert!(answer.contains("Cannot create a record in Customer groups (CustGroup). Customer group: 10"));
}

#[tokio::test]
async fn a_change_set_is_made_whole_and_its_parts_see_each_other() {
    let bench = unlinked().await;
    let mut row = customer("DE-020");
    row["CustomerGroupId"] = json!("42");
    let parts = [
        part("POST", "CustomerGroups", Some(json!({ "CustomerGroupId": "42", "Description": "New" }))),
        part("POST", "CustomersV3", Some(row)),
        part("PATCH", "$2", Some(json!({ "SalesMemo": "changed in its own set" }))),
        part("DELETE", "CustomerGroups(dataAreaId='usmf',CustomerGroupId='80')", None),
    ];
    let (response, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!((response.status.as_u16(), statuses(&text)), (200, vec![201, 201, 204, 204]), "{text}");
    assert!(text.contains("changesetresponse_") && text.contains("\r\nContent-ID: 2\r\n"), "{text}");
    let read = body(&bench.get("/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-020')").await);
    assert_eq!(read["SalesMemo"], "changed in its own set");
    assert_eq!(bench.get("/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='80')").await.status, 404);
}

#[tokio::test]
async fn one_refused_part_of_a_change_set_undoes_the_others() {
    let bench = unlinked().await;
    let parts = [
        part("POST", "CustomerGroups", Some(json!({ "CustomerGroupId": "43" }))),
        part("POST", "CustomerGroups", Some(json!({ "CustomerGroupId": "10" }))),
    ];
    let (response, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!((response.status.as_u16(), statuses(&text)), (200, vec![500]), "{text}");
    assert!(text.contains("\r\nContent-ID: 2\r\n"), "the part that was refused: {text}");
    let record = bench.last();
    assert_eq!(record.fact("part").unwrap().value, "1: POST CustomerGroups 500 Internal Server Error");
    assert_eq!(record.error.as_deref(), Some("400 duplicate"));
    assert_eq!(bench.get("/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='43')").await.status, 404);
}

#[tokio::test]
async fn a_change_set_goes_to_dataverse_as_one_and_what_is_refused_there_leaves_nothing_here() {
    let map = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomerGroups";
    let bench = Bench::edited(&[set(map, json!({ "State": "Running" }))]).await;
    let mut second = customer("DE-022");
    second["OrganizationName"] = json!("Refused");
    second["CustomerGroupId"] = json!("50");
    let parts = [
        part("POST", "CustomerGroups", Some(json!({ "CustomerGroupId": "50", "Description": "New" }))),
        part("POST", "CustomersV3", Some(customer("DE-021"))),
        part("POST", "CustomersV3", Some(second)),
    ];
    let account = |account: &str| format!("/data/CustomersV3(dataAreaId='usmf',CustomerAccount='{account}')");
    bench.wire.script_body(Method::POST, "/accounts", "Refused", Ok((500, String::new())));
    let (response, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!((response.status.as_u16(), statuses(&text)), (200, vec![500]), "{text}");
    assert!(
        text.contains("Unable to write data to entity accounts.") && text.contains("Content-ID: 3\r\n"),
        "{text}"
    );
    assert_eq!(bench.wire.calls(&Method::POST, "/$batch").len(), 1, "and nothing is to be taken back");
    for refused in ["DE-021", "DE-022"] {
        assert_eq!(bench.get(&account(refused)).await.status, 404, "{refused}");
    }
    bench.wire.script_body(Method::POST, "/accounts", "Refused", Ok((204, String::new())));
    let (_, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!(statuses(&text), [201, 201, 201], "{text}");
    let operations = bench.wire.operations();
    let [.., group, first, second] = operations.as_slice() else { panic!("{operations:?}") };
    assert_eq!((&*group.0, &*group.1), ("POST", "msdyn_customergroups"));
    let group_of =
        |operation: &(String, String, Value)| operation.2["msdyn_customergroupid@odata.bind"].clone();
    assert_eq!(group_of(first), "/msdyn_customergroups(group-30)");
    assert_eq!(group_of(second), "$1", "what the set makes has no id yet");
}

#[tokio::test]
async fn what_a_change_set_deletes_is_looked_for_and_what_it_made_itself_is_not() {
    let bench = Bench::new().await;
    assert_eq!(bench.post(&customer("DE-031")).await.status, 201);
    assert_eq!(bench.post(&customer("DE-032")).await.status, 201);
    let key = |account: &str| format!("CustomersV3(dataAreaId='usmf',CustomerAccount='{account}')");
    let (one, other, new) = (key("DE-031"), key("DE-032"), key("DE-033"));
    let parts = [
        part("DELETE", &one, None),
        part("DELETE", &other, None),
        part("POST", "CustomersV3", Some(customer("DE-033"))),
        part("DELETE", &new, None),
    ];
    let nothing = json!({ "value": [] }).to_string();
    bench.wire.script(Method::GET, "DE-032", Ok((200, nothing)));
    let (_, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!(statuses(&text), [204; 4], "{text}");
    let asked: Vec<_> =
        bench.wire.operations().into_iter().map(|(method, target, _)| format!("{method} {target}")).collect();
    assert_eq!(
        asked,
        [
            "DELETE accounts(accountnumber='DE-031')",
            "POST accounts",
            "DELETE accounts(accountnumber='DE-033')"
        ]
    );
    let looked = bench.wire.calls(&Method::GET, "/accounts?");
    assert_eq!(looked.len(), 2, "{looked:?}");
}

#[tokio::test]
async fn lines_of_one_set_are_numbered_one_after_the_other() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-023")).await.status, 201);
    let item = json!({ "ItemNumber": "A1", "ProductNumber": "A1" });
    let line = json!({ "SalesOrderNumber": "SO-1", "ItemNumber": "A1" });
    let order = json!({
        "SalesOrderNumber": "SO-1", "OrderingCustomerAccountNumber": "DE-023",
        "InvoiceCustomerAccountNumber": "DE-023", "CurrencyCode": "EUR",
    });
    let parts = [
        part("POST", "ReleasedProductsV2", Some(item)),
        part("POST", "SalesOrderHeadersV2", Some(order)),
        part("POST", "SalesOrderLines", Some(line.clone())),
        part("POST", "SalesOrderLines", Some(line)),
    ];
    let (_, text) = sent(&bench, &in_set(&parts)).await;
    assert_eq!(statuses(&text), [201, 201, 201, 201], "{text}");
    let page =
        body(&bench.get("/data/SalesOrderLines?$select=LineNumber,InventoryLotId&$orderby=LineNumber").await);
    let numbers: Vec<(&Value, &Value)> = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (&row["LineNumber"], &row["InventoryLotId"]))
        .collect();
    assert_eq!(numbers, [(&json!(1), &json!("USMF-000001")), (&json!(2), &json!("USMF-000002"))]);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_whole() {
    let bench = unlinked().await;
    let (response, _) = sent(&bench, "--b\r\n").await;
    assert_eq!((response.status.as_u16(), bench.last().error.as_deref()), (400, Some("400 batch")));
    let json = request(Method::POST, "/data/$batch", Some(&good_token()), Some("{}"));
    assert_eq!(bench.send(json).await.status, 415);
    let within = [part("POST", "/data/$batch", None), part("GET", "/nowhere", None)];
    let (response, text) = sent(&bench, &written("b", &within)).await;
    assert_eq!((response.status.as_u16(), statuses(&text)), (200, vec![404]), "no batch in a batch: {text}");
    let outside = [part("GET", "/nowhere/Currencies", None)];
    let (_, text) = sent(&bench, &written("b", &outside)).await;
    assert_eq!(statuses(&text), [404]);
}

/// Calls to Dataverse and to the provider of tokens, so far.
fn outgoing(bench: &Bench) -> (usize, usize) {
    let all = |part: &str| {
        let methods = [Method::GET, Method::POST, Method::PATCH, Method::DELETE];
        methods.iter().map(|method| bench.wire.calls(method, part).len()).sum()
    };
    (all("/api/data/"), all("/oauth2/token"))
}

#[tokio::test]
async fn outgoing_calls_are_as_many_however_many_records_a_change_set_has() {
    let map = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomerGroups";
    for size in [1, 10, 100] {
        let bench = Bench::edited(&[set(map, json!({ "State": "Running" }))]).await;
        let group = |at: usize| format!("CustomerGroups(dataAreaId='usmf',CustomerGroupId='G{at}')");
        let account = |at: usize| format!("CustomersV3(dataAreaId='usmf',CustomerAccount='C{at}')");
        let (groups, accounts): (Vec<String>, Vec<String>) =
            ((0..size).map(group).collect(), (0..size).map(account).collect());
        let created = |at: usize| Some(json!({ "CustomerGroupId": format!("G{at}"), "Description": "Many" }));
        // a company, a group and a currency are looked for, then all of it is written at once; of what goes each is looked for,
        // unless it goes alone
        let (all, looks) = (1, if size == 1 { 0 } else { size });
        let sets: [(&str, Vec<Part<'_>>, usize); 6] = [
            (
                "groups made",
                (0..size).map(|at| part("POST", "CustomerGroups", created(at))).collect(),
                1 + all,
            ),
            (
                "customers made",
                (0..size).map(|at| part("POST", "CustomersV3", Some(customer(&format!("C{at}"))))).collect(),
                3 + all,
            ),
            (
                "groups changed",
                groups.iter().map(|key| part("PATCH", key, Some(json!({ "Description": "Few" })))).collect(),
                1 + all,
            ),
            (
                "customers changed",
                accounts.iter().map(|key| part("PATCH", key, Some(json!({ "SalesMemo": "x" })))).collect(),
                3 + all,
            ),
            ("customers gone", accounts.iter().map(|key| part("DELETE", key, None)).collect(), looks + all),
            ("groups gone", groups.iter().map(|key| part("DELETE", key, None)).collect(), 1 + looks + all),
        ];
        for (what, parts, calls) in sets {
            let (before, _) = outgoing(&bench);
            let (response, text) = sent(&bench, &in_set(&parts)).await;
            assert_eq!((response.status.as_u16(), statuses(&text).len()), (200, size), "{what}: {text}");
            assert!(statuses(&text).iter().all(|status| *status < 300), "{what}: {text}");
            assert_eq!(outgoing(&bench).0 - before, calls, "{what}, {size} in one set");
        }
        assert_eq!(outgoing(&bench).1, 1, "one token for all of them");
        // alone it is as many
        let (before, _) = outgoing(&bench);
        assert_eq!(bench.post(&customer("ALONE")).await.status, 201);
        assert_eq!(outgoing(&bench), (before + 4, 1));
    }
}
