//! What the demos' pages say to type, typed in its order by a reader in that folder; what they show is what was seen.
//!
//! Decides how long a log or a browser is waited for: a page shows what is there a few seconds later. Never changes a line:
//! only `docker compose` is what this machine has of it.

use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mocktenant_acceptance::chromium::devtools::Chromium;
use mocktenant_acceptance::pages::Place;
use mocktenant_acceptance::{pages, tools};

use crate::browser::Browser;
use crate::engine::Engine;
use crate::{browser, image};

const HOW: &str = "UPDATE_README=1 cargo test -p mocktenant-acceptance --test docker";

/// How long a line of a log may take: three rounds of who writes one every five seconds.
const PATIENCE: Duration = Duration::from_secs(16);

/// After which time a browser shows nothing new, where a page is written.
const SETTLED: Duration = Duration::from_secs(3);

pub(crate) fn dual_write(engine: &Engine) {
    let Some(()) = tools::there_or_skip(image::python(engine)) else { return };
    page(
        engine,
        "dual-write/README.md",
        &[
            "docker compose up -d",
            "docker compose run --rm -T sdk",
            "docker compose exec -T lab mocktenant restart onebox",
            "docker compose exec -T lab mocktenant scenarios --use tenant-cert-absent",
            "docker compose down -v",
        ],
    );
}

pub(crate) fn on_premises(engine: &Engine) {
    let Some(_) = tools::there_or_skip(browser::program()) else { return };
    page(
        engine,
        "onprem/README.md",
        &[
            "docker compose up -d",
            "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n mocktenant -i ca.pem",
            "open https://localhost:7445/namespaces/AXSF/",
            "sign in as ada@contoso.com with ada-password-not-secret",
            "docker compose exec -T lab mocktenant stop onprem/AOS_2",
            "docker compose exec -T lab mocktenant restart onprem 2>&1",
            "docker compose exec -T lab mocktenant events --log admin",
            "certutil -d sql:$HOME/.pki/nssdb -D -n mocktenant",
            "docker compose down -v",
        ],
    );
    // The node that is stopped is the one that had answered, or nothing is shown.
    let page = std::fs::read_to_string(pages::root().join("docker/onprem/README.md")).unwrap();
    let nodes: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("Node: ")).collect();
    assert!(matches!(nodes[..], ["AOS_2", other, ..] if other != "AOS_2"), "{nodes:?}");
    let trusted = engine.must("certutil -d sql:$HOME/.pki/nssdb -L");
    assert!(!trusted.contains("mocktenant"), "the browser still trusts it: {trusted}");
}

pub(crate) fn tests_beside_the_lab(engine: &Engine) {
    let Some(()) = tools::there_or_skip(image::python(engine)) else { return };
    page(
        engine,
        "tests/README.md",
        &[
            "docker compose run --rm -T tests",
            "docker compose -f compose.host.yaml up -d",
            "docker compose down -v",
            "docker compose -f compose.host.yaml down -v",
        ],
    );
}

/// `client.env` is what a lab in a network says about itself.
pub(crate) fn variables(engine: &Engine) {
    engine.must("docker run --detach --name variables --hostname lab mocktenant");
    image::healthy(engine, "variables");
    let seen = engine.must("docker exec variables mocktenant settings --for network --format dotenv");
    engine.must("docker rm --force --volumes variables");
    let head = "# What `mocktenant settings --for network --format dotenv` prints in the lab's container, compared by its test.\n";
    pages::compare(&pages::root().join("docker/client.env"), &format!("{head}{seen}\n"), HOW);
}

/// Does what a page says; `told` are lines without which it would not tell its story.
fn page(engine: &Engine, name: &str, told: &[&str]) {
    engine.clear();
    let path = pages::root().join("docker").join(name);
    let there = std::fs::read_to_string(&path).unwrap();
    // What it says to make in its folder is made in a copy.
    let scratch = copied();
    let chromium = OnceCell::new();
    let reader = Reader {
        engine,
        directory: scratch.path().join("docker").join(name).parent().unwrap().to_owned(),
        chromium: &chromium,
        browser: OnceCell::new(),
        did: RefCell::default(),
    };
    let seen = pages::typed(&there, |place, line, shown| reader.does(place, line, shown));
    for line in told {
        assert!(reader.did.borrow().iter().any(|did| did == line), "{name} does not say: {line}");
    }
    for (what, list) in [
        ("container", "ps --all --quiet"),
        ("volume", "volume ls --quiet"),
        ("network", "network ls --quiet --filter type=custom"),
    ] {
        assert_eq!(engine.must(&format!("docker {list}")), "", "the last line of {name} leaves a {what}");
    }
    pages::compare(&path, &seen, HOW);
}

/// The demos without what has been made in their folders: `docker` alone, for no line needs more.
fn copied() -> tempfile::TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let copied = std::process::Command::new("cp")
        .arg("--recursive")
        .arg(pages::root().join("docker"))
        .arg(scratch.path())
        .status();
    assert!(copied.unwrap().success());
    scratch
}

/// Who reads a page, in its folder.
struct Reader<'e> {
    engine: &'e Engine,
    directory: PathBuf,
    /// Started when a page first says so: after what it says to trust.
    chromium: &'e OnceCell<Chromium>,
    browser: OnceCell<Browser<'e>>,
    did: RefCell<Vec<String>>,
}

impl Reader<'_> {
    /// What is seen after that.
    fn does(&self, place: Place, line: &str, shown: &str) -> String {
        self.did.borrow_mut().push(line.to_owned());
        let seen = match place {
            Place::Console if line.starts_with("docker compose logs") => {
                if pages::are_written() {
                    // What was said before the line above it is not what a reader sees.
                    std::thread::sleep(PATIENCE);
                }
                awaited(shown, || self.types(line))
            }
            Place::Console => self.types(line),
            Place::Browser => {
                let chromium = self.chromium.get_or_init(|| browser::start(self.engine));
                let browser = self.browser.get_or_init(|| Browser::of(chromium));
                browser.does(line);
                if pages::are_written() {
                    std::thread::sleep(SETTLED);
                }
                awaited(shown, || pages::stable(&browser.reads(line)))
            }
        };
        if seen.is_empty() { seen } else { seen + "\n" }
    }

    fn types(&self, line: &str) -> String {
        let run = self.engine.typed(line, &self.directory);
        // What a user sees may be a refusal, and so may be what a page shows of standard error.
        let most = i32::from(line.ends_with(" mocktenant try --from-here") || line.ends_with(" 2>&1"));
        assert!((0..=most).contains(&run.code), "{line}\n{}{}", run.stdout, run.stderr);
        pages::stable(&run.stdout)
    }
}

/// What is seen, as soon as it is what the page shows; else what is seen in the end.
fn awaited(shown: &str, look: impl Fn() -> String) -> String {
    let began = Instant::now();
    loop {
        let seen = look();
        if pages::are_written() || seen.trim_end() == shown.trim_end() || began.elapsed() >= PATIENCE {
            return seen;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}
