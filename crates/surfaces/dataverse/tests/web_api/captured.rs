//! What captured answers show of values, columns and addresses, point by point: whatever no other file holds of it.

use crate::support::{Bench, EURO, HOST, Seen, USER};
use http::Method;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");
const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

async fn send(bench: &Bench, method: Method, path: &str, body: Value) -> Seen {
    bench.call(method, &format!("{ROOT}{path}"), Some(&body.to_string())).await
}

/// A new row: its address below the service root.
async fn made(bench: &Bench, set: &str, body: Value) -> String {
    let seen = send(bench, Method::POST, set, body).await;
    assert_eq!(seen.status().as_u16(), 204, "{set}: {:?} {}", seen.refusal(), seen.message());
    seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned()
}

async fn annotated(bench: &Bench, path: &str) -> Value {
    bench.call_with(Method::GET, &format!("{ROOT}{path}"), None, &[ALL]).await.json()
}

async fn text(bench: &Bench, path: &str) -> String {
    let seen = bench.get(&format!("{ROOT}{path}")).await;
    assert_eq!(seen.status().as_u16(), 200, "{path}: {:?}", seen.refusal());
    String::from_utf8_lossy(&seen.response.body).into_owned()
}

fn names(rows: &Value) -> Vec<&str> {
    rows["value"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// Line D18.
#[tokio::test]
async fn whole_numbers_are_formatted_and_who_made_a_row_is_no_property_to_follow() {
    let bench = Bench::new().await;
    let row = made(&bench, "accounts", json!({ "name": "x", "numberofemployees": 9_500 })).await;
    let seen =
        annotated(&bench, &format!("{row}?$select=numberofemployees,versionnumber,_createdby_value")).await;
    assert_eq!(seen[format!("numberofemployees@{FORMATTED}")], "9,500");
    let version = seen["versionnumber"].as_u64().unwrap().to_string();
    let formatted = seen[format!("versionnumber@{FORMATTED}")].as_str().unwrap();
    assert_eq!(formatted.replace(',', ""), version);
    assert_eq!(formatted.contains(','), version.len() > 3, "{formatted}");
    assert_eq!(seen[format!("_createdby_value@{FORMATTED}")], "# mocktenant sample client");
    assert_eq!(seen[format!("_createdby_value@{LOGICAL_NAME}")], "systemuser");
    assert!(seen.get(format!("_createdby_value@{NAVIGATION}")).is_none(), "{seen}");
}

/// Line D20.
#[tokio::test]
async fn money_travels_with_four_decimals_and_is_cut_to_its_column() {
    let bench = Bench::new().await;
    let row =
        made(&bench, "accounts", json!({ "name": "x", "revenue": 5_000_000, "creditlimit": 12.34567 })).await;
    let raw = text(&bench, &format!("{row}?$select=revenue,creditlimit,exchangerate")).await;
    for part in ["\"revenue\":5000000.0000,", "\"creditlimit\":12.3500,", "\"exchangerate\":1.0000000000,"] {
        assert!(raw.contains(part), "{part}: {raw}");
    }
    let seen = annotated(&bench, &format!("{row}?$select=revenue,creditlimit")).await;
    assert_eq!(seen[format!("revenue@{FORMATTED}")], "$5,000,000.00");
    assert_eq!(seen[format!("creditlimit@{FORMATTED}")], "$12.35");
    for amount in [json!(922_337_203_685_478_i64), json!(-922_337_203_685_478_i64)] {
        let seen = send(&bench, Method::PATCH, &row, json!({ "revenue": amount })).await;
        assert_eq!(seen.status().as_u16(), 400, "{amount}");
        assert!(seen.message().contains("outside the valid range"), "{}", seen.message());
    }
}

/// Line D21.
#[tokio::test]
async fn money_brings_its_currency_and_a_part_of_an_address_the_whole() {
    let bench = Bench::new().await;
    let address = json!({ "address1_line1": "123 Maple St.", "address1_city": "Seattle", "address1_stateorprovince": "WA", "address1_postalcode": "98007", "address1_country": "USA" });
    let mut body = address.clone();
    body["revenue"] = json!(7);
    let row = made(&bench, "accounts", body).await;
    let seen = annotated(&bench, &format!("{row}?$select=revenue")).await;
    assert_eq!(seen[format!("_transactioncurrencyid_value@{FORMATTED}")], "US Dollar", "{seen}");
    let seen = annotated(&bench, &format!("{row}?$select=address1_city")).await;
    assert_eq!(seen["address1_composite"], "123 Maple St.\r\nSeattle, WA 98007\r\nUSA");
    assert!(seen.get("_transactioncurrencyid_value").is_none() && seen.get("address2_composite").is_none());
    let plain = made(&bench, "accounts", json!({ "name": "x" })).await;
    let seen = annotated(&bench, &format!("{plain}?$select=name,_transactioncurrencyid_value")).await;
    assert_eq!(seen["_transactioncurrencyid_value"], Value::Null, "without money there is none");
    let euro =
        json!({ "revenue": 5, "transactioncurrencyid@odata.bind": format!("transactioncurrencies({EURO})") });
    let row = made(&bench, "accounts", euro).await;
    assert_eq!(
        annotated(&bench, &format!("{row}?$select=revenue")).await[format!("revenue@{FORMATTED}")],
        "€5.00"
    );
}

/// Line D22: the defaults of an account.
#[tokio::test]
async fn a_new_row_has_the_defaults_of_its_table() {
    let bench = Bench::new().await;
    let row = made(&bench, "accounts", json!({ "name": "x" })).await;
    let seen = bench.get(&format!("{ROOT}{row}")).await.json();
    for name in [
        "accountclassificationcode",
        "accountratingcode",
        "businesstypecode",
        "customersizecode",
        "territorycode",
        "shippingmethodcode",
        "preferredcontactmethodcode",
        "address2_addresstypecode",
        "address2_freighttermscode",
        "address2_shippingmethodcode",
        "statuscode",
    ] {
        assert_eq!(seen[name], 1, "{name}");
    }
    for name in [
        "creditonhold",
        "marketingonly",
        "participatesinworkflow",
        "donotbulkemail",
        "donotbulkpostalmail",
        "donotemail",
        "donotfax",
        "donotphone",
        "donotpostalmail",
        "donotsendmm",
    ] {
        assert_eq!(seen[name], false, "{name}");
    }
    assert_eq!((&seen["followemail"], &seen["statecode"]), (&json!(true), &json!(0)));
    for name in ["accountcategorycode", "industrycode", "revenue", "telephone1"] {
        assert_eq!(seen[name], Value::Null, "{name}");
    }
    // what a body says wins
    let row = made(&bench, "accounts", json!({ "shippingmethodcode": null, "donotemail": true })).await;
    let seen = bench.get(&format!("{ROOT}{row}?$select=shippingmethodcode,donotemail")).await.json();
    assert_eq!((&seen["shippingmethodcode"], &seen["donotemail"]), (&Value::Null, &json!(true)));
}

/// Line D23.
#[tokio::test]
async fn columns_and_links_have_addresses_and_an_unknown_name_is_said() {
    let bench = Bench::new().await;
    let row = made(&bench, "accounts", json!({ "name": "x", "telephone1": "1" })).await;
    let column = format!("{row}/telephone1");
    let seen = bench.get(&format!("{ROOT}{column}")).await.json();
    assert_eq!(
        seen,
        json!({ "@odata.context": format!("https://{HOST}{ROOT}$metadata#{column}"), "value": "1" })
    );
    assert_eq!(send(&bench, Method::PUT, &column, json!({ "value": "2" })).await.status().as_u16(), 204);
    assert_eq!(bench.get(&format!("{ROOT}{column}")).await.json()["value"], "2");
    assert_eq!(bench.call(Method::DELETE, &format!("{ROOT}{column}"), None).await.status().as_u16(), 204);
    assert_eq!(bench.get(&format!("{ROOT}{column}")).await.status().as_u16(), 204, "no value, no content");
    let seen = bench.get(&format!("{ROOT}{row}/createdby?$select=fullname")).await;
    assert_eq!((seen.status().as_u16(), &seen.json()["systemuserid"]), (200, &json!(USER)));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let seen = bench.call(method.clone(), &format!("{ROOT}{row}/nope"), Some(r#"{"value":"1"}"#)).await;
        assert_eq!(seen.refusal(), (404, "0x80060888".to_owned()), "{method}");
        assert_eq!(seen.message(), "Resource not found for the segment 'nope'.", "{method}");
    }
}

/// Line D24.
#[tokio::test]
async fn filters_go_through_links_by_aliases_in_any_length_and_with_raw_characters() {
    let bench = Bench::new().await;
    for name in ["plain", "a \"b\" <c>"] {
        made(&bench, "accounts", json!({ "name": name, "accountnumber": format!("N-{}", name.len()) })).await;
    }
    let list = async |query: &str| {
        let seen = bench.get(&format!("{ROOT}accounts?$select=name,&$orderby=name&{query}")).await;
        assert_eq!(seen.status().as_u16(), 200, "{query:.80}: {} {}", seen.refusal().1, seen.message());
        seen.json()
    };
    let both = vec!["a \"b\" <c>", "plain"];
    assert_eq!(
        names(&list("$filter=startswith(accountnumber,'N-') and owningbusinessunit/name eq 'Contoso'").await),
        both
    );
    assert_eq!(
        names(&list("$filter=startswith(@p1,@p2) and @p1 ne null&@p1=accountnumber&@p2='N-'").await),
        both
    );
    assert_eq!(names(&list("$filter=name eq 'a \"b\" <c>'").await), both[..1]);
    // beyond 8 KiB, in one text
    let long = format!("$filter=name eq 'plain' and name ne '{}'", "x".repeat(12_000));
    assert_eq!(names(&list(&long).await), ["plain"]);
    let seen = bench.get(&format!("{ROOT}accounts/$count?$filter=startswith(accountnumber,'N-')")).await;
    assert_eq!(seen.header("content-type"), Some("text/plain"));
    assert_eq!(&*seen.response.body, b"\xEF\xBB\xBF2");
}

/// Line D27.
#[tokio::test]
async fn a_decimal_as_text_a_type_of_another_table_and_a_date_that_is_none_are_refused() {
    let bench = Bench::new().await;
    let frame = "Error identified in Payload provided by the user for Entity :'accounts'";
    for (body, inner) in [
        (
            json!({ "revenue": "5.5" }),
            "Cannot convert a value to target type 'Edm.Decimal' because of conflict between input format string/number and parameter 'IEEE754Compatible' false/true.",
        ),
        (
            json!({ "@odata.type": "Microsoft.Dynamics.CRM.contact", "name": "x" }),
            "A resource with type 'Microsoft.Dynamics.CRM.contact' was found, but it is not assignable to the expected type 'Microsoft.Dynamics.CRM.account'.",
        ),
    ] {
        let seen = send(&bench, Method::POST, "accounts", body.clone()).await;
        assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()), "{body}");
        assert!(
            seen.message().starts_with(frame) && seen.message().contains(inner),
            "{body}: {}",
            seen.message()
        );
    }
    let row = made(&bench, "tasks", json!({ "subject": "x" })).await;
    for text in [
        "yesterday",
        "9999-12-31T23:59:59-12:00",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2026-03-01T12:00:00+15:00",
        "2026-03-01T12:00:00-23:59",
        "2026-03-01 12:00:00Z",
    ] {
        for (method, path) in [(Method::POST, "tasks"), (Method::PATCH, row.as_str())] {
            let seen = send(&bench, method.clone(), path, json!({ "scheduledstart": text })).await;
            assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()), "{method} {text}");
            let inner =
                format!("Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'.");
            assert!(seen.message().contains(&inner), "{method} {text}: {}", seen.message());
        }
    }
    let last = json!({ "scheduledstart": "9999-12-31T09:59:59-14:00" });
    assert_eq!(send(&bench, Method::PATCH, &row, last).await.status().as_u16(), 204);
    let seen = bench.get(&format!("{ROOT}{row}?$select=scheduledstart")).await.json();
    assert_eq!(seen["scheduledstart"], "9999-12-31T23:59:59Z");
    let row = made(&bench, "accounts", json!({ "name": "x", "createdon": "2001-02-03T00:00:00Z" })).await;
    let seen = bench.get(&format!("{ROOT}{row}?$select=createdon")).await.json();
    assert_eq!(seen["createdon"], "2026-03-01T12:00:00Z", "a valid one is ignored");
}

/// Line D29.
#[tokio::test]
async fn ids_ascend_and_a_clients_own_sorts_where_it_falls() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(made(&bench, "contacts", json!({ "lastname": format!("{number}") })).await);
    }
    assert!(ids.is_sorted(), "{ids:?}");
    let first = "00000000-0000-0000-0000-000000000001";
    made(&bench, "contacts", json!({ "contactid": first, "lastname": "own" })).await;
    let rows = bench.get(&format!("{ROOT}contacts?$select=lastname")).await.json();
    let order: Vec<&str> =
        rows["value"].as_array().unwrap().iter().map(|row| row["lastname"].as_str().unwrap()).collect();
    let expected: Vec<String> =
        std::iter::once("own".to_owned()).chain((0..20).map(|number| number.to_string())).collect();
    assert_eq!(order, expected);
    // members in the order of `$select`, whatever the table's is
    let rows = bench
        .get(&format!("{ROOT}contacts?$select=telephone1,lastname,createdon,firstname&$top=1"))
        .await
        .json();
    let members: Vec<&String> =
        rows["value"][0].as_object().unwrap().keys().filter(|name| !name.contains('@')).collect();
    assert_eq!(members[..4], ["telephone1", "lastname", "createdon", "firstname"]);
}

/// Line D30: which header fields a browser may read.
#[tokio::test]
async fn the_header_fields_that_a_browser_may_read_are_those_of_captures() {
    let bench = Bench::new().await;
    let seen = bench
        .call_with(Method::GET, &format!("{ROOT}WhoAmI"), None, &[("origin", "http://localhost:1234")])
        .await;
    assert_eq!(seen.header("access-control-allow-origin"), Some("*"));
    let exposed = seen.header("access-control-expose-headers").unwrap();
    let captured = "Preference-Applied,OData-EntityId,Location,ETag,OData-Version,Content-Encoding,Transfer-Encoding,Content-Length,Retry-After";
    assert_eq!(exposed.strip_suffix(",REQ_ID").unwrap_or(exposed), captured);
}

/// Line D25: the sentences that captures show; the others are held against the library itself.
#[tokio::test]
async fn an_option_that_cannot_be_read_is_refused_in_the_sentence_for_its_fault() {
    let bench = Bench::new().await;
    for (query, sentence) in [
        ("$filter=name xx 'a'", "Syntax error at position 7 in 'name xx 'a''."),
        ("$filter=(name eq 'abcde'", "')' or operator expected at position 16 in '(name eq 'abcde''."),
        (
            "$filter=name eq 'abcde",
            "There is an unterminated string literal at position 14 in 'name eq 'abcde'.",
        ),
        ("$filter=name eq", "Expression expected at position 7 in 'name eq'."),
        (
            "$top=-1",
            "Invalid value '-1' for $top query option found. The $top query option requires a non-negative integer value.",
        ),
        (
            "$filter=name eq 'a'&$filter=name eq 'b'",
            "Query option '$filter' was specified more than once, but it must be specified at most once.",
        ),
    ] {
        let seen = bench.get(&format!("{ROOT}accounts?{}", query.replace(' ', "%20"))).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{query}");
        assert_eq!(seen.message(), sentence, "{query}");
    }
}

/// Line D26.
#[tokio::test]
async fn an_entity_set_that_nobody_has_is_not_found_by_the_code_of_captures() {
    let bench = Bench::new().await;
    for method in [Method::GET, Method::POST, Method::DELETE] {
        let seen = bench.call(method.clone(), &format!("{ROOT}acounts"), Some("{}")).await;
        assert_eq!(seen.refusal(), (404, "0x80060888".to_owned()), "{method}");
        assert_eq!(seen.message(), "Resource not found for the segment 'acounts'.", "{method}");
    }
}
