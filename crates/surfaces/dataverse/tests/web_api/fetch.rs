//! FetchXML, saved and user queries: what each answers, how its pages go on, and what is refused in whose words.

mod more;

use crate::support::{Bench, CLIENT, HOST, NOW, Seen, USER, organization};
use http::Method;
use mocktenant_odata::percent_encode;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const ROOT: &str = "/api/data/v9.2/";
const ALL: (&str, &str) = ("prefer", "odata.include-annotations=\"*\"");
const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const ATTRIBUTE: &str = "OData.Community.Display.V1.AttributeName";
const COOKIE: &str = "@Microsoft.Dynamics.CRM.fetchxmlpagingcookie";
const MORE: &str = "@Microsoft.Dynamics.CRM.morerecords";
const OTHER: &str = "c0117050-0000-4000-8000-0000000d1002";

async fn ask(bench: &Bench, set: &str, xml: &str, more: &str) -> Seen {
    let target = format!("{ROOT}{set}?fetchXml={}{more}", percent_encode(xml, ""));
    bench.call_with(Method::GET, &target, None, &[ALL]).await
}

/// The answer to a query, which there is.
async fn answer(bench: &Bench, set: &str, xml: &str) -> Value {
    let seen = ask(bench, set, xml, "").await;
    assert_eq!(seen.status().as_u16(), 200, "{xml}: {} {}", seen.refusal().1, seen.message());
    seen.json()
}

/// A query of contacts by their names, with what stands in `entity`.
async fn names(bench: &Bench, inner: &str) -> Vec<String> {
    let xml = format!(
        "<fetch><entity name='contact'><attribute name='lastname'/><order attribute='lastname'/>{inner}</entity></fetch>"
    );
    listed(&answer(bench, "contacts", &xml).await, "lastname")
}

fn listed(answer: &Value, name: &str) -> Vec<String> {
    let rows = answer["value"].as_array().unwrap();
    rows.iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect()
}

/// An organisation with these rows, and a caller whose days are those of UTC.
async fn bench_of(sets: &[(&str, Value)]) -> Bench {
    let rows = sets.iter().map(|(set, rows)| Edit::add(organization(&["records", set]), rows.clone()));
    let zone = organization(&["application_users", CLIENT]).join("time_zone");
    let edits: Vec<Edit> = rows.chain([Edit::remove(zone)]).collect();
    Bench::edited(&edits).await
}

/// The account and the contacts of the sample, by deep insert; the account's id.
async fn sample(bench: &Bench) -> String {
    let contact = |first: &str, last: &str, title: &str, income: i64| json!({ "firstname": first, "lastname": format!("{last} (sample)"), "jobtitle": title, "annualincome": income });
    let body = json!({
        "name": "Contoso, Ltd. (sample)",
        "primarycontactid": contact("Yvonne", "McKay", "Coffee Master", 45_000),
        "contact_customer_accounts": [
            contact("Susanna", "Stubberod", "Senior Purchaser", 52_000),
            contact("Nancy", "Anderson", "Activities Manager", 55_500),
            contact("Maria", "Cambell", "Accounts Manager", 31_000),
            contact("Scott", "Konersmann", "Accounts Manager", 38_000),
            contact("Robert", "Lyon", "Senior Technician", 78_000),
            contact("Paul", "Cannon", "Ski Instructor", 68_500),
            contact("Rene", "Valdes", "Data Analyst III", 86_000),
            contact("Jim", "Glynn", "Senior International Sales Manager", 81_400),
        ],
    });
    let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body.to_string())).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?}", seen.refusal());
    let id = seen.header("odata-entityid").unwrap();
    id[id.len() - 37..id.len() - 1].to_owned()
}

/// The query of the sample, with these attributes of `fetch`.
fn sampled(account: &str, paging: &str) -> String {
    format!(
        "<fetch mapping=\"logical\" output-format=\"xml-platform\" version=\"1.0\" distinct=\"false\" {paging}>\r\n  <entity name=\"contact\">
        <attribute name=\"fullname\" /><attribute name=\"jobtitle\" /><attribute name=\"annualincome\" />
        <order descending=\"true\" attribute=\"fullname\" />
        <filter type=\"and\"><condition value=\"%(sample)%\" attribute=\"fullname\" operator=\"like\" />
        <condition value=\"{account}\" attribute=\"parentcustomerid\" operator=\"eq\" /></filter></entity></fetch>"
    )
}

const DESCENDING: [&str; 8] = ["Susanna", "Scott", "Robert", "Rene", "Paul", "Nancy", "Maria", "Jim"];

fn first_names(answer: &Value) -> Vec<String> {
    listed(answer, "fullname").iter().map(|name| name.split(' ').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_samples_query_answers_the_samples_rows_in_a_batch_too() {
    let bench = Bench::new().await;
    let account = sample(&bench).await;
    let seen = ask(&bench, "contacts", &sampled(&account, ""), "&$count=true").await;
    assert_eq!(seen.status().as_u16(), 200, "{}", seen.message());
    let found = seen.json();
    assert_eq!(
        found["@odata.context"],
        format!(
            "https://{HOST}{ROOT}$metadata#contacts(fullname,jobtitle,annualincome,_transactioncurrencyid_value,transactioncurrencyid,contactid,transactioncurrencyid())"
        )
    );
    assert_eq!(
        (&found["@odata.count"], &found["@Microsoft.Dynamics.CRM.totalrecordcount"]),
        (&json!(8), &json!(8))
    );
    assert_eq!(first_names(&found), DESCENDING);
    assert_eq!((found.get(MORE), found.get(COOKIE)), (None, None));
    let first = &found["value"][0];
    assert_eq!(first[format!("annualincome@{FORMATTED}")], "$52,000.00");
    assert_eq!(first[format!("_transactioncurrencyid_value@{FORMATTED}")], "US Dollar");
    assert!(first["@odata.etag"].is_string() && first["contactid"].is_string());

    let target =
        format!("{ROOT}contacts?fetchXml={}", percent_encode(&sampled(&account, ""), "").replace("%20", "+"));
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {target} HTTP/1.1\r\nPrefer: odata.include-annotations=\"*\"\r\n\r\n\r\n--b--\r\n"
    );
    let seen = bench
        .call_with(
            Method::POST,
            &format!("{ROOT}$batch"),
            Some(&body),
            &[("content-type", "multipart/mixed; boundary=b")],
        )
        .await;
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    assert!(text.contains("HTTP/1.1 200 OK") && text.contains("Susanna Stubberod (sample)"), "{text}");
}

/// The cookie of a page, as a client writes it into the next query.
fn cookie(page: &Value) -> String {
    let outer = page[COOKIE].as_str().unwrap();
    assert!(
        outer.starts_with("<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%2522"),
        "{outer}"
    );
    assert!(outer.ends_with("\" istracking=\"False\" />"));
    let inner = outer.split('"').nth(3).unwrap();
    let decoded = |text: &str| {
        let bytes = text.as_bytes();
        let (mut out, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            if bytes[at] == b'%' {
                out.push(u8::from_str_radix(&text[at + 1..at + 3], 16).unwrap());
                at += 3;
            } else {
                out.push(bytes[at]);
                at += 1;
            }
        }
        String::from_utf8(out).unwrap()
    };
    decoded(&decoded(inner))
}

fn with_cookie(page: u32, count: u32, cookie: &str) -> String {
    let escaped =
        cookie.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    format!("count=\"{count}\" page=\"{page}\" paging-cookie=\"{escaped}\"")
}

#[tokio::test]
async fn pages_are_counted_and_the_last_says_nothing_of_more() {
    let bench = Bench::new().await;
    let account = sample(&bench).await;
    let one = answer(&bench, "contacts", &sampled(&account, "count=\"4\" page=\"1\"")).await;
    assert_eq!(
        (first_names(&one), &one[MORE]),
        (DESCENDING[..4].iter().map(|s| (*s).to_owned()).collect(), &json!(true))
    );
    let inner = cookie(&one);
    assert!(inner.starts_with("<cookie page=\"1\"><fullname last=\"Rene Valdes (sample)\" first=\"Susanna Stubberod (sample)\" /><contactid last=\"{"), "{inner}");
    for paging in ["count=\"4\" page=\"2\"".to_owned(), with_cookie(2, 4, &inner)] {
        let two = answer(&bench, "contacts", &sampled(&account, &paging)).await;
        assert_eq!(first_names(&two), DESCENDING[4..], "{paging}");
        assert_eq!((two.get(MORE), two.get(COOKIE)), (None, None));
    }
    assert_eq!(
        first_names(&answer(&bench, "contacts", &sampled(&account, "count=\"4\" page=\"3\"")).await),
        [""; 0]
    );
    let again = answer(&bench, "contacts", &sampled(&account, &with_cookie(1, 4, &inner))).await;
    assert_eq!(first_names(&again), DESCENDING[..4], "a cookie of this page or a later one leads back");
}

#[tokio::test]
async fn a_cookie_goes_on_behind_its_row_whatever_came_and_went() {
    let bench = Bench::new().await;
    let account = sample(&bench).await;
    let one = answer(&bench, "contacts", &sampled(&account, "count=\"3\"")).await;
    let inner = cookie(&one);
    for row in one["value"].as_array().unwrap() {
        let id = row["contactid"].as_str().unwrap();
        assert_eq!(
            bench.call(Method::DELETE, &format!("{ROOT}contacts({id})"), None).await.status().as_u16(),
            204
        );
    }
    let body = json!({ "firstname": "Zoe", "lastname": "New (sample)", "parentcustomerid_account@odata.bind": format!("/accounts({account})") });
    assert_eq!(
        bench.call(Method::POST, &format!("{ROOT}contacts"), Some(&body.to_string())).await.status().as_u16(),
        204
    );
    let two = answer(&bench, "contacts", &sampled(&account, &with_cookie(2, 3, &inner))).await;
    assert_eq!(first_names(&two), DESCENDING[3..6]);
    let three = answer(&bench, "contacts", &sampled(&account, &with_cookie(3, 3, &cookie(&two)))).await;
    assert_eq!(first_names(&three), DESCENDING[6..]);
}

#[tokio::test]
async fn a_forged_cookie_is_refused_in_the_products_words() {
    let bench = Bench::new().await;
    let account = sample(&bench).await;
    let good = cookie(&answer(&bench, "contacts", &sampled(&account, "count=\"3\"")).await);
    for forged in [
        "x".to_owned(),
        good.replace("fullname", "jobtitle"),
        good.replace("page=\"1\"", "page=\"0\""),
        good.replace("contactid last=\"{", "contactid last=\"{zz"),
        format!("{good}x"),
        good.replace(" />", ">"),
        "<cookie page=\"1\"></cookie>".to_owned(),
        format!("<cookie page=\"1\">{}</cookie>", "<a/>".repeat(5_000)),
    ] {
        let seen = ask(&bench, "contacts", &sampled(&account, &with_cookie(2, 3, &forged)), "").await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{forged:.100}");
        assert_eq!(seen.message(), "Malformed XML in the Paging Cookie");
    }
}

/// Six contacts that differ in a column of each type, made at moments around the lab's.
async fn assorted() -> Bench {
    let account = |name: &str| json!({ "name": name });
    let accounts = json!({ "one": account("Adatum"), "two": account("Blue Yonder") });
    bench_of(&[
        ("accounts", accounts),
        (
            "contacts",
            json!({
                "a": { "lastname": "Alpha", "jobtitle": "Manager", "annualincome": 100, "numberofchildren": 1, "gendercode": 1, "donotemail": true, "createdon": "2026-03-01T11:30:00Z", "birthdate": "1980-01-01", "_ownerid_value": USER, "firstname": "Alpha" },
                "b": { "lastname": "Beta", "jobtitle": "Sales Manager", "annualincome": 200, "numberofchildren": 2, "gendercode": 2, "createdon": "2026-02-28T23:59:59Z", "_ownerid_value": OTHER },
                "c": { "lastname": "Gamma", "jobtitle": "100% [x]", "annualincome": 300, "numberofchildren": 3, "createdon": "2026-03-02T00:00:00Z", "_ownerid_value": USER },
                "d": { "lastname": "Delta", "annualincome": 400, "createdon": "2026-02-22T00:00:00Z", "_ownerid_value": USER },
                "e": { "lastname": "Epsilon", "jobtitle": "engineer", "numberofchildren": 5, "createdon": "2025-12-31T00:00:00Z", "_ownerid_value": USER },
                "f": { "lastname": "Zeta", "jobtitle": "Engineer", "numberofchildren": 6, "createdon": "2026-04-15T00:00:00Z", "_ownerid_value": USER },
            }),
        ),
    ])
    .await
}

#[tokio::test]
async fn every_operator_finds_its_rows() {
    let bench = assorted().await;
    assert_eq!(NOW.unix_timestamp(), 1_772_366_400, "noon of the first of March 2026");
    let one = |operator: &str, attribute: &str, value: &str| {
        let value = if value.is_empty() { String::new() } else { format!(" value='{value}'") };
        format!("<filter><condition attribute='{attribute}' operator='{operator}'{value}/></filter>")
    };
    let several = |operator: &str, attribute: &str, values: &[&str]| {
        let values = format!("<value>{}</value>", values.join("</value><value>"));
        format!(
            "<filter><condition attribute='{attribute}' operator='{operator}'>{values}</condition></filter>"
        )
    };
    for (filter, expected) in [
        (one("eq", "jobtitle", "ENGINEER"), "Epsilon Zeta"),
        (one("eq", "gendercode", "2"), "Beta"),
        (one("eq", "donotemail", "1"), "Alpha"),
        (one("eq", "annualincome", "100.00"), "Alpha"),
        (one("eq", "birthdate", "1980-01-01"), "Alpha"),
        (one("eq", "ownerid", &format!("{{{OTHER}}}")), "Beta"),
        (one("ne", "jobtitle", "Engineer"), "Alpha Beta Delta Gamma"),
        (one("neq", "numberofchildren", "1"), "Beta Delta Epsilon Gamma Zeta"),
        (one("gt", "annualincome", "200"), "Delta Gamma"),
        (one("ge", "annualincome", "200"), "Beta Delta Gamma"),
        (one("lt", "annualincome", "200"), "Alpha"),
        (one("le", "annualincome", "200"), "Alpha Beta"),
        (one("like", "jobtitle", "%manager%"), "Alpha Beta"),
        (one("like", "jobtitle", "100[%]%"), "Gamma"),
        (one("like", "jobtitle", "_ngineer"), "Epsilon Zeta"),
        (one("not-like", "jobtitle", "%manager%"), "Delta Epsilon Gamma Zeta"),
        (one("begins-with", "jobtitle", "eng"), "Epsilon Zeta"),
        (one("not-begin-with", "jobtitle", "eng"), "Alpha Beta Delta Gamma"),
        (one("ends-with", "jobtitle", "MANAGER"), "Alpha Beta"),
        (one("not-end-with", "jobtitle", "manager"), "Delta Epsilon Gamma Zeta"),
        (several("in", "numberofchildren", &["1", "3", "9"]), "Alpha Gamma"),
        (several("not-in", "numberofchildren", &["1", "3"]), "Beta Delta Epsilon Zeta"),
        (several("between", "annualincome", &["200", "300"]), "Beta Gamma"),
        (several("not-between", "numberofchildren", &["2", "5"]), "Alpha Delta Zeta"),
        (one("null", "jobtitle", ""), "Delta"),
        (one("not-null", "annualincome", ""), "Alpha Beta Delta Gamma"),
        (one("eq-userid", "ownerid", ""), "Alpha Delta Epsilon Gamma Zeta"),
        (one("ne-userid", "ownerid", ""), "Beta"),
        (one("eq-businessid", "owningbusinessunit", ""), "Alpha Beta Delta Epsilon Gamma Zeta"),
        (one("ne-businessid", "owningbusinessunit", ""), ""),
        (one("today", "createdon", ""), "Alpha"),
        (one("yesterday", "createdon", ""), "Beta"),
        (one("tomorrow", "createdon", ""), "Gamma"),
        (one("on", "createdon", "2026-02-28"), "Beta"),
        (one("on", "createdon", "2026-02-28T05:00:00Z"), "Beta"),
        (one("not-on", "createdon", "2026-02-28"), "Alpha Delta Epsilon Gamma Zeta"),
        (one("on-or-after", "createdon", "2026-03-02"), "Gamma Zeta"),
        (one("on-or-before", "createdon", "2026-02-22"), "Delta Epsilon"),
        (one("last-x-hours", "createdon", "1"), "Alpha"),
        (one("last-x-days", "createdon", "1"), "Alpha Beta"),
        (one("next-x-hours", "createdon", "12"), "Gamma"),
        (one("next-x-days", "createdon", "45"), "Gamma Zeta"),
        (one("last-seven-days", "createdon", ""), "Alpha Beta Delta"),
        (one("next-seven-days", "createdon", ""), "Gamma"),
        (one("this-month", "createdon", ""), "Alpha Gamma"),
        (one("last-month", "createdon", ""), "Beta Delta"),
        (one("next-month", "createdon", ""), "Zeta"),
        (one("this-year", "createdon", ""), "Alpha Beta Delta Gamma Zeta"),
        (one("last-year", "createdon", ""), "Epsilon"),
        (one("next-year", "createdon", ""), ""),
        ("<filter><condition attribute='firstname' operator='eq' valueof='lastname'/></filter>".to_owned(), "Alpha"),
        (
            "<filter type='or'><condition attribute='lastname' operator='eq' value='Zeta'/><filter><condition attribute='annualincome' operator='gt' value='100'/><condition attribute='annualincome' operator='lt' value='300'/></filter></filter>".to_owned(),
            "Beta Zeta",
        ),
        ("<filter/><filter type='or'/>".to_owned(), "Alpha Beta Delta Epsilon Gamma Zeta"),
    ] {
        assert_eq!(names(&bench, &filter).await.join(" "), expected, "{filter}");
    }
}

#[tokio::test]
async fn what_an_operator_does_not_take_is_refused_and_what_is_not_built_is_named() {
    let bench = assorted().await;
    let entity = |inner: &str| format!("<fetch><entity name='contact'>{inner}</entity></fetch>");
    let condition = |rest: &str| entity(&format!("<filter><condition {rest}/></filter>"));
    for (xml, text) in [
        (
            condition("attribute='jobtitle' operator='eq'"),
            "Condition for attribute 'contact.jobtitle': null is not a valid value for an attribute. Use 'Null' or 'NotNull' conditions instead.",
        ),
        (
            condition("attribute='numberofchildren' operator='eq' value='many'"),
            "Condition for attribute 'contact.numberofchildren': expected argument(s) of a different type but received 'System.String'.",
        ),
        (
            condition("attribute='ownerid' operator='eq' value='me'"),
            "Condition for attribute 'contact.ownerid': expected argument(s) of a different type but received 'System.String'.",
        ),
        (
            condition("attribute='jobtitle' operator='today'"),
            "Condition for attribute 'contact.jobtitle': expected argument(s) of a different type but received 'System.String'.",
        ),
        (
            condition("attribute='createdon' operator='last-x-days' value='-1'"),
            "Condition for attribute 'contact.createdon': expected argument(s) of a different type but received 'System.String'.",
        ),
        (
            condition("attribute='createdon' operator='on' value='2/28/2026'"),
            "The date-time format for contact.createdon is invalid, or value is outside the supported range.",
        ),
        (
            condition("attribute='annualincome' operator='between' value='1'"),
            "The ConditionOperator.between requires 2 value/s, not 1. Parameter Name: annualincome.",
        ),
        (
            condition("attribute='annualincome' operator='null' value='1'"),
            "The ConditionOperator.null requires 0 value/s, not 1. Parameter Name: annualincome.",
        ),
        (
            condition("attribute='jobtitle' operator='equals' value='x'"),
            "The 'operator' attribute is invalid - The value 'equals' is invalid according to its datatype 'String' - The Enumeration constraint failed.",
        ),
        (
            condition("operator='null'"),
            "The 'attribute' attribute of the 'condition' element was not specified.",
        ),
    ] {
        let seen = ask(&bench, "contacts", &xml, "").await;
        assert_eq!(
            (seen.refusal(), seen.message()),
            ((400, "0x80040203".to_owned()), text.to_owned()),
            "{xml}"
        );
    }
    for (xml, what) in [
        (condition("attribute='createdon' operator='this-week'"), "the operator this-week of FetchXML"),
        (
            condition("attribute='createdon' operator='last-x-fiscal-years' value='1'"),
            "the operator last-x-fiscal-years of FetchXML",
        ),
        (
            condition("attribute='createdon' operator='olderthan-x-days' value='1'"),
            "the operator olderthan-x-days of FetchXML",
        ),
        (condition("attribute='ownerid' operator='eq-userteams'"), "the operator eq-userteams of FetchXML"),
        (
            condition("attribute='fullname' operator='eq' valueof='a.name'"),
            "valueof with a column of another table of FetchXML",
        ),
        (
            condition("attribute='parentcustomerid' operator='like' value='x%'"),
            "the operator like of FetchXML on a lookup to several tables",
        ),
        (entity("<attribute name='fullname' rowaggregate='CountChildren'/>"), "rowaggregate of FetchXML"),
        (
            entity("<attribute name='parentcustomeridname'/>"),
            "the column parentcustomeridname of contact in FetchXML",
        ),
        (
            entity(
                "<filter><link-entity name='account' from='primarycontactid' to='contactid' link-type='any'/></filter>",
            ),
            "link-entity in filter of FetchXML",
        ),
        (
            entity("<link-entity name='account' from='primarycontactid' to='contactid' link-type='exists'/>"),
            "link-type='exists' of FetchXML",
        ),
        (entity("<link-entity name='lead' from='leadid' to='contactid'/>"), "the table lead in FetchXML"),
        (
            "<fetch datasource='retained'><entity name='contact'/></fetch>".to_owned(),
            "datasource='retained' of FetchXML",
        ),
    ] {
        let seen = ask(&bench, "contacts", &xml, "").await;
        assert_eq!(seen.refusal(), (400, "0x80040203".to_owned()), "{xml}");
        let record = bench.lab.journal().last_refusal().unwrap();
        assert_eq!(record.fact("not-built").unwrap().value.to_string(), what, "{xml}");
    }
}

#[tokio::test]
async fn names_that_nobody_has_are_the_products_own_errors() {
    let bench = assorted().await;
    for (xml, code, text) in [
        (
            "<fetch><entity name='contact'><attribute name='FullName'/></entity></fetch>",
            "0x80041103",
            "'Contact' entity doesn't contain attribute with Name = 'FullName' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
        ),
        (
            "<fetch><entity name='contact'><attribute name='_ownerid_value'/></entity></fetch>",
            "0x80041103",
            "'Contact' entity doesn't contain attribute with Name = '_ownerid_value' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
        ),
        (
            "<fetch><entity name='contact'><order attribute='x'/></entity></fetch>",
            "0x80041103",
            "'Contact' entity doesn't contain attribute with Name = 'x' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
        ),
        (
            "<fetch><entity name='contact'><link-entity name='account' from='x' to='contactid'/></entity></fetch>",
            "0x80041103",
            "'Account' entity doesn't contain attribute with Name = 'x' and NameMapping = 'Logical' (look up attribute by name is case-sensitive).",
        ),
        (
            "<fetch><entity name='contacts'/></fetch>",
            "0x80041102",
            "The entity with a name = 'contacts' with namemapping = 'Logical' was not found in the MetadataCache.",
        ),
        (
            "<fetch><entity name='account'/></fetch>",
            "0x80060888",
            "The entity 'account' of the query does not match the entity set 'contacts'.",
        ),
        (
            "<fetch><entity name='contact'><filter><condition entityname='x' attribute='name' operator='null'/></filter></entity></fetch>",
            "0x8004110a",
            "Link entity with name or alias x is not found",
        ),
        (
            "<fetch><entity name='contact'><n a='1'/></entity></fetch>",
            "0x8004111c",
            "Invalid Child Node, valid nodes are filter, order, link-entity, attribute, all-attributes, no-attrs. NodeName = n NodeXml = <n a='1'/>",
        ),
        (
            "<fetch><entity name='contact'><attribute name='fullname' alias='a-b'/></entity></fetch>",
            "0x80041109",
            "Invalid character specified for alias: a-b. Only characters within the ranges [A-Z], [a-z] or [0-9] or _ are allowed.  The first character may only be in the ranges [A-Z], [a-z] or _.",
        ),
        (
            "<fetch top='3' page='1'><entity name='contact'/></fetch>",
            "0x80040203",
            "The top attribute can't be specified with paging attribute page",
        ),
        ("", "0x80040203", "Expected non-empty string."),
        ("<fetch/>", "0x80041102", "Entity Name was not specified in FetchXml String."),
        ("<fetch><entity name='contact'>", "0x80040201", "Invalid XML."),
    ] {
        let seen = ask(&bench, "contacts", xml, "").await;
        assert_eq!((seen.refusal(), seen.message()), ((400, code.to_owned()), text.to_owned()), "{xml}");
        assert!(bench.lab.journal().last_refusal().unwrap().fact("not-built").is_none(), "{xml}");
    }
    let plain = "<fetch top='1'><entity name='contact'/></fetch>";
    for (more, name) in [
        ("&$select=fullname", "$select"),
        ("&$filter=statecode%20eq%200", "$filter"),
        ("&$top=1", "$top"),
        ("&$skiptoken=x", "$skiptoken"),
        ("&savedQuery=x", "fetchXml"),
    ] {
        let seen = ask(&bench, "contacts", plain, more).await;
        assert_eq!(seen.message(), format!("The query parameter {name} is not supported"), "{more}");
    }
    assert_eq!(
        ask(&bench, "contacts", plain, "&$count=true").await.message(),
        "The top attribute can't be specified with paging attribute returntotalrecordcount"
    );
    for path in [
        "contacts/$count",
        "contacts(c0117050-0000-4000-8000-0000000f0001)",
        "contacts(c0117050-0000-4000-8000-0000000f0001)/fullname",
    ] {
        assert_eq!(
            ask(&bench, path, plain, "").await.refusal(),
            (400, "0x80040203".to_owned()),
            "{path}: never passed over"
        );
    }
}

#[tokio::test]
async fn hostile_xml_is_refused_before_it_costs_anything() {
    let bench = Bench::new().await;
    let bomb = "<!DOCTYPE f [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><fetch><entity name='contact'>&b;</entity></fetch>";
    let outside = "<!DOCTYPE f SYSTEM \"file:///etc/passwd\"><fetch><entity name='contact'/></fetch>";
    let deep = format!(
        "<fetch><entity name='contact'>{}{}</entity></fetch>",
        "<filter>".repeat(2_000),
        "</filter>".repeat(2_000)
    );
    let wide = format!("<fetch><entity name='contact'>{}</entity></fetch>", "<no-attrs/>".repeat(5_000));
    let many = format!(
        "<fetch {}><entity name='contact'/></fetch>",
        (0..40).map(|n| format!("a{n}=''")).collect::<Vec<_>>().join(" ")
    );
    for xml in [bomb, outside, &deep, &wide, &many, "<fetch>\u{1}</fetch>", "<fetch a='1' a='1'/>"] {
        let begun = std::time::Instant::now();
        let seen = ask(&bench, "contacts", xml, "").await;
        assert_eq!(
            (seen.refusal(), seen.message()),
            ((400, "0x80040201".to_owned()), "Invalid XML.".to_owned()),
            "{xml:.100}"
        );
        assert!(begun.elapsed().as_secs() < 2, "{xml:.100}");
    }
}
