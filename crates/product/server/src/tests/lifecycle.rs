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
    let onebox = &fixture.running.urls().environments[0].1;
    assert!(answer.contains(&format!("\r\nlocation: {onebox}/?x=1\r\n")), "{answer}");
    let answer = fixture.sent(request("login.microsoftonline.com").as_bytes()).await;
    assert!(answer.contains("\r\nlocation: https://ax.contoso.com/?x=1\r\n"), "{answer}");
}
