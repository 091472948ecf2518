//! AD FS's event logs on the command line, of a lab that is being served.

use std::io::{BufRead as _, BufReader};
use std::process::Command;

use serde_json::Value;

use crate::served::{Served, code, command_in, text};

const ACTIVITY: &str = "6f0c1a52-0000-4000-8000-00800000c0de";

/// Asks for a token with a wrong password for this user; false, with the reason, where there is no curl.
fn sign_in_with_a_wrong_password(lab: &Served, user: &str) -> bool {
    let settings = lab.settings();
    let base = settings["entra"]["base_url"].as_str().unwrap();
    let asked = Command::new("curl")
        .args(["-sk", "--noproxy", "*", "-H", &format!("client-request-id: {ACTIVITY}")])
        .args(["-d", "grant_type=password&client_id=c0117050-0000-4000-8000-00000000a101"])
        .args(["-d", &format!("username={user}&password=not-adas"), &format!("{base}/adfs/oauth2/token")])
        .output();
    let Ok(asked) = asked else {
        assert!(std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_none(), "no curl here");
        eprintln!("skipped: no curl here");
        return false;
    };
    assert!(text(&asked.stdout).contains("MSIS9659"), "{}{}", text(&asked.stdout), text(&asked.stderr));
    true
}

/// The ids that a text of events has, in order.
fn ids(shown: &str) -> Vec<&str> {
    shown.lines().filter_map(|line| line.strip_prefix("Event ID:")).map(str::trim).collect()
}

#[test]
fn a_refused_user_is_found_in_both_logs_and_an_activity_id_from_either_is_explained() {
    let lab = Served::new(&[]);
    if !sign_in_with_a_wrong_password(&lab, "ada@contoso.com") {
        return;
    }
    let all = lab.run(&["events"]);
    assert_eq!((code(&all), ids(&text(&all.stdout))), (0, vec!["111", "1000", "364", "1203", "411"]));
    let admin = text(&lab.run(&["events", "--log", "admin"]).stdout);
    assert_eq!(ids(&admin), ["111", "1000", "364"], "{admin}");
    assert!(admin.starts_with("Log Name:      AD FS/Admin\nSource:        AD FS\n"), "{admin}");
    assert!(admin.contains("\n\nLog Name:"), "{admin}");

    // As it stands in the text of an audit, and as it stands in the XML of the other log.
    let audits = text(&lab.run(&["events", "--log", "security"]).stdout);
    let pasted = audits.lines().find_map(|line| line.strip_prefix("Activity ID: ")).unwrap();
    let xml = text(&lab.run(&["events", "--log", "admin", "--format", "xml"]).stdout);
    assert_eq!(xml.lines().filter(|line| line.starts_with("<Event xmlns=")).count(), 3, "{xml}");
    let (_, braced) = xml.split_once("ActivityID=\"").unwrap();
    let (braced, _) = braced.split_once('"').unwrap();
    assert_eq!((pasted.trim(), braced), (ACTIVITY, format!("{{{}}}", ACTIVITY.to_uppercase()).as_str()));
    for id in [pasted, braced] {
        let explained = lab.run(&["explain", id, "--json"]);
        let explained: Value = serde_json::from_slice(&explained.stdout).unwrap();
        assert_eq!(explained["checks"].as_array().map(Vec::is_empty), Some(false), "{explained}");
        assert!(explained.to_string().contains("password-matches"), "{explained}");
        let of_it = text(&lab.run(&["events", "--activity", id]).stdout);
        assert_eq!(ids(&of_it).len(), 5, "{of_it}");
    }
    let json = text(&lab.run(&["events", "--format", "json"]).stdout);
    let first: Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["id"], &first["log"], &first["severity"]),
        (&111.into(), &"admin".into(), &"error".into())
    );
    assert!(!json.contains("not-adas"));
    assert_eq!(code(&lab.run(&["events", "--log", "debug"])), 2);
}

#[test]
fn whoever_follows_a_log_sees_what_comes_and_not_what_was() {
    let lab = Served::new(&[]);
    if !sign_in_with_a_wrong_password(&lab, "before@contoso.com") {
        return;
    }
    let mut follower =
        command_in(lab.state.path()).args(["events", "--follow", "--log", "security"]).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap());
    // Until it asks, nobody knows that it follows: what it shows first must come after.
    let seen = std::thread::spawn(move || {
        let mut seen = String::new();
        while ids(&seen).len() < 2 && lines.read_line(&mut seen).unwrap() > 0 {}
        seen
    });
    while !seen.is_finished() {
        std::thread::sleep(std::time::Duration::from_millis(300));
        sign_in_with_a_wrong_password(&lab, "ada@contoso.com");
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    let seen = seen.join().unwrap();
    assert_eq!(ids(&seen), ["1203", "411"], "{seen}");
    assert!(seen.contains("ada@contoso.com") && !seen.contains("before@contoso.com"), "{seen}");
}
