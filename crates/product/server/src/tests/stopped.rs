//! A federation service that is stopped, as clients meet it: by localhost, by its name, through the proxy, and as a call.

use http_body_util::Full;
use mocktenant_lab::outbound::{CallError, Outbound as _, Reply};
use mocktenant_lab::{Command, InProcess, SERVICE_RUNS};
use mocktenant_world::{Edit, EditedBy, Setting};
use tokio::io::AsyncRead;

use super::crowds::http2;
use super::proxy::{asked, secured, told, tunnel};
use super::tls::curl;
use super::*;
use crate::{Options, start};

const ADFS: &str = "adfs.contoso.com";
const SECOND: &str = "sts.contoso.com";
const ENTRA: &str = "login.microsoftonline.com";
const PROBE: &str = "/adfs/probe";

/// The lab people get, with a second federation service.
async fn two() -> Fixture {
    let state = tempfile::tempdir().unwrap();
    let world = World::contoso().unwrap();
    let mut second = world.get(&Setting::fixed("/federation_services/contoso")).unwrap().clone();
    second["host_name"] = SECOND.into();
    let second = Edit::add(Setting::fixed("/federation_services/second"), second);
    let world = Arc::new(world.edited(&[second], EditedBy::Control).unwrap());
    let running = start(Options { ports: Ports::Free, ..Options::new(world, state.path()) }).await.unwrap();
    Fixture { running, state }
}

impl Fixture {
    async fn stops(&self) {
        let stop = Command::Stop { of: ADFS.into(), by: EditedBy::Control };
        self.running.lab().apply(stop).await.unwrap();
    }

    async fn starts(&self) {
        let start = Command::Start { of: ADFS.into(), by: EditedBy::Control };
        self.running.lab().apply(start).await.unwrap();
    }

    async fn called(&self, url: &str) -> Result<Reply, CallError> {
        self.running.outbound_client().get(url).await
    }
}

/// Every byte until the connection ends.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes)).await;
    // TLS tells an end that the other side did not announce.
    let _ = read.expect("the lab closes the connection");
    bytes
}

fn request(host: &str, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n")
}

#[tokio::test]
async fn a_connection_to_what_is_stopped_is_closed_without_a_byte_and_the_port_goes_on() {
    let fixture = two().await;
    let port = fixture.identity().port();
    let local = format!("localhost:{port}");
    // One that was kept alive from before, and that is asked once more.
    let mut kept = secured(&fixture, fixture.connect().await, "localhost").await.unwrap();
    let answer = asked(&mut kept, &request(&local, PROBE)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    fixture.stops().await;
    kept.write_all(request(&local, PROBE).as_bytes()).await.unwrap();
    assert_eq!(rest(&mut kept).await, b"");
    for (name, host, path) in [
        ("localhost", local.as_str(), PROBE),
        ("localhost", &local, "/adfs/oauth2/token"),
        ("localhost", &local, "/FederationMetadata/2007-06/FederationMetadata.xml"),
        (ADFS, ADFS, PROBE),
        (ADFS, ADFS, "/"),
        ("localhost", ADFS, PROBE),
    ] {
        let mut stream = secured(&fixture, fixture.connect().await, name).await.unwrap();
        stream.write_all(request(host, path).as_bytes()).await.unwrap();
        assert_eq!(rest(&mut stream).await, b"", "{host}{path}");
        let plain = fixture.sent(request(host, path).as_bytes()).await;
        assert_eq!(plain, "", "http {host}{path}");
    }
    let tenant = "/contoso.com/v2.0/.well-known/openid-configuration";
    for (host, path) in [(local.as_str(), tenant), (ENTRA, tenant), (SECOND, PROBE)] {
        let mut stream = fixture.connect().await;
        let answer = told(&mut stream, &request(host, path)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}{path}: {answer}");
    }
    let records = fixture.running.lab().journal().records();
    let closed = records.iter().filter(|record| record.error.as_deref() == Some("stopped"));
    let checks = closed.map(|record| record.failed_check().unwrap().name.clone());
    assert_eq!(checks.collect::<Vec<_>>(), [SERVICE_RUNS.name; 13]);
    fixture.starts().await;
    let answer = told(&mut fixture.connect().await, &request(&local, PROBE)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn over_http2_the_stream_alone_ends_and_what_else_is_asked_there_is_answered() {
    let fixture = two().await;
    fixture.stops().await;
    let local = format!("http://localhost:{}", fixture.identity().port());
    let mut sender = http2(fixture.identity()).await;
    let get = |path: &str| {
        let uri = format!("{local}{path}");
        http::Request::builder().uri(uri).body(Full::<bytes::Bytes>::default()).unwrap()
    };
    let ended = sender.send_request(get(PROBE)).await.expect_err("nobody answers");
    assert!(!ended.is_closed(), "{ended:?}");
    let tenant = "/contoso.com/v2.0/.well-known/openid-configuration";
    assert_eq!(sender.send_request(get(tenant)).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_proxy_says_502_for_a_name_that_refuses_connections() {
    let fixture = two().await;
    let mut open = tunnel(&fixture, &format!("{ADFS}:80")).await;
    fixture.stops().await;
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    for (head, port) in [
        (format!("CONNECT {ADFS}:443 HTTP/1.1\r\nhost: {ADFS}:443\r\n\r\n"), 443),
        (format!("CONNECT ADFS.contoso.com.:443 HTTP/1.1\r\nhost: {ADFS}:443\r\n\r\n"), 443),
        (format!("GET http://{ADFS}{PROBE} HTTP/1.1\r\nhost: {ADFS}\r\n\r\n"), 80),
    ] {
        let answer = told(&mut stream, &head).await;
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}: {answer}");
        let why = format!(
            "{ADFS}:{port} refuses connections: AD FS is stopped; `mocktenant start {ADFS}` starts it\n"
        );
        assert!(answer.ends_with(&why), "{head}: {answer}");
    }
    // A port that nothing would listen on is refused as before.
    let other = told(&mut stream, &format!("CONNECT {ADFS}:8443 HTTP/1.1\r\nhost: {ADFS}\r\n\r\n")).await;
    assert!(other.starts_with("HTTP/1.1 403 "), "{other}");
    // A tunnel that was opened before leads to nobody.
    open.write_all(request(ADFS, PROBE).as_bytes()).await.unwrap();
    assert_eq!(rest(&mut open).await, b"");
    for name in [ENTRA, SECOND] {
        tunnel(&fixture, &format!("{name}:443")).await;
    }
    fixture.starts().await;
    let mut stream = tunnel(&fixture, &format!("{ADFS}:80")).await;
    let answer = asked(&mut stream, &request(ADFS, PROBE)).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn calls_of_the_lab_are_refused_by_name_and_broken_by_localhost_with_sockets_and_without() {
    let fixture = two().await;
    let port = fixture.identity().port();
    let urls = [
        format!("https://{ADFS}{PROBE}"),
        format!("http://ADFS.contoso.com.{PROBE}"),
        format!("https://{ADFS}:{port}{PROBE}"),
        // Without TLS, which has words of its own for an end that nobody announced.
        format!("http://localhost:{port}{PROBE}"),
    ];
    for url in &urls {
        assert_eq!(fixture.called(url).await.unwrap().status, 200, "{url}");
    }
    fixture.stops().await;
    let refused = |port| CallError::Refused { host: ADFS.into(), port };
    let closed = "connection closed before message completed";
    let broken = CallError::Broken { host: "localhost".into(), why: closed.into() };
    let lab = fixture.running.lab();
    let here = InProcess::new(lab, lab.dial().unwrap());
    for (url, expected) in urls.iter().zip([refused(443), refused(80), refused(port), broken]) {
        let there = fixture.called(url).await.unwrap_err();
        assert_eq!(there, expected, "{url}");
        let call = Call {
            method: Method::GET,
            url: url.clone(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
        };
        assert_eq!(here.call(call).await.unwrap_err(), expected, "{url}, in process");
    }
    for name in [ENTRA, SECOND] {
        let path = if name == SECOND { PROBE } else { "/contoso.com/v2.0/.well-known/openid-configuration" };
        assert_eq!(fixture.called(&format!("https://{name}{path}")).await.unwrap().status, 200);
    }
    fixture.starts().await;
    assert_eq!(fixture.called(&urls[0]).await.unwrap().status, 200);
}

#[tokio::test]
async fn curl_tells_an_empty_reply_and_a_proxy_that_says_502() {
    let fixture = two().await;
    fixture.stops().await;
    let port = fixture.identity().port();
    let local = format!("http://localhost:{port}{PROBE}");
    let Some(answer) = curl(&fixture, &[&local]).await else { return };
    assert_eq!(answer, Err(52), "an empty reply from the server");
    let proxy = format!("http://localhost:{}", fixture.tools().port());
    let by_name = format!("https://{ADFS}{PROBE}");
    let arguments = ["--noproxy", "", "--proxy", &proxy, "--write-out", "%{http_connect}", &by_name];
    let output = curl(&fixture, &arguments).await.unwrap();
    assert_eq!(output, Err(56), "CONNECT tunnel failed");
}
