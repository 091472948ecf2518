//! The command as a container has it: the first process, in a network and with a host name of its own, where names of the
//! world lead to it. Namespaces stand for the engine here; what an engine adds is tested with the images.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::served::{code, command, command_in, text};

const SERVE: &[&str] = &["serve", "--real-names", "--bind", "0.0.0.0", "--control", "open", "--ca-directory"];

/// Namespaces of its own, as an engine makes them, and in them one command as the first process.
struct Container {
    scratch: TempDir,
    unshare: Child,
    /// The first process, as it is called out here.
    first: String,
    lines: BufReader<ChildStdout>,
}

/// Whether namespaces can be had; says so where not.
fn able() -> bool {
    let mut able = Command::new("unshare");
    able.args(["-m", "-n", "-u", "-p", "--fork", "--mount-proc", "sh", "-c"]);
    able.arg("ip link set lo up && hostname lab && mount -t tmpfs none /mnt && command -v nsenter");
    let able = able.output().is_ok_and(|output| output.status.success());
    if !able {
        assert!(std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_none(), "no namespaces of one's own here");
        eprintln!("skipped: no namespaces of one's own here");
    }
    able
}

impl Container {
    /// A lab that serves as an image starts it.
    fn serving() -> Self {
        let mut container = Self::started(tempfile::tempdir().unwrap(), SERVE);
        let ready = container.until("mocktenant ready in ");
        assert!(ready.contains("Real names"), "{ready}");
        container
    }

    fn started(scratch: TempDir, arguments: &[&str]) -> Self {
        let names = "login.microsoftonline.com login.windows.net contoso.crm4.dynamics.com \
                     usnconeboxax1aos.cloud.onebox.dynamics.com";
        std::fs::write(scratch.path().join("hosts"), format!("127.0.0.1 localhost lab {names}\n")).unwrap();
        let mut inside = Command::new("unshare");
        inside.args(["-m", "-n", "-u", "-p", "--fork", "--mount-proc", "--kill-child", "sh", "-c"]);
        inside.arg(
            "ip link set lo up; hostname lab; mount --bind \"$0/hosts\" /etc/hosts; program=$1; shift; exec \"$program\" \"$@\"",
        );
        inside.arg(scratch.path()).arg(env!("CARGO_BIN_EXE_mocktenant")).args(arguments);
        if arguments.last() == Some(&"--ca-directory") {
            inside.arg(scratch.path().join("ca"));
        }
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOCKTENANT_"));
        for (name, _) in ours {
            inside.env_remove(name);
        }
        inside.env("MOCKTENANT_STATE", scratch.path().join("state")).env_remove("COLUMNS");
        inside.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut unshare = inside.spawn().unwrap();
        let lines = BufReader::new(unshare.stdout.take().unwrap());
        let children = format!("/proc/{0}/task/{0}/children", unshare.id());
        let began = Instant::now();
        let first = loop {
            let children = std::fs::read_to_string(&children).unwrap();
            if let Some(first) = children.split_whitespace().next() {
                break first.to_owned();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "nothing was started");
            std::thread::sleep(Duration::from_millis(2));
        };
        Self { scratch, unshare, first, lines }
    }

    /// What it prints up to a line that begins so.
    fn until(&mut self, beginning: &str) -> String {
        let mut all = String::new();
        while !all.lines().last().unwrap_or_default().starts_with(beginning) {
            assert_ne!(self.lines.read_line(&mut all).unwrap(), 0, "it ended: {all}");
        }
        all
    }

    /// The command beside it, as `exec` of an engine starts it.
    fn beside(&self, arguments: &[&str]) -> Command {
        self.entering(&command_in(&self.scratch.path().join("state")), arguments)
    }

    /// The command in another container of the network, without the lab's state.
    fn elsewhere(&self, arguments: &[&str]) -> Command {
        self.entering(&command_in(&self.scratch.path().join("nothing")), arguments)
    }

    fn entering(&self, like: &Command, arguments: &[&str]) -> Command {
        let mut enter = Command::new("nsenter");
        enter.args(["-t", &self.first, "-m", "-n", "-u", "-p"]).arg(like.get_program()).args(arguments);
        take_over(&mut enter, like);
        enter.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        enter
    }

    fn ca(&self, file: &str) -> std::path::PathBuf {
        self.scratch.path().join("ca").join(file)
    }

    /// Ends it with a signal; its exit code and how long that took.
    fn ended(mut self, signal: &str) -> (i32, Duration, TempDir) {
        let began = Instant::now();
        assert!(Command::new("kill").args([signal, &self.first]).status().unwrap().success());
        let code = self.unshare.wait().unwrap().code().unwrap_or(-1);
        (code, began.elapsed(), std::mem::replace(&mut self.scratch, tempfile::tempdir().unwrap()))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

/// The variables of another command, and what it takes away.
fn take_over(command: &mut Command, like: &Command) {
    for (name, value) in like.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

fn says(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(code(&output), 0, "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_lab_in_a_container_is_found_by_its_service_name_and_under_the_names_of_its_world() {
    if !able() {
        return;
    }
    let lab = Container::serving();
    let dotenv = says(lab.elsewhere(&[
        "settings",
        "--url",
        "http://lab:7440",
        "--for",
        "network",
        "--format",
        "dotenv",
    ]));
    let bundle = lab.ca("ca-bundle.pem");
    for line in ["MOCKTENANT_URL=http://lab:7440".to_owned(), format!("SSL_CERT_FILE={}", bundle.display())] {
        assert!(dotenv.lines().any(|found| found == line), "{line}\n{dotenv}");
    }
    assert!(!dotenv.contains("HTTPS_PROXY") && !dotenv.contains("localhost:"), "{dotenv}");
    // Beside it, where it is called localhost, the same is told.
    let beside = says(lab.beside(&["settings", "--for", "network", "--format", "dotenv"]));
    assert!(beside.contains("MOCKTENANT_URL=http://lab:7440\n"), "{beside}");

    let created = says(lab.elsewhere(&["try", "--from-here", "--url", "http://lab:7440"]));
    let to = "POST https://usnconeboxax1aos.cloud.onebox.dynamics.com/data/CustomersV3";
    assert!(created.contains(to) && created.contains("201 created DE-"), "{created}");
    let journal = says(lab.beside(&["journal", "--json"]));
    assert!(journal.contains("https://login.microsoftonline.com/"), "{journal}");
    assert!(std::fs::read_to_string(bundle).unwrap().contains("BEGIN CERTIFICATE"));
}

#[test]
fn a_name_that_is_not_the_machine_s_is_not_let_in() {
    if !able() {
        return;
    }
    let lab = Container::serving();
    std::fs::write(lab.scratch.path().join("hosts"), "127.0.0.1 localhost lab other\n").unwrap();
    let output = lab.elsewhere(&["get", "/caller", "--url", "http://other:7440"]).output().unwrap();
    assert_ne!(code(&output), 0, "{}", text(&output.stdout));
    let said = text(&output.stderr);
    assert!(said.contains("421") || said.contains("no address, localhost, name of this machine"), "{said}");
}

#[test]
fn ready_is_a_health_check_that_takes_no_time() {
    if !able() {
        return;
    }
    let lab = Container::serving();
    let times = (0..8).map(|_| {
        let began = Instant::now();
        says(lab.beside(&["ready"]));
        began.elapsed()
    });
    let best = times.min().unwrap();
    assert!(best < Duration::from_millis(100), "{best:?}");
    let output = lab.elsewhere(&["ready"]).output().unwrap();
    assert_eq!(code(&output), 3, "another container is not well because this one is");
}

#[test]
fn whoever_sends_from_here_sees_the_failure_come_and_go_and_is_stopped_in_time() {
    if !able() {
        return;
    }
    let lab = Container::serving();
    let mut caller = lab.elsewhere(&["try", "--every", "1s", "--url", "http://lab:7440"]).spawn().unwrap();
    let mut lines = BufReader::new(caller.stdout.take().unwrap()).lines();
    let mut until = |wanted: &str| {
        let mut seen = Vec::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("it ended before {wanted}: {seen:?}")).unwrap();
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(wanted)) {
                return seen;
            }
        }
    };
    assert_eq!(until("201 created").len(), 2, "a block: the request, and what came of it");
    assert_eq!(until("201 created").len(), 1, "a line where nothing changed");
    says(lab.beside(&["unset", "Infrastructure.S2SCertThumbprint"]));
    says(lab.beside(&["set", "--new", "onebox/web_config/Infrastructure.S2SCertThumbprint", "77B2"]));
    lab.beside(&["restart", "onebox"]).output().unwrap();
    let broken = until("mocktenant explain ").join("\n");
    assert!(broken.contains(" refused") && broken.contains("Unable to"), "{broken}");
    let same = until(", the same");
    assert_eq!(same.len(), 1, "{same:?}");
    says(lab.beside(&["scenarios", "--reset"]));
    until("201 created");

    let id = caller.id().to_string();
    // The program itself, which `nsenter` has started in the other namespace.
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    let program = children.split_whitespace().next().unwrap_or(&id).to_owned();
    let began = Instant::now();
    assert!(Command::new("kill").args(["-INT", &program]).status().unwrap().success());
    assert_eq!(caller.wait().unwrap().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn the_first_process_ends_in_two_seconds_whoever_is_connected_and_keeps_its_roots() {
    if !able() {
        return;
    }
    let mut roots = None;
    let mut scratch = Some(tempfile::tempdir().unwrap());
    for signal in ["-TERM", "-INT"] {
        let mut lab = Container::started(scratch.take().unwrap(), SERVE);
        lab.until("mocktenant ready in ");
        let mut follower = lab.beside(&["journal", "--follow"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let found = std::fs::read(lab.ca("ca-bundle.pem")).unwrap();
        assert!(roots.get_or_insert_with(|| found.clone()) == &found, "the same roots after a restart");
        let (code, took, kept) = lab.ended(signal);
        let _ = follower.wait();
        assert_eq!(code, 0, "{signal}");
        assert!(took < Duration::from_secs(2), "{signal}: {took:?}");
        scratch = Some(kept);
    }
}

#[test]
fn a_verb_that_only_asks_ends_as_the_first_process_too() {
    if !able() {
        return;
    }
    // Both wait for a lab that never comes.
    let nowhere = "http://127.0.0.1:1";
    let cases: [(&[&str], &str, i32); 4] = [
        (&["ready", "--wait=60"], "-TERM", 143),
        (&["ready", "--wait=60"], "-INT", 130),
        (&["try", "--every", "1s", "--url", nowhere], "-TERM", 0),
        (&["try", "--every", "1s", "--url", nowhere], "-INT", 0),
    ];
    for (arguments, signal, expected) in cases {
        let first = Container::started(tempfile::tempdir().unwrap(), arguments);
        std::thread::sleep(Duration::from_millis(500));
        let (code, took, _) = first.ended(signal);
        assert_eq!(
            code, expected,
            "{arguments:?} {signal}: as a shell gives it, and 0 for what goes on until then"
        );
        assert!(took < Duration::from_secs(2), "{arguments:?} {signal}: {took:?}");
    }
}

#[test]
fn a_port_of_real_names_that_is_taken_is_said_with_what_to_do() {
    if !able() {
        return;
    }
    let lab = Container::serving();
    let state = tempfile::tempdir().unwrap();
    let like = command_in(state.path());
    let output = lab.entering(&like, &["serve", "--port", "0", "--real-names"]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(code(&output), 3, "{said}");
    assert!(said.contains("`--real-names` needs port 443") && said.contains("is taken"), "{said}");
    assert!(said.contains("hint: ") && said.contains("mocktenant exec"), "{said}");
}

#[test]
fn whoever_may_not_listen_below_1024_is_told_what_gives_the_right_and_that_gives_it() {
    let script = "ip link set lo up; serve() { setpriv --bounding-set -net_bind_service timeout 2 \"$0\" serve --real-names; }; \
                  serve; echo \"exit $?\"; sysctl -qw net.ipv4.ip_unprivileged_port_start=80; serve; echo \"exit $?\"";
    let mut able = Command::new("unshare");
    able.args(["-n", "sh", "-c", "command -v ip sysctl && setpriv --bounding-set -net_bind_service true"]);
    if !able.output().is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_none(), "no rights to take away here");
        eprintln!("skipped: no rights to take away here");
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let like = command_in(state.path());
    let mut without = Command::new("unshare");
    without.args(["-n", "sh", "-c", script]).arg(like.get_program());
    take_over(&mut without, &like);
    let output = without.output().unwrap();
    let (said, why) = (text(&output.stdout), text(&output.stderr));
    assert!(said.starts_with("exit 3\n"), "{said}{why}");
    assert!(why.contains("`--real-names` needs port 443") && why.contains("may not listen on"), "{why}");
    assert!(
        why.contains("sysctl -w net.ipv4.ip_unprivileged_port_start=80") && why.contains("setcap"),
        "{why}"
    );
    assert!(said.contains("mocktenant ready in ") && said.contains("ports 443 and 80"), "{said}{why}");
}

#[test]
fn a_half_sent_request_holds_a_stop_up_for_no_longer_than_that() {
    let mut lab = crate::served::Served::new(&[]);
    let url = lab.settings()["control_url"].as_str().unwrap().to_owned();
    let mut half_sent = TcpStream::connect(url.trim_start_matches("https://")).unwrap();
    half_sent.write_all(b"GET /health HT").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    lab.signal("-TERM");
    assert_eq!(lab.wait(), 0);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn a_settings_file_says_where_to_send_and_a_lab_without_real_names_says_so() {
    let lab = crate::served::Served::new(&[]);
    let mut once = command();
    once.env("MOCKTENANT_SETTINGS", lab.state.path().join("settings.json")).env_remove("MOCKTENANT_STATE");
    let seen = says({
        once.args(["try", "--from-here", "--json"]);
        once
    });
    let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
    assert_eq!((&seen["refused"], &seen["status"]), (&false.into(), &201.into()), "{seen}");
    assert!(
        seen["exchange"].as_str().unwrap().starts_with("x-") && seen["token_exchange"] != seen["exchange"]
    );
    let output = lab.run(&["settings", "--for", "network"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("--real-names"), "{}", text(&output.stderr));
}
