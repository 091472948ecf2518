//! Many requests in one: what each is answered, what a failure ends, and what the answer looks like.

use crate::support::{Bench, HOST, Seen, USER, bearer, claims_with, organization};
use http::Method;
use mocktenant_world::Edit;
use serde_json::{Value, json};

const BATCH: &str = "/api/data/v9.2/$batch";
const ACCOUNTS: &str = "/api/data/v9.2/accounts";
const TYPE: (&str, &str) = ("content-type", "multipart/mixed; boundary=\"batch_1\"");
const GO_ON: (&str, &str) = ("prefer", "odata.continue-on-error");

/// A part with a request.
fn part(boundary: &str, id: Option<u32>, request: &str, body: &str) -> String {
    let id = id.map(|id| format!("Content-ID: {id}\r\n")).unwrap_or_default();
    let content = if body.is_empty() { "" } else { "Content-Type: application/json;type=entry\r\n" };
    format!(
        "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n{request} HTTP/1.1\r\n{content}\r\n{body}\r\n"
    )
}

fn alone(request: &str, body: &str) -> String {
    part("batch_1", None, request, body)
}

/// A change set of these requests, with ids from one.
fn set(requests: &[(&str, &str)]) -> String {
    let parts: String = (1..)
        .zip(requests)
        .map(|(id, (request, body))| part("changeset_1", Some(id), request, body))
        .collect();
    format!(
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=\"changeset_1\"\r\n\r\n{parts}--changeset_1--\r\n\r\n"
    )
}

fn whole(parts: &[String]) -> String {
    format!("{}--batch_1--\r\n", parts.concat())
}

async fn send(bench: &Bench, parts: &[String], headers: &[(&str, &str)]) -> Seen {
    let mut all = vec![TYPE];
    all.extend_from_slice(headers);
    bench.call_with(Method::POST, BATCH, Some(&whole(parts)), &all).await
}

/// Status lines of the answer's parts.
fn statuses(seen: &Seen) -> Vec<u16> {
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    text.split("\r\n")
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect()
}

/// The JSON bodies of the answer's parts, in order.
fn bodies(seen: &Seen) -> Vec<Value> {
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    text.split("\r\n")
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn numbers(bench: &Bench) -> Vec<String> {
    let rows = bench.get(&format!("{ACCOUNTS}?$select=accountnumber&$orderby=accountnumber")).await.json();
    rows["value"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["accountnumber"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn requests_are_answered_in_order_and_each_sees_the_ones_before_it() {
    let bench = Bench::new().await;
    let before = numbers(&bench).await.len();
    let seen = send(
        &bench,
        &[
            alone("POST /api/data/v9.2/accounts", r#"{"accountnumber":"B-1"}"#),
            alone("GET accounts?$select=accountnumber&$filter=accountnumber eq 'B-1'", ""),
            alone(&format!("GET https://{HOST}/api/data/v9.2/WhoAmI"), ""),
            alone("DELETE accounts(accountnumber='B-1')", ""),
            alone("GET /api/data/v9.2/EntityDefinitions(LogicalName='account')?$select=EntitySetName", ""),
        ],
        &[],
    )
    .await;
    assert_eq!((seen.status().as_u16(), statuses(&seen)), (200, vec![204, 200, 200, 204, 200]));
    let bodies = bodies(&seen);
    assert_eq!(bodies[0]["value"][0]["accountnumber"], "B-1");
    assert_eq!(bodies[1]["UserId"], USER);
    assert_eq!(bodies[2]["EntitySetName"], "accounts");
    assert_eq!(numbers(&bench).await.len(), before);
    let record = bench.lab.journal().records().into_iter().rev().find(|one| one.endpoint == "batch").unwrap();
    let parts: Vec<String> =
        record.facts.iter().filter(|fact| fact.name == "part").map(|fact| fact.value.to_string()).collect();
    assert_eq!(parts[0], "1: POST /api/data/v9.2/accounts 204 No Content");
    assert_eq!(parts.len(), 5);
    assert_eq!(record.target.as_ref(), BATCH, "the record is of the batch");
}

#[tokio::test]
async fn the_answer_has_the_layout_that_clients_take_apart() {
    let bench = Bench::new().await;
    let body = r#"{"accountnumber":"B-1"}"#;
    let seen = send(
        &bench,
        &[
            set(&[("POST /api/data/v9.2/accounts", body)]),
            alone("GET /api/data/v9.2/accounts?$select=name&$top=1", ""),
            alone("GET /api/data/v9.2/acounts", ""),
        ],
        &[GO_ON],
    )
    .await;
    let text = String::from_utf8_lossy(&seen.response.body).into_owned();
    let boundary =
        seen.header("content-type").unwrap().strip_prefix("multipart/mixed; boundary=").unwrap().to_owned();
    assert!(boundary.starts_with("batchresponse_") && boundary.len() == 50, "{boundary}");
    assert!(
        text.starts_with(&format!(
            "--{boundary}\r\nContent-Type: multipart/mixed; boundary=changesetresponse_"
        ))
    );
    assert!(text.ends_with(&format!("\r\n--{boundary}--\r\n")));
    let id = text.split("accounts(").nth(1).unwrap().split(')').next().unwrap();
    let address = format!("https://{HOST}/api/data/v9.2/accounts({id})");
    assert!(text.contains(&format!(
        "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n\
         HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\nLocation: {address}\r\nOData-EntityId: {address}\r\n\r\n\r\n--changesetresponse_"
    )), "{text}");
    assert!(text.contains(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\nOData-Version: 4.0\r\n\r\n{\"@odata.context\""
    ), "{text}");
    assert!(text.contains("HTTP/1.1 404 Not Found\r\nREQ_ID: "), "{text}");
    assert!(!text.replace("\r\n", "").contains('\n'), "every line ends with CRLF");
    assert_eq!(seen.header("odata-version"), Some("4.0"));
}

#[tokio::test]
async fn a_change_set_is_done_as_a_whole_or_not_at_all() {
    let bench = Bench::new().await;
    let before = numbers(&bench).await;
    let good = ("POST accounts", r#"{"accountnumber":"B-1"}"#);
    for bad in [
        ("POST accounts", r#"{"accountnumber":"B-1"}"#),
        ("POST accounts", r#"{"nonsense":1}"#),
        (
            "PATCH accounts(accountnumber='none')",
            r#"{"name":"x","primarycontactid@odata.bind":"/contacts(c0117050-0000-4000-8000-000000000000)"}"#,
        ),
        ("DELETE accounts(accountnumber='none')", ""),
        ("POST leads", "{}"),
        ("POST WhoAmI", "{}"),
        ("POST EntityDefinitions", "{}"),
        ("PUT accounts(accountnumber='B-1')", "{}"),
    ] {
        let seen = send(&bench, &[set(&[good, bad]), alone("GET WhoAmI", "")], &[]).await;
        assert_eq!(statuses(&seen).len(), 1, "{bad:?}: the answer tells of the failure alone");
        assert_eq!(statuses(&seen)[0], seen.status().as_u16(), "{bad:?}");
        assert!(seen.status().as_u16() >= 400, "{bad:?}");
        assert!(String::from_utf8_lossy(&seen.response.body).contains("Content-ID: 2\r\n"), "{bad:?}");
        assert_eq!(numbers(&bench).await, before, "{bad:?}: nothing of it was written");
    }
    let seen = send(&bench, &[set(&[good, ("POST accounts", r#"{"accountnumber":"B-2"}"#)])], &[]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen)), (200, vec![204, 204]));
    assert_eq!(numbers(&bench).await.len(), before.len() + 2);
    // the key of a row is ignored at its address here too
    let key = [("DELETE accounts(accountnumber='B-1')/accountid", "")];
    assert_eq!(statuses(&send(&bench, &[set(&key)], &[]).await), [204]);
}

#[tokio::test]
async fn later_requests_of_a_change_set_name_what_earlier_ones_made() {
    let bench = Bench::new().await;
    let seen = send(
        &bench,
        &[set(&[
            ("POST /api/data/v9.2/contacts", r#"{"lastname":"Made"}"#),
            ("POST /api/data/v9.2/accounts", r#"{"accountnumber":"B-1","primarycontactid@odata.bind":"$1"}"#),
            ("PATCH $2", r#"{"name":"changed"}"#),
        ])],
        &[],
    )
    .await;
    assert_eq!(statuses(&seen), [204, 204, 204]);
    let account = bench.get(&format!("{ACCOUNTS}(accountnumber='B-1')")).await.json();
    assert_eq!(account["name"], "changed");
    let contact = account["_primarycontactid_value"].as_str().unwrap();
    let contact = bench.get(&format!("/api/data/v9.2/contacts({contact})")).await.json();
    assert_eq!(contact["lastname"], "Made");
    for (first, second) in [
        (
            ("POST accounts", r#"{"primarycontactid@odata.bind":"$2"}"#),
            ("POST contacts", r#"{"lastname":"x"}"#),
        ),
        (("PATCH $2", "{}"), ("POST accounts", "{}")),
        (("PATCH $1", "{}"), ("POST accounts", "{}")),
    ] {
        let seen = send(&bench, &[set(&[first, second])], &[]).await;
        assert_eq!(seen.status().as_u16(), 400, "{first:?}");
        let message = bodies(&seen)[0]["error"]["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("Content-ID Reference: '$")
                && message.ends_with("' does not exist in the batch context."),
            "{message}"
        );
    }
}

#[tokio::test]
async fn the_etag_of_a_row_written_in_a_change_set_is_the_one_it_has_afterwards() {
    let bench = Bench::new().await;
    let write = "Prefer: return=representation\r\n";
    let requests = set(&[
        ("POST accounts", r#"{"accountnumber":"B-1"}"#),
        ("PATCH $1", r#"{"name":"again"}"#),
        ("POST accounts", r#"{"accountnumber":"B-2"}"#),
    ])
    .replace(
        "Content-Type: application/json;type=entry\r\n",
        &format!("Content-Type: application/json\r\n{write}"),
    );
    let seen = send(&bench, &[requests], &[]).await;
    assert_eq!(statuses(&seen), [201, 200, 201]);
    for (number, body) in [("B-1", 1), ("B-2", 2)] {
        let row = bench.get(&format!("{ACCOUNTS}(accountnumber='{number}')")).await.json();
        assert_eq!(row["@odata.etag"], bodies(&seen)[body]["@odata.etag"], "{number}");
    }
}

#[tokio::test]
async fn a_batch_ends_at_its_first_failure_unless_it_is_to_go_on() {
    let bench = Bench::new().await;
    let parts = || {
        [
            alone("POST accounts", r#"{"accountnumber":"B-1"}"#),
            alone("GET acounts", ""),
            alone("POST accounts", r#"{"accountnumber":"B-2"}"#),
        ]
    };
    let seen = send(&bench, &parts(), &[]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen)), (404, vec![204, 404]));
    assert_eq!(bodies(&seen)[0]["error"]["code"], "0x80060888");
    assert!(numbers(&bench).await.contains(&"B-1".to_owned()), "what was done before stays done");
    assert!(!numbers(&bench).await.contains(&"B-2".to_owned()));
    let seen = send(&bench, &parts(), &[GO_ON]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen)), (200, vec![412, 404, 204]));
    assert!(numbers(&bench).await.contains(&"B-2".to_owned()));
    let record = bench.lab.journal().last_refusal().unwrap();
    assert_eq!(
        record.error.as_deref(),
        Some("0x80060892"),
        "the exchange tells all about the first that failed"
    );
}

#[tokio::test]
async fn a_part_is_asked_what_a_request_of_its_own_is_asked() {
    let roles = Edit::replace(
        organization(&["application_users", crate::support::CLIENT, "roles"]),
        json!(["Service Reader"]),
    );
    let bench = Bench::edited(&[roles]).await;
    let seen = send(&bench, &[alone("GET accounts?$top=1", ""), set(&[("POST accounts", "{}")])], &[]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen)), (403, vec![200, 403]));
    let message = bodies(&seen)[1]["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("is missing prvCreateAccount privilege"), "{message}");
    assert_eq!(bench.failed_checks(), ["privilege"]);
    for stranger in [None, Some(bearer(&claims_with("appid", "5a1b2c3d-4e5f-4061-8273-8495a6b7c8d9")))] {
        let token = stranger.clone().unwrap_or_default();
        let headers = [TYPE, ("authorization", token.as_str())];
        let seen = bench.send(Method::POST, BATCH, Some(&whole(&[alone("GET WhoAmI", "")])), &headers).await;
        assert_eq!(seen.status().as_u16(), if stranger.is_none() { 401 } else { 403 });
    }
    // a token in a part is not looked at: the batch's is
    let part =
        alone("GET WhoAmI", "").replace("HTTP/1.1\r\n", "HTTP/1.1\r\nAuthorization: Bearer nonsense\r\n");
    assert_eq!(statuses(&send(&bench, &[part], &[]).await), [200]);
}

#[tokio::test]
async fn conditions_and_preferences_belong_to_their_part() {
    let bench = Bench::new().await;
    let create = alone("POST accounts", r#"{"accountnumber":"B-1"}"#);
    let with = |request: &str, body: &str, header: &str| {
        alone(request, body).replace("HTTP/1.1\r\n", &format!("HTTP/1.1\r\n{header}\r\n"))
    };
    let seen = send(
        &bench,
        &[
            create,
            with("PATCH accounts(accountnumber='B-1')", r#"{"name":"x"}"#, "If-None-Match: *"),
            with("PATCH accounts(accountnumber='B-1')", r#"{"name":"x"}"#, "Prefer: return=representation"),
            with("GET accounts(accountnumber='B-1')", "", "Prefer: respond-async"),
            alone("GET accounts(accountnumber='B-1')", ""),
        ],
        &[GO_ON],
    )
    .await;
    assert_eq!(statuses(&seen), [204, 412, 200, 400, 200]);
    assert!(
        String::from_utf8_lossy(&seen.response.body)
            .contains("\r\nPreference-Applied: return=representation\r\n")
    );
}

#[tokio::test]
async fn a_batch_whose_lines_end_with_a_line_feed_alone_is_read() {
    let bench = Bench::new().await;
    let body = whole(&[
        set(&[("POST /api/data/v9.2/accounts", r#"{"accountnumber":"B-1"}"#)]),
        alone("GET /api/data/v9.2/accounts(accountnumber='B-1')", ""),
    ]);
    let headers = [("content-type", "multipart/mixed;boundary=batch_1")];
    let seen = bench.call_with(Method::POST, BATCH, Some(&body.replace("\r\n", "\n")), &headers).await;
    assert_eq!(statuses(&seen), [204, 200]);
}

#[tokio::test]
async fn what_is_no_batch_is_told_so_in_the_words_of_the_odata_library() {
    let bench = Bench::new().await;
    let get = alone("GET WhoAmI", "");
    let bad = |from: &str, to: &str| whole(&[get.replace(from, to)]);
    for (body, text) in [
        (String::new(), "Encountered an unexpected end of input"),
        (get.clone(), "Encountered an unexpected end of input"),
        (bad("Content-Type: application/http\r\n", ""), "The 'Content-Type' header is missing."),
        (
            bad("application/http", "application/json"),
            "The 'Content-Type' header value 'application/json' is invalid.",
        ),
        (bad("binary", "base64"), "A missing or invalid 'Content-Transfer-Encoding' header was found."),
        (bad("GET WhoAmI HTTP/1.1", "GET"), "The request line 'GET' is invalid."),
        (bad("HTTP/1.1", "HTTP/3"), "The HTTP version 'HTTP/3' used in a batch"),
        (
            bad("GET WhoAmI HTTP/1.1\r\n", "GET WhoAmI HTTP/1.1\r\nnonsense\r\n"),
            "The message header 'nonsense' is invalid.",
        ),
        (whole(&[set(&[("GET accounts", "")])]), "An invalid HTTP method 'GET' was detected"),
        (
            whole(&[
                set(&[("POST accounts", "{}")]).replace("application/http", "multipart/mixed;boundary=x")
            ]),
            "Nested change sets in a batch payload are not supported.",
        ),
    ] {
        let seen = bench.call_with(Method::POST, BATCH, Some(&body), &[TYPE]).await;
        assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()), "{text}");
        assert!(seen.message().starts_with(text), "{}", seen.message());
    }
    let none = [("content-type", "multipart/mixed")];
    let seen = bench.call_with(Method::POST, BATCH, Some(&whole(std::slice::from_ref(&get))), &none).await;
    assert!(
        seen.message().starts_with("The content type 'multipart/mixed' specifies a batch payload; however,")
    );
    let json = [("content-type", "application/json")];
    assert_eq!(bench.call_with(Method::POST, BATCH, Some("{}"), &json).await.status().as_u16(), 415);
    let seen = bench.get(BATCH).await;
    assert_eq!((seen.status().as_u16(), seen.header("allow")), (405, Some("POST")));
}

#[tokio::test]
async fn a_batch_has_at_most_a_thousand_requests() {
    let bench = Bench::new().await;
    let many = |count: usize| vec![alone("GET WhoAmI", ""); count];
    let seen = send(&bench, &many(1_000), &[]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen).len()), (200, 1_000));
    let record = bench.lab.journal().records().last().cloned().unwrap();
    let parts = record.facts.iter().filter(|fact| fact.name == "part").count();
    assert_eq!(parts, 33, "the record does not grow with the batch");
    let seen = send(&bench, &many(1_001), &[]).await;
    assert_eq!(seen.refusal(), (400, "0x80060888".to_owned()));
    assert_eq!(
        seen.message(),
        "The current batch message contains too many parts. Only batch messages with a maximum number of '1000' query operations, including changeset operations, are allowed."
    );
    let seen = send(&bench, &[set(&vec![("POST accounts", "{}"); 1_001])], &[]).await;
    assert_eq!(
        seen.message(),
        "The current change set contains too many operations. A maximum number of '1000' operations are allowed in a change set."
    );
    let seen = send(&bench, &[set(&vec![("POST accounts", "{}"); 1_000])], &[]).await;
    assert_eq!((seen.status().as_u16(), statuses(&seen).len()), (200, 1_000));
}

#[tokio::test]
async fn hostile_parts_are_refused_each_for_itself() {
    let bench = Bench::new().await;
    let long = format!("GET accounts?$filter=name eq '{}'", "x".repeat(70_000));
    let cases = [
        ("POST $batch", "{}"),
        ("POST /api/data/v9.2/$batch", "{}"),
        ("GET /", ""),
        ("GET /api/data/v8.0/accounts", ""),
        ("GET https://", ""),
        ("GET ../../WhoAmI", ""),
        ("GET $1", ""),
        ("TRACE accounts", ""),
        ("GET accounts(((((", ""),
        ("POST accounts", "["),
        (long.as_str(), ""),
    ];
    let parts: Vec<String> = cases.iter().map(|(request, body)| alone(request, body)).collect();
    let seen = send(&bench, &parts, &[GO_ON]).await;
    let statuses = statuses(&seen);
    assert_eq!((seen.status().as_u16(), statuses.len()), (200, cases.len()));
    for (status, (case, _)) in statuses.iter().zip(&cases) {
        assert!((400..500).contains(status), "{case}: {status}");
    }
}

#[tokio::test]
async fn the_answer_to_a_batch_is_bounded_in_bytes() {
    let text = "x".repeat(150_000);
    let row = |row| (format!("row{row}"), json!({ "accountnumber": format!("N{row:05}"), "name": text }));
    let made: serde_json::Map<String, Value> = (0..30).map(row).collect();
    let bench =
        Bench::edited(&[Edit::add(organization(&["records", "accounts"]), Value::Object(made))]).await;
    let seen = send(&bench, &vec![alone("GET accounts", ""); 40], &[GO_ON]).await;
    assert!(seen.response.body.len() < 24 * 1024 * 1024, "{} bytes", seen.response.body.len());
    let statuses = statuses(&seen);
    assert_eq!((statuses[0], statuses[39], statuses.len()), (200, 413, 40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn change_sets_and_single_writes_at_the_same_time_all_succeed() {
    let bench = std::sync::Arc::new(Bench::new().await);
    let before = numbers(&bench).await.len();
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let bench = std::sync::Arc::clone(&bench);
            tokio::spawn(async move {
                for round in 0..10 {
                    let body = |part: u32| format!(r#"{{"accountnumber":"C-{task}-{round}-{part}"}}"#);
                    let (first, second) = (body(1), body(2));
                    let requests = [("POST accounts", first.as_str()), ("POST accounts", second.as_str())];
                    let seen = send(&bench, &[set(&requests)], &[]).await;
                    assert_eq!(statuses(&seen), [204, 204]);
                    let seen = bench.call(Method::POST, ACCOUNTS, Some(&body(3))).await;
                    assert_eq!(seen.status().as_u16(), 204);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(numbers(&bench).await.len(), before + 120);
}

#[tokio::test]
async fn a_batch_that_was_refused_says_which_part_and_why() {
    let bench = Bench::new().await;
    let parts = [alone("GET WhoAmI", ""), alone("POST accounts", r#"{"nonsense":1}"#)];
    send(&bench, &parts, &[]).await;
    let record = bench.lab.journal().last_refusal().unwrap();
    let refused: Vec<String> = record
        .facts
        .iter()
        .filter(|fact| fact.name == "refused")
        .map(|fact| fact.value.to_string())
        .collect();
    assert_eq!(refused, ["nonsense = 1", "part 2: POST accounts"]);
    let seen = bench.call_with(Method::POST, BATCH, Some("--batch_1"), &[TYPE]).await;
    assert_eq!(seen.status().as_u16(), 400);
    let record = bench.lab.journal().last_refusal().unwrap();
    assert_eq!(&*record.fact("refused").unwrap().value, "the body ends before its closing delimiter");
}
