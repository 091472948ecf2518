//! Requests that would cost more than they say: queries without end, expansions that multiply, circles, rows that take a hundred
//! thousand others with them. Each ends in the product's own words or in an answer within its budget, and soon.

use std::time::{Duration, Instant};

use http::Method;
use mocktenant_world::Edit;
use serde_json::{Map, Value, json};

use crate::support::{Bench, HOST, Seen, organization};

const ROOT: &str = "/api/data/v9.2/";
const BATCH: &str = "/api/data/v9.2/$batch";
/// A build without optimisation on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A request as the only part of a batch: what is longer than a head may be comes this way.
async fn in_batch(bench: &Bench, target: &str) -> (u16, Value) {
    let body = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET {target} HTTP/1.1\r\n\r\n\r\n--b--\r\n"
    );
    let kind = [("content-type", "multipart/mixed; boundary=b")];
    let begun = Instant::now();
    let seen = bench.call_with(Method::POST, BATCH, Some(&body), &kind).await;
    assert!(begun.elapsed() < SOON, "{target:.80}: {:?}", begun.elapsed());
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    let status = text.split("\r\nHTTP/1.1 ").nth(1).and_then(|rest| rest.get(..3)?.parse().ok());
    let json = text.split("\r\n").find(|line| line.starts_with('{'));
    let json = json.map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
    (status.unwrap_or_else(|| panic!("{target:.80}: {text:.300}")), json)
}

async fn made(bench: &Bench, set: &str, body: &Value) -> String {
    let seen = bench.call(Method::POST, &format!("{ROOT}{set}"), Some(&body.to_string())).await;
    assert_eq!(seen.status().as_u16(), 204, "{:?} {}", seen.refusal(), seen.message());
    seen.header("odata-entityid").unwrap().split(ROOT).nth(1).unwrap().to_owned()
}

async fn count(bench: &Bench, set: &str) -> u64 {
    let seen = bench.get(&format!("{ROOT}{set}/$count")).await;
    String::from_utf8_lossy(&seen.response.body).trim_start_matches('\u{feff}').parse().unwrap()
}

/// An organisation with one account, to which so many contacts belong.
fn company(contacts: usize) -> [Edit; 2] {
    let account = "c0117050-0000-4000-8000-00000000ac01";
    let row = |n: usize| {
        let contact = json!({ "lastname": format!("C{n:06}"), "_parentcustomerid_value": account, "parentcustomerid": account });
        (format!("c{n}"), contact)
    };
    let contacts: Map<String, Value> = (0..contacts).map(row).collect();
    let account = json!({ "company": { "accountid": account, "name": "Company", "accountnumber": "H-1" } });
    [
        Edit::add(organization(&["records", "accounts"]), account),
        Edit::add(organization(&["records", "contacts"]), Value::Object(contacts)),
    ]
}

const COMPANY: &str = "accounts(c0117050-0000-4000-8000-00000000ac01)";

#[tokio::test]
async fn a_filter_of_64_kibibytes_is_read_in_a_batch_and_one_byte_more_is_not() {
    let bench = Bench::new().await;
    made(&bench, "accounts", &json!({ "name": "x".repeat(160) })).await;
    let filter = |length: usize| format!("name eq '{}'", "x".repeat(length - "name eq ''".len()));
    let (status, found) = in_batch(&bench, &format!("accounts?$filter={}", filter(64 * 1024))).await;
    assert_eq!((status, &found["value"]), (200, &json!([])));
    let (status, refused) = in_batch(&bench, &format!("accounts?$filter={}", filter(64 * 1024 + 1))).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("0x80060888")));
}

#[tokio::test]
async fn unreadable_and_hostile_filters_of_that_size_are_refused_in_the_products_words() {
    let bench = Bench::edited(&company(200)).await;
    made(&bench, "accounts", &json!({ "name": "Other" })).await;
    let fill = |unit: &str| unit.repeat(60_000 / unit.len());
    let nested = |open: &str, inner: &str| {
        let times = 60_000 / (open.len() + 1);
        format!("{}{inner}{}", open.repeat(times), ")".repeat(times))
    };
    let lambda = "contact_customer_accounts/any(c:c/";
    for filter in [
        fill("("),
        fill("not "),
        fill("'"),
        fill("name eq "),
        fill("name,"),
        fill("name/"),
        fill("-"),
        fill("1 add "),
        fill("@p "),
        format!("{}name eq 'x'", fill("not ")),
        format!("name eq 'x'{}", fill(" or name eq 'x'")),
        format!("accountid eq {}", fill("a-")),
        format!("{}name eq 'x'", fill("parentaccountid/")),
        nested("contains(", "name"),
        nested("(", "name eq 'x'"),
        nested(lambda, "x eq 1"),
        format!("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[{}])", fill("'x',")),
        format!("Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[{}]", fill("[")),
        format!("name eq '{}", fill("\u{fc}")),
        format!("name eq {}", fill("%")),
        format!("name eq '{}", fill("%")),
        format!("{} eq 'x'", fill("a")),
        format!("@p&@p={}", fill("@p ")),
        fill("name eq @a or ") + "name eq @a&@a=@b&@b=@a",
    ] {
        let (status, seen) = in_batch(&bench, &format!("accounts?$filter={filter}")).await;
        let code = seen["error"]["code"].as_str().unwrap_or_default();
        assert!(status == 400 && code.starts_with("0x80"), "{filter:.60}: {status} {seen:.300}");
        let message = seen["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && message.len() < 70_000, "{filter:.60}: {} bytes", message.len());
    }
}

#[tokio::test]
async fn aliases_that_double_at_each_step_and_paths_without_end_are_refused() {
    let bench = Bench::edited(&company(200)).await;
    let doubled = |n: usize| format!("@a{n}=@a{} or @a{}", n + 1, n + 1);
    let aliases: Vec<String> = (0..40).map(doubled).collect();
    let circle = "@a=@b&@b=@a".to_owned();
    for (filter, aliases) in [("@a0", aliases.join("&") + "&@a40=true"), ("@a", circle)] {
        for target in
            [format!("accounts?$filter={filter}&{aliases}"), format!("accounts?$orderby={filter}&{aliases}")]
        {
            let (status, seen) = in_batch(&bench, &target).await;
            let text = &seen["error"]["message"];
            assert_eq!(
                (status, text),
                (400, &json!("Recursion depth exceeded allowed limit.")),
                "{target:.40}"
            );
        }
    }
    let far = |steps: usize| format!("accounts?$filter={}name eq 'x'", "parentaccountid/".repeat(steps));
    assert_eq!(in_batch(&bench, &far(32)).await.0, 200);
    assert_eq!(in_batch(&bench, &far(33)).await.0, 400);
}

#[tokio::test]
async fn other_options_of_that_size_are_refused_too() {
    let bench = Bench::new().await;
    let fill = |unit: &str| unit.repeat(60_000 / unit.len());
    for (option, unit, tail) in [
        ("$select", "name,", "name"),
        ("$orderby", "name,", "name"),
        ("$orderby", "name desc ", ""),
        ("$expand", "parentaccountid,", "parentaccountid"),
        ("$expand", "parentaccountid($expand=", ""),
        ("$expand", "(", ""),
        ("$apply", "filter(name eq 'x')/", "aggregate($count as n)"),
        ("$apply", "groupby((", ""),
        ("$apply", "groupby((name),", ""),
        ("$apply", "aggregate(revenue with sum as a,", ""),
        ("$apply", "concat(", ""),
        ("$top", "9", ""),
        ("$skiptoken", "<cookie ", ""),
        ("$count", "t", ""),
        ("savedQuery", "0", ""),
        ("fetchXml", "<fetch>", ""),
    ] {
        let target = format!("accounts?{option}={}{tail}", fill(unit));
        let (status, seen) = in_batch(&bench, &target).await;
        // a column that is named often is answered once
        let expected = if option == "$select" { 200 } else { 400 };
        assert_eq!(status, expected, "{option} {unit}: {seen:.300}");
    }
    let counts = vec!["$count as n"; 3_000].join(",");
    let (status, seen) = in_batch(&bench, &format!("accounts?$apply=aggregate({counts})")).await;
    assert_eq!((status, &seen["error"]["message"]), (400, &json!("Recursion depth exceeded allowed limit.")));
    // options and aliases without number
    let (status, _) = in_batch(&bench, &format!("accounts?{}$top=1", fill("@a=1&"))).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn an_expansion_that_multiplies_ends_within_its_budget() {
    let bench = Bench::edited(&company(2_500)).await;
    assert_eq!(count(&bench, "contacts").await, 2_500);
    let there = "contact_customer_accounts($select=lastname;$expand=parentcustomerid_account($select=name";
    let [once, twice, thrice] = [0, 1, 2].map(|times| {
        let inner = format!(";$expand={there}").repeat(times);
        format!("$expand={there}{inner}{}", "))".repeat(times + 1))
    });
    for target in [format!("{COMPANY}?$select=name&"), "accounts?$select=name&".to_owned()] {
        let begun = Instant::now();
        let seen = bench.get(&format!("{ROOT}{target}{once}")).await;
        assert_eq!(seen.status().as_u16(), 200, "{}", seen.message());
        for expand in [&twice, &thrice] {
            let seen = bench.get(&format!("{ROOT}{target}{expand}")).await;
            assert_eq!(seen.refusal(), (400, "0x8004e023".to_owned()), "{target}");
            assert_eq!(seen.message(), "The maximum record limit is exceeded. Reduce the number of records.");
            let record = bench.lab.journal().last_refusal().unwrap();
            assert!(record.fact("given-up").is_some());
        }
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
    // what is written is written, whatever is answered of it
    let body = json!({ "name": "Renamed" }).to_string();
    let prefer = [("prefer", "return=representation")];
    let target = format!("{ROOT}{COMPANY}?$select=name&{twice}");
    let seen = bench.call_with(Method::PATCH, &target, Some(&body), &prefer).await;
    assert_eq!(seen.refusal(), (400, "0x8004e023".to_owned()));
    assert_eq!(bench.get(&format!("{ROOT}{COMPANY}?$select=name")).await.json()["name"], "Renamed");
    // in a batch a part is bounded like a request of its own
    let (status, _) = in_batch(&bench, &format!("{COMPANY}?$select=name&{twice}")).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_page_whose_rows_bring_many_along_ends_early_and_leads_on() {
    let bench = Bench::edited(&company(500)).await;
    // five hundred contacts with their company, each with its five hundred contacts: 250,000 rows looked at for a page of all
    let query = "contacts?$select=lastname&$orderby=lastname&$expand=parentcustomerid_account($select=name;\
                 $expand=contact_customer_accounts($select=lastname;$filter=lastname eq 'none'))";
    let mut next = Some(format!("{ROOT}{query}"));
    let (mut names, mut pages) = (Vec::new(), 0);
    while let Some(target) = next {
        let seen = bench.get(&target).await;
        assert_eq!(seen.status().as_u16(), 200, "{}", seen.message());
        let page = seen.json();
        names.extend(
            page["value"].as_array().unwrap().iter().map(|row| row["lastname"].as_str().unwrap().to_owned()),
        );
        next = page["@odata.nextLink"]
            .as_str()
            .map(|link| link.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned());
        pages += 1;
    }
    let all: Vec<String> = (0..500).map(|n| format!("C{n:06}")).collect();
    assert_eq!(names, all);
    assert_eq!(pages, 1, "as many as that fit");
    let twofold =
        query.replace("lastname eq 'none'", "lastname eq 'none';$expand=createdby($select=fullname)");
    assert_eq!(bench.get(&format!("{ROOT}{twofold}")).await.status().as_u16(), 200);
}

#[tokio::test]
async fn no_row_stands_above_itself() {
    let bench = Bench::new().await;
    let account = "Creating this parental association would create a loop in Accounts hierarchy.";
    let contact = "Creating this parental association would create a loop in Contacts hierarchy.";
    for (set, name, navigation, many, code, text) in [
        ("accounts", "name", "parentaccountid", "account_parent_account", "0x80040507", account),
        (
            "contacts",
            "lastname",
            "parentcustomerid_contact",
            "contact_customer_contacts",
            "0x8004050a",
            contact,
        ),
    ] {
        let a = made(&bench, set, &json!({ name: "a" })).await;
        let b = made(&bench, set, &json!({ name: "b", format!("{navigation}@odata.bind"): a })).await;
        let c = made(&bench, set, &json!({ name: "c", format!("{navigation}@odata.bind"): b })).await;
        let refused = |seen: &Seen| {
            assert_eq!((seen.refusal(), seen.message()), ((400, code.to_owned()), text.to_owned()), "{set}");
        };
        for above in [&a, &b, &c] {
            let body = json!({ format!("{navigation}@odata.bind"): above }).to_string();
            refused(&bench.call(Method::PATCH, &format!("{ROOT}{a}"), Some(&body)).await);
            let reference = json!({ "@odata.id": format!("https://{HOST}{ROOT}{above}") }).to_string();
            refused(
                &bench.call(Method::PUT, &format!("{ROOT}{a}/{navigation}/$ref"), Some(&reference)).await,
            );
            let below = json!({ "@odata.id": format!("https://{HOST}{ROOT}{a}") }).to_string();
            refused(&bench.call(Method::POST, &format!("{ROOT}{above}/{many}/$ref"), Some(&below)).await);
        }
        // a new row between both ends
        let body =
            json!({ name: "d", format!("{navigation}@odata.bind"): c, format!("{many}@odata.bind"): [a] });
        let seen = bench.call(Method::POST, &format!("{ROOT}{set}"), Some(&body.to_string())).await;
        refused(&seen);
        assert_eq!(count(&bench, set).await, 3, "nothing was written");
        // the other way about is no circle
        let body = json!({ format!("{navigation}@odata.bind"): a }).to_string();
        assert_eq!(
            bench.call(Method::PATCH, &format!("{ROOT}{c}"), Some(&body)).await.status().as_u16(),
            204
        );
        let body = json!({ navigation: null }).to_string();
        assert_eq!(
            bench.call(Method::PATCH, &format!("{ROOT}{b}"), Some(&body)).await.status().as_u16(),
            204
        );
        let body = json!({ format!("{navigation}@odata.bind"): b }).to_string();
        assert_eq!(
            bench.call(Method::PATCH, &format!("{ROOT}{a}"), Some(&body)).await.status().as_u16(),
            204
        );
    }
}

#[tokio::test]
async fn a_circle_that_is_declared_is_read_expanded_and_ends_with_its_rows() {
    let id = |n: u32| format!("c0117050-0000-4000-8000-00000000c00{n}");
    let row = |n: u32, above: u32| json!({ "accountid": id(n), "name": format!("R{n}"), "_parentaccountid_value": id(above), "parentaccountid": id(above) });
    let rows = json!({ "a": row(1, 2), "b": row(2, 1), "own": row(3, 3), "below": row(4, 1) });
    let bench = Bench::edited(&[Edit::add(organization(&["records", "accounts"]), rows)]).await;
    let expand = format!("{}createdby{}", "parentaccountid($select=name;$expand=".repeat(7), ")".repeat(7));
    for n in 1..=4 {
        let seen = bench.get(&format!("{ROOT}accounts({})?$select=name&$expand={expand}", id(n))).await;
        assert_eq!(seen.status().as_u16(), 200, "{}", seen.message());
    }
    let seen = bench
        .get(&format!(
            "{ROOT}accounts?$filter=parentaccountid/parentaccountid/parentaccountid/name eq 'R3'&$select=name"
        ))
        .await;
    assert_eq!(seen.json()["value"][0]["name"], "R3");
    let xml = "<fetch><entity name='account'><filter><condition attribute='accountid' operator='under' value='c0117050-0000-4000-8000-00000000c001'/></filter></entity></fetch>";
    let seen = bench.get(&format!("{ROOT}accounts?fetchXml={xml}")).await;
    assert!(matches!(seen.status().as_u16(), 200 | 400), "{}", seen.message());
    // a walk that meets the circle ends, and what is no circle of its own is taken
    let body = json!({ "parentaccountid@odata.bind": format!("/accounts({})", id(2)) }).to_string();
    let target = format!("{ROOT}accounts({})", id(4));
    assert_eq!(bench.call(Method::PATCH, &target, Some(&body)).await.status().as_u16(), 204);
    for n in [3, 1, 2, 4] {
        let seen = bench.call(Method::DELETE, &format!("{ROOT}accounts({})", id(n)), None).await;
        assert_eq!(seen.status().as_u16(), 204, "{n}");
    }
    assert_eq!(count(&bench, "accounts").await, 0);
}

#[tokio::test]
async fn a_deep_insert_of_ten_thousand_rows_is_refused_whole_wide_and_deep() {
    let bench = Bench::new().await;
    let wide: Vec<Value> = (0..10_000).map(|n| json!({ "lastname": n.to_string() })).collect();
    let tasks: Vec<Value> = (0..100).map(|n| json!({ "subject": n.to_string() })).collect();
    let spread: Vec<Value> = (0..100).map(|_| json!({ "lastname": "x", "Contact_Tasks": tasks })).collect();
    let bind: Vec<String> =
        (0..10_000).map(|n| format!("/contacts(c0117050-0000-4000-8000-{n:012x})")).collect();
    for (body, status) in [
        (json!({ "name": "x", "contact_customer_accounts": wide }), 413),
        (json!({ "name": "x", "contact_customer_accounts": spread }), 413),
        (json!({ "name": "x", "contact_customer_accounts@odata.bind": bind }), 404),
    ] {
        let begun = Instant::now();
        let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body.to_string())).await;
        assert_eq!(seen.status().as_u16(), status, "{}", seen.message());
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }
    let mut deep = json!({ "name": "x" });
    for _ in 0..100 {
        deep = json!({ "name": "x", "parentaccountid": deep });
    }
    let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&deep.to_string())).await;
    assert!(matches!(seen.status().as_u16(), 204 | 400), "{}", seen.message());
    assert_eq!([count(&bench, "contacts").await, count(&bench, "tasks").await], [0, 0]);
}

#[tokio::test]
async fn a_deletion_ends_a_hundred_thousand_rows_in_one_step_and_one_more_is_refused() {
    for (rows, goes) in [(99_999, true), (100_000, false)] {
        let bench = Bench::edited(&company(rows)).await;
        let before = bench.get(&format!("{ROOT}contacts?$top=1&$select=lastname")).await;
        assert_eq!(before.json()["value"].as_array().unwrap().len(), 1);
        let begun = Instant::now();
        let seen = bench.call(Method::DELETE, &format!("{ROOT}{COMPANY}"), None).await;
        assert!(begun.elapsed() < 3 * SOON, "{:?}", begun.elapsed());
        let left = bench.get(&format!("{ROOT}contacts?$top=1&$select=lastname")).await.json();
        let left = left["value"].as_array().unwrap().len();
        if goes {
            assert_eq!((seen.status().as_u16(), left), (204, 0));
            let record = bench
                .lab
                .journal()
                .records()
                .into_iter()
                .rev()
                .find(|one| one.fact("deleted-with-it").is_some());
            assert_eq!(record.unwrap().fact("deleted-with-it").unwrap().value, rows.to_string());
        } else {
            assert_eq!((seen.refusal(), left), ((500, "0x80044151".to_owned()), 1));
            assert_eq!(
                bench.get(&format!("{ROOT}{COMPANY}?$select=name")).await.status(),
                200,
                "nothing went"
            );
        }
    }
}

#[tokio::test]
async fn cookies_of_another_query_are_refused_and_forged_ones_show_nothing_more() {
    let bench = Bench::edited(&company(10)).await;
    for n in 0..4 {
        made(&bench, "accounts", &json!({ "name": format!("A{n}") })).await;
    }
    let two = [("prefer", "odata.maxpagesize=2")];
    let next = async |target: &str| {
        let seen = bench.call_with(Method::GET, &format!("{ROOT}{target}"), None, &two).await.json();
        let link = seen["@odata.nextLink"].as_str().unwrap_or_else(|| panic!("{target}: {seen}")).to_owned();
        link.split("$skiptoken=").nth(1).unwrap().to_owned()
    };
    let contacts = next("contacts?$select=lastname").await;
    let by_name = next("contacts?$select=lastname&$orderby=lastname").await;
    let accounts = next("accounts?$select=name").await;
    let malformed = "Malformed XML in the Paging Cookie";
    for (query, cookie) in [
        ("contacts?$select=lastname&$orderby=lastname", &contacts),
        ("contacts?$select=lastname&$orderby=firstname", &by_name),
        ("contacts?$select=lastname&$orderby=lastname,firstname", &by_name),
        ("contacts?$select=lastname", &by_name),
        ("contacts?$select=lastname", &accounts),
        ("accounts?$select=name", &contacts),
        ("tasks?$select=subject", &accounts),
    ] {
        let seen = bench.get(&format!("{ROOT}{query}&$skiptoken={cookie}")).await;
        assert_eq!(
            (seen.refusal(), seen.message()),
            ((400, "0x80060888".to_owned()), malformed.to_owned()),
            "{query}"
        );
    }
    for forged in [
        "x",
        "1",
        "%00",
        "%3Ccookie%3E",
        &"a".repeat(20_000),
        &contacts.replace("pagenumber=%222%22", "pagenumber=%22-1%22"),
    ] {
        let seen = bench.get(&format!("{ROOT}contacts?$skiptoken={forged}")).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{forged:.40}");
    }
    // another page size, filter or selection is another question from the same place
    let wide = [("prefer", "odata.maxpagesize=5")];
    let target = format!("{ROOT}contacts?$select=lastname&$skiptoken={contacts}");
    let seen = bench.call_with(Method::GET, &target, None, &wide).await.json();
    let names: Vec<&str> =
        seen["value"].as_array().unwrap().iter().map(|row| row["lastname"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 5, "{names:?}");
    let filtered = bench.get(&format!("{target}&$filter=lastname eq 'none'")).await.json();
    assert_eq!(filtered["value"], json!([]));
}

#[tokio::test]
async fn batches_without_end_are_refused_or_answered_part_by_part() {
    let bench = Bench::new().await;
    let kind = |boundary: &str| format!("multipart/mixed; boundary={boundary}");
    let part = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET WhoAmI HTTP/1.1\r\n\r\n\r\n";
    let post = |id: &str, target: &str| {
        format!(
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\nPOST {target} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{{}}\r\n"
        )
    };
    let set = |parts: &str| {
        format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n")
    };
    let sets = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(5_000)
    );
    for (content_type, body) in [
        (kind("b"), format!("--b\r\n{part}").repeat(20_000) + "--b--\r\n"),
        (kind("b"), "--b\r\n".repeat(150_000)),
        (kind("b"), "\r\n".repeat(400_000)),
        (kind("b"), format!("--b\r\n{}\r\n\r\n--b--", "X: y\r\n".repeat(100_000))),
        (kind("b"), format!("--b\r\n{}", "a".repeat(900_000))),
        (kind("b"), sets),
        (kind("other"), format!("--b\r\n{part}--b--\r\n")),
        (kind(""), format!("--b\r\n{part}--b--\r\n")),
        (kind(&"b".repeat(71)), format!("--b\r\n{part}--b--\r\n")),
        (kind("\"b"), format!("--b\r\n{part}--b--\r\n")),
        ("multipart/mixed".to_owned(), format!("--b\r\n{part}--b--\r\n")),
        (kind("b"), set(&post("1", "accounts").repeat(2))),
        (kind("b"), set(&(0..1_001).map(|n| post(&n.to_string(), "accounts")).collect::<String>())),
    ] {
        let begun = Instant::now();
        let headers = [("content-type", content_type.as_str())];
        let seen = bench.call_with(Method::POST, BATCH, Some(&body), &headers).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{content_type:.40} {body:.60}");
        assert!(begun.elapsed() < SOON && seen.message().len() < 1_000, "{body:.60}");
    }
    // what a reference leads to that nobody made, or that leads round
    for target in [
        "$2",
        "$1",
        "$",
        "$$1",
        "$1/$1",
        "$999999999999999999999",
        "$%31",
        "$1(1)",
        &format!("${}", "1".repeat(60_000)),
    ] {
        let headers = [("content-type", "multipart/mixed; boundary=b")];
        let body = set(&post("1", target));
        let seen = bench.call_with(Method::POST, BATCH, Some(&body), &headers).await;
        assert!((400..500).contains(&seen.status().as_u16()), "{target:.40}: {}", seen.status());
        assert!(seen.response.body.len() < 2_000, "{target:.40}: {} bytes", seen.response.body.len());
    }
    assert_eq!(count(&bench, "accounts").await, 0);
}

#[tokio::test]
async fn bodies_that_are_wide_deep_or_of_other_types_are_refused_soon() {
    let bench = Bench::new().await;
    let members = |count: usize| (0..count).map(|n| format!("\"n{n}\":1")).collect::<Vec<_>>().join(",");
    let deep = format!(
        "{{\"parentaccountid\":{}{{}}{}}}",
        "{\"parentaccountid\":".repeat(20_000),
        "}".repeat(20_000)
    );
    for body in [
        format!("{{{}}}", members(50_000)),
        format!("{{\"name\":{{{}}}}}", members(50_000)),
        format!("{{\"contact_customer_accounts\":[{}1]}}", "1,".repeat(200_000)),
        format!("{{\"contact_customer_accounts\":[{}{{}}]}}", "[],".repeat(200_000)),
        format!("{{\"name\":[{}1]}}", "1,".repeat(200_000)),
        format!("{{\"numberofemployees\":{}}}", "9".repeat(500_000)),
        format!("{{\"revenue\":0.{}}}", "9".repeat(500_000)).replace("0.", "-99999999999999999999."),
        format!("{{\"{}\":1}}", "n".repeat(900_000)),
        format!("{{\"parentaccountid@odata.bind\":\"/accounts({}\"}}", "(".repeat(400_000)),
        format!("{{\"parentaccountid@odata.bind\":{{\"a\":{}1{}}}}}", "[".repeat(100), "]".repeat(100)),
        deep,
    ] {
        let begun = Instant::now();
        let seen = bench.call(Method::POST, &format!("{ROOT}accounts"), Some(&body)).await;
        assert_eq!(seen.status().as_u16(), 400, "{body:.60}: {}", seen.message());
        assert!(begun.elapsed() < SOON && seen.message().len() < 1_000, "{body:.60}");
    }
    assert_eq!(count(&bench, "accounts").await, 0);
}

#[tokio::test]
async fn fetch_xml_that_links_without_end_is_refused_or_given_up() {
    let bench = Bench::edited(&company(1_500)).await;
    // every contact belongs to the same account: each link multiplies
    let link = "<link-entity name='contact' from='parentcustomerid' to='parentcustomerid'>";
    let joined = |links: usize, attribute: &str| {
        format!(
            "<fetch {attribute}><entity name='contact'>{}{}</entity></fetch>",
            link.repeat(links),
            "</link-entity>".repeat(links)
        )
    };
    for (links, attribute) in
        [(2, "returntotalrecordcount='true'"), (8, "distinct='true'"), (15, "count='5000'")]
    {
        let begun = Instant::now();
        let seen = bench.get(&format!("{ROOT}contacts?fetchXml={}", joined(links, attribute))).await;
        let ended = seen.refusal();
        assert!(seen.status() == 200 || ended == (400, "0x8004e023".to_owned()), "{links}: {ended:?}");
        assert!(begun.elapsed() < SOON, "{links}: {:?}", begun.elapsed());
    }
    let seen = bench.get(&format!("{ROOT}contacts?fetchXml={}", joined(16, ""))).await;
    assert_eq!(seen.status().as_u16(), 400);
    // 64 KiB of it, in a batch
    let conditions = "<condition attribute='lastname' operator='ne' value='x'/>".repeat(900);
    for inner in [
        format!("<filter>{conditions}</filter>"),
        "<order attribute='lastname'/>".repeat(1_000),
        "<attribute name='lastname'/>".repeat(2_000),
        format!(
            "<filter><condition attribute='lastname' operator='in'>{}</condition></filter>",
            "<value>x</value>".repeat(3_900)
        ),
        format!(
            "<filter><condition attribute='lastname' operator='like' value='{}'/></filter>",
            "%25a".repeat(15_000)
        ),
        "&amp;".repeat(12_000),
        format!("<![CDATA[{}]]>", "x".repeat(60_000)),
        format!("<!--{}-->", "x".repeat(60_000)),
    ] {
        let (status, seen) = in_batch(
            &bench,
            &format!("contacts?fetchXml=<fetch top='1'><entity name='contact'>{inner}</entity></fetch>"),
        )
        .await;
        assert!(matches!(status, 200 | 400), "{inner:.60}: {status} {seen:.200}");
    }
}
