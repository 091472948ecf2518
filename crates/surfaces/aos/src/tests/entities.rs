//! What public entities are made of, how they are asked, and in which words a record or a query is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;

use super::odata::{customer, unlinked};
use super::*;

const RECORD: &str = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-012')";

/// The names of an object's members.
fn members(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// What the newest record says was refused, and what was expected.
fn told(bench: &Bench) -> (String, String) {
    let record = bench.last();
    let fact = |name| record.fact(name).unwrap_or_else(|| panic!("no fact {name}")).value.to_string();
    (fact("refused"), fact("expected"))
}

async fn accepting(bench: &Bench, target: &str, accept: &str) -> Response {
    let mut request = request(Method::GET, target, Some(&good_token()), None);
    request.headers.insert("accept", HeaderValue::from_str(accept).unwrap());
    bench.send(request).await
}

#[tokio::test]
async fn every_refused_write_has_the_class_of_a_write_and_a_stack_trace() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-012")).await.status, 201);
    let mut missing = customer("DE-013");
    missing["OrganizationName"] = json!("");
    let mut unrelated = customer("DE-013");
    unrelated["CustomerGroupId"] = json!("99");
    let mut word = customer("DE-013");
    word["PartyType"] = json!("Nobody");
    for row in [missing, unrelated, word, customer("DE-012")] {
        let response = bench.post(&row).await;
        assert_eq!(response.status, 400, "{row}");
        let error = &body(&response)["error"];
        assert_eq!((&error["code"], &error["message"]), (&json!(""), &json!("An error has occurred.")));
        let inner = &error["innererror"];
        assert_eq!(members(inner), ["message", "type", "stacktrace"]);
        assert_eq!(inner["type"], WRITE_EXCEPTION);
        let trace = inner["stacktrace"].as_str().unwrap();
        assert!(
            trace.starts_with("   at Microsoft.Dynamics.Platform.Integration.Services.OData.Update."),
            "{trace}"
        );
    }
    let change = request(Method::PATCH, RECORD, Some(&good_token()), Some(r#"{"CustomerAccount":"B"}"#));
    let response = bench.send(change).await;
    assert_eq!(body(&response)["error"]["innererror"]["type"], WRITE_EXCEPTION);
}

#[tokio::test]
async fn a_value_without_its_row_names_field_and_table_by_their_labels_and_the_column_that_was_validated() {
    let bench = unlinked().await;
    for (column, value, field, table, set) in [
        ("CustomerGroupId", "99", "Customer group", "Customer groups", "CustomerGroups"),
        ("SalesCurrencyCode", "XXX", "Currency", "Currency table", "Currencies"),
        ("dataAreaId", "zzz", "Company", "Legal entities", "LegalEntities"),
    ] {
        let mut row = customer("DE-012");
        row[column] = json!(value);
        let response = bench.post(&row).await;
        assert_eq!(
            inner_message(&response),
            format!(
                "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Warning: The value '{value}' in \
                 field '{field}' is not found in the related table '{table}'.; Warning: validateField failed on field \
                 'CustCustomerV3Entity.{column}'."
            )
        );
        let expected = format!("the key of a record of {set}");
        assert_eq!(told(&bench), (format!("{column} = '{value}'"), expected));
    }
}

#[tokio::test]
async fn mandatory_columns_are_named_together_and_the_table_that_was_validated() {
    let bench = unlinked().await;
    let mut row = customer("DE-012");
    row["CustomerGroupId"] = json!(" ");
    row["OrganizationName"] = json!(null);
    let response = bench.post(&row).await;
    assert_eq!(
        inner_message(&response),
        "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Warning: Field 'Organization name' must be \
         filled in.; Warning: Field 'Customer group' must be filled in.; Warning: validateWrite failed on data source \
         'CustTable (CustTable)'."
    );
    assert_eq!(told(&bench).0, "OrganizationName, CustomerGroupId = ''");
}

#[tokio::test]
async fn a_duplicate_names_the_table_by_its_label_and_the_key_and_ends_in_two_full_stops() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-012")).await.status, 201);
    let response = bench.post(&customer("de-012")).await;
    assert_eq!(response.status, 400);
    assert_eq!(
        inner_message(&response),
        "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Info: Cannot create a record in Customers \
         (CustTable). Customer account: de-012.\nThe record already exists.."
    );
}

#[tokio::test]
async fn a_duplicate_is_named_by_what_was_sent_with_the_label_of_the_first_value_alone() {
    let bench = unlinked().await;
    for (set, row, named) in [
        (
            "CustomerGroups",
            json!({ "dataAreaId": "usmf", "CustomerGroupId": "10", "Description": "Foo" }),
            "Customer groups (CustGroup). Customer group: 10, Foo.",
        ),
        (
            "CustomerGroups",
            json!({ "CustomerGroupId": "10" }),
            "Customer groups (CustGroup). Customer group: 10.",
        ),
        (
            "Currencies",
            json!({ "CurrencyCode": "EUR", "Name": "Euros" }),
            "Currency table (Currency). Currency code: EUR, Euros.",
        ),
        (
            "LegalEntities",
            json!({ "LegalEntityId": "usmf", "Name": "Contoso" }),
            "Legal entities (CompanyInfo). Company: usmf, Contoso.",
        ),
    ] {
        let text = row.to_string();
        let sent = request(Method::POST, &format!("/data/{set}"), Some(&good_token()), Some(&text));
        let message = inner_message(&bench.send(sent).await);
        let told = message.split_once("Cannot create a record in ").map(|(_, told)| told);
        assert_eq!(told, Some(format!("{named}\nThe record already exists..").as_str()), "{message}");
    }
}

#[tokio::test]
async fn an_incomplete_key_and_a_name_in_another_case_are_no_route() {
    let bench = unlinked().await;
    for path in [
        "/data/CustomersV3('DE-010')",
        "/data/CustomersV3(dataAreaId='usmf')",
        "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='X',Other='Y')",
        "/data/CustomerGroups('10')?cross-company=true",
        "/data/customersv3",
        "/data/CustomerGroup",
        "/data/Nothing",
        "/data/CustomersV3/Nothing",
        "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='X')/$count",
    ] {
        let response = bench.get(path).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.headers["content-type"], "application/json; charset=utf-8", "{path}");
        let message = format!(
            "No HTTP resource was found that matches the request URI '{URL}{path}'. No route data was found for this request."
        );
        assert_eq!(body(&response), json!({ "Message": message }));
        assert!(bench.last().fact("not-built").is_none(), "{path}: nobody has it");
    }
    for (path, key) in [("Currencies('USD')", "CurrencyCode"), ("LegalEntities('USMF')", "LegalEntityId")] {
        let response = bench.get(&format!("/data/{path}")).await;
        assert_eq!(response.status, 200, "one key column takes the bare value");
        assert!(body(&response)[key].is_string());
    }
}

#[tokio::test]
async fn a_column_nobody_has_is_refused_in_each_option_of_a_query() {
    let bench = unlinked().await;
    for (query, name, option, expected) in [
        ("$select=CustomerGroupId,Nope", "Nope", "$select", "a column of CustomerGroups"),
        ("$select=customergroupid", "customergroupid", "$select", "CustomerGroupId"),
        (
            "$filter=Description%20eq%20'a'%20and%20not%20(nope%20eq%201)",
            "nope",
            "$filter",
            "a column of CustomerGroups",
        ),
        ("$filter=Nope/Name%20eq%20'a'", "Nope", "$filter", "a column of CustomerGroups"),
        ("$orderby=Description,description%20desc", "description", "$orderby", "Description"),
        ("$expand=Nope", "Nope", "$expand", "a link of CustomerGroups"),
    ] {
        for set in [
            "CustomerGroups",
            "CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')",
            "CustomerGroups/$count",
        ] {
            let response = bench.get(&format!("/data/{set}?{query}")).await;
            assert_eq!(response.status, 400, "{query}");
            let inner = format!(
                "Could not find a property named '{name}' on type 'Microsoft.Dynamics.DataEntities.CustomerGroup'."
            );
            let error = &body(&response)["error"];
            assert_eq!(error["message"], format!("The query specified in the URI is not valid. {inner}"));
            assert_eq!(error["innererror"]["message"], inner);
            assert_eq!(error["innererror"]["type"], "Microsoft.OData.ODataException");
            assert_eq!(told(&bench), (format!("'{name}' in {option}"), expected.to_owned()));
        }
    }
    assert_eq!(bench.get("/data/CustomerGroups?$select=*&$orderby=TaxGroupId").await.status, 200);
}

#[tokio::test]
async fn a_body_the_product_cannot_read_is_one_error_and_the_record_says_which_column_and_why() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-012")).await.status, 201);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let group = "#Microsoft.Dynamics.DataEntities.CustomerGroup";
    let own = "#Microsoft.Dynamics.DataEntities.CustomerV3";
    for (text, refused, expected) in [
        (r#"{"Nope":"a"}"#, "Nope = 'a'", "a column of CustomersV3"),
        (r#"{"organizationName":"a"}"#, "organizationName = 'a'", "OrganizationName: names have letter case"),
        (r#"{"CustomerAccount":5}"#, "CustomerAccount = 5", "text"),
        (r#"{"OrganizationName":{"a":1}}"#, "OrganizationName = an object", "text"),
        (r#"{"OrganizationName":[1]}"#, "OrganizationName = a list", "text"),
        (r#"{"CreditLimit":"much"}"#, "CreditLimit = 'much'", "a number"),
        (r#"{"ConsolidationDay":1.5}"#, "ConsolidationDay = 1.5", "a whole number of 32 bits"),
        (
            r#"{"OnHoldStatus":"Maybe"}"#,
            "OnHoldStatus = 'Maybe'",
            "a member of CustVendorBlocked: No, Invoice, All, Payment, Requisition, Never, PurchOrder",
        ),
        (r#"{"IsOneTimeCustomer":true}"#, "IsOneTimeCustomer = true", "a member of NoYes: No, Yes"),
        (
            r#"{"CredManCustomerSince":"soon"}"#,
            "CredManCustomerSince = 'soon'",
            "a moment as text, 2026-07-14T00:00:00Z",
        ),
        (&format!(r#"{{"@odata.type":"{group}"}}"#), &format!("@odata.type = '{group}'"), own),
    ] {
        for (method, target) in
            [(Method::POST, "/data/CustomersV3"), (Method::PATCH, RECORD), (Method::PUT, RECORD)]
        {
            let response = bench.send(request(method, target, Some(&good_token()), Some(text))).await;
            assert_eq!(response.status, 400, "{text}");
            let error = &body(&response)["error"];
            assert_eq!(error["message"], "An error has occurred.");
            let inner = &error["innererror"];
            assert_eq!(inner["message"], "Exception has been thrown by the target of an invocation.");
            assert_eq!(inner["type"], "System.Reflection.TargetInvocationException");
            let place = "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataEntityDeserializer.ReadODataBodyAsType";
            assert!(inner["stacktrace"].as_str().unwrap().contains(place));
            assert_eq!(told(&bench), (refused.to_owned(), expected.to_owned()));
        }
    }
    for text in ["", "{", "[]", "null", "5", "\"x\"", "{\"a\":}", "\u{feff}{}", &deep] {
        let response =
            bench.send(request(Method::POST, "/data/CustomersV3", Some(&good_token()), Some(text))).await;
        assert_eq!(response.status, 400, "{text:.40}");
        let inner = inner_message(&response);
        assert_eq!(inner, "Exception has been thrown by the target of an invocation.", "{text:.40}");
        assert_eq!(told(&bench).1, "one JSON object");
    }
    let mut bytes = request(Method::POST, "/data/CustomersV3", Some(&good_token()), Some("{}"));
    bytes.body = Ok(vec![0xff, 0xfe, 0x00].into());
    assert_eq!(bench.send(bytes).await.status, 400);
}

#[tokio::test]
async fn every_column_of_a_customer_is_taken_in_its_own_type_and_read_back() {
    let bench = unlinked().await;
    let mut row = customer("DE-012");
    row["@odata.type"] = json!("#Microsoft.Dynamics.DataEntities.CustomerV3");
    for (column, value) in [
        ("SalesMemo", json!("a")),
        ("CreditLimit", json!(10.0)),
        ("ConsolidationDay", json!(7)),
        ("PrimaryContactFaxRecordId", json!(5_637_144_576_i64)),
        ("OnHoldStatus", json!("Invoice")),
        ("AddressTimeZone", json!("GMT_DUBLIN_EDINBURGH_LISBON_LONDON")),
        ("CredManCustomerSince", json!("2026-07-14T00:00:00Z")),
        ("AddressValidFrom", json!("2026-07-14T02:00:00+02:00")),
    ] {
        row[column] = value;
    }
    let created = body(&bench.post(&row).await);
    let read = body(&bench.get(RECORD).await);
    assert_eq!(created, read);
    assert_eq!(members(&read).len(), 309 + 2, "all columns, the context and the tag");
    for (column, value) in [
        ("CreditLimit", json!(10)),
        ("ConsolidationDay", json!(7)),
        ("PrimaryContactFaxRecordId", json!(5_637_144_576_i64)),
        ("OnHoldStatus", json!("Invoice")),
        ("AddressTimeZone", json!("GMT_DUBLIN_EDINBURGH_LISBON_LONDON")),
        ("CredManCustomerSince", json!("2026-07-14T12:00:00Z")),
        ("AddressValidFrom", json!("2026-07-14T00:00:00Z")),
        ("NameAlias", json!("Forest Wholesales")),
        ("SalesTaxGroup", json!("")),
        ("Priority", json!("AllocationPriority10")),
        ("InvoiceAddressTimeZone", json!(null)),
        ("DeliveryAddressValidFrom", json!("1900-01-01T00:00:00Z")),
        ("CredManLastReviewDate", json!("1900-01-01T12:00:00Z")),
        ("AddressLatitude", json!(0)),
    ] {
        assert_eq!(read[column], value, "{column}");
    }
}

#[tokio::test]
async fn a_column_nobody_set_is_filtered_and_ordered_by_what_it_holds() {
    let bench = unlinked().await;
    for (account, alias) in [("DE-012", "b"), ("DE-013", "a")] {
        let mut row = customer(account);
        row["SalesMemo"] = json!(alias);
        assert_eq!(bench.post(&row).await.status, 201);
    }
    let mut third = customer("DE-014");
    third["OnHoldStatus"] = json!("All");
    assert_eq!(bench.post(&third).await.status, 201);
    let accounts = async |query: &str| {
        let page = body(&bench.get(&format!("/data/CustomersV3?{query}")).await);
        let rows = page["value"].as_array().unwrap().clone();
        rows.iter().map(|row| row["CustomerAccount"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(accounts("$filter=SalesMemo%20eq%20''").await, ["DE-014"]);
    assert_eq!(
        accounts("$filter=OnHoldStatus%20eq%20Microsoft.Dynamics.DataEntities.CustVendorBlocked'No'").await,
        ["DE-012", "DE-013"]
    );
    assert_eq!(
        accounts("$filter=AddressTimeZone%20eq%20null&$orderby=SalesMemo").await,
        ["DE-014", "DE-013", "DE-012"]
    );
}

#[tokio::test]
async fn a_tag_has_a_pair_for_each_table_and_a_creation_says_it_in_a_header_too() {
    let bench = unlinked().await;
    let response = bench.post(&customer("DE-012")).await;
    let tag = body(&response)["@odata.etag"].as_str().unwrap().to_owned();
    assert_eq!(response.headers["etag"], tag);
    let pairs = |tag: &str| {
        let inner = tag.strip_prefix("W/\"").unwrap().strip_suffix('"').unwrap();
        let text = String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap();
        let text = text.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap().to_owned();
        text.split(';').map(str::to_owned).collect::<Vec<_>>()
    };
    let customer = pairs(&tag);
    assert_eq!(customer.len(), 11);
    assert_eq!(
        customer.iter().filter(|pair| *pair != "0,0").count(),
        2,
        "the customer and its party: {customer:?}"
    );
    for (set, expected) in [("CustomerGroups", 1), ("LegalEntities", 3), ("Currencies", 2)] {
        let page = body(&bench.get(&format!("/data/{set}?$top=1")).await);
        assert_eq!(pairs(page["value"][0]["@odata.etag"].as_str().unwrap()).len(), expected, "{set}");
    }
}

#[tokio::test]
async fn the_version_in_a_tag_is_0_in_what_was_declared_1_in_a_new_record_and_without_order_after_a_change() {
    let bench = unlinked().await;
    let version = |row: &Value| {
        let tag = row["@odata.etag"].as_str().unwrap();
        let text = STANDARD.decode(tag.strip_prefix("W/\"").unwrap().strip_suffix('"').unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let first = text.trim_matches('\'').split(';').next().unwrap().to_owned();
        first.split_once(',').map(|(version, _)| version.parse::<u64>().unwrap()).unwrap()
    };
    let declared = "/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')";
    assert_eq!(version(&body(&bench.get(declared).await)), 0);
    assert_eq!(version(&body(&bench.post(&customer("DE-012")).await)), 1);
    let made = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-012')";
    assert_eq!(version(&body(&bench.get(made).await)), 1);
    let change = async |record: &str, tag: Option<&str>, text: &str| {
        let mut sent = request(Method::PATCH, record, Some(&good_token()), Some(text));
        if let Some(tag) = tag {
            sent.headers.insert("if-match", HeaderValue::from_str(tag).unwrap());
        }
        bench.send(sent).await.status.as_u16()
    };
    for (record, text) in
        [(declared, r#"{"Description":"Others"}"#), (made, r#"{"OrganizationName":"Forest"}"#)]
    {
        let mut seen = vec![0, 1];
        let mut stale = None;
        for _ in 0..3 {
            let before = body(&bench.get(record).await)["@odata.etag"].as_str().unwrap().to_owned();
            if let Some(stale) = stale.replace(before.clone()) {
                assert_eq!(change(record, Some(&stale), text).await, 412, "{record}");
            }
            assert_eq!(change(record, Some(&before), text).await, 204, "{record}");
            let now = version(&body(&bench.get(record).await));
            assert!(now <= i32::MAX.unsigned_abs().into() && !seen.contains(&now), "{now} after {seen:?}");
            seen.push(now);
        }
        assert!(seen.windows(2).any(|two| two[1].abs_diff(two[0]) > 1_000), "{seen:?}");
    }
}

#[tokio::test]
async fn full_metadata_has_types_addresses_and_links_and_none_has_no_more_than_the_columns() {
    let bench = unlinked().await;
    let target = "/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')";
    for response in [
        accepting(&bench, target, "application/json;odata.metadata=full").await,
        bench.get(&format!("{target}?$format=application/json;odata.metadata=full")).await,
    ] {
        assert_eq!(response.headers["content-type"], "application/json; odata.metadata=full");
        let group = body(&response);
        let names = members(&group);
        assert_eq!(
            names[..5],
            ["@odata.context", "@odata.type", "@odata.id", "@odata.etag", "@odata.editLink"]
        );
        assert_eq!(group["@odata.type"], "#Microsoft.Dynamics.DataEntities.CustomerGroup");
        assert_eq!(group["@odata.id"], format!("{URL}{target}"));
        assert_eq!(group["@odata.editLink"], target["/data/".len()..]);
        let place = |name: &str| names.iter().position(|known| *known == name);
        let kind = place("IsSalesTaxIncludedInPrice@odata.type").unwrap();
        assert_eq!(names[kind + 1], "IsSalesTaxIncludedInPrice");
        assert_eq!(group[names[kind]], "#Microsoft.Dynamics.DataEntities.NoYes");
        assert_eq!(place("Description@odata.type"), None, "text says by itself what it is");
        assert_eq!(group["Prospects@odata.associationLink"], format!("{URL}{target}/Prospects/$ref"));
        assert_eq!(group["Prospects@odata.navigationLink"], format!("{URL}{target}/Prospects"));
    }
    let currency =
        body(&accepting(&bench, "/data/Currencies('USD')", "application/json;odata.metadata=full").await);
    assert_eq!(currency["GeneralRoundingRule@odata.type"], "#Decimal");
    assert_eq!(currency["@odata.editLink"], "Currencies('USD')");
    let response = accepting(&bench, target, "application/json;odata.metadata=none").await;
    assert_eq!(response.headers["content-type"], "application/json; odata.metadata=none");
    assert_eq!(members(&body(&response))[0], "dataAreaId");
    let page = accepting(&bench, "/data/CustomerGroups?$top=1", "application/json;odata.metadata=none").await;
    assert_eq!(members(&body(&page)), ["value"]);
}

#[tokio::test]
async fn how_many_there_are_is_plain_text() {
    let bench = Bench::new().await;
    for (target, expected) in [
        ("CustomerGroups/$count", "3"),
        ("CustomerGroups/%24count", "3"),
        ("CustomerGroups/$count?$filter=CustomerGroupId%20ne%20'10'", "2"),
        ("CustomerGroups/$count?$top=1", "3"),
    ] {
        let response = bench.get(&format!("/data/{target}")).await;
        assert_eq!(response.status, 200, "{target}");
        assert_eq!(response.headers["content-type"], "text/plain");
        let text = std::str::from_utf8(&response.body).unwrap();
        assert_eq!(text.strip_prefix('\u{feff}'), Some(expected), "{target}");
    }
}

#[tokio::test]
async fn put_changes_a_record_as_patch_does() {
    let bench = unlinked().await;
    assert_eq!(bench.post(&customer("DE-012")).await.status, 201);
    let put = request(Method::PUT, RECORD, Some(&good_token()), Some(r#"{"OrganizationName":"Changed"}"#));
    let response = bench.send(put).await;
    assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
    let read = body(&bench.get(RECORD).await);
    assert_eq!((&read["OrganizationName"], &read["CustomerGroupId"]), (&json!("Changed"), &json!("30")));
    assert_eq!(read["NameAlias"], "Forest Wholesales", "the search name stays as it began");
}

#[tokio::test]
async fn a_star_in_a_text_of_eq_stands_for_any_characters() {
    let bench = Bench::new().await;
    for (filter, expected) in [
        ("Description%20eq%20'whole*'", vec!["10"]),
        ("Description%20eq%20'*customers'", vec!["10", "30", "80"]),
        ("Description%20ne%20'*tail*'", vec!["10", "80"]),
        ("CustomerGroupId%20eq%20'*0'%20and%20dataAreaId%20eq%20'us*'", vec!["10", "30", "80"]),
        ("Description%20eq%20'customers'", vec![]),
    ] {
        let page = body(&bench.get(&format!("/data/CustomerGroups?$filter={filter}")).await);
        let found = page["value"].as_array().unwrap().iter();
        let found: Vec<&str> = found.map(|row| row["CustomerGroupId"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{filter}");
    }
}

#[tokio::test]
async fn companies_have_a_hundred_columns_groups_thirteen_and_currencies_fifteen() {
    let bench = Bench::new().await;
    let first = async |set: &str| body(&bench.get(&format!("/data/{set}?$top=1")).await)["value"][0].clone();
    let company = first("LegalEntities").await;
    assert_eq!(members(&company).len(), 100 + 1);
    for (column, value) in [
        ("LegalEntityId", json!("dat")),
        ("Name", json!("Company accounts data")),
        ("NameAlias", json!("Company accounts dat")),
        ("CompanyName", json!("")),
        ("LanguageId", json!("en-US")),
        ("PartyNumber", json!("")),
        ("FullPrimaryAddress", json!("")),
        ("LegalNature", json!(null)),
        ("TimeZone", json!("GMTMINUS0500EASTERNTIME")),
    ] {
        assert_eq!(company[column], value, "{column}");
    }
    let group = first("CustomerGroups").await;
    let mut columns = members(&group);
    columns.sort_unstable();
    assert_eq!(
        columns,
        [
            "@odata.etag",
            "AccountingCurrencyExchangeRateType",
            "ClearingPeriodPaymentTermName",
            "CustomerAccountNumberSequence",
            "CustomerGroupId",
            "DefaultDimensionDisplayValue",
            "Description",
            "IsPublicSector_IT",
            "IsSalesTaxIncludedInPrice",
            "PaymentTermId",
            "ReportingCurrencyExchangeRateType",
            "TaxGroupId",
            "WriteOffReason",
            "dataAreaId",
        ]
    );
    let currency = first("Currencies").await;
    assert_eq!(members(&currency).len(), 15 + 1);
    assert_eq!(
        (&currency["RoundingMethodPrices"], &currency["DecimalsCount_MX"]),
        (&json!("Ordinary"), &json!(0))
    );
}
