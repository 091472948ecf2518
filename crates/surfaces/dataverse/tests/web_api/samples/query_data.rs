//! QueryData: rows chosen, filtered, ordered, paged, expanded, aggregated, and asked for by views.

use super::{ANNOTATIONS, Client, FORMATTED, LOGICAL_NAME, columns, context, id, members, rows, texts};
use crate::support::USER;
use mocktenant_odata::percent_encode;
use serde_json::{Value, json};

const SELECT: &str = "$select=fullname,jobtitle,annualincome";
const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";

/// What the sample sets up by one deep insert.
struct Sample {
    client: Client,
    /// The account and its primary contact.
    account: String,
    primary: String,
}

impl Sample {
    async fn new() -> Self {
        let client = Client::new().await;
        let task = |subject: &str, minutes: u32| json!({ "subject": subject, "description": subject, "actualdurationminutes": minutes });
        let contact = |(first, title, income): (&str, &str, u32)| {
            json!({
                "firstname": first, "lastname": "Berg (sample)", "jobtitle": title, "annualincome": income,
                "Contact_Tasks": [task("Task one", 5), task("Task two", 10), task("Task three", 60)],
            })
        };
        let contacts = [
            ("Solveig", "Senior Purchaser", 52_000),
            ("Nils", "Activities Manager", 55_500),
            ("Maren", "Accounts Manager", 31_000),
            ("Sigurd", "Accounts Manager", 38_000),
            ("Roald", "Senior Technician", 78_000),
            ("Peder", "Ski Instructor", 68_500),
            ("Runa", "Data Analyst III", 86_000),
            ("Jon", "Senior International Sales Manager", 81_400),
        ];
        let body = json!({
            "name": "Berg & Sons (sample)",
            "Account_Tasks": [task("Task one", 5), task("Task two", 10), task("Task three", 60)],
            "primarycontactid": contact(("Yngve", "Coffee Master", 45_000)),
            "contact_customer_accounts": contacts.map(contact),
        });
        let account = client.create("accounts", body).await;
        let seen = client
            .get(&format!("{account}?$select=name&$expand=primarycontactid($select=fullname)"))
            .await
            .json();
        let primary = format!("contacts({})", seen["primarycontactid"]["contactid"].as_str().unwrap());
        Self { client, account, primary }
    }

    fn id(&self) -> &str {
        id(&self.account)
    }

    /// First names of the account's contacts that pass a filter.
    async fn found(&self, filter: &str) -> Vec<String> {
        let id = self.id();
        let seen = self
            .client
            .annotated(&format!("contacts?{SELECT}&$filter={filter}_parentcustomerid_value eq {id}"))
            .await;
        first_names(&seen)
    }
}

fn first_names(answer: &Value) -> Vec<String> {
    texts(rows(answer), "fullname").iter().map(|name| name.split(' ').next().unwrap().to_owned()).collect()
}

const ALL: [&str; 8] = ["Solveig", "Nils", "Maren", "Sigurd", "Roald", "Peder", "Runa", "Jon"];

#[tokio::test]
async fn columns_are_selected_with_and_without_annotations() {
    let sample = Sample::new().await;
    let row = format!("{}?{SELECT}", sample.primary);
    let plain = sample.client.get(&row).await.json();
    assert!(members(&plain).keys().all(|name| !name.contains('@') || name.starts_with("@odata.")), "{plain}");
    let seen = sample.client.annotated(&row).await;
    assert_eq!(seen["@odata.context"], context("contacts(fullname,jobtitle,annualincome)/$entity"));
    assert_eq!(columns(&seen)[..3], ["fullname", "jobtitle", "annualincome"]);
    assert_eq!((&seen["fullname"], &seen["annualincome"]), (&json!("Yngve Berg (sample)"), &json!(45_000.0)));
    assert_eq!(seen[format!("annualincome@{FORMATTED}")], "$45,000.00");
    assert_eq!(seen[format!("_transactioncurrencyid_value@{FORMATTED}")], "US Dollar");
    assert_eq!(seen[format!("_transactioncurrencyid_value@{LOGICAL_NAME}")], "transactioncurrency");
}

#[tokio::test]
async fn rows_are_filtered_by_functions_operators_and_parentheses() {
    let sample = Sample::new().await;
    assert_eq!(sample.found("").await, ALL, "in order of creation");
    assert_eq!(sample.found("contains(fullname,'(sample)') and ").await, ALL);
    // PowerShell's sample has no blank there, and other letter case
    assert_eq!(sample.found("contains(fullname,'(SAMPLE)')and ").await, ALL);
    assert_eq!(
        sample
            .found("Microsoft.Dynamics.CRM.LastXHours(PropertyName='createdon',PropertyValue='1') and ")
            .await,
        ALL
    );
    assert_eq!(
        sample.found("contains(fullname,'(sample)') and annualincome gt 55000 and ").await,
        ["Nils", "Roald", "Peder", "Runa", "Jon"]
    );
    assert_eq!(
        sample
            .found(
                "contains(fullname,'(sample)') and (contains(jobtitle, 'senior') or contains(jobtitle,'manager')) \
                 and annualincome gt 55000 and "
            )
            .await,
        ["Nils", "Roald", "Jon"]
    );
    assert_eq!(
        sample.found("not contains(jobtitle,'senior') and not (annualincome lt 55000 or contains(jobtitle,'ski')) and ").await,
        ["Nils", "Runa"]
    );
    let since = format!(
        "contacts?{SELECT}&$filter=Microsoft.Dynamics.CRM.LastXHours(PropertyName=@p1,PropertyValue=@p2) \
         and _parentcustomerid_value eq {}&@p1='createdon'&@p2='1'",
        sample.id()
    );
    assert_eq!(first_names(&sample.client.annotated(&since).await), ALL);
}

#[tokio::test]
async fn rows_are_ordered_and_aliases_stand_for_values_and_for_columns() {
    let sample = Sample::new().await;
    let by_title = ["Sigurd", "Maren", "Nils", "Runa", "Jon", "Solveig", "Roald", "Peder"];
    let ordered = format!(
        "contacts?{SELECT}&$filter=contains(fullname,'(sample)') and _parentcustomerid_value eq {}\
         &$orderby=jobtitle asc, annualincome desc",
        sample.id()
    );
    let seen = sample.client.annotated(&ordered).await;
    assert_eq!(first_names(&seen), by_title);
    let aliased = format!(
        "contacts?{SELECT}&$filter=contains(@p1,'(sample)') and @p2 eq @p3&$orderby=@p4 asc, @p5 desc\
         &@p1=fullname&@p2=_parentcustomerid_value&@p3={}&@p4=jobtitle&@p5=annualincome",
        sample.id()
    );
    assert_eq!(first_names(&sample.client.annotated(&aliased).await), by_title);
    // PowerShell builds its query from a list that begins with nothing
    let aliased = format!(
        "contacts?&@p1=fullname&@p3={}&{SELECT}&$filter=contains(@p1,'(sample)') and _parentcustomerid_value eq @p3",
        sample.id()
    );
    assert_eq!(first_names(&sample.client.annotated(&aliased).await), ALL);
    // one that has no value is null
    let nothing = "contacts?$select=fullname&$filter=annualincome eq @p1";
    assert!(rows(&sample.client.get(nothing).await.json()).is_empty());
}

#[tokio::test]
async fn rows_are_limited_counted_and_paged() {
    let sample = Sample::new().await;
    let filter =
        format!("$filter=contains(fullname,'(sample)') and _parentcustomerid_value eq {}", sample.id());
    let seen = sample.client.annotated(&format!("contacts?{SELECT}&{filter}&$top=5")).await;
    assert_eq!(
        (first_names(&seen), seen.get("@odata.nextLink")),
        (ALL[..5].iter().map(|name| (*name).to_owned()).collect(), None)
    );
    // as the sample in JavaScript has it, which sends the size of a page with everything
    let prefer = [("Prefer", "odata.maxpagesize=100")];
    let seen = sample.client.read(&format!("contacts?{SELECT}&{filter}&$top=5"), &prefer).await.json();
    assert_eq!(rows(&seen).len(), 5);

    let seen = sample.client.get("contacts/$count").await;
    assert_eq!(seen.header("content-type"), Some("text/plain"));
    assert_eq!(&*seen.response.body, b"\xEF\xBB\xBF9");
    let below = sample.client.get(&format!("{}/contact_customer_accounts/$count", sample.account)).await;
    assert_eq!(&*below.response.body, b"\xEF\xBB\xBF8");

    let six = format!(
        "contacts?{SELECT}&$filter=(contains(jobtitle,'senior') or contains(jobtitle,'manager')) \
         and _parentcustomerid_value eq {}&$count=true",
        sample.id()
    );
    let seen = sample.client.annotated(&six).await;
    assert_eq!(
        (&seen["@odata.count"], &seen["@Microsoft.Dynamics.CRM.totalrecordcount"]),
        (&json!(6), &json!(6))
    );
    assert_eq!(seen["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"], false);
    assert_eq!(first_names(&seen), ["Solveig", "Nils", "Maren", "Sigurd", "Roald", "Jon"]);
    pages(&sample, &six).await;
}

async fn pages(sample: &Sample, six: &str) {
    let prefer = [ANNOTATIONS, ("Prefer", "odata.maxpagesize=4")];
    let first = sample.client.read(six, &prefer).await;
    let applied = first.header("preference-applied").unwrap();
    assert!(applied.contains("odata.maxpagesize=4"), "{applied}");
    let first = first.json();
    assert_eq!((first_names(&first).len(), &first["@odata.count"]), (4, &json!(6)));
    let next = first["@odata.nextLink"].as_str().unwrap();
    assert!(
        next.contains("$skiptoken=%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22%253ccookie"),
        "{next}"
    );
    let second = sample.client.read(next, &prefer).await.json();
    assert_eq!(
        (first_names(&second), second.get("@odata.nextLink")),
        (vec!["Roald".to_owned(), "Jon".to_owned()], None)
    );
    assert_eq!(second["@odata.count"], 6);
}

#[tokio::test]
async fn related_rows_come_with_a_row() {
    let sample = Sample::new().await;
    let (client, account) = (&sample.client, &sample.account);
    let seen = client
        .annotated(&format!(
            "{account}?$select=name&$expand=primarycontactid($select=fullname,jobtitle,annualincome)"
        ))
        .await;
    assert_eq!(seen["primarycontactid"]["fullname"], "Yngve Berg (sample)");
    assert_eq!(seen["primarycontactid"][format!("annualincome@{FORMATTED}")], "$45,000.00");

    let partner = format!("{}?{SELECT}&$expand=account_primary_contact($select=name)", sample.primary);
    let seen = client.annotated(&partner).await;
    assert_eq!(
        seen["@odata.context"],
        context("contacts(fullname,jobtitle,annualincome,account_primary_contact(name))/$entity")
    );
    let [row] = seen["account_primary_contact"].as_array().unwrap().as_slice() else { panic!("{seen}") };
    assert_eq!((&row["name"], &row["accountid"]), (&json!("Berg & Sons (sample)"), &json!(sample.id())));
    assert!(row["@odata.etag"].is_string());

    let several = format!(
        "{account}?$select=name&$expand=primarycontactid({SELECT}),contact_customer_accounts({SELECT}),\
         Account_Tasks($select=subject,description)"
    );
    let seen = client.annotated(&several).await;
    assert_eq!(seen["primarycontactid"]["jobtitle"], "Coffee Master");
    let contacts = seen["contact_customer_accounts"].as_array().unwrap();
    assert_eq!((contacts.len(), texts(contacts, "jobtitle")[7]), (8, "Senior International Sales Manager"));
    assert_eq!(contacts[0][format!("annualincome@{FORMATTED}")], "$52,000.00");
    let tasks = seen["Account_Tasks"].as_array().unwrap();
    assert_eq!(texts(tasks, "subject"), ["Task one", "Task two", "Task three"]);
}

#[tokio::test]
async fn related_rows_are_followed_several_levels_deep() {
    let sample = Sample::new().await;
    let query = format!(
        "tasks?$select=subject&$filter=regardingobjectid_contact_task/_accountid_value eq {}\
         &$expand=regardingobjectid_contact_task($select=fullname;\
         $expand=parentcustomerid_account($select=name;$expand=createdby($select=fullname)))",
        sample.id()
    );
    let seen = sample.client.annotated(&query).await;
    assert_eq!(rows(&seen).len(), 24, "three of each of the eight");
    for task in rows(&seen) {
        let contact = &task["regardingobjectid_contact_task"];
        assert!(
            contact["fullname"].as_str().unwrap().ends_with("(sample)") && task["@odata.etag"].is_string(),
            "{task}"
        );
        let account = &contact["parentcustomerid_account"];
        assert_eq!(
            (&account["name"], &account["accountid"]),
            (&json!("Berg & Sons (sample)"), &json!(sample.id()))
        );
        let creator = &account["createdby"];
        assert_eq!(
            (&creator["fullname"], &creator["systemuserid"]),
            (&json!("# mocktenant sample client"), &json!(USER))
        );
        assert_eq!(creator["ownerid"], USER);
        let tagged = [contact, account, creator].map(|row| row.get("@odata.etag").is_some());
        assert_eq!(tagged, [false; 3], "{task}");
    }

    let query = format!(
        "accounts?$select=name&$filter=accountid eq {}\
         &$expand=Account_Tasks($select=subject,actualdurationminutes),\
         contact_customer_accounts($select=fullname;$expand=owninguser($select=fullname,systemuserid))",
        sample.id()
    );
    let seen = sample.client.annotated(&query).await;
    let [row] = rows(&seen).as_slice() else { panic!("{seen}") };
    let task = &row["Account_Tasks"][2];
    assert_eq!((&task["actualdurationminutes"], task.get("@odata.etag")), (&json!(60), None));
    let contacts = row["contact_customer_accounts"].as_array().unwrap();
    assert_eq!(contacts.len(), 8);
    assert!(contacts.iter().all(|contact| contact["owninguser"]["systemuserid"] == USER), "{row}");
    assert!(row.get("contact_customer_accounts@odata.nextLink").is_none(), "a page is 5,000 rows: {row}");
}

#[tokio::test]
async fn incomes_are_aggregated() {
    let sample = Sample::new().await;
    let query = "$apply=aggregate(annualincome with average as average, annualincome with sum as total, \
         annualincome with min as minimum, annualincome with max as maximum)";
    let seen =
        sample.client.annotated(&format!("{}/contact_customer_accounts?{query}", sample.account)).await;
    assert_eq!(seen["@odata.context"], context("contacts"));
    assert_eq!(seen["@Microsoft.Dynamics.CRM.totalrecordcount"], -1);
    let [row] = rows(&seen).as_slice() else { panic!("{seen}") };
    for (alias, amount, text) in [
        ("average", 61_300.0, "$61,300.00"),
        ("total", 490_400.0, "$490,400.00"),
        ("minimum", 31_000.0, "$31,000.00"),
        ("maximum", 86_000.0, "$86,000.00"),
    ] {
        assert_eq!(row[alias], amount, "{alias}: {seen}");
        assert_eq!(row[format!("{alias}@{FORMATTED}")], text, "{alias}");
        assert_eq!(row[format!("{alias}@{ATTRIBUTE}")], "annualincome", "{alias}");
    }
    // as captured: with all annotations every column of the table stands before them
    let names: Vec<&String> = row.as_object().unwrap().keys().collect();
    let first = names.iter().position(|name| name.starts_with("average@")).unwrap();
    assert!(first > 150 && names[first..].len() == 12, "{names:?}");
    assert!(names[..first].iter().all(|name| row[name.as_str()].is_null()), "{row}");
    for name in ["annualincome", "_ownerid_value", "contactid", "versionnumber", "address3_country"] {
        assert_eq!(row.get(name), Some(&Value::Null), "{name}");
    }
    let seen = sample.client.get(&format!("{}/contact_customer_accounts?{query}", sample.account)).await;
    assert_eq!(
        seen.json()["value"][0].as_object().unwrap().len(),
        4,
        "without annotations nothing but values"
    );
}

/// The sample's query of the account's contacts.
fn fetch(account: &str, paging: &str) -> String {
    let xml = format!(
        "<fetch mapping='logical' output-format='xml-platform' version='1.0' distinct='false' {paging}><entity name='contact'>\
         <attribute name='fullname' /><attribute name='jobtitle' /><attribute name='annualincome' />\
         <order descending='true' attribute='fullname' /><filter type='and'>\
         <condition value='%(sample)%' attribute='fullname' operator='like' />\
         <condition value='{account}' attribute='parentcustomerid' operator='eq' /></filter></entity></fetch>"
    );
    percent_encode(&xml, "")
}

#[tokio::test]
async fn fetch_xml_is_asked_in_a_batch_and_page_by_page() {
    let sample = Sample::new().await;
    let path = |paging: &str| format!("{}contacts?fetchXml={}", super::ROOT, fetch(sample.id(), paging));
    let requests = [format!("GET {}", path("")), format!("GET {}&$count=true", path(""))];
    let answers = sample.client.batch(&requests, 200).await;
    let names = ["Solveig", "Sigurd", "Runa", "Roald", "Peder", "Nils", "Maren", "Jon"].map(str::to_owned);
    assert_eq!(first_names(&answers[0]), names);
    assert_eq!(rows(&answers[0])[0][format!("annualincome@{FORMATTED}")], "$52,000.00");
    assert_eq!((&answers[1]["@odata.count"], rows(&answers[1]).len()), (&json!(8), 8));

    let answers =
        sample.client.batch(&[format!("GET {}&$count=true", path("count='3' page='1'"))], 200).await;
    let [page] = answers.as_slice() else { panic!() };
    assert_eq!(first_names(page), names[..3]);
    assert_eq!(page["@Microsoft.Dynamics.CRM.morerecords"], true);
    let cookie = page["@Microsoft.Dynamics.CRM.fetchxmlpagingcookie"].as_str().unwrap();
    let begin = "<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%25221%2522%253e%253cfullname%2520last%253d";
    assert!(cookie.starts_with(begin), "{cookie}");
    assert!(cookie.ends_with("\" istracking=\"False\" />"), "{cookie}");
    // as captured: the last page says nothing of more, and behind it there is nothing
    let second = sample.client.annotated(&format!("{}&$count=true", path("count='4' page='2'"))).await;
    assert_eq!((first_names(&second), &second["@odata.count"]), (names[4..].to_vec(), &json!(8)));
    assert!(
        members(&second).keys().all(|name| !name.contains("morerecords") && !name.contains("pagingcookie"))
    );
    let third = sample.client.annotated(&path("count='4' page='3'")).await;
    assert!(rows(&third).is_empty(), "{third}");
}

#[tokio::test]
async fn views_are_asked_and_the_sample_cleans_up() {
    let sample = Sample::new().await;
    let client = &sample.client;
    let seen =
        client.get("savedqueries?$select=name,savedqueryid&$filter=name eq 'Active Accounts'").await.json();
    assert_eq!(rows(&seen)[0]["savedqueryid"], "00000000-0000-0000-00aa-000010001002");
    let prefer = [("Prefer", "odata.maxpagesize=3"), ANNOTATIONS];
    let view = "accounts?savedQuery=00000000-0000-0000-00aa-000010001002";
    let seen = client.read(view, &prefer).await.json();
    let shown =
        "name,_primarycontactid_value,primarycontactid,accountid,address1_city,telephone1,primarycontactid()";
    assert_eq!(seen["@odata.context"], context(&format!("accounts({shown})")));
    let row = rows(&seen).iter().find(|row| row["accountid"] == sample.id()).unwrap();
    assert_eq!(row["name"], "Berg & Sons (sample)");
    assert_eq!(row[format!("_primarycontactid_value@{FORMATTED}")], "Yngve Berg (sample)");
    assert_eq!(row.get("address1_city"), None, "what is null is left out");

    let query = user_query(client).await;
    let seen =
        client.get(&format!("{}/contact_customer_accounts?$select=fullname", sample.account)).await.json();
    let contacts = rows(&seen).iter().map(|row| format!("contacts({})", row["contactid"].as_str().unwrap()));
    let gone: Vec<String> = contacts.chain([sample.account.clone(), sample.primary.clone(), query]).collect();
    let requests: Vec<String> = gone.iter().map(|row| format!("DELETE {}{row}", super::ROOT)).collect();
    assert_eq!(requests.len(), 11);
    client.batch(&requests, 204).await;
    for row in &gone {
        assert!(client.is_gone(row).await, "{row}");
    }
    assert_eq!(&*client.get("contacts/$count").await.response.body, b"\xEF\xBB\xBF0");
    assert_eq!(
        &*client.get("tasks/$count").await.response.body,
        b"\xEF\xBB\xBF0",
        "tasks go with what they regard"
    );
}

/// A view of one's own, which is made, found by its name and asked.
async fn user_query(client: &Client) -> String {
    let xml = "<fetch mapping='logical' output-format='xml-platform' version='1.0' distinct='false'>\n    <entity name ='contact'>
        <attribute name ='fullname' /><attribute name ='contactid' /><attribute name ='jobtitle' /><attribute name ='annualincome' />
        <order descending ='false' attribute='fullname' /><filter type ='and'>
        <condition value ='%(sample)%' attribute='fullname' operator='like' />
        <condition value ='%Manager%' attribute='jobtitle' operator='like' />
        <condition value ='55000' attribute='annualincome' operator='gt' /></filter></entity></fetch>";
    let body = json!({ "name": "My User Query", "description": "User query to display contact info.", "querytype": 0,
        "returnedtypecode": "contact", "fetchxml": xml });
    let query = client.create("userqueries", body).await;
    let seen =
        client.get("userqueries?$select=name,userqueryid,&$filter=name eq 'My User Query'").await.json();
    assert_eq!(seen["@odata.context"], context("userqueries(name,userqueryid)"));
    assert_eq!(texts(rows(&seen), "userqueryid"), [id(&query)]);
    let prefer = [("Prefer", "odata.maxpagesize=3"), ANNOTATIONS];
    let seen = client.read(&format!("contacts?userQuery={}", id(&query)), &prefer).await.json();
    let shown = "fullname,contactid,jobtitle,annualincome,_transactioncurrencyid_value,transactioncurrencyid,transactioncurrencyid()";
    assert_eq!(seen["@odata.context"], context(&format!("contacts({shown})")));
    assert_eq!(first_names(&seen), ["Jon", "Nils"]);
    assert_eq!(rows(&seen)[0][format!("annualincome@{FORMATTED}")], "$81,400.00");
    query
}
