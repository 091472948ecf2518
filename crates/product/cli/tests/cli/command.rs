//! The command as a person or a script meets it: its exit codes, its files, its words.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use mocktenant_server::Settings;
use mocktenant_server::client::{Client, read_json};
use serde_json::Value;

use crate::served::{Served, code, command_in as command, run, text};

#[test]
fn serve_prints_one_screen_publishes_its_settings_and_stops_on_sigterm() {
    let mut lab = Served::new(&[]);
    let settings = lab.settings();
    let screen = lab.screen.join("\n");
    for pointer in [
        "/entra/authority",
        "/adfs/base_url",
        "/adfs/resource",
        "/user/name",
        "/aos/onebox/url",
        "/aos/onprem/url",
        "/dataverse/url",
        "/control_url",
        "/entra/client_secret",
    ] {
        let value = settings.pointer(pointer).and_then(Value::as_str).unwrap();
        assert!(screen.contains(value), "{pointer} is not on the screen:\n{screen}");
    }
    let of = |url: &str| {
        screen.lines().find(|line| line.contains(settings.pointer(url).unwrap().as_str().unwrap()))
    };
    for (url, whose) in [("/aos/onebox/url", "onebox (Entra)"), ("/aos/onprem/url", "onprem (AD FS)")] {
        assert!(of(url).is_some_and(|line| line.ends_with(whose)), "{screen}");
    }
    assert!(!screen.contains("proxy"), "it is in the settings:\n{screen}");
    assert!(!screen.contains('\u{1b}'), "no colour where there is no terminal");
    assert!(screen.ends_with(" ms"), "{screen}");

    let printed = lab.run(&["settings"]);
    assert_eq!(code(&printed), 0, "{}", text(&printed.stderr));
    assert_eq!(printed.stdout, std::fs::read(lab.state.path().join("settings.json")).unwrap());
    assert_eq!(code(&lab.run(&["ready"])), 0);

    lab.signal("-TERM");
    assert_eq!(lab.wait(), 0);
    assert!(!lab.state.path().join("settings.json").exists());
    assert_eq!(
        code(&run(lab.state.path(), &["ready", "--url", settings["control_url"].as_str().unwrap()])),
        3
    );
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut lab = Served::new(&[]);
    let url = lab.settings()["control_url"].as_str().unwrap().to_owned();
    let mut half_sent = TcpStream::connect(url.trim_start_matches("https://")).unwrap();
    half_sent.write_all(b"GET /health HT").unwrap();
    lab.signal("-INT");
    std::thread::sleep(Duration::from_millis(100));
    lab.signal("-INT");
    let began = Instant::now();
    assert_eq!(lab.wait(), 0);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(!lab.state.path().join("settings.json").exists());
}

#[test]
fn a_second_serve_on_the_same_state_names_the_holder() {
    let lab = Served::new(&[]);
    let second = lab.run(&["serve", "--port", "0"]);
    let errors = text(&second.stderr);
    assert_eq!(code(&second), 3, "{errors}");
    assert!(errors.starts_with("error: "), "{errors}");
    assert!(errors.contains(&lab.child.id().to_string()) && errors.contains("\nhint: "), "{errors}");
    assert_eq!(code(&lab.run(&["ready"])), 0, "the first one goes on");
}

#[test]
fn a_busy_port_names_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let state = tempfile::tempdir().unwrap();
    let base = taken.local_addr().unwrap().port().min(u16::MAX - 6).to_string();
    let output = run(state.path(), &["--port", &base]);
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("--port"), "{}", text(&output.stderr));
}

#[test]
fn settings_of_a_lab_that_is_gone_are_stale_and_ready_waits_on() {
    let state = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stale = format!(r#"{{"schema":1,"instance":"gone","control_url":"http://127.0.0.1:{nobody}"}}"#);
    std::fs::write(state.path().join("settings.json"), &stale).unwrap();
    for arguments in
        [&["settings"][..], &["ready"], &["explain"], &["get", "/caller"], &["restart"], &["journal"]]
    {
        let output = run(state.path(), arguments);
        assert_eq!((code(&output), text(&output.stdout)), (3, String::new()), "{arguments:?}");
        assert!(text(&output.stderr).contains("stale"), "{}", text(&output.stderr));
    }
    let began = Instant::now();
    assert_eq!(code(&run(state.path(), &["ready", "--wait=1"])), 3);
    assert!(began.elapsed() > Duration::from_millis(900));
}

#[test]
fn settings_that_cannot_be_used_are_an_error_and_never_another_lab() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("settings.json");
    for content in ["{ half", "[]", r#"{"schema":1}"#, r#"{"control_url":"http://127.0.0.1:7440"}"#] {
        std::fs::write(&file, content).unwrap();
        for arguments in [&["settings"][..], &["ready"], &["get", "/caller"], &["set", "/caller", "1"]] {
            let output = run(state.path(), arguments);
            let errors = text(&output.stderr);
            assert_eq!((code(&output), text(&output.stdout)), (3, String::new()), "{content} {arguments:?}");
            assert!(errors.contains(file.to_str().unwrap()), "{content} {arguments:?}: {errors}");
        }
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let output = run(state.path(), &["ready"]);
    let errors = text(&output.stderr);
    assert_eq!(code(&output), 3, "{errors}");
    assert!(errors.contains("settings.json cannot be read"), "{errors}");
    let began = Instant::now();
    assert_eq!(code(&run(state.path(), &["ready", "--wait=1"])), 3);
    assert!(began.elapsed() > Duration::from_millis(900), "it may yet be replaced");
    let lab = Served::new(&[]);
    let url = lab.settings()["control_url"].as_str().unwrap().to_owned();
    let named = lab.state.path().join("ca.pem");
    std::fs::copy(named, state.path().join("ca.pem")).unwrap();
    assert_eq!(code(&run(state.path(), &["ready", "--url", &url])), 0, "--url needs no file");
}

#[test]
fn a_restart_that_did_not_start_the_aos_is_a_finding() {
    let lab = Served::new(&[]);
    let format = "/environments/onebox/web_config/Aad.AADMetadataLocationFormat";
    assert_eq!(code(&lab.run(&["set", format, "garbage"])), 0);
    let restarted = lab.run(&["restart", "onebox"]);
    let errors = text(&restarted.stderr);
    assert_eq!((code(&restarted), text(&restarted.stdout)), (1, String::new()), "{errors}");
    assert!(errors.starts_with("error: onebox did not start: metadata-reachable: "), "{errors}");
    let (_, id) = errors.trim_end().rsplit_once("hint: mocktenant explain ").unwrap();
    let explained = lab.run(&["explain", id]);
    let story = text(&explained.stdout);
    assert_eq!(code(&explained), 0, "{story}{}", text(&explained.stderr));
    assert!(story.contains("Aad.AADMetadataLocationFormat"), "{story}");
}

#[test]
fn settings_of_another_instance_are_stale() {
    let lab = Served::new(&[]);
    let state = tempfile::tempdir().unwrap();
    let mut settings = lab.settings();
    settings["instance"] = Value::from("another");
    std::fs::write(state.path().join("settings.json"), settings.to_string()).unwrap();
    let output = run(state.path(), &["settings"]);
    assert_eq!((code(&output), text(&output.stdout)), (3, String::new()));
    assert!(text(&output.stderr).contains("another lab answers"), "{}", text(&output.stderr));
}

#[test]
fn ready_waits_for_a_lab_that_is_still_to_come() {
    let state = tempfile::tempdir().unwrap();
    let waiting = command(state.path()).args(["ready", "--wait=30"]).spawn().unwrap();
    let mut lab = command(state.path()).args(["--port", "0"]).spawn().unwrap();
    let output = waiting.wait_with_output().unwrap();
    lab.kill().unwrap();
    lab.wait().unwrap();
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).starts_with("ready at "));
}

#[test]
fn reproduce_tells_the_six_lines_and_heals_them() {
    let state = tempfile::tempdir().unwrap();
    let output = run(state.path(), &["reproduce"]);
    let story = text(&output.stdout);
    assert_eq!(code(&output), 0, "{story}{}", text(&output.stderr));
    let six = "     Unable to write data to entity accounts\n     Authentication failed with error\n     \
               Failed to authenticate for\n       https://contoso.crm4.dynamics.com/api/data/v9.0/accounts\n     \
               For information on troubleshooting see\n     https://go.microsoft.com/fwlink/?linkid=2244045\n     \
               Unable to get access token\n";
    assert!(story.contains(six), "{story}");
    let in_order = [
        "the record was rolled back",
        "certificate-found",
        "never called",
        "Infrastructure.S2SCertThumbprint",
        "Entra refuses, AADSTS700027",
        "Dataverse refuses, 0x80072560",
        "Dataverse refuses, 0x80042f09",
        "account DE-010 is there",
        "broke as told, healed as told",
    ];
    let flowing = story.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut rest = flowing.as_str();
    for part in in_order {
        let at =
            rest.find(part).unwrap_or_else(|| panic!("{part:?} is not there, or not in its place:\n{story}"));
        rest = &rest[at + part.len()..];
    }
    assert!(!state.path().join("settings.json").exists());
    let left = std::fs::read_dir(state.path().join("run")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "its own directory is gone");
}

#[test]
fn every_scenario_breaks_and_heals_and_is_data_too() {
    let state = tempfile::tempdir().unwrap();
    let list: Value = serde_json::from_slice(&run(state.path(), &["scenarios", "--json"]).stdout).unwrap();
    let scenarios = list.as_array().unwrap();
    assert!(scenarios.len() >= 3);
    for scenario in scenarios {
        let name = scenario["name"].as_str().unwrap();
        let output = run(state.path(), &["reproduce", name, "--json"]);
        assert_eq!(code(&output), 0, "{name}: {}{}", text(&output.stdout), text(&output.stderr));
        let story: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&story["broke"], &story["healed"]), (&Value::from(true), &Value::from(true)), "{name}");
        assert!(story["cause"]["setting"].as_str().is_some(), "{name}");
        let steps = story["steps"].as_array().unwrap();
        let (last, before) = steps.split_last().unwrap();
        assert!(
            before.iter().all(|step| step["then"] == "refused" && step["cause"].is_string()),
            "{name}: {story:#}"
        );
        // Only what is created arrives somewhere else.
        let reads = ["sign-in", "everybody-signs-in", "read-customers"]
            .iter()
            .any(|reads| story["saw"]["does"] == *reads);
        let healed = if reads { "answered" } else { "arrived" };
        assert_eq!(last["then"], healed, "{name}");
        assert!(!story["saw"]["lines"].as_array().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn reproduce_can_leave_its_lab_running() {
    let state = tempfile::tempdir().unwrap();
    let mut child = command(state.path()).args(["reproduce", "half-done", "--keep"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let last = lines.find_map(|line| line.ok().filter(|line| line.contains("--url "))).unwrap();
    let url = last.rsplit("--url ").next().unwrap().trim();
    let settings = run(state.path(), &["settings", "--url", url]);
    assert_eq!(code(&settings), 0, "{}", text(&settings.stderr));
    assert!(text(&settings.stdout).contains("control_url"));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn mistakes_on_the_command_line_exit_with_2() {
    let state = tempfile::tempdir().unwrap();
    for arguments in [
        &["frobnicate"][..],
        &["--no-such-flag"],
        &["serve", "--port", "70000"],
        &["--port", "65535"],
        &["settings", "--format", "toml"],
        &["reproduce", "no-such-scenario"],
        &["ready", "--url", "localhost:7440"],
        &["serve", "--port", "0", "--public-url-entra", "nonsense"],
        &["serve", "--port", "0", "--journal-file", "/no/such/directory/journal"],
    ] {
        let output = run(state.path(), arguments);
        let errors = text(&output.stderr);
        assert_eq!(code(&output), 2, "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: "), "{arguments:?}: {errors}");
    }
    assert_eq!(code(&run(state.path(), &["--help"])), 0);
    assert!(text(&run(state.path(), &["serve", "--help"]).stdout).contains("MOCKTENANT_PUBLIC_URL_ONEBOX"));
}

#[test]
fn settings_without_a_lab_are_what_serve_would_give() {
    let state = tempfile::tempdir().unwrap();
    let url = "http://127.0.0.1:7440/health";
    if TcpStream::connect("127.0.0.1:7440").is_ok() {
        eprintln!("skipped: something answers at {url}");
        return;
    }
    let output = run(state.path(), &["settings", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let settings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(settings["entra"]["base_url"], "https://localhost:7443");
    assert!(settings.get("instance").is_none());
}

#[test]
fn settings_are_read_changed_explained_and_take_effect_with_a_restart() {
    let mut lab = Served::new(&[]);
    let realm = "/environments/onebox/web_config/Aad.Realm";
    let get = |pointer: &str| text(&lab.run(&["get", pointer]).stdout).trim_end().to_owned();
    assert_eq!(get(realm), "spn:c0117050-0000-4000-8000-00000000a002");
    assert_eq!(code(&lab.run(&["explain"])), 1, "nothing was refused yet");

    let set = lab.run(&["set", realm, "spn:00000015-0000-0000-c000-000000000000"]);
    assert_eq!(code(&set), 0, "{}", text(&set.stderr));
    assert!(text(&set.stdout).contains("mocktenant restart onebox"), "{}", text(&set.stdout));
    assert_eq!(get(realm), "spn:00000015-0000-0000-c000-000000000000");
    let with_origin: Value = serde_json::from_slice(&lab.run(&["get", realm, "--json"]).stdout).unwrap();
    assert_eq!(with_origin["origin"]["file"], "web.config");
    assert_eq!(code(&lab.run(&["restart", "onebox"])), 0);

    // A number stays a text where a text is, and a text where only texts are taken.
    for key in [realm, "/environments/onebox/web_config/A.New.Key"] {
        assert_eq!(code(&lab.run(&["set", "--new", key, "15"])), 0);
        assert_eq!(get(key), "15");
    }
    let flight = "/environments/onebox/database/SysFlighting/DualWriteUnoAuthenticationFnoToCds/Enabled";
    assert_eq!(code(&lab.run(&["set", flight, "0"])), 0);
    assert_eq!(get(flight), "0");

    let refused = lab.run(&["set", "/environments/onebux/host", "x"]);
    assert_eq!(code(&refused), 1);
    assert!(text(&refused.stderr).contains("/environments/onebux/host"), "{}", text(&refused.stderr));
    let nowhere = lab.run(&["get", "/nowhere"]);
    let errors = text(&nowhere.stderr);
    assert_eq!(code(&nowhere), 1, "{errors}");
    assert!(errors.starts_with("error: ") && !errors.contains("caused by"), "said once: {errors}");
    let node = lab.run(&["restart", "onebox", "--node", "aos1"]);
    assert_eq!((code(&node), &*text(&node.stdout)), (0, "restarted onebox/aos1\n"));
    let misnamed = [
        &["restart", "nowhere"][..],
        &["restart", "onebox", "--node", "aos9"],
        &["scenarios", "--use", "nowhere"],
        &["scenarios", "--reset", "--scope", "organization/nowhere"],
    ];
    for misnamed in misnamed {
        let output = lab.run(misnamed);
        let errors = text(&output.stderr);
        assert_eq!(code(&output), 2, "{misnamed:?}: {errors}");
        assert!(errors.contains("there are: "), "{errors}");
    }
    assert_eq!(code(&lab.run(&["scenarios", "--use", "half-done"])), 0);
    assert_eq!(get(realm), "spn:00000015-0000-0000-c000-000000000000");
    assert_eq!(code(&lab.run(&["scenarios", "--reset", "--scope", "organization/contoso"])), 0);
    assert_eq!(get(realm), "spn:00000015-0000-0000-c000-000000000000", "another place");
    let misspelt = lab.run(&["scenarios", "--reset", "--scope", "contoso"]);
    assert_eq!(code(&misspelt), 2, "{}", text(&misspelt.stderr));
    assert_eq!(code(&lab.run(&["scenarios", "--reset"])), 0);
    assert_eq!(get(realm), "spn:c0117050-0000-4000-8000-00000000a002");

    let journal = lab.run(&["journal", "--json"]);
    let first: Value = serde_json::from_str(text(&journal.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(code(&journal), 0);
    assert!(first["id"].as_str().unwrap().starts_with("x-"));
    assert!(text(&lab.run(&["journal"]).stdout).contains("start onebox"));
    let mut line = String::new();
    lab.lines.read_line(&mut line).unwrap();
    assert!(line.contains("x-"), "exchanges have lines below the screen: {line}");
}

#[test]
fn the_token_given_to_serve_is_asked_of_every_verb() {
    let lab = Served::new(&["--control-token", "s3cret"]);
    let without = lab.run(&["get", "/caller"]);
    assert_eq!(code(&without), 1);
    assert!(text(&without.stderr).contains("--control-token"), "{}", text(&without.stderr));
    assert_eq!(code(&lab.run(&["get", "/caller", "--control-token", "s3cret"])), 0);
    assert_eq!(code(&lab.run(&["ready"])), 0, "health is free");
}

/// Creates the sample customer with a token of the sample client; the exchange that answered.
async fn created(settings: &Settings) -> String {
    let (entra, aos) = (&settings.entra, &settings.aos["onebox"]);
    let client = Client::new(&settings.ca_pem_text).unwrap();
    let scope = format!("{}/.default", aos.resource);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", entra.client_id.as_str()),
        ("client_secret", entra.client_secret.as_str()),
        ("scope", scope.as_str()),
    ];
    let reply = client.post_form(&format!("{}/oauth2/v2.0/token", entra.authority), &form).await.unwrap();
    let token = read_json(&reply).unwrap()["access_token"].as_str().unwrap().to_owned();
    let url = format!("{}/data/CustomersV3", aos.url);
    let answer = client.with_token(Some(&token)).post_json(&url, &aos.sample_customer).await.unwrap();
    answer.headers["x-mocktenant-exchange"].to_str().unwrap().to_owned()
}

#[test]
fn the_commands_that_explain_prints_are_pasted_as_they_are_and_change_the_refusal() {
    let lab = Served::new(&[]);
    let settings: Settings = serde_json::from_value(lab.settings()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(code(&lab.run(&["scenarios", "--use", "half-done"])), 0);
    let told = || text(&lab.run(&["explain", &runtime.block_on(created(&settings))]).stdout);
    let before = told();
    let (_, commands) = before.split_once("\nrun     ").unwrap_or_else(|| panic!("{before}"));
    let pasted = commands.lines().map(str::trim_start).take_while(|line| line.starts_with("mocktenant "));
    let script =
        pasted.map(|line| line.replacen("mocktenant", "\"$BIN\"", 1)).collect::<Vec<_>>().join(" && ");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env("BIN", env!("CARGO_BIN_EXE_mocktenant"));
    let done = shell.env("MOCKTENANT_STATE", lab.state.path()).output().unwrap();
    assert_eq!(code(&done), 0, "{script}\n{}", text(&done.stderr));
    let cause = |told: &str| told.lines().find(|line| line.starts_with("cause ")).map(str::to_owned);
    assert_ne!(cause(&told()), cause(&before), "{script}");
    let unknown = lab.run(&["explain", "x-unknown"]);
    assert!(text(&unknown.stderr).contains("hint: mocktenant journal --failed"), "{}", text(&unknown.stderr));
}

#[test]
fn every_scenario_is_explained_from_the_journal_file_when_the_lab_is_gone() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("journal.jsonl");
    let file = file.to_str().unwrap();
    let mut lab = Served::new(&["--journal-file", file]);
    let settings: Settings = serde_json::from_value(lab.settings()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let json = |output: Output| -> Value { serde_json::from_slice(&output.stdout).unwrap() };
    let mut told = Vec::new();
    for scenario in ["app-user-missing", "half-done", "tenant-cert-absent"] {
        assert_eq!(code(&lab.run(&["scenarios", "--use", scenario])), 0);
        let exchange = runtime.block_on(created(&settings));
        told.push((scenario, json(lab.run(&["explain", &exchange, "--json"]))));
    }
    lab.signal("-TERM");
    assert_eq!(lab.wait(), 0);
    // A lab that was killed leaves a line half written.
    std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(b"{\"sequence\":").unwrap();

    for (scenario, live) in &told {
        let id = live["exchange"].as_str().unwrap();
        let output = lab.run(&["explain", id, "--journal", file, "--json"]);
        assert_eq!(code(&output), 0, "{scenario}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("cut off"), "{}", text(&output.stderr));
        let gone = json(output);
        for member in ["/exchange", "/symptom", "/checks", "/cause/kind", "/cause/setting"] {
            assert_eq!(gone.pointer(member), live.pointer(member), "{scenario} {member}");
        }
        assert_eq!((&gone["world"], live.get("world")), (&Value::from(false), None), "{scenario}");
        assert_eq!(
            (gone["cause"].get("origin"), &gone["cause"]["change"]),
            (None, &Value::from(Vec::<Value>::new()))
        );
        assert!(gone["cause"]["advice"].is_string(), "{scenario}: {gone:#}");
    }

    let last = text(&lab.run(&["explain", "--journal", file]).stdout);
    let cause = told[2].1["cause"]["setting"].as_str().unwrap();
    assert!(
        last.contains("certificate-found") && last.contains(&format!("\n        {cause}\nadvice  ")),
        "{last}"
    );
    assert!(last.contains("without a world"), "{last}");
    let written = std::fs::read_to_string(file).unwrap();
    let token = written.lines().find(|line| line.contains(r#""endpoint":"token-v2""#)).unwrap();
    let token: Value = serde_json::from_str(token).unwrap();
    let by_id = token["activities"].as_object().unwrap().values().next().unwrap().as_str().unwrap();
    let found = lab.run(&["explain", by_id, "--journal", file]);
    assert_eq!(code(&found), 1, "nothing was refused there: {}", text(&found.stderr));
    assert!(text(&found.stdout).starts_with(token["id"].as_str().unwrap()), "{}", text(&found.stdout));
}

#[test]
fn a_journal_file_that_cannot_be_explained_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let state = scratch.path();
    let file = |name: &str, content: &str| {
        let path = state.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let start = r#"{"sequence":1,"id":"x-1","parent":null,"kind":"start","at":"2026-11-22T12:00:00Z","surface":"aos","endpoint":"","error":null,"checks":[],"facts":[],"activities":{},"micros":0,"generation":1}"#;
    let missing = state.join("missing").to_str().unwrap().to_owned();
    let (empty, healthy) = (file("empty", ""), file("healthy", &format!("{start}\n")));
    let other = file("other", &format!("{start}\n{{\"a\":1}}\n"));
    for (arguments, exit, why) in [
        (&[missing.as_str()][..], 2, "cannot read the journal file"),
        (&[state.to_str().unwrap()], 2, "cannot read the journal file"),
        (&[&empty], 2, "holds no exchange"),
        (&[&other], 2, "line 2 of "),
        (&[&healthy], 1, "nothing was refused in "),
        (&[&healthy, "x-2"], 1, "has no exchange x-2"),
    ] {
        let output = run(state, &[&["explain", "--journal"], arguments].concat());
        let errors = text(&output.stderr);
        assert_eq!((code(&output), text(&output.stdout)), (exit, String::new()), "{arguments:?}: {errors}");
        assert!(errors.starts_with("error: ") && errors.contains(why), "{arguments:?}: {errors}");
        assert!(exit == 1 || errors.contains("\ncaused by: ") || errors.contains("\nhint: "), "{errors}");
    }
    let start = run(state, &["explain", "x-1", "--journal", &healthy]);
    assert_eq!(code(&start), 1);
    assert!(text(&start.stdout).contains("nothing was refused\nnote"), "{}", text(&start.stdout));
}
