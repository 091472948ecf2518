//! Bad input through the front door: whatever is sent, each surface answers in its product's own words, and the process
//! lives on.
//!
//! Config files are not sent over HTTP; their bad input is tested where they are read.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bodies;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_acceptance::binary::Serve;
use mocktenant_acceptance::raw::{self, Answer};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// One of the three products, and how its refusals look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Surface {
    Entra,
    Aos,
    Dataverse,
}

impl Surface {
    const ALL: [Self; 3] = [Self::Entra, Self::Aos, Self::Dataverse];

    fn port(self, lab: &Serve) -> u16 {
        lab.port(match self {
            Self::Entra => "/entra/base_url",
            Self::Aos => "/aos/onebox/url",
            Self::Dataverse => "/dataverse/url",
        })
    }

    /// A request whose body never came whole is refused too, with or without a text; or its connection has ended.
    fn assert_refused_or_ended(self, answer: Option<Answer>, what: &str) {
        match answer {
            Some(answer) if answer.status == 400 && answer.body.is_empty() => {
                assert!(answer.header("x-mocktenant-exchange").is_some(), "{self:?}: {what}: not dispatched");
            }
            Some(answer) => {
                self.assert_refused(Some(answer), what);
            }
            None => {}
        }
    }

    /// The answer passed the one dispatch point and is the product's own refusal, not a framework's and not a failure.
    fn assert_refused(self, answer: Option<Answer>, what: &str) -> Answer {
        let Some(answer) = answer else { panic!("{self:?}: {what}: no answer") };
        let text = answer.text();
        let seen = format!("{self:?}: {what}: {} {text:.300}", answer.status);
        assert!((400..500).contains(&answer.status), "{seen}");
        assert!(answer.header("x-mocktenant-exchange").is_some(), "not dispatched: {seen}");
        let body = answer.json();
        match self {
            _ if answer.body.is_empty() => {
                // Where the reference has no text there is none: what has no route, no token, no time.
                assert!(
                    matches!(answer.status, 401 | 403 | 404 | 405 | 408 | 411 | 413 | 415 | 421),
                    "{seen}"
                );
            }
            Self::Entra => {
                assert!(body["error"].is_string() && body["error_codes"][0].is_u64(), "{seen}");
                let description = body["error_description"].as_str().unwrap_or_default();
                assert!(description.starts_with("AADSTS"), "{seen}");
                for member in ["timestamp", "trace_id", "correlation_id"] {
                    assert!(body[member].is_string(), "{member}: {seen}");
                }
            }
            Self::Aos if answer.status == 404 => {
                let message = body["Message"].as_str().unwrap_or_default();
                assert!(
                    message.starts_with("No HTTP resource was found that matches the request URI"),
                    "{seen}"
                );
            }
            Self::Aos => {
                let message = body["error"]["message"].as_str().unwrap_or_default();
                let query = message.starts_with("The query specified in the URI is not valid. ");
                assert!(query || message == "An error has occurred.", "{seen}");
            }
            Self::Dataverse => {
                assert!(body["error"]["code"].as_str().unwrap_or_default().starts_with("0x"), "{seen}");
                assert!(!body["error"]["message"].as_str().unwrap_or_default().is_empty(), "{seen}");
            }
        }
        answer
    }
}

/// A lab with what its callers need. At the end of every test it has to live, unharmed.
struct Bench {
    lab: Serve,
}

impl Bench {
    fn new() -> Self {
        Self { lab: Serve::start() }
    }

    fn post(&self, surface: Surface, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
        raw::send(surface.port(&self.lab), &raw::request("POST", "localhost", target, headers, body))
    }

    fn token_path(&self) -> String {
        format!("/{}/oauth2/v2.0/token", self.lab.setting("/entra/tenant_id"))
    }

    fn ask_for_token(&self, form: &str) -> Option<Answer> {
        self.post(Surface::Entra, &self.token_path(), &[FORM], form.as_bytes())
    }

    fn secret_form(&self, resource: &str) -> String {
        format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={resource}/.default",
            self.lab.setting("/entra/client_id"),
            self.lab.setting("/entra/client_secret"),
        )
    }

    fn token(&self, pointer: &str) -> String {
        let answer = self.ask_for_token(&self.secret_form(self.lab.setting(pointer))).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    fn assertion_form(&self, assertion: &str) -> String {
        format!(
            "grant_type=client_credentials&client_id={}&scope={}/.default\
             &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={assertion}",
            self.lab.setting("/entra/client_id"),
            self.lab.setting("/dataverse/resource"),
        )
    }

    /// The lab answers a good request, and nothing in it panicked.
    fn assert_unharmed(mut self) {
        assert!(self.lab.is_alive(), "{}", self.lab.log());
        self.token("/dataverse/resource");
        let health = raw::request("GET", "localhost", "/health", &[], b"");
        assert_eq!(raw::send(self.lab.port("/control_url"), &health).unwrap().status, 200);
        assert!(!self.lab.log().contains("panicked"), "{}", self.lab.log());
    }
}

/// A text put together from numbered parts.
fn repeated(times: usize, part: impl Fn(usize) -> String) -> String {
    (0..times).map(part).collect::<Vec<_>>().concat()
}

fn certificate(pem_text: &str) -> String {
    STANDARD.encode(pem::parse(pem_text).unwrap().contents())
}

fn p256_certificate() -> String {
    certificate(include_str!("../../../../foundations/keys/testdata/p256-certificate.pem"))
}

fn rsa1024_certificate() -> String {
    certificate(include_str!("../../../../foundations/keys/testdata/rsa1024-certificate.pem"))
}

#[test]
fn forms_that_are_none_are_refused_in_entras_words() {
    let bench = Bench::new();
    let good = bench.secret_form(bench.lab.setting("/dataverse/resource"));
    let twice = format!("{good}&grant_type=client_credentials");
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let many: String = repeated(20_000, |index| format!("p{index}=1&"));
    let long_id =
        format!("grant_type=client_credentials&client_id={}&client_secret=x&scope=y", "a".repeat(100_000));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("garbage", (0..=255).collect()),
        ("a bare percent", b"grant_type=%".to_vec()),
        ("percent without digits", b"grant_type=%zz&client_id=x".to_vec()),
        ("not UTF-8", b"grant_type=%ff%fe&client_id=%c3".to_vec()),
        ("NUL", b"grant_type=client_credentials%00&client_id=x".to_vec()),
        ("a parameter twice", twice.into_bytes()),
        ("UTF-16", utf16),
        ("JSON", json!({ "grant_type": "client_credentials" }).to_string().into_bytes()),
        ("XML", b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>".to_vec()),
        ("20,000 parameters", many.into_bytes()),
        ("a client id of 100,000 letters", long_id.into_bytes()),
        ("ampersands", "&".repeat(100_000).into_bytes()),
        ("equal signs", "=".repeat(100_000).into_bytes()),
        ("2 MiB", vec![b'a'; 2 * 1024 * 1024]),
        ("unknown grant", b"grant_type=magic&client_id=x&scope=y".to_vec()),
    ];
    for version in ["v2.0/", ""] {
        let target = format!("/{}/oauth2/{version}token", bench.lab.setting("/entra/tenant_id"));
        for (what, body) in &bodies {
            Surface::Entra.assert_refused(bench.post(Surface::Entra, &target, &[FORM], body), what);
        }
    }
    for kind in [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "garbage",
        ";;;",
        "\u{e4}/\u{fc}",
    ] {
        let answer =
            bench.post(Surface::Entra, &bench.token_path(), &[("Content-Type", kind)], b"grant_type=x");
        Surface::Entra.assert_refused(answer, kind);
    }
    bench.assert_unharmed();
}

#[test]
fn tenants_and_paths_that_are_none_are_refused_by_each_surface() {
    let bench = Bench::new();
    let long = "a".repeat(5000);
    let good = bench.secret_form(bench.lab.setting("/dataverse/resource"));
    for tenant in [
        "%00",
        "%2e%2e",
        "..%2f..%2fetc",
        "%ff",
        "%",
        "%zz",
        "a%5cb",
        "nowhere.example",
        "%27%22%3C%3E",
        long.as_str(),
    ] {
        let target = format!("/{tenant}/oauth2/v2.0/token");
        let answer = bench.post(Surface::Entra, &target, &[FORM], good.as_bytes());
        Surface::Entra.assert_refused(answer, tenant);
    }
    let many = "/a".repeat(3000);
    let paths = [
        "/",
        "/%00",
        "/%2e%2e/%2e%2e",
        "/..%2f..",
        "//",
        "/%",
        "/%ff",
        "/a%2Fb",
        "/data%2fCustomersV3",
        &many,
    ];
    for surface in Surface::ALL {
        for path in paths {
            for method in ["GET", "POST", "DELETE", "PATCH", "PUT", "TRACE", "BREW"] {
                let request = raw::request(method, "localhost", path, &[], b"");
                let what = format!("{method} {path:.40}");
                surface.assert_refused(raw::send(surface.port(&bench.lab), &request), &what);
            }
        }
        // A name that is neither the world's nor local, and what is no name.
        for host in ["evil.example", "a b", "localhost:99999", "[::1", "\u{e4}.example", ""] {
            let request = raw::request("GET", host, "/", &[], b"");
            if let Some(answer) = raw::send(surface.port(&bench.lab), &request) {
                assert!((400..500).contains(&answer.status), "{surface:?} {host}: {}", answer.status);
                assert!(answer.body.is_empty(), "{surface:?} {host}: {}", answer.text());
            }
        }
    }
    bench.assert_unharmed();
}

#[test]
fn heads_that_are_none_get_an_empty_refusal_or_none_and_disturb_nobody() {
    let bench = Bench::new();
    let many: String = repeated(500, |index| format!("X-{index}: y\r\n"));
    let long = format!("X-Long: {}\r\n", "a".repeat(200_000));
    let target = "a".repeat(200_000);
    let heads: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"garbage\r\n\r\n".to_vec(),
        (0..=255).collect(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"GET  /  HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost localhost\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx".to_vec(),
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n".to_vec(),
        b"GET / HTTP/1.1\r\n folded: x\r\n\r\n".to_vec(),
        b"G\xffT / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        b"GET http:// HTTP/1.1\r\n\r\n".to_vec(),
        b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x16\x03\x01\x00\x05hello".to_vec(),
        b"\x16\x03\x01\xff\xff".iter().copied().chain(std::iter::repeat_n(0, 70_000)).collect(),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").into_bytes(),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{long}\r\n").into_bytes(),
        format!("GET /{target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, nonsense\r\n\r\n".to_vec(),
    ];
    let mut ports: Vec<u16> = Surface::ALL.iter().map(|surface| surface.port(&bench.lab)).collect();
    ports.push(bench.lab.port("/control_url"));
    for head in &heads {
        for (index, port) in ports.iter().enumerate() {
            let shown = head[..head.len().min(60)].escape_ascii().to_string();
            let Some(answer) = raw::send_and_end(*port, head) else { continue };
            // What has bytes of HTTP/2 in it is a frame that ends the connection, not an answer.
            assert!(
                (400..=505).contains(&answer.status) && answer.status != 500,
                "{shown}: {}",
                answer.status
            );
            let framework = answer.header("x-mocktenant-exchange").is_none();
            if framework && index < 3 {
                assert!(answer.body.is_empty(), "{shown}: {}", answer.text());
            }
        }
    }
    bench.assert_unharmed();
}

#[test]
fn worlds_that_are_none_are_refused_with_their_place_and_change_nothing() {
    let bench = Bench::new();
    let port = bench.lab.port("/control_url");
    let patch = |body: &[u8]| {
        raw::send(
            port,
            &raw::request(
                "PATCH",
                "localhost",
                "/v1/world",
                &[("Content-Type", "application/json-patch+json")],
                body,
            ),
        )
        .unwrap()
    };
    let world = || raw::send(port, &raw::request("GET", "localhost", "/v1/world", &[], b"")).unwrap().text();
    let before = world();
    let application =
        "/tenants/c0117050-0000-4000-8000-000000000001/applications/c0117050-0000-4000-8000-00000000a001";
    let add = |path: String, value: Value| json!([{ "op": "add", "path": path, "value": value }]).to_string();
    let deep = format!(
        "[{{\"op\":\"add\",\"path\":\"/x\",\"value\":{}{}}}]",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let bodies = [
        String::new(),
        "garbage".into(),
        "{}".into(),
        "[1]".into(),
        json!([{ "op": "explode", "path": "/tenants" }]).to_string(),
        json!([{ "op": "remove", "path": "tenants" }]).to_string(),
        json!([{ "op": "remove", "path": "/tenants" }]).to_string(),
        json!([{ "op": "replace", "path": "/environments/onebox/host", "value": 7 }]).to_string(),
        json!([{ "op": "replace", "path": "/environments/onebox/tenant", "value": "nobody" }]).to_string(),
        json!([{ "op": "test", "path": "/environments/onebox/host", "value": "x" }]).to_string(),
        add(
            format!("{application}/certificates/{}", "A".repeat(40)),
            json!({ "certificate": rsa1024_certificate() }),
        ),
        add(
            format!("{application}/certificates/{}", "B".repeat(40)),
            json!({ "certificate": p256_certificate() }),
        ),
        add(format!("{application}/certificates/{}", "C".repeat(40)), json!({ "certificate": "garbage" })),
        add(
            format!("{application}/certificates/{}", "D".repeat(40)),
            json!({ "certificate": "/etc/passwd" }),
        ),
        add(
            "/environments/onebox/machine/certificates/LocalMachine/My/x".into(),
            json!({ "certificate": "x" }),
        ),
        add("/".repeat(5000), json!(1)),
        deep,
    ];
    for body in bodies {
        let answer = patch(body.as_bytes());
        let seen = format!("{body:.100}: {} {}", answer.status, answer.text());
        assert!((400..500).contains(&answer.status), "{seen}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{seen}");
        assert!(answer.json()["title"].is_string() || answer.json()["detail"].is_string(), "{seen}");
    }
    assert_eq!(patch(&vec![b' '; 5 * 1024 * 1024]).status, 413);
    assert_eq!(world(), before, "all or none");
    bench.assert_unharmed();
}
