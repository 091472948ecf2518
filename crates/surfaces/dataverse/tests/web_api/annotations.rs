//! Annotations, preferences, headers, and what an answer says of who asked.

use crate::support::{Bench, CLIENT, HOST, ORGANIZATION, USER};
use http::Method;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");

#[tokio::test]
async fn every_kind_of_value_has_a_formatted_one_when_all_annotations_are_asked_for() {
    let bench = Bench::new().await;
    let euro = "/transactioncurrencies(c0117050-0000-4000-8000-0000000e2002)";
    let body = json!({
        "name": "x", "customertypecode": 3, "creditonhold": false, "followemail": true, "revenue": 80_000,
        "creditlimit": 1_234_567.5, "industrycode": 7, "transactioncurrencyid@odata.bind": euro,
    });
    bench.call(Method::POST, ACCOUNTS, Some(&body.to_string())).await;
    let rows = bench.call_with(Method::GET, ACCOUNTS, None, &[ALL]).await.json();
    let row = &rows["value"][0];
    let formatted = |name: &str| row[format!("{name}@OData.Community.Display.V1.FormattedValue")].clone();
    for (name, text) in [
        ("customertypecode", "Customer"),
        ("industrycode", "Consulting"),
        ("statecode", "Active"),
        ("statuscode", "Active"),
        ("creditonhold", "No"),
        ("followemail", "Allow"),
        ("revenue", "€80,000.00"),
        ("creditlimit", "€1,234,567.50"),
        ("createdon", "3/1/2026 4:00 AM"),
        ("_transactioncurrencyid_value", "Euro"),
        ("_ownerid_value", "# mocktenant sample client"),
    ] {
        assert_eq!(formatted(name), text, "{name}");
    }
    for name in ["name", "marketcap", "accountcategorycode"] {
        assert_eq!(formatted(name), Value::Null, "{name}");
    }
    let plain = bench.get(ACCOUNTS).await.json();
    assert!(!plain.to_string().contains("FormattedValue"), "only where it is asked for");
}

#[tokio::test]
async fn a_paged_answer_says_that_the_page_size_was_applied() {
    let bench = Bench::new().await;
    for (prefer, applied) in [
        ("odata.maxpagesize=2", "odata.maxpagesize=2"),
        (
            "odata.maxpagesize=7,odata.include-annotations=\"*\"",
            "odata.include-annotations=\"*\",odata.maxpagesize=7",
        ),
    ] {
        let seen = bench.call_with(Method::GET, ACCOUNTS, None, &[("prefer", prefer)]).await;
        assert_eq!(seen.header("preference-applied"), Some(applied));
    }
    assert_eq!(bench.get(ACCOUNTS).await.header("preference-applied"), None);
}

#[tokio::test]
async fn an_error_says_its_sub_code_and_a_duplicate_says_of_what() {
    let bench = Bench::new().await;
    let body = r#"{"accountnumber":"DE-010 <&>"}"#;
    bench.call(Method::POST, ACCOUNTS, Some(body)).await;
    let error = bench.call_with(Method::POST, ACCOUNTS, Some(body), &[ALL]).await.json()["error"].clone();
    assert_eq!(error["code"], "0x80060892");
    for (name, value) in [
        ("SubErrorCode", "-2146233088"),
        (
            "DuplicateAttributes",
            "<DuplicateAttributes><accountnumber>DE-010 &lt;&amp;></accountnumber></DuplicateAttributes>",
        ),
        ("DuplicateEntity", "account"),
    ] {
        assert_eq!(error[format!("@Microsoft.PowerApps.CDS.ErrorDetails.{name}")], value, "{name}");
    }
    let plain = bench.call(Method::POST, ACCOUNTS, Some(body)).await.json();
    assert_eq!(plain["error"].as_object().unwrap().len(), 2, "{plain}");
}

#[tokio::test]
async fn an_application_user_is_called_after_its_application_and_knows_its_service_principal() {
    let bench = Bench::new().await;
    let user = bench.get(&format!("/api/data/v9.2/systemusers({USER})")).await.json();
    assert_eq!(user["fullname"], "# mocktenant sample client");
    assert_eq!(user["azureactivedirectoryobjectid"], "c0117050-0000-4000-8000-0000000b0001");
    assert_eq!(user["applicationid"], CLIENT);
}

#[tokio::test]
async fn the_challenge_has_no_quotes_and_a_comma_and_a_blank() {
    let bench = Bench::new().await;
    let seen = bench.send(Method::GET, ACCOUNTS, None, &[]).await;
    assert_eq!(
        seen.header("www-authenticate"),
        Some(
            "Bearer authorization_uri=https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/oauth2/authorize, resource_id=https://contoso.crm4.dynamics.com/"
        )
    );
    let row =
        mocktenant_dataverse::DataverseError::ROWS.iter().find(|row| row.name == "Unauthorized").unwrap();
    assert_eq!(row.fidelity, mocktenant_verdict::Fidelity::Observed);
}

#[tokio::test]
async fn who_am_i_names_user_business_unit_and_organisation() {
    let bench = Bench::new().await;
    for target in
        ["/api/data/v9.2/WhoAmI", "/api/data/v9.2/WhoAmI()", "/api/data/v9.2/Microsoft.Dynamics.CRM.WhoAmI()"]
    {
        let seen = bench.get(target).await;
        assert_eq!(
            seen.json(),
            json!({
                "@odata.context": format!("https://{HOST}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.WhoAmIResponse"),
                "BusinessUnitId": "c0117050-0000-4000-8000-0000000d0002",
                "UserId": USER,
                "OrganizationId": ORGANIZATION,
            })
        );
    }
    let version = bench.get("/api/data/v9.0/RetrieveVersion()").await.json();
    assert!(version["Version"].as_str().unwrap().starts_with("9."));
}

#[tokio::test]
async fn every_answer_has_the_products_headers() {
    let bench = Bench::new().await;
    for (target, status) in
        [("/api/data/v9.2/WhoAmI", 200), ("/api/data/v9.2/nothing", 404), ("/nothing", 404)]
    {
        let seen = bench.get(target).await;
        assert_eq!(seen.status().as_u16(), status);
        assert_eq!(seen.header("odata-version"), Some("4.0"));
        assert_eq!(seen.header("req_id"), seen.header("x-ms-service-request-id"));
        assert_eq!(seen.header("req_id").map(str::len), Some(36));
        assert_eq!(seen.header("authactivityid").map(str::len), Some(36));
        assert!(seen.header("x-ms-dop-hint").unwrap().parse::<u32>().is_ok());
        assert!(seen.header("x-ms-ratelimit-burst-remaining-xrm-requests").is_some());
        assert!(seen.header("x-ms-ratelimit-time-remaining-xrm-requests").is_some());
        assert!(seen.header("strict-transport-security").is_some());
        let cookies: Vec<&str> =
            seen.response.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(cookies.len(), 3);
        assert!(cookies[0].starts_with("ARRAffinity="));
        let expiry = "expires=Sat, 29-Feb-2076 12:00:00 GMT; path=/; secure; HttpOnly";
        assert!(cookies[2].starts_with("orgId=") && cookies[2].ends_with(expiry), "{}", cookies[2]);
    }
}
