//! Starting, stopping, and two labs at once.

use super::*;
use crate::error::StartError;
use crate::state::SETTINGS_FILE;

async fn serving(state: &TempDir) -> Result<Running, StartError> {
    start_lab(lab(), Setup { publish_settings: true, ..setup(state) }).await
}

#[tokio::test]
async fn a_serve_publishes_itself_last_and_withdraws_when_it_stops() {
    let state = tempfile::tempdir().unwrap();
    let running = serving(&state).await.unwrap();
    let path = state.path().join(SETTINGS_FILE);
    let document: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(document, serde_json::json!(*running.settings()));
    assert_eq!(document["instance"], running.instance());
    let client = running.outbound_client();
    let health = client.get(&format!("{}/health", running.urls().control)).await.unwrap();
    assert_eq!(health.status, StatusCode::OK);
    assert_eq!(crate::client::read_json(&health).unwrap()["instance"], running.instance());
    let settings = client.get(&format!("{}/v1/settings", running.urls().control)).await.unwrap();
    assert_eq!(crate::client::read_json(&settings).unwrap(), document);

    let StartError::Held { pid, .. } = serving(&state).await.unwrap_err() else { panic!("held") };
    assert_eq!(pid, Some(std::process::id()));
    let port = running.urls().control.rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    running.stop(Duration::from_secs(5)).await;
    assert!(!path.exists());
    TcpStream::connect(("127.0.0.1", port)).await.unwrap_err();
    serving(&state).await.unwrap().stop_now();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_graceful_stop_lets_an_answer_finish_and_a_sudden_one_does_not() {
    let slow = b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let fixture = started(Limits::default()).await;
    let mut stream = fixture.connect().await;
    let mut silent = fixture.connect().await;
    stream.write_all(slow).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    fixture.running.stop(Duration::from_secs(10)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "nothing else is waited for");
    assert!(read_to_end(&mut stream).await.ends_with("at last"));
    assert_eq!(read_to_end(&mut silent).await, "");

    let fixture = started(Limits::default()).await;
    let mut stream = fixture.connect().await;
    stream.write_all(slow).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let directory = fixture.running.directory().to_owned();
    assert!(directory.exists());
    fixture.running.stop_now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_graceful_stop_ends_what_outlasts_its_grace() {
    let fixture = started(Limits::default()).await;
    let mut stream = fixture.connect().await;
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    fixture.running.stop(Duration::from_millis(200)).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn labs_in_one_process_share_the_ca_and_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let one = start_lab(lab(), setup(&state)).await.unwrap();
    let two = start_lab(lab(), setup(&state)).await.unwrap();
    assert_eq!(one.ca_pem(), two.ca_pem());
    assert_ne!(one.instance(), two.instance());
    assert_ne!(one.directory(), two.directory());
    let reply = one.outbound_client().get(&format!("{}/echo", one.urls().identity)).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(one.lab().journal().records().len(), 1);
    assert_eq!(two.lab().journal().records().len(), 0);
    // Each trusts the other's certificates, and still dials only itself.
    one.outbound_client().get(&format!("{}/echo", two.urls().identity)).await.unwrap_err();
    one.stop_now();
    let reply = two.outbound_client().get(&format!("{}/echo", two.urls().identity)).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_first_starts_at_once_give_one_ca() {
    let state = Arc::new(tempfile::tempdir().unwrap());
    let starts: Vec<_> = (0..50)
        .map(|_| {
            let state = Arc::clone(&state);
            tokio::spawn(async move { start_lab(lab(), setup(&state)).await.unwrap() })
        })
        .collect();
    let mut running = Vec::new();
    for start in starts {
        running.push(start.await.unwrap());
    }
    assert!(running.iter().all(|one| one.ca_pem() == running[0].ca_pem()));
    drop(running);
    assert_eq!(std::fs::read_dir(state.path().join("run")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stopped_lab_is_freed() {
    let fixture = started(Limits::default()).await;
    fixture.is_healthy().await;
    let world = Arc::downgrade(&fixture.running.lab().world());
    fixture.running.stop(Duration::from_secs(5)).await;
    for _ in 0..100 {
        if world.upgrade().is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("something still holds the lab");
}

#[tokio::test]
async fn a_browser_that_came_by_localhost_is_sent_on_by_localhost() {
    let fixture = started(Limits::default()).await;
    let request = |host: &str| {
        format!(
            "GET /leave?https://ax.contoso.com/?x=1 HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )
    };
    let answer = fixture.sent(request("localhost").as_bytes()).await;
    let onprem = &fixture.running.urls().environments[1].1;
    assert!(answer.contains(&format!("\r\nlocation: {onprem}/?x=1\r\n")), "{answer}");
    let answer = fixture.sent(request("login.microsoftonline.com").as_bytes()).await;
    assert!(answer.contains("\r\nlocation: https://ax.contoso.com/?x=1\r\n"), "{answer}");
}

#[tokio::test]
async fn a_stop_waits_for_what_has_called_outside_also_if_its_caller_has_gone() {
    let fixture = started(Limits::default()).await;
    let url = format!("{}/slow", fixture.running.urls().identity);
    let head =
        format!("POST /call HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n{url}", url.len());
    let mut stream = fixture.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(stream);
    let lab = fixture.running.lab().clone();
    fixture.running.stop(Duration::from_secs(10)).await;
    let records = lab.journal().records();
    let statuses: Vec<u16> = records.iter().map(|record| record.status).collect();
    assert_eq!(statuses, [200, 200], "the call, and what made it");
    assert_eq!(records[0].parent.as_ref(), Some(&records[1].id));
}

#[tokio::test]
async fn beyond_this_machine_the_control_api_needs_a_token_or_to_be_open() {
    let wide = || vec!["127.0.0.1".parse().unwrap(), "0.0.0.0".parse().unwrap()];
    for (bind, token, open, starts) in [
        (wide(), None, false, false),
        (wide(), Some(String::new()), false, false),
        (vec!["::".parse().unwrap()], None, false, false),
        (vec!["192.0.2.1".parse().unwrap()], None, false, false),
        (vec!["0.0.0.0".parse().unwrap()], Some(String::from("token")), false, true),
        (vec!["0.0.0.0".parse().unwrap()], None, true, true),
        (vec!["127.0.0.1".parse().unwrap()], None, false, true),
        (vec!["127.0.0.2".parse().unwrap()], None, false, true),
    ] {
        let state = tempfile::tempdir().unwrap();
        let shown = format!("{bind:?} {token:?} {open}");
        let setup = Setup { bind, control_token: token, control_open: open, ..setup(&state) };
        match start_lab(lab(), setup).await {
            Ok(running) => {
                assert!(starts, "{shown}");
                running.stop_now();
            }
            Err(error @ StartError::ControlUnguarded { .. }) => {
                assert!(!starts, "{shown}");
                assert_eq!(error.exit_code(), 2, "{shown}");
                let said = error.to_string();
                assert!(
                    said.contains("MOCKTENANT_CONTROL_TOKEN") && said.contains("--control open"),
                    "{said}"
                );
                let written = std::fs::read_dir(state.path()).unwrap().count();
                assert_eq!(written, 0, "refused before anything was written: {shown}");
            }
            Err(other) => panic!("{shown}: {other}"),
        }
    }
}

#[tokio::test]
async fn the_tools_port_is_reached_by_the_machines_own_name_and_no_other_single_label() {
    let state = tempfile::tempdir().unwrap();
    let public_urls = [(Entrance::Identity, String::from("https://tenant:9443"))].into();
    let running = start_lab(lab(), Setup { public_urls, ..setup(&state) }).await.unwrap();
    let own = gethostname::gethostname().to_string_lossy().into_owned();
    let tools = address(&running.urls().control);
    for (host, expected) in [
        ("localhost", "200"),
        (own.as_str(), "200"),
        ("tenant", "200"),
        ("router", "421"),
        ("evil.example", "421"),
    ] {
        let mut stream = TcpStream::connect(tools).await.unwrap();
        let asked = format!("GET /version HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{host}: {answer}");
    }
    running.stop_now();
}
