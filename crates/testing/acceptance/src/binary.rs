//! The real `mocktenant` binary, run as a person or a script runs it.
//!
//! Decides which file that is: the one built beside the running test, so a release test run judges the release binary.
//! Builds it once if it is not there. Every process started here is bounded in time and ends with its value. Its settings
//! are read as plain JSON, as a client in another language reads them, so that a member renamed in the shared struct is noticed here.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a lab may take until it answers; far beyond what it needs, for a loaded machine.
const START: Duration = Duration::from_secs(60);

/// The binary: `MOCKTENANT_BINARY`, else the one in the target directory of the running test.
///
/// # Panics
/// If it is not there and cannot be built.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::var_os("MOCKTENANT_BINARY").map_or_else(built, PathBuf::from))
}

/// The one in the target directory of the running test, whatever `MOCKTENANT_BINARY` says: it is linked as this machine
/// links, so that what is preloaded counts.
///
/// # Panics
/// If it is not there and cannot be built.
pub fn built() -> PathBuf {
    let test = must(std::env::current_exe(), "the test's own path");
    // target/<profile>/deps/<test>: the binary lies one floor up.
    let profile = test.ancestors().find(|path| path.ends_with("deps")).and_then(Path::parent);
    let Some(profile) = profile else { panic!("{} is in no target directory", test.display()) };
    let binary = profile.join(format!("mocktenant{}", std::env::consts::EXE_SUFFIX));
    if !binary.exists() {
        build(profile);
    }
    assert!(binary.exists(), "{} is not there after a build; set MOCKTENANT_BINARY", binary.display());
    binary
}

fn build(profile: &Path) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "-p", "mocktenant-cli"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = must(cargo.status(), "cargo");
    assert!(status.success(), "cargo build -p mocktenant-cli failed");
}

/// Whether the tests were built for release, so that times mean something.
pub fn is_release() -> bool {
    !cfg!(debug_assertions)
}

/// A command of the binary that sees nothing of the caller's environment that could change what it does.
///
/// Where `MOCKTENANT_KEEP_ODATA_ANSWERS` names a folder, a lab of it writes its exchanges down there, each its own file, and
/// `tests/dotnet/answers.rs` has Microsoft's library read what was answered.
pub fn command() -> Command {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let mut command = command_of(path());
    if let Some(folder) = std::env::var_os("MOCKTENANT_KEEP_ODATA_ANSWERS").filter(|name| !name.is_empty()) {
        let name = format!("{}-{}.journal", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        command.env("MOCKTENANT_JOURNAL_FILE", Path::new(&folder).join(name));
    }
    command
}

/// The same of another binary.
pub fn command_of(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOCKTENANT_") {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").env_remove("COLUMNS").stdin(Stdio::null());
    command
}

/// A finished run of the binary.
#[derive(Debug)]
pub struct Run {
    /// Exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Time from start to end.
    pub took: Duration,
}

/// Runs a command to its end.
///
/// # Panics
/// If it takes longer than `limit`.
pub fn run(mut command: Command, limit: Duration) -> Run {
    let scratch = must(tempfile::tempdir(), "a scratch directory");
    let (out, err) = (scratch.path().join("out"), scratch.path().join("err"));
    let file = |path: &Path| must(File::create(path), "a scratch file");
    let began = Instant::now();
    // Files rather than pipes: nobody has to read while it runs.
    let mut child = must(command.stdout(file(&out)).stderr(file(&err)).spawn(), "the binary");
    let status = wait(&mut child, limit);
    let took = began.elapsed();
    let stdout = must(std::fs::read_to_string(out), "its output");
    let stderr = must(std::fs::read_to_string(err), "its errors");
    let Some(status) = status else { panic!("{command:?} ran for over {limit:?}\n{stdout}\n{stderr}") };
    Run { code: status.code().unwrap_or(-1), stdout, stderr, took }
}

/// Waits for a child; one that outlasts the limit is killed, and there is no status.
pub fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if began.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A `mocktenant serve`. Killed when dropped.
#[derive(Debug)]
pub struct Serve {
    child: Child,
    settings: Value,
    directory: PathBuf,
    /// Removed with the lab where nobody else names it.
    scratch: Option<tempfile::TempDir>,
}

impl Serve {
    /// Starts one on free ports with a state directory of its own and waits until it answers.
    ///
    /// # Panics
    /// If it does not answer in time; the message has what it wrote.
    pub fn start() -> Self {
        Self::start_with(command())
    }

    /// The same with a prepared command: flags of `serve` that are not ports and state, limits of the system.
    ///
    /// # Panics
    /// If it does not answer in time.
    pub fn start_with(command: Command) -> Self {
        let scratch = tempfile::Builder::new().prefix("mocktenant-").tempdir();
        Self::start_in(command, must(scratch, "a scratch directory"))
    }

    /// The same in the directory that another one left behind ([`Self::kept`]).
    ///
    /// # Panics
    /// If it does not answer in time.
    pub fn start_in(command: Command, scratch: tempfile::TempDir) -> Self {
        let directory = scratch.path().to_owned();
        let _ = std::fs::remove_file(directory.join("stderr"));
        Self::launch(command, directory, 0, Some(scratch))
    }

    /// The same in a directory that outlives it, on ports from `port` on: `state` in it is the state directory, `stderr` what
    /// all who were started there have written.
    ///
    /// # Panics
    /// If it does not answer in time.
    pub fn start_at(command: Command, directory: &Path, port: u16) -> Self {
        Self::launch(command, directory.to_owned(), port, None)
    }

    fn launch(
        mut command: Command,
        directory: PathBuf,
        port: u16,
        scratch: Option<tempfile::TempDir>,
    ) -> Self {
        let state = directory.join("state");
        let log =
            must(File::options().create(true).append(true).open(directory.join("stderr")), "a scratch file");
        command
            .args(["serve", "--port", &port.to_string(), "--state"])
            .arg(&state)
            .stdout(Stdio::null())
            .stderr(log);
        let mut child = must(command.spawn(), "the binary");
        let began = Instant::now();
        let settings = loop {
            let settings = std::fs::read(state.join("settings.json"));
            // Renamed into place: what is there is whole. One that was killed has left its own.
            let settings = settings.ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
            if let Some(settings) = settings.filter(|settings| settings["pid"] == child.id()) {
                break settings;
            }
            let ended = child.try_wait().ok().flatten();
            if ended.is_some() || began.elapsed() > START {
                let _ = child.kill();
                let said = std::fs::read_to_string(directory.join("stderr")).unwrap_or_default();
                panic!("no lab ({ended:?}): {said}");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Self { child, settings, directory, scratch }
    }

    /// Sends a signal by its name, as `kill` does.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        must(sent, "kill");
    }

    /// Sends a signal and waits for the end; `None` if it did not come in time, and then the lab was killed.
    pub fn stop(&mut self, signal: &str, limit: Duration) -> Option<ExitStatus> {
        self.signal(signal);
        wait(&mut self.child, limit)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its state directory.
    pub fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// Kills it and keeps its directory, which is as a lab leaves it that had no time to tidy up.
    ///
    /// # Panics
    /// If it was started in a directory of somebody else's.
    pub fn kept(mut self) -> tempfile::TempDir {
        let _ = self.child.kill();
        let _ = self.child.wait();
        match self.scratch.take() {
            Some(scratch) => scratch,
            None => panic!("{} is not its own to keep", self.directory.display()),
        }
    }

    /// A text of its settings document by its RFC 6901 pointer; a missing one fails the test.
    ///
    /// # Panics
    /// If the document has no such text.
    pub fn setting(&self, pointer: &str) -> &str {
        match self.settings.pointer(pointer).and_then(Value::as_str) {
            Some(text) => text,
            None => panic!("settings.json has no text at {pointer}"),
        }
    }

    /// The settings document.
    pub fn settings(&self) -> &Value {
        &self.settings
    }

    /// The port in a URL of the settings document.
    ///
    /// # Panics
    /// If there is no such URL.
    pub fn port(&self, pointer: &str) -> u16 {
        port_of(self.setting(pointer))
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it wrote to standard error until now.
    pub fn log(&self) -> String {
        let mut text = String::new();
        let read =
            File::open(self.directory.join("stderr")).and_then(|mut file| file.read_to_string(&mut text));
        must(read, "its log");
        text
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[expect(clippy::print_stderr, reason = "a failing test's output is where the log belongs")]
            {
                eprintln!("log of the lab:\n{}", self.log());
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The port of `https://localhost:7443` or `http://localhost:7440/...`.
///
/// # Panics
/// If the URL has none.
pub fn port_of(url: &str) -> u16 {
    let port = url.parse::<http::Uri>().ok().and_then(|uri| uri.port_u16());
    match port {
        Some(port) => port,
        None => panic!("{url:?} has no port"),
    }
}

/// The value, or the end of the test with its reason.
pub(crate) fn must<T, E: std::fmt::Display>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what}: {error}"),
    }
}
