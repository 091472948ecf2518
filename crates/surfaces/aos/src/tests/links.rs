//! One column of a record, and records by the links of others.

use http::Method;

use super::*;

const RATES: &str = "/environments/onebox/records/ExchangeRates";

fn rate(from: &str, to: &str, day: &str, rate: f64) -> Value {
    json!({ "RateTypeName": "Default", "FromCurrency": from, "ToCurrency": to, "StartDate": day, "Rate": rate })
}

async fn bench() -> Bench {
    let rates = json!({
        "a": rate("EUR", "USD", "2026-01-01", 1.08),
        "b": rate("EUR", "USD", "2026-01-02", 1.09),
        "c": rate("USD", "EUR", "2026-01-01", 0.92),
    });
    Bench::edited(&[set(RATES, rates)]).await
}

#[tokio::test]
async fn one_column_of_a_record_has_a_context_of_its_own() {
    let bench = bench().await;
    let answer = bench.get("/data/CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')/Description").await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        body(&answer),
        json!({
            "@odata.context": format!(
                "{URL}/data/$metadata#CustomerGroups(dataAreaId='usmf',CustomerGroupId='10')/Description"
            ),
            "value": "Wholesales customers",
        })
    );
    assert_eq!(body(&bench.get("/data/Currencies('usd')/DecimalsCount_MX").await)["value"], 0);
    assert_eq!(bench.get("/data/LegalEntities('usmf')/AddressTimeZone").await.status, 204, "null");
    assert_eq!(bench.get("/data/Currencies('XXX')/Name").await.status, 404);
    assert_eq!(bench.get("/data/Currencies('USD')/name").await.status, 404, "names have letter case");
    let selected = bench.get("/data/Currencies('USD')/Name?$select=Name").await;
    assert_eq!(inner_message(&selected), "The query parameter '$select' is not supported.");
}

/// Two terms of payment, and three groups of vendors that pay by one of them.
async fn terms() -> Bench {
    let bench = bench().await;
    for (set, row) in [
        ("PaymentTerms", json!({ "Name": "Net10", "NumberOfDays": 10 })),
        ("PaymentTerms", json!({ "Name": "Net30", "NumberOfDays": 30 })),
        (
            "VendorGroups",
            json!({ "VendorGroupId": "10", "Description": "Parts", "DefaultPaymentTermName": "Net10" }),
        ),
        (
            "VendorGroups",
            json!({ "VendorGroupId": "20", "Description": "Tax", "DefaultPaymentTermName": "Net10" }),
        ),
        (
            "VendorGroups",
            json!({ "VendorGroupId": "30", "Description": "Other", "DefaultPaymentTermName": "Net30" }),
        ),
    ] {
        let target = format!("/data/{set}");
        let answer =
            bench.send(request(Method::POST, &target, Some(&good_token()), Some(&row.to_string()))).await;
        assert_eq!(answer.status, 201, "{set} {:?}", answer.body);
    }
    bench
}

const NET10: &str = "/data/PaymentTerms(dataAreaId='usmf',Name='Net10')";

#[tokio::test]
async fn a_link_of_a_record_leads_to_the_records_of_another_set() {
    let bench = terms().await;
    let groups = format!("{NET10}/DefaultAssignedVendorGroups");
    let page = body(&bench.get(&format!("{groups}?$select=VendorGroupId&$count=true")).await);
    assert_eq!(page["@odata.context"], format!("{URL}/data/$metadata#VendorGroups(VendorGroupId)"));
    assert_eq!(page["@odata.count"], 2);
    let ids: Vec<&Value> =
        page["value"].as_array().unwrap().iter().map(|row| &row["VendorGroupId"]).collect();
    assert_eq!(ids, [&json!("10"), &json!("20")]);
    let page = body(&bench.get(&format!("{groups}?$filter=VendorGroupId%20gt%20'10'")).await);
    assert_eq!(page["value"].as_array().unwrap().len(), 1);
    let one = "ExchangeRates(RateTypeName='Default',FromCurrency='USD',ToCurrency='EUR',StartDate=2026-01-01T12:00:00Z)";
    let currency = body(&bench.get(&format!("/data/{one}/FromCurrencies")).await);
    assert_eq!(currency["@odata.context"], format!("{URL}/data/$metadata#Currencies/$entity"));
    assert_eq!(currency["CurrencyCode"], "USD");
}

#[tokio::test]
async fn behind_a_link_stand_keys_columns_further_links_and_counts() {
    let bench = terms().await;
    let groups = format!("{NET10}/DefaultAssignedVendorGroups");
    // the link says which company, so that one value is the rest of the key
    for key in ["('20')", "(VendorGroupId='20')", "(dataAreaId='USMF',VendorGroupId='20')"] {
        let group = bench.get(&format!("{groups}{key}?$select=Description")).await;
        assert_eq!(group.status, 200, "{key}");
        assert_eq!(body(&group)["Description"], "Tax");
        assert_eq!(
            body(&group)["@odata.context"],
            format!("{URL}/data/$metadata#VendorGroups(Description)/$entity")
        );
    }
    let column = body(&bench.get(&format!("{groups}('20')/Description")).await);
    assert_eq!(
        column,
        json!({
            "@odata.context":
                format!("{URL}/data/$metadata#VendorGroups(dataAreaId='usmf',VendorGroupId='20')/Description"),
            "value": "Tax",
        })
    );
    let days = body(&bench.get(&format!("{groups}('20')/DefaultPaymentTerm/NumberOfDays")).await);
    assert_eq!(days["value"], 10);
    let again = format!("{groups}('20')/DefaultPaymentTerm/DefaultAssignedVendorGroups");
    for (path, count) in [
        (format!("{groups}/$count"), "2"),
        (format!("{groups}/%24count?$filter=Description%20eq%20'T*'"), "1"),
        (format!("{again}/$count"), "2"),
    ] {
        let answer = bench.get(&path).await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.body),
            (200, format!("\u{feff}{count}").as_bytes()),
            "{path}"
        );
    }
    for (path, status) in [
        // there, and another's
        (format!("{groups}('30')"), 404),
        (format!("{groups}('99')"), 404),
        (format!("{groups}(dataAreaId='dat',VendorGroupId='20')"), 404),
        (format!("{groups}()"), 404),
        (format!("{groups}(Description='Tax')"), 404),
        (format!("{groups}(20)"), 404),
        (format!("{groups}('20')/$count"), 404),
        (format!("{groups}/Description"), 404),
        (format!("{groups}('20')/DefaultPaymentTerm('Net10')"), 404),
        (format!("{groups}('20')/DefaultPaymentTerm/$count"), 404),
        (format!("{groups}('20')/Description/x"), 404),
        (format!("{groups}('20')/ClearingPeriodPaymentTerm"), 204),
        (format!("{groups}('20')/ClearingPeriodPaymentTerm/NumberOfDays"), 404),
        (format!("{NET10}/$count"), 404),
        (format!("{NET10}{}", "/DefaultAssignedVendorGroups('20')/DefaultPaymentTerm".repeat(8)), 200),
        (format!("{NET10}{}", "/DefaultAssignedVendorGroups('20')/DefaultPaymentTerm".repeat(9)), 404),
    ] {
        assert_eq!(bench.get(&path).await.status, status, "{path}");
    }
    for method in [Method::PATCH, Method::DELETE, Method::POST] {
        let target = format!("{groups}('20')");
        let answer = bench.send(request(method, &target, Some(&good_token()), Some("{}"))).await;
        assert_eq!((answer.status.as_u16(), answer.headers["allow"].to_str().unwrap()), (405, "GET"));
        let expected = "the same of its own set, or of the record by its own key";
        assert_eq!(bench.last().fact("expected").unwrap().value, expected);
    }
}

#[tokio::test]
async fn a_link_back_to_one_leads_to_the_first_of_several() {
    let bench = bench().await;
    let rate = body(&bench.get("/data/Currencies('USD')/ExchangeRate?$select=Rate").await);
    assert_eq!(rate["@odata.context"], format!("{URL}/data/$metadata#ExchangeRates(Rate)/$entity"));
    assert_eq!(rate["Rate"], 1.08);
    assert_eq!(bench.get("/data/Currencies('USD')/ExchangeRate/$count").await.status, 404);
    let one = body(
        &bench
            .get("/data/Currencies('EUR')?$expand=ExchangeRate($select=Rate),ExchangeRateFromCurrencies")
            .await,
    );
    assert_eq!(
        (&one["ExchangeRate"]["Rate"], &one["ExchangeRateFromCurrencies"]["Rate"]),
        (&json!(0.92), &json!(1.08))
    );
    let found =
        body(&bench.get("/data/Currencies?$select=CurrencyCode&$filter=ExchangeRate/Rate%20gt%201").await);
    assert_eq!(
        (found["value"].as_array().unwrap().len(), &found["value"][0]["CurrencyCode"]),
        (1, &json!("USD"))
    );
    let metadata = bench.get("/data/$metadata").await;
    let text = String::from_utf8(metadata.body.to_vec()).unwrap();
    let link = "<NavigationProperty Name=\"ExchangeRate\" Type=\"Microsoft.Dynamics.DataEntities.ExchangeRate\" \
                Nullable=\"false\" Partner=\"Currency\" />";
    assert!(text.contains(link), "{link}");
}

#[tokio::test]
async fn records_are_found_by_any_and_all_of_those_they_lead_to() {
    let bench = terms().await;
    let found = async |filter: &str| {
        let page = body(&bench.get(&format!("/data/PaymentTerms?$filter={filter}")).await);
        let rows = page["value"].as_array().unwrap_or_else(|| panic!("{page}")).clone();
        rows.iter().map(|row| row["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (filter, names) in [
        ("DefaultAssignedVendorGroups/any(g:g/Description%20eq%20'Tax')", vec!["Net10"]),
        ("DefaultAssignedVendorGroups/any(g:g/Description%20eq%20'*t*')", vec!["Net10", "Net30"]),
        ("DefaultAssignedVendorGroups/all(g:g/Description%20ne%20'Tax')", vec!["Net30"]),
        ("DefaultAssignedVendorGroups/any()", vec!["Net10", "Net30"]),
        ("not%20ClearingPeriodAssignedVendorGroups/any()", vec!["Net10", "Net30"]),
        ("DefaultAssignedVendorGroups/any(g:g/DefaultPaymentTerm/NumberOfDays%20gt%2020)", vec!["Net30"]),
    ] {
        assert_eq!(found(filter).await, names, "{filter}");
    }
    let within = bench
        .get("/data/PaymentTerms?$filter=DefaultAssignedVendorGroups/any(g:g/VendorGroupId%20in%20('10'))")
        .await;
    assert!(inner_message(&within).starts_with("Syntax error at position "), "{}", inner_message(&within));
}

#[tokio::test]
async fn records_bring_those_of_their_links_along_to_any_depth() {
    let bench = terms().await;
    let target = "/data/PaymentTerms?$select=Name&$filter=Name%20eq%20'Net10'&$expand=DefaultAssignedVendorGroups(\
                  $select=VendorGroupId;$orderby=VendorGroupId%20desc;$top=1;$expand=DefaultPaymentTerm($select=NumberOfDays))";
    let page = body(&bench.get(target).await);
    assert_eq!(
        page["@odata.context"],
        format!(
            "{URL}/data/$metadata#PaymentTerms(Name,DefaultAssignedVendorGroups,DefaultAssignedVendorGroups(\
             VendorGroupId,DefaultPaymentTerm,DefaultPaymentTerm(NumberOfDays)))"
        )
    );
    let row = &page["value"][0];
    let names: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(names, ["@odata.etag", "Name", "DefaultAssignedVendorGroups"]);
    let groups = row["DefaultAssignedVendorGroups"].as_array().unwrap();
    assert_eq!((&groups[0]["VendorGroupId"], groups.len()), (&json!("20"), 1));
    assert_eq!(groups[0]["DefaultPaymentTerm"]["NumberOfDays"], 10);
    let expand = "$expand=DefaultAssignedVendorGroups($filter=VendorGroupId%20gt%20'5')";
    let one = body(&bench.get(&format!("{NET10}?{expand}")).await);
    assert_eq!(one["DefaultAssignedVendorGroups"], json!([]));
    assert_eq!(one["@odata.context"], format!("{URL}/data/$metadata#PaymentTerms/$entity"));
}

#[tokio::test]
async fn a_condition_and_an_order_follow_links_to_one_record() {
    let bench = bench().await;
    let found = async |query: &str| {
        let page = body(&bench.get(&format!("/data/ExchangeRates?{query}")).await);
        let rows = page["value"].as_array().unwrap().clone();
        rows.iter().map(|row| row["Rate"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("$filter=FromCurrencies/Name%20eq%20'Euro'").await, ["1.08", "1.09"]);
    assert_eq!(found("$filter=Currency/Symbol%20eq%20'%24'%20and%20Rate%20lt%201.085").await, ["1.08"]);
    assert_eq!(found("$orderby=Currency/Name%20desc,Rate%20desc").await, ["1.09", "1.08", "0.92"]);
    let many =
        bench.get("/data/PaymentTerms?$filter=DefaultAssignedVendorGroups/Description%20eq%20'a'").await;
    assert_eq!(
        inner_message(&many),
        "The parent value for a property access of a property 'Description' is not a single value. Property access can \
         only be applied to a single value."
    );
    let nope = bench.get("/data/ExchangeRates?$expand=Rate").await;
    assert_eq!(
        inner_message(&nope),
        "Property 'Rate' on type 'Microsoft.Dynamics.DataEntities.ExchangeRate' is not a navigation property or complex \
         property. Only navigation properties can be expanded."
    );
    let reference = bench.get("/data/Currencies?$expand=ExchangeRate/$ref").await;
    assert_eq!(reference.status, 400);
    assert_eq!(bench.last().fact("not-built").unwrap().value, "$ref in $expand");
}

#[tokio::test]
async fn full_metadata_puts_the_records_right_behind_their_link() {
    let bench = bench().await;
    let target = "/data/Currencies('USD')?$expand=ExchangeRate&$format=application/json;odata.metadata=full";
    let currency = body(&bench.get(target).await);
    let names: Vec<&str> = currency.as_object().unwrap().keys().map(String::as_str).collect();
    let place = |name: &str| names.iter().position(|known| *known == name).unwrap();
    assert_eq!(place("ExchangeRate"), place("ExchangeRate@odata.navigationLink") + 1);
    let rate = &currency["ExchangeRate"];
    assert_eq!(
        rate["@odata.editLink"],
        "ExchangeRates(RateTypeName='Default',FromCurrency='EUR',ToCurrency='USD',StartDate=2026-01-01T12:00:00Z)"
    );
    assert_eq!(rate["StartDate@odata.type"], "#DateTimeOffset");
}
