//! What the demos' pages say to type, typed in its order by a reader in that folder; what they show is what was seen.
//!
//! Decides how long a log is waited for: a page shows what a container says a few seconds later. Never changes a line: only
//! `docker compose` is what this machine has of it.

use std::cell::RefCell;
use std::path::Path;
use std::time::{Duration, Instant};

use mocktenant_acceptance::{pages, tools};

use crate::engine::Engine;
use crate::image;

const HOW: &str = "UPDATE_README=1 cargo test -p mocktenant-acceptance --test docker";

/// How long a line of a log may take: three rounds of who writes one every five seconds.
const PATIENCE: Duration = Duration::from_secs(16);

pub(crate) fn dual_write(engine: &Engine) {
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

pub(crate) fn tests_beside_the_lab(engine: &Engine) {
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

/// Types a page; `told` are lines without which it would not tell its story.
fn page(engine: &Engine, name: &str, told: &[&str]) {
    engine.clear();
    let Some(()) = tools::there_or_skip(image::python(engine)) else { return };
    let path = pages::root().join("docker").join(name);
    let there = std::fs::read_to_string(&path).unwrap();
    // What it says to make in its folder is made in a copy.
    let scratch = copied();
    let directory = scratch.path().join("docker").join(name).parent().unwrap().to_owned();
    let typed = RefCell::new(Vec::new());
    let seen = pages::typed(&there, |command, shown| {
        typed.borrow_mut().push(command.to_owned());
        type_in(engine, &directory, command, shown)
    });
    for line in told {
        assert!(typed.borrow().iter().any(|typed| typed == line), "{name} does not say to type {line}");
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

fn type_in(engine: &Engine, directory: &Path, command: &str, shown: &str) -> String {
    let is_log = command.starts_with("docker compose logs");
    if is_log && pages::are_written() {
        // What was said before the line above it is not what a reader sees.
        std::thread::sleep(PATIENCE);
    }
    let began = Instant::now();
    loop {
        let run = engine.typed(command, directory);
        let seen = pages::stable(&run.stdout);
        let is_as_told = seen.trim_end() == shown.trim_end();
        if is_log && !is_as_told && !pages::are_written() && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(300));
            continue;
        }
        // What a user sees may be a refusal.
        let most = i32::from(command.ends_with(" mocktenant try --from-here"));
        assert!((0..=most).contains(&run.code), "{command}\n{}{}", run.stdout, run.stderr);
        return if seen.is_empty() { seen } else { seen + "\n" };
    }
}
