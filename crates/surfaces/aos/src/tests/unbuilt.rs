//! What the product has and this lab has not is refused in the product's words and said; nothing is passed over.

use http::Method;

use super::odata::{customer, unlinked};
use super::*;

const KEY: &str = "/data/CustomersV3(dataAreaId='usmf',CustomerAccount='DE-010')";

/// What the newest record says is not built.
fn unbuilt(bench: &Bench) -> Option<String> {
    bench.last().fact("not-built").map(|fact| fact.value.to_string())
}

async fn sent(bench: &Bench, method: Method, target: &str, text: Option<&str>) -> u16 {
    bench.send(request(method, target, Some(&good_token()), text)).await.status.as_u16()
}

#[tokio::test]
async fn places_only_the_product_has_are_not_found_and_said() {
    let bench = Bench::new().await;
    for (method, target, what) in [
        (Method::GET, "/", "the client and its sign-in"),
        (Method::GET, "/data/VendorsV3", "the entity set VendorsV3"),
        (Method::POST, "/data/SalesOrderHeadersV3", "the entity set SalesOrderHeadersV3"),
        (Method::GET, "/data/Warehouses('1')", "the entity set Warehouses"),
        (
            Method::GET,
            "/data/Currencies('USD')/VendInvoiceJournalLineCurrency",
            "Currencies/VendInvoiceJournalLineCurrency",
        ),
        (Method::GET, "/data/Currencies('USD')/Name/$value", "Currencies/Name/$value"),
        (
            Method::GET,
            "/data/Currencies('USD')/ExchangeRate/ExchangeRateExchangeRateType",
            "Currencies/ExchangeRate/ExchangeRateExchangeRateType",
        ),
        (
            Method::POST,
            "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities.GetAzureWriteUrl",
            "actions of DataManagementDefinitionGroups",
        ),
        (
            Method::POST,
            "/api/services/UserSessionService/AifUserSessionService/ApplyTimeZone",
            "the service UserSessionService/AifUserSessionService/ApplyTimeZone",
        ),
        (Method::GET, "/api/services", "custom services (/api/services)"),
        (Method::POST, "/api/connector/enqueue/x", "recurring integrations (/api/connector)"),
        (Method::POST, "/soap/services/UserSessionService", "custom services over SOAP (/soap/services)"),
        (Method::GET, "/metadata/PublicEntities", "the metadata service (/metadata)"),
    ] {
        assert_eq!(sent(&bench, method, target, None).await, 404, "{target}");
        assert_eq!(unbuilt(&bench).as_deref(), Some(what), "{target}");
    }
    for nobody in ["/data/Vendor", "/nowhere", "/data/VendorsV9", "/data/Currencies('USD')/Nope"] {
        assert_eq!(bench.get(nobody).await.status, 404, "{nobody}");
        assert_eq!(unbuilt(&bench), None, "{nobody}");
    }
}

#[tokio::test]
async fn verbs_that_only_the_product_takes_are_not_allowed_and_said() {
    let bench = Bench::new().await;
    for (method, target, what) in [
        (Method::POST, "/data/SystemUsers", "POST of SystemUsers"),
        (Method::PATCH, "/data/SystemUsers('Admin')", "PATCH of SystemUsers"),
        (Method::DELETE, "/data/SysAADClients('a')", "DELETE of SysAADClients"),
        (
            Method::PUT,
            "/data/DualWriteProjectConfigurations('CustomersV3')",
            "PUT of DualWriteProjectConfigurations",
        ),
    ] {
        assert_eq!(sent(&bench, method, target, Some("{}")).await, 405, "{target}");
        assert_eq!(unbuilt(&bench).as_deref(), Some(what));
    }
    assert_eq!(sent(&bench, Method::PATCH, "/data/CustomersV3", Some("{}")).await, 405);
    assert_eq!(unbuilt(&bench), None, "nobody changes a set");
}

#[tokio::test]
async fn query_options_that_are_not_built_are_refused_and_said_and_others_only_refused() {
    let bench = Bench::new().await;
    for (query, what, text) in [
        (
            "$apply=aggregate($count%20as%20n)",
            Some("$apply"),
            "The query parameter '$apply' is not supported.",
        ),
        ("$search=a", Some("$search"), "The query parameter '$search' is not supported."),
        ("$skiptoken=a", Some("$skiptoken"), "The query parameter '$skiptoken' is not supported."),
        ("$format=xml", Some("$format=xml"), "The query parameter '$format' is not supported."),
        ("%24format=atom", Some("$format=atom"), "The query parameter '$format' is not supported."),
        (
            "$filter=CustomerGroupId%20add%201%20eq%202",
            None,
            "A binary operator with incompatible types was detected. Found operand types 'Edm.String' and 'Edm.Int32' \
             for operator kind 'Add'.",
        ),
        (
            "$filter=CustomerGroupId%20in%20('10')",
            None,
            "Syntax error at position 18 in 'CustomerGroupId in ('10')'.",
        ),
        (
            "$filter=nothing(Description)",
            None,
            "An unknown function with name 'nothing' was found. This may also be a function import or a key lookup \
          on a navigation property, which is not allowed.",
        ),
        ("$nothing=1", None, "The query parameter '$nothing' is not supported."),
        ("$Top=1", None, "The query parameter '$Top' is not supported."),
        (
            "$expand=Prospects($select=A)",
            Some("$expand=Prospects"),
            "The property 'Prospects' cannot be used in the $expand query option.",
        ),
        (
            "$filter=Prospects/Name%20eq%20'a'",
            Some("$filter through the link Prospects"),
            "The property 'Prospects' cannot be used in the $filter query option.",
        ),
        (
            "$select=DimensionSet",
            Some("$select through the link DimensionSet"),
            "The property 'DimensionSet' cannot be used in the $select query option.",
        ),
        (
            "$filter=startswith(Description,'a')",
            Some("the function startswith in $filter"),
            "An unknown function with name 'startswith' was found. This may also be a function import or a key lookup \
          on a navigation property, which is not allowed.",
        ),
    ] {
        let response = bench.get(&format!("/data/CustomerGroups?{query}")).await;
        assert_eq!(response.status, 400, "{query}");
        assert_eq!(inner_message(&response), text, "{query}");
        assert_eq!(unbuilt(&bench).as_deref(), what, "{query}");
    }
    assert_eq!(bench.get("/data/CustomerGroups?$format=json&$top=1").await.status, 200);
    assert_eq!(unbuilt(&bench), None);
}

#[tokio::test]
async fn options_the_product_passes_over_are_named_in_the_record() {
    let bench = Bench::new().await;
    for (query, ignored) in [
        ("cross-company=true", None),
        ("cross-company=FALSE&@p=1", None),
        ("cross-company=1", Some("cross-company")),
        ("Cross-Company=true&filter=a", Some("Cross-Company, filter")),
    ] {
        assert_eq!(bench.get(&format!("/data/CustomerGroups?{query}")).await.status, 200, "{query}");
        let record = bench.last();
        assert_eq!(
            record.fact("ignored-options").map(|fact| fact.value.to_string()).as_deref(),
            ignored,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_body_has_columns_alone_and_no_records_of_links_nor_references() {
    let bench = unlinked().await;
    for (member, value, what, instead) in [
        (
            "DimensionSet@odata.bind",
            json!("DimensionSets('a')"),
            "DimensionSet@odata.bind",
            "the columns by which the link goes",
        ),
        (
            "Warehouses",
            json!([{ "WarehouseId": "1" }]),
            "records of Warehouses in the body of another",
            "columns of the entity itself; a change set of $batch makes records together",
        ),
    ] {
        let mut row = customer("DE-010");
        row[member] = value;
        let response = bench.post(&row).await;
        assert_eq!(response.status, 400, "{member}");
        assert_eq!(inner_message(&response), "Exception has been thrown by the target of an invocation.");
        let record = bench.last();
        assert_eq!(record.fact("refused").unwrap().value, what);
        assert_eq!(record.fact("expected").unwrap().value, instead);
        assert_eq!(unbuilt(&bench), None);
        assert_eq!(bench.get(KEY).await.status, 404);
    }
    let order = json!({
        "OrderingCustomerAccountNumber": "1", "SalesOrderLines": [{ "ItemNumber": "A0001" }, { "ItemNumber": "A0002" }],
    });
    assert_eq!(sent(&bench, Method::POST, "/data/SalesOrderHeadersV2", Some(&order.to_string())).await, 400);
    assert_eq!(bench.last().error.as_deref(), Some("400 payload"));
}

#[tokio::test]
async fn links_have_no_addresses_of_their_own() {
    let bench = Bench::new().await;
    let link = r#"{"@odata.id":"ExchangeRates(RateTypeName='Default')"}"#;
    for (method, target) in [
        (Method::GET, "/data/Currencies('USD')/ExchangeRate/$ref"),
        (Method::PUT, "/data/Currencies('USD')/ExchangeRate/$ref"),
        (Method::DELETE, "/data/Currencies('USD')/ExchangeRate/$ref"),
        (
            Method::POST,
            "/data/PaymentTerms(dataAreaId='usmf',Name='Net10')/DefaultAssignedVendorGroups/%24ref",
        ),
        (Method::GET, "/data/Currencies/$ref"),
    ] {
        assert_eq!(sent(&bench, method, target, Some(link)).await, 404, "{target}");
        let record = bench.last();
        assert_eq!(record.error.as_deref(), Some("404 resource"), "{target}");
        assert_eq!(record.fact("expected").unwrap().value, "the columns of a record by which its links go");
        assert_eq!(unbuilt(&bench), None, "{target}");
    }
    let response = bench.get("/data/CustomerGroups?$filter=IsSalesTaxIncludedInPrice%20has%20Microsoft.Dynamics.DataEntities.NoYes'Yes'").await;
    assert_eq!(
        (response.status.as_u16(), unbuilt(&bench)),
        (400, None),
        "the product does not take it either"
    );
}

#[tokio::test]
async fn a_preference_is_no_demand_so_the_answer_stays_and_the_record_says_it() {
    let bench = Bench::new().await;
    for preference in ["odata.maxpagesize=1", "return=representation", "odata.include-annotations=\"*\""] {
        let mut request = request(Method::GET, "/data/CustomerGroups", Some(&good_token()), None);
        request.headers.insert("prefer", HeaderValue::from_str(preference).unwrap());
        let response = bench.send(request).await;
        assert_eq!(response.status, 200);
        assert!(!response.headers.contains_key("preference-applied"));
        assert_eq!(unbuilt(&bench), Some(format!("Prefer: {preference}")));
    }
}
