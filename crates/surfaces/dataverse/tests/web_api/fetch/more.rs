//! Joined tables, aggregates, views, and who may ask.

use super::*;

const ACCOUNT_A: &str = "c0117050-0000-4000-8000-0000000f0011";
const ACCOUNT_B: &str = "c0117050-0000-4000-8000-0000000f0012";
const ANNA: &str = "c0117050-0000-4000-8000-0000000f0021";
const QUERY_OF_MINE: &str = "c0117050-0000-4000-8000-0000000f0031";
const QUERY_OF_THEIRS: &str = "c0117050-0000-4000-8000-0000000f0032";
const BERT: &str = "c0117050-0000-4000-8000-0000000f0022";

/// Two accounts; three contacts, two of the first account; a task of one.
async fn related() -> Bench {
    bench_of(&[
        (
            "accounts",
            json!({
                "a": { "accountid": ACCOUNT_A, "name": "Adatum", "_primarycontactid_value": ANNA, "address1_city": "Redmond", "numberofemployees": 2_900, "revenue": 100, "createdon": "2023-03-25T00:00:00Z" },
                "b": { "accountid": ACCOUNT_B, "name": "Blue Yonder", "address1_city": "Redmond", "numberofemployees": 2_900, "createdon": "2023-03-25T00:00:00Z" },
                "c": { "name": "Coho", "address1_city": "Dallas", "numberofemployees": 3_900, "revenue": 300, "createdon": "2024-08-27T00:00:00Z" },
                "d": { "name": "Dust", "createdon": "2024-08-27T00:00:00Z" },
            }),
        ),
        (
            "contacts",
            json!({
                "anna": { "contactid": ANNA, "lastname": "Anna", "_parentcustomerid_value": ACCOUNT_A, "gendercode": 2 },
                "bert": { "contactid": BERT, "lastname": "Bert", "_parentcustomerid_value": ACCOUNT_A, "gendercode": 1 },
                "carl": { "lastname": "Carl" },
            }),
        ),
        ("tasks", json!({ "call": { "subject": "Call Bert", "_regardingobjectid_value": BERT } })),
    ])
    .await
}

#[tokio::test]
async fn a_link_to_one_row_answers_its_columns_by_alias_with_their_annotations() {
    let bench = related().await;
    let found = answer(
        &bench,
        "accounts",
        "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>
         <link-entity name='contact' from='contactid' to='primarycontactid' alias='p'>
           <attribute name='lastname'/><attribute name='gendercode'/><attribute name='parentcustomerid'/><attribute name='jobtitle'/><attribute name='lastname' alias='who'/>
         </link-entity></entity></fetch>",
    )
    .await;
    assert_eq!(found["@odata.context"], format!("https://{HOST}{ROOT}$metadata#accounts(name,accountid)"));
    assert_eq!(found["@p.OData.Community.Display.V1.CurrentEntityField"], "primarycontactid");
    let [row] = found["value"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(
        (&row["name"], &row["p.lastname"], &row["who"], &row["p.gendercode"]),
        (&json!("Adatum"), &json!("Anna"), &json!("Anna"), &json!(2))
    );
    assert_eq!(row[format!("p.gendercode@{FORMATTED}")], "Female");
    assert_eq!(row[format!("p.lastname@{ATTRIBUTE}")], "lastname");
    assert_eq!(row[format!("who@{ATTRIBUTE}")], "lastname");
    assert_eq!(
        (&row["p.parentcustomerid"], &row[format!("p.parentcustomerid@{FORMATTED}")]),
        (&json!(ACCOUNT_A), &json!("Adatum"))
    );
    assert_eq!(row["p.parentcustomerid@Microsoft.Dynamics.CRM.lookuplogicalname"], "account");
    assert_eq!(
        (row.get("p.jobtitle"), row.get("_primarycontactid_value")),
        (None, None),
        "nulls are left out, and what nobody asks for"
    );
}

#[tokio::test]
async fn an_outer_link_keeps_rows_without_and_a_test_behind_the_join_finds_those() {
    let bench = related().await;
    let query = |rest: &str| {
        format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>{rest}<link-entity name='contact' from='contactid' to='primarycontactid' link-type='outer' alias='p'><attribute name='lastname'/></link-entity></entity></fetch>"
        )
    };
    let found = answer(&bench, "accounts", &query("")).await;
    assert_eq!(listed(&found, "name"), ["Adatum", "Blue Yonder", "Coho", "Dust"]);
    assert_eq!(listed(&found, "p.lastname"), ["Anna", "", "", ""]);
    let without = "<filter><condition entityname='p' attribute='contactid' operator='null'/></filter>";
    assert_eq!(
        listed(&answer(&bench, "accounts", &query(without)).await, "name"),
        ["Blue Yonder", "Coho", "Dust"]
    );
    let either = "<filter type='or'><condition entityname='p' attribute='lastname' operator='eq' value='anna'/><condition attribute='name' operator='eq' value='Dust'/></filter>";
    assert_eq!(listed(&answer(&bench, "accounts", &query(either)).await, "name"), ["Adatum", "Dust"]);
    let own =
        "<filter><condition entityname='account' attribute='name' operator='eq' value='Coho'/></filter>";
    assert_eq!(listed(&answer(&bench, "accounts", &query(own)).await, "name"), ["Coho"]);
}

#[tokio::test]
async fn a_link_to_many_rows_answers_a_row_for_each_and_links_nest() {
    let bench = related().await;
    let query = |link: &str, inner: &str| {
        format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/><link-entity name='contact' from='parentcustomerid' to='accountid' {link}><attribute name='lastname'/>{inner}</link-entity></entity></fetch>"
        )
    };
    let found =
        answer(&bench, "accounts", &query("alias='c'", "<order attribute='lastname' descending='true'/>"))
            .await;
    assert_eq!(listed(&found, "c.lastname"), ["Bert", "Anna"]);
    assert_eq!(listed(&found, "name"), ["Adatum", "Adatum"]);
    let filtered = answer(
        &bench,
        "accounts",
        &query("alias='c'", "<filter><condition attribute='gendercode' operator='eq' value='1'/></filter>"),
    )
    .await;
    assert_eq!(listed(&filtered, "c.lastname"), ["Bert"]);
    let unnamed = answer(&bench, "accounts", &query("link-type='outer'", "")).await;
    assert_eq!(listed(&unnamed, "contact1.lastname"), ["Anna", "Bert", "", "", ""]);
    let task = "<link-entity name='task' from='regardingobjectid' to='contactid' alias='t'><attribute name='subject'/></link-entity>";
    let nested = answer(&bench, "accounts", &query("alias='c'", task)).await;
    assert_eq!(
        (listed(&nested, "c.lastname"), listed(&nested, "t.subject")),
        (vec!["Bert".to_owned()], vec!["Call Bert".to_owned()])
    );
    let by_text = "<fetch><entity name='contact'><attribute name='lastname'/><link-entity name='account' from='name' to='lastname' alias='n' link-type='outer'><attribute name='name'/></link-entity></entity></fetch>";
    assert_eq!(
        listed(&answer(&bench, "contacts", by_text).await, "lastname").len(),
        3,
        "columns that no relationship joins"
    );
}

#[tokio::test]
async fn joined_rows_are_counted_paged_and_told_apart() {
    let bench = related().await;
    let query = |fetch: &str, order: &str| {
        format!(
            "<fetch {fetch}><entity name='account'><attribute name='address1_city'/>{order}<link-entity name='contact' from='contactid' to='primarycontactid' link-type='outer' alias='p'/></entity></fetch>"
        )
    };
    let one = answer(
        &bench,
        "accounts",
        &query("count='2' returntotalrecordcount='true'", "<order attribute='name' descending='true'/>"),
    )
    .await;
    assert_eq!(
        (&one["@odata.count"], &one[MORE], one["value"].as_array().unwrap().len()),
        (&json!(4), &json!(true), 2)
    );
    let paging = with_cookie(2, 2, &cookie(&one));
    let two =
        answer(&bench, "accounts", &query(&paging, "<order attribute='name' descending='true'/>")).await;
    assert_eq!(
        (listed(&two, "address1_city"), two.get(MORE)),
        (vec!["Redmond".to_owned(), "Redmond".to_owned()], None)
    );
    let sorted = answer(
        &bench,
        "accounts",
        &query("count='1' page='4'", "<order entityname='p' attribute='lastname'/>"),
    )
    .await;
    assert_eq!((listed(&sorted, "address1_city"), sorted.get(COOKIE)), (vec!["Redmond".to_owned()], None));
    let apart = answer(&bench, "accounts", &query("distinct='true'", "")).await;
    let mut cities = listed(&apart, "address1_city");
    cities.sort();
    assert_eq!(cities, ["", "Dallas", "Redmond"]);
    assert!(
        apart["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row.get("accountid").is_none() && row.get("@odata.etag").is_none())
    );
}

#[tokio::test]
async fn choices_and_lookups_are_ordered_as_they_are_read() {
    let bench = related().await;
    let by = |fetch: &str, order: &str| {
        format!("<fetch {fetch}><entity name='contact'><attribute name='lastname'/>{order}</entity></fetch>")
    };
    let labels =
        answer(&bench, "contacts", &by("", "<order attribute='gendercode' descending='true'/>")).await;
    assert_eq!(listed(&labels, "lastname"), ["Bert", "Anna", "Carl"], "Male, Female, none");
    let values = answer(
        &bench,
        "contacts",
        &by("useraworderby='true'", "<order attribute='gendercode' descending='true'/>"),
    )
    .await;
    assert_eq!(listed(&values, "lastname"), ["Anna", "Bert", "Carl"]);
}

#[tokio::test]
async fn aggregates_are_worked_out_of_rows_and_by_groups() {
    let bench = related().await;
    let all = answer(
        &bench,
        "accounts",
        "<fetch aggregate='true'><entity name='account'>
           <attribute name='numberofemployees' alias='average' aggregate='avg'/><attribute name='accountid' alias='n' aggregate='count'/>
           <attribute name='numberofemployees' alias='column' aggregate='countcolumn'/><attribute name='numberofemployees' alias='apart' aggregate='countcolumn' distinct='true'/>
           <attribute name='numberofemployees' alias='most' aggregate='max'/><attribute name='numberofemployees' alias='least' aggregate='min'/>
           <attribute name='revenue' alias='total' aggregate='sum'/></entity></fetch>",
    )
    .await;
    let [row] = all["value"].as_array().unwrap().as_slice() else { panic!("{all}") };
    for (name, value) in [
        ("average", json!(3_233)),
        ("n", json!(4)),
        ("column", json!(3)),
        ("apart", json!(2)),
        ("most", json!(3_900)),
        ("least", json!(2_900)),
        ("total", json!(400.0)),
    ] {
        assert_eq!(row[name], value, "{name}: {row}");
    }
    assert_eq!(
        (&row[format!("total@{FORMATTED}")], &row[format!("total@{ATTRIBUTE}")]),
        (&json!("$400.00"), &json!("revenue"))
    );
    assert_eq!(row[format!("average@{FORMATTED}")], "3,233");
    assert!(row.get("@odata.etag").is_none() && row.get("accountid").is_none());

    let grouped = |order: &str| {
        format!(
            "<fetch aggregate='true'><entity name='account'><attribute name='numberofemployees' alias='Total' aggregate='sum'/><attribute name='name' alias='Count' aggregate='count'/><attribute name='address1_city' alias='City' groupby='true'/>{order}</entity></fetch>"
        )
    };
    let cities = answer(&bench, "accounts", &grouped("<order alias='City'/>")).await;
    assert_eq!(listed(&cities, "City"), ["", "Dallas", "Redmond"]);
    assert_eq!(
        cities["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["Total"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [0, 3_900, 5_800]
    );
    let most = answer(
        &bench,
        "accounts",
        &grouped("<order alias='Total' descending='true'/>").replace("<fetch ", "<fetch top='1' "),
    )
    .await;
    assert_eq!(listed(&most, "City"), ["Redmond"]);

    let years = answer(&bench, "accounts", "<fetch aggregate='true'><entity name='account'><attribute name='accountid' alias='n' aggregate='count'/><attribute name='createdon' alias='y' groupby='true' dategrouping='year'/><attribute name='createdon' alias='q' groupby='true' dategrouping='quarter'/></entity></fetch>").await;
    assert_eq!(
        (&years["value"][0]["y"], &years["value"][0]["q"], &years["value"][1]["n"]),
        (&json!(2023), &json!(1), &json!(2))
    );
    let joined = answer(&bench, "accounts", "<fetch aggregate='true'><entity name='account'><attribute name='name' alias='account' groupby='true'/><link-entity name='contact' from='parentcustomerid' to='accountid' alias='c'><attribute name='contactid' alias='n' aggregate='count'/></link-entity></entity></fetch>").await;
    assert_eq!(
        (joined["value"].as_array().unwrap().len(), &joined["value"][0]["n"], &joined["value"][0]["account"]),
        (1, &json!(2), &json!("Adatum"))
    );
}

#[tokio::test]
async fn an_aggregate_that_does_not_fit_is_refused_in_the_products_words() {
    let bench = related().await;
    for (xml, code, text) in [
        (
            "<attribute name='name' aggregate='count'/>",
            "0x8004110b",
            "An alias must be specified for every attribute in an aggregate query. NodeXml: <attribute name='name' aggregate='count'/>",
        ),
        (
            "<attribute name='name' alias='n'/>",
            "0x80041107",
            "An attribute can not be requested when an aggregate operation has been specified and its neither groupby nor aggregate.  NodeXml : <attribute name='name' alias='n'/>",
        ),
        (
            "<attribute name='name' alias='n' aggregate='sum'/>",
            "0x80040203",
            "The aggregate function sum isn't allowed for attribute 'name'.",
        ),
        (
            "<attribute name='name' alias='n' aggregate='count'/><order alias='x'/>",
            "0x8004110a",
            "Link entity with name or alias x is not found",
        ),
    ] {
        let seen = ask(
            &bench,
            "accounts",
            &format!("<fetch aggregate='true'><entity name='account'>{xml}</entity></fetch>"),
            "",
        )
        .await;
        assert_eq!((seen.refusal(), seen.message()), ((400, code.to_owned()), text.to_owned()), "{xml}");
    }
    let count =
        "<entity name='account'><attribute name='name' alias='n' aggregate='count'/></entity></fetch>";
    let seen =
        ask(&bench, "accounts", &format!("<fetch aggregate='true' aggregatelimit='3'>{count}"), "").await;
    assert_eq!(
        (seen.refusal().1.as_str(), seen.message().as_str()),
        ("0x8004e023", "The maximum record limit is exceeded. Reduce the number of records.")
    );
    assert_eq!(
        ask(&bench, "accounts", &format!("<fetch aggregate='true' aggregatelimit='4'>{count}"), "")
            .await
            .json()["value"][0]["n"],
        4
    );
}

#[tokio::test]
async fn the_view_of_active_accounts_is_there_and_answers_as_captured() {
    let bench = Bench::new().await;
    sample(&bench).await;
    let list = bench
        .get(&format!("{ROOT}savedqueries?$select=name,savedqueryid&$filter=name%20eq%20'Active%20Accounts'"))
        .await
        .json();
    assert_eq!(list["value"][0]["savedqueryid"], "00000000-0000-0000-00aa-000010001002");
    let target = format!("{ROOT}accounts?savedQuery=00000000-0000-0000-00aa-000010001002");
    let prefer = [("prefer", "odata.maxpagesize=3; odata.include-annotations=\"*\"")];
    let found = bench.call_with(Method::GET, &target, None, &[ALL]).await.json();
    assert_eq!(
        found["@odata.context"],
        format!(
            "https://{HOST}{ROOT}$metadata#accounts(name,_primarycontactid_value,primarycontactid,accountid,address1_city,telephone1,primarycontactid())"
        )
    );
    assert_eq!(
        found["@accountprimarycontactidcontactcontactid.OData.Community.Display.V1.CurrentEntityField"],
        "primarycontactid"
    );
    let [row] = found["value"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(
        (&row["name"], &row[format!("_primarycontactid_value@{FORMATTED}")]),
        (&json!("Contoso, Ltd. (sample)"), &json!("Yvonne McKay (sample)"))
    );
    assert_eq!((row.get("address1_city"), row.get("telephone1")), (None, None));
    assert_eq!(bench.call_with(Method::GET, &target, None, &prefer).await.status().as_u16(), 200);
    let contacts =
        bench.get(&format!("{ROOT}contacts?savedQuery=00000000-0000-0000-00aa-000010001004")).await.json();
    assert_eq!(contacts["value"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn the_pages_of_a_view_are_led_through_by_links() {
    let rows: serde_json::Map<String, Value> =
        (0..7).map(|n| (format!("r{n}"), json!({ "name": format!("N{n}") }))).collect();
    let bench = bench_of(&[("accounts", Value::Object(rows))]).await;
    let (mut next, mut names) =
        (format!("{ROOT}accounts?savedQuery=00000000-0000-0000-00aa-000010001002"), Vec::new());
    loop {
        let page = bench.call_with(Method::GET, &next, None, &[("prefer", "odata.maxpagesize=3")]).await;
        assert_eq!(page.header("preference-applied"), Some("odata.maxpagesize=3"));
        let page = page.json();
        names.extend(listed(&page, "name"));
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        next = link.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
    }
    assert_eq!(names, ["N0", "N1", "N2", "N3", "N4", "N5", "N6"]);
}

#[tokio::test]
async fn a_user_query_is_made_asked_and_gone() {
    let bench = Bench::new().await;
    let account = sample(&bench).await;
    let fetchxml = "<fetch mapping='logical' output-format='xml-platform' version='1.0' distinct='false'>
        <entity name ='contact'><attribute name ='fullname' /><attribute name ='contactid' /><attribute name ='jobtitle' /><attribute name ='annualincome' />
        <order descending ='false' attribute='fullname' /><filter type ='and'><condition value ='%(sample)%' attribute='fullname' operator='like' />
        <condition value ='%Manager%' attribute='jobtitle' operator='like' /><condition value ='55000' attribute='annualincome' operator='gt' /></filter></entity></fetch>";
    let body = json!({ "name": "My User Query", "description": "User query to display contact info.", "querytype": 0, "returnedtypecode": "contact", "fetchxml": fetchxml });
    let made = bench.call(Method::POST, &format!("{ROOT}userqueries"), Some(&body.to_string())).await;
    assert_eq!(made.status().as_u16(), 204, "{:?}", made.refusal());
    let id = made.header("odata-entityid").unwrap();
    let id = id[id.len() - 37..id.len() - 1].to_owned();
    let found = bench.get(&format!("{ROOT}contacts?userQuery={id}")).await.json();
    assert_eq!(listed(&found, "fullname"), ["Jim Glynn (sample)", "Nancy Anderson (sample)"]);
    assert_eq!(
        found["@odata.context"],
        format!(
            "https://{HOST}{ROOT}$metadata#contacts(fullname,contactid,jobtitle,annualincome,_transactioncurrencyid_value,transactioncurrencyid,transactioncurrencyid())"
        )
    );
    let below = bench
        .get(&format!("{ROOT}accounts({account})/contact_customer_accounts?userQuery={id}"))
        .await
        .json();
    assert_eq!(listed(&below, "fullname").len(), 2, "a query may be asked of the rows below another");
    let wrong = bench.get(&format!("{ROOT}accounts?userQuery={id}")).await;
    assert_eq!(wrong.refusal(), (400, "0x80060888".to_owned()));
    assert_eq!(
        bench.call(Method::DELETE, &format!("{ROOT}userqueries({id})"), None).await.status().as_u16(),
        204
    );
    for (option, table) in [("userQuery", "userquery"), ("savedQuery", "savedquery")] {
        let gone = bench.get(&format!("{ROOT}contacts?{option}={id}")).await;
        assert_eq!(gone.refusal(), (404, "0x80040217".to_owned()));
        assert_eq!(gone.message(), format!("Entity '{table}' With Id = {id} Does Not Exist"));
    }
    assert_eq!(bench.get(&format!("{ROOT}contacts?savedQuery=x")).await.refusal().0, 400);
}

#[tokio::test]
async fn a_basic_user_finds_only_its_own_rows_in_every_table() {
    let rows = |set: &str, mine: Value, theirs: Value| {
        Edit::add(organization(&["records", set]), json!({ "mine": mine, "theirs": theirs }))
    };
    let roles = Edit::replace(
        organization(&["application_users", CLIENT]).join("roles"),
        json!(["Basic User", "Views"]),
    );
    // the role of real organisations holds it too
    let views = Edit::add(
        organization(&["roles", "Views"]),
        json!({ "id": "c0117050-0000-4000-8000-0000000d2009", "privileges": ["prvReadUserQuery:Basic"] }),
    );
    let contact =
        |id: &str, owner: &str| json!({ "contactid": id, "lastname": owner, "_ownerid_value": owner });
    let view = |id: &str, owner: &str| json!({ "userqueryid": id, "name": "all", "returnedtypecode": "contact", "fetchxml": "<fetch><entity name='contact'><attribute name='lastname'/></entity></fetch>", "_ownerid_value": owner });
    let account = |name: &str, owner: &str, contact: &str| json!({ "name": name, "_ownerid_value": owner, "_primarycontactid_value": contact });
    let bench = Bench::edited(&[
        views,
        roles,
        rows("contacts", contact(ANNA, USER), contact(BERT, OTHER)),
        rows("accounts", account("mine", USER, BERT), account("theirs", OTHER, ANNA)),
        rows("userqueries", view(QUERY_OF_MINE, USER), view(QUERY_OF_THEIRS, OTHER)),
    ])
    .await;
    let query = |link: &str| {
        format!(
            "<fetch><entity name='account'><attribute name='name'/><link-entity name='contact' from='contactid' to='primarycontactid' link-type='{link}' alias='p'><attribute name='lastname'/></link-entity></entity></fetch>"
        )
    };
    let outer = answer(&bench, "accounts", &query("outer")).await;
    assert_eq!(
        (listed(&outer, "name"), listed(&outer, "p.lastname")),
        (vec!["mine".to_owned()], vec![String::new()])
    );
    assert_eq!(answer(&bench, "accounts", &query("inner")).await["value"], json!([]));
    let count = "<fetch aggregate='true'><entity name='account'><attribute name='name' alias='n' aggregate='count'/></entity></fetch>";
    assert_eq!(answer(&bench, "accounts", count).await["value"][0]["n"], 1);
    let mine = bench.get(&format!("{ROOT}contacts?userQuery={QUERY_OF_MINE}")).await;
    assert_eq!(listed(&mine.json(), "lastname"), [USER], "{}", mine.message());
    let theirs = bench.get(&format!("{ROOT}contacts?userQuery={QUERY_OF_THEIRS}")).await;
    assert_eq!(theirs.refusal(), (403, "0x80040220".to_owned()));
    assert_eq!(bench.failed_checks(), ["row-in-reach"]);
}

#[tokio::test]
async fn every_table_of_a_query_asks_for_its_privilege() {
    let roles = Edit::replace(
        organization(&["application_users", CLIENT]).join("roles"),
        json!(["Environment Maker"]),
    );
    let bench = Bench::edited(&[roles]).await;
    let query = "<fetch><entity name='systemuser'><attribute name='fullname'/><link-entity name='account' from='ownerid' to='systemuserid'/></entity></fetch>";
    let seen = ask(&bench, "systemusers", query, "").await;
    assert_eq!(seen.refusal(), (403, "0x80040220".to_owned()));
    assert!(seen.message().contains("prvReadAccount"), "{}", seen.message());
}

#[tokio::test]
async fn a_join_that_is_too_large_is_given_up_in_the_products_words() {
    let contacts: serde_json::Map<String, Value> =
        (0..800).map(|n| (format!("c{n}"), json!({ "lastname": "x", "jobtitle": "same" }))).collect();
    let bench = bench_of(&[("contacts", Value::Object(contacts))]).await;
    let query = "<fetch aggregate='true'><entity name='contact'><attribute name='lastname' alias='n' aggregate='count'/><link-entity name='contact' from='jobtitle' to='jobtitle' alias='o'/></entity></fetch>";
    let seen = ask(&bench, "contacts", query, "").await;
    assert!(seen.refusal().1 == "0x8004e023", "{:?}", seen.refusal());
    let query = "<fetch count='1' returntotalrecordcount='true'><entity name='contact'><link-entity name='contact' from='jobtitle' to='jobtitle' alias='o'/></entity></fetch>";
    let seen = ask(&bench, "contacts", query, "").await;
    let told = "The maximum record limit is exceeded. Reduce the number of records.".to_owned();
    assert_eq!((seen.refusal(), seen.message()), ((400, "0x8004e023".to_owned()), told));
    assert!(bench.lab.journal().last_refusal().unwrap().fact("given-up").is_some());
}

#[tokio::test]
async fn a_page_that_is_too_large_ends_early_and_its_cookie_leads_through_every_row_once() {
    let text = "x".repeat(150_000);
    let rows: serde_json::Map<String, Value> = (0..100)
        .map(|n| (format!("r{n}"), json!({ "accountnumber": format!("N{n:03}"), "name": text })))
        .collect();
    let bench = bench_of(&[("accounts", Value::Object(rows))]).await;
    for link in ["", "<link-entity name='contact' from='contactid' to='primarycontactid' link-type='outer'/>"]
    {
        let query = |paging: &str| {
            format!(
                "<fetch {paging}><entity name='account'><attribute name='accountnumber'/><attribute name='name'/><order attribute='accountnumber'/>{link}</entity></fetch>"
            )
        };
        let (mut paging, mut numbers, mut page) = ("count='80'".to_owned(), Vec::new(), 1);
        loop {
            let found = answer(&bench, "accounts", &query(&paging)).await;
            numbers.extend(listed(&found, "accountnumber"));
            if found.get(MORE).is_none() {
                break;
            }
            page += 1;
            paging = with_cookie(page, 80, &cookie(&found));
        }
        assert_eq!(numbers, (0..100).map(|n| format!("N{n:03}")).collect::<Vec<_>>(), "{link}");
        assert!(page > 2, "{page} pages");
    }
}

#[tokio::test]
async fn a_blank_may_stand_before_the_time_of_a_day_and_what_no_clock_shows_is_no_moment() {
    let bench = related().await;
    let query = |moment: &str| {
        let filter =
            format!("<filter><condition attribute='createdon' operator='gt' value='{moment}'/></filter>");
        format!(
            "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>{filter}</entity></fetch>"
        )
    };
    for moment in ["2024-08-26 23:59:59", "2024-08-26 23:59:59Z", "2024-08-26T23:59:59"] {
        assert_eq!(
            listed(&answer(&bench, "accounts", &query(moment)).await, "name"),
            ["Coho", "Dust"],
            "{moment}"
        );
    }
    for moment in ["2024-08-26T23:59:59+15:00", "9999-12-31T23:59:59-12:00", "0000-01-01T00:00:00Z"] {
        let seen = ask(&bench, "accounts", &query(moment), "").await;
        assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "{moment}");
    }
}

#[tokio::test]
async fn no_two_values_of_a_row_and_no_two_joined_tables_have_one_name() {
    let bench = related().await;
    let link = |alias: &str, inner: &str| {
        format!(
            "<link-entity name='contact' from='contactid' to='primarycontactid' alias='{alias}'>{inner}</link-entity>"
        )
    };
    let last = "<attribute name='lastname'/>";
    let both = "<attribute name='name' aggregate='min' alias='a'/><attribute name='name' aggregate='max' alias='a'/>";
    for (aggregate, inner, alias) in [
        ("", link("c", last) + &link("c", last), "c"),
        ("", link("c", "") + &link("c", ""), "c"),
        ("", link("c", &link("c", "").replace("primarycontactid", "contactid")), "c"),
        ("", "<attribute name='name' alias='accountid'/>".to_owned(), "accountid"),
        ("", "<attribute name='name'/><attribute name='accountnumber' alias='name'/>".to_owned(), "name"),
        ("", "<attribute name='name' alias='c.lastname'/>".to_owned() + &link("c", last), "c.lastname"),
        ("", "<all-attributes/><attribute name='name' alias='fax'/>".to_owned(), "fax"),
        ("aggregate='true'", both.to_owned(), "a"),
    ] {
        let xml = format!("<fetch {aggregate}><entity name='account'>{inner}</entity></fetch>");
        let seen = ask(&bench, "accounts", &xml, "").await;
        assert_eq!(seen.refusal(), (400, "0x80041130".to_owned()), "{xml}");
        let text = "is not a unique alias. It clashes with an autogenerated alias or user provided alias";
        assert_eq!(seen.message(), format!("{alias} {text}"), "{xml}");
    }
    // one column twice is one, and a link may be called as the table of the entity is
    let once = format!("<attribute name='name'/><attribute name='name'/>{}", link("account", last));
    let found =
        answer(&bench, "accounts", &format!("<fetch><entity name='account'>{once}</entity></fetch>")).await;
    assert_eq!(listed(&found, "account.lastname"), ["Anna"]);
}
