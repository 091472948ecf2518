//! QuickStart, Parallel operations, Blazor and BasicOperations: rows made, read, changed, joined, taken apart and deleted.

use std::sync::Arc;

use super::{Client, FORMATTED, LOGICAL_NAME, NAVIGATION, columns, context, id, members, rows, texts};
use crate::support::{HOST, USER};
use http::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn quick_start_learns_who_it_is() {
    let client = Client::new().await;
    let seen = client.get("WhoAmI").await;
    assert_eq!((seen.status().as_u16(), &seen.json()["UserId"]), (200, &json!(USER)));
}

#[tokio::test]
async fn parallel_operations_make_a_hundred_accounts_and_delete_them() {
    let client = Arc::new(Client::new().await);
    let before = rows(&client.get("accounts?$select=name").await.json()).len();
    // the constructor reads it as a number: without it every sample ends there
    let hint: usize = client.get("WhoAmI").await.header("x-ms-dop-hint").unwrap().parse().unwrap();
    assert!(hint > 0);
    let mut made = tokio::task::JoinSet::new();
    for number in 0..100 {
        let client = Arc::clone(&client);
        made.spawn(
            async move { client.create("accounts", json!({ "name": format!("Account {number}") })).await },
        );
    }
    let mut made = made.join_all().await;
    assert_eq!(rows(&client.get("accounts?$select=name").await.json()).len(), before + 100);
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 100, "every row has an id of its own");
    let mut gone = tokio::task::JoinSet::new();
    for row in made {
        let client = Arc::clone(&client);
        gone.spawn(async move { client.delete(&row).await });
    }
    gone.join_all().await;
    assert_eq!(rows(&client.get("accounts?$select=name").await.json()).len(), before);
}

#[tokio::test]
async fn the_samples_that_list_accounts_get_their_names_and_their_contacts() {
    let client = Client::new().await;
    let contact = json!({ "firstname": "Ida", "lastname": "Berg", "emailaddress1": "ida@fabrikam.example" });
    let body = json!({ "name": "Fabrikam", "telephone1": "555-0100", "address1_city": "Bergen", "primarycontactid": contact });
    client.create("accounts", body).await;
    // SingleTenantS2S
    let seen = client.get("accounts?$select=name&$top=3").await.json();
    assert!(rows(&seen).len() <= 3 && texts(rows(&seen), "name").contains(&"Fabrikam"), "{seen}");
    // Blazor, from a browser
    let path = "/api/data/v9.1/accounts?$select=name,telephone1,address1_city&$expand=primarycontactid($select=fullname,emailaddress1)";
    let seen = client.read(path, &[("origin", "https://localhost:5001")]).await;
    assert_eq!(seen.header("access-control-allow-origin"), Some("*"));
    let seen = seen.json();
    let row = rows(&seen).iter().find(|row| row["name"] == "Fabrikam").unwrap();
    assert_eq!((&row["telephone1"], &row["address1_city"]), (&json!("555-0100"), &json!("Bergen")));
    let contact = &row["primarycontactid"];
    assert_eq!(
        (&contact["fullname"], &contact["emailaddress1"]),
        (&json!("Ida Berg"), &json!("ida@fabrikam.example"))
    );
}

#[tokio::test]
async fn the_samples_in_powershell_and_javascript_ask_the_same_in_their_own_ways() {
    let client = Client::new().await;
    let contact = client.create("contacts", json!({ "firstname": "Ida", "lastname": "Berg" })).await;
    // PowerShell: no charset, a slash before the address, preferences in one header without a blank
    let json = ("content-type", "application/json");
    let body = json!({ "name": "Fabrikam", "primarycontactid@odata.bind": format!("/{contact}") });
    let prefer = ("Prefer", "odata.include-annotations=\"*\",return=representation");
    let path = "accounts?$select=name&$expand=primarycontactid($select=fullname)";
    let seen = client.send(Method::POST, path, Some(&body), &[json, prefer]).await;
    assert_eq!(
        (seen.status().as_u16(), &seen.json()["primarycontactid"]["fullname"]),
        (201, &json!("Ida Berg"))
    );
    // JavaScript: a content type without a body, a page's size with everything, two slashes in an address
    let account = format!("accounts({})", seen.json()["accountid"].as_str().unwrap());
    let body = json!({ "@odata.id": format!("https://{HOST}/api/data/v9.2//{contact}") });
    client.done(Method::POST, &format!("{account}/contact_customer_accounts/$ref"), Some(&body), &[]).await;
    let headers = [json, ("Prefer", "odata.maxpagesize=100"), ("origin", "http://localhost:1234")];
    let seen = client.read(&format!("{account}/contact_customer_accounts?$select=fullname"), &headers).await;
    let exposed = seen.header("access-control-expose-headers").unwrap();
    assert!(exposed.split(',').any(|name| name == "OData-EntityId"), "{exposed}");
    let seen = seen.json();
    let set = seen["@odata.context"].as_str().unwrap().split_once('#').unwrap().1;
    assert_eq!((set, texts(rows(&seen), "fullname")), ("contacts(fullname)", vec!["Ida Berg"]));
}

#[tokio::test]
async fn basic_operations_run_to_their_end() {
    let client = Client::new().await;
    let first = section_1(&client).await;
    let account = section_2(&client, &first).await;
    let (second_account, second) = section_3(&client).await;
    section_4(&client, &account, &second).await;
    role(&client).await;
    delete(&client, &first, &account, &second_account, &second).await;
}

/// A contact: made, changed, read, and one of its columns alone.
async fn section_1(client: &Client) -> String {
    let contact = client.create("contacts", json!({ "firstname": "Ragna", "lastname": "Holm" })).await;
    client.update(&contact, json!({ "annualincome": 80_000, "jobtitle": "Junior Developer" })).await;

    let seen =
        client.annotated(&format!("{contact}?$select=fullname,annualincome,jobtitle,description")).await;
    assert_eq!(
        seen["@odata.context"],
        context("contacts(fullname,annualincome,jobtitle,description)/$entity")
    );
    assert!(seen["@odata.etag"].as_str().unwrap().starts_with("W/\""), "{seen}");
    assert_eq!((&seen["fullname"], &seen["jobtitle"]), (&json!("Ragna Holm"), &json!("Junior Developer")));
    assert_eq!((&seen["annualincome"], &seen["description"]), (&json!(80_000.0), &Value::Null));
    assert_eq!(seen[format!("annualincome@{FORMATTED}")], "$80,000.00");
    // money brings its currency
    assert!(seen["_transactioncurrencyid_value"].is_string(), "{seen}");
    assert_eq!(seen[format!("_transactioncurrencyid_value@{FORMATTED}")], "US Dollar");
    assert_eq!(seen[format!("_transactioncurrencyid_value@{NAVIGATION}")], "transactioncurrencyid");
    assert_eq!(seen[format!("_transactioncurrencyid_value@{LOGICAL_NAME}")], "transactioncurrency");
    assert_eq!(seen["contactid"], id(&contact));
    assert_eq!(columns(&seen)[..4], ["fullname", "annualincome", "jobtitle", "description"]);
    assert_eq!(columns(&seen).len(), 6, "{seen}");
    let text = client.get(&format!("{contact}?$select=annualincome")).await.response.body;
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(text.contains("\"annualincome\":80000.0000,"), "{text}");

    let body = json!({ "annualincome": 95_000, "jobtitle": "Senior Developer", "description": "Assignment to be decided" });
    client.update(&contact, body).await;
    let seen =
        client.annotated(&format!("{contact}?$select=fullname,annualincome,jobtitle,description")).await;
    assert_eq!(seen[format!("annualincome@{FORMATTED}")], "$95,000.00");
    assert_eq!(
        (&seen["jobtitle"], &seen["description"]),
        (&json!("Senior Developer"), &json!("Assignment to be decided"))
    );

    let column = format!("{contact}/telephone1");
    client.done(Method::PUT, &column, Some(&json!({ "value": "555-0105" })), &[]).await;
    let seen = client.get(&column).await.json();
    let wanted = json!({ "@odata.context": context(&column), "value": "555-0105" });
    assert_eq!(seen, wanted);
    // a value by another name would empty the column without a word
    for body in
        [json!({ "telephone1": "555-0106" }), json!({}), json!({ "value": "555-0106", "telephone1": "x" })]
    {
        let seen = client.send(Method::PUT, &column, Some(&body), &[]).await;
        assert_eq!(seen.refusal(), (400, "0x80048d19".to_owned()), "{body}");
        assert_eq!(client.get(&column).await.json()["value"], "555-0105");
    }
    contact
}

/// An account with the contact as its primary one, which comes with it.
async fn section_2(client: &Client, contact: &str) -> String {
    let body =
        json!({ "name": "Holm Supplies", "telephone1": "555-5555", "primarycontactid@odata.bind": contact });
    let account = client.create("accounts", body).await;
    // the comma behind the last column is the sample's own
    let query = "$select=name,&$expand=primarycontactid($select=fullname,jobtitle,annualincome)";
    let seen = client.annotated(&format!("{account}?{query}")).await;
    assert_eq!(
        seen["@odata.context"],
        context("accounts(name,primarycontactid(fullname,jobtitle,annualincome))/$entity")
    );
    assert_eq!((&seen["name"], &seen["accountid"]), (&json!("Holm Supplies"), &json!(id(&account))));
    let primary = &seen["primarycontactid"];
    assert!(primary["@odata.etag"].is_string(), "{seen}");
    assert_eq!(
        (&primary["fullname"], &primary["jobtitle"], &primary["annualincome"]),
        (&json!("Ragna Holm"), &json!("Senior Developer"), &json!(95_000.0))
    );
    assert_eq!(primary[format!("annualincome@{FORMATTED}")], "$95,000.00");
    assert_eq!(primary["contactid"], id(contact));
    account
}

/// An account, its contact and the contact's tasks, made together: the account's address and the contact's.
async fn section_3(client: &Client) -> (String, String) {
    let task = |subject: &str, description: &str, day: u8| {
        json!({
            "subject": subject, "description": description, "scheduleddurationminutes": 60,
            "scheduledstart": format!("2023-04-{day}T03:00:00+07:00"), "scheduledend": format!("2023-04-{day}T04:00:00+07:00"),
        })
    };
    let contact = json!({
        "firstname": "Sven", "lastname": "Aune", "jobtitle": "Marketing Lead", "annualincome": 45_000,
        "Contact_Tasks": [
            task("Sign invoice", "Invoice 12321", 19),
            task("Setup new display", "Theme is - Spring is in the air", 20),
            task("Conduct training", "Train team on making our new blended coffee", 21),
        ],
    });
    let body = json!({ "name": "Aune House", "telephone1": "555-5555", "primarycontactid": contact });
    let account = client.create("accounts", body).await;

    let seen = client
        .get(&format!("{account}?$select=name&$expand=primarycontactid($select=fullname)"))
        .await
        .json();
    let contact = format!("contacts({})", seen["primarycontactid"]["contactid"].as_str().unwrap());
    assert_eq!(seen["primarycontactid"]["fullname"], "Sven Aune");

    let query = "$select=fullname,jobtitle&$expand=Contact_Tasks($select=subject,description,scheduledstart,scheduledend)";
    let seen = client.annotated(&format!("{contact}?{query}")).await;
    assert_eq!(
        seen["@odata.context"],
        context(
            "contacts(fullname,jobtitle,Contact_Tasks(subject,description,scheduledstart,scheduledend))/$entity"
        )
    );
    let tasks = seen["Contact_Tasks"].as_array().unwrap();
    assert_eq!(
        texts(tasks, "subject"),
        ["Sign invoice", "Setup new display", "Conduct training"],
        "as they were given"
    );
    assert_eq!(
        tasks[0][format!("scheduledstart@{FORMATTED}")],
        "4/18/2023 1:00 PM",
        "in the user's zone, as captured"
    );
    assert_eq!(tasks[0][format!("scheduledend@{FORMATTED}")], "4/18/2023 2:00 PM");
    let times = ("2023-04-18T20:00:00Z", "2023-04-18T21:00:00Z");
    assert_eq!((&tasks[0]["scheduledstart"], &tasks[0]["scheduledend"]), (&json!(times.0), &json!(times.1)));
    for task in tasks {
        assert!(task["activityid"].is_string() && task["@odata.etag"].is_string(), "{task}");
        assert_eq!(columns(task)[..4], ["subject", "description", "scheduledstart", "scheduledend"]);
    }
    (account, contact)
}

/// A contact that is joined to an account, listed there and taken away.
async fn section_4(client: &Client, account: &str, contact: &str) {
    let body = json!({ "@odata.id": format!("https://{HOST}{}{contact}", super::ROOT) });
    client.done(Method::POST, &format!("{account}/contact_customer_accounts/$ref"), Some(&body), &[]).await;
    let list = format!("{account}/contact_customer_accounts?$select=fullname,jobtitle");
    let seen = client.get(&list).await.json();
    assert_eq!(seen["@odata.context"], context("contacts(fullname,jobtitle)"));
    let [row] = rows(&seen).as_slice() else { panic!("{seen}") };
    assert_eq!((&row["fullname"], &row["jobtitle"]), (&json!("Sven Aune"), &json!("Marketing Lead")));
    assert_eq!((&row["contactid"], members(row).len()), (&json!(id(contact)), 4), "{row}");

    let link = format!("{account}/contact_customer_accounts({})/$ref", id(contact));
    client.done(Method::DELETE, &link, None, &[]).await;
    assert!(rows(&client.get(&list).await.json()).is_empty());
    assert!(!client.is_gone(contact).await, "only the link is gone");
}

/// A role that is given to the caller and taken away.
async fn role(client: &Client) {
    let me = client.get("WhoAmI").await.json();
    let unit = format!("businessunits({})", me["BusinessUnitId"].as_str().unwrap());
    let role =
        client.create("roles", json!({ "name": "Test role", "businessunitid@odata.bind": unit })).await;
    let roles = format!("systemusers({})/systemuserroles_association", me["UserId"].as_str().unwrap());
    let body = json!({ "@odata.id": format!("https://{HOST}{}{role}", super::ROOT) });
    client.done(Method::POST, &format!("{roles}/$ref"), Some(&body), &[]).await;
    let query = format!("{roles}?$select=name&$filter=roleid eq {}", id(&role));
    let seen = client.get(&query).await.json();
    let [row] = rows(&seen).as_slice() else { panic!("{seen}") };
    assert_eq!((&row["name"], &row["roleid"]), (&json!("Test role"), &json!(id(&role))));
    client.done(Method::DELETE, &format!("{roles}({})/$ref", id(&role)), None, &[]).await;
    assert!(rows(&client.get(&query).await.json()).is_empty());
    client.delete(&role).await;
    assert!(client.is_gone(&role).await);
}

/// Contacts that still are some account's primary one go first: the link is removed, and their tasks go with them.
async fn delete(client: &Client, first: &str, account: &str, second_account: &str, second: &str) {
    let tasks = format!("tasks/$count?$filter=_regardingobjectid_value eq {}", id(second));
    let count = async || client.get(&tasks).await.response.body;
    assert_eq!(&*count().await, b"\xEF\xBB\xBF3");
    client.delete(first).await;
    let left = client.get(&format!("{account}?$select=_primarycontactid_value")).await.json();
    assert_eq!(left["_primarycontactid_value"], Value::Null);
    client.delete(account).await;
    client.delete(second_account).await;
    client.delete(second).await;
    assert_eq!(&*count().await, b"\xEF\xBB\xBF0");
    for row in [first, account, second_account, second] {
        assert!(client.is_gone(row).await, "{row}");
    }
}
