//! A browser on a foreign origin cannot change or read anything of the control API; one that is told of `/proxy.pac` finds
//! the world by Microsoft's names, and everything else where it was.
//!
//! Decides with Chromium itself: pages of a stranger, of another port of this machine, and of names that have suddenly come
//! to mean this machine (rebinding: the browser asks a proxy of ours, which lets the name lead to the lab) try everything
//! `browser/page.js` knows. The same page tries it against a server that guards nothing, so that an attempt which a browser
//! would not make at all proves nothing. Nothing leaves this machine: what has no name of ours is answered by the proxy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "browser/web_api.rs"]
mod web_api;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mocktenant_acceptance::binary::port_of;
use mocktenant_acceptance::listener::{Asked, answer, read};
use mocktenant_acceptance::{chromium, raw, tools};
use mocktenant_keys::Thumbprint256;
use mocktenant_testkit::Lab;
use serde_json::{Value, json};

const SCRIPT: &str = include_str!("browser/page.js");

/// Names of the world.
const IDENTITY: &str = "login.microsoftonline.com";
const ORGANIZATION: &str = "contoso.crm4.dynamics.com";

/// A name that leads to the stranger only.
const STRANGER: &str = "evil.example";

/// Names that lead to the stranger for his page and to the lab for everything else: as if they had been rebound. The page
/// then has the very origin of the tools port, as far as the browser knows.
const REBOUND: [&str; 3] = ["rebound.example", "localhost.evil.example", "router"];

/// What the stranger's servers saw and were told.
#[derive(Default)]
struct Seen {
    reports: Vec<Value>,
    /// Method, host and status of what a rebound name led to the lab.
    rebound: Vec<(String, String, u16)>,
    /// Method and path at the server that guards nothing.
    unguarded: Vec<(String, String)>,
}

struct Stranger {
    lab: u16,
    /// The page's own server on this machine, and proxy of the browser.
    port: u16,
    unguarded: u16,
    seen: Mutex<Seen>,
}

impl Stranger {
    fn page(&self, name: &str, host: &str) -> String {
        let lab = self.lab;
        let targets = if REBOUND.contains(&host) {
            json!([["rebound", ""]])
        } else {
            json!([
                ["localhost", format!("http://localhost:{lab}")],
                ["address", format!("http://127.0.0.1:{lab}")],
                ["unguarded", format!("http://127.0.0.1:{}", self.unguarded)],
            ])
        };
        let mut page = format!(
            "<!doctype html><meta charset=utf-8><body><script>const PAGE = {};const TARGETS = {targets};\n{SCRIPT}</script>",
            json!(name),
        );
        if name == STRANGER {
            for host in REBOUND {
                page.extend(["<iframe src=\"http://", host, ":", &lab.to_string(), "/page\"></iframe>"]);
            }
            page.extend(["<iframe src=\"http://localhost:", &*self.port.to_string(), "/page\"></iframe>"]);
        }
        page
    }

    /// The page, its report, or the way to the lab.
    fn serve(&self, stream: &TcpStream) {
        let Some(asked) = read(stream) else { return };
        let name = asked.host.rsplit_once(':').map_or(&*asked.host, |(name, _)| name);
        let rest = asked.target.strip_prefix("http://").unwrap_or(&asked.target);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        let ours =
            name == STRANGER || REBOUND.contains(&name) || asked.host == format!("localhost:{}", self.port);
        match path {
            _ if !ours => answer(stream, 502, "text/plain", "nobody is there"),
            "/page" => answer(stream, 200, "text/html", &self.page(name, name)),
            "/report" => {
                let report = serde_json::from_slice(&asked.body).unwrap_or_default();
                self.seen.lock().unwrap().reports.push(report);
                answer(stream, 200, "text/plain", "");
            }
            _ if REBOUND.contains(&name) => self.lead_to_the_lab(stream, &asked, path),
            _ => answer(stream, 404, "text/plain", ""),
        }
    }

    fn lead_to_the_lab(&self, mut stream: &TcpStream, asked: &Asked, path: &str) {
        let mut request = format!("{} {path} HTTP/1.1\r\nconnection: close\r\n", asked.method);
        for (name, value) in &asked.headers {
            if !matches!(name.as_str(), "connection" | "proxy-connection") {
                request.extend([name, ": ", value, "\r\n"]);
            }
        }
        let mut bytes = format!("{request}\r\n").into_bytes();
        bytes.extend_from_slice(&asked.body);
        let mut lab = TcpStream::connect((Ipv4Addr::LOCALHOST, self.lab)).unwrap();
        lab.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        lab.write_all(&bytes).unwrap();
        let mut said = Vec::new();
        let _ = lab.take(1 << 20).read_to_end(&mut said);
        let status =
            String::from_utf8_lossy(&said).split_whitespace().nth(1).and_then(|status| status.parse().ok());
        let told = (asked.method.clone(), asked.host.clone(), status.unwrap_or(0));
        self.seen.lock().unwrap().rebound.push(told);
        let _ = stream.write_all(&said);
    }

    /// What a server that guards nothing is made to do.
    fn take_all(&self, stream: &TcpStream) {
        if let Some(asked) = read(stream) {
            self.seen.lock().unwrap().unguarded.push((asked.method, asked.target));
            answer(stream, 200, "application/json", "{}");
        }
    }
}

/// Serves every connection on a thread of its own until the test ends.
fn listen(listener: TcpListener, stranger: &Arc<Stranger>, serve: fn(&Stranger, &TcpStream)) {
    let stranger = Arc::clone(stranger);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let stranger = Arc::clone(&stranger);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                serve(&stranger, &stream);
            });
        }
    });
}

/// A browser that reaches into networks without asking first: the lab has to guard itself, also against such a one.
fn chromium(program: &Path, profile: &Path) -> Command {
    let mut command = chromium::command(program, profile);
    command
        .arg("--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,HttpsUpgrades");
    command
}

/// A browser that ends with the test.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    fn open(program: &Path, profile: &Path, proxy: u16) -> Self {
        let child = chromium(program, profile)
            .arg(format!("--proxy-server=http://127.0.0.1:{proxy}"))
            .arg("--remote-debugging-port=0")
            .arg(format!("http://{STRANGER}/page"))
            .spawn();
        Self(child.unwrap())
    }
}

/// The key that signs the leaves for Microsoft's names, as Chromium takes one that is to be trusted without a store: the
/// SHA-256 of it. openssl has found the way from it to the root for these names.
fn issuing_key(openssl: &Path, lab: &Lab, port: u16) -> String {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("root.pem");
    std::fs::write(&root, &lab.settings().ca_real_names_pem_text).unwrap();
    let run = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let mut shown = Command::new(openssl);
    shown.args(["s_client", "-showcerts", "-verify_return_error", "-no-CApath", "-no-CAstore"]);
    shown.args(["-proxy", &format!("127.0.0.1:{port}"), "-connect", &format!("{IDENTITY}:443")]);
    let shown = run(shown.args(["-servername", IDENTITY, "-CAfile"]).arg(&root));
    let chain = pem::parse_many(shown).unwrap();
    let [_leaf, issuing] = chain.as_slice() else { panic!("{} certificates", chain.len()) };
    let file = scratch.path().join("issuing.pem");
    std::fs::write(&file, pem::encode(issuing)).unwrap();
    let key = run(Command::new(openssl).args(["x509", "-pubkey", "-noout", "-in"]).arg(&file));
    STANDARD.encode(Thumbprint256::of_der(pem::parse(key).unwrap().contents()).as_bytes())
}

/// Answers whoever comes with one page, and tells what came.
fn served(page: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            if let Some(asked) = read(&stream) {
                told.lock().unwrap().push(asked.host + &asked.target);
                answer(&stream, 200, "text/html", page);
            }
        }
    });
    (port, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_with_the_labs_proxy_pac_finds_the_world_by_its_names_and_everything_else_directly() {
    let (Some(program), Some(openssl)) = (tools::or_skip("chromium"), tools::or_skip("openssl")) else {
        return;
    };
    let lab = Lab::start().await;
    let port = port_of(&lab.settings().control_url);
    let key = issuing_key(&openssl, &lab, port);
    let (own, seen) = served("<p>a page of somebody else</p>");
    let shown = |url: &str| {
        let profile = tempfile::tempdir().unwrap();
        let mut command = chromium(&program, profile.path());
        command
            .arg(format!("--proxy-pac-url=http://localhost:{port}/proxy.pac"))
            .arg(format!("--ignore-certificate-errors-spki-list={key}"))
            // Who is looked up is not asked of a proxy: no name of the world leads anywhere by itself.
            .arg(format!("--host-resolver-rules=MAP {STRANGER} 127.0.0.1:{own}, MAP *.com 127.0.0.1:1"))
            .args(["--timeout=20000", "--dump-dom", url]);
        let output = command.stdout(Stdio::piped()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let came = || {
        let records = lab.lab().journal().records();
        let proxied =
            records.iter().filter(|record| record.fact("via").is_some_and(|via| &*via.value == "proxy"));
        assert_eq!(
            proxied.clone().count(),
            records.iter().filter(|record| record.fact("via").is_some()).count()
        );
        proxied
            .map(|record| format!("{} {}{}", record.surface, record.host, record.target))
            .collect::<Vec<_>>()
    };
    let tenant = &lab.settings().entra.tenant_id;
    let discovery = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let page = shown(&format!("https://{IDENTITY}{discovery}"));
    assert!(page.contains(&format!("\"issuer\":\"https://{IDENTITY}/{tenant}/v2.0\"")), "{page}");
    let expected = format!("entra {IDENTITY}{discovery}");
    assert!(came().contains(&expected), "{:?}", came());
    let page = shown(&format!("https://{ORGANIZATION}/"));
    let expected = format!("dataverse {ORGANIZATION}/");
    assert!(came().contains(&expected), "{:?}: {page}", came());

    let before = came();
    let page = shown(&format!("http://{STRANGER}/somewhere"));
    assert!(page.contains("a page of somebody else"), "{page}");
    assert!(seen.lock().unwrap().contains(&format!("{STRANGER}/somewhere")), "{:?}", seen.lock().unwrap());
    assert_eq!(came(), before, "the lab was not asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_a_foreign_origin_changes_and_reads_nothing() {
    let Some(chromium) = tools::or_skip("chromium") else { return };
    let lab = Lab::start().await;
    let control = lab.settings().control_url.clone();
    let before = lab.lab().world_and_revision();
    let records = lab.lab().journal().records().len();
    let (own, unguarded) =
        (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let stranger = Arc::new(Stranger {
        lab: port_of(&control),
        port: port(&own),
        unguarded: port(&unguarded),
        seen: Mutex::default(),
    });
    let proxy = stranger.port;
    listen(own, &stranger, Stranger::serve);
    listen(unguarded, &stranger, Stranger::take_all);
    let profile = tempfile::tempdir().unwrap();
    let browser = Browser::open(&chromium, profile.path(), proxy);
    // The stranger himself, another port of this machine, and each rebound name.
    let pages = 2 + REBOUND.len();
    let began = Instant::now();
    while stranger.seen.lock().unwrap().reports.len() < pages && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(browser);
    let seen = std::mem::take(&mut *stranger.seen.lock().unwrap());

    let told: BTreeSet<&str> = seen.reports.iter().filter_map(|report| report["page"].as_str()).collect();
    assert_eq!(told.len(), pages, "every page told what it could do: {told:?}");
    let mut cases = 0;
    for report in &seen.reports {
        for result in report["results"].as_array().unwrap() {
            let (name, said) = (result["name"].as_str().unwrap(), result["said"].as_str().unwrap());
            if name.starts_with("unguarded") {
                continue;
            }
            cases += 1;
            let told = [
                "client_secret",
                "contoso",
                "schema",
                "BEGIN CERTIFICATE",
                "sequence",
                "records",
                "generation",
                "open",
            ];
            let told: Vec<_> = told.iter().filter(|word| said.contains(**word)).collect();
            assert!(told.is_empty(), "{} read something by {name}: {said}", report["page"]);
        }
    }
    assert!(cases >= 150, "{cases} attempts");

    let after = lab.lab().world_and_revision();
    assert_eq!(before.1, after.1, "the world was never exchanged for another one");
    assert_eq!(lab.lab().journal().records().len(), records, "nothing was started again");

    for host in REBOUND {
        let there: Vec<_> = seen.rebound.iter().filter(|(_, at, _)| at.starts_with(host)).collect();
        let methods: BTreeSet<&str> = there.iter().map(|(method, ..)| method.as_str()).collect();
        for method in ["GET", "POST", "PATCH", "PUT"] {
            assert!(methods.contains(method), "{host} was led to the lab with {methods:?}");
        }
        // A tunnel is the proxy's to refuse, before anybody is asked who called.
        let refused =
            |method: &str, status: u16| status == 421 || method == "CONNECT" && matches!(status, 400 | 403);
        assert!(there.iter().all(|(method, _, status)| refused(method, *status)), "{there:?}");
    }
    // The attempts are real: whoever guards nothing is reached by them.
    let reached: BTreeSet<&str> = seen.unguarded.iter().map(|(method, _)| method.as_str()).collect();
    assert!(
        reached.contains("GET") && reached.contains("POST") && reached.contains("OPTIONS"),
        "{reached:?}"
    );
    let posts = seen.unguarded.iter().filter(|(method, _)| method == "POST").count();
    assert!(posts >= 16, "{posts} writes reached a server that guards nothing: {:?}", seen.unguarded);

    // And what none of them could do is possible.
    let edit = json!([{ "op": "replace", "path": "/caller/client_secret", "value": "changed" }]);
    let edit = edit.to_string();
    let request = raw::request(
        "PATCH",
        "localhost",
        "/v1/world",
        &[("content-type", "application/json")],
        edit.as_bytes(),
    );
    assert_eq!(raw::send(stranger.lab, &request).map(|answer| answer.status), Some(200));
    assert_eq!(lab.lab().world_and_revision().1, before.1 + 1);
}
