//! Starts and stops, again and again in one state directory and on the same ports.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::raw;

use crate::form::{Progress, dice, either, result, share};
use crate::site::{Site, are_free, free_base};

/// What a stop may take: five seconds for those being answered, one for them to notice.
const STOPS_WITHIN: Duration = Duration::from_secs(7);
/// A stop with nobody there.
const QUIET_STOP: Duration = Duration::from_secs(2);

/// Everything below a directory, by its name there. What a lab has for itself alone, by its own name, is left out.
fn files(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            found.insert(path.strip_prefix(directory).unwrap().display().to_string());
            if path.is_dir() {
                waiting.push(path);
            }
        }
    }
    found
}

/// Begins a start and kills it before it has come far, or just after.
fn killed_while_starting(home: &Path, port: u16, after: Duration) {
    let mut command = binary::command_of(binary::path());
    command.args(["serve", "--port", &port.to_string(), "--state"]).arg(home.join("state"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_lab_starts_and_stops_in_one_state_directory_as_often_as_somebody_likes() {
    const NAME: &str = "starts and stops";
    let mut dice = dice(NAME);
    let rounds = either(10, 1000);
    let progress = Progress::of(NAME);
    let scratch = tempfile::tempdir().unwrap();
    let home = scratch.path();
    let base = free_base(0);
    let (mut starts, mut stops, mut known) = (Vec::new(), Vec::new(), None);
    for round in 0..rounds {
        progress.at(|| format!("{round} of {rounds}"));
        let began = Instant::now();
        let mut command = binary::command_of(binary::path());
        command.env("MOCKTENANT_JOURNAL_FILE", home.join("journal"));
        let mut lab = Serve::start_at(command, home, base);
        starts.push(began.elapsed());
        let site = Site::of(&lab);
        site.assert_serves();
        let there = files(&lab.state());
        let known = known.get_or_insert_with(|| there.clone());
        let left_over: Vec<_> = there.symmetric_difference(known).collect();
        assert!(left_over.is_empty(), "round {round}: left over or missing: {left_over:?}");
        // Some stops find somebody who waits and somebody who has sent half of something.
        let company = (round % either(3, 30) == 0).then(|| {
            let idle = raw::connect(site.entra);
            let mut half = raw::connect(site.caller.aos);
            half.write_all(
                b"POST /data/CustomersV3 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
            )
            .unwrap();
            (idle, half)
        });
        match dice.below(3) {
            0 => {
                lab.stop("KILL", STOPS_WITHIN).unwrap();
            }
            1 => {
                lab.stop("KILL", STOPS_WITHIN).unwrap();
                drop(company);
                killed_while_starting(home, base, Duration::from_millis(dice.below(60)));
            }
            _ => {
                let began = Instant::now();
                let status = lab.stop("TERM", STOPS_WITHIN);
                assert!(status.is_some_and(|status| status.success()), "{round}: {status:?}: {}", lab.log());
                let took = began.elapsed();
                if company.is_none() {
                    assert!(took < QUIET_STOP, "{round}: a stop with nobody there took {took:?}");
                }
                stops.push(took);
                assert!(!lab.state().join("settings.json").exists(), "{round}: who reads it finds nobody");
            }
        }
        assert!(are_free(base), "{round}: a port is still taken");
    }
    let log = fs::read_to_string(home.join("stderr")).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    let explained = binary::command_of(binary::path())
        .arg("explain")
        .arg("--journal")
        .arg(home.join("journal"))
        .output()
        .unwrap();
    // Nothing was refused, so there is nothing to explain; a line that is torn could not be read.
    assert_eq!(explained.status.code(), Some(1), "{}", String::from_utf8_lossy(&explained.stderr));
    result("starts, all usable", format!("{rounds}"), rounds);
    result("start until it answers, median", format!("{:.0?}", share(&mut starts, 50)), "");
    result("stop by SIGTERM, longest", format!("{:.0?}", share(&mut stops, 100)), "<= 7s");
}
