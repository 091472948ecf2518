//! Dual Write: the healthy way, and every way it can fail, with nothing left behind.

use http::Method;
use mocktenant_keys::{Algorithm, shipped};
use mocktenant_lab::outbound::{Call, CallError};
use mocktenant_token::Compact;
use mocktenant_verdict::Outcome;
use time::Duration;

use super::*;

const SIX_LINES: &str = "Unable to write data to entity accounts\n\
    Authentication failed with error\n\
    Failed to authenticate for https://contoso.crm4.dynamics.com/api/data/v9.0/accounts\n\
    For information on troubleshooting see\n\
    https://go.microsoft.com/fwlink/?linkid=2244045\n\
    Unable to get access token";
const STORE: &str = "/environments/onebox/machine/certificates";
const THUMB: &str = "61142666E97BF830049B4B6CB322DBA8DFFB0C4D";
const PINNED: &str = "/environments/onebox/web_config/Infrastructure.S2SCertThumbprint";
const FLIGHT: &str = "/environments/onebox/database/SysFlighting/DualWriteUnoAuthenticationFnoToCds/Enabled";
const ORG_URL: &str = "/environments/onebox/database/DualWriteProjectConfiguration/ExternalEnvironmentURL";
const RECORD: &str = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010')";

fn sample(lab: &Lab) -> Value {
    Value::Object(lab.world().caller().customer.clone())
}

fn machine_my() -> String {
    format!("{STORE}/LocalMachine/My/{THUMB}")
}

fn form(call: &Call) -> Vec<(String, String)> {
    form_urlencoded::parse(&call.body).into_owned().collect()
}

fn field(call: &Call, name: &str) -> String {
    form(call).into_iter().find(|(key, _)| key == name).unwrap().1
}

fn outbound_checks(record: &Record) -> Vec<&Check> {
    record.checks.iter().skip_while(|check| check.name != "dataverse-url-configured").collect()
}

/// A failed write: the answer, and nothing left behind.
async fn refused(bench: &Bench) -> String {
    let response = bench.post(&sample(&bench.lab)).await;
    assert_eq!(response.status, 400);
    let error = &body(&response)["error"];
    assert_eq!((&error["code"], &error["message"]), (&json!(""), &json!("An error has occurred.")));
    assert!(error["innererror"].get("internalexception").is_none());
    assert_eq!(error["innererror"]["type"], WRITE_EXCEPTION);
    assert_ne!(error["innererror"]["stacktrace"], "");
    assert_eq!(bench.last().error.as_deref().map(|id| id.starts_with("dual-write")), Some(true));
    let message = inner_message(&response);
    let record = bench.last();
    assert_eq!(bench.get(RECORD).await.status, 404, "no record remains");
    assert!(record.fact("map").is_some());
    message
}

fn refusing(record: &Record) -> (String, String) {
    let check = record.checks.iter().find(|check| check.failed()).unwrap();
    (check.name.to_string(), check.actual.to_string())
}

/// The newest exchange that created a customer.
fn write_record(bench: &Bench) -> Arc<Record> {
    let records = bench.lab.journal().records();
    records
        .iter()
        .rev()
        .find(|record| record.surface == "aos" && record.method != Method::GET)
        .cloned()
        .unwrap()
}

#[tokio::test]
async fn a_customer_travels_with_a_certificate_assertion_three_lookups_and_one_post() {
    let bench = Bench::new().await;
    let response = bench.post(&sample(&bench.lab)).await;
    assert_eq!(response.status, 201, "{:?}", response.body);
    let tokens = bench.wire.calls(&Method::POST, "/oauth2/token");
    assert_eq!(tokens.len(), 1);
    assert_eq!(tokens[0].url, "https://login.windows.net/contoso.onmicrosoft.com/oauth2/token");
    assert_eq!(field(&tokens[0], "grant_type"), "client_credentials");
    assert_eq!(field(&tokens[0], "resource"), "https://contoso.crm4.dynamics.com");
    let own = "c0117050-0000-4000-8000-00000000a002";
    assert_eq!(field(&tokens[0], "client_id"), own);
    assert!(tokens[0].headers.contains_key("client-request-id"));
    let assertion = field(&tokens[0], "client_assertion");
    let assertion = Compact::parse(&assertion).unwrap();
    let certificate = shipped::onebox_s2s().certificate();
    let key = certificate.public_key().unwrap();
    assert!(key.verify(Algorithm::Rs256, assertion.signing_input(), assertion.signature()));
    assert_eq!(assertion.header().x5t(), Some(certificate.thumbprint().base64url().as_str()));
    assert_eq!(assertion.header().text("x5c"), Some(certificate.base64_der().as_str()));
    let claims = assertion.claims();
    assert_eq!((claims.text("iss"), claims.text("sub")), (Some(own), Some(own)));
    assert_eq!(claims.text("aud"), Some(tokens[0].url.as_str()));
    assert_eq!(claims.get("nbf"), Some(&json!(NOW.unix_timestamp())));
    assert_eq!(claims.get("exp"), Some(&json!(NOW.unix_timestamp() + 600)));

    let lookups: Vec<String> =
        bench.wire.calls(&Method::GET, "/api/data/v9.0/").into_iter().map(|call| call.url).collect();
    let base = "https://contoso.crm4.dynamics.com/api/data/v9.0";
    assert_eq!(
        lookups,
        [
            format!(
                "{base}/cdm_companies?$select=cdm_companyid,cdm_companycode&$filter=cdm_companycode%20eq%20'usmf'"
            ),
            format!(
                "{base}/msdyn_customergroups?$select=msdyn_customergroupid,msdyn_groupid&$filter=msdyn_groupid%20eq%20'30'%20and%20_msdyn_company_value%20eq%20company-1"
            ),
            format!(
                "{base}/transactioncurrencies?$select=transactioncurrencyid,isocurrencycode&$filter=isocurrencycode%20eq%20'EUR'"
            ),
        ]
    );
    let posts = bench.wire.calls(&Method::POST, "/accounts");
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].url, format!("{base}/accounts"));
    assert_eq!(posts[0].headers["authorization"], "Bearer eyJ.the.token");
    assert!(posts[0].headers.contains_key("x-ms-client-request-id"));
    let sent: Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(
        sent,
        json!({
            "msdyn_company@odata.bind": "/cdm_companies(company-1)",
            "accountnumber": "DE-010",
            "name": "Forest Wholesales",
            "msdyn_customergroupid@odata.bind": "/msdyn_customergroups(group-30)",
            "transactioncurrencyid@odata.bind": "/transactioncurrencies(eur-1)",
            "emailaddress1": "orders@forest-wholesales.example",
            "telephone1": "+49 30 5550100",
            "address1_line1": "Teichgasse 12",
            "address1_city": "Berlin",
            "address1_postalcode": "10115",
            "address1_country": "DE",
            "customertypecode": 3,
            "address1_addresstypecode": 2,
        })
    );
    let record = bench.last();
    let names: Vec<&str> = outbound_checks(&record).iter().map(|check| &*check.name).collect();
    assert_eq!(
        names,
        [
            "dataverse-url-configured",
            "thumbprint-configured",
            "certificate-found",
            "private-key-present",
            "private-key-readable",
            "token-issued",
            "dataverse-accepted",
        ]
    );
    assert!(outbound_checks(&record).iter().all(|check| check.outcome == Outcome::Passed));
    assert_eq!(record.fact("client-id").unwrap().value, own);
    assert_eq!(
        record.fact("client-id").unwrap().setting.as_ref().unwrap().as_str(),
        "/environments/onebox/web_config/Aad.Realm"
    );
    assert_eq!(record.fact("certificate").unwrap().setting.as_ref().unwrap().as_str(), machine_my());
    assert!(record.activities.iter().any(|(name, _)| *name == "activity-id"));
    assert_eq!(bench.get(RECORD).await.status, 200);
}

#[tokio::test]
async fn every_way_to_have_no_usable_certificate_gives_the_six_lines_and_its_own_check() {
    let my = machine_my();
    let key = format!("{my}/private_key");
    let readers = format!("{my}/private_key/readable_by");
    let hidden = format!("\u{200e}{THUMB}");
    let user = format!("{STORE}/CurrentUser/My/{THUMB}");
    let root = format!("{STORE}/LocalMachine/Root/{THUMB}");
    let stored =
        json!({ "certificate": "shipped:onebox-s2s", "private_key": { "key": "shipped:onebox-s2s" } });
    for (edits, check) in [
        (vec![drop_setting(PINNED)], "thumbprint-configured"),
        (vec![set(PINNED, json!(" "))], "thumbprint-configured"),
        (vec![set(PINNED, json!("0000000000000000000000000000000000000000"))], "certificate-found"),
        (vec![set(PINNED, json!("{THUMBPRINT}"))], "certificate-found"),
        (vec![set(PINNED, json!(hidden))], "certificate-found"),
        (vec![drop_setting(&my)], "certificate-found"),
        (vec![drop_setting(&my), drop_setting(&root), set(&user, stored)], "certificate-found"),
        (vec![drop_setting(&key)], "private-key-present"),
        (vec![set(&readers, json!(["SYSTEM"]))], "private-key-readable"),
        (vec![set(&readers, json!([]))], "private-key-readable"),
    ] {
        let bench = Bench::edited(&edits).await;
        assert_eq!(refused(&bench).await, SIX_LINES, "{edits:?}");
        let record = write_record(&bench);
        assert_eq!(failed(&record), [check], "{edits:?}");
        assert!(bench.wire.calls(&Method::POST, "").is_empty(), "nobody is called: {edits:?}");
        let needs = |name: &str| matches!(self::check(&record, name).outcome, Outcome::Skipped { .. });
        assert!(needs("token-issued") && needs("dataverse-accepted"), "{edits:?}");
        let declared = self::check(&record, "private-key-readable");
        let expected: Vec<&str> =
            if edits.iter().any(|edit| edit.path.as_str() == PINNED) { vec![] } else { vec![&readers] };
        if !expected.is_empty() {
            assert_eq!(declared.settings.iter().map(Setting::as_str).collect::<Vec<_>>(), expected);
        }
    }
}

#[tokio::test]
async fn spaces_and_case_of_the_thumbprint_and_the_layout_of_the_field_report_work() {
    let spaced = "61 14 26 66 e9 7b f8 30 04 9b 4b 6c b3 22 db a8 df fb 0c 4d";
    let bench = Bench::edited(&[set(PINNED, json!(spaced))]).await;
    assert_eq!(bench.post(&sample(&bench.lab)).await.status, 201);

    let stored =
        json!({ "certificate": "shipped:onebox-s2s", "private_key": { "key": "shipped:onebox-s2s" } });
    let user = format!("{STORE}/CurrentUser/My/{THUMB}");
    let bench = Bench::edited(&[drop_setting(&machine_my()), set(&user, stored)]).await;
    assert_eq!(bench.post(&sample(&bench.lab)).await.status, 201);
    let record = bench.last();
    assert!(check(&record, "certificate-found").actual.contains("warning"), "{:?}", record.checks);
    assert_eq!(record.fact("certificate").unwrap().read_at_start, Some(Value::Null));
    assert!(record.fact("certificate-user").unwrap().read_at_start.as_ref().unwrap().is_object());
}

#[tokio::test]
async fn a_refusal_of_entra_and_its_silence_give_the_six_lines_too() {
    for (answer, actual) in [
        (Ok((400, r#"{"error":"unauthorized_client","error_codes":[700016]}"#.to_owned())), "AADSTS700016"),
        (Ok((401, r#"{"error":"invalid_client","error_codes":[700027]}"#.to_owned())), "AADSTS700027"),
        (Ok((500, "<html>".to_owned())), "HTTP 500"),
        (Ok((200, "{}".to_owned())), "200 without access_token and expires_on"),
        (
            Err(CallError::Refused { host: "login.windows.net".to_owned(), port: 443 }),
            "connection refused by login.windows.net:443",
        ),
    ] {
        let bench = Bench::new().await;
        bench.wire.script(Method::POST, "/oauth2/token", answer);
        assert_eq!(refused(&bench).await, SIX_LINES, "{actual}");
        let record = write_record(&bench);
        assert_eq!(refusing(&record), ("token-issued".to_owned(), actual.to_owned()));
        let settings = &check(&record, "token-issued").settings;
        assert_eq!(settings[0].as_str(), "/environments/onebox/web_config/Aad.Realm");
        assert!(bench.wire.calls(&Method::GET, "/api/data/").is_empty());
    }
}

#[tokio::test]
async fn a_login_endpoint_that_is_no_url_gets_no_token() {
    let bench = Bench::edited(&[set(
        "/environments/onebox/web_config/Aad.AADLoginWsfedEndpointFormat",
        json!("wsfed"),
    )])
    .await;
    assert_eq!(refused(&bench).await, SIX_LINES);
    assert_eq!(refusing(&write_record(&bench)).0, "token-issued");
}

#[tokio::test]
async fn without_the_flight_the_aos_is_the_first_party_application() {
    let bench = Bench::edited(&[set(FLIGHT, json!(0))]).await;
    assert_eq!(bench.post(&sample(&bench.lab)).await.status, 201);
    let call = &bench.wire.calls(&Method::POST, "/oauth2/token")[0];
    assert_eq!(field(call, "client_id"), "00000015-0000-0000-c000-000000000000");
    let record = bench.last();
    let fact = record.fact("client-id").unwrap();
    assert_eq!(fact.setting.as_ref().unwrap().as_str(), FLIGHT);
    assert_eq!(fact.read_at_start, Some(json!(0)));
}

#[tokio::test]
async fn what_dataverse_says_is_composed_into_the_message() {
    let bench = Bench::new().await;
    let said = r#"{"error":{"code":"0x80072560","message":"The user is not a member of the organization."}}"#;
    bench.wire.script(Method::GET, "/cdm_companies", Ok((403, said.to_owned())));
    let message = refused(&bench).await;
    let record = write_record(&bench);
    let (_, activity) = record.activities.iter().find(|(name, _)| *name == "activity-id").unwrap();
    let activity = format!("{{{}}}", activity.to_uppercase());
    let further = "For information on troubleshooting see https://go.microsoft.com/fwlink/?linkid=2244045.";
    assert_eq!(
        message,
        format!(
            "Unable to write data to entity accounts.Writes to CustCustomerV3Entity failed with error message Request \
         failed with status code Forbidden and CDS error code : 0x80072560 response message: The user is not a \
         member of the organization..{further} Activity ID for troubleshooting {activity}{further}."
        )
    );
    assert_eq!(refusing(&record), ("dataverse-accepted".to_owned(), "0x80072560".to_owned()));
    assert_eq!(
        check(&record, "dataverse-accepted").settings[0].as_str(),
        "/organizations/contoso/application_users/c0117050-0000-4000-8000-00000000a002"
    );
}

#[tokio::test]
async fn a_refusal_without_a_code_and_no_answer_at_all_have_texts_of_their_own() {
    for (answer, part, actual) in [
        (
            Ok((401, String::new())),
            "status code Unauthorized and CDS error code : Unauthorized.For",
            "HTTP 401",
        ),
        (Ok((429, "x".to_owned())), "status code TooManyRequests", "HTTP 429"),
        (
            Err(CallError::UnknownHost { host: "h".to_owned(), port: 443 }),
            "Exception message: The remote name could not be resolved: 'h'.For",
            "h:443 is no host of this world",
        ),
        (
            Err(CallError::Refused { host: "h".to_owned(), port: 443 }),
            "Exception message: Unable to connect to the remote server.For",
            "connection refused by h:443",
        ),
    ] {
        let bench = Bench::new().await;
        bench.wire.script(Method::POST, "/accounts", answer);
        let message = refused(&bench).await;
        assert!(message.contains(part), "{message}");
        assert_eq!(refusing(&write_record(&bench)).1, actual);
    }
}

#[tokio::test]
async fn reference_data_that_is_not_in_dataverse_is_named() {
    let bench = Bench::new().await;
    let none = || Ok((200, r#"{"value":[]}"#.to_owned()));
    bench.wire.script(Method::GET, "/msdyn_customergroups", none());
    bench.wire.script(Method::GET, "/transactioncurrencies", none());
    let message = refused(&bench).await;
    let expected = "Unable to write data to entity accounts.Unable to lookup msdyn_customergroups with values {30}.\
        Unable to lookup transactioncurrencies with values {EUR}.Writes to accounts failed with error message \
        Exception message: The remote server returned an error: (400) Bad Request.For information on troubleshooting see ";
    assert!(message.starts_with(expected), "{message}");
    let record = write_record(&bench);
    let check = check(&record, "dataverse-accepted");
    assert_eq!(check.settings[0].as_str(), "/organizations/contoso/records/msdyn_customergroups");
}

#[tokio::test]
async fn an_empty_or_broken_organisation_url_asks_nobody() {
    for (url, reason) in [
        ("", "Invalid URI: The URI is empty."),
        ("contoso", "Invalid URI: The format of the URI could not be determined."),
    ] {
        let bench = Bench::edited(&[set(ORG_URL, json!(url))]).await;
        let message = refused(&bench).await;
        assert!(message.ends_with(reason), "{message}");
        assert_eq!(refusing(&write_record(&bench)).0, "dataverse-url-configured");
        assert!(bench.wire.calls(&Method::POST, "").is_empty());
    }
}

#[tokio::test]
async fn the_token_is_kept_until_five_minutes_before_its_end_and_dropped_by_a_restart() {
    let bench = Bench::new().await;
    let mut number = 0;
    let mut create = async || {
        number += 1;
        let mut row = sample(&bench.lab);
        row["CustomerAccount"] = json!(format!("N{number}"));
        assert_eq!(bench.post(&row).await.status, 201);
        bench.wire.calls(&Method::POST, "/oauth2/token").len()
    };
    bench.wire.token_lifetime(3000);
    assert_eq!(create().await, 1);
    assert_eq!(create().await, 1);
    let machine = |seconds| Command::MachineClock {
        machine: node(),
        offset: Duration::seconds(seconds),
        by: EditedBy::Control,
    };
    bench.lab.apply(machine(2699)).await.unwrap();
    assert_eq!(create().await, 1);
    bench.lab.apply(machine(2700)).await.unwrap();
    assert_eq!(create().await, 2);
    bench.lab.apply(machine(0)).await.unwrap();
    bench.restart().await;
    assert_eq!(create().await, 3);
}

#[tokio::test]
async fn changes_and_deletions_go_by_the_alternate_key_and_are_undone_if_refused() {
    let bench = Bench::new().await;
    let mut row = sample(&bench.lab);
    row["CustomerAccount"] = json!("O'Neil & Co");
    assert_eq!(bench.post(&row).await.status, 201);
    let record = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='O''Neil%20%26%20Co')";
    let change = r#"{"OrganizationName":"Changed","PrimaryContactPhone":""}"#;
    let patch = || request(Method::PATCH, record, Some(&good_token()), Some(change));
    bench.wire.script(Method::PATCH, "/accounts", Ok((412, String::new())));
    assert_eq!(bench.send(patch()).await.status, 400);
    assert_eq!(body(&bench.get(record).await)["OrganizationName"], "Forest Wholesales");
    bench.wire.script(Method::PATCH, "/accounts", Ok((204, String::new())));
    assert_eq!(bench.send(patch()).await.status, 204);
    assert_eq!(body(&bench.get(record).await)["OrganizationName"], "Changed");
    let calls = bench.wire.calls(&Method::PATCH, "/accounts");
    assert!(calls[0].url.ends_with("/accounts(accountnumber='O''Neil%20%26%20Co')"), "{}", calls[0].url);
    let sent: Value = serde_json::from_slice(&calls[1].body).unwrap();
    assert_eq!((&sent["name"], &sent["telephone1"]), (&json!("Changed"), &Value::Null));
    assert!(sent.get("accountnumber").is_none());

    let delete = || request(Method::DELETE, record, Some(&good_token()), None);
    bench.wire.script(Method::DELETE, "/accounts", Ok((500, String::new())));
    assert_eq!(bench.send(delete()).await.status, 400);
    assert_eq!(bench.get(record).await.status, 200);
    bench.wire.script(Method::DELETE, "/accounts", Ok((404, String::new())));
    assert_eq!(bench.send(delete()).await.status, 204);
    assert_eq!(bench.get(record).await.status, 404);
}

#[tokio::test]
async fn a_paused_map_and_a_filtered_row_stay_at_home() {
    let state = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomersV3/State";
    let bench = Bench::edited(&[set(state, json!("Paused"))]).await;
    assert_eq!(bench.post(&sample(&bench.lab)).await.status, 201);
    assert!(bench.last().fact("map").unwrap().value.contains("Paused"));
    let bench = Bench::new().await;
    let mut row = sample(&bench.lab);
    row["PartyType"] = json!("Person");
    row["PersonFirstName"] = json!("Ada");
    assert_eq!(bench.post(&row).await.status, 201);
    assert!(bench.wire.calls(&Method::POST, "").is_empty());
}

#[tokio::test]
async fn a_record_that_is_being_delivered_cannot_be_created_twice() {
    let bench = Bench::new().await;
    let row = sample(&bench.lab);
    let (one, other) = tokio::join!(bench.post(&row), bench.post(&row));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    assert_eq!(bench.wire.calls(&Method::POST, "/accounts").len(), 1);
}

#[tokio::test]
async fn the_text_has_no_lab_port_and_the_resource_stands_as_written() {
    let url = "https://Contoso.crm4.dynamics.com:7446/";
    let bench = Bench::edited(&[set(ORG_URL, json!(url))]).await;
    bench.wire.script(Method::POST, "/oauth2/token", Ok((400, String::new())));
    let expected = SIX_LINES.replace("contoso.crm4", "Contoso.crm4");
    assert_eq!(refused(&bench).await, expected);
    assert_eq!(field(&bench.wire.calls(&Method::POST, "/oauth2/token")[0], "resource"), url);
}

#[tokio::test]
async fn a_customer_group_travels_by_a_map_of_its_own_where_one_runs() {
    let map = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomerGroups";
    let bench = Bench::edited(&[set(map, json!({ "State": "Running" }))]).await;
    let create = async |set: &str, row: Value| {
        let text = row.to_string();
        let request = request(Method::POST, &format!("/data/{set}"), Some(&good_token()), Some(&text));
        bench.send(request).await.status.as_u16()
    };
    assert_eq!(create("PaymentTerms", json!({ "Name": "Net10" })).await, 201);
    assert_eq!(bench.wire.calls(&Method::POST, "/api/data/").len(), 0, "terms of payment have no map");
    let group = json!({
        "CustomerGroupId": "40", "Description": "Interns", "PaymentTermId": "Net10", "IsSalesTaxIncludedInPrice": "Yes",
    });
    assert_eq!(create("CustomerGroups", group).await, 201);
    let calls = bench.wire.calls(&Method::POST, "/msdyn_customergroups");
    assert_eq!(calls.len(), 1);
    let written: Value = serde_json::from_slice(&calls[0].body).unwrap();
    assert_eq!(
        written,
        json!({
            "msdyn_company@odata.bind": "/cdm_companies(company-1)",
            "msdyn_groupid": "40",
            "msdyn_description": "Interns",
            "msdyn_issalestaxincludedinprice": true,
            "msdyn_paymenttermid@odata.bind": "/msdyn_paymentterms(term-1)",
        })
    );
    bench.wire.script(Method::DELETE, "/msdyn_customergroups", Ok((500, String::new())));
    let record = "/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='40')";
    let response = bench.send(request(Method::DELETE, record, Some(&good_token()), None)).await;
    assert_eq!(response.status, 400);
    let message = inner_message(&response);
    assert!(
        message.starts_with(
            "Unable to write data to entity msdyn_customergroups.Writes to CustCustomerGroupEntity failed"
        ),
        "{message}"
    );
    assert_eq!(bench.get(record).await.status, 200);
}
