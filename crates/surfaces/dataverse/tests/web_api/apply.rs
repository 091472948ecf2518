//! `$apply`: rows are filtered, grouped and aggregated, and each value says what it is.

use crate::support::{Bench, CLIENT, HOST, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");
const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";
const NUMBERED: &str = "startswith(accountnumber,'A-')";

/// An organisation with four accounts in two cities, one of them without revenue.
async fn bench() -> Bench {
    let account = |number: &str, city: &str, category: i64, employees: i64, revenue: Value| {
        json!({ "accountnumber": number, "name": number, "address1_city": city, "accountcategorycode": category,
            "numberofemployees": employees, "revenue": revenue })
    };
    let rows = json!({
        "a": account("A-1", "Oslo", 1, 1_500, json!(1_000)),
        "b": account("A-2", "Oslo", 2, 10, json!(2_500.5)),
        "c": account("A-3", "Bergen", 1, 20, json!(40)),
        "d": account("A-4", "Oslo", 2, 10, Value::Null),
    });
    Bench::edited(&[Edit::add(organization(&["records", "accounts"]), rows)]).await
}

async fn ask(bench: &Bench, apply: &str) -> Value {
    let seen = bench.call_with(Method::GET, &format!("{ROOT}accounts?$apply={apply}"), None, &[ALL]).await;
    assert_eq!(seen.status().as_u16(), 200, "{apply}: {:?} {}", seen.refusal(), seen.message());
    seen.json()
}

/// The only row of an answer.
async fn one(bench: &Bench, apply: &str) -> Value {
    let answer = ask(bench, apply).await;
    let [row] = answer["value"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    row.clone()
}

#[tokio::test]
async fn a_column_is_aggregated_over_the_rows_that_pass_a_filter() {
    let bench = bench().await;
    let row = one(
        &bench,
        &format!(
            "filter({NUMBERED})/aggregate(revenue with sum as total,revenue with average as mean,\
             revenue with min as least,revenue with max as most,\
             accountcategorycode with countdistinct as kinds,numberofemployees with sum as people,$count as number)"
        ),
    )
    .await;
    for (alias, value, text) in [
        ("total", json!(3_540.5), "$3,540.50"),
        ("mean", json!(1180.1667), "$1,180.17"),
        ("least", json!(40.0), "$40.00"),
        ("most", json!(2_500.5), "$2,500.50"),
    ] {
        assert_eq!(row[alias], value, "{alias}: a null is no value");
        assert_eq!(row[format!("{alias}@{FORMATTED}")], text, "{alias}");
        assert_eq!(row[format!("{alias}@{ATTRIBUTE}")], "revenue", "{alias}");
    }
    assert_eq!((&row["kinds"], &row["number"]), (&json!(2), &json!(4)));
    assert_eq!(row[format!("number@{FORMATTED}")], "4");
    assert_eq!((&row["people"], &row[format!("people@{FORMATTED}")]), (&json!(1_540), &json!("1,540")));
}

#[tokio::test]
async fn rows_are_grouped_by_what_they_have_in_common() {
    let bench = bench().await;
    let answer = ask(
        &bench,
        &format!(
            "filter({NUMBERED} and revenue ne null)/groupby((address1_city,accountcategorycode),\
             aggregate(revenue with sum as total,$count as number))"
        ),
    )
    .await;
    assert_eq!(answer["@odata.context"], format!("https://{HOST}{ROOT}$metadata#accounts"));
    let head: Vec<&String> = answer.as_object().unwrap().keys().collect();
    let count = "@Microsoft.Dynamics.CRM.totalrecordcount";
    assert_eq!(
        head,
        ["@odata.context", count, &format!("{count}limitexceeded"), "value"],
        "as captured, without a version"
    );
    let mut groups: Vec<(String, i64, f64, i64)> = Vec::new();
    for row in answer["value"].as_array().unwrap() {
        let text = if row["accountcategorycode"] == 1 { "Preferred Customer" } else { "Standard" };
        assert_eq!(row[format!("accountcategorycode@{FORMATTED}")], text);
        assert!(row[format!("total@{FORMATTED}")].as_str().unwrap().starts_with('$'), "{row}");
        let (city, category) =
            (row["address1_city"].as_str().unwrap(), row["accountcategorycode"].as_i64().unwrap());
        groups.push((
            city.to_owned(),
            category,
            row["total"].as_f64().unwrap(),
            row["number"].as_i64().unwrap(),
        ));
    }
    groups.sort_by(|left, right| (&left.0, left.1).cmp(&(&right.0, right.1)));
    let group = |city: &str, category, total, number| (city.to_owned(), category, total, number);
    assert_eq!(
        groups,
        [group("Bergen", 1, 40.0, 1), group("Oslo", 1, 1_000.0, 1), group("Oslo", 2, 2_500.5, 1)]
    );
    let answer = ask(&bench, &format!("filter({NUMBERED})/groupby((address1_city))")).await;
    assert_eq!(answer["value"].as_array().unwrap().len(), 2, "{answer}");
}

#[tokio::test]
async fn whole_numbers_stay_whole_and_rows_whose_lookup_is_empty_hide_no_column() {
    let bench = bench().await;
    let row =
        one(&bench, &format!("filter({NUMBERED})/aggregate(numberofemployees with average as mean)")).await;
    assert_eq!((&row["mean"], &row[format!("mean@{FORMATTED}")]), (&json!(385), &json!("385")));
    // the first contact belongs to nobody
    for body in [
        json!({ "lastname": "Alone" }),
        json!({ "lastname": "Berg", "parentcustomerid_account@odata.bind": "/accounts(accountnumber='A-2')" }),
    ] {
        let seen = bench.call(Method::POST, &format!("{ROOT}contacts"), Some(&body.to_string())).await;
        assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.refusal());
    }
    let apply = "aggregate(parentcustomerid_account/numberofemployees with max as most)";
    let seen =
        bench.call_with(Method::GET, &format!("{ROOT}contacts?$apply={apply}"), None, &[ALL]).await.json();
    let row = &seen["value"][0];
    assert_eq!(
        (&row["most"], &row[format!("most@{ATTRIBUTE}")]),
        (&json!(10), &json!("numberofemployees")),
        "{seen}"
    );
}

#[tokio::test]
async fn groups_are_told_apart_by_columns_of_related_rows() {
    let bench = bench().await;
    let contact = json!({ "firstname": "Ida", "lastname": "Berg" });
    let body = json!({ "accountnumber": "A-5", "primarycontactid": contact }).to_string();
    assert_eq!(
        bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body)).await.status().as_u16(),
        204
    );
    let apply =
        format!("filter({NUMBERED})/groupby((primarycontactid/fullname),aggregate($count as number))");
    let answer = ask(&bench, &apply).await;
    let mut rows: Vec<Value> = answer["value"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["number"].as_i64());
    // as documented: called after the table it leads to, behind the values; nothing is said of a null
    assert_eq!((&rows[0]["contact_fullname"], &rows[0]["number"]), (&json!("Ida Berg"), &json!(1)));
    let last = rows[0].as_object().unwrap().keys().next_back().unwrap();
    assert_eq!((last.as_str(), rows.len()), ("contact_fullname", 2));
    assert_eq!((rows[1].get("contact_fullname"), &rows[1]["number"]), (None, &json!(4)));
}

#[tokio::test]
async fn no_rows_have_a_sum_of_nothing_and_no_groups() {
    let bench = bench().await;
    let none = "filter(accountnumber eq 'nobody')";
    let row = one(&bench, &format!("{none}/aggregate(revenue with sum as total,$count as number)")).await;
    assert_eq!((&row["total"], &row["number"]), (&Value::Null, &json!(0)));
    let answer = ask(&bench, &format!("{none}/groupby((address1_city),aggregate($count as number))")).await;
    assert_eq!(answer["value"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_aggregated_is_refused_and_what_is_not_built_is_named() {
    let bench = bench().await;
    for (apply, code) in [
        ("nonsense", "0x80060888"),
        ("aggregate(revenue with sum)", "0x80060888"),
        ("aggregate(revenue as total)", "0x80060888"),
        ("aggregate(revenue with median as total)", "0x80060888"),
        ("aggregate(nonsense with sum as total)", "0x80060888"),
        ("aggregate(name with sum as total)", "0x80060888"),
        ("aggregate(revenue with sum as total)&$orderby=total desc", "0x80060888"),
        ("groupby(address1_city)", "0x80060888"),
        ("aggregate(revenue with sum as total", "0x80060888"),
    ] {
        let seen = bench.get(&format!("{ROOT}accounts?$apply={apply}")).await;
        assert_eq!(seen.refusal(), (400, code.to_owned()), "{apply}");
    }
    let seen =
        bench.get(&format!("{ROOT}accounts?$apply=groupby((name),aggregate($count as n))&$orderby=n")).await;
    assert_eq!(seen.message(), "The query node SingleValueOpenPropertyAccess is not supported");
    for (query, word) in [
        ("$apply=compute(revenue mul 2 as twice)", "compute"),
        ("$apply=groupby((name))&$orderby=name", "$orderby beside $apply"),
        ("$filter=name eq 'x'&$apply=groupby((name))", "$filter beside $apply"),
        ("$apply=groupby((name))&$top=1", "$top beside $apply"),
    ] {
        let seen = bench.get(&format!("{ROOT}accounts?{query}")).await;
        assert_eq!(seen.refusal().0, 400, "{query}");
        let record = bench.lab.journal().last_refusal().unwrap();
        assert!(
            record.facts.iter().any(|fact| fact.value.to_string().contains(word)),
            "{query}: {:?}",
            record.facts
        );
    }
}

#[tokio::test]
async fn only_rows_in_reach_are_aggregated() {
    let roles = Edit::replace(organization(&["application_users", CLIENT, "roles"]), json!(["Basic User"]));
    let rows = json!({ "a": { "accountnumber": "A-1", "numberofemployees": 5 } });
    let bench = Bench::edited(&[roles, Edit::add(organization(&["records", "accounts"]), rows)]).await;
    let body = json!({ "accountnumber": "A-9", "numberofemployees": 7 }).to_string();
    assert_eq!(
        bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body)).await.status().as_u16(),
        204
    );
    let row = one(&bench, "aggregate(numberofemployees with sum as people,$count as number)").await;
    assert_eq!((&row["people"], &row["number"]), (&json!(7), &json!(1)));
}

#[tokio::test]
async fn a_column_is_grouped_by_once_and_no_two_values_have_one_name() {
    let bench = bench().await;
    let seen = bench.get(&format!("{ROOT}accounts?$apply=groupby((address1_city,address1_city))")).await;
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    assert_eq!(
        (seen.status().as_u16(), text.matches("\"address1_city\":\"Oslo\"").count()),
        (200, 1),
        "{text}"
    );
    for (apply, alias) in [
        ("aggregate(revenue with sum as a,revenue with max as a)", "a"),
        ("groupby((name),aggregate($count as name))", "name"),
        ("groupby((createdby/fullname,modifiedby/fullname))", "systemuser_fullname"),
    ] {
        let seen = bench.get(&format!("{ROOT}accounts?$apply={apply}")).await;
        assert_eq!(seen.refusal(), (400, "0x80041130".to_owned()), "{apply}");
        let text = "is not a unique alias. It clashes with an autogenerated alias or user provided alias";
        assert_eq!(seen.message(), format!("{alias} {text}"), "{apply}");
    }
}
