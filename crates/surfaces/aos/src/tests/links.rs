//! One column of a record, and records by the links of others.

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

#[tokio::test]
async fn a_link_of_a_record_leads_to_the_records_of_another_set() {
    let bench = bench().await;
    let page = body(&bench.get("/data/Currencies('USD')/ExchangeRate?$select=Rate&$count=true").await);
    assert_eq!(page["@odata.context"], format!("{URL}/data/$metadata#ExchangeRates(Rate)"));
    assert_eq!(page["@odata.count"], 2);
    let rates: Vec<&Value> = page["value"].as_array().unwrap().iter().map(|row| &row["Rate"]).collect();
    assert_eq!(rates, [&json!(1.08), &json!(1.09)]);
    let page = body(&bench.get("/data/Currencies('USD')/ExchangeRate?$filter=Rate%20gt%201.085").await);
    assert_eq!(page["value"].as_array().unwrap().len(), 1);
    let one = "ExchangeRates(RateTypeName='Default',FromCurrency='USD',ToCurrency='EUR',StartDate=2026-01-01T12:00:00Z)";
    let currency = body(&bench.get(&format!("/data/{one}/FromCurrencies")).await);
    assert_eq!(currency["@odata.context"], format!("{URL}/data/$metadata#Currencies/$entity"));
    assert_eq!(currency["CurrencyCode"], "USD");
}

#[tokio::test]
async fn records_bring_those_of_their_links_along_to_any_depth() {
    let bench = bench().await;
    let target = "/data/Currencies?$select=CurrencyCode&$filter=CurrencyCode%20eq%20'USD'&$expand=ExchangeRate(\
                  $select=Rate;$orderby=Rate%20desc;$top=1;$expand=FromCurrencies($select=Name))";
    let page = body(&bench.get(target).await);
    assert_eq!(
        page["@odata.context"],
        format!(
            "{URL}/data/$metadata#Currencies(CurrencyCode,ExchangeRate,ExchangeRate(Rate,FromCurrencies,FromCurrencies(Name)))"
        )
    );
    let row = &page["value"][0];
    let names: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(names, ["@odata.etag", "CurrencyCode", "ExchangeRate"]);
    let rate = &row["ExchangeRate"][0];
    assert_eq!((&rate["Rate"], row["ExchangeRate"].as_array().unwrap().len()), (&json!(1.09), 1));
    assert_eq!(rate["FromCurrencies"]["Name"], "Euro");
    let one = body(&bench.get("/data/Currencies('EUR')?$expand=ExchangeRate($filter=Rate%20gt%205)").await);
    assert_eq!(one["ExchangeRate"], json!([]));
    assert_eq!(one["@odata.context"], format!("{URL}/data/$metadata#Currencies/$entity"));
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
    let many = bench.get("/data/Currencies?$filter=ExchangeRate/Rate%20gt%201").await;
    assert_eq!(
        inner_message(&many),
        "The parent value for a property access of a property 'Rate' is not a single value. Property access can only be \
         applied to a single value."
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
    let rate = &currency["ExchangeRate"][0];
    assert_eq!(
        rate["@odata.editLink"],
        "ExchangeRates(RateTypeName='Default',FromCurrency='EUR',ToCurrency='USD',StartDate=2026-01-01T12:00:00Z)"
    );
    assert_eq!(rate["StartDate@odata.type"], "#DateTimeOffset");
}
