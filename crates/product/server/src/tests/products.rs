//! The lab people get: every product behind its port, started in order.

use mocktenant_lab::InProcess;
use mocktenant_lab::caller::{drive, drive_as};
use mocktenant_lab::journal::Kind;
use mocktenant_lab::outbound::Outbound as _;
use mocktenant_world::Errand;

use super::*;
use crate::{Options, settings_without_lab, start};

fn options(state: &TempDir) -> Options {
    let world = Arc::new(World::contoso().unwrap());
    Options { ports: Ports::Free, ..Options::new(world, state.path()) }
}

#[tokio::test]
async fn every_product_answers_and_the_environment_was_started_over_real_https() {
    let state = tempfile::tempdir().unwrap();
    let running = start(options(&state)).await.unwrap();
    let client = running.outbound_client();
    let authority = &running.settings().entra.authority;
    let discovery = client.get(&format!("{authority}/v2.0/.well-known/openid-configuration")).await.unwrap();
    assert_eq!(discovery.status, StatusCode::OK);
    assert_eq!(discovery.headers.get_all("date").iter().count(), 1);
    for (_, url) in running.urls().environments.iter().chain(&running.urls().organizations) {
        let refused = client.get(&format!("{url}/nowhere")).await.unwrap();
        assert!(refused.status.is_client_error(), "{url}: {}", refused.status);
    }
    let starts: Vec<_> =
        running.lab().journal().records().into_iter().filter(|record| record.kind == Kind::Start).collect();
    let places = starts.iter().map(|start| start.machine.as_ref().unwrap().to_string());
    assert_eq!(places.collect::<Vec<_>>(), ["onebox/aos1", "onprem/AOS_1", "onprem/AOS_2", "onprem/AOS_3"]);
    let tree = running.lab().journal().tree();
    for (start, calls) in starts.iter().zip([1, 3]) {
        let children: Vec<_> = tree.children(&start.id).collect();
        assert_eq!(children.len(), calls, "{tree:?}");
        assert!(children.iter().all(|child| child.scheme == "https" && child.status == 200), "{tree:?}");
        assert!(start.failed_check().is_none() && !start.checks.is_empty(), "{start:?}");
    }
    running.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn the_caller_gets_the_same_answers_over_sockets_and_in_process() {
    let state = tempfile::tempdir().unwrap();
    let running = start(options(&state)).await.unwrap();
    let (lab, client) = (running.lab(), running.outbound_client());
    let created = drive(lab, &client).await.unwrap();
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json());
    let host = lab.journal().find(&created.exchange).unwrap().host.to_string();
    assert_eq!(format!("https://{host}"), running.urls().environments[0].1, "by a public address");
    let here = InProcess::new(lab, client.dial().unwrap());
    for errand in [Errand::ReadCustomers, Errand::DataverseRequest] {
        let (far, near) =
            (drive_as(lab, &client, errand, None).await, drive_as(lab, &here, errand, None).await);
        let (far, near) = (far.unwrap(), near.unwrap());
        assert_eq!((far.status, far.json()), (near.status, near.json()), "{errand:?}");
        assert_eq!(far.json()["value"].as_array().map(Vec::len), Some(1), "{errand:?}");
    }
    running.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn without_a_lab_the_settings_are_those_serve_would_give() {
    let state = tempfile::tempdir().unwrap();
    let settings = settings_without_lab(Options { ports: Ports::default(), ..options(&state) }).unwrap();
    assert_eq!(settings.entra.base_url, "https://localhost:7443");
    assert_eq!(settings.aos["onebox"].url, "https://localhost:7444");
    assert_eq!(settings.aos["onprem"].url, "https://localhost:7445");
    assert_eq!(
        settings.aos["onprem"].data_url.as_deref(),
        Some("https://localhost:7445/namespaces/AXSF/data")
    );
    assert_eq!(settings.dataverse.resource, "https://localhost:7446");
    assert_eq!(settings.control_url, "https://localhost:7440");
    assert!(settings.instance.is_empty() && settings.pid.is_none());
    let ca_pem = std::fs::read_to_string(&settings.ca_pem).unwrap();
    assert_eq!(settings.ca_pem_text, ca_pem);
    let running = start(Options { publish_settings: true, ..options(&state) }).await.unwrap();
    assert_eq!(running.ca_pem(), ca_pem);
}

/// `cargo test --release -p mocktenant-server --lib -- --ignored --nocapture start`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; meaningful in a release build on a quiet machine only"]
async fn the_start_is_quick() {
    let state = tempfile::tempdir().unwrap();
    let mut report = Vec::new();
    for _ in 0..5 {
        let began = std::time::Instant::now();
        let options = Options { publish_settings: true, ..options(&state) };
        let compiled = began.elapsed();
        let running = start(options).await.unwrap();
        report.push((compiled, began.elapsed()));
        running.stop(Duration::from_secs(1)).await;
    }
    assert!(report[1..].iter().any(|(_, whole)| *whole < Duration::from_millis(20)), "{report:?}");
    assert!(report[0].1 < Duration::from_millis(60), "{report:?}");
    std::fs::write(std::env::temp_dir().join("mocktenant-start.txt"), format!("{report:?}\n")).unwrap();
}
