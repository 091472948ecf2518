//! What a person sees, on a screen of eighty columns.

use std::io::BufRead as _;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::served::{Served, command_in, run, text};

#[test]
fn the_lines_of_try_curl_create_a_customer_each_time_and_leave_lines_and_a_masked_journal() {
    let has =
        |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has("curl") || !has("sed") {
        eprintln!("skipped: no curl or sed here");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("journal.jsonl");
    let mut lab = Served::new(&["--journal-file", file.to_str().unwrap()]);
    let script = text(&lab.run(&["try", "--curl"]).stdout);
    assert_eq!(script.lines().count(), 2, "{script}");
    for _ in 0..2 {
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let number = answer["CustomerAccount"].as_str().unwrap_or_default();
        assert!(number.len() > 10 && number.starts_with("DE-"), "{script}\n{}", text(&output.stdout));
        std::thread::sleep(Duration::from_millis(1_100));
    }

    let mut seen = String::new();
    while !seen.contains("/data/CustomersV3") {
        assert!(lab.lines.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    assert!(seen.contains("204 dataverse"), "{seen}");
    lab.signal("-TERM");
    assert_eq!(lab.wait(), 0);
    let journal = std::fs::read_to_string(&file).unwrap();
    assert!(journal.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(
        journal.contains("CustomersV3") && !journal.contains("contoso-app-secret-not-secret"),
        "{journal}"
    );
}

/// Every line fits, but for a word that must not be broken and a command to paste.
fn fits(screen: &str) {
    let mut pasted = false;
    for line in screen.lines() {
        let words = line.trim_start().trim_start_matches("| ");
        let command = words.trim_start_matches("run ").trim_start();
        pasted = words.starts_with("run ") || (pasted && command.starts_with("mocktenant "));
        let alone = !words.trim_start_matches("see ").contains(' ');
        assert!(line.chars().count() <= 80 || alone || pasted, "{line}\n{screen}");
    }
}

/// As a snapshot; what differs between two runs is made the same, and as long as it was.
macro_rules! seen {
    ($name:literal, $screen:expr) => {
        let screen: &str = &$screen;
        fits(screen);
        insta::with_settings!({ filters => vec![
            (r"\d\d:\d\d:\d\dZ", "12:00:00Z"),
            (r"x-[0-9A-Z]{7}", "x-0000000"),
            (r"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", "{00000000-0000-0000-0000-000000000000}"),
            (r"localhost:\d{5}", "localhost:00000"),
            (r"\d+\.\d ms", "0.0 ms"),
            (r" \d+ ms", " 0 ms"),
            (r"(certificate [^\n]*SHA-1 )[0-9A-F]{4}\.\.\.[0-9A-F]{4}", "${1}0000...0000"),
        ], description => "", omit_expression => true }, { insta::assert_snapshot!($name, screen) });
    };
}

/// A lab whose directory is below the home directory, so that its path is as long on every machine.
fn served() -> Served {
    let home = tempfile::tempdir().unwrap();
    let mut serve = command_in(&home.path().join("lab"));
    serve.env("HOME", home.path()).args(["serve", "--port", "0"]);
    Served::started(serve, home)
}

#[test]
fn every_screen_fits_eighty_columns() {
    let lab = served();
    let shown = |arguments: &[&str]| text(&run(&lab.state.path().join("lab"), arguments).stdout);
    seen!("serve", lab.screen.join("\n"));
    seen!("try", shown(&["try"]));
    seen!("scenarios", shown(&["scenarios"]));
    seen!("scenarios_name", shown(&["scenarios", "tenant-cert-absent"]));
    shown(&["scenarios", "--use", "tenant-cert-absent"]);
    seen!("try_refused", shown(&["try"]));
    seen!("explain", shown(&["explain"]));
    seen!("explain_all", shown(&["explain", "--all"]));
    seen!("journal_failed", shown(&["journal", "--failed"]));
    shown(&["scenarios", "--reset"]);
    shown(&["try"]);
    seen!("journal", shown(&["journal"]));
    drop(lab);
}

#[test]
fn every_story_fits_eighty_columns() {
    let scratch = tempfile::tempdir().unwrap();
    let told = |name: &str| text(&run(scratch.path(), &["reproduce", name]).stdout);
    seen!("reproduce_tenant_cert_absent", told("tenant-cert-absent"));
    seen!("reproduce_half_done", told("half-done"));
    seen!("reproduce_app_user_missing", told("app-user-missing"));
    seen!("reproduce_config_not_reloaded", told("config-not-reloaded"));
}

/// On a wide screen an exchange has one line; `COLUMNS` says so where there is no terminal.
#[test]
fn a_wide_screen_shows_an_exchange_on_one_line() {
    let lab = Served::new(&[]);
    let wide = command_in(lab.state.path()).arg("try").env("COLUMNS", "140").output().unwrap();
    let wide = text(&wide.stdout);
    assert_eq!(wide.lines().count(), 4, "{wide}");
    assert!(
        wide.lines()
            .next()
            .is_some_and(|line| line.contains("/oauth2/token") && line.contains("21/21 checks")),
        "{wide}"
    );
    fits(&text(&run(lab.state.path(), &["try"]).stdout));
}
