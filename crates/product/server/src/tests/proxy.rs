//! The forward proxy, as clients and strangers use it.

use http_body_util::Full;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::crowds::http2;
use super::tls::curl;
use super::*;

const ENTRA: &str = "login.microsoftonline.com";
const DATAVERSE: &str = "contoso.crm4.dynamics.com";

/// Writes to the tools port and reads one head, and what its length announces.
pub(super) async fn told(stream: &mut TcpStream, bytes: &str) -> String {
    stream.write_all(bytes.as_bytes()).await.unwrap();
    head(stream).await
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut byte)).await.unwrap();
        if read.unwrap_or_default() == 0 {
            break;
        }
        answer.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&answer).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8_lossy(&body)
}

/// A tunnel that was opened.
pub(super) async fn tunnel(fixture: &Fixture, to: &str) -> TcpStream {
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let answer = told(&mut stream, &format!("CONNECT {to} HTTP/1.1\r\nhost: {to}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    stream
}

pub(super) async fn secured(
    fixture: &Fixture,
    stream: TcpStream,
    name: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let roots = fixture.running.ca_pem() + &fixture.running.ca_real_names_pem();
    let roots = CertificateDer::pem_slice_iter(roots.as_bytes()).map(Result::unwrap);
    let config = crate::tls::client_config(&provider, roots.collect::<Vec<_>>()).unwrap();
    TlsConnector::from(config).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

pub(super) async fn asked(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    head(stream).await
}

#[tokio::test]
async fn a_tunnel_ends_in_the_lab_with_the_leaf_of_its_name() {
    let fixture = started(Limits::default()).await;
    let stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    let mut stream = secured(&fixture, stream, ENTRA).await.unwrap();
    for _ in 0..2 {
        let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {ENTRA}\r\n\r\n")).await;
        assert!(answer.ends_with(&format!("https {ENTRA} {ENTRA} /echo ")), "{answer}");
    }
    // Plain http goes through either port, and names are folded.
    for to in [
        format!("{DATAVERSE}:80"),
        format!("{}:443", DATAVERSE.to_ascii_uppercase()),
        format!("{DATAVERSE}.:443"),
    ] {
        let mut stream = tunnel(&fixture, &to).await;
        let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {DATAVERSE}\r\n\r\n")).await;
        assert!(answer.ends_with(&format!("http - {DATAVERSE} /echo ")), "{answer}");
    }
    let via = fixture.running.lab().journal().records();
    let proxied =
        via.iter().filter(|record| record.fact("via").is_some_and(|via| &*via.value == "proxy")).count();
    assert_eq!(proxied, 5, "the journal knows");
    fixture.is_healthy().await;
    let records = fixture.running.lab().journal().records();
    assert!(records.last().is_some_and(|last| last.fact("via").is_none()), "and of nothing else");
}

#[tokio::test]
async fn the_leaf_in_a_tunnel_is_that_of_its_name_whatever_sni_says() {
    let fixture = started(Limits::default()).await;
    let stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    secured(&fixture, stream, DATAVERSE).await.expect_err("no other name is spoken for in this tunnel");
    let stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    secured(&fixture, stream, ENTRA).await.unwrap();
}

#[tokio::test]
async fn the_proxy_s_own_address_means_the_tunnel_s_name_and_any_other_is_421() {
    let fixture = started(Limits::default()).await;
    let port = fixture.tools().port();
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        format!("[::1]:{port}"),
        format!("lab:{port}"),
    ] {
        let mut stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
        let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert!(answer.ends_with(&format!("{ENTRA} /echo ")), "{host}: {answer}");
    }
    let identity = fixture.identity().port();
    let strangers = [
        DATAVERSE.to_owned(),
        format!("localhost:{identity}"),
        String::from("localhost"),
        String::from("evil.example"),
        format!("evil.example:{port}"),
        String::from("a b"),
        String::new(),
    ];
    for host in strangers {
        let mut stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
        let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {host}\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{host}: {answer}");
    }
    // HTTP/1.0 need not name any.
    let mut stream = tunnel(&fixture, &format!("{ENTRA}:80")).await;
    let answer = asked(&mut stream, "GET /echo HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with(&format!("{ENTRA} /echo ")), "{answer}");
    // A request of its own inside goes to the surface, whatever its path.
    let mut stream = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    let answer = asked(&mut stream, &format!("GET /v1/world HTTP/1.1\r\nhost: {ENTRA}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("not found"), "{answer}");
}

#[tokio::test]
async fn absolute_form_goes_to_the_surface_and_never_to_the_tools() {
    let fixture = started(Limits::default()).await;
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let port = fixture.tools().port();
    for host in [ENTRA, "evil.example", &format!("localhost:{port}")] {
        let request = format!(
            "GET http://{ENTRA}/echo?a=b HTTP/1.1\r\nhost: {host}\r\nproxy-authorization: Basic eDp5\r\n\
             proxy-connection: keep-alive\r\n\r\n"
        );
        let answer = told(&mut stream, &request).await;
        assert!(answer.ends_with(&format!("http - {ENTRA} /echo?a=b ")), "{host}: {answer}");
    }
    for path in ["/v1/world", "/v1/settings", "/health", "/proxy.pac", "/"] {
        let answer =
            told(&mut stream, &format!("GET http://{DATAVERSE}{path} HTTP/1.1\r\nhost: {DATAVERSE}\r\n\r\n"))
                .await;
        assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("not found"), "{path}: {answer}");
    }
    let body =
        format!("POST http://{ENTRA}:80/echo HTTP/1.1\r\nhost: {ENTRA}\r\ncontent-length: 4\r\n\r\nbody");
    assert!(told(&mut stream, &body).await.ends_with(&format!("http - {ENTRA}:80 /echo body")));
    // The tools are there in either form.
    let own = told(
        &mut stream,
        &format!("GET http://localhost:{port}/version HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"),
    )
    .await;
    assert!(own.starts_with("HTTP/1.1 200 ") && own.contains("\"version\""), "{own}");
    let records = fixture.running.lab().journal().records();
    for name in ["proxy-authorization", "proxy-connection"] {
        let kept = records.iter().any(|record| record.request_headers.to_ascii_lowercase().contains(name));
        assert!(!kept, "{name} is for the proxy alone");
    }
    assert!(records.iter().all(|record| record.fact("via").is_some_and(|via| &*via.value == "proxy")));
}

#[tokio::test]
async fn nothing_leaves_the_world() {
    let fixture = started(Limits::default()).await;
    let identity = fixture.identity().port();
    let tools = fixture.tools().port();
    let refused = [
        "CONNECT pypi.org:443".to_owned(),
        format!("CONNECT {ENTRA}:22"),
        format!("CONNECT {ENTRA}:7443"),
        "CONNECT 127.0.0.1:443".to_owned(),
        "CONNECT [::1]:443".to_owned(),
        "CONNECT 10.0.0.1:443".to_owned(),
        "CONNECT 169.254.169.253:80".to_owned(),
        format!("CONNECT localhost:{identity}"),
        format!("CONNECT localhost:{tools}"),
        "GET http://example.com/".to_owned(),
        format!("GET http://{ENTRA}:7443/echo"),
        format!("GET https://{ENTRA}/echo"),
        format!("GET http://localhost:{identity}/echo"),
        "GET http://127.0.0.1/".to_owned(),
        "GET ftp://example.com/".to_owned(),
    ];
    for line in refused {
        let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
        let answer = told(&mut stream, &format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{line}: {answer}");
        let (_, said) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(said.lines().count(), 1, "{line}: {answer}");
        assert!(said.contains("NO_PROXY") || said.contains("CONNECT"), "{line}: {answer}");
    }
    let malformed = [
        "CONNECT login.microsoftonline.com",
        "CONNECT user@login.microsoftonline.com:443",
        "CONNECT user:password@login.microsoftonline.com:443",
        "CONNECT [fe80::1%25eth0]:443",
        "CONNECT [fe80::1%eth0]:443",
        "CONNECT :443",
        "CONNECT login.microsoftonline.com:",
        "CONNECT login.microsoftonline.com:99999",
        "CONNECT login.microsoftonline.com:443:443",
        "CONNECT /v1/world",
        "CONNECT https://login.microsoftonline.com/",
        "CONNECT login.microsoftonline.com:443 login.windows.net:443",
        "GET http://user@login.microsoftonline.com/echo",
        "GET http:///echo",
    ];
    for line in malformed {
        let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
        let answer = told(&mut stream, &format!("{line} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 4") || answer.is_empty(), "{line}: {answer}");
        assert!(!answer.contains(" 404 "), "no surface was asked: {line}: {answer}");
    }
    let long = format!("CONNECT {}:443 HTTP/1.1\r\n\r\n", "a".repeat(100_000));
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let _ = stream.write_all(long.as_bytes()).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(fixture.running.lab().journal().records().len(), 0, "none of it reached a product");
    fixture.is_healthy().await;
}

/// What reaches a proxy over TLS is as plain behind it as it says.
#[tokio::test]
async fn a_page_over_http_stays_one_where_the_proxy_itself_is_reached_over_tls() {
    let fixture = started(Limits::default()).await;
    let stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let mut stream = secured(&fixture, stream, "localhost").await.unwrap();
    let answer =
        asked(&mut stream, &format!("GET http://{ENTRA}/echo HTTP/1.1\r\nhost: {ENTRA}\r\n\r\n")).await;
    assert!(answer.ends_with(&format!("http - {ENTRA} /echo ")), "{answer}");
}

#[tokio::test]
async fn a_tunnel_may_be_asked_for_with_a_body_of_no_bytes() {
    let fixture = started(Limits::default()).await;
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let request = format!("CONNECT {ENTRA}:80 HTTP/1.1\r\nhost: {ENTRA}\r\ncontent-length: 0\r\n\r\n");
    let answer = told(&mut stream, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {ENTRA}\r\n\r\n")).await;
    assert!(answer.ends_with(&format!("{ENTRA} /echo ")), "{answer}");
}

/// What follows `CONNECT` is the tunnel's, never a second request to the tools.
#[tokio::test]
async fn nothing_is_smuggled_past_a_tunnel() {
    let fixture = started(short()).await;
    let port = fixture.tools().port();
    for framing in [
        "content-length: 60",
        "transfer-encoding: chunked",
        "content-length: 0\r\ntransfer-encoding: chunked",
    ] {
        let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
        let request = format!("CONNECT {ENTRA}:443 HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n");
        let answer = told(&mut stream, &request).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{framing}: {answer}");
    }
    // A second request in the same bytes is read inside the tunnel.
    let mut stream = TcpStream::connect(fixture.tools()).await.unwrap();
    let inner = format!("GET /v1/settings HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n");
    let request = format!("CONNECT {ENTRA}:80 HTTP/1.1\r\nhost: x\r\n\r\n{inner}");
    assert!(told(&mut stream, &request).await.starts_with("HTTP/1.1 200 "));
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 404 ") && answer.ends_with("not found"), "{answer}");
    // And a tunnel opens no further one.
    let mut stream = tunnel(&fixture, &format!("{ENTRA}:80")).await;
    let answer =
        asked(&mut stream, &format!("CONNECT {DATAVERSE}:443 HTTP/1.1\r\nhost: {DATAVERSE}:443\r\n\r\n"))
            .await;
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
}

#[tokio::test]
async fn a_tunnel_that_says_nothing_or_no_tls_ends_in_time() {
    let fixture = started(short()).await;
    let mut silent = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    assert_eq!(read_to_end(&mut silent).await, "");
    let mut garbage = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    garbage.write_all(b"\x16\x03\x01garbage that is no handshake").await.unwrap();
    let answer = read_to_end(&mut garbage).await;
    assert!(!answer.contains("HTTP"), "{answer}");
    let mut half = tunnel(&fixture, &format!("{ENTRA}:443")).await;
    half.write_all(b"\x16").await.unwrap();
    read_to_end(&mut half).await;
    fixture.is_healthy().await;
}

#[tokio::test]
async fn a_thousand_silent_tunnels_keep_nobody_out() {
    let fixture = started(Limits { first_head: Duration::from_secs(30), ..Limits::default() }).await;
    let mut tunnels = Vec::new();
    for _ in 0..1_000 {
        tunnels.push(tunnel(&fixture, &format!("{ENTRA}:443")).await);
    }
    fixture.is_healthy().await;
    let mut stream = tunnel(&fixture, &format!("{DATAVERSE}:80")).await;
    let answer = asked(&mut stream, &format!("GET /echo HTTP/1.1\r\nhost: {DATAVERSE}\r\n\r\n")).await;
    assert!(answer.ends_with(&format!("{DATAVERSE} /echo ")), "{answer}");
    let mut tools = TcpStream::connect(fixture.tools()).await.unwrap();
    let port = fixture.tools().port();
    let answer = told(&mut tools, &format!("GET /version HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let began = std::time::Instant::now();
    fixture.running.stop(Duration::from_secs(5)).await;
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "silent tunnels do not keep a lab: {:?}",
        began.elapsed()
    );
}

/// HTTP/2 writes every address whole, so it is the tools' own, whoever is named; and it opens no tunnels here.
#[tokio::test]
async fn http2_to_the_tools_port_is_for_the_tools() {
    let fixture = started(Limits::default()).await;
    let port = fixture.tools().port();
    for (method, uri, expected) in [
        ("GET", format!("http://localhost:{port}/version"), 200),
        ("GET", format!("http://localhost:{port}/echo"), 404),
        ("GET", format!("http://{ENTRA}/version"), 200),
        ("GET", "http://evil.example/version".to_owned(), 421),
        ("CONNECT", format!("{ENTRA}:443"), 501),
    ] {
        let mut sender = http2(fixture.tools()).await;
        let request = http::Request::builder().method(method).uri(&uri).body(Full::default()).unwrap();
        let status = sender.send_request(request).await.unwrap().status();
        assert_eq!(status.as_u16(), expected, "{method} {uri}");
    }
    assert_eq!(fixture.running.lab().journal().records().len(), 0, "no surface was asked");
}

#[tokio::test]
async fn curl_goes_through_with_both_versions_and_over_tls() {
    let fixture = started(Limits::default()).await;
    let url = format!("https://{ENTRA}/echo");
    for proxy in [
        format!("http://localhost:{}", fixture.tools().port()),
        format!("http://127.0.0.1:{}", fixture.tools().port()),
    ] {
        for version in ["--http1.1", "--http2"] {
            // The fixture's curl passes by every proxy; what stands last counts.
            let arguments = ["--noproxy", "", "--proxy", &proxy, version, &url];
            let Some(answer) = curl(&fixture, &arguments).await else { return };
            assert_eq!(answer, Ok(format!("https {ENTRA} {ENTRA} /echo ")), "{proxy} {version}");
        }
        let plain = format!("http://{ENTRA}/echo");
        let answer = curl(&fixture, &["--noproxy", "", "--proxy", &proxy, &plain]).await.unwrap();
        assert_eq!(answer, Ok(format!("http - {ENTRA} /echo ")), "{proxy}");
    }
}
