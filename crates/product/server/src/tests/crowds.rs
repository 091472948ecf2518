//! Many callers at once, and callers that take or hold more than they use: what one kind of port suffers the others do not
//! notice, and nothing stays. Scaled down from thousands of connections and full deadlines.

use std::time::Instant;

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::*;

const GET: &[u8] = b"GET /echo HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// The preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// HEADERS of stream 1 without its end, then nothing more: `POST /echo` on localhost.
const OPEN_STREAM: &[u8] = b"\x00\x00\x14\x01\x04\x00\x00\x00\x01\x83\x86\x04\x05/echo\x01\x09localhost";

/// What a caller is called, what it sends at first, and what it sends again and again.
type Kind<'b> = (&'static str, &'b [u8], Option<&'b [u8]>);

impl Fixture {
    /// Every port of the lab.
    fn ports(&self) -> Vec<SocketAddr> {
        let urls = self.running.urls();
        let rest = urls.environments.iter().chain(&urls.organizations).map(|(_, url)| url);
        [&urls.control, &urls.identity].into_iter().chain(rest).map(|url| address(url)).collect()
    }
}

async fn sent(at: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Waits until the first bytes of an answer are there.
async fn answered(stream: &mut TcpStream) -> String {
    let mut first = [0; 256];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut first)).await;
    let count = read.expect("an answer comes in time").unwrap();
    String::from_utf8_lossy(&first[..count]).into_owned()
}

/// An HTTP/2 connection that speaks without TLS.
pub(crate) async fn http2(at: SocketAddr) -> http2::SendRequest<Full<bytes::Bytes>> {
    let stream = TcpStream::connect(at).await.unwrap();
    let (sender, connection) =
        http2::Builder::new(TokioExecutor::new()).handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn post(length: usize) -> http::Request<Full<bytes::Bytes>> {
    let body = Full::new(bytes::Bytes::from(vec![b'x'; length]));
    http::Request::post("http://localhost/echo").body(body).unwrap()
}

fn get(path: &str) -> http::Request<Full<bytes::Bytes>> {
    http::Request::get(format!("http://localhost{path}")).body(Full::default()).unwrap()
}

/// Closed within so long after the last byte that was sent.
async fn closed(mut stream: TcpStream, within: Duration, what: &str) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(within, stream.read_to_end(&mut bytes)).await;
    assert!(read.is_ok(), "{what} is still open after {within:?}");
}

#[tokio::test]
async fn every_kind_of_slow_connection_ends_in_its_time_on_every_port() {
    every_kind_ends(short(), Duration::from_millis(60), Duration::from_secs(6)).await;
}

/// A body that does not come (10 s), an idle connection of HTTP/2 (120 s), its farewell (5 s), and a little.
const LONGEST: Duration = Duration::from_secs(138);

/// The stated times themselves, a byte a second: run by hand with `--ignored`.
#[tokio::test]
#[ignore = "two minutes"]
async fn every_kind_of_slow_connection_ends_in_the_stated_time_on_every_port() {
    every_kind_ends(Limits::default(), Duration::from_secs(1), LONGEST).await;
}

async fn every_kind_ends(limits: Limits, pause: Duration, within: Duration) {
    let fixture = started(limits).await;
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let after_an_answer =
        [PREFACE, b"\x00\x00\x14\x01\x05\x00\x00\x00\x01\x82\x86\x04\x05/echo\x01\x09localhost"].concat();
    let open = [PREFACE, OPEN_STREAM].concat();
    let half_body = b"POST /v1/reset HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\nx";
    let kinds: [Kind; 11] = [
        ("silent", b"", None),
        ("half a head", b"GET /echo HTTP/1.1\r\nhost: local", None),
        ("a head, byte by byte", b"GET /echo HTTP/1.1\r\nhost: ", Some(b"l")),
        ("half a body", half_body, None),
        ("a body, byte by byte", b"POST /v1/reset HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n", Some(b" ")),
        ("idle after an answer", GET, None),
        ("half a hello", hello, None),
        ("a preface", PREFACE, None),
        ("pings only", PREFACE, Some(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping")),
        ("idle after an answer of HTTP/2, with pings", &after_an_answer, Some(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping")),
        ("a stream that never ends", &open, Some(b"\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping")),
    ];
    let mut waiting = tokio::task::JoinSet::new();
    for port in fixture.ports() {
        for (kind, first, again) in kinds {
            let (first, again) = (first.to_vec(), again.map(<[u8]>::to_vec));
            waiting.spawn(async move {
                let stream = sent(port, &first).await;
                let (reader, mut writer) = stream.into_split();
                let trickle = tokio::spawn(async move {
                    while let Some(more) = &again {
                        tokio::time::sleep(pause).await;
                        if writer.write_all(more).await.is_err() {
                            return;
                        }
                    }
                    // The caller keeps its side open.
                    std::future::pending::<()>().await;
                    drop(writer);
                });
                let mut reader = reader;
                let mut bytes = Vec::new();
                let read = tokio::time::timeout(within, reader.read_to_end(&mut bytes)).await;
                trickle.abort();
                assert!(read.is_ok(), "{kind} at {port} is still open");
            });
        }
    }
    while let Some(ended) = waiting.join_next().await {
        ended.unwrap();
    }
    fixture.is_healthy().await;
}

#[tokio::test]
async fn callers_that_take_nothing_of_an_answer_are_left_on_every_port_and_in_both_versions() {
    let limits = Limits {
        write: Duration::from_millis(600),
        taken: Duration::from_millis(800),
        first_head: Duration::from_secs(3),
        ..short()
    };
    let fixture = started(limits).await;
    // A journal that no socket takes at once.
    let large = "x".repeat(60 * 1024);
    for _ in 0..60 {
        let post = format!(
            "POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{large}",
            large.len()
        );
        fixture.sent(post.as_bytes()).await;
    }
    let surface = sent(fixture.identity(), b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let journal =
        sent(fixture.tools(), b"GET /v1/journal?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    // Takes a little now and then, as fast as a slow reader does.
    let mut trickling = sent(fixture.identity(), b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    // The window of its streams never opens.
    let mut sender = http2(fixture.identity()).await;
    let held = sender.send_request(get("/large")).await.unwrap();

    let share = &fixture.running.shares()[0];
    assert!(share.answers.used() >= LARGE, "{}", share.answers.used());
    let began = Instant::now();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let mut byte = [0];
    let mut taken = 0;
    while began.elapsed() < Duration::from_secs(6) && share.answers.used() > 0 {
        taken += trickling.read(&mut byte).await.unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(share.answers.used(), 0, "after {:?} and {taken} bytes", began.elapsed());
    assert_eq!(fixture.running.shares()[1].answers.used(), 0);
    drop((surface, journal, held));
    fixture.is_healthy().await;
}

#[tokio::test]
async fn a_crowd_at_the_tools_port_keeps_nobody_from_the_surfaces_nor_for_long_from_the_tools() {
    let mut limits = Limits { idle: Duration::from_secs(60), next_head: Duration::from_secs(60), ..short() };
    limits.tools.connections = 16;
    limits.spared = Duration::from_millis(300);
    let fixture = started(limits).await;
    let mut crowd = Vec::new();
    for number in 0..60 {
        let at = fixture.tools();
        if number % 2 == 0 {
            let mut sender = tokio::time::timeout(Duration::from_secs(10), http2(at)).await.expect("a place");
            let answer = sender.send_request(get("/health")).await.unwrap();
            assert_eq!(answer.status(), 200);
            crowd.push((Some(sender), None));
        } else {
            let mut stream = sent(at, HEALTH).await;
            assert!(answered(&mut stream).await.starts_with("HTTP/1.1 200"), "{number}");
            crowd.push((None, Some(stream)));
        }
    }
    let began = Instant::now();
    fixture.is_healthy().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let health = format!("{}/health", fixture.running.urls().control);
    assert_eq!(fixture.running.outbound_client().get(&health).await.unwrap().status, 200);
    drop(crowd);
}

#[tokio::test]
async fn idle_connections_make_room_on_the_surfaces_before_their_time() {
    let mut limits = Limits { idle: Duration::from_secs(60), next_head: Duration::from_secs(60), ..short() };
    limits.surfaces.connections = 24;
    let fixture = started(limits).await;
    let mut crowd = Vec::new();
    for number in 0..60 {
        let mut stream = sent(fixture.identity(), GET).await;
        assert!(answered(&mut stream).await.starts_with("HTTP/1.1 200"), "{number}");
        crowd.push(stream);
    }
    fixture.is_healthy().await;
}

#[tokio::test]
async fn the_bodies_of_one_connection_have_a_budget_and_one_that_waits_blocks_no_other() {
    let mut limits = Limits { body_bytes: 1024 * 1024, ..short() };
    (limits.body_idle, limits.body_total) = (Duration::from_secs(5), Duration::from_secs(10));
    limits.wait = Duration::from_secs(10);
    let fixture = started(limits).await;
    let sender = http2(fixture.identity()).await;
    // All of them at once: they are taken in turn, within the connection's budget.
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let mut sender = sender.clone();
        answers.spawn(async move { sender.send_request(post(1024 * 1024)).await.unwrap().status() });
    }
    let share = &fixture.running.shares()[0];
    let mut most = 0;
    while let Some(status) = answers.join_next().await {
        most = most.max(share.bodies.used());
        assert_eq!(status.unwrap(), 200);
    }
    assert!(most <= crate::limits::CONNECTION_BODIES, "{most}");
    assert_eq!(share.bodies.used(), 0);
}

#[tokio::test]
async fn bodies_that_are_held_back_fill_a_budget_and_no_more_and_ordinary_requests_do_not_wait() {
    let mut limits = Limits { body_bytes: 1024 * 1024, ..short() };
    (limits.body_idle, limits.body_total) = (Duration::from_millis(1_500), Duration::from_secs(3));
    limits.surfaces.bodies = 2 * 1024 * 1024;
    limits.spared = Duration::from_secs(20);
    let fixture = started(limits).await;
    let head = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1048576\r\n\r\n";
    let most = [&head[..], &vec![b'x'; 1024 * 1024 - 1]].concat();
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (at, most) = (fixture.identity(), most.clone());
        crowd.spawn(async move {
            let mut stream = TcpStream::connect(at).await.unwrap();
            let _ = stream.write_all(&most).await;
            answered(&mut stream).await
        });
    }
    let share = &fixture.running.shares()[0];
    let began = Instant::now();
    while share.bodies.used() < 1024 * 1024 && began.elapsed() < Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for _ in 0..5 {
        assert!(share.bodies.used() <= 2 * 1024 * 1024);
        let began = Instant::now();
        let small =
            b"POST /echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 4\r\n\r\nbody";
        let answer = fixture.sent(small).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("body"), "{answer}");
        assert!(began.elapsed() < Duration::from_millis(800), "{:?}", began.elapsed());
    }
    let mut refused = 0;
    while let Some(answer) = crowd.join_next().await {
        let answer = answer.unwrap();
        let ours =
            answer.starts_with("HTTP/1.1 408") || answer.starts_with("HTTP/1.1 503") || answer.is_empty();
        assert!(ours, "{answer}");
        if answer.starts_with("HTTP/1.1 503") {
            refused += 1;
            assert!(answer.contains("retry-after: 1\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        }
    }
    assert!(refused > 0, "more than the budget was kept");
    assert_eq!(share.bodies.used(), 0);
}

#[tokio::test]
async fn many_slow_readers_of_large_answers_share_one_budget_and_small_answers_do_not_wait() {
    let mut limits = Limits { write: Duration::from_secs(20), taken: Duration::from_secs(20), ..short() };
    limits.spared = Duration::from_secs(20);
    limits.surfaces.answers = 3 * LARGE;
    let fixture = started(limits).await;
    let share = &fixture.running.shares()[0];
    let mut crowd = Vec::new();
    for _ in 0..12 {
        crowd.push(sent(fixture.identity(), b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await);
        fixture.is_healthy().await;
        assert!(share.answers.used() <= 3 * LARGE, "{}", share.answers.used());
    }
    let (mut whole, mut refused) = (0, 0);
    for mut stream in crowd {
        match answered(&mut stream).await {
            answer if answer.starts_with("HTTP/1.1 200") => whole += 1,
            answer if answer.starts_with("HTTP/1.1 503") => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(whole >= 3 && refused >= 6, "{whole} {refused}");
}

#[tokio::test]
async fn under_pressure_a_slow_reader_makes_room_for_the_next() {
    let mut limits = Limits { write: Duration::from_secs(20), taken: Duration::from_secs(20), ..short() };
    (limits.spared, limits.wait) = (Duration::from_millis(200), Duration::from_secs(5));
    limits.surfaces.answers = LARGE;
    let fixture = started(limits).await;
    for _ in 0..3 {
        let mut slow = sent(fixture.identity(), b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        answered(&mut slow).await;
        let answer =
            fixture.sent(b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.len() > LARGE, "{}", answer.len());
    }
}

const WRITE: &str = "PATCH /v1/world HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

#[tokio::test]
async fn a_body_the_control_api_does_not_take_is_answered_and_its_caller_sees_it() {
    let fixture = started(short()).await;
    let length = 5 * 1024 * 1024;
    for framing in [
        format!("content-length: {length}\r\n\r\n"),
        format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n"),
    ] {
        let mut stream = sent(fixture.tools(), format!("{WRITE}{framing}").as_bytes()).await;
        // A client that writes everything before it reads.
        stream.write_all(&vec![b' '; length]).await.expect("no reset while it writes");
        stream.write_all(b"\r\n0\r\n\r\n").await.expect("nor after it");
        let answer = answered(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{framing}: {answer}");
    }
    let waits = format!("{WRITE}expect: 100-continue\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = sent(fixture.tools(), waits.as_bytes()).await;
    assert!(answered(&mut stream).await.starts_with("HTTP/1.1 413"), "no invitation to send it");
}

#[tokio::test]
async fn a_body_the_control_api_waits_for_has_its_time() {
    let fixture = started(short()).await;
    for trickles in [false, true] {
        let began = Instant::now();
        let stream = sent(fixture.tools(), format!("{WRITE}content-length: 999\r\n\r\n[").as_bytes()).await;
        let (mut reader, mut writer) = stream.into_split();
        let mut answer = [0; 4096];
        let count = loop {
            tokio::select! {
                read = reader.read(&mut answer) => break read.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)), if trickles => {
                    writer.write_all(b" ").await.unwrap();
                }
            }
            assert!(began.elapsed() < Duration::from_secs(5), "still read");
        };
        let answer = String::from_utf8_lossy(&answer[..count]);
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("application/problem+json"),
            "{answer}"
        );
    }
    let mut stream =
        sent(fixture.tools(), format!("{WRITE}transfer-encoding: chunked\r\n\r\nzz\r\n").as_bytes()).await;
    assert!(answered(&mut stream).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn streams_that_are_reset_at_once_end_their_connection_and_nobody_elses() {
    let fixture = started(short()).await;
    let mut flood = PREFACE.to_vec();
    for stream in 0..2_000_u32 {
        let id = (2 * stream + 1).to_be_bytes();
        flood.extend_from_slice(b"\x00\x00\x14\x01\x05");
        flood.extend_from_slice(&id);
        flood.extend_from_slice(b"\x82\x86\x04\x05/slow\x01\x09localhost");
        flood.extend_from_slice(b"\x00\x00\x04\x03\x00");
        flood.extend_from_slice(&id);
        flood.extend_from_slice(b"\x00\x00\x00\x08");
    }
    let mut stream = TcpStream::connect(fixture.identity()).await.unwrap();
    let _ = stream.write_all(&flood).await;
    closed(stream, Duration::from_secs(5), "a flood of resets").await;
    fixture.is_healthy().await;
    assert!(fixture.running.lab().journal().records().len() < 500, "most were never begun");
}

#[tokio::test]
async fn a_large_answer_is_whole_in_both_versions() {
    let fixture = started(short()).await;
    let mut sender = http2(fixture.identity()).await;
    for _ in 0..2 {
        let answer = sender.send_request(get("/large")).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), LARGE);
    }
    let share = &fixture.running.shares()[0];
    let began = Instant::now();
    while share.answers.used() > 0 && began.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(share.answers.used(), 0);
}

#[tokio::test]
async fn calls_of_the_labs_own_have_places_of_their_own() {
    let mut limits = Limits { idle: Duration::from_secs(60), next_head: Duration::from_secs(60), ..short() };
    limits.surfaces.connections = 24;
    let fixture = started(limits).await;
    let url = "https://login.microsoftonline.com/echo";
    let call = format!(
        "POST /call HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{url}",
        url.len()
    );
    // More at once than there are places, and each needs another connection to be answered.
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (at, call) = (fixture.identity(), call.clone());
        callers.spawn(async move { answered(&mut sent(at, call.as_bytes()).await).await });
    }
    while let Some(answer) = callers.join_next().await {
        let answer = answer.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn one_connection_that_asks_for_many_large_answers_and_takes_none_holds_one_of_them() {
    let limits = Limits { write: Duration::from_secs(20), taken: Duration::from_secs(20), ..short() };
    let fixture = started(Limits { spared: Duration::from_secs(20), ..limits }).await;
    let sender = http2(fixture.identity()).await;
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let mut sender = sender.clone();
        answers.spawn(async move { sender.send_request(get("/large")).await.unwrap() });
    }
    let mut held = Vec::new();
    while let Some(answer) = answers.join_next().await {
        held.push(answer.unwrap());
        assert!(fixture.running.shares()[0].answers.used() <= crate::limits::CONNECTION_ANSWERS);
    }
    let whole = held.iter().filter(|answer| answer.status() == 200).count();
    let refused = held.iter().filter(|answer| answer.status() == 503).count();
    assert_eq!((whole, refused), (1, 15));
    fixture.is_healthy().await;
}
