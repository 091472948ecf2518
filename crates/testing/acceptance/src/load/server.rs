//! The measured servers, ours and the bare one: child processes that share a state directory of their own.
//!
//! Reads its CPU time and memory from `/proc`; where there is none, nothing can be measured and the run says so.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;
use crate::bare::ANSWER_FILE;
use crate::cpu::Cpu;

/// Longer than this no start may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The binary to measure: the one named, or the workspace's own in release, built now so that it is the code at hand.
pub(crate) fn binary(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        // The child runs elsewhere: in its state directory.
        return Ok(std::path::absolute(named)?);
    }
    let beside =
        std::env::current_exe()?.with_file_name(format!("mocktenant{}", std::env::consts::EXE_SUFFIX));
    if let Some(cargo) = std::env::var_os("CARGO") {
        let built =
            Command::new(cargo).args(["build", "--release", "--package", "mocktenant-cli"]).status()?;
        if !built.success() {
            return Err("cargo build --release --package mocktenant-cli failed".into());
        }
    }
    if beside.is_file() {
        Ok(beside)
    } else {
        Err(format!("{} is not there\nhint: cargo build --release, or --binary PATH", beside.display())
            .into())
    }
}

/// Milliseconds from the start of the process to its first answers, the middle one of several starts.
pub(crate) struct Start {
    /// Of Entra, on an empty state directory.
    pub(crate) first: f64,
    /// The same on one that an earlier start has left.
    pub(crate) existing: f64,
    /// Of the first node on-premises there, which has fetched its documents from AD FS.
    pub(crate) node: f64,
    /// How much later each further node answers.
    pub(crate) further: f64,
}

/// When somebody answered, after the start of the process.
struct Answered {
    entra: f64,
    first_node: f64,
    last_node: f64,
}

/// Nodes behind the gateway of the default world.
const NODES: u8 = 3;

impl Start {
    /// Starts the binary again and again.
    pub(crate) fn measure(binary: &Path) -> Result<Self, Failure> {
        let (mut first, mut existing, mut node, mut further) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..3 {
            let state = TempDir::new()?;
            first.push(once(binary, state.path())?.entra);
            for _ in 0..3 {
                let Answered { entra, first_node, last_node } = once(binary, state.path())?;
                existing.push(entra);
                node.push(first_node);
                further.push((last_node - first_node) / f64::from(NODES - 1));
            }
        }
        let middle = |mut times: Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        Ok(Self {
            first: middle(first),
            existing: middle(existing),
            node: middle(node),
            further: middle(further),
        })
    }
}

/// One start and one stop.
fn once(binary: &Path, state: &Path) -> Result<Answered, Failure> {
    let base = free_base()?;
    let began = Instant::now();
    let mut child = Running(spawn(binary, state, &base.to_string())?);
    let entra = "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Flogin.microsoftonline.com%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize";
    loop {
        child.must_run()?;
        if let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, base + 3)) {
            answers(stream, "localhost", entra, "", "200")?;
            let entra = began.elapsed().as_secs_f64() * 1e3;
            let port = base + 5;
            let node = |number: u8| {
                let host = format!("localhost:{port}");
                let cookie = format!("cookie: ms-dyn-affinity-{port}=AOS_{number}\r\n");
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
                answers(stream, &host, "/namespaces/AXSF/", &cookie, "302")?;
                Ok::<_, Failure>(began.elapsed().as_secs_f64() * 1e3)
            };
            let (first_node, last_node) = (node(1)?, node(NODES)?);
            child.terminate()?;
            return Ok(Answered { entra, first_node, last_node });
        }
        if began.elapsed() > PATIENCE {
            return Err("the server did not answer in time".into());
        }
        thread::sleep(Duration::from_micros(200));
    }
}

fn answers(
    mut stream: TcpStream,
    host: &str,
    target: &str,
    cookie: &str,
    status: &str,
) -> Result<(), Failure> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n{cookie}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    if answer == format!("HTTP/1.1 {status}") {
        Ok(())
    } else {
        Err(format!("the first answer was {answer}").into())
    }
}

/// Where ports are looked for: below those that systems give to whoever calls. A socket that calls such a port before anybody listens
/// there may be given that very port, and answers itself.
const BASES: u32 = 20_000;

/// How many bases there are, eight ports apart.
const BASE_COUNT: u32 = 1_250;

/// A port base whose offsets 0, 3, 4, 5 and 6 nobody listens on.
fn free_base() -> Result<u16, Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..100 {
        let next = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let base = u16::try_from(BASES + next % BASE_COUNT * 8)?;
        let free = |offset: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, base + offset)).is_ok();
        if [0, 3, 4, 5, 6].into_iter().all(free) {
            return Ok(base);
        }
    }
    Err("no free ports".into())
}

fn spawn(binary: &Path, state: &Path, port: &str) -> Result<Child, Failure> {
    let mut command = Command::new(binary);
    command.args(["serve", "--port", port, "--state"]).arg(state);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOCKTENANT_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir(state);
    command.spawn().map_err(|error| format!("{}: {error}", binary.display()).into())
}

/// A child that does not outlive its owner.
struct Running(Child);

impl Running {
    /// CPU time it has spent.
    fn cpu_time(&self, ticks: u64) -> Result<Cpu, Failure> {
        Cpu::of(self.0.id(), ticks)
    }

    fn proc_file(&self, name: &str) -> Result<String, Failure> {
        let path = format!("/proc/{}/{name}", self.0.id());
        fs::read_to_string(&path)
            .map_err(|error| format!("{path}: {error}; this tool measures on Linux").into())
    }

    fn must_run(&mut self) -> Result<(), Failure> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("the server ended: {status}").into()),
        }
    }

    /// Asks it to stop as a person would, and waits.
    fn terminate(mut self) -> Result<(), Failure> {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let began = Instant::now();
        while asked.is_ok() && began.elapsed() < PATIENCE {
            if self.0.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(2));
        }
        Err("the server did not stop when asked to".into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or it ends now: either way nothing is left to be done about an error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server and what it published about itself.
pub(crate) struct Server {
    child: Running,
    settings: Value,
    ticks: u64,
    state: TempDir,
}

impl Server {
    /// Starts it on free ports and waits for its settings.
    pub(crate) fn start(binary: &Path) -> Result<Self, Failure> {
        Self::start_with(binary, "")
    }

    /// The same with a world file.
    pub(crate) fn start_with(binary: &Path, world: &str) -> Result<Self, Failure> {
        let state = TempDir::new()?;
        // Found where the server is started, if there is one.
        if !world.is_empty() {
            fs::write(state.path().join("mocktenant.yaml"), world)?;
        }
        let mut child = Running(spawn(binary, state.path(), "0")?);
        let file = state.path().join("settings.json");
        let began = Instant::now();
        let settings = loop {
            child.must_run()?;
            if let Ok(text) = fs::read(&file) {
                break serde_json::from_slice(&text)?;
            }
            if began.elapsed() > PATIENCE {
                return Err("settings.json did not appear".into());
            }
            thread::sleep(Duration::from_millis(1));
        };
        Ok(Self { child, settings, ticks: ticks_per_second(), state })
    }

    /// One text of its settings, by JSON pointer.
    pub(crate) fn setting(&self, pointer: &str) -> Result<&str, Failure> {
        let found = self.settings.pointer(pointer).and_then(Value::as_str);
        found.ok_or_else(|| format!("settings.json has no {pointer}").into())
    }

    /// CPU time it has spent.
    pub(crate) fn cpu_time(&self) -> Result<Cpu, Failure> {
        self.child.cpu_time(self.ticks)
    }

    /// Resident memory in MiB.
    pub(crate) fn resident(&self) -> Result<f64, Failure> {
        let text = self.child.proc_file("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kibibytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kibibytes / 1024.0)
    }

    /// Stops it gracefully.
    pub(crate) fn stop(self) -> Result<(), Failure> {
        self.child.terminate()
    }
}

/// The bare server beside it.
pub(crate) struct Bare {
    child: Running,
    ticks: u64,
    /// Its port for http.
    pub(crate) http: u16,
    /// Its port for https.
    pub(crate) https: u16,
}

impl Bare {
    /// Starts this program again as a bare server that gives `answer`, as `server` gave it, signed anew.
    pub(crate) fn start(server: &Server, answer: &[u8]) -> Result<Self, Failure> {
        let state = server.state.path();
        fs::write(state.join(ANSWER_FILE), answer)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--bare").arg(state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Running(command.spawn()?);
        let mut ports = String::new();
        BufReader::new(child.0.stdout.take().ok_or("no output")?).read_line(&mut ports)?;
        let (http, https) = ports.trim().split_once(' ').ok_or("the bare server did not start")?;
        Ok(Self { http: http.parse()?, https: https.parse()?, child, ticks: server.ticks })
    }

    /// CPU time it has spent.
    pub(crate) fn cpu_time(&self) -> Result<Cpu, Failure> {
        self.child.cpu_time(self.ticks)
    }
}

/// Clock ticks per second of `/proc/PID/stat`; 100 wherever nobody says otherwise.
fn ticks_per_second() -> u64 {
    let output = Command::new("getconf").arg("CLK_TCK").output().ok();
    let text = output.and_then(|output| String::from_utf8(output.stdout).ok());
    text.and_then(|text| text.trim().parse().ok()).filter(|ticks| *ticks > 0).unwrap_or(100)
}
