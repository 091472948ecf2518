//! The OData endpoint: records, companies, queries, and requests that are wrong in themselves.

use http::Method;
use mocktenant_lab::PAGE_BYTES;
use mocktenant_lab::request::BodyError;

use super::*;

pub(super) fn customer(account: &str) -> Value {
    json!({
        "dataAreaId": "usmf",
        "CustomerAccount": account,
        "OrganizationName": "Forest Wholesales",
        "CustomerGroupId": "30",
        "SalesCurrencyCode": "EUR",
    })
}

pub(super) async fn unlinked() -> Bench {
    let state = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomersV3/State";
    Bench::edited(&[set(state, json!("Not running"))]).await
}

#[tokio::test]
async fn a_set_has_the_context_and_every_record_its_tag() {
    let bench = Bench::new().await;
    let response = bench.get("/data/LegalEntities").await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers["odata-version"], "4.0");
    let body = body(&response);
    assert_eq!(body["@odata.context"], format!("{URL}/data/$metadata#LegalEntities"));
    let first = &body["value"][0];
    assert_eq!(first["LegalEntityId"], "dat");
    assert_eq!(first["UseForFinancialConsolidationProcess"], "No");
    assert!(first["@odata.etag"].as_str().unwrap().starts_with("W/\"J"), "{first}");
    assert_eq!(first.as_object().unwrap().keys().next().unwrap(), "@odata.etag");
}

#[tokio::test]
async fn urls_of_an_answer_follow_the_request() {
    let bench = Bench::new().await;
    let mut request = request(Method::GET, "/data/Currencies", Some(&good_token()), None);
    "localhost:7444".clone_into(&mut request.host);
    let body = body(&bench.send(request).await);
    assert_eq!(body["@odata.context"], "https://localhost:7444/data/$metadata#Currencies");
}

#[tokio::test]
async fn a_customer_is_created_read_changed_and_deleted() {
    let bench = unlinked().await;
    let response = bench.post(&customer("DE-010")).await;
    assert_eq!(response.status, 201, "{:?}", response.body);
    let record = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010')";
    assert_eq!(response.headers["location"], format!("{URL}{record}"));
    let created = body(&response);
    assert_eq!(created["@odata.context"], format!("{URL}/data/$metadata#CustomersV3/$entity"));
    assert_eq!((&created["PartyType"], &created["LanguageId"]), (&json!("Organization"), &json!("en-US")));

    let read = body(&bench.get(record).await);
    assert_eq!(read, created);
    let change = r#"{"OrganizationName":"Forest","PrimaryContactEmail":null,"CustomerAccount":"de-010"}"#;
    let response = bench.send(request(Method::PATCH, record, Some(&good_token()), Some(change))).await;
    assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
    let read = body(&bench.get(record).await);
    assert_eq!((&read["OrganizationName"], &read["CustomerAccount"]), (&json!("Forest"), &json!("DE-010")));
    assert_eq!(read["PrimaryContactEmail"], "");

    let stale = created["@odata.etag"].as_str().unwrap();
    for (tag, status) in [(stale, 412), ("garbage", 412), (read["@odata.etag"].as_str().unwrap(), 204)] {
        let mut request = request(Method::DELETE, record, Some(&good_token()), None);
        request.headers.insert("if-match", HeaderValue::from_str(tag).unwrap());
        assert_eq!(bench.send(request).await.status, status, "{tag}");
    }
    assert_eq!(bench.get(record).await.status, 404);
}

#[tokio::test]
async fn a_request_sees_its_default_company_unless_it_asks_for_all() {
    let group = json!({ "dataAreaId": "dat", "CustomerGroupId": "1", "Description": "Other" });
    let bench = Bench::edited(&[set("/environments/onebox/records/CustomerGroups/dat1", group)]).await;
    let count = |response: &Response| body(response)["value"].as_array().unwrap().len();
    assert_eq!(count(&bench.get("/data/CustomerGroups").await), 3);
    assert_eq!(count(&bench.get("/data/CustomerGroups?cross-company=true").await), 4);
    let filtered = "/data/CustomerGroups?$filter=dataAreaId%20eq%20'dat'";
    assert_eq!(count(&bench.get(filtered).await), 0);
    assert_eq!(count(&bench.get(&format!("{filtered}&cross-company=true")).await), 1);
    let key = "/data/CustomerGroups(dataAreaId='dat',CustomerGroupId='1')";
    assert_eq!(bench.get(key).await.status, 404);
    assert_eq!(bench.get(&format!("{key}?cross-company=true")).await.status, 200);
    assert_eq!(count(&bench.get("/data/LegalEntities").await), 2, "companies belong to no company");
}

#[tokio::test]
async fn select_filter_top_and_count_work() {
    let bench = Bench::new().await;
    let target =
        "/data/CustomerGroups?$select=CustomerGroupId&$filter=CustomerGroupId%20ne%20'10'&$top=1&$count=true";
    let body = body(&bench.get(target).await);
    assert_eq!(body["@odata.count"], 2);
    assert_eq!(body["@odata.context"], format!("{URL}/data/$metadata#CustomerGroups(CustomerGroupId)"));
    let rows = body["value"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["@odata.etag", "CustomerGroupId"]);
}

#[tokio::test]
async fn a_new_customer_without_a_company_gets_the_users_own() {
    let bench = unlinked().await;
    let mut row = customer("DE-011");
    row.as_object_mut().unwrap().remove("dataAreaId");
    assert_eq!(body(&bench.post(&row).await)["dataAreaId"], "usmf");
}

#[tokio::test]
async fn other_content_types_and_missing_bodies_have_their_own_status() {
    let bench = unlinked().await;
    for kind in ["application/x-www-form-urlencoded", "text/json", "application/jsonx", ""] {
        let mut request = request(Method::POST, "/data/CustomersV3", Some(&good_token()), Some("{}"));
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        assert_eq!(bench.send(request).await.status, 415, "{kind:?}");
    }
    for (why, status) in
        [(BodyError::TooLarge { limit: 1 }, 413), (BodyError::Timeout, 400), (BodyError::Incomplete, 400)]
    {
        let mut request = request(Method::POST, "/data/CustomersV3", Some(&good_token()), None);
        request.body = Err(why);
        let response = bench.send(request).await;
        assert_eq!(response.status, status, "{why:?}");
        assert_eq!(body(&response)["error"]["message"], "An error has occurred.");
    }
}

#[tokio::test]
async fn methods_and_paths_that_are_not_there_are_404_and_405() {
    let bench = unlinked().await;
    let key = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='X')";
    for (method, target, status, allow) in [
        (Method::GET, "/data/Vendors", 404, None),
        (Method::GET, "/data/$nothing", 404, None),
        (Method::GET, "/nowhere", 404, None),
        (Method::GET, "/", 404, None),
        (Method::POST, "/", 405, Some("GET")),
        (Method::PUT, "/data/CustomersV3", 405, Some("GET, POST")),
        (Method::PATCH, "/data/CustomersV3", 405, Some("GET, POST")),
        (Method::POST, key, 405, Some("GET, PATCH, PUT, DELETE")),
        (Method::POST, "/data/SystemUsers", 405, Some("GET")),
        (Method::POST, "/data/$metadata", 405, Some("GET")),
        (Method::GET, "/data/$batch", 405, Some("POST")),
        (Method::PATCH, "/data/Currencies('USD')/Name", 405, Some("GET")),
        (Method::DELETE, key, 404, None),
        (Method::PATCH, key, 404, None),
        (Method::HEAD, "/data/Currencies", 200, None),
    ] {
        let response = bench.send(request(method.clone(), target, Some(&good_token()), Some("{}"))).await;
        assert_eq!(response.status, status, "{method} {target}");
        let sent = response.headers.get("allow").map(|allow| allow.to_str().unwrap());
        assert_eq!(sent, allow, "{method} {target}");
    }
}

#[tokio::test]
async fn queries_nobody_can_read_are_refused() {
    let bench = Bench::new().await;
    let deep = format!("$filter={}1{}", "(".repeat(5000), ")".repeat(5000));
    let long = format!("$filter={}", "a".repeat(100_000));
    let wide = format!("$filter={}", vec!["a"; 15_000].join("%20or%20"));
    for (query, expected) in [
        ("$filter=(", "Expression expected at position 1 in '('."),
        ("$filter=a%20eq", "Expression expected at position 4 in 'a eq'."),
        ("$filter=Name%20xx%20'a'", "Syntax error at position 7 in 'Name xx 'a''."),
        ("$filter=Name%20eq%20'a", "There is an unterminated string literal at position 10 in 'Name eq 'a'."),
        (
            "$filter=DecimalsCount_MX%20eq%20'a'",
            "A binary operator with incompatible types was detected. Found operand types 'Edm.Int32' and 'Edm.String' \
             for operator kind 'Equal'.",
        ),
        (
            "$filter=ReferenceCurrencyForTriangulation%20eq%20'Yes'",
            "A binary operator with incompatible types was detected. Found operand types \
             'Microsoft.Dynamics.DataEntities.NoYes' and 'Edm.String' for operator kind 'Equal'.",
        ),
        (
            "$filter=ReferenceCurrencyForTriangulation%20eq%20Microsoft.Dynamics.DataEntities.NoYes'Maybe'",
            "The string 'Microsoft.Dynamics.DataEntities.NoYes'Maybe'' is not a valid enumeration type constant.",
        ),
        (
            "$top=-1",
            "Invalid value '-1' for $top query option found. The $top query option requires a non-negative integer value.",
        ),
        (
            "$top=x",
            "Invalid value 'x' for $top query option found. The $top query option requires a non-negative integer value.",
        ),
        (
            "$top=1&$top=2",
            "Query option '$top' was specified more than once, but it must be specified at most once.",
        ),
        ("$filter=%FF", "Syntax error: character '\u{fffd}' is not valid at position 0 in '\u{fffd}'."),
        ("$filter=%zz", "Syntax error: character '%' is not valid at position 0 in '%zz'."),
        (deep.as_str(), "Recursion depth exceeded allowed limit."),
        (&long, "Recursion depth exceeded allowed limit."),
        (&wide, "Recursion depth exceeded allowed limit."),
    ] {
        let response = bench.get(&format!("/data/Currencies?{query}")).await;
        assert_eq!(response.status, 400, "{query:.40}");
        let inner = inner_message(&response);
        assert_eq!(inner, expected, "{query:.40}");
        let outer = format!("The query specified in the URI is not valid. {inner}");
        assert_eq!(body(&response)["error"]["message"], outer, "{query:.40}");
        assert_eq!(body(&response)["error"]["innererror"]["type"], "Microsoft.OData.ODataException");
    }
}

#[tokio::test]
async fn a_key_column_cannot_change_and_a_reset_forgets_all_customers() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-010")).await.status, 201);
    let record = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010')";
    let response = bench
        .send(request(Method::PATCH, record, Some(&good_token()), Some(r#"{"CustomerAccount":"B"}"#)))
        .await;
    assert_eq!(response.status, 400);
    assert!(inner_message(&response).contains("CustomerAccount"));
    bench.restart().await;
    assert_eq!(bench.get(record).await.status, 200, "a restart leaves the database alone");
    bench.lab.apply(Command::Reset { scope: None }).await.unwrap();
    bench.lab.apply(Command::Clock(ClockChange::Freeze(NOW))).await.unwrap();
    assert_eq!(bench.get(record).await.status, 404);
}

/// So many customer groups, each with a description of that many bytes.
fn groups(rows: usize, bytes: usize) -> Edit {
    let text = "x".repeat(bytes);
    let row = |row: usize| {
        let columns =
            json!({ "dataAreaId": "usmf", "CustomerGroupId": format!("g{row:05}"), "Description": text });
        (format!("row{row}"), columns)
    };
    let rows: Map<String, Value> = (0..rows).map(row).collect();
    set("/environments/onebox/records/CustomerGroups", Value::Object(rows))
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes_and_the_links_lead_through_every_record_once() {
    let bench = Bench::edited(&[groups(120, 60_000)]).await;
    for (query, expected) in [("$count=true", 120), ("$top=100", 100)] {
        let mut next = format!("/data/CustomerGroups?$select=CustomerGroupId,Description&{query}");
        let (mut keys, mut pages) = (Vec::new(), 0);
        loop {
            let response = bench.get(&next).await;
            assert!(response.body.len() < PAGE_BYTES + 4096, "{} bytes", response.body.len());
            let page = body(&response);
            let rows = page["value"].as_array().unwrap();
            keys.extend(rows.iter().map(|row| row["CustomerGroupId"].as_str().unwrap().to_owned()));
            pages += 1;
            let Some(link) = page["@odata.nextLink"].as_str() else { break };
            next = link.strip_prefix(URL).unwrap().to_owned();
        }
        let all: Vec<String> = (0..expected).map(|row| format!("g{row:05}")).collect();
        assert_eq!(keys, all, "{query}");
        assert_eq!(pages, 2, "{query}");
    }
}

#[tokio::test]
async fn a_long_query_leaves_the_thread_and_ends_with_its_time() {
    let terms: Vec<String> = (0..200).map(|n| format!("Description%20eq%20'{n}'")).collect();
    let target = format!("/data/CustomerGroups?$filter={}", terms.join("%20or%20"));
    let bench = Bench::edited(&[groups(4_000, 10)]).await;
    assert_eq!(bench.get("/data/CustomerGroups?$top=1").await.status, 200);
    let mut turns = 0;
    let others = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            turns += 1;
        }
    };
    tokio::select! {
        biased;
        response = bench.get(&target) => assert_eq!(body(&response)["value"], json!([])),
        () = others => unreachable!("a loop"),
    }
    assert!(turns >= 10, "others had {turns} turns meanwhile");

    let hurried = Bench::of(&[groups(4_000, 10)], |lab| lab.query_time(std::time::Duration::ZERO)).await;
    let response = hurried.get(&target).await;
    assert_eq!(
        (response.status.as_u16(), &body(&response)["error"]["message"]),
        (500, &json!("An error has occurred."))
    );
    let last = hurried.last();
    assert_eq!(last.error.as_deref(), Some("500 query-timeout"));
    assert!(last.facts.iter().any(|fact| fact.name == "given-up"));
    assert_eq!(
        hurried.get("/data/CustomerGroups?$top=1").await.status,
        200,
        "a short one has the time it needs"
    );
}

#[tokio::test]
async fn more_terms_than_are_asked_of_a_row_are_refused() {
    let bench = Bench::new().await;
    let response = bench
        .get(&format!(
            "/data/CustomerGroups?$filter={}",
            vec!["Description%20eq%20'a'"; 501].join("%20or%20")
        ))
        .await;
    let why = body(&response)["error"]["innererror"]["message"].as_str().unwrap().to_owned();
    assert!(response.status == 400 && why == "Recursion depth exceeded allowed limit.", "{why}");
    let response =
        bench.get(&format!("/data/CustomerGroups?$orderby={}", vec!["Description"; 33].join(","))).await;
    assert_eq!(response.status, 400);
}
