//! A page of another origin that uses Dataverse's Web API by `fetch`, as the samples in JavaScript do.
//!
//! Decides with Chromium that preflights let it make, read, change, batch and delete rows with its token, that it may read the header
//! fields which the product exposes and no other one, and that preflights need no token (corrections D30).

use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use mocktenant_acceptance::binary::port_of;
use mocktenant_acceptance::listener::{answer, read};
use mocktenant_acceptance::tools;
use mocktenant_testkit::Lab;
use serde_json::{Value, json};

use crate::{Browser, ORGANIZATION, chromium, issuing_key};

const SCRIPT: &str = include_str!("web_api.js");
const PATH: &str = "/api/data/v9.2/";

/// A server of the page's own: the page, and what it reports.
fn serve(page: String) -> (u16, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let Some(asked) = read(&stream) else { continue };
            match asked.target.as_str() {
                "/report" => {
                    answer(&stream, 200, "text/plain", "");
                    let _ = tell.send(serde_json::from_slice(&asked.body).unwrap_or_default());
                }
                "/" => answer(&stream, 200, "text/html", &page),
                _ => answer(&stream, 404, "text/plain", ""),
            }
        }
    });
    (port, told)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_foreign_origin_makes_reads_and_batches_rows() {
    let (Some(program), Some(openssl)) = (tools::or_skip("chromium"), tools::or_skip("openssl")) else {
        return;
    };
    let lab = Lab::start().await;
    let port = port_of(&lab.settings().control_url);
    let key = issuing_key(&openssl, &lab, port);
    let token = lab.client().token(&format!("https://{ORGANIZATION}")).await;
    let root = format!("https://{ORGANIZATION}{PATH}");
    let page = format!(
        "<!doctype html><meta charset=utf-8><script>const ROOT = {}; const PATH = {}; const TOKEN = {};\n{SCRIPT}</script>",
        json!(root),
        json!(PATH),
        json!(token)
    );
    let (own, told) = serve(page);
    let profile = tempfile::tempdir().unwrap();
    let browser = chromium(&program, profile.path())
        .arg(format!("--proxy-pac-url=http://localhost:{port}/proxy.pac"))
        .arg(format!("--ignore-certificate-errors-spki-list={key}"))
        .args(["--remote-debugging-port=0", &format!("http://localhost:{own}/")])
        .spawn();
    let browser = Browser(browser.unwrap());
    let told = told.recv_timeout(Duration::from_secs(60)).expect("the page tells what it did");
    drop(browser);

    assert_eq!(told.get("error"), None, "{told}");
    let statuses =
        ["make", "read", "change", "batch", "refused", "delete"].map(|one| told[one]["status"].as_u64());
    assert_eq!(statuses, [204, 200, 200, 200, 400, 204].map(Some), "{told}");
    assert!(told.as_object().unwrap().values().all(|one| one["type"] == "cors"), "{told}");
    let id = told["make"]["id"].as_str().unwrap();
    assert!(id.starts_with(&format!("{root}accounts(")), "{id}");
    let body = |one: &str| serde_json::from_str::<Value>(told[one]["body"].as_str().unwrap()).unwrap();
    let read = body("read");
    assert_eq!((&read["name"], &read["primarycontactid"]["fullname"]), (&json!("Of a page"), &json!("Berg")));
    assert_eq!(told["read"]["applied"], "odata.include-annotations=\"*\"");
    assert_eq!(
        (&body("change")["telephone1"], &told["change"]["applied"]),
        (&json!("555-0100"), &json!("return=representation"))
    );
    assert_eq!(body("refused")["error"]["code"], "0x80060888");
    // one that is not exposed
    assert!(told.as_object().unwrap().values().all(|one| one["hidden"].is_null()), "{told}");
    let batch = told["batch"]["body"].as_str().unwrap();
    assert!(batch.starts_with("--batchresponse_"), "{batch}");
    let rows: Vec<Value> = batch
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let telephones: Vec<_> = rows.iter().map(|row| &row["telephone1"]).collect();
    assert_eq!(telephones, ["555-0100", "555-0199"]);

    let records = lab.lab().journal().records();
    let preflights =
        records.iter().filter(|record| record.method == "OPTIONS" && record.surface == "dataverse");
    let preflights: Vec<_> = preflights.collect();
    assert!(preflights.len() >= 4, "{} preflights", preflights.len());
    for record in preflights {
        assert!(!record.request_headers.to_ascii_lowercase().contains("authorization:"), "{}", record.target);
        assert_eq!(record.status, 200, "{}", record.target);
    }
}
