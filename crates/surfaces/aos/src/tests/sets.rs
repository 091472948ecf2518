//! Every set is read and written by the rules of its own table: numbers, names, defaults, references, deletions.

use http::Method;

use super::odata::unlinked;
use super::*;

async fn sent(bench: &Bench, method: Method, target: &str, row: &Value) -> Response {
    let text = row.to_string();
    let text = if method == Method::DELETE { None } else { Some(text.as_str()) };
    bench.send(request(method, &format!("/data/{target}"), Some(&good_token()), text)).await
}

async fn posted(bench: &Bench, set: &str, row: &Value) -> Value {
    let response = sent(bench, Method::POST, set, row).await;
    let answer = body(&response);
    assert_eq!(response.status, 201, "{set}: {answer}");
    answer
}

async fn refused(bench: &Bench, method: Method, target: &str, row: &Value) -> String {
    let response = sent(bench, method, target, row).await;
    assert_eq!(response.status, 400, "{target}");
    assert_eq!(body(&response)["error"]["innererror"]["type"], WRITE_EXCEPTION, "{target}");
    inner_message(&response)
}

fn customer(group: &str) -> Value {
    json!({ "OrganizationName": "Forest Wholesales of the North", "CustomerGroupId": group, "SalesCurrencyCode": "EUR" })
}

fn item(number: &str) -> Value {
    json!({ "ItemNumber": number, "ProductNumber": number, "SalesPrice": 12.5, "SalesUnitSymbol": "box" })
}

#[tokio::test]
async fn a_customer_group_is_created_read_changed_and_deleted() {
    let bench = unlinked().await;
    let group =
        posted(&bench, "CustomerGroups", &json!({ "CustomerGroupId": "40", "Description": "Interns" })).await;
    assert_eq!(
        (&group["dataAreaId"], &group["IsSalesTaxIncludedInPrice"]),
        (&json!("usmf"), &json!("No")),
        "{group}"
    );
    let record = "CustomerGroups(dataAreaId='usmf',CustomerGroupId='40')";
    for method in [Method::PATCH, Method::PUT] {
        let change = json!({ "IsSalesTaxIncludedInPrice": "Yes" });
        assert_eq!(sent(&bench, method, record, &change).await.status, 204);
    }
    let read = body(&bench.get(&format!("/data/{record}")).await);
    assert_eq!(
        (&read["Description"], &read["IsSalesTaxIncludedInPrice"]),
        (&json!("Interns"), &json!("Yes"))
    );
    assert_eq!(sent(&bench, Method::DELETE, record, &json!({})).await.status, 204);
    assert_eq!(bench.get(&format!("/data/{record}")).await.status, 404);
}

#[tokio::test]
async fn every_stored_set_takes_a_record_with_what_its_table_asks_for() {
    let bench = unlinked().await;
    for (set, row) in [
        ("LegalEntities", json!({ "LegalEntityId": "DEMF", "Name": "Contoso Entertainment System Germany" })),
        ("Companies", json!({ "DataArea": "GBSI", "Name": "Contoso" })),
        ("Currencies", json!({ "CurrencyCode": "SEK", "Symbol": "kr", "GeneralRoundingRule": 0.01 })),
        ("PaymentTerms", json!({ "Name": "Net10", "NumberOfDays": 10 })),
        ("CustomerGroups", json!({ "CustomerGroupId": "90", "PaymentTermId": "Net10" })),
        ("VendorGroups", json!({ "VendorGroupId": "20", "DefaultPaymentTermName": "Net10" })),
        ("VendorsV2", json!({ "VendorGroupId": "20", "VendorOrganizationName": "Fabrikam Supplier" })),
        ("CustomersV3", customer("90")),
        ("ReleasedProductsV2", item("A0001")),
        ("ReleasedDistinctProducts", json!({ "ItemNumber": "A0001", "ProductNumber": "A0001" })),
        (
            "SalesOrderHeadersV2",
            json!({
                "OrderingCustomerAccountNumber": "USMF-000001",
                "InvoiceCustomerAccountNumber": "USMF-000001",
                "CurrencyCode": "EUR",
            }),
        ),
        ("SalesOrderLines", json!({ "SalesOrderNumber": "USMF-000001", "ItemNumber": "A0001" })),
        (
            "ExchangeRates",
            json!({
                "RateTypeName": "Default", "FromCurrency": "EUR", "ToCurrency": "USD",
                "StartDate": "2026-01-01T00:00:00Z", "Rate": 1.085,
            }),
        ),
    ] {
        let answer = posted(&bench, set, &row).await;
        let place = bench.last().target.clone();
        assert!(place.contains(set), "{place}");
        assert_eq!(
            body(&bench.get(&format!("/data/{set}?$count=true&$top=1")).await)["@odata.count"],
            match set {
                "LegalEntities" | "Currencies" => 3,
                "Companies" | "CustomerGroups" => 4,
                _ => 1,
            }
        );
        assert!(answer["@odata.etag"].is_string());
    }
    let rate = "ExchangeRates(RateTypeName='Default',FromCurrency='EUR',ToCurrency='USD',StartDate=2026-01-01T12:00:00Z)";
    let read = body(&bench.get(&format!("/data/{rate}")).await);
    assert_eq!(
        (&read["Rate"], &read["StartDate"], &read["ConversionFactor"]),
        (&json!(1.085), &json!("2026-01-01T12:00:00Z"), &json!("One"))
    );
    assert_eq!(sent(&bench, Method::DELETE, rate, &json!({})).await.status, 204);
    let company = body(&bench.get("/data/LegalEntities('DEMF')").await);
    assert_eq!(
        (&company["LegalEntityId"], &company["NameAlias"]),
        (&json!("demf"), &json!("Contoso Entertainmen"))
    );
}

#[tokio::test]
async fn numbers_are_drawn_one_after_the_other_around_those_that_are_taken() {
    let bench = unlinked().await;
    let mut taken = customer("30");
    taken["CustomerAccount"] = json!("USMF-000002");
    assert_eq!(posted(&bench, "CustomersV3", &customer("30")).await["CustomerAccount"], "USMF-000001");
    posted(&bench, "CustomersV3", &taken).await;
    let third = posted(&bench, "CustomersV3", &customer("30")).await;
    assert_eq!(third["CustomerAccount"], "USMF-000003");
    assert_eq!(third["NameAlias"], "Forest Wholesales of", "the first twenty characters");
    let parties: Vec<Value> = body(&bench.get("/data/CustomersV3").await)["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["PartyNumber"].clone())
        .collect();
    assert!(parties.iter().all(|number| number.as_str().unwrap().len() == 9), "{parties:?}");
    assert!(parties[0] != parties[1] && parties[1] != parties[2], "{parties:?}");
    let (one, other) = tokio::join!(posted_now(&bench, customer("30")), posted_now(&bench, customer("30")));
    assert_ne!(one, other);
}

async fn posted_now(bench: &Bench, row: Value) -> Value {
    posted(bench, "CustomersV3", &row).await["CustomerAccount"].clone()
}

#[tokio::test]
async fn a_person_needs_no_name_of_an_organisation_and_has_that_of_the_person() {
    let bench = unlinked().await;
    let person = json!({
        "PartyType": "Person", "PersonFirstName": "Ada", "PersonLastName": "Lovelace",
        "CustomerGroupId": "30", "SalesCurrencyCode": "EUR",
    });
    let answer = posted(&bench, "CustomersV3", &person).await;
    assert_eq!(
        (&answer["OrganizationName"], &answer["NameAlias"]),
        (&json!("Ada Lovelace"), &json!("Ada Lovelace"))
    );
    let record = "CustomersV3(dataAreaId='usmf',CustomerAccount='USMF-000001')";
    let married = json!({ "PersonLastName": "King", "OrganizationName": "ignored" });
    assert_eq!(sent(&bench, Method::PATCH, record, &married).await.status, 204);
    let read = body(&bench.get(&format!("/data/{record}")).await);
    assert_eq!((&read["OrganizationName"], &read["NameAlias"]), (&json!("Ada King"), &json!("Ada Lovelace")));
    let mut nameless = customer("30");
    nameless["PartyType"] = json!("Person");
    let message = refused(&bench, Method::POST, "CustomersV3", &nameless).await;
    assert!(message.contains("Field 'PersonFirstName' must be filled in."), "{message}");
    let nobody = json!({ "CustomerGroupId": "30", "SalesCurrencyCode": "EUR" });
    let message = refused(&bench, Method::POST, "CustomersV3", &nobody).await;
    assert!(message.contains("Field 'Organization name' must be filled in."), "{message}");
}

#[tokio::test]
async fn an_order_and_its_lines_take_over_what_they_refer_to() {
    let bench = unlinked().await;
    posted(&bench, "CustomersV3", &customer("30")).await;
    posted(&bench, "ReleasedProductsV2", &item("A0001")).await;
    let order = json!({
        "OrderingCustomerAccountNumber": "USMF-000001", "InvoiceCustomerAccountNumber": "USMF-000001",
        "CurrencyCode": "EUR",
    });
    let order = posted(&bench, "SalesOrderHeadersV2", &order).await;
    for (column, value) in [
        ("SalesOrderNumber", json!("USMF-000001")),
        ("SalesOrderName", json!("Forest Wholesales of the North")),
        ("RequestedShippingDate", json!("2026-01-15T12:00:00Z")),
        ("OrderCreationDateTime", json!("2026-01-15T12:00:00Z")),
        ("CustomerPostingProfileId", json!("GEN")),
    ] {
        assert_eq!(order[column], value, "{column}");
    }
    let line = json!({ "SalesOrderNumber": "USMF-000001", "ItemNumber": "A0001" });
    for number in [1, 2] {
        let line = posted(&bench, "SalesOrderLines", &line).await;
        for (column, value) in [
            ("LineNumber", json!(number)),
            ("CurrencyCode", json!("EUR")),
            ("SalesPrice", json!(12.5)),
            ("SalesUnitSymbol", json!("box")),
            ("OrderedSalesQuantity", json!(1)),
            ("InventoryLotId", json!(format!("USMF-00000{number}"))),
        ] {
            assert_eq!(line[column], value, "{column}");
        }
    }
    let message = refused(
        &bench,
        Method::POST,
        "SalesOrderLines",
        &json!({ "SalesOrderNumber": "USMF-000009", "ItemNumber": "A0001" }),
    )
    .await;
    assert_eq!(
        message,
        "Write failed for table row of type 'SalesOrderLineEntity'. Infolog: Warning: The value 'USMF-000009' in field \
         'SalesOrderNumber' is not found in the related table 'Sales orders'.; Warning: validateField failed on field \
         'SalesOrderLineEntity.SalesOrderNumber'."
    );
}

#[tokio::test]
async fn what_others_refer_to_stays() {
    let bench = unlinked().await;
    posted(&bench, "CustomersV3", &customer("30")).await;
    let group = "CustomerGroups(dataAreaId='usmf',CustomerGroupId='30')";
    let message = refused(&bench, Method::DELETE, group, &json!({})).await;
    assert_eq!(
        message,
        "Write failed for table row of type 'CustCustomerGroupEntity'. Infolog: Error: Customer groups cannot be deleted \
         while dependent Customers exist.."
    );
    let record = bench.last();
    assert_eq!(record.fact("expected").unwrap().value, "no record of CustomersV3 that refers to it");
    assert_eq!(bench.get(&format!("/data/{group}")).await.status, 200);
    let customer = "CustomersV3(dataAreaId='usmf',CustomerAccount='USMF-000001')";
    assert_eq!(sent(&bench, Method::DELETE, customer, &json!({})).await.status, 204);
    assert_eq!(sent(&bench, Method::DELETE, group, &json!({})).await.status, 204);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_without_a_word() {
    let bench = unlinked().await;
    let term = json!({ "Name": "Net30 days and more", "Description": "a".repeat(500) });
    let term = posted(&bench, "PaymentTerms", &term).await;
    assert_eq!((&term["Name"], term["Description"].as_str().unwrap().len()), (&json!("Net30 days"), 500));
}

#[tokio::test]
async fn numbers_are_worked_out_in_a_filter() {
    let bench = unlinked().await;
    for (name, days) in [("Net10", 10), ("Net30", 30)] {
        posted(&bench, "PaymentTerms", &json!({ "Name": name, "NumberOfDays": days })).await;
    }
    for (filter, expected) in [
        ("NumberOfDays%20add%2020%20eq%2030", vec!["Net10"]),
        ("NumberOfDays%20mul%202%20gt%2050", vec!["Net30"]),
        ("NumberOfDays%20mod%2010%20eq%200%20and%20NumberOfDays%20div%2010%20lt%203", vec!["Net10"]),
        ("NumberOfDays%20sub%2040%20ge%200", vec![]),
    ] {
        let page = body(&bench.get(&format!("/data/PaymentTerms?$filter={filter}")).await);
        let names: Vec<&str> =
            page["value"].as_array().unwrap().iter().map(|row| row["Name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{filter}");
    }
}

#[tokio::test]
async fn users_applications_and_projects_are_what_the_declaration_says_now() {
    let bench = Bench::new().await;
    let user = body(&bench.get("/data/SystemUsers('admin')").await);
    assert_eq!((&user["UserID"], &user["Enabled"]), (&json!("Admin"), &json!(true)), "{user}");
    assert_eq!(user["@odata.context"], format!("{URL}/data/$metadata#SystemUsers/$entity"));
    let clients =
        body(&bench.get(&format!("/data/SysAADClients?$filter=AADClientId%20eq%20'{CLIENT}'")).await);
    assert_eq!(clients["value"][0]["UserId"], "Admin");
    let projects = body(&bench.get("/data/DualWriteProjectConfigurations").await);
    let name = projects["value"][0]["ProjectName"].as_str().unwrap();
    let project = format!("/data/DualWriteProjectConfigurations('{name}')");
    let before = body(&bench.get(&project).await);
    assert_eq!(
        (&before["Status"], &before["ExternalEnvironmentUrl"]),
        (&json!("Enabled"), &json!("https://contoso.crm4.dynamics.com"))
    );
    let state = "/environments/onebox/database/DualWriteProjectConfiguration/Maps/CustomersV3/State";
    bench.apply(&[set(state, json!("Paused"))]).await;
    assert_eq!(body(&bench.get(&project).await)["Status"], "Disabled");
}

#[tokio::test]
async fn a_project_calls_both_sides_of_its_map_as_the_product_does() {
    let maps = "/environments/onebox/database/DualWriteProjectConfiguration/Maps";
    let running = |map: &str| set(&format!("{maps}/{map}"), json!({ "State": "Running" }));
    let bench = Bench::edited(&[running("CustomerGroups"), running("VendorsV2"), running("Other")]).await;
    let projects = body(&bench.get("/data/DualWriteProjectConfigurations").await);
    let projects = projects["value"].as_array().unwrap().clone();
    for (entity, external, logical) in [
        ("Customers V3", "accounts", "account"),
        ("Customer groups", "msdyn_customergroups", "msdyn_customergroup"),
        ("Vendors V2", "", ""),
        ("Other", "", ""),
    ] {
        let project = projects.iter().find(|one| one["InternalEntityName"] == entity).unwrap();
        assert_eq!(
            (&project["ExternalEntityName"], &project["ExternalLogicalEntityName"]),
            (&json!(external), &json!(logical)),
            "{project}"
        );
        let name = project["ProjectName"].as_str().unwrap();
        let ids = name.strip_prefix("DWM-").unwrap();
        assert_eq!((ids.len(), ids.split('-').count()), (73, 10), "{name}");
        assert_eq!(projects.iter().filter(|one| one["ProjectName"] == name).count(), 1, "{name}");
    }
    let other = Bench::new().await;
    let there = body(&other.get("/data/DualWriteProjectConfigurations").await);
    assert!(projects.iter().any(|one| one["ProjectName"] == there["value"][0]["ProjectName"]), "{there}");
}

#[tokio::test]
async fn companies_and_legal_entities_are_one_table() {
    let bench = unlinked().await;
    let names = async |set: &str, key: &str| {
        let row = bench.get(&format!("/data/{set}('{key}')")).await;
        (row.status.as_u16(), if row.status == 200 { body(&row) } else { Value::Null })
    };
    let entity = json!({ "LegalEntityId": "DEMF", "Name": "Contoso Entertainment System Germany", "LanguageId": "de" });
    let entity = posted(&bench, "LegalEntities", &entity).await;
    let (status, company) = names("Companies", "demf").await;
    assert_eq!(status, 200);
    for (own, there) in [
        ("DataArea", "LegalEntityId"),
        ("Name", "Name"),
        ("KnownAs", "Name"),
        ("LanguageId", "LanguageId"),
        ("PartyNumber", "PartyNumber"),
    ] {
        assert_eq!(company[own], entity[there], "{own}");
    }
    assert_ne!(company["PartyNumber"], "");
    let change = json!({ "Name": "Contoso Germany", "AddressCity": "Berlin" });
    assert_eq!(sent(&bench, Method::PATCH, "LegalEntities('demf')", &change).await.status, 204);
    let (_, company) = names("Companies", "DEMF").await;
    assert_eq!((&company["Name"], &company["KnownAs"]), (&json!("Contoso Germany"), &entity["Name"]));

    let company =
        posted(&bench, "Companies", &json!({ "DataArea": "gbsi", "Name": "Contoso Britain" })).await;
    let (_, entity) = names("LegalEntities", "gbsi").await;
    assert_eq!((&entity["Name"], &entity["LanguageId"]), (&json!("Contoso Britain"), &json!("en-US")));
    assert_eq!(entity["PartyNumber"], company["PartyNumber"]);
    let message = refused(&bench, Method::POST, "LegalEntities", &json!({ "LegalEntityId": "GBSI" })).await;
    assert!(message.contains("The record already exists."), "{message}");

    assert_eq!(sent(&bench, Method::DELETE, "LegalEntities('demf')", &json!({})).await.status, 204);
    assert_eq!(sent(&bench, Method::DELETE, "Companies('gbsi')", &json!({})).await.status, 204);
    for (set, key) in
        [("LegalEntities", "demf"), ("Companies", "demf"), ("LegalEntities", "gbsi"), ("Companies", "gbsi")]
    {
        assert_eq!(names(set, key).await.0, 404, "{set} {key}");
    }
}

#[tokio::test]
async fn a_company_stays_while_records_are_its_own_whichever_set_asks() {
    let bench = unlinked().await;
    posted(&bench, "LegalEntities", &json!({ "LegalEntityId": "c1", "Name": "Co" })).await;
    posted(&bench, "PaymentTerms", &json!({ "dataAreaId": "c1", "Name": "PT" })).await;
    for (target, aot, dependent) in [
        ("LegalEntities('c1')", "OMLegalEntity", "Terms of payment"),
        ("Companies('C1')", "CompanyInfoEntity", "Terms of payment"),
        ("LegalEntities('usmf')", "OMLegalEntity", "Customer groups"),
    ] {
        let message = refused(&bench, Method::DELETE, target, &json!({})).await;
        assert_eq!(
            message,
            format!(
                "Write failed for table row of type '{aot}'. Infolog: Error: Legal entities cannot be deleted while \
                 dependent {dependent} exist.."
            )
        );
    }
    let term = "PaymentTerms(dataAreaId='c1',Name='PT')?cross-company=true";
    assert_eq!(sent(&bench, Method::PATCH, term, &json!({ "NumberOfDays": 3 })).await.status, 204);
    assert_eq!(sent(&bench, Method::DELETE, term, &json!({})).await.status, 204);
    assert_eq!(sent(&bench, Method::DELETE, "Companies('c1')", &json!({})).await.status, 204);
    assert_eq!(bench.get("/data/LegalEntities('c1')").await.status, 404);
}

#[tokio::test]
async fn a_currency_without_a_name_is_called_as_its_code_is() {
    let rate = json!({ "CurrencyCode": "NOK" });
    let bench = Bench::edited(&[set("/environments/onebox/records/Currencies/NOK", rate)]).await;
    assert_eq!(body(&bench.get("/data/Currencies('NOK')").await)["Name"], "Norwegian Krone", "declared");
    for (code, given, name) in [
        ("AFN", json!({}), "Afghani"),
        ("SEK", json!({ "Name": "Crowns" }), "Crowns"),
        ("QQQ", json!({}), ""),
    ] {
        let mut row = given;
        row["CurrencyCode"] = json!(code);
        let answer = posted(&bench, "Currencies", &row).await;
        assert_eq!((&answer["Name"], &answer["Symbol"]), (&json!(name), &json!("")), "{code}");
    }
}
