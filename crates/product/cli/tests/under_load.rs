//! The built program where the machine gives it little: a screen nobody reads, long texts of strangers, few file handles.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test they are called from")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing here should take long; this only keeps a broken build from hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// The lines of a pipe until it ends, read beside the test.
type Lines = std::thread::JoinHandle<Vec<String>>;

/// A lab being served; ended with the test.
struct Served {
    state: TempDir,
    child: Child,
    stdout: Option<BufReader<std::process::ChildStdout>>,
}

impl Served {
    /// `limit` is a line for the shell that starts it.
    fn new(limit: &str, more: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOCKTENANT_"))
        {
            command.env_remove(name);
        }
        command.env("MOCKTENANT_STATE", state.path());
        command.args([
            "-c",
            &format!("{limit}exec \"$@\""),
            "sh",
            env!("CARGO_BIN_EXE_mocktenant"),
            "--port",
            "0",
        ]);
        command.args(more).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("mocktenant ready in ") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it ended");
        }
        Self { state, child, stdout: Some(stdout) }
    }

    fn port(&self, pointer: &str) -> SocketAddr {
        let settings = std::fs::read(self.state.path().join("settings.json")).unwrap();
        let settings: Value = serde_json::from_slice(&settings).unwrap();
        let url = settings.pointer(pointer).and_then(Value::as_str).unwrap();
        let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn stopped(&mut self) -> i32 {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }

    /// What it prints from now on.
    fn printed(&mut self) -> [Lines; 2] {
        fn lines(pipe: impl std::io::Read + Send + 'static) -> Lines {
            std::thread::spawn(move || {
                BufReader::new(pipe)
                    .split(b'\n')
                    .map(|line| String::from_utf8(line.unwrap()).unwrap())
                    .collect()
            })
        }
        [lines(self.stdout.take().unwrap()), lines(self.child.stderr.take().unwrap())]
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&at, PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The status line and headers of the next answer; its body has to be empty or of the length it says.
fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> String {
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).expect("an answer in time"), 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    head
}

#[test]
fn a_screen_nobody_reads_keeps_the_lab_neither_from_answering_nor_from_stopping() {
    let mut lab = Served::new("", &[]);
    let mut stream = BufReader::new(connect(lab.port("/entra/base_url")));
    // Each is a line on both streams; together they are far more than two pipes hold.
    for _ in 0..4_000 {
        let answer = ask(&mut stream, "GET / HTTP/1.1\r\nhost: nobody.example\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    assert_eq!(lab.stopped(), 0);
    let [stdout, stderr] = lab.printed().map(|lines| lines.join().unwrap());
    assert!(stdout.len() < 4_000 && stderr.len() < 4_000, "{} {}", stdout.len(), stderr.len());
}

#[test]
fn a_log_nobody_reads_for_a_while_says_how_much_of_it_is_missing() {
    let mut lab = Served::new("", &["--log-format", "json"]);
    let mut stream = BufReader::new(connect(lab.port("/entra/base_url")));
    for _ in 0..4_000 {
        ask(&mut stream, "GET / HTTP/1.1\r\nhost: nobody.example\r\n\r\n");
    }
    let printed = lab.printed();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(lab.stopped(), 0);
    let [stdout, stderr] = printed.map(|lines| lines.join().unwrap());
    let said = stderr.iter().filter(|line| line.contains("log lines were dropped")).count();
    assert!(said > 0, "{} lines, {:?}", stderr.len(), stderr.last());
    for line in &stderr {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
    assert!(stdout.iter().any(|line| line.contains("lines dropped: mocktenant journal")), "{}", stdout.len());
}

#[test]
fn texts_of_strangers_are_short_on_the_screen_and_in_the_log_however_long_they_are() {
    for more in [&["--log-level", "debug"][..], &["--log-format", "json", "--log-level", "debug"]] {
        let mut lab = Served::new("", more);
        let printed = lab.printed();
        let (identity, tools) = (lab.port("/entra/base_url"), lab.port("/control_url"));
        let long = "x".repeat(60 * 1024);
        for at in [identity, tools, lab.port("/aos/onebox/url"), lab.port("/dataverse/url")] {
            for _ in 0..10 {
                for request in [
                    format!("GET / HTTP/1.1\r\nhost: {long}\r\nconnection: close\r\n\r\n"),
                    format!("GET /{long} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
                    format!("GET /adfs/{long} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
                    format!("{long} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
                    format!("GET / HTTP/1.1\r\nhost: localhost\r\n{long}: a\r\nconnection: close\r\n\r\n"),
                    format!(
                        "GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {long}\r\nconnection: close\r\n\r\n"
                    ),
                    format!(
                        "POST /common/oauth2/v2.0/token HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n\
                         grant_type=client_credentials&client_secret=x&scope=x/.default&client_id={long}",
                        long.len() + 83 - 11
                    ),
                ] {
                    let mut stream = connect(at);
                    stream.write_all(request.as_bytes()).unwrap();
                    // Whatever it is answered.
                    let _ = stream.read_to_end(&mut Vec::new());
                }
            }
        }
        assert_eq!(lab.stopped(), 0);
        for lines in printed.map(|lines| lines.join().unwrap()) {
            let longest = lines.iter().map(String::len).max().unwrap_or(0);
            assert!(
                longest < 2_000,
                "{longest} bytes: {}",
                &lines.iter().max_by_key(|line| line.len()).unwrap()[..300]
            );
            let all: usize = lines.iter().map(String::len).sum();
            assert!(all < 300_000, "{all} bytes in {} lines", lines.len());
        }
    }
}

#[test]
fn a_crowd_at_one_port_of_a_lab_with_few_file_handles_leaves_the_others_reachable() {
    let mut lab = Served::new("ulimit -n 320; ", &[]);
    let [tools, identity, aos] =
        ["/control_url", "/entra/base_url", "/aos/onebox/url"].map(|url| lab.port(url));
    // The preface of HTTP/2, its settings, and one request for /health.
    let one_get = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\
                    \x00\x00\x16\x01\x05\x00\x00\x00\x01\x82\x86\x04\x07/health\x01\x09localhost";
    let is_answered = |at: SocketAddr, within: Duration| {
        let began = Instant::now();
        let answer = ask(&mut BufReader::new(connect(at)), "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        assert!(began.elapsed() < within, "{at}: {:?}", began.elapsed());
    };
    for (crowded, others) in [(tools, [identity, aos]), (identity, [tools, tools])] {
        let mut crowd = Vec::new();
        for _ in 0..350 {
            let mut stream = connect(crowded);
            // It may have been closed to make room already.
            let _ = stream.write_all(one_get);
            crowd.push(stream);
        }
        std::thread::sleep(Duration::from_millis(200));
        for other in others {
            is_answered(other, Duration::from_secs(2));
        }
        if crowded == tools {
            drop(crowd);
        }
        is_answered(crowded, Duration::from_secs(10));
    }
    assert_eq!(lab.stopped(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_lab_takes_as_many_file_handles_as_it_may_have() {
    let lab = Served::new("ulimit -Sn 200; ", &[]);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", lab.child.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<&str> = line.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "{line}");
    assert_ne!(numbers[0], "200");
}
