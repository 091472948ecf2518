//! Time zones of users: how dates are formatted, and where days begin.

use crate::support::{Bench, CLIENT, USER, bearer, claims_with, organization};
use http::Method;
use mocktenant_odata::percent_encode;
use mocktenant_world::{Edit, EditedBy, World};
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");
const OTHER_CLIENT: &str = "c0117050-0000-4000-8000-00000000a002";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";

/// An organisation with tasks that begin around midnight, and a caller in this zone.
async fn bench(zone: Option<&str>) -> Bench {
    let own = organization(&["application_users", CLIENT]).join("time_zone");
    let zone = zone.map_or_else(|| Edit::remove(own.clone()), |zone| Edit::replace(own.clone(), zone));
    // noon of the first of March 2026 is 4 in the morning in California, 11 in the evening in Sydney
    let task = |start: &str| json!({ "subject": start, "scheduledstart": start, "actualstart": start, "statecode": 0 });
    let rows = json!({
        "a": task("2026-02-28T23:30:00Z"), "b": task("2026-03-01T07:30:00Z"), "c": task("2026-03-01T08:30:00Z"),
        "d": task("2026-03-01T12:30:00Z"), "e": task("2026-03-01T13:30:00Z"), "f": task("2026-07-01T06:30:00Z"),
    });
    Bench::edited(&[zone, Edit::add(organization(&["records", "tasks"]), rows)]).await
}

async fn tasks(bench: &Bench, query: &str) -> Vec<Value> {
    let query = percent_encode(query, "=&$()',");
    let seen = bench.call_with(Method::GET, &format!("{ROOT}tasks?{query}"), None, &[ALL]).await;
    seen.json()["value"].as_array().unwrap_or_else(|| panic!("{query}: {}", seen.message())).clone()
}

async fn formatted(bench: &Bench, name: &str) -> Vec<String> {
    let name = format!("{name}@OData.Community.Display.V1.FormattedValue");
    let rows = tasks(bench, "$orderby=subject").await;
    rows.iter().map(|row| row[&name].as_str().unwrap().to_owned()).collect()
}

/// Which tasks a condition in FetchXML finds, by the hour they begin.
async fn fetched(bench: &Bench, condition: &str) -> Vec<String> {
    let xml = format!(
        "<fetch><entity name='task'><attribute name='subject'/><order attribute='subject'/><filter><condition attribute='scheduledstart' {condition}/></filter></entity></fetch>"
    );
    let rows = tasks(bench, &format!("fetchXml={xml}")).await;
    subjects(&rows)
}

fn subjects(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["subject"].as_str().unwrap()[5..13].to_owned()).collect()
}

#[tokio::test]
async fn dates_are_formatted_in_the_zone_of_whoever_asks_and_travel_in_utc() {
    for (zone, times, days) in [
        (
            Some("Pacific Standard Time"),
            [
                "2/28/2026 3:30 PM",
                "2/28/2026 11:30 PM",
                "3/1/2026 12:30 AM",
                "3/1/2026 4:30 AM",
                "3/1/2026 5:30 AM",
                "6/30/2026 11:30 PM",
            ],
            ["2/28/2026", "2/28/2026", "3/1/2026", "3/1/2026", "3/1/2026", "6/30/2026"],
        ),
        (
            Some("Australia/Sydney"),
            [
                "3/1/2026 10:30 AM",
                "3/1/2026 6:30 PM",
                "3/1/2026 7:30 PM",
                "3/1/2026 11:30 PM",
                "3/2/2026 12:30 AM",
                "7/1/2026 4:30 PM",
            ],
            ["3/1/2026", "3/1/2026", "3/1/2026", "3/1/2026", "3/2/2026", "7/1/2026"],
        ),
        (
            None,
            [
                "2/28/2026 11:30 PM",
                "3/1/2026 7:30 AM",
                "3/1/2026 8:30 AM",
                "3/1/2026 12:30 PM",
                "3/1/2026 1:30 PM",
                "7/1/2026 6:30 AM",
            ],
            ["2/28/2026", "3/1/2026", "3/1/2026", "3/1/2026", "3/1/2026", "7/1/2026"],
        ),
    ] {
        let bench = bench(zone).await;
        assert_eq!(formatted(&bench, "scheduledstart").await, times, "{zone:?}");
        assert_eq!(formatted(&bench, "actualstart").await, days, "{zone:?}");
        let rows = tasks(&bench, "$orderby=subject").await;
        assert_eq!(rows[0]["scheduledstart"], "2026-02-28T23:30:00Z", "{zone:?}");
    }
}

#[tokio::test]
async fn fetch_and_apply_format_in_that_zone_and_group_by_its_days() {
    let bench = bench(Some("Pacific Standard Time")).await;
    let name = "latest@OData.Community.Display.V1.FormattedValue";
    let rows = tasks(&bench, "$apply=aggregate(scheduledstart with max as latest)").await;
    assert_eq!(rows[0][name], "6/30/2026 11:30 PM");
    let days = async |more: &str| {
        let xml = format!(
            "<fetch aggregate='true'><entity name='task'><attribute name='scheduledstart' groupby='true' dategrouping='day' alias='day'{more}/><attribute name='scheduledstart' aggregate='max' alias='latest'/><attribute name='activityid' aggregate='count' alias='count'/></entity></fetch>"
        );
        let rows = tasks(&bench, &format!("fetchXml={xml}")).await;
        rows.iter()
            .map(|row| {
                (
                    row["day"].as_i64().unwrap(),
                    row["count"].as_i64().unwrap(),
                    row[name].as_str().unwrap().to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    let row = |day, count, latest: &str| (day, count, latest.to_owned());
    assert_eq!(
        days("").await,
        [row(1, 3, "3/1/2026 5:30 AM"), row(28, 2, "2/28/2026 11:30 PM"), row(30, 1, "6/30/2026 11:30 PM")]
    );
    assert_eq!(
        days(" usertimezone='false'").await,
        [row(1, 5, "6/30/2026 11:30 PM"), row(28, 1, "2/28/2026 3:30 PM")]
    );
}

#[tokio::test]
async fn a_day_begins_where_the_zone_says() {
    let pacific = bench(Some("Pacific Standard Time")).await;
    let sydney = bench(Some("AUS Eastern Standard Time")).await;
    let utc = bench(None).await;
    let all = ["02-28T23", "03-01T07", "03-01T08", "03-01T12", "03-01T13"];
    for (condition, in_pacific, in_sydney, in_utc) in [
        ("operator='today'", &all[2..], &all[..4], &all[1..]),
        ("operator='yesterday'", &all[..2], &[], &all[..1]),
        ("operator='tomorrow'", &[], &all[4..], &[]),
        ("operator='on' value='2026-03-01'", &all[2..], &all[..4], &all[1..]),
        ("operator='on' value='2026-02-28T23:00:00Z'", &all[..2], &all[..4], &all[..1]),
        ("operator='last-month'", &all[..2], &[], &all[..1]),
        ("operator='last-x-days' value='1'", &all[..3], &all[..3], &all[..3]),
        ("operator='last-x-hours' value='13'", &all[..3], &all[..3], &all[..3]),
    ] {
        assert_eq!(fetched(&pacific, condition).await, in_pacific, "{condition}");
        assert_eq!(fetched(&sydney, condition).await, in_sydney, "{condition}");
        assert_eq!(fetched(&utc, condition).await, in_utc, "{condition}");
    }
    let today = "$orderby=subject&$filter=Microsoft.Dynamics.CRM.Today(PropertyName='scheduledstart')";
    assert_eq!(subjects(&tasks(&pacific, today).await), all[2..]);
    assert_eq!(subjects(&tasks(&sydney, today).await), all[..4]);
    assert_eq!(subjects(&tasks(&utc, today).await), all[1..]);
    let days = "$orderby=subject&$filter=Microsoft.Dynamics.CRM.LastXDays(PropertyName='scheduledstart',PropertyValue=1)";
    assert_eq!(subjects(&tasks(&pacific, days).await), all[..3]);
}

#[tokio::test]
async fn who_acts_as_another_reads_dates_as_that_one_does() {
    let bench = bench(Some("Pacific Standard Time")).await;
    let name = "scheduledstart@OData.Community.Display.V1.FormattedValue";
    let target = format!("{ROOT}tasks?$orderby=subject&$top=1");
    let seen = bench.call_with(Method::GET, &target, None, &[ALL, ("mscrmcallerid", OTHER)]).await;
    assert_eq!(seen.json()["value"][0][name], "2/28/2026 11:30 PM");
    let token = bearer(&claims_with("appid", OTHER_CLIENT));
    let seen = bench.send(Method::GET, &target, None, &[ALL, ("authorization", &token)]).await;
    assert_eq!(seen.json()["value"][0][name], "2/28/2026 11:30 PM", "no zone is declared");
}

#[tokio::test]
async fn settings_of_users_say_zone_and_language_and_follow_the_declaration() {
    let bench = bench(Some("Pacific Standard Time")).await;
    let own = async || {
        let query = format!(
            "usersettingscollection?$select=uilanguageid,timezonecode,timezonebias&$filter=systemuserid%20eq%20{USER}&$top=1&$count=true"
        );
        let seen = bench.get(&format!("{ROOT}{query}")).await.json();
        assert_eq!(seen["@odata.count"], 1);
        let row = seen["value"][0].clone();
        (row["uilanguageid"].clone(), row["timezonecode"].clone(), row["timezonebias"].clone())
    };
    assert_eq!(own().await, (json!(1033), json!(4), json!(480)));
    let zone = organization(&["application_users", CLIENT]).join("time_zone");
    let edit = |edits| {
        bench.lab.apply(mocktenant_lab::Command::Edit { edits, by: EditedBy::Scenario("test".into()) })
    };
    edit(vec![Edit::replace(zone.clone(), "Europe/Oslo")]).await.unwrap();
    assert_eq!(own().await, (json!(1033), json!(110), json!(-60)));
    edit(vec![Edit::remove(zone)]).await.unwrap();
    assert_eq!(own().await, (json!(1033), json!(92), json!(0)));
    let row = bench
        .get(&format!(
            "{ROOT}usersettingscollection({OTHER})?$expand=systemuserid_systemuser($select=fullname)"
        ))
        .await;
    assert_eq!(row.json()["systemuserid_systemuser"]["systemuserid"], OTHER, "{:?}", row.refusal());
}

#[test]
fn a_zone_that_nobody_knows_is_refused_with_the_nearest() {
    let zone = organization(&["application_users", CLIENT]).join("time_zone");
    let edits = [Edit::replace(zone, "Pacific Standard Tyme")];
    let error = World::contoso().unwrap().edited(&edits, EditedBy::Scenario("test".into())).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("Pacific Standard Tyme") && text.contains("`Pacific Standard Time`"), "{text}");
}
