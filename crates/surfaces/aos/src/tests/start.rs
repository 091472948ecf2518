//! Starts: what is read and fetched, and the 500 page of a node that did not start.

use http::Method;
use mocktenant_lab::journal::Kind;
use mocktenant_lab::outbound::CallError;
use mocktenant_verdict::Outcome;

use super::*;

const METADATA: &str = "/environments/onebox/web_config/Aad.AADMetadataLocationFormat";

#[tokio::test]
async fn a_start_fetches_the_metadata_its_web_config_names_and_records_every_input() {
    let bench = Bench::new().await;
    let calls = bench.wire.calls(&Method::GET, "FederationMetadata");
    assert_eq!(
        calls[0].url,
        "https://login.windows.net/contoso.onmicrosoft.com/FederationMetadata/2007-06/FederationMetadata.xml"
    );
    let records = bench.lab.journal().records();
    let start = records.iter().find(|record| record.kind == Kind::Start).unwrap();
    let names: Vec<&str> = start.checks.iter().map(|check| &*check.name).collect();
    let asked = ["tls-root-trusted", "tls-time-valid", "metadata-reachable", "metadata-readable"];
    assert_eq!(names, [&["configuration-readable"][..], &asked].concat());
    assert!(start.checks.iter().all(|check| check.outcome == Outcome::Passed), "{:?}", start.checks);
    for name in [
        "host-url",
        "issuer",
        "tenant-guid",
        "metadata-url",
        "tenant-id",
        "audience-uris",
        "tls-root",
        "login-endpoint",
        "realm",
        "flight",
        "client-id",
        "thumbprint",
        "certificate",
        "certificate-root",
        "certificate-user",
        "dataverse-url",
    ] {
        let fact = start.fact(name).unwrap_or_else(|| panic!("no fact {name}"));
        let declared = bench.lab.world().get(fact.setting.as_ref().unwrap()).cloned().unwrap_or(Value::Null);
        assert_eq!(fact.read_at_start, Some(declared), "{name}");
    }
}

#[tokio::test]
async fn an_aos_that_was_never_started_shows_the_500_page() {
    let world = World::contoso().unwrap();
    let lab = Lab::builder(Arc::new(world)).surface(Aos::new()).build();
    let response = lab.answer(request(Method::GET, "/", None, None)).await;
    assert_eq!(response.status, 500);
}

#[tokio::test]
async fn unreachable_metadata_gives_the_500_page_until_a_restart_succeeds() {
    let bench = Bench::new().await;
    for answer in [
        Err(CallError::Refused { host: "login.windows.net".to_owned(), port: 443 }),
        Ok((404, String::new())),
        Ok((200, "<html></html>".to_owned())),
        Ok((200, String::new())),
    ] {
        bench.wire.script(Method::GET, "FederationMetadata", answer);
        bench.restart().await;
        for target in ["/", "/data/CustomersV3", "/data/Nothing", "/nowhere"] {
            let response = bench.get(target).await;
            assert_eq!(response.status, 500, "{target}");
            assert_eq!(response.headers["content-type"], "text/html; charset=utf-8");
            let page = String::from_utf8(response.body.to_vec()).unwrap();
            assert!(
                page.contains("Sorry, the server has encountered an error. It is either not available"),
                "{page}"
            );
            assert!(page.contains("Error 500."));
        }
        let record = bench.last();
        let start = record.fact("start").unwrap().value.clone();
        let start = bench.lab.journal().find(&start).unwrap();
        assert_eq!(failed(&start).len(), 1);
        assert_eq!(record.fact("metadata-url").unwrap().setting.as_ref().unwrap().as_str(), METADATA);
    }
    bench.wire.script(Method::GET, "FederationMetadata", Ok((200, wire::metadata())));
    assert_eq!(bench.get("/data/CustomersV3").await.status, 500, "nothing is re-read before a restart");
    bench.restart().await;
    assert_eq!(bench.get("/data/CustomersV3").await.status, 200);
}

#[tokio::test]
async fn a_web_config_that_names_no_metadata_does_not_start_and_calls_nobody() {
    let bench = Bench::edited(&[drop_setting(METADATA)]).await;
    assert!(bench.wire.calls(&Method::GET, "").is_empty());
    assert_eq!(bench.get("/").await.status, 500);
    let records = bench.lab.journal().records();
    assert_eq!(failed(&records[0]), ["configuration-readable"]);
    assert_eq!(records[0].fact("metadata-url").unwrap().read_at_start, Some(Value::Null));
}

#[tokio::test]
async fn an_environment_without_web_config_does_not_start_and_calls_nobody() {
    let bench = Bench::edited(&[
        drop_setting("/environments/onebox/web_config"),
        drop_setting("/environments/onebox/wif_config"),
    ])
    .await;
    assert!(bench.wire.calls(&Method::GET, "").is_empty());
    assert_eq!(bench.get("/").await.status, 500);
    assert_eq!(failed(&bench.lab.journal().records()[0]), ["configuration-readable"]);
}

#[tokio::test]
async fn edits_count_after_a_restart_and_not_before() {
    let bench = Bench::new().await;
    bench
        .apply(&[set(
            "/environments/onebox/web_config/Infrastructure.HostUrl",
            json!("https://other.example/"),
        )])
        .await;
    assert_eq!(bench.get("/data/Currencies").await.status, 200);
    let record = bench.last();
    let fact = record.fact("host-url").unwrap();
    assert_eq!(
        fact.read_at_start,
        Some(json!(format!("{URL}/"))),
        "the value the node uses, not the edited one"
    );
    bench.restart().await;
    assert_eq!(bench.get("/data/Currencies").await.status, 401);
}

#[tokio::test]
async fn two_labs_in_one_process_never_see_each_other() {
    let one = Bench::new().await;
    let other = Bench::new().await;
    one.wire.script(Method::GET, "FederationMetadata", Ok((404, String::new())));
    one.restart().await;
    assert_eq!(one.get("/data/Currencies").await.status, 500);
    assert_eq!(other.get("/data/Currencies").await.status, 200);
}

#[tokio::test]
async fn a_machine_that_trusts_nobody_or_is_out_of_time_calls_nobody() {
    const ROOT: &str = "/environments/onebox/machine/certificates/LocalMachine/Root/lab-ca";
    const CLOCK: &str = "/environments/onebox/machine/clock";
    for (edit, question, mended) in [
        (drop_setting(ROOT), "tls-root-trusted", ROOT),
        (set(CLOCK, json!("+30d")), "tls-time-valid", CLOCK),
        (set(CLOCK, json!("-2h")), "tls-time-valid", CLOCK),
    ] {
        let bench = Bench::edited(&[edit]).await;
        assert!(bench.wire.calls(&Method::GET, "").is_empty(), "{question}");
        assert_eq!(bench.get("/").await.status, 500);
        let start = bench.lab.journal().records().remove(0);
        assert_eq!(failed(&start), [question]);
        let change = check(&start, question).remedy.clone().unwrap().here.clone().unwrap();
        assert_eq!(change.setting.as_str(), mended);
        bench.apply(&change.edits).await;
        bench.restart().await;
        assert_eq!(bench.get("/data/Currencies").await.status, 200, "{question}");
    }
    // Minutes, and a few days of the lab's own time, are nothing to TLS: that is in real time.
    let bench = Bench::edited(&[set(CLOCK, json!("+2d"))]).await;
    assert_eq!(bench.wire.calls(&Method::GET, "FederationMetadata").len(), 1);
    bench.lab.apply(Command::Clock(ClockChange::Forward(time::Duration::days(400)))).await.unwrap();
    bench.restart().await;
    assert_eq!(bench.wire.calls(&Method::GET, "FederationMetadata").len(), 2);
}
