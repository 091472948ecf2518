//! `exec`: what the command gets, what it gives back, and what is told of it.

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::served::{code, command_in, text};

const BINARY: &str = env!("CARGO_BIN_EXE_mocktenant");

/// `exec` of a shell's line.
fn exec(state: &TempDir, flags: &[&str], line: &str) -> Command {
    let mut command = command_in(state.path());
    command.arg("exec").args(flags).args(["--", "sh", "-c", line]);
    for name in ["NO_PROXY", "no_proxy", "JAVA_TOOL_OPTIONS"] {
        command.env_remove(name);
    }
    command.env("MOCKTENANT", BINARY);
    command
}

fn ran(state: &TempDir, flags: &[&str], line: &str) -> Output {
    exec(state, flags, line).output().unwrap()
}

#[test]
fn stdout_and_stdin_are_the_commands_own_and_so_is_the_exit_code() {
    let state = tempfile::tempdir().unwrap();
    let mut child =
        exec(&state, &[], "read line; echo \"got $line\"; exit 7").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"this\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), text(&output.stdout).as_str()), (7, "got this\n"), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "nothing was refused: {}", text(&output.stderr));
    assert_eq!(code(&ran(&state, &[], "true")), 0);
    assert_eq!(code(&ran(&state, &[], "kill -KILL $$")), 137);
    let none = command_in(state.path()).args(["exec", "--", "/no/such/command"]).output().unwrap();
    assert_eq!(code(&none), 127, "{}", text(&none.stderr));
    assert!(text(&none.stderr).contains("cannot run /no/such/command"), "{}", text(&none.stderr));
    let not_one = command_in(state.path()).args(["exec", "--", "/"]).output().unwrap();
    assert_eq!(code(&not_one), 126, "{}", text(&not_one.stderr));
    assert_eq!(code(&command_in(state.path()).args(["exec"]).output().unwrap()), 2);
    assert!(!state.path().join("settings.json").exists(), "no lab for others was published");
    let left = std::fs::read_dir(state.path().join("run")).map(Iterator::count).unwrap_or_default();
    assert_eq!(left, 0, "a lab goes with its directory");
}

#[test]
fn what_the_command_called_is_in_the_journal_file_when_all_is_over() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("calls.jsonl");
    let line = "\"$MOCKTENANT\" try >/dev/null 2>&1; echo \"$MOCKTENANT_JOURNAL_FILE\"";
    let flags = ["--scenario", "app-user-missing", "--journal-file", file.to_str().unwrap()];
    let output = ran(&state, &flags, line);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, "\n"), "{}", text(&output.stderr));
    let said = command_in(state.path()).args(["explain", "last", "--journal"]).arg(&file).output().unwrap();
    assert_eq!(code(&said), 0, "{}", text(&said.stderr));
    assert!(text(&said.stdout).contains("application user"), "{}", text(&said.stdout));
    let unwritable = ran(&state, &["--journal-file", "/no/such/directory/journal"], "echo ran");
    assert_eq!(
        (code(&unwritable), text(&unwritable.stdout).as_str()),
        (2, ""),
        "{}",
        text(&unwritable.stderr)
    );
}

/// What the allocator asks of the system for this process would hold for every one that it starts.
#[cfg(target_os = "linux")]
#[test]
fn the_command_has_huge_pages_where_it_would_have_them_without_a_lab() {
    let line = "grep THP_enabled /proc/self/status";
    let without = text(&Command::new("sh").args(["-c", line]).output().unwrap().stdout);
    let state = tempfile::tempdir().unwrap();
    assert_eq!(text(&ran(&state, &[], line).stdout), without);
}

#[test]
fn the_command_finds_the_tools_of_its_own_lab() {
    let state = tempfile::tempdir().unwrap();
    let line = "\"$MOCKTENANT\" set onebox/Aad.Realm spn:x >/dev/null && \"$MOCKTENANT\" get onebox/Aad.Realm && \"$MOCKTENANT\" try; \
                cat \"$MOCKTENANT_SETTINGS\"";
    let output = ran(&state, &[], line);
    let out = text(&output.stdout);
    assert_eq!(code(&output), 0, "{out}{}", text(&output.stderr));
    assert!(out.starts_with("spn:x\n") && out.contains("done: x-"), "{out}");
    let settings: Value = serde_json::from_str(&out[out.find('{').unwrap()..]).unwrap();
    assert!(settings["proxy_url"].as_str().is_some_and(|url| url.starts_with("http://localhost:")));
    // Who does not know its token is not let in.
    let line = "unset MOCKTENANT_CONTROL_TOKEN; \"$MOCKTENANT\" get /caller";
    assert_eq!(code(&ran(&state, &[], line)), 1);
}

#[test]
fn what_was_refused_is_told_with_its_cause_if_the_command_fails_and_not_else() {
    let state = tempfile::tempdir().unwrap();
    let scenario = ["--scenario", "app-user-missing"];
    let failed = ran(&state, &scenario, "\"$MOCKTENANT\" try >/dev/null");
    let told = text(&failed.stderr);
    assert_eq!(code(&failed), 1, "{told}");
    let flowing = told.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flowing.contains("cause: Power Platform admin center > Environments"), "{told}");
    assert!(flowing.contains("missing (no such user)"), "{told}");
    assert_eq!(told.matches("REFUSED").count(), 1, "what was caused by it is not told besides: {told}");
    let ignored = ran(&state, &scenario, "\"$MOCKTENANT\" try >/dev/null; true");
    assert_eq!((code(&ignored), text(&ignored.stderr).as_str()), (0, ""));
    let unknown = ran(&state, &["--scenario", "no-such"], "true");
    assert_ne!(code(&unknown), 0);
    assert!(text(&unknown.stderr).contains("half-done"), "{}", text(&unknown.stderr));
}

#[test]
fn the_variables_are_merged_with_those_there_are_and_others_are_taken_away() {
    let state = tempfile::tempdir().unwrap();
    let mut command = exec(&state, &["--credential", "certificate"], "env");
    command.env("NO_PROXY", "intranet.example,.dynamics.com").env("JAVA_TOOL_OPTIONS", "-Xmx64m");
    command.env("AZURE_AUTHORITY_HOST", "https://login.partner.example").env("AZURE_CLIENT_SECRET", "mine");
    command.env("IDENTITY_ENDPOINT", "http://127.0.0.1:1");
    let out = text(&command.output().unwrap().stdout);
    let value = |name: &str| {
        out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    let proxy = value("HTTPS_PROXY").unwrap();
    for name in ["https_proxy", "HTTP_PROXY", "http_proxy", "MOCKTENANT_URL"] {
        assert_eq!(value(name).as_deref(), Some(proxy.as_str()), "{name}");
    }
    let no_proxy = value("NO_PROXY").unwrap();
    assert!(
        no_proxy.starts_with("intranet.example,localhost,") && !no_proxy.contains("dynamics.com"),
        "{no_proxy}"
    );
    assert!(value("JAVA_TOOL_OPTIONS").unwrap().starts_with("-Xmx64m -Dhttps.proxyHost=localhost"));
    assert!(value("AZURE_CLIENT_CERTIFICATE_PATH").unwrap().ends_with("/certificate.pem"));
    for gone in ["AZURE_AUTHORITY_HOST", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT"] {
        assert_eq!(value(gone), None, "{gone}");
    }
    for (file, expected) in [("SSL_CERT_FILE", "/ca-bundle.pem"), ("NODE_EXTRA_CA_CERTS", "/ca-bundle.pem")] {
        assert!(value(file).unwrap().ends_with(expected), "{file}");
    }
}

#[test]
fn a_token_forged_beside_the_command_names_the_issuer_that_the_command_sees() {
    let state = tempfile::tempdir().unwrap();
    let line = "\"$MOCKTENANT\" token --resource api://contoso-api --json; \"$MOCKTENANT\" token --json; \
                MOCKTENANT_TOKEN_REAL_NAMES=0 \"$MOCKTENANT\" token --resource api://contoso-api --json";
    let output = ran(&state, &[], line);
    let made = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let issuers: Vec<String> = made.map(|made| made.unwrap()["claims"]["iss"].to_string()).collect();
    let [second, first, own] = issuers.as_slice() else { panic!("{issuers:?}") };
    assert_eq!(second, "\"https://login.microsoftonline.com/c0117050-0000-4000-8000-000000000001/v2.0\"");
    assert_eq!(first, "\"https://sts.windows.net/c0117050-0000-4000-8000-000000000001/\"");
    assert!(own.starts_with("\"https://localhost:"), "{own}");
}

#[test]
fn several_at_once_do_not_meet_and_a_serve_beside_them_is_not_touched() {
    let state = tempfile::tempdir().unwrap();
    let line = "\"$MOCKTENANT\" set onebox/Aad.Realm spn:$1 >/dev/null && sleep 0.3 && \"$MOCKTENANT\" get onebox/Aad.Realm";
    let children: Vec<_> = (0..5)
        .map(|number| {
            let mut command = exec(&state, &[], line);
            (number, command.args(["sh", &number.to_string()]).spawn().unwrap())
        })
        .collect();
    for (number, child) in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(text(&output.stdout), format!("spn:{number}\n"), "{}", text(&output.stderr));
    }
}

#[test]
fn a_signal_is_passed_on_and_the_lab_ends_with_the_command() {
    let state = tempfile::tempdir().unwrap();
    let ready = state.path().join("ready");
    let line = format!("trap 'exit 9' TERM; touch {}; while :; do sleep 0.02; done", ready.display());
    let mut child = exec(&state, &[], &line).spawn().unwrap();
    let began = Instant::now();
    while !ready.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never started");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

/// A signal that comes while the lab starts: the start waits for a lock that is held here, so the signal is sent in it.
#[cfg(target_os = "linux")]
#[test]
fn who_is_interrupted_while_the_lab_starts_runs_no_command_and_leaves_nothing() {
    let state = tempfile::tempdir().unwrap();
    assert_eq!(code(&ran(&state, &[], "true")), 0);
    let lock = state.path().join("state.lock");
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let held = std::fs::File::open(&lock).unwrap();
        held.lock().unwrap();
        // Were it run, it would be said that there is no such command.
        let mut exec = command_in(state.path());
        let child = exec.args(["exec", "--", "/no/such/command"]).spawn().unwrap();
        let open = format!("/proc/{}/fd", child.id());
        let waits = || {
            let mut files = std::fs::read_dir(&open).into_iter().flatten().flatten();
            files.any(|file| std::fs::read_link(file.path()).is_ok_and(|file| file == lock))
        };
        let began = Instant::now();
        while !waits() {
            assert!(began.elapsed() < Duration::from_secs(30), "it never came to the lock");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        drop(held);
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), expected, "{signal}: {}", text(&output.stderr));
        assert_eq!((text(&output.stdout), text(&output.stderr)), (String::new(), String::new()), "{signal}");
        let left = std::fs::read_dir(state.path().join("run")).unwrap().count();
        assert_eq!(left, 0, "{signal}: a lab that was to be goes with its directory");
    }
}

#[test]
fn a_shell_that_reads_the_settings_uses_the_lab() {
    let has =
        |tool: &str| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !has("curl") {
        assert!(std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_none(), "no curl here");
        eprintln!("skipped: no curl here");
        return;
    }
    let lab = crate::served::Served::new(&[]);
    let written = lab.run(&["settings", "--format", "sh"]);
    let file = lab.state.path().join("variables.sh");
    std::fs::write(&file, &written.stdout).unwrap();
    let line = format!(
        ". {} && curl -sS https://login.microsoftonline.com/$AZURE_TENANT_ID/oauth2/v2.0/token -d grant_type=client_credentials \
         -d client_id=$AZURE_CLIENT_ID -d client_secret=$AZURE_CLIENT_SECRET -d scope=https://contoso.crm4.dynamics.com/.default",
        file.display()
    );
    let output = Command::new("sh").args(["-c", &line]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(answer["access_token"].is_string(), "{}{}", text(&output.stdout), text(&output.stderr));
    let shown = text(&lab.run(&["journal", "--json"]).stdout);
    assert!(shown.contains("\"via\"") && shown.contains("\"proxy\""), "{shown}");
    for format in ["ps1", "cmd", "dotenv", "appsettings", "web.config", "wif.config", "hosts", "json"] {
        let written = lab.run(&["settings", "--format", format]);
        assert_eq!(code(&written), 0, "{format}");
        assert!(!written.stdout.is_empty(), "{format}");
    }
}
