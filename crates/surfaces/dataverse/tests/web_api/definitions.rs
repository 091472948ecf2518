//! Definitions of tables and columns, as clients read them before they write.

use std::collections::HashSet;

use crate::support::Bench;
use http::Method;
use serde_json::{Value, json};

const DEFINITIONS: &str = "/api/data/v9.2/EntityDefinitions";
const ACCOUNT: &str = "/api/data/v9.2/EntityDefinitions(LogicalName='account')";
const PICKLIST: &str = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata";

/// The fact of the last exchange.
fn said(bench: &Bench) -> Option<String> {
    let record = bench.lab.journal().records().last().cloned().unwrap();
    record.fact("not-built").map(|fact| fact.value.to_string())
}

#[tokio::test]
async fn a_client_finds_the_set_of_a_table_by_its_logical_name() {
    let bench = Bench::new().await;
    let query = "$select=LogicalName,EntitySetName,PrimaryIdAttribute&$filter=LogicalName%20eq%20'account'";
    let seen = bench.get(&format!("{DEFINITIONS}?{query}")).await;
    assert_eq!(seen.status(), 200);
    assert_eq!(
        seen.json(),
        json!({
            "@odata.context": "https://contoso.crm4.dynamics.com/api/data/v9.2/$metadata#EntityDefinitions(LogicalName,EntitySetName,PrimaryIdAttribute)",
            "value": [{
                "LogicalName": "account", "EntitySetName": "accounts", "PrimaryIdAttribute": "accountid",
                "MetadataId": "70816501-edb9-4740-a16c-6a5efbc05d84",
            }],
        })
    );
}

#[tokio::test]
async fn the_tables_that_are_not_private_are_those_of_the_service_document() {
    let bench = Bench::new().await;
    let seen = bench.get(&format!("{DEFINITIONS}?$filter=IsPrivate%20eq%20false")).await.json();
    let sets: HashSet<String> = seen["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["EntitySetName"].as_str().unwrap().to_owned())
        .collect();
    let document = bench.get("/api/data/v9.2/").await.json();
    let listed: HashSet<String> = document["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(sets, listed);
    let none = bench.get(&format!("{DEFINITIONS}?$filter=IsPrivate%20eq%20true&$count=true")).await.json();
    assert_eq!((&none["value"], &none["@odata.count"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn one_table_is_found_by_its_name_and_by_its_id() {
    let bench = Bench::new().await;
    let named = bench.get(ACCOUNT).await.json();
    for (name, value) in [
        ("LogicalName", json!("account")),
        ("SchemaName", json!("Account")),
        ("EntitySetName", json!("accounts")),
        ("PrimaryIdAttribute", json!("accountid")),
        ("PrimaryNameAttribute", json!("name")),
        ("ObjectTypeCode", json!(1)),
        ("OwnershipType", json!("UserOwned")),
        ("IsPrivate", json!(false)),
        ("IsCustomEntity", json!(false)),
    ] {
        assert_eq!(named[name], value, "{name}");
    }
    assert_eq!(named["DisplayName"]["UserLocalizedLabel"]["Label"], "Account");
    let id = named["MetadataId"].as_str().unwrap();
    let by_id = bench.get(&format!("{DEFINITIONS}({id})?$select=LogicalName")).await.json();
    assert_eq!(by_id["LogicalName"], "account");
    let other = Bench::new().await.get(ACCOUNT).await.json();
    assert_eq!(named, other, "the ids are the same in every lab");
}

#[tokio::test]
async fn a_table_or_column_that_is_not_there_is_not_found_and_the_products_own_are_said() {
    let bench = Bench::new().await;
    for (path, code, unbuilt) in [
        ("(LogicalName='acount')", "0x80040217", None),
        ("(c0117050-0000-4000-8000-000000000000)", "0x80040217", None),
        ("(LogicalName='lead')", "0x80040217", Some("the table lead")),
        ("(LogicalName='account')/Attributes(LogicalName='nope')", "0x80040217", None),
        ("(LogicalName='account')/Attributes(LogicalName='_parentaccountid_value')", "0x80040217", None),
        ("(LogicalName='account')/Nonsense", "0x80060888", None),
        ("(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.Nonsense", "0x80060888", None),
    ] {
        let seen = bench.get(&format!("{DEFINITIONS}{path}")).await;
        assert_eq!(seen.refusal(), (404, code.to_owned()), "{path}");
        assert_eq!(said(&bench).as_deref(), unbuilt, "{path}");
    }
    let seen = bench.get(&format!("{DEFINITIONS}?$filter=LogicalName%20eq%20'lead'")).await;
    assert_eq!((seen.status().as_u16(), &seen.json()["value"]), (200, &json!([])));
    assert_eq!(said(&bench).as_deref(), Some("the table lead"), "an empty list would be a riddle");
    for path in ["('account')", "(Name='account')", "(LogicalName=5)", "(LogicalName='a'"] {
        let seen = bench.get(&format!("{DEFINITIONS}{path}")).await;
        assert_eq!(seen.status().as_u16(), 400, "{path}");
    }
}

#[tokio::test]
async fn a_column_says_its_type_in_a_filter_and_alone() {
    let bench = Bench::new().await;
    let query = "$filter=LogicalName%20eq%20'customertypecode'&$select=LogicalName,AttributeType";
    let seen = bench.get(&format!("{ACCOUNT}/Attributes?{query}")).await.json();
    let column = &seen["value"][0];
    assert_eq!(seen["value"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&column["LogicalName"], &column["AttributeType"]),
        (&json!("customertypecode"), &json!("Picklist"))
    );
    assert_eq!(column["@odata.type"], format!("#{PICKLIST}"));
    assert!(column["MetadataId"].is_string() && column.as_object().unwrap().len() == 4, "{column}");
    for (name, code) in [
        ("name", "String"),
        ("description", "Memo"),
        ("accountid", "Uniqueidentifier"),
        ("numberofemployees", "Integer"),
        ("revenue", "Money"),
        ("exchangerate", "Decimal"),
        ("creditonhold", "Boolean"),
        ("createdon", "DateTime"),
        ("versionnumber", "BigInt"),
        ("statecode", "State"),
        ("statuscode", "Status"),
        ("ownerid", "Owner"),
        ("primarycontactid", "Lookup"),
    ] {
        let seen =
            bench.get(&format!("{ACCOUNT}/Attributes(LogicalName='{name}')?$select=AttributeType")).await;
        assert_eq!(seen.json()["AttributeType"], code, "{name}");
    }
    let text =
        "$filter=AttributeType%20eq%20Microsoft.Dynamics.CRM.AttributeTypeCode'Money'&$select=LogicalName";
    let money = bench.get(&format!("{ACCOUNT}/Attributes?{text}")).await.json();
    assert_eq!(money["value"].as_array().unwrap().len(), 12, "with those in the base currency");
    let required =
        "$filter=RequiredLevel/Value%20eq%20Microsoft.Dynamics.CRM.AttributeRequiredLevel'SystemRequired'";
    let required = bench.get(&format!("{ACCOUNT}/Attributes?{required}")).await.json();
    assert_eq!(required["value"][0]["LogicalName"], "accountid");
}

#[tokio::test]
async fn a_choice_shows_its_options_alone_and_with_all_choices_of_its_table() {
    let bench = Bench::new().await;
    let query = "$select=LogicalName&$expand=OptionSet($select=Options)";
    let one = bench
        .get(&format!("{ACCOUNT}/Attributes(LogicalName='customertypecode')/{PICKLIST}?{query}"))
        .await
        .json();
    let option = &one["OptionSet"]["Options"][2];
    assert_eq!(option["Value"], 3);
    assert_eq!(option["Label"]["LocalizedLabels"][0]["Label"], "Customer");
    assert_eq!(option["Label"]["UserLocalizedLabel"]["LanguageCode"], 1033);
    let all = bench.get(&format!("{ACCOUNT}/Attributes/{PICKLIST}?{query}")).await.json();
    let all = all["value"].as_array().unwrap();
    let same = all.iter().find(|column| column["LogicalName"] == "customertypecode").unwrap();
    assert_eq!(same["OptionSet"], one["OptionSet"]);
    assert!(all.iter().all(|column| !column["OptionSet"]["Options"].as_array().unwrap().is_empty()));
    assert!(
        all.iter().all(|column| column["OptionSet"].as_object().unwrap().len() == 2),
        "options and the id"
    );
    let set = bench
        .get(&format!(
            "{ACCOUNT}/Attributes(LogicalName='customertypecode')/{PICKLIST}/OptionSet?$select=Options"
        ))
        .await
        .json();
    assert_eq!(set["Options"], one["OptionSet"]["Options"]);
}

#[tokio::test]
async fn a_choice_of_its_own_has_no_global_option_set() {
    let bench = Bench::new().await;
    let seen = bench
        .get(&format!(
            "{ACCOUNT}/Attributes(LogicalName='industrycode')/{PICKLIST}?$expand=OptionSet,GlobalOptionSet"
        ))
        .await
        .json();
    assert_eq!(seen["GlobalOptionSet"], Value::Null);
    assert!(seen.as_object().unwrap().contains_key("GlobalOptionSet"));
    assert_eq!(seen["OptionSet"]["IsGlobal"], false);
    assert_eq!(seen["OptionSet"]["Name"], "account_industrycode");
}

#[tokio::test]
async fn states_statuses_and_flags_have_option_sets_of_their_types() {
    let bench = Bench::new().await;
    let get = async |column: &str, cast: &str| {
        let path = format!("{ACCOUNT}/Attributes(LogicalName='{column}')/Microsoft.Dynamics.CRM.{cast}");
        bench.get(&format!("{path}?$expand=OptionSet")).await.json()["OptionSet"].clone()
    };
    let state = get("statecode", "StateAttributeMetadata").await;
    assert_eq!(
        (&state["Options"][1]["Value"], &state["Options"][1]["DefaultStatus"]),
        (&json!(1), &json!(2))
    );
    let status = get("statuscode", "StatusAttributeMetadata").await;
    assert_eq!((&status["Options"][1]["Value"], &status["Options"][1]["State"]), (&json!(2), &json!(1)));
    let flag = get("creditonhold", "BooleanAttributeMetadata").await;
    assert_eq!(flag["TrueOption"]["Label"]["UserLocalizedLabel"]["Label"], "Yes");
    assert_eq!(flag["FalseOption"]["Value"], 0);
}

#[tokio::test]
async fn option_sets_belong_to_the_type_and_not_to_all_columns() {
    let bench = Bench::new().await;
    let seen = bench.get(&format!("{ACCOUNT}/Attributes?$expand=OptionSet")).await;
    assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()));
    let text =
        "Could not find a property named 'OptionSet' on type 'Microsoft.Dynamics.CRM.AttributeMetadata'.";
    assert_eq!(seen.message(), text);
    let seen = bench.get(&format!("{ACCOUNT}/Attributes(LogicalName='name')/{PICKLIST}")).await;
    assert_eq!(seen.refusal(), (404, "0x80040217".to_owned()), "a text is no choice");
}

#[tokio::test]
async fn columns_come_with_their_table_where_they_are_expanded() {
    let bench = Bench::new().await;
    let inner =
        "$select=LogicalName;$filter=AttributeType%20eq%20Microsoft.Dynamics.CRM.AttributeTypeCode'Picklist'";
    let seen = bench.get(&format!("{ACCOUNT}?$select=LogicalName&$expand=Attributes({inner})")).await.json();
    let columns = seen["Attributes"].as_array().unwrap();
    assert_eq!(seen["LogicalName"], "account");
    assert!(columns.len() > 10 && columns.iter().all(|one| one["LogicalName"].is_string()));
    assert!(columns.iter().all(|one| one.get("AttributeType").is_none()));
    // the context lists what is shown of them, and no condition
    let inner = "$select=LogicalName;$filter=LogicalName eq 'fullname'";
    let query = format!("$select=LogicalName&$expand=Attributes({inner})");
    for (place, end) in [("(LogicalName='contact')", "/$entity"), ("", "")] {
        let seen = bench.get(&format!("{DEFINITIONS}{place}?{query}")).await.json();
        let context = seen["@odata.context"].as_str().unwrap();
        let shown = format!("#EntityDefinitions(LogicalName,Attributes(LogicalName)){end}");
        assert!(context.ends_with(&shown), "{context}");
    }
}

#[tokio::test]
async fn a_function_over_definitions_is_refused_as_not_implemented() {
    let bench = Bench::new().await;
    let seen = bench.get(&format!("{DEFINITIONS}?$filter=startswith(LogicalName,'acc')")).await;
    assert_eq!(seen.refusal(), (501, "0x8006088a".to_owned()));
}

#[tokio::test]
async fn properties_nobody_has_and_those_not_built_are_told_apart() {
    let bench = Bench::new().await;
    for (query, code, unbuilt) in [
        ("$select=Nonsense", "0x80060888", None),
        ("$filter=nonsense%20eq%201", "0x80060888", None),
        ("$expand=Nonsense", "0x80060888", None),
        ("$select=HasNotes", "0x80040203", Some("the property HasNotes of EntityMetadata")),
        ("$expand=Keys", "0x80040203", Some("$expand=Keys")),
        ("$top=1", "0x80040203", Some("$orderby and $top of definitions")),
    ] {
        let seen = bench.get(&format!("{DEFINITIONS}?{query}")).await;
        assert_eq!(seen.refusal(), (400, code.to_owned()), "{query}");
        assert_eq!(said(&bench).as_deref(), unbuilt, "{query}");
    }
    for path in ["/ManyToOneRelationships", "/Keys"] {
        let seen = bench.get(&format!("{ACCOUNT}{path}")).await;
        assert_eq!(seen.status().as_u16(), 501, "{path}");
        assert!(said(&bench).is_some());
    }
}

#[tokio::test]
async fn definitions_are_only_for_who_was_let_in() {
    let bench = Bench::new().await;
    let seen = bench.send(Method::GET, ACCOUNT, None, &[]).await;
    assert_eq!(seen.status().as_u16(), 401);
    let seen = bench.send(Method::GET, &format!("{ACCOUNT}/Attributes"), None, &[]).await;
    assert_eq!(seen.status().as_u16(), 401);
}
