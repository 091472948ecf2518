//! Related rows that come with a row, texts looked for in texts, and how many rows there are.

use crate::support::{Bench, CLIENT, HOST, USER, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const CONTACTS: &str = "/api/data/v9.2/contacts";
const ACCOUNT: &str = "/api/data/v9.2/accounts(accountnumber='E-1')";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");

/// An organisation with a parent company, its subsidiary and the subsidiary's contact, who belongs to the parent.
async fn family() -> Bench {
    let bench = Bench::new().await;
    let post = async |set: &str, body: Value| {
        let seen = bench.call(Method::POST, set, Some(&body.to_string())).await;
        seen.header("odata-entityid").unwrap().split("/v9.2/").nth(1).unwrap().to_owned()
    };
    let parent = post(ACCOUNTS, json!({ "accountnumber": "E-0", "name": "Parent (100%)" })).await;
    let contact = post(
        CONTACTS,
        json!({ "firstname": "Ann", "lastname": "Other", "annualincome": 80_000, "parentcustomerid_account@odata.bind": parent }),
    )
    .await;
    let child = json!({
        "accountnumber": "E-1", "name": "Child", "parentaccountid@odata.bind": parent,
        "primarycontactid@odata.bind": contact,
    });
    post(ACCOUNTS, child).await;
    bench
}

#[tokio::test]
async fn a_related_row_comes_with_the_columns_asked_for_and_its_id() {
    let bench = family().await;
    let seen = bench
        .get(&format!("{ACCOUNT}?$select=name,&$expand=primarycontactid($select=fullname,jobtitle)"))
        .await
        .json();
    assert_eq!(
        seen["@odata.context"],
        format!(
            "https://{HOST}/api/data/v9.2/$metadata#accounts(name,primarycontactid(fullname,jobtitle))/$entity"
        )
    );
    let contact = seen["primarycontactid"].as_object().unwrap();
    assert_eq!((&contact["fullname"], &contact["jobtitle"]), (&json!("Ann Other"), &Value::Null));
    assert!(
        contact["contactid"].is_string() && contact["@odata.etag"].is_string() && contact.len() == 4,
        "{seen}"
    );
    assert_eq!(seen.as_object().unwrap().len(), 5, "{seen}");
}

#[tokio::test]
async fn several_lookups_are_followed_and_lookups_of_related_rows_too() {
    let bench = family().await;
    let query = "$select=name&$orderby=accountnumber&$filter=startswith(accountnumber,'E-')&$expand=parentaccountid($select=name),ownerid($select=fullname),\
                 primarycontactid($select=fullname;$expand=parentcustomerid_account($select=name;$expand=createdby($select=fullname)))";
    let rows = bench.get(&format!("{ACCOUNTS}?{query}")).await.json();
    let (parent, child) = (&rows["value"][0], &rows["value"][1]);
    assert_eq!((&parent["parentaccountid"], &parent["primarycontactid"]), (&Value::Null, &Value::Null));
    assert_eq!(child["parentaccountid"]["name"], "Parent (100%)");
    assert_eq!(child["ownerid"]["systemuserid"], USER);
    let company = &child["primarycontactid"]["parentcustomerid_account"];
    assert_eq!(company["name"], "Parent (100%)");
    assert_eq!(company["createdby"]["fullname"], "# mocktenant sample client");
    for related in [&child["primarycontactid"], &child["ownerid"], company, &company["createdby"]] {
        assert!(related.get("@odata.etag").is_none(), "{related}");
    }
}

#[tokio::test]
async fn related_rows_carry_entity_tags_but_for_lookups_of_a_list_and_beside_nested_ones() {
    let bench = family().await;
    let tag = |related: &Value| related.get("@odata.etag").is_some_and(Value::is_string);
    let flat = "$expand=primarycontactid($select=fullname),Account_Tasks($select=subject),account_parent_account($select=name)";
    let nested = "$expand=primarycontactid($select=fullname;$expand=createdby($select=fullname)),account_parent_account($select=name)";
    let parent = "accounts(accountnumber='E-0')?$select=name&$expand=account_parent_account($select=name)";
    let seen = bench.get(&format!("/api/data/v9.2/{parent}")).await.json();
    assert!(tag(&seen["account_parent_account"][0]), "{seen}");
    let seen = bench.get(&format!("{ACCOUNT}?$select=name&{flat}")).await.json();
    assert!(tag(&seen) && tag(&seen["primarycontactid"]), "{seen}");
    for (query, many) in [(flat, true), (nested, false)] {
        let list = format!(
            "{ACCOUNTS}?$select=name&$orderby=accountnumber&$filter=startswith(accountnumber,'E-')&{query}"
        );
        let rows = bench.get(&list).await.json();
        let (parent, child) = (&rows["value"][0], &rows["value"][1]);
        assert!(tag(parent) && tag(child), "{rows}");
        assert!(!tag(&child["primarycontactid"]) && child["primarycontactid"].is_object(), "{rows}");
        assert_eq!(tag(&parent["account_parent_account"][0]), many, "{rows}");
    }
}

#[tokio::test]
async fn a_related_row_has_its_annotations_and_comes_with_a_row_that_was_written() {
    let bench = family().await;
    let target = format!("{ACCOUNT}?$select=name&$expand=primarycontactid($select=annualincome)");
    let seen = bench.call_with(Method::GET, &target, None, &[ALL]).await.json();
    let text = "annualincome@OData.Community.Display.V1.FormattedValue";
    assert_eq!(seen["primarycontactid"][text], "$80,000.00");
    let prefer = [("prefer", "return=representation")];
    let seen = bench.call_with(Method::PATCH, &target, Some(r#"{"name":"x"}"#), &prefer).await.json();
    assert_eq!((&seen["name"], &seen["primarycontactid"]["annualincome"]), (&json!("x"), &json!(80_000.0)));
}

#[tokio::test]
async fn the_next_page_expands_as_the_first_did() {
    let bench = family().await;
    let query = "$select=name&$orderby=accountnumber%20desc&$filter=startswith(accountnumber,'E-')&$expand=ownerid($select=fullname)";
    let prefer = [("prefer", "odata.maxpagesize=1")];
    let first = bench.call_with(Method::GET, &format!("{ACCOUNTS}?{query}"), None, &prefer).await.json();
    let next = first["@odata.nextLink"]
        .as_str()
        .unwrap()
        .strip_prefix(&format!("https://{HOST}"))
        .unwrap()
        .to_owned();
    let second = bench.get(&next).await.json();
    assert_eq!(second["value"][0]["ownerid"]["systemuserid"], USER);
}

#[tokio::test]
async fn what_cannot_be_expanded_is_refused() {
    let bench = family().await;
    for (expand, code) in [
        ("nonsense", "0x80060888"),
        ("primarycontactid($select=nonsense)", "0x80060888"),
        ("primarycontactid($expand=nonsense)", "0x80060888"),
        ("primarycontactid(", "0x80060888"),
        ("name", "0x80060888"),
    ] {
        for target in [ACCOUNTS, ACCOUNT] {
            let seen = bench.get(&format!("{target}?$expand={expand}")).await;
            assert_eq!(seen.refusal(), (400, code.to_owned()), "{expand}");
        }
    }
    let only = "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship \
                or nested one-to-many relationship.";
    let nested = "contact_customer_accounts($expand=createdby),Account_Tasks($top=1)";
    for (expand, message) in [
        ("primarycontactid($orderby=fullname)", only),
        ("primarycontactid($top=1)", only),
        (nested, only),
        ("Account_Tasks/$ref", "Expand with $ref is only supported on lookup type navigation property."),
    ] {
        let seen = bench.get(&format!("{ACCOUNT}?$expand={expand}")).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{expand}");
        assert_eq!(seen.message(), message, "{expand}");
    }
    let cut = "Account_Tasks($top=1;$orderby=subject)";
    assert_eq!(bench.get(&format!("{ACCOUNT}?$expand={cut}")).await.status(), 200);
    let lookups = [
        "ownerid",
        "parentaccountid",
        "primarycontactid",
        "transactioncurrencyid",
        "preferredsystemuserid",
        "createdby",
        "createdonbehalfby",
        "masterid",
        "modifiedby",
        "modifiedonbehalfby",
        "owningbusinessunit",
        "owninguser",
        "msdyn_company",
        "msdyn_customergroupid",
        "msdyn_billingaccount",
        "msdyn_paymentterm",
    ];
    let many = |count: usize| lookups[..count].join(",");
    assert_eq!(bench.get(&format!("{ACCOUNT}?$expand={}", many(15))).await.status(), 200);
    assert_eq!(bench.get(&format!("{ACCOUNT}?$expand={}", many(16))).await.status(), 400);
    let deep = format!("{}createdby{}", "parentaccountid($expand=".repeat(15), ")".repeat(15));
    assert_eq!(bench.get(&format!("{ACCOUNT}?$expand={deep}")).await.status(), 400);
}

#[tokio::test]
async fn whoever_may_not_read_a_table_may_not_expand_it_and_sees_no_rows_of_others() {
    let user = organization(&["application_users", CLIENT]);
    let roles = organization(&["roles"]);
    let edits = |privileges: Value| {
        [
            Edit::add(
                roles.join("Accounts"),
                json!({ "id": "c0117050-0000-4000-8000-0000000d2009", "privileges": privileges }),
            ),
            Edit::replace(user.join("roles"), json!(["Accounts"])),
            Edit::add(
                organization(&["records"]),
                json!({
                    "contacts": { "ann": { "contactid": "c0117050-0000-4000-8000-0000000aaaaa", "lastname": "Other" } },
                    "accounts": { "one": { "accountnumber": "E-1", "_ownerid_value": USER,
                        "_primarycontactid_value": "c0117050-0000-4000-8000-0000000aaaaa" } },
                }),
            ),
        ]
    };
    let expand = format!("{ACCOUNT}?$expand=primarycontactid");
    let bench = Bench::edited(&edits(json!(["prvReadAccount"]))).await;
    let seen = bench.get(&expand).await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("prvReadContact"), "{}", seen.message());
    let bench = Bench::edited(&edits(json!(["prvReadAccount", "prvReadContact:Basic"]))).await;
    let seen = bench.get(&expand).await;
    assert_eq!(
        (seen.status().as_u16(), &seen.json()["primarycontactid"]),
        (200, &Value::Null),
        "another's row"
    );
}

#[tokio::test]
async fn texts_are_looked_for_without_regard_to_case() {
    let bench = family().await;
    let numbers = async |filter: &str| {
        let rows = bench
            .get(&format!("{ACCOUNTS}?$select=accountnumber&$orderby=accountnumber&$filter={filter}"))
            .await
            .json();
        let rows = rows["value"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["accountnumber"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("contains(name,'HIL')").await, ["E-1"]);
    assert_eq!(numbers("startswith(name,'par') and endswith(name,'%25)')").await, ["E-0"]);
    assert_eq!(numbers("startswith(accountnumber,'E-') and not contains(name,'child')").await, ["E-0"]);
    assert_eq!(
        numbers("(contains(name,'child') or (contains(name,'parent')and name%20ne%20null))").await,
        ["E-0", "E-1"]
    );
}

#[tokio::test]
async fn the_number_of_rows_is_a_text_with_a_byte_order_mark() {
    let bench = family().await;
    let seen = bench.get(&format!("{CONTACTS}/$count")).await;
    assert_eq!((seen.status().as_u16(), seen.header("content-type")), (200, Some("text/plain")));
    assert_eq!(&*seen.response.body, b"\xEF\xBB\xBF1");
    let seen = bench.get(&format!("{ACCOUNTS}/$count?$filter=startswith(accountnumber,'E-')")).await;
    assert_eq!(&*seen.response.body, b"\xEF\xBB\xBF2");
    assert_eq!(
        bench.get(&format!("{ACCOUNTS}/$count?$filter=nonsense%20eq%201")).await.refusal(),
        (400, "0x80060888".to_owned())
    );
    for path in ["acounts/$count", "accounts(accountnumber='E-1')/$count", "WhoAmI/$count"] {
        assert_eq!(bench.get(&format!("/api/data/v9.2/{path}")).await.status().as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn a_collection_says_how_many_it_has_and_of_which_definitions_when_all_annotations_are_asked_for() {
    let bench = family().await;
    let seen =
        bench.call_with(Method::GET, &format!("{CONTACTS}?$select=fullname"), None, &[ALL]).await.json();
    let names: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "@odata.context",
            "@Microsoft.Dynamics.CRM.totalrecordcount",
            "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded",
            "@Microsoft.Dynamics.CRM.globalmetadataversion",
            "value"
        ]
    );
    assert_eq!(seen["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    assert_eq!(seen["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], false);
    let version = seen["@Microsoft.Dynamics.CRM.globalmetadataversion"].as_str().unwrap();
    assert!(version.bytes().all(|byte| byte.is_ascii_digit()), "{version}");
    let counted = bench.call_with(Method::GET, &format!("{CONTACTS}?$count=true"), None, &[ALL]).await.json();
    assert_eq!(counted["@Microsoft.Dynamics.CRM.totalrecordcount"], 1);
    assert!(counted["@Microsoft.Dynamics.CRM.globalmetadataversion"].is_string());
}

/// As Microsoft's OData library does: what the later one asks counts, and both show what they show.
#[tokio::test]
async fn a_property_that_is_expanded_twice_comes_once_with_what_either_shows() {
    let bench = family().await;
    let query = "$select=name&$expand=createdby($select=fullname),primarycontactid($select=fullname),createdby($select=applicationid)";
    let seen = bench.get(&format!("{ACCOUNT}?{query}")).await;
    assert_eq!(String::from_utf8_lossy(&seen.response.body).matches("\"createdby\":").count(), 1);
    let seen = seen.json();
    assert_eq!(seen["createdby"]["fullname"], "# mocktenant sample client");
    assert_eq!(seen["createdby"]["applicationid"], CLIENT);
    let context = seen["@odata.context"].as_str().unwrap();
    assert!(
        context.ends_with(
            "#accounts(name,createdby(applicationid,fullname),primarycontactid(fullname))/$entity"
        ),
        "{context}"
    );
    // nested ones become one too; of filters the later one counts
    let query = "$select=name&$expand=account_parent_account($select=name;$filter=name eq 'x';$expand=createdby),\
                 account_parent_account($filter=name eq 'Child';$expand=createdby($select=fullname),ownerid($select=fullname))";
    let parent = "/api/data/v9.2/accounts(accountnumber='E-0')";
    let seen = bench.get(&format!("{parent}?{query}")).await;
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    assert_eq!(
        (text.matches("\"account_parent_account\":").count(), text.matches("\"createdby\":").count()),
        (1, 1),
        "{text}"
    );
    assert_eq!(seen.json()["account_parent_account"][0]["name"], "Child", "{text}");
    for (expand, code) in [
        ("createdby,createdby/$ref", "0x80040203"),
        ("createdby($levels=2),createdby", "0x80040203"),
        ("createdby($top=-1),createdby", "0x80060888"),
        ("createdby($filter=(),createdby", "0x80060888"),
        ("createdby($select=nonsense),createdby", "0x80060888"),
    ] {
        let seen = bench.get(&format!("{ACCOUNT}?$expand={expand}")).await;
        assert_eq!(seen.refusal(), (400, code.to_owned()), "{expand}");
    }
}
