//! Garbage in bodies, keys, paths and options: Dataverse's own refusal, never a panic.

use crate::support::Bench;
use http::Method;
use mocktenant_dataverse::DataverseError;
use mocktenant_lab::request::BodyError;
use mocktenant_lab::{Entrance, Request};
use mocktenant_verdict::Fidelity;
use serde_json::json;

const ACCOUNTS: &str = "/api/data/v9.2/accounts";

async fn post(bench: &Bench, body: &str) -> crate::support::Seen {
    bench.call(Method::POST, ACCOUNTS, Some(body)).await
}

#[tokio::test]
async fn bodies_that_are_no_row_are_refused_by_name() {
    let bench = Bench::new().await;
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(161));
    let huge = format!(r#"{{"description":"{}"}}"#, "x".repeat(5_000_000));
    for (body, status, code, text) in [
        ("", 400, "0x80048d19", "Empty Payload"),
        ("{", 400, "0x80048d19", "Invalid JSON. A token was not recognized in the JSON content."),
        ("not json", 400, "0x80048d19", "Invalid JSON"),
        ("[]", 400, "0x80048d19", "StartArray"),
        ("null", 400, "0x80048d19", "PrimitiveValue"),
        ("{} {}", 400, "0x80048d19", "Invalid JSON"),
        (r#"{"name":"a","name":"b"}"#, 400, "0x80048d19", "Multiple properties with the name 'name'"),
        (deep.as_str(), 400, "0x80048d19", "depth"),
        (
            r#"{"name":5}"#,
            400,
            "0x80048d19",
            "Cannot convert the literal '5' to the expected type 'Edm.String'.",
        ),
        (r#"{"name":["a"]}"#, 400, "0x80048d19", "Edm.String"),
        (
            r#"{"numberofemployees":"many"}"#,
            400,
            "0x80048d19",
            "Cannot convert the literal 'many' to the expected type 'Edm.Int32'.",
        ),
        (r#"{"numberofemployees":1.5}"#, 400, "0x80048d19", "Edm.Int32"),
        (r#"{"numberofemployees":99999999999}"#, 400, "0x80048d19", "Edm.Int32"),
        (r#"{"numberofemployees":-1}"#, 400, "0x8004431a", "outside the valid range"),
        (r#"{"creditlimit":"1"}"#, 400, "0x80048d19", "Edm.Decimal"),
        (r#"{"creditlimit":1e999}"#, 400, "0x80048d19", "Invalid JSON"),
        (r#"{"creditonhold":"true"}"#, 400, "0x80048d19", "Edm.Boolean"),
        (r#"{"accountid":"x"}"#, 400, "0x80048d19", "Edm.Guid"),
        (
            r#"{"customertypecode":99}"#,
            400,
            "0x8004431a",
            "The value 99 of 'customertypecode' on record of type 'account' is outside the valid range. Accepted Values: 1,2,3,4,5,6,7,8,9,10,11,12",
        ),
        (
            long.as_str(),
            400,
            "0x80044331",
            "The length of the 'name' attribute of the 'account' entity exceeded the maximum allowed length of '160'.",
        ),
        (
            r#"{"nonsense":1}"#,
            400,
            "0x80048d19",
            "InnerException : Microsoft.Crm.CrmException: Invalid property 'nonsense' was found in entity 'Microsoft.Dynamics.CRM.account'. ---> Microsoft.OData.ODataException: The property 'nonsense' does not exist on type 'Microsoft.Dynamics.CRM.account'. Make sure to only use property names that are defined by the type.",
        ),
        (r#"{"Name":"case"}"#, 400, "0x80048d19", "Invalid property 'Name'"),
        (r#"{"nonsense@odata.bind":"/accounts(1)"}"#, 400, "0x80048d19", "An undeclared property 'nonsense'"),
        (r#"{"transactioncurrencyid@odata.bind":5}"#, 400, "0x80048d19", "transactioncurrencyid"),
        (
            r#"{"transactioncurrencyid@odata.bind":"///(("}"#,
            400,
            "0x80060888",
            "Resource not found for the segment",
        ),
        (
            r#"{"transactioncurrencyid":[{"isocurrencycode":"SEK"}]}"#,
            400,
            "0x80048d19",
            "transactioncurrencyid",
        ),
        (
            r#"{"_transactioncurrencyid_value":"c0117050-0000-4000-8000-0000000e2002"}"#,
            400,
            "0x80060888",
            "CRM do not support direct update of Entity Reference properties",
        ),
        (huge.as_str(), 413, "0x8004418a", "Request message length is too large."),
    ] {
        let seen = post(&bench, body).await;
        assert_eq!(seen.refusal(), (status, code.to_owned()), "{}", &body[..body.len().min(60)]);
        assert!(seen.message().contains(text), "{}: {}", &body[..body.len().min(60)], seen.message());
        assert!(seen.message().len() < 700);
    }
    assert_eq!(bench.get(ACCOUNTS).await.json()["value"], json!([]), "nothing was written");
}

#[tokio::test]
async fn annotations_in_a_body_say_nothing() {
    let bench = Bench::new().await;
    let body = r##"{"@odata.type":"#Microsoft.Dynamics.CRM.account","@odata.etag":"W/\"1\"","name":"a","name@x.y":[{}],"versionnumber":7}"##;
    assert_eq!(post(&bench, body).await.status().as_u16(), 204);
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let bench = Bench::new().await;
    for kind in
        ["application/x-www-form-urlencoded", "text/plain", "application/xml", "multipart/mixed; boundary=x"]
    {
        let seen = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &[("content-type", kind)]).await;
        assert_eq!(seen.refusal(), (415, String::new()), "{kind}");
    }
    let seen = bench.call(Method::POST, ACCOUNTS, None).await;
    assert_eq!(seen.status().as_u16(), 415, "no body and no content type");
    let kind = [("content-type", "application/json; charset=utf-8; odata.metadata=minimal")];
    let seen = bench.call_with(Method::POST, ACCOUNTS, Some("{}"), &kind).await;
    assert_eq!(seen.status().as_u16(), 204);
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let bench = Bench::new().await;
    for (segment, status, code) in [
        ("accounts(", 400, "0x80060888"),
        ("accounts()", 400, "0x80060888"),
        ("accounts(1)", 400, "0x80060888"),
        ("accounts(null)", 400, "0x80060888"),
        ("accounts('DE-010')", 400, "0x80060888"),
        ("accounts({c0117050-0000-4000-8000-0000000e2002})", 400, "0x80060888"),
        ("accounts(accountnumber=5)", 400, "0x80060888"),
        ("accounts(accountnumber='a',name='b')", 400, "0x80060888"),
        ("accounts(nonsense='a')", 400, "0x80060888"),
        ("accounts(accountnumber='%FF')", 400, "0x80060888"),
        ("accounts(accountnumber='''')", 404, "0x80060891"),
        ("accounts(accountnumber='%2F%00%5C')", 404, "0x80060891"),
        ("account", 404, "0x80060888"),
        ("Accounts", 404, "0x80060888"),
        ("whoami", 404, "0x80060888"),
        ("$metadata()", 404, ""),
        ("%FF", 404, "0x80060888"),
        ("nothing(1)", 404, ""),
        ("WhoAmI(1)", 400, "0x80060888"),
    ] {
        let seen = bench.get(&format!("/api/data/v9.2/{segment}")).await;
        assert_eq!(seen.refusal(), (status, code.to_owned()), "{segment}");
    }
}

#[tokio::test]
async fn options_that_are_none_are_refused() {
    let bench = Bench::new().await;
    let long = format!("$filter=name%20eq%20'{}'", "x".repeat(70_000));
    let deep = format!("$filter={}", "(".repeat(5_000));
    for (query, code) in [
        ("$skip=1", "0x80060888"),
        ("$top=-1", "0x80060888"),
        ("$top=1&$top=2", "0x80060888"),
        ("$filter=", "0x80060888"),
        ("$filter=name", "0x80060888"),
        ("$filter=name%20eq", "0x80060888"),
        ("$filter=contains(name,'a'", "0x80060888"),
        ("$filter=contains(numberofemployees,'a')", "0x80060888"),
        ("$filter=contains(nonsense,'a')", "0x80060888"),
        ("$filter=length(name)%20eq%205", "0x80040203"),
        ("$filter=Microsoft.Dynamics.CRM.ThisFiscalYear(PropertyName='createdon')", "0x80040203"),
        ("$filter=name%20eq%205", "0x80060888"),
        ("$filter=numberofemployees%20eq%20'5'", "0x80060888"),
        ("$filter=accountid%20eq%20'x'", "0x80060888"),
        ("$filter=nonsense%20eq%205", "0x80060888"),
        ("$select=nonsense", "0x80060888"),
        ("$orderby=nonsense", "0x80060888"),
        ("$filter=parentaccountid/nonsense%20eq%20'a'", "0x80060888"),
        ("$expand=transaction_currency", "0x80060888"),
        ("$search=a", "0x80040203"),
        ("$skiptoken=x", "0x80060888"),
        ("$skiptoken=1&$skiptoken=1", "0x80060888"),
        (long.as_str(), "0x80060888"),
        (deep.as_str(), "0x80060888"),
        ("$filter=%zz", "0x80060888"),
        ("$filter=name%20eq%20%ff", "0x80060888"),
    ] {
        let seen = bench.get(&format!("{ACCOUNTS}?{query}")).await;
        assert_eq!(seen.refusal(), (400, code.to_owned()), "{}", &query[..query.len().min(60)]);
    }
    let seen = bench.get(&format!("{ACCOUNTS}?$filter=nonsense%20eq%205")).await;
    assert_eq!(
        seen.message(),
        "Could not find a property named 'nonsense' on type 'Microsoft.Dynamics.CRM.account'."
    );
    let seen = bench.get(&format!("{ACCOUNTS}?$filter=name%20eq%205")).await;
    assert_eq!(
        seen.message(),
        "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' for operator kind 'Equal'."
    );
}

#[tokio::test]
async fn what_is_not_built_is_no_syntax_error_and_is_recorded() {
    let bench = Bench::new().await;
    for (method, query, body, code, fact) in [
        (Method::GET, "$filter=length(name)%20eq%205", None, "0x80040203", "the function length"),
        (Method::GET, "$filter=name%20eq%20tolower('a')", None, "0x80040203", "the function tolower"),
    ] {
        let seen = bench.call(method, &format!("{ACCOUNTS}?{query}"), body).await;
        assert_eq!(seen.refusal(), (400, code.to_owned()), "{query}");
        let record = bench.lab.journal().last_refusal().unwrap();
        let recorded = &record.fact("not-built").unwrap().value;
        assert!(recorded.contains(fact), "{recorded}");
    }
}

#[tokio::test]
async fn options_of_a_write_are_checked_before_anything_is_written() {
    let bench = Bench::new().await;
    let row = "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000f0001)";
    for (method, target) in [(Method::POST, ACCOUNTS), (Method::PATCH, row)] {
        for (query, code) in
            [("$select=nonsense", "0x80060888"), ("$expand=transactioncurrency", "0x80060888")]
        {
            let seen = bench.call(method.clone(), &format!("{target}?{query}"), Some("{}")).await;
            assert_eq!(seen.refusal(), (400, code.to_owned()), "{method} {query}");
            let record = bench.lab.journal().last_refusal().unwrap();
            assert!(record.checks.iter().all(|check| check.name != "privilege"), "{method} {query}");
        }
    }
    assert_eq!(bench.get(ACCOUNTS).await.json()["value"], json!([]), "nothing was written");
}

#[tokio::test]
async fn foreign_text_in_a_product_text_is_cut_without_a_mark_of_ours() {
    let bench = Bench::new().await;
    let (long, cut) = ("y".repeat(100), "y".repeat(64));
    for (body, text) in [
        (
            json!({ "numberofemployees": long }).to_string(),
            format!("Cannot convert the literal '{cut}' to the expected type 'Edm.Int32'."),
        ),
        (
            json!({ "numberofemployees": [long] }).to_string(),
            format!("Cannot convert the literal '[\"{}' to the expected", "y".repeat(62)),
        ),
        (json!({ &long: 1 }).to_string(), format!("Invalid property '{cut}' was found")),
        (json!({ format!("{long}@odata.bind"): "/a(1)" }).to_string(), format!("property '{cut}' which")),
        (format!(r#"{{"{long}":1,"{long}":2}}"#), format!("with the name '{cut}' were detected")),
    ] {
        let message = post(&bench, &body).await.message();
        assert!(message.contains(&text) && !message.contains("..."), "{message}");
    }
    for target in [format!("/api/data/v9.2/{long}"), format!("{ACCOUNTS}?$select={long}")] {
        let message = bench.get(&target).await.message();
        assert!(message.contains(&format!("'{cut}'")) && !message.contains("..."), "{message}");
    }
}

#[tokio::test]
async fn only_captured_inner_exceptions_of_a_payload_count_as_observed() {
    let bench = Bench::new().await;
    let row = |name: &str| DataverseError::ROWS.iter().find(|row| row.name == name).unwrap();
    let (captured, inferred) = (row("Payload"), row("UncapturedPayload"));
    assert_eq!((captured.fidelity, inferred.fidelity), (Fidelity::Observed, Fidelity::Inferred));
    assert_eq!(
        (captured.id, captured.status, captured.template),
        (inferred.id, inferred.status, inferred.template)
    );
    for body in ["{", "[]", ""] {
        let message = post(&bench, body).await.message();
        assert!(
            message.starts_with("Error identified in Payload provided by the user for Entity :'accounts'"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn methods_versions_and_paths_that_are_not_there_are_refused() {
    let bench = Bench::new().await;
    for (method, target, status) in [
        (Method::PUT, "/api/data/v9.2/accounts", 405),
        (Method::POST, "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000e2002)", 405),
        (Method::DELETE, "/api/data/v9.2/accounts", 405),
        (Method::PATCH, "/api/data/v9.2/accounts", 405),
        (Method::POST, "/api/data/v9.2/WhoAmI", 404),
        (Method::PUT, "/api/data/v9.2/WhoAmI", 404),
        (Method::GET, "/api/data/v8.2/accounts", 404),
        (Method::GET, "/api/data/v10.0/WhoAmI", 404),
        (Method::GET, "/api/data", 404),
        (Method::GET, "/api/data/v7.0/", 404),
        (Method::GET, "/api/data/v9.2/accounts/$value", 404),
        (Method::GET, "/", 404),
        (Method::GET, "//", 404),
        (Method::GET, "/api/data/v9.2/%2e%2e", 404),
    ] {
        let seen = bench.call(method.clone(), target, Some("{}")).await;
        assert_eq!(seen.status().as_u16(), status, "{method} {target}");
    }
    let seen = bench.call(Method::PUT, "/api/data/v9.2/accounts", Some("{}")).await;
    assert_eq!(seen.header("allow"), Some("GET, POST"));
}

#[tokio::test]
async fn a_body_that_never_came_has_the_products_status() {
    let bench = Bench::new().await;
    for (why, status) in
        [(BodyError::TooLarge { limit: 1 }, 413), (BodyError::Timeout, 408), (BodyError::Incomplete, 400)]
    {
        let mut request =
            Request::new(Method::POST, crate::support::HOST, ACCOUNTS, Entrance::organization("contoso"));
        request.body = Err(why);
        assert_eq!(bench.lab.answer(request).await.status.as_u16(), status, "{why:?}");
    }
}

#[tokio::test]
async fn annotations_of_an_error_come_only_when_asked_for() {
    let bench = Bench::new().await;
    let target = "/api/data/v9.2/nothing";
    let plain = bench.get(target).await.json();
    assert_eq!(
        plain,
        json!({ "error": { "code": "0x80060888", "message": "Resource not found for the segment 'nothing'." } })
    );
    let prefer = [("prefer", "odata.include-annotations=\"*\"")];
    let annotated = bench.call_with(Method::GET, target, None, &prefer).await.json();
    let error = annotated["error"].as_object().unwrap();
    assert_eq!(
        error["@Microsoft.PowerApps.CDS.HelpLink"],
        "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a80060888&client=platform"
    );
    for name in
        ["ErrorDetails.OperationStatus", "ErrorDetails.SubErrorCode", "TraceText", "InnerError.Message"]
    {
        assert!(error[&format!("@Microsoft.PowerApps.CDS.{name}")].is_string(), "{name}");
    }
}

#[tokio::test]
async fn names_mean_what_they_say_whatever_the_case_of_the_path() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/API/Data/V9.2/WhoAmI/").await.status().as_u16(), 200);
    assert_eq!(bench.get("/api/data/v9.2/accounts/").await.status().as_u16(), 200);
}
