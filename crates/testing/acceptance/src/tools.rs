//! Tools of the machine that judge from outside: curl, openssl, xmlsec1, Python and Node with the real
//! clients.
//!
//! Decides where they are, and that a test which needs a missing one says so and is skipped, unless
//! `MOCKTENANT_REQUIRE_CLIENTS` asks for a failure. Never installs anything.

use std::path::PathBuf;
use std::process::{Command, Output};

use crate::binary::must;

/// Whether a missing tool is a failure, as in continuous integration.
pub fn are_required() -> bool {
    std::env::var_os("MOCKTENANT_REQUIRE_CLIENTS").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A program on the path, or why it cannot be used.
pub fn find(name: &str) -> Result<PathBuf, String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&paths)
        .map(|directory| directory.join(&file))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not on this machine"))
}

/// The Python that `clients/install` set up, or why there is none.
pub fn python() -> Result<PathBuf, String> {
    let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
    let venv = clients.join(".clients/python");
    let python = venv.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let pinned = must(std::fs::read_to_string(clients.join("python/requirements.txt")), "requirements.txt");
    let installed = std::fs::read_to_string(venv.join("installed")).unwrap_or_default();
    if !python.is_file() || installed.is_empty() {
        Err(String::from("Python clients are not installed; run: just clients"))
    } else if !installed.trim_end().ends_with(pinned.trim_end()) {
        Err(String::from("Python clients are not those of requirements.txt; run: just clients"))
    } else {
        Ok(python)
    }
}

/// Node and the packages that `clients/install` set up, or why there are none.
pub fn node() -> Result<(PathBuf, PathBuf), String> {
    let program = find("node")?;
    let clients = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients");
    let installed = std::fs::read_to_string(clients.join(".clients/node/installed")).unwrap_or_default();
    let pinned = must(std::fs::read_to_string(clients.join("node/package-lock.json")), "package-lock.json");
    if installed.is_empty() {
        Err(String::from("Node clients are not installed; run: just clients"))
    } else if installed.trim_end() != pinned.trim_end() {
        Err(String::from("Node clients are not those of package-lock.json; run: just clients"))
    } else {
        Ok((program, clients.join(".clients/node/node_modules")))
    }
}

/// A program on the path; without it the test prints why it is skipped and gets nothing.
///
/// # Panics
/// If it is missing where it is required.
pub fn or_skip(name: &str) -> Option<PathBuf> {
    match find(name) {
        Ok(path) => Some(path),
        Err(why) if are_required() => panic!("{why}, and MOCKTENANT_REQUIRE_CLIENTS is set"),
        Err(why) => {
            #[expect(clippy::print_stderr, reason = "a test that is skipped says why")]
            {
                eprintln!("skipped: {why}");
            }
            None
        }
    }
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
pub fn output(command: &mut Command) -> Output {
    must(command.output(), &command.get_program().display().to_string())
}

/// Both outputs of a command as one text, for messages.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
