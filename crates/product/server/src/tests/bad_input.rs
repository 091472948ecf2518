//! Bytes no honest client sends: hyper's empty refusals before a head parsed, the product's own after.

use super::*;

#[tokio::test]
async fn garbage_instead_of_a_request_is_refused_without_a_body() {
    let fixture = started(short()).await;
    for garbage in [
        &b"\x00\x01\x02\x03\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\na b: c\r\n\r\n",
    ] {
        let answer = fixture.sent(garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") || answer.is_empty(), "{answer}");
        assert!(answer.is_empty() || answer.ends_with("\r\n\r\n"), "{answer}");
    }
    fixture.is_healthy().await;
}

#[tokio::test]
async fn an_oversized_head_is_refused_and_costs_no_more_than_the_buffer() {
    let fixture = started(short()).await;
    let large = format!("GET /echo HTTP/1.1\r\nhost: localhost\r\na: {}\r\n\r\n", "x".repeat(100 * 1024));
    let answer = fixture.sent(large.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(), "{answer}");
    let many = format!("GET /echo HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200));
    let answer = fixture.sent(many.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    fixture.is_healthy().await;
}

#[tokio::test]
async fn garbage_that_looks_like_tls_ends_the_connection() {
    let fixture = started(short()).await;
    for garbage in
        [&b"\x16"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x03\xff\xff", &vec![0x16; 40_000]]
    {
        let answer = fixture.sent(garbage).await;
        assert!(!answer.contains("HTTP"), "{answer}");
    }
    fixture.is_healthy().await;
}

#[tokio::test]
async fn a_truncated_body_is_refused_by_the_product() {
    let fixture = started(short()).await;
    let mut stream = fixture.connect().await;
    stream
        .write_all(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc")
        .await
        .unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("timeout"), "{answer}");
    assert!(answer.contains("x-mocktenant-exchange: x-"), "{answer}");

    let mut stream = fixture.connect().await;
    let broken = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    stream.write_all(broken).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("incomplete"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_has_a_total_budget_of_time() {
    let fixture = started(short()).await;
    let mut stream = fixture.connect().await;
    let began = std::time::Instant::now();
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999\r\n\r\n").await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = vec![0; 4096];
    let count = loop {
        tokio::select! {
            read = reader.read(&mut answer) => break read.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(100)) => writer.write_all(b"x").await.unwrap(),
        }
    };
    assert!(String::from_utf8_lossy(&answer[..count]).starts_with("HTTP/1.1 408 "));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_body_over_the_budget_is_refused_by_the_product() {
    let fixture = started(short()).await;
    let length = 80 * 1024;
    let mut whole = format!(
        "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes();
    whole.resize(whole.len() + length, b'x');
    let answer = fixture.sent(&whole).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("too large"), "{answer}");

    let waits = b"POST /echo HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 99999999999\r\n\r\n";
    let answer = fixture.sent(waits).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "no invitation to send it: {answer}");
    fixture.is_healthy().await;
}

#[tokio::test]
async fn hosts_that_are_missing_or_doubled_are_nobody_and_an_absolute_target_counts() {
    let fixture = started(short()).await;
    let get = |head: &'static str| fixture.sent(head.as_bytes());
    let missing = get("GET /echo HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(missing.starts_with("HTTP/1.1 421 "), "{missing}");
    let doubled =
        get("GET /echo HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(doubled.starts_with("HTTP/1.1 421 "), "{doubled}");
    let old = get("GET /echo HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 ") && old.contains("http - 127.0.0.1:"), "{old}");
    let absolute = get(
        "GET http://user@login.microsoftonline.com/Echo?a HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    );
    let absolute = absolute.await;
    assert!(absolute.ends_with("http - login.microsoftonline.com /Echo?a "), "{absolute}");
    let star = get("OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(star.starts_with("HTTP/1.1 404 "), "{star}");
    let connect = get("CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(connect.starts_with("HTTP/1.1 4"), "{connect}");
}

#[tokio::test]
async fn a_forced_reset_gives_no_answer() {
    let fixture = started(short()).await;
    let answer = fixture.sent(b"GET /reset HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(answer, "");
    fixture.is_healthy().await;
}

#[tokio::test]
async fn answers_carry_the_date_of_the_machine_and_the_exchange() {
    use mocktenant_lab::{Command, Machine};
    let fixture = started(short()).await;
    let lab = fixture.running.lab();
    let machine = Machine::tenant(&lab.world().tenants().next().unwrap().id);
    let ahead = Command::MachineClock {
        machine,
        offset: time::Duration::days(365),
        by: mocktenant_world::EditedBy::Control,
    };
    lab.apply(ahead).await.unwrap();
    let reply =
        fixture.running.outbound_client().get(&format!("{}/echo", fixture.running.urls().identity)).await;
    let headers = reply.unwrap().headers;
    let year = (mocktenant_lab::real_now() + time::Duration::days(365)).year().to_string();
    assert_eq!(headers.get_all("date").iter().count(), 1);
    assert!(headers["date"].to_str().unwrap().contains(&year), "{headers:?}");
    assert!(headers.contains_key("x-mocktenant-exchange"));
}
