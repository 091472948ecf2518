//! A lab that stays up while the clock of its machine goes on, or steps.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio_rustls::TlsConnector;

use super::*;
use crate::authority::{KEYS_FILE, REAL_NAMES_FILE};
use crate::state::SETTINGS_FILE;
use crate::trust::RealClock;

const YEAR: i64 = 365;

async fn serving(state: &TempDir) -> (Running, RealClock) {
    let setup = Setup { publish_settings: true, ..setup(state) };
    let clock = setup.clock.clone();
    (start_lab(lab(), setup).await.unwrap(), clock)
}

/// A handshake of somebody outside who trusts what the files hold now.
async fn stranger(running: &Running, clock: &RealClock, name: &'static str) -> std::io::Result<()> {
    let bundle = std::fs::read_to_string(running.settings().ca_bundle_pem.as_ref().unwrap()).unwrap();
    let roots: Vec<_> = CertificateDer::pem_slice_iter(bundle.as_bytes()).map(Result::unwrap).collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = crate::tls::lab_client_config(&provider, clock.clone(), roots).unwrap();
    let stream = TcpStream::connect(address(&running.urls().identity)).await.unwrap();
    TlsConnector::from(config).connect(ServerName::try_from(name).unwrap(), stream).await.map(drop)
}

/// What a surface says of a call that it makes over https.
async fn outbound(running: &Running, to: &str) -> String {
    let url = format!("{}/call", running.urls().identity.replace("https", "http"));
    let call =
        Call { method: Method::POST, url, headers: http::HeaderMap::new(), body: to.to_owned().into() };
    let reply = running.outbound_client().send(call).await.unwrap();
    String::from_utf8(reply.body.to_vec()).unwrap()
}

async fn health(running: &Running) -> (u16, Value) {
    let url = format!("{}/health", running.urls().control.replace("https", "http"));
    let reply = running.outbound_client().get(&url).await.unwrap();
    (reply.status.as_u16(), crate::client::read_json(&reply).unwrap())
}

async fn is_healthy(running: &Running, clock: &RealClock, when: &str) {
    // First the lab's own call: nobody has looked at the clock yet.
    let said = outbound(running, "https://login.microsoftonline.com/echo").await;
    assert!(said.starts_with("https login.microsoftonline.com"), "{when}: {said}");
    for name in ["login.microsoftonline.com", "ax.contoso.com", "localhost"] {
        stranger(running, clock, name).await.unwrap_or_else(|error| panic!("{when}: {name}: {error}"));
    }
    let (status, health) = health(running).await;
    assert_eq!(
        (status, &health["status"], &health["ca"]["status"]),
        (200, &"ok".into(), &"ok".into()),
        "{when}"
    );
}

#[tokio::test]
async fn the_folder_for_others_has_the_roots_from_the_start_and_is_renewed_with_them_and_holds_no_key() {
    let state = tempfile::tempdir().unwrap();
    let shared = tempfile::tempdir().unwrap();
    let ca = shared.path().join("ca");
    let setup = Setup { publish_settings: true, ca_directory: Some(ca.clone()), ..setup(&state) };
    let clock = setup.clock.clone();
    let running = start_lab(lab(), setup).await.unwrap();
    let read = |file: &str| std::fs::read(ca.join(file)).unwrap();
    let first = read("ca-bundle.pem");
    for days in [0, 31, 400] {
        clock.step_to(days);
        is_healthy(&running, &clock, &format!("{days} days on")).await;
        for file in ["ca.pem", "ca-real-names.pem", "ca-bundle.pem", "truststore.p12"] {
            let own = std::fs::read(state.path().join(file)).unwrap();
            assert!(read(file) == own, "{file}, {days} days on");
        }
        assert_eq!(read("ca-bundle.pem") == first, days == 0);
    }
    let files = std::fs::read_dir(&ca).unwrap().map(|entry| entry.unwrap().path());
    for file in files.inspect(|file| assert!(file.is_file())) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(!text.contains("PRIVATE KEY"), "{}", file.display());
    }
    let bundle = String::from_utf8(read("ca-bundle.pem")).unwrap();
    running.stop(Duration::from_secs(1)).await;
    // The same roots again after a restart, for those who hold them.
    let setup =
        Setup { publish_settings: true, ca_directory: Some(ca.clone()), clock, ..self::setup(&state) };
    let again = start_lab(lab(), setup).await.unwrap();
    assert_eq!(String::from_utf8(read("ca-bundle.pem")).unwrap(), bundle);
    assert!(bundle.contains(&again.ca_pem()));
}

#[tokio::test]
async fn a_folder_for_others_that_cannot_be_written_stops_the_start_and_names_the_flag() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (folder, code) in [(file.join("ca"), 3), (state.path().join("ca"), 2)] {
        let setup = Setup { ca_directory: Some(folder), ..setup(&state) };
        let error = start_lab(lab(), setup).await.unwrap_err();
        assert!(error.to_string().contains("--ca-directory"), "{error}");
        assert_eq!(error.exit_code(), code, "{error}");
    }
}

#[tokio::test]
async fn a_lab_is_healthy_after_a_month_a_year_and_a_step_back_with_its_settings_kept() {
    let state = tempfile::tempdir().unwrap();
    let (running, clock) = serving(&state).await;
    let path = state.path().join(SETTINGS_FILE);
    let document = || serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap();
    let without_ca = |mut document: Value| {
        document.as_object_mut().unwrap().retain(|member, _| !member.starts_with("ca_"));
        document
    };
    let first = document();
    let local = running.ca_pem();
    // To the end of a root exactly, past it, past the other's, back, before the start, and to where X.509 writes years
    // otherwise (2050) and counters end (2038).
    let now = mocktenant_lab::real_now();
    let year = |year: i64| (year - i64::from(now.year())) * YEAR + (year - i64::from(now.year())) / 4;
    for days in [26, 31, 400, 31, -YEAR, 0, year(2038), year(2049), year(2050), year(2079)] {
        clock.step_to(days);
        is_healthy(&running, &clock, &format!("{days} days on")).await;
        if days == 31 && running.ca_pem() == local {
            assert_ne!(document()["ca_real_names_pem_text"], first["ca_real_names_pem_text"]);
        }
        let now = document();
        assert_eq!(without_ca(now.clone()), without_ca(first.clone()));
        assert_eq!(now["ca_pem_text"], running.ca_pem());
        let file = std::fs::read_to_string(state.path().join(REAL_NAMES_FILE)).unwrap();
        assert_eq!(now["ca_real_names_pem_text"], file.as_str());
        let served = running.outbound_client().get(&format!("{}/v1/settings", running.urls().control)).await;
        assert_eq!(crate::client::read_json(&served.unwrap()).unwrap(), now);
    }
    running.stop_now();
    assert!(!path.exists(), "nothing is published after the end");
}

#[tokio::test]
async fn three_days_before_the_end_the_files_are_new_without_anybody_asking() {
    let state = tempfile::tempdir().unwrap();
    let (running, clock) = serving(&state).await;
    let (local, real) = (running.ca_pem(), running.ca_real_names_pem());
    clock.step_to(28);
    let file = state.path().join(REAL_NAMES_FILE);
    for _ in 0..300 {
        if std::fs::read_to_string(&file).unwrap() != real {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_ne!(std::fs::read_to_string(&file).unwrap(), real);
    is_healthy(&running, &clock, "28 days on").await;
    assert_eq!(running.ca_pem(), local, "the root that people trust lives on");
}

#[tokio::test]
async fn of_many_who_come_after_a_step_of_the_clock_all_are_answered_by_one_new_ca() {
    let state = tempfile::tempdir().unwrap();
    let (running, clock) = serving(&state).await;
    let running = Arc::new(running);
    clock.step_to(400);
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let running = Arc::clone(&running);
            tokio::spawn(async move {
                let said = outbound(&running, "https://login.microsoftonline.com/echo").await;
                (said.starts_with("https login"), running.ca_pem(), running.ca_real_names_pem())
            })
        })
        .collect();
    for call in calls {
        let seen = call.await.unwrap();
        assert_eq!(seen, (true, running.ca_pem(), running.ca_real_names_pem()));
    }
    let saved = std::fs::read_to_string(state.path().join(REAL_NAMES_FILE)).unwrap();
    assert_eq!(saved, running.ca_real_names_pem());
}

#[tokio::test]
async fn a_lab_whose_files_cannot_be_written_serves_on_and_says_so() {
    let state = tempfile::tempdir().unwrap();
    let (running, clock) = serving(&state).await;
    // Not what a lab would have made there, and nothing a file can be renamed over.
    let keys = state.path().join(KEYS_FILE);
    std::fs::remove_file(&keys).unwrap();
    std::fs::create_dir(&keys).unwrap();
    clock.step_to(28);
    let real = running.ca_real_names_pem();
    assert!(outbound(&running, "https://login.microsoftonline.com/echo").await.starts_with("https login"));
    assert_eq!(running.ca_real_names_pem(), real, "what clients trust is served as long as it is valid");
    let (status, document) = health(&running).await;
    assert_eq!(
        (status, &document["status"], &document["ca"]["status"]),
        (200, &"unwell".into(), &"not saved".into())
    );
    assert!(document["ca"]["why"].as_str().unwrap().contains(KEYS_FILE), "{document}");

    clock.step_to(400);
    assert!(outbound(&running, "https://login.microsoftonline.com/echo").await.starts_with("https login"));
    assert_ne!(running.ca_real_names_pem(), real, "then a new one, in memory");
    let (_, document) = health(&running).await;
    assert!(document["ca"]["why"].as_str().unwrap().contains("in memory only"), "{document}");
}

#[tokio::test]
async fn a_clock_that_no_certificate_can_name_is_named_by_health_and_by_the_failed_call() {
    let state = tempfile::tempdir().unwrap();
    let (running, clock) = serving(&state).await;
    clock.step_to((9_999 - 2_020) * YEAR + 2_100);
    let said = outbound(&running, "https://login.microsoftonline.com/echo").await;
    assert!(said.contains("the lab's own certificate authority is not valid"), "{said}");
    let (status, document) = health(&running).await;
    assert_eq!((status, &document["ca"]["status"]), (503, &"not valid".into()), "{document}");
    let why = document["ca"]["why"].as_str().unwrap();
    assert!(why.contains("real-names root is valid from") && why.contains("outside the years"), "{why}");
    // Right again, well again.
    clock.step_to(0);
    is_healthy(&running, &clock, "set right").await;
}
