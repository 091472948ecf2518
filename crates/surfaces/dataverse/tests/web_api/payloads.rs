//! What a body may hold: the product's words for each fault, and what a person is told beside them.

use crate::support::{Bench, EURO, Seen};
use http::Method;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const ROW: &str = "/api/data/v9.2/accounts(c0117050-0000-4000-8000-0000000f0001)";
const FRAME: &str = "Error identified in Payload provided by the user for Entity :'accounts', For more information on this error please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : ";

async fn post(bench: &Bench, body: &Value) -> Seen {
    bench.call(Method::POST, ACCOUNTS, Some(&body.to_string())).await
}

#[tokio::test]
async fn an_unknown_or_wrongly_cased_column_is_a_payload_fault_that_says_both_exceptions() {
    let bench = Bench::new().await;
    for name in ["Name", "nonsense", "primaryContactId"] {
        let seen = post(&bench, &json!({ name: "x" })).await;
        assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()), "{name}");
        assert_eq!(
            seen.message(),
            format!(
                "{FRAME}Microsoft.Crm.CrmException: Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.account'. ---> Microsoft.OData.ODataException: The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.account'. Make sure to only use property names that are defined by the type."
            )
        );
    }
}

#[tokio::test]
async fn an_annotation_needs_a_period_that_is_not_at_an_end() {
    let bench = Bench::new().await;
    for name in ["@nonsense", "name@nonsense", "name@.x", "@x.", "name@"] {
        let seen = post(&bench, &json!({ "name": "x", name: 1 })).await;
        assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()), "{name}");
        assert!(
            seen.message().ends_with("is an invalid instance annotation name. An instance annotation name must contain a period that is not at the start or end of the name."),
            "{}",
            seen.message()
        );
    }
    let fine = json!({ "name": "x", "@odata.type": "Microsoft.Dynamics.CRM.account", "name@a.b": 1 });
    assert_eq!(post(&bench, &fine).await.status().as_u16(), 204);
}

#[tokio::test]
async fn a_number_that_is_no_option_is_refused_with_the_options_there_are() {
    let bench = Bench::new().await;
    for (column, accepted) in [
        ("customertypecode", "1,2,3,4,5,6,7,8,9,10,11,12"),
        ("accountcategorycode", "1,2"),
        ("address1_shippingmethodcode", "1,2,3,4,5,6,7"),
        ("statecode", "0,1"),
    ] {
        let seen = post(&bench, &json!({ column: 9999 })).await;
        assert_eq!(seen.refusal(), (400, "0x8004431a".to_owned()), "{column}");
        assert_eq!(
            seen.message(),
            format!(
                "A validation error occurred. The value 9999 of '{column}' on record of type 'account' is outside the valid range. Accepted Values: {accepted}"
            )
        );
    }
}

#[tokio::test]
async fn a_lookup_set_with_a_bare_id_says_that_a_row_was_expected() {
    let bench = Bench::new().await;
    for value in [json!(EURO), json!(5), json!(true)] {
        let seen = post(&bench, &json!({ "parentaccountid": value })).await;
        assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()));
        assert_eq!(
            seen.message(),
            format!(
                "{FRAME}Microsoft.OData.ODataException: A 'PrimitiveValue' node with non-null value was found when trying to read the value of the property 'parentaccountid'; however, a 'StartArray' node, a 'StartObject' node, or a 'PrimitiveValue' node with null value was expected."
            )
        );
        assert!(bench.lab.journal().last_refusal().unwrap().fact("not-built").is_none());
    }
    assert_eq!(post(&bench, &json!({ "parentaccountid": null })).await.status().as_u16(), 204);
}

#[tokio::test]
async fn a_binding_whose_address_leads_nowhere_is_a_fault_of_the_url_and_not_of_the_payload() {
    let bench = Bench::new().await;
    for (address, segment) in [
        (format!("/transactioncurrency({EURO})"), "transactioncurrency"),
        (EURO.to_owned(), EURO),
        ("some text".to_owned(), "some text"),
        (format!("https://contoso.crm4.dynamics.com/api/data/v9.2/account({EURO})"), "account"),
    ] {
        let seen = post(&bench, &json!({ "transactioncurrencyid@odata.bind": address })).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{address}");
        assert_eq!(
            seen.message(),
            format!(
                "URL was not parsed due to an ODataUnrecognizedPathException. Resource not found for the segment '{segment}' provided in the URL."
            )
        );
    }
    let gone = format!("/transactioncurrencies({ORGANIZATION})", ORGANIZATION = crate::support::ORGANIZATION);
    let seen = post(&bench, &json!({ "transactioncurrencyid@odata.bind": gone })).await;
    assert_eq!(seen.refusal(), (404, "0x80040217".to_owned()), "a row that is not there");
    let doubled = format!("https://contoso.crm4.dynamics.com/api/data/v9.2//transactioncurrencies({EURO})");
    let seen = post(&bench, &json!({ "transactioncurrencyid@odata.bind": doubled })).await;
    assert_eq!(seen.status().as_u16(), 204, "two slashes before the set are taken");
}

#[tokio::test]
async fn a_binding_to_a_table_that_is_not_built_says_so() {
    let bench = Bench::new().await;
    let body = json!({ "ownerid@odata.bind": format!("/queues({EURO})") });
    assert_eq!(post(&bench, &body).await.refusal(), (400, "0x80060888".to_owned()));
    let record = bench.lab.journal().last_refusal().unwrap();
    assert_eq!(record.fact("not-built").unwrap().value, "the entity set queues");
}

#[tokio::test]
async fn a_status_has_to_be_one_of_its_state_and_a_state_alone_takes_its_default() {
    let bench = Bench::new().await;
    let states = |seen: Seen| {
        let row = seen.json();
        (row["statecode"].as_i64().unwrap(), row["statuscode"].as_i64().unwrap())
    };
    let create = json!({ "accountid": "c0117050-0000-4000-8000-0000000f0001", "name": "x" });
    post(&bench, &create).await;
    assert_eq!(states(bench.get(ROW).await), (0, 1), "a new row");
    let patch = async |body: Value| bench.call(Method::PATCH, ROW, Some(&body.to_string())).await;
    for body in [json!({ "statuscode": 2 }), json!({ "statecode": 0, "statuscode": 2 })] {
        let seen = patch(body).await;
        assert_eq!(seen.refusal(), (400, "0x80048408".to_owned()));
        assert_eq!(
            seen.message(),
            "2 is not a valid status code for state code AccountState.Active on account with Id c0117050-0000-4000-8000-0000000f0001."
        );
    }
    assert_eq!(states(bench.get(ROW).await), (0, 1), "nothing was written");
    assert_eq!(patch(json!({ "statecode": 1 })).await.status().as_u16(), 204);
    assert_eq!(states(bench.get(ROW).await), (1, 2), "the state's default");
    let seen = patch(json!({ "statuscode": 1 })).await;
    assert!(seen.message().contains("AccountState.Inactive"), "{}", seen.message());
    assert_eq!(patch(json!({ "statecode": 0, "statuscode": 1 })).await.status().as_u16(), 204);
    let seen = post(&bench, &json!({ "statuscode": 2 })).await;
    assert_eq!(seen.refusal(), (400, "0x80048408".to_owned()), "on create too");
}

#[tokio::test]
async fn a_task_has_three_states_of_its_own() {
    let bench = Bench::new().await;
    let target = "/api/data/v9.2/tasks(c0117050-0000-4000-8000-0000000f0002)";
    bench.call(Method::PATCH, target, Some(r#"{"subject":"Call back"}"#)).await;
    let row = bench.get(target).await.json();
    assert_eq!((&row["statecode"], &row["statuscode"]), (&json!(0), &json!(2)));
    bench.call(Method::PATCH, target, Some(r#"{"statuscode":7}"#)).await;
    assert_eq!(bench.get(target).await.json()["statuscode"], 7);
    let seen = bench.call(Method::PATCH, target, Some(r#"{"statuscode":5}"#)).await;
    assert!(seen.message().starts_with("5 is not a valid status code for state code TaskState.Open on task"));
    bench.call(Method::PATCH, target, Some(r#"{"statecode":1}"#)).await;
    assert_eq!(bench.get(target).await.json()["statuscode"], 5);
}

/// Whether two values are the same; a number may have decimals.
fn same(left: &Value, right: &Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => (left - right).abs() < f64::EPSILON,
        _ => left == right,
    }
}

#[tokio::test]
async fn the_columns_that_the_maps_and_samples_send_are_there_with_their_types() {
    let bench = Bench::new().await;
    let account = json!({
        "name": "Sample", "accountcategorycode": 1, "address1_addresstypecode": 3, "address1_city": "Redmond",
        "address1_country": "USA", "address1_line1": "123 Maple St.", "address1_name": "Corporate Headquarters",
        "address1_postalcode": "98052", "address1_shippingmethodcode": 4, "address1_stateorprovince": "WA",
        "address1_telephone1": "555-1234", "customertypecode": 3, "description": "x", "emailaddress1": "a@b.example",
        "industrycode": 7, "numberofemployees": 150, "ownershipcode": 2, "preferredcontactmethodcode": 2,
        "telephone1": "555-1234", "revenue": 5_000_000, "creditlimit": 1000.5, "creditonhold": false,
        "msdyn_partynumber": "000001", "primarytwitterid": "x", "websiteurl": "https://x.example", "fax": "1",
    });
    let row = bench
        .call_with(Method::POST, ACCOUNTS, Some(&account.to_string()), &[("prefer", "return=representation")])
        .await;
    assert_eq!(row.status().as_u16(), 201, "{:?}", row.refusal());
    for (name, value) in account.as_object().unwrap() {
        assert!(same(&row.json()[name], value), "{name}");
    }
    let contact = json!({
        "firstname": "Yvonne", "lastname": "McKay (sample)", "jobtitle": "Purchasing Manager", "annualincome": 80_000,
        "description": "x", "telephone1": "555-0105", "emailaddress1": "a@b.example", "birthdate": "1980-05-06",
        "parentcustomerid_account@odata.bind": format!("/accounts({})", row.json()["accountid"].as_str().unwrap()),
    });
    let prefer = [("prefer", "return=representation,odata.include-annotations=\"*\"")];
    let seen =
        bench.call_with(Method::POST, "/api/data/v9.2/contacts", Some(&contact.to_string()), &prefer).await;
    let made = seen.json();
    assert_eq!(made["fullname"], "Yvonne McKay (sample)", "made of its parts");
    assert_eq!(made["_parentcustomerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
    assert_eq!(
        made["_parentcustomerid_value@Microsoft.Dynamics.CRM.associatednavigationproperty"],
        "parentcustomerid_account"
    );
    assert_eq!(made["birthdate@OData.Community.Display.V1.FormattedValue"], "5/6/1980");
    let seen = post(&bench, &json!({ "revenue": "many" })).await;
    assert!(seen.message().contains("Edm.Decimal"), "{}", seen.message());
    let body = Some(r#"{"birthdate":"yesterday"}"#);
    let seen = bench.call(Method::POST, "/api/data/v9.2/contacts", body).await;
    assert!(seen.message().contains("Edm.Date"), "{}", seen.message());
}

#[tokio::test]
async fn a_refused_body_says_which_column_which_value_and_what_was_expected() {
    let bench = Bench::new().await;
    for (body, column, value, expected) in [
        (json!({ "numberofemployees": "many" }), "numberofemployees", "many", "Edm.Int32"),
        (json!({ "numberofemployees": -1 }), "numberofemployees", "-1", "0 to 1000000000"),
        (json!({ "Name": "x" }), "Name", "x", "a column of account"),
        (json!({ "ownershipcode": 9 }), "ownershipcode", "9", "one of 1,2,3,4"),
        (json!({ "name": "x".repeat(161) }), "name", "", "at most 160 characters, not 161"),
        (
            json!({ "parentaccountid": EURO }),
            "parentaccountid",
            EURO,
            "parentaccountid@odata.bind with \"/accounts(<id>)\"",
        ),
        (
            json!({ "_parentaccountid_value": EURO }),
            "_parentaccountid_value",
            EURO,
            "parentaccountid@odata.bind",
        ),
        (
            json!({ "parentaccountid@odata.bind": "/account(1)" }),
            "parentaccountid",
            "",
            "\"/accounts(<id>)\"",
        ),
        (
            json!({ "parentaccountid@odata.bind": format!("/accounts({EURO})") }),
            "parentaccountid",
            "",
            "a row of accounts",
        ),
        (json!({ "statuscode": 2 }), "statuscode", "2", "a status of AccountState.Active: 1"),
    ] {
        post(&bench, &body).await;
        let record = bench.lab.journal().last_refusal().unwrap();
        let fact = |name: &str| record.fact(name).map(|fact| fact.value.to_string()).unwrap_or_default();
        let refused = fact("refused");
        let (named, sent) = refused.split_once(" = ").unwrap_or_default();
        assert_eq!((named, fact("expected").as_str()), (column, expected), "{body}");
        assert!(sent.contains(value), "{body}: {refused}");
    }
}

#[tokio::test]
async fn a_currency_has_a_rate_above_nought_and_two_digits_where_nobody_says_more() {
    let bench = Bench::new().await;
    let currencies = "/api/data/v9.2/transactioncurrencies";
    let listed = bench.get(&format!("{currencies}?$select=isocurrencycode,currencyprecision")).await.json();
    for row in listed["value"].as_array().unwrap() {
        assert_eq!(row["currencyprecision"], 2, "{row}");
    }
    let euro = format!("{currencies}({EURO})");
    for (rate, least) in [("0", false), ("1e-13", false), ("0.00000000001", false), ("0.0000000001", true)] {
        let made = format!(r#"{{"currencyname":"x","isocurrencycode":"SEK","exchangerate":{rate}}}"#);
        for (method, target, body) in [
            (Method::POST, currencies, made),
            (Method::PATCH, euro.as_str(), format!(r#"{{"exchangerate":{rate}}}"#)),
        ] {
            let seen = bench.call(method, target, Some(&body)).await;
            let expected = if least { (204, "") } else { (400, "0x8004431a") };
            assert_eq!(seen.refusal(), (expected.0, expected.1.to_owned()), "{body}");
        }
    }
    let made = bench.get(&format!("{currencies}(isocurrencycode='SEK')?$select=currencyprecision")).await;
    assert_eq!(made.json()["currencyprecision"], 2);
}
