//! The real binary as a process: first starts at once, callers that say nothing, the story of `reproduce`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use mocktenant_acceptance::binary::{self, Serve};
use mocktenant_acceptance::raw;
use serde_json::Value;

/// Ends with the test, whatever happens.
struct Flock(Vec<Child>);

impl Drop for Flock {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// The settings documents of labs that share a state directory, one for each that answers.
fn published(state: &Path) -> Vec<Value> {
    let Ok(runs) = fs::read_dir(state.join("run")) else { return Vec::new() };
    runs.flatten()
        .filter_map(|run| fs::read(run.path().join("settings.json")).ok())
        .filter_map(|text| serde_json::from_slice(&text).ok())
        .collect()
}

#[test]
fn fifty_first_starts_at_once_in_one_state_directory_give_one_ca() {
    const STARTS: usize = 50;
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let log = scratch.path().join("log");
    fs::create_dir(&log).unwrap();
    let start = |index: usize| {
        let mut command = binary::command();
        // `reproduce` labs share nothing of a state directory but its CA; --keep holds them until all have started.
        command.args(["reproduce", "--keep", "--state"]).arg(&state);
        let log = fs::File::create(log.join(index.to_string())).unwrap();
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    };
    let mut flock = Flock((0..STARTS).map(start).collect());
    let began = Instant::now();
    let mut instances = BTreeSet::new();
    let mut roots = BTreeSet::new();
    while instances.len() < STARTS {
        for settings in published(&state) {
            instances.insert(settings["instance"].as_str().unwrap().to_owned());
            roots.insert(settings["ca_pem_text"].as_str().unwrap().to_owned());
        }
        for (index, child) in flock.0.iter_mut().enumerate() {
            let ended = child.try_wait().unwrap();
            let said = || fs::read_to_string(log.join(index.to_string())).unwrap_or_default();
            assert!(ended.is_none(), "start {index} ended with {ended:?}: {}", said());
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{} of {STARTS} answer", instances.len());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(roots.len(), 1, "one CA");
    assert_eq!(fs::read_to_string(state.join("ca.pem")).unwrap(), *roots.first().unwrap());
}

#[test]
fn of_fifty_serves_at_once_on_one_state_directory_one_serves_and_the_others_name_it() {
    const STARTS: usize = 50;
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path().join("state");
    let log = scratch.path().to_owned();
    let start = |index: usize| {
        let mut command = binary::command();
        command.args(["serve", "--port", "0", "--state"]).arg(&state);
        let log = fs::File::create(log.join(format!("log{index}"))).unwrap();
        command.stdout(Stdio::null()).stderr(log).spawn().unwrap()
    };
    let mut flock = Flock((0..STARTS).map(start).collect());
    let began = Instant::now();
    let mut ended = vec![None; STARTS];
    while ended.iter().flatten().count() < STARTS - 1 {
        for (index, child) in flock.0.iter_mut().enumerate() {
            if let Some(status) = child.try_wait().unwrap() {
                ended[index] = Some(status.code());
            }
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{} ended", ended.iter().flatten().count());
        std::thread::sleep(Duration::from_millis(5));
    }
    let holder = ended.iter().position(Option::is_none).unwrap();
    let pid = flock.0[holder].id();
    for (index, code) in ended.iter().enumerate().filter(|(index, _)| *index != holder) {
        let said = fs::read_to_string(log.join(format!("log{index}"))).unwrap();
        assert_eq!(*code, Some(Some(3)), "{said}");
        assert!(said.contains("error:"), "{said}");
    }
    while !state.join("settings.json").exists() {
        assert!(began.elapsed() < Duration::from_secs(60), "the holder never answered");
        std::thread::sleep(Duration::from_millis(5));
    }
    let settings: Value = serde_json::from_slice(&fs::read(state.join("settings.json")).unwrap()).unwrap();
    assert_eq!(settings["pid"], pid);
    assert_eq!(settings["ca_pem_text"].as_str().unwrap(), fs::read_to_string(state.join("ca.pem")).unwrap());
}

#[test]
fn reproduce_prints_the_six_lines_names_the_certificate_and_walks_the_recipe_to_green() {
    let scratch = tempfile::tempdir().unwrap();
    let mut command = binary::command();
    // A wide screen: what a user saw is one line each there.
    command.args(["reproduce", "--state"]).arg(scratch.path()).env("COLUMNS", "120");
    let run = binary::run(command, Duration::from_secs(60));
    let text = &run.stdout;
    assert_eq!(run.code, 0, "{text}\n{}", run.stderr);
    assert!(run.stderr.is_empty(), "{}", run.stderr);

    let symptom = [
        "Unable to write data to entity accounts",
        "Authentication failed with error",
        "Failed to authenticate for https://contoso.crm4.dynamics.com/api/data/v9.0/accounts",
        "For information on troubleshooting see",
        "https://go.microsoft.com/fwlink/?linkid=2244045",
        "Unable to get access token",
    ];
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert!(lines.windows(symptom.len()).any(|window| window == symptom), "{text}");

    assert!(text.contains("Infrastructure.S2SCertThumbprint"), "{text}");
    assert!(
        text.contains("9F86D081884C7D659A2FEAA0C55AD015B0F00A08") || text.contains("9F86...0A08"),
        "{text}"
    );
    assert!(text.contains("web.config:"), "{text}");
    for code in ["AADSTS700027", "0x80072560", "0x80042f09"] {
        assert!(text.contains(code), "{code}: {text}");
    }
    assert!(text.contains("DE-010"), "{text}");
    if binary::is_release() {
        assert!(run.took < Duration::from_secs(2), "{:?}", run.took);
    }
}

#[test]
fn reproduce_tells_every_scenario_to_the_end() {
    let scratch = tempfile::tempdir().unwrap();
    for name in mocktenant_scenario::names() {
        let mut command = binary::command();
        command.args(["reproduce", name, "--json", "--state"]).arg(scratch.path());
        let run = binary::run(command, Duration::from_secs(60));
        assert_eq!(run.code, 0, "{name}: {}\n{}", run.stdout, run.stderr);
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        let text = told.to_string();
        // What a scenario notes for the documentation is in no output.
        let scenario = mocktenant_scenario::find(name).unwrap();
        for noted in scenario.notes.iter().chain(scenario.expect.iter().flatten()) {
            assert!(!text.contains(noted.trim()), "{name}: {noted}");
        }
    }
}

#[cfg(target_os = "linux")]
mod silence {
    //! Callers that connect and then say nothing, or half of something.

    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    const CALLERS: usize = 1000;
    const CLOSED_WITHIN: Duration = Duration::from_secs(15);
    const GROWTH: u64 = 16 * 1024 * 1024;

    /// What a caller sends before it falls silent.
    const OPENINGS: &[&[u8]] = &[
        b"",
        b"P",
        b"POST /common/oauth2/v2.0/token HTTP/1.1\r\n",
        b"POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n",
        b"POST /common/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\ngrant",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x80garbage",
    ];

    /// Resident bytes of a process.
    fn resident(pid: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    /// Whether the other side has closed; never waits.
    fn is_closed(stream: &mut TcpStream) -> bool {
        let mut buffer = [0_u8; 4096];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => return true,
            }
        }
    }

    fn healthy(lab: &Serve) -> Duration {
        let began = Instant::now();
        let tenant = lab.setting("/entra/tenant_id");
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={}/.default",
            lab.setting("/entra/client_id"),
            lab.setting("/entra/client_secret"),
            lab.setting("/dataverse/resource"),
        );
        let port = lab.port("/entra/base_url");
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let request = raw::request(
            "POST",
            "localhost",
            &format!("/{tenant}/oauth2/v2.0/token"),
            &headers,
            form.as_bytes(),
        );
        let answer = raw::send(port, &request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let request = raw::request("GET", "localhost", &format!("/{tenant}/discovery/v2.0/keys"), &[], b"");
        assert_eq!(raw::send(port, &request).unwrap().status, 200);
        began.elapsed()
    }

    #[test]
    fn a_thousand_silent_callers_are_closed_within_15_s_cost_little_and_keep_nobody_waiting() {
        let mut lab = Serve::start();
        for _ in 0..20 {
            healthy(&lab);
        }
        let ports = [lab.port("/entra/base_url"), lab.port("/aos/onebox/url"), lab.port("/dataverse/url")];
        let before = resident(lab.pid());
        let mut open = Vec::with_capacity(CALLERS);
        for index in 0..CALLERS {
            let mut stream = raw::connect(ports[index % ports.len()]);
            stream.set_nonblocking(true).unwrap();
            let _ = stream.write_all(OPENINGS[index % OPENINGS.len()]);
            open.push((Instant::now(), index, stream));
        }
        let mut most = 0;
        let mut slowest = Duration::ZERO;
        while !open.is_empty() {
            slowest = slowest.max(healthy(&lab));
            most = most.max(resident(lab.pid()));
            open.retain_mut(|(since, index, stream)| {
                let opening = OPENINGS[*index % OPENINGS.len()];
                let age = since.elapsed();
                assert!(age < CLOSED_WITHIN, "open after {age:?}: {}", opening.escape_ascii());
                !is_closed(stream)
            });
            std::thread::sleep(Duration::from_millis(200));
        }
        let growth = most.saturating_sub(before);
        assert!(growth <= GROWTH, "{} KiB more resident", growth / 1024);
        assert!(slowest < Duration::from_secs(3), "a healthy caller waited {slowest:?}");
        assert!(lab.is_alive());
        assert!(!lab.log().contains("panicked"), "{}", lab.log());
    }
}
