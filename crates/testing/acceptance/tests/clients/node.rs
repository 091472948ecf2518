//! The flows of `clients/node/flows.js`: dynamics-web-api.

use serde_json::json;

use crate::Flow;

pub(crate) const FLOWS: &[Flow] = &[
    Flow {
        name: "dynamics_web_api_rows",
        judge: |lab, seen| {
            assert_eq!(seen["created"]["name"], "Forest Wholesales", "{seen}");
            assert_eq!(
                seen["created"]["customertypecode@OData.Community.Display.V1.FormattedValue"],
                "Customer"
            );
            assert_eq!(seen["created"]["revenue@OData.Community.Display.V1.FormattedValue"], "$80,000.00");
            assert_eq!(seen["returned"]["name"], "Returned", "{seen}");
            assert!(seen["returned"]["accountid"].is_string(), "{seen}");
            assert_eq!((&seen["updated"], &seen["after"]["name"]), (&json!(true), &json!("Renamed")));
            let gone = &seen["gone"]["error"];
            assert_eq!((&gone["status"], &gone["code"]), (&json!(404), &json!("0x80040217")), "{seen}");
            let unknown = &seen["unknown"]["error"];
            assert_eq!((&unknown["status"], &unknown["code"]), (&json!(400), &json!("0x80048d19")), "{seen}");
            let record = lab.journal().requests_to("dataverse").pop().unwrap();
            assert!(record.fact("refused").unwrap().value.starts_with("Name = "), "{record:?}");
        },
    },
    Flow {
        name: "dynamics_web_api_upsert",
        judge: |_, seen| {
            assert_eq!(seen["names"], json!(["first", "second", "first", "second"]), "{seen}");
            assert_eq!(seen["count"], 2, "{seen}");
        },
    },
    Flow {
        name: "dynamics_web_api_conditions",
        judge: |lab, seen| {
            // the client tells a failed condition by its result, not by an error
            for (call, result) in [
                ("update", json!(false)),
                ("remove", json!(false)),
                ("prevented", json!(null)),
                ("missing", json!(null)),
            ] {
                assert_eq!(seen[call], result, "{call}: {seen}");
            }
            assert_eq!(seen["duplicate"]["error"]["status"], 412, "{seen}");
            assert_eq!(seen["duplicate"]["error"]["code"], "0x80040237", "{seen}");
            assert_eq!(seen["name"], "second", "no failed condition changed the row");
            let statuses: Vec<u16> =
                lab.journal().requests_to("dataverse").iter().map(|record| record.status).collect();
            assert_eq!(statuses.iter().filter(|status| **status == 412).count(), 4, "{statuses:?}");
            assert!(statuses.contains(&304), "a row that the client has is not sent again: {statuses:?}");
        },
    },
    Flow {
        name: "dynamics_web_api_pages",
        judge: |_, seen| {
            assert_eq!(seen["pages"], json!([["P-1", "P-2"], ["P-3", "P-4"], ["P-5"]]), "{seen}");
            assert_eq!((&seen["all"], &seen["count"]), (&json!(5), &json!(5)), "{seen}");
            assert_eq!(seen["formatted"], "Customer", "{seen}");
        },
    },
    Flow {
        name: "dynamics_web_api_functions",
        judge: |lab, seen| {
            assert!(seen["user"].is_string(), "{seen}");
            assert_eq!(seen["impersonated"]["error"]["code"], "0x80041d1f", "nobody to act as: {seen}");
            assert_eq!(seen["fetched"], json!(["first", "second"]), "{seen}");
            assert_eq!(seen["all"], json!(["first", "second", "third"]), "by its paging cookie: {seen}");
            let records = lab.journal().requests_to("dataverse");
            assert!(records.iter().all(|record| record.fact("not-built").is_none()), "{records:?}");
        },
    },
    Flow {
        name: "dynamics_web_api_batch",
        judge: |_, seen| {
            assert_eq!(seen["made"].as_array().unwrap().len(), 2, "{seen}");
            assert_eq!(seen["rows"][0]["accountnumber"], "N-1", "{seen}");
            assert_eq!(seen["rows"][0]["primarycontactid"]["lastname"], "Other", "{seen}");
            assert!(seen["refused"].to_string().contains("0x80060892"), "{seen}");
            assert_eq!(seen["count"], 1, "nothing of the refused change set was written: {seen}");
        },
    },
];
