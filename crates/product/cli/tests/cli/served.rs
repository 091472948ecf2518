//! A lab that is being served, and the command beside it, with no variable of whoever runs the tests.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing here should take long; this only keeps a broken build from hanging.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mocktenant"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOCKTENANT_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env_remove("COLUMNS").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub(crate) fn command_in(state: &Path) -> Command {
    let mut command = command();
    command.env("MOCKTENANT_STATE", state);
    command
}

pub(crate) fn run(state: &Path, arguments: &[&str]) -> Output {
    command_in(state).args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// A lab being served; ended with the test.
pub(crate) struct Served {
    pub(crate) state: TempDir,
    pub(crate) child: Child,
    /// What it printed until it was ready.
    pub(crate) screen: Vec<String>,
    /// What it prints since.
    pub(crate) lines: BufReader<ChildStdout>,
}

impl Served {
    pub(crate) fn new(more: &[&str]) -> Self {
        Self::with(&[], more)
    }

    /// With these variables besides.
    pub(crate) fn with(variables: &[(&str, &str)], more: &[&str]) -> Self {
        let state = tempfile::tempdir().unwrap();
        let mut serve = command_in(state.path());
        serve.envs(variables.iter().copied()).args(["serve", "--port", "0"]).args(more);
        Self::started(serve, state)
    }

    /// What this command serves in that directory, once it is ready.
    pub(crate) fn started(mut serve: Command, state: TempDir) -> Self {
        let mut child = serve.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        // From here on it is ended whatever happens.
        let mut served = Self { state, child, screen: Vec::new(), lines };
        while served.screen.last().is_none_or(|last| !last.starts_with("mocktenant ready in ")) {
            let mut line = String::new();
            if served.lines.read_line(&mut line).unwrap() == 0 {
                let mut errors = String::new();
                served.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
                panic!("it ended: {:?} {errors}", served.screen);
            }
            served.screen.push(line.trim_end().to_owned());
        }
        served
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run(self.state.path(), arguments)
    }

    pub(crate) fn settings(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state.path().join("settings.json")).unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
