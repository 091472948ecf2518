//! Rows: created, read, changed, listed and deleted, by id and by alternate key.

use crate::support::{Bench, EURO, HOST, USER};
use http::Method;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const BY_NUMBER: &str = "/api/data/v9.2/accounts(accountnumber='DE-010')";
const ABSENT: &str = "/api/data/v9.2/accounts(00000000-0000-0000-0000-00000000dead)";

const CUSTOMER: &str = r#"{
    "accountnumber": "DE-010", "name": "Forest Wholesales", "customertypecode": 3, "creditlimit": 1500.5,
    "emailaddress1": "orders@forest-wholesales.example", "address1_city": "Berlin",
    "transactioncurrencyid@odata.bind": "/transactioncurrencies(isocurrencycode='EUR')",
    "msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='USMF')",
    "msdyn_customergroupid@odata.bind": "https://contoso.crm4.dynamics.com/api/data/v9.0/msdyn_customergroups(c0117050-0000-4000-8000-0000000e1030)"
}"#;

async fn with_customer() -> (Bench, String) {
    let bench = Bench::new().await;
    let seen = bench.call(Method::POST, ACCOUNTS, Some(CUSTOMER)).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.response.body);
    let address = seen.header("odata-entityid").unwrap().to_owned();
    assert_eq!(seen.header("location"), Some(address.as_str()));
    assert!(seen.response.body.is_empty());
    let path = address.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
    (bench, path)
}

#[tokio::test]
async fn the_service_document_lists_every_set_a_client_can_then_read() {
    let bench = Bench::new().await;
    let seen = bench.get("/api/data/v9.2/").await;
    assert_eq!((seen.status().as_u16(), seen.header("odata-version")), (200, Some("4.0")));
    assert!(String::from_utf8_lossy(&seen.response.body).starts_with(&format!(
        "{{\"@odata.context\":\"https://{HOST}/api/data/v9.2/$metadata\",\"value\":[{{\"name\":\"accounts\",\"kind\":\"EntitySet\",\"url\":\"accounts\"}},"
    )));
    for set in seen.json()["value"].as_array().unwrap() {
        let url = set["url"].as_str().unwrap();
        assert_eq!(bench.get(&format!("/api/data/v9.2/{url}?$top=1")).await.status().as_u16(), 200, "{url}");
    }
    assert_eq!(bench.get("/api/data/v9.2").await.json(), seen.json(), "with and without the slash");
    let stranger = bench.send(Method::GET, "/api/data/v9.2/", None, &[]).await;
    assert_eq!(stranger.status().as_u16(), 401);
}

#[tokio::test]
async fn a_customer_is_created_and_read_by_id_and_by_number() {
    let (bench, path) = with_customer().await;
    let by_id = bench.get(&path).await.json();
    assert_eq!(by_id, bench.get(BY_NUMBER).await.json());
    assert_eq!(
        by_id,
        bench.get("/api/data/v9.2/accounts(accountnumber='de-010')").await.json(),
        "no letter case"
    );
    assert_eq!(by_id["@odata.context"], format!("https://{HOST}/api/data/v9.2/$metadata#accounts/$entity"));
    assert!(by_id["@odata.etag"].as_str().unwrap().starts_with("W/\""));
    assert!(path.contains(by_id["accountid"].as_str().unwrap()));
    for (column, value) in [
        ("name", json!("Forest Wholesales")),
        ("creditlimit", json!(1500.5)),
        ("customertypecode", json!(3)),
        ("fax", json!(null)),
        ("_transactioncurrencyid_value", json!(EURO)),
        ("_msdyn_company_value", json!("c0117050-0000-4000-8000-0000000e0001")),
        ("_msdyn_customergroupid_value", json!("c0117050-0000-4000-8000-0000000e1030")),
        ("_ownerid_value", json!(USER)),
        ("_createdby_value", json!(USER)),
        ("createdon", json!("2026-03-01T12:00:00Z")),
        ("statecode", json!(0)),
        ("statuscode", json!(1)),
    ] {
        assert_eq!(by_id.get(column), Some(&value), "{column}");
    }
}

#[tokio::test]
async fn a_selection_has_the_chosen_columns_and_the_id() {
    let (bench, path) = with_customer().await;
    let row = bench.get(&format!("{path}?$select=name,accountnumber")).await.json();
    let names: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["@odata.context", "@odata.etag", "name", "accountnumber", "accountid"]);
    assert_eq!(
        row["@odata.context"],
        format!("https://{HOST}/api/data/v9.2/$metadata#accounts(name,accountnumber)/$entity")
    );
}

#[tokio::test]
async fn a_caller_that_prefers_the_row_gets_it() {
    let bench = Bench::new().await;
    let prefer = [("prefer", "return=representation,odata.include-annotations=\"*\"")];
    let target = format!("{ACCOUNTS}?$select=name,_transactioncurrencyid_value");
    let seen = bench.call_with(Method::POST, &target, Some(CUSTOMER), &prefer).await;
    assert_eq!(seen.status().as_u16(), 201);
    assert!(seen.header("preference-applied").unwrap().contains("return=representation"));
    let body = seen.json();
    let id = body["accountid"].as_str().unwrap();
    assert_eq!(seen.header("location").unwrap(), format!("https://{HOST}/api/data/v9.2/accounts({id})"));
    assert_eq!(body["_transactioncurrencyid_value@OData.Community.Display.V1.FormattedValue"], "Euro");
    assert_eq!(
        body["_transactioncurrencyid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "transactioncurrencyid"
    );
    assert_eq!(
        body["_transactioncurrencyid_value@Microsoft.Dynamics.CRM.lookuplogicalname"],
        "transactioncurrency"
    );
    let seen = bench.call_with(Method::PATCH, BY_NUMBER, Some(r#"{"name":"New"}"#), &prefer).await;
    assert_eq!((seen.status().as_u16(), &seen.json()["name"]), (200, &json!("New")));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_the_version() {
    let (bench, path) = with_customer().await;
    let before = bench.get(&path).await.json();
    let body = r#"{"name":"Black Forest","fax":"1","emailaddress1":null,"createdon":"2001-01-01T00:00:00Z","transactioncurrencyid":null}"#;
    let seen = bench.call(Method::PATCH, &path, Some(body)).await;
    assert_eq!(seen.status().as_u16(), 204);
    assert!(seen.header("odata-entityid").unwrap().ends_with(&path));
    let after = bench.get(&path).await.json();
    assert_eq!((&after["name"], &after["fax"]), (&json!("Black Forest"), &json!("1")));
    assert_eq!(after["emailaddress1"], Value::Null);
    // a row with money is never without a currency
    let dollars = "c0117050-0000-4000-8000-0000000e2001";
    assert_eq!(after["_transactioncurrencyid_value"], dollars);
    assert_eq!(
        (&after["address1_city"], &after["createdon"]),
        (&before["address1_city"], &before["createdon"])
    );
    assert_ne!(after["@odata.etag"], before["@odata.etag"]);
}

#[tokio::test]
async fn a_patch_without_conditions_creates_what_is_not_there() {
    let bench = Bench::new().await;
    let id = "a0000000-0000-4000-8000-000000000001";
    let target = format!("/api/data/v9.2/accounts({id})");
    for name in ["first", "second"] {
        let seen = bench.call(Method::PATCH, &target, Some(&format!(r#"{{"name":"{name}"}}"#))).await;
        assert_eq!(seen.status().as_u16(), 204);
        assert_eq!(seen.header("odata-entityid").unwrap(), format!("https://{HOST}{target}"));
        assert_eq!(bench.get(&target).await.json()["name"], name);
    }
    let by_key = "/api/data/v9.2/accounts(accountnumber='N-1')";
    for name in ["first", "second"] {
        let body = format!(r#"{{"name":"{name}","accountnumber":"ignored"}}"#);
        assert_eq!(bench.call(Method::PATCH, by_key, Some(&body)).await.status().as_u16(), 204);
        let row = bench.get(by_key).await.json();
        assert_eq!((&row["name"], &row["accountnumber"]), (&json!(name), &json!("N-1")));
    }
}

#[tokio::test]
async fn conditions_decide_between_change_and_creation() {
    let (bench, path) = with_customer().await;
    let old = bench.get(&path).await.json()["@odata.etag"].as_str().unwrap().to_owned();
    let patch = async |target: &str, condition: (&str, &str)| {
        bench.call_with(Method::PATCH, target, Some(r#"{"name":"x"}"#), &[condition]).await.refusal()
    };
    let code = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(patch(ABSENT, ("if-match", "*")).await, code(404, "0x80040217"));
    assert_eq!(
        patch("/api/data/v9.2/accounts(accountnumber='N')", ("if-match", "*")).await,
        code(404, "0x80060891")
    );
    assert_eq!(patch(&path, ("if-none-match", "*")).await, code(412, "0x80040237"));
    assert_eq!(patch(&path, ("if-match", "W/\"1\"")).await, code(412, "0x80060882"));
    assert_eq!(patch(&path, ("if-match", "nonsense")).await, code(412, "0x80060882"));
    assert_eq!(patch(ABSENT, ("if-match", "W/\"1\"")).await, code(404, "0x80040217"));
    assert_eq!(patch(&path, ("if-match", &old)).await, code(204, ""));
    assert_eq!(patch(&path, ("if-match", &old)).await, code(412, "0x80060882"));
    assert_eq!(patch(&path, ("if-match", "*")).await, code(204, ""));
    assert_eq!(patch(ABSENT, ("if-none-match", "*")).await, code(204, ""));
    assert_eq!(patch(&path, ("if-none-match", "null")).await, code(204, ""));
}

#[tokio::test]
async fn a_row_that_the_client_has_is_not_sent_again() {
    let (bench, path) = with_customer().await;
    let tag = bench.get(&path).await.json()["@odata.etag"].as_str().unwrap().to_owned();
    let conditional = async |tag: &str| {
        bench.call_with(Method::GET, &path, None, &[("if-none-match", tag)]).await.status().as_u16()
    };
    assert_eq!(conditional(&tag).await, 304);
    assert_eq!(conditional("null").await, 200);
    assert_eq!(conditional("W/\"1\"").await, 200);
}

#[tokio::test]
async fn a_deleted_row_is_gone() {
    let (bench, path) = with_customer().await;
    let seen = bench.call_with(Method::DELETE, &path, None, &[("if-match", "W/\"1\"")]).await;
    assert_eq!(seen.refusal(), (412, "0x80060882".to_owned()));
    let seen = bench.call_with(Method::DELETE, &path, None, &[("if-match", "*")]).await;
    assert_eq!((seen.status().as_u16(), seen.response.body.len()), (204, 0));
    for method in [Method::GET, Method::DELETE] {
        let seen = bench.call(method, &path, None).await;
        assert_eq!(seen.refusal(), (404, "0x80040217".to_owned()));
        assert!(
            seen.message().starts_with("Entity 'account' With Id = ")
                && seen.message().ends_with(" Does Not Exist")
        );
    }
    let seen = bench.get(BY_NUMBER).await;
    assert_eq!(seen.refusal(), (404, "0x80060891".to_owned()));
    assert_eq!(seen.message(), "A record with the specified key values does not exist in account entity");
    assert_eq!(
        bench.call(Method::POST, ACCOUNTS, Some(CUSTOMER)).await.status().as_u16(),
        204,
        "its number is free"
    );
}

#[tokio::test]
async fn two_rows_never_share_an_id_or_an_account_number() {
    let (bench, path) = with_customer().await;
    let seen = bench.call(Method::POST, ACCOUNTS, Some(r#"{"accountnumber":"de-010"}"#)).await;
    assert_eq!(seen.refusal(), (412, "0x80060892".to_owned()));
    assert!(seen.message().contains("A record with the same value for Account Number already exists."));
    let id = bench.get(&path).await.json()["accountid"].as_str().unwrap().to_owned();
    let seen = bench.call(Method::POST, ACCOUNTS, Some(&format!(r#"{{"accountid":"{id}"}}"#))).await;
    assert_eq!(seen.refusal(), (412, "0x80040237".to_owned()));
    for _ in 0..2 {
        let seen = bench.call(Method::POST, ACCOUNTS, Some(r#"{"name":"no number"}"#)).await;
        assert_eq!(seen.status().as_u16(), 204, "rows without a number do not collide");
    }
}

#[tokio::test]
async fn a_lookup_to_a_row_that_is_not_there_is_refused_and_nothing_is_written() {
    let bench = Bench::new().await;
    for (binding, refusal) in [
        ("/transactioncurrencies(00000000-0000-0000-0000-00000000dead)", (404, "0x80040217".to_owned())),
        ("/transactioncurrencies(isocurrencycode='XXX')", (404, "0x80060891".to_owned())),
        ("/cdm_companies(cdm_companycode='USMF')", (400, "0x80048d19".to_owned())),
        ("/transactioncurrencies", (400, "0x80048d19".to_owned())),
        ("/transactioncurrencies('EUR')", (400, "0x80048d19".to_owned())),
        ("", (400, "0x80060888".to_owned())),
    ] {
        let body = json!({ "accountnumber": "X", "transactioncurrencyid@odata.bind": binding }).to_string();
        assert_eq!(bench.call(Method::POST, ACCOUNTS, Some(&body)).await.refusal(), refusal, "{binding}");
    }
    assert_eq!(bench.get(ACCOUNTS).await.json()["value"], json!([]));
}

async fn with_five() -> Bench {
    let bench = Bench::new().await;
    for (number, name, employees) in [
        ("A1", "Ähre", 5),
        ("A2", "Birke", 40),
        ("A3", "birke", 30),
        ("A4", "Linde's", 20),
        ("A5", "Tanne", 10),
    ] {
        let body = json!({
            "accountnumber": number, "name": name, "numberofemployees": employees, "creditonhold": employees > 20,
            "transactioncurrencyid@odata.bind": format!("/transactioncurrencies({EURO})"),
        });
        bench.call(Method::POST, ACCOUNTS, Some(&body.to_string())).await;
    }
    bench
}

fn numbers(list: &Value) -> Vec<&str> {
    list["value"].as_array().unwrap().iter().map(|row| row["accountnumber"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_cut() {
    let bench = with_five().await;
    let euro = format!("_transactioncurrencyid_value%20eq%20{EURO}");
    for (query, expected) in [
        ("$filter=name%20eq%20'BIRKE'&$orderby=accountnumber", vec!["A2", "A3"]),
        ("$filter=name%20eq%20'Linde''s'", vec!["A4"]),
        ("$filter=accountnumber%20eq%20'a5'", vec!["A5"]),
        ("$filter=name+eq+'birke'+and+numberofemployees+eq+30", vec!["A3"]),
        ("$filter=numberofemployees%20gt%2015%20and%20creditonhold%20eq%20false", vec!["A4"]),
        ("$filter=name%20eq%20null", vec![]),
        ("$filter=not%20creditonhold&$orderby=numberofemployees%20desc", vec!["A4", "A5", "A1"]),
        ("$orderby=numberofemployees&$top=2", vec!["A1", "A5"]),
        ("$top=0", vec![]),
        ("%24filter=name%20eq%20'Tanne'&%24select=accountnumber", vec!["A5"]),
        (&format!("$filter={euro}&$orderby=accountnumber%20desc&$top=1"), vec!["A5"]),
        (
            "$filter=_transactioncurrencyid_value%20eq%20'c0117050-0000-4000-8000-0000000e2002'%20and%20name%20eq%20'Tanne'",
            vec!["A5"],
        ),
    ] {
        let seen = bench.get(&format!("{ACCOUNTS}?{query}")).await;
        assert_eq!(seen.status().as_u16(), 200, "{query}: {:?}", seen.response.body);
        assert_eq!(numbers(&seen.json()), expected, "{query}");
    }
}

#[tokio::test]
async fn a_list_has_context_count_and_pages() {
    let bench = with_five().await;
    let target = format!("{ACCOUNTS}?$select=accountnumber&$orderby=accountnumber&$count=true");
    let preferences = [("prefer", "odata.maxpagesize=2")];
    let mut next = target.clone();
    let mut pages = Vec::new();
    loop {
        let page = bench.call_with(Method::GET, &next, None, &preferences).await.json();
        assert_eq!(
            page["@odata.context"],
            format!("https://{HOST}/api/data/v9.2/$metadata#accounts(accountnumber)")
        );
        assert_eq!(page["@odata.count"], 5);
        pages.push(numbers(&page).join(","));
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, ["A1,A2", "A3,A4", "A5"]);
    let whole = bench.get(ACCOUNTS).await.json();
    assert!(whole.get("@odata.count").is_none() && whole.get("@odata.nextLink").is_none());
    assert_eq!(whole["value"].as_array().unwrap().len(), 5);
    let row = &whole["value"][0];
    assert!(row["@odata.etag"].is_string() && row.get("@odata.context").is_none());
}

#[tokio::test]
async fn a_top_above_the_page_size_is_not_asked_again_of_each_page() {
    let made: serde_json::Map<String, Value> = (0..5_010)
        .map(|row| (format!("row{row}"), json!({ "accountnumber": format!("N{row:04}"), "name": "Many" })))
        .collect();
    let records = crate::support::organization(&["records", "accounts"]);
    let bench = Bench::edited(&[mocktenant_world::Edit::add(records, Value::Object(made))]).await;
    for spelled in ["$top=5004", "%24t%6Fp=5004"] {
        let target = format!("{ACCOUNTS}?{spelled}&$select=accountnumber&$orderby=accountnumber");
        let first = bench.get(&target).await.json();
        assert_eq!(first["value"].as_array().unwrap().len(), 5_000);
        let link = first["@odata.nextLink"].as_str().unwrap().strip_prefix(&format!("https://{HOST}"));
        let begin =
            format!("{ACCOUNTS}?$select=accountnumber&$orderby=accountnumber&$top=4&$skiptoken=%3Ccookie");
        assert!(link.unwrap().starts_with(&begin), "{link:?}");
        let second = bench.get(link.unwrap()).await.json();
        assert_eq!(numbers(&second), ["N5000", "N5001", "N5002", "N5003"]);
        assert!(second.get("@odata.nextLink").is_none());
    }
}

#[tokio::test]
async fn reference_tables_are_there_from_the_declaration() {
    let bench = Bench::new().await;
    let groups =
        bench.get("/api/data/v9.2/msdyn_customergroups?$filter=msdyn_groupid%20eq%20'30'").await.json();
    assert_eq!(groups["value"][0]["msdyn_description"], "Retail customers");
    let euro = bench.get("/api/data/v9.1/transactioncurrencies(isocurrencycode='EUR')").await.json();
    assert_eq!(euro["transactioncurrencyid"], EURO);
    let company =
        bench.get("/api/data/v9.0/cdm_companies(cdm_companycode='usmf')?$select=cdm_name").await.json();
    assert_eq!(company["cdm_name"], "Contoso Entertainment System USA");
    let users = bench
        .get(&format!("/api/data/v9.2/systemusers({USER})?$select=applicationid,isdisabled"))
        .await
        .json();
    assert_eq!(
        (&users["applicationid"], &users["isdisabled"]),
        (&json!(crate::support::CLIENT), &json!(false))
    );
    let units = bench.get("/api/data/v9.2/businessunits?$select=name").await.json();
    assert_eq!(units["value"][0]["name"], "Contoso");
    let seen = bench.call(Method::POST, "/api/data/v9.2/systemusers", Some("{}")).await;
    assert_eq!(seen.status().as_u16(), 405);
}

#[tokio::test]
async fn a_reset_brings_back_the_declared_rows_and_two_labs_never_share_any() {
    let (bench, path) = with_customer().await;
    let other = Bench::new().await;
    assert_eq!(other.get(&path).await.status().as_u16(), 404);
    bench.lab.apply(mocktenant_lab::Command::Reset { scope: None }).await.unwrap();
    assert_eq!(bench.get(&path).await.status().as_u16(), 404);
    assert_eq!(
        bench.get("/api/data/v9.2/transactioncurrencies").await.json()["value"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn an_alternate_key_of_two_columns_needs_both() {
    let bench = Bench::new().await;
    let company = "c0117050-0000-4000-8000-0000000e0001";
    let both =
        format!("/api/data/v9.2/msdyn_customergroups(msdyn_groupid='30',_msdyn_company_value={company})");
    assert_eq!(bench.get(&both).await.json()["msdyn_description"], "Retail customers");
    let one = bench.get("/api/data/v9.2/msdyn_customergroups(msdyn_groupid='30')").await;
    assert_eq!(one.refusal(), (400, "0x80060888".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_to_one_row_at_the_same_time_all_succeed() {
    let bench = std::sync::Arc::new(Bench::new().await);
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let bench = std::sync::Arc::clone(&bench);
            tokio::spawn(async move {
                for round in 0..25 {
                    let body = format!(r#"{{"name":"{task}-{round}"}}"#);
                    let seen = bench.call(Method::PATCH, BY_NUMBER, Some(&body)).await;
                    assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.response.body);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(bench.get(ACCOUNTS).await.json()["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_column_of_a_rows_key_is_never_changed_at_its_own_address() {
    let bench = Bench::new().await;
    let document = bench.get("/api/data/v9.2/").await.json();
    let mut seen_tables = Vec::new();
    for set in document["value"].as_array().unwrap() {
        let set = set["url"].as_str().unwrap();
        let body = json!({}).to_string();
        let made = bench.call(Method::POST, &format!("/api/data/v9.2/{set}"), Some(&body)).await;
        if made.status().as_u16() != 204 {
            continue;
        }
        let path = made
            .header("odata-entityid")
            .unwrap()
            .strip_prefix(&format!("https://{HOST}"))
            .unwrap()
            .to_owned();
        let id = path.split_once('(').unwrap().1.trim_end_matches(')').to_owned();
        let row = bench.get(&path).await.json();
        let named = row.as_object().unwrap().iter().find(|(_, value)| **value == id.as_str());
        let key = format!("{path}/{}", named.unwrap().0);
        let other = json!({ "value": "a0000000-0000-4000-8000-00000000beef" }).to_string();
        let (own, null) = (json!({ "value": id }).to_string(), json!({ "value": null }).to_string());
        for (method, body) in [
            (Method::DELETE, None),
            (Method::PUT, Some(null.as_str())),
            (Method::PUT, Some(other.as_str())),
            (Method::PUT, Some(own.as_str())),
        ] {
            let seen = bench.call(method.clone(), &key, body).await;
            assert_eq!(seen.refusal(), (204, String::new()), "{method} {key} {body:?}");
            assert_eq!(bench.get(&key).await.json()["value"], id.as_str(), "{method} {key} {body:?}");
        }
        seen_tables.push(set.to_owned());
    }
    assert!(seen_tables.len() > 5 && seen_tables.contains(&"accounts".to_owned()), "{seen_tables:?}");
    // as a change of the row says it
    let row = "/api/data/v9.2/accounts(a0000000-0000-4000-8000-000000000001)";
    for id in [Value::Null, json!("a0000000-0000-4000-8000-00000000beef")] {
        let body = json!({ "name": "x", "accountid": id }).to_string();
        assert_eq!(bench.call(Method::PATCH, row, Some(&body)).await.status().as_u16(), 204, "{body}");
    }
    let tag = [("if-match", "W/\"1\"")];
    let seen = bench.call_with(Method::DELETE, &format!("{row}/accountid"), None, &tag).await;
    assert_eq!(seen.refusal(), (412, "0x80060882".to_owned()), "its version is still asked for");
}
